#include "sim/scenario/internal/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace wh::internal {
namespace {

// Nobody's slip of the pen is longer.
constexpr std::size_t typed_length_max = 64;
constexpr std::size_t shown_length_max = 60;

/// Characters to insert, remove or replace, or neighbours to swap: fingers do all four.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t differ = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + differ});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

/// Cut at a character's beginning, not within it.
std::string shortened(std::string text) {
  if (text.size() <= shown_length_max) return text;
  std::size_t end = shown_length_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

bool is_plain_key(const std::string& key) {
  return !key.empty() && key.size() <= shown_length_max && std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/';
  });
}

}  // namespace

std::string suggestion(std::string_view typed, const std::vector<std::string_view>& known) {
  if (typed.size() > typed_length_max) return "";
  std::string_view nearest;
  std::size_t nearest_distance = std::max<std::size_t>(typed.size() / 3, 1) + 1;
  for (const auto word : known) {
    const auto distance = edit_distance(typed, word);
    if (distance >= nearest_distance) continue;
    nearest = word;
    nearest_distance = distance;
  }
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

std::string shown(const document& value) {
  if (value.is_null()) return "nothing";
  if (value.is_object()) return "a mapping";
  if (value.is_array()) return "a list";
  return shortened(value.dump());
}

void mistakes::add(const place& at, std::string what) {
  auto text = file_;
  if (at.line != 0) text += fmt::format(":{}", at.line);
  if (!at.path.empty()) text += ": " + at.path;
  found_.push_back({at.line, text + ": " + std::move(what)});
}

error mistakes::as_error() const {
  auto sorted = found_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  std::string text;
  for (std::size_t i = 0; i < sorted.size() && i < scenario_limits::mistakes_max; ++i)
    text += (i == 0 ? "" : "\n") + sorted[i].text;
  if (sorted.size() > scenario_limits::mistakes_max)
    text += fmt::format("\n{}: {} more mistakes", file_, sorted.size() - scenario_limits::mistakes_max);
  return fail(errc::invalid, std::move(text));
}

std::size_t mistakes::line_of(const document& value, const place& parent) const {
  const auto it = lines_.find(&value);
  return it == lines_.end() ? parent.line : it->second;
}

place mistakes::member(const place& of, const std::string& key, const document& value) const {
  const auto step = is_plain_key(key) ? key : shortened(document(key).dump());
  return {.value = &value, .path = of.path.empty() ? step : of.path + "." + step, .line = line_of(value, of)};
}

place mistakes::entry(const place& of, std::size_t index) const {
  const auto& value = (*of.value)[index];
  return {.value = &value, .path = fmt::format("{}[{}]", of.path, index), .line = line_of(value, of)};
}

fields::fields(mistakes& log, const place& at) : log_(log), at_(at), is_mapping_(is_mapping(log, at)) {
  static const document nothing = document::object();
  if (!is_mapping_) at_.value = &nothing;
}

std::optional<place> fields::find(std::string_view name) {
  known_.push_back(name);
  const auto it = at_.value->find(name);
  if (it == at_.value->end()) return std::nullopt;
  return log_.member(at_, std::string(name), *it);
}

std::optional<place> fields::require(std::string_view name) {
  auto found = find(name);
  if (!found && is_mapping_) log_.add(at_, fmt::format("{} is missing", name));
  return found;
}

void fields::finish() {
  for (const auto& [key, value] : at_.value->items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    auto hint = suggestion(key, known_);
    if (hint.empty()) hint = fmt::format(" (known are {})", fmt::join(known_, ", "));
    log_.add(log_.member(at_, key, value), "unknown field" + hint);
  }
}

}  // namespace wh::internal
