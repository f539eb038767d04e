#include "nodes/common/options.hpp"

#include <algorithm>
#include <sstream>

namespace wh {
namespace {

constexpr std::size_t help_width = 100;

/// Two columns; the right one is wrapped and stays aligned.
std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::size_t left = 0;
  for (const auto& [name, text] : rows) left = std::max(left, name.size());
  left = std::min<std::size_t>(left, 34);
  std::string out;
  for (const auto& [name, text] : rows) {
    std::string line = "  " + name;
    if (name.size() > left) line += "\n" + std::string(2 + left, ' ');
    else line += std::string(left - name.size(), ' ');
    std::size_t column = left + 2;
    line += "  ";
    std::istringstream words(text);
    for (std::string word; words >> word;) {
      if (column + 1 + word.size() > help_width) {
        line += "\n" + std::string(left + 4, ' ');
        column = left + 2;
      } else if (column > left + 2) {
        line += " ";
      }
      line += word;
      column += word.size() + 1;
    }
    out += line + "\n";
  }
  return out;
}

std::pair<std::string, std::string> help_row(const option_spec& spec, bool required) {
  std::string left = spec.info.letter ? std::string("-") + spec.info.letter + ", " : "    ";
  left += "--" + spec.info.name;
  if (!spec.is_switch) left += " " + spec.info.value + (spec.is_list ? "..." : "");
  std::string right = spec.info.help;
  if (!spec.info.choices.empty()) {
    std::string all;
    for (const auto& choice : spec.info.choices) all += (all.empty() ? "" : "|") + choice;
    right += " [" + all + "]";
  }
  if (!spec.default_text.empty() && !spec.info.secret) right += " (default " + spec.default_text + ")";
  if (required) right += " (required)";
  return {left, right};
}

std::string options_help(const std::vector<const command*>& path) {
  std::vector<std::string> groups;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> rows;
  // The command's own options come first, those that all commands share last.
  for (auto at = path.rbegin(); at != path.rend(); ++at) {
    for (const auto& spec : (*at)->options()) {
      if (*at != path.back() && !path.back()->takes(spec)) continue;
      if (!rows.contains(spec.info.group)) groups.push_back(spec.info.group);
      rows[spec.info.group].push_back(help_row(spec, path.back()->requires_option(spec)));
    }
  }
  if (!rows.contains("General")) groups.emplace_back("General");
  rows["General"].push_back({"-h, --help", "Print this help and exit"});
  std::string out;
  for (const auto& group : groups) out += "\n" + group + ":\n" + two_columns(rows[group]);
  return out;
}

}  // namespace

std::string help_text(const std::vector<const command*>& path) {
  const auto& at = *path.back();
  std::string words;
  for (const auto* step : path) words += (words.empty() ? "" : " ") + step->name();
  std::string out = at.summary() + "\n\nUsage: " + words;
  if (!at.subcommands().empty()) out += at.run() ? " [COMMAND]" : " COMMAND";
  if (at.positionals()) out += " " + at.positionals()->placeholder;
  out += " [flags]\n";
  std::vector<std::pair<std::string, std::string>> commands;
  for (const auto& child : at.subcommands()) commands.emplace_back(child->name(), child->summary());
  if (!commands.empty()) out += "\nCommands:\n" + two_columns(commands);
  out += options_help(path);
  const auto& options = path.front()->options();
  if (!options.empty()) {
    const auto& name = options.front().info.name;
    out += "\nEvery flag can also be set by an environment variable (" + variable_name(path.front()->name(), name) +
           " for --" + name + ")\nor as a key of the --config file (" + name +
           ": ...). A flag wins over the variable, " + "the variable over the file.\n";
  }
  if (!at.footer().empty()) out += "\n" + at.footer() + "\n";
  return out;
}

}  // namespace wh
