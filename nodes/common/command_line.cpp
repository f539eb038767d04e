#include "nodes/common/options.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>

#include "nodes/common/version.hpp"

// CLI11 takes argv apart and nothing more: which source wins, what is required and how mistakes are worded is decided
// here, because its own configuration files know no line numbers and its errors no sources.
namespace wh {
namespace {

struct bound_option {
  const option_spec* spec = nullptr;
  CLI::Option* cli = nullptr;
};

/// A command of the tree together with what CLI11 found out about it.
struct bound_command {
  command* cmd = nullptr;
  CLI::App* app = nullptr;
  CLI::Option* help = nullptr;
  std::vector<bound_option> options;  ///< its own and those of the commands above it
  std::vector<std::string> arguments;
  std::vector<std::unique_ptr<bound_command>> children;
};

/// The options that every program has.
struct standard_options {
  std::string config;
  bool version = false;
};

std::string cli_name(const option_info& info) {
  const auto name = "--" + info.name;
  return info.letter ? std::string("-") + info.letter + "," + name : name;
}

void bind_option(bound_command& to, const option_spec& spec) {
  CLI::Option* option = nullptr;
  if (spec.is_switch) {
    option = to.app->add_flag(cli_name(spec.info));
  } else {
    option = to.app->add_option(cli_name(spec.info));
    option->expected(1)->allow_extra_args(false);
    option->multi_option_policy(spec.is_list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::TakeLast);
  }
  to.options.push_back({.spec = &spec, .cli = option});
}

/// Options of the commands above are bound again at each command, so that they may stand before or after its name.
std::unique_ptr<bound_command> bind_command(command& cmd, CLI::App* app, std::vector<const option_spec*> inherited) {
  auto bound = std::make_unique<bound_command>();
  bound->cmd = &cmd;
  bound->app = app;
  app->set_help_flag();
  bound->help = app->add_flag("-h,--help");
  std::erase_if(inherited, [&](const option_spec* spec) { return !cmd.takes(*spec); });
  for (const auto* spec : inherited) bind_option(*bound, *spec);
  for (const auto& spec : cmd.options()) {
    bind_option(*bound, spec);
    inherited.push_back(&spec);
  }
  if (const auto& positionals = cmd.positionals())
    app->add_option(positionals->placeholder, bound->arguments)->expected(0, CLI::detail::expected_max_vector_size);
  app->require_subcommand(0, 1);
  for (const auto& child : cmd.subcommands())
    bound->children.push_back(bind_command(*child, app->add_subcommand(child->name()), inherited));
  return bound;
}

std::vector<bound_command*> chosen_path(bound_command& root) {
  std::vector<bound_command*> path{&root};
  while (true) {
    const auto& children = path.back()->children;
    const auto next = std::find_if(children.begin(), children.end(), [](const auto& c) { return c->app->parsed(); });
    if (next == children.end()) return path;
    path.push_back(next->get());
  }
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string did_you_mean(const std::string& typed, const std::vector<std::string>& known) {
  for (const auto& candidate : known)
    if (edit_distance(typed, candidate) <= 2) return "; did you mean " + candidate + "?";
  return "";
}

std::string explain_unknown(const std::string& word, const bound_command& at) {
  std::vector<std::string> known;
  if (word.starts_with('-')) {
    for (const auto& option : at.options) known.push_back("--" + option.spec->info.name);
    return "unknown flag " + word + did_you_mean(word.substr(0, word.find('=')), known);
  }
  if (at.children.empty()) return "unexpected argument \"" + word + "\"";
  for (const auto& child : at.children) known.push_back(child->cmd->name());
  return "unknown command \"" + word + "\"" + did_you_mean(word, known);
}

std::string explain(const CLI::ParseError& e, const std::vector<bound_command*>& path) {
  if (dynamic_cast<const CLI::ExtrasError*>(&e)) {
    for (const auto* at : path)
      if (const auto extras = at->app->remaining(); !extras.empty())
        return explain_unknown(extras.front(), *path.back());
  }
  std::string text = e.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// Where an option's value comes from, and what it is.
struct setting {
  std::vector<std::string> values;
  std::string where;
};

class parser {
 public:
  parser(command& program, const parse_surroundings& around) : program_(program), around_(around) {
    program_.add(
        {.name = "config", .value = "FILE", .help = "YAML file with options, as `name: value`", .group = "General"},
        standard_.config);
    program_.add({.name = "version", .help = "Print the version and exit", .group = "General"}, standard_.version);
    root_ = bind_command(program_, &app_, {});
  }

  std::optional<int> parse(int argc, const char* const* argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
      path_ = chosen_path(*root_);
      if (asked_for_help()) return 0;
      return usage_error(explain(e, path_));
    }
    path_ = chosen_path(*root_);
    if (asked_for_help()) return 0;
    if (flag_given("version")) {
      *around_.out << program_.name() << " " << software_version() << "\n";
      return 0;
    }
    if (const auto& leaf = *path_.back(); !leaf.children.empty() && !leaf.cmd->run()) {
      *around_.err << help();
      return exit_usage;
    }
    if (auto applied = apply(); !applied) return usage_error(applied.err().message);
    return std::nullopt;
  }

  command& chosen() { return *path_.back()->cmd; }

 private:
  std::string command_words() const {
    std::string words;
    for (const auto* at : path_) words += (words.empty() ? "" : " ") + at->cmd->name();
    return words;
  }

  std::string help() const {
    std::vector<const command*> commands;
    for (const auto* at : path_) commands.push_back(at->cmd);
    return help_text(commands);
  }

  bool asked_for_help() const {
    const bool asked = std::any_of(path_.begin(), path_.end(), [](const auto* at) { return at->help->count() > 0; });
    if (asked) *around_.out << help();
    return asked;
  }

  int usage_error(const std::string& what) const {
    *around_.err << program_.name() << ": " << what << " (see " << command_words() << " --help)\n";
    return exit_usage;
  }

  /// The values given on the command line, wherever on it.
  std::vector<std::string> flag_values(const option_spec& spec) const {
    std::vector<std::string> values;
    for (const auto* at : path_)
      for (const auto& option : at->options)
        if (option.spec == &spec)
          values.insert(values.end(), option.cli->results().begin(), option.cli->results().end());
    if (!spec.is_list && values.size() > 1) values.erase(values.begin(), values.end() - 1);
    return values;
  }

  bool flag_given(std::string_view name) const {
    for (const auto& spec : program_.options())
      if (spec.info.name == name) return !flag_values(spec).empty();
    return false;
  }

  std::optional<setting> find_setting(const option_spec& spec) const {
    if (auto values = flag_values(spec); !values.empty()) return setting{std::move(values), "--" + spec.info.name};
    const auto variable = variable_name(program_.name(), spec.info.name);
    if (const auto value = around_.variable(variable); value && !value->empty()) return setting{{*value}, variable};
    if (const auto it = file_.find(spec.info.name); it != file_.end())
      return setting{it->second.values, it->second.where + ": " + spec.info.name};
    return std::nullopt;
  }

  result<void> apply_option(const option_spec& spec) const {
    const auto found = find_setting(spec);
    if (!found) {
      if (!path_.back()->cmd->requires_option(spec)) return {};
      return fail(errc::invalid, "--" + spec.info.name + " " + spec.info.value + " is required (or " +
                                     variable_name(program_.name(), spec.info.name) + ", or " + spec.info.name +
                                     " in the --config file)");
    }
    const auto taken = spec.set(found->values);
    if (taken) return {};
    std::string shown;
    for (const auto& value : found->values) shown += (shown.empty() ? "" : ",") + value;
    return fail(errc::invalid, found->where + ": " + taken.err().message +
                                   (spec.info.secret ? std::string() : ", but is \"" + shown + "\""));
  }

  static void collect_names(const command& at, std::vector<std::string>& names) {
    for (const auto& spec : at.options())
      if (spec.info.name != "config" && spec.info.name != "version") names.push_back(spec.info.name);
    for (const auto& child : at.subcommands()) collect_names(*child, names);
  }

  result<void> read_file_options() {
    for (const auto& spec : program_.options())
      if (spec.info.name == "config")
        if (auto applied = apply_option(spec); !applied) return applied;
    if (standard_.config.empty()) return {};
    std::vector<std::string> names;
    collect_names(program_, names);
    auto settings = read_option_file(standard_.config, names);
    if (!settings) return fail(settings.err().code, "--config: " + settings.err().message);
    file_ = std::move(*settings);
    return {};
  }

  result<void> apply_arguments() const {
    const auto& leaf = *path_.back();
    const auto& positionals = leaf.cmd->positionals();
    if (!positionals) return {};
    if (leaf.arguments.size() < positionals->min) return fail(errc::invalid, positionals->placeholder + " is missing");
    if (leaf.arguments.size() > positionals->max)
      return fail(errc::invalid, "unexpected argument \"" + leaf.arguments[positionals->max] + "\"");
    *positionals->target = leaf.arguments;
    return {};
  }

  result<void> apply() {
    if (auto read = read_file_options(); !read) return read;
    const auto& leaf = *path_.back();
    for (const auto* at : path_) {
      for (const auto& spec : at->cmd->options()) {
        if (at != &leaf && !leaf.cmd->takes(spec)) {
          if (!flag_values(spec).empty())
            return fail(errc::invalid, leaf.cmd->name() + " does not take --" + spec.info.name);
        } else if (auto applied = apply_option(spec); !applied) {
          return applied;
        }
      }
    }
    return apply_arguments();
  }

  command& program_;
  const parse_surroundings& around_;
  standard_options standard_;
  CLI::App app_;
  std::unique_ptr<bound_command> root_;
  std::vector<bound_command*> path_;
  std::map<std::string, file_setting> file_;
};

}  // namespace

std::string variable_name(std::string_view program, std::string_view option) {
  std::string name = std::string(program) + "_" + std::string(option);
  for (auto& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

parse_surroundings process_surroundings() {
  return {.variable = [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            return value ? std::optional<std::string>(value) : std::nullopt;
          },
          .out = &std::cout,
          .err = &std::cerr};
}

std::optional<int> parse_options(command& program, int argc, const char* const* argv,
                                 const parse_surroundings& around) {
  return parser(program, around).parse(argc, argv);
}

int run_command(command& program, int argc, const char* const* argv, const parse_surroundings& around) {
  parser parsing(program, around);
  if (const auto stop = parsing.parse(argc, argv)) return *stop;
  return parsing.chosen().run()();
}

}  // namespace wh
