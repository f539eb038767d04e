#include "nodes/common/options.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace wh {
namespace {

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const auto comma = text.find(',', start);
    if (auto part = text.substr(start, comma - start); !part.empty()) parts.push_back(std::move(part));
    if (comma == std::string::npos) return parts;
    start = comma + 1;
  }
}

std::string join_list(const std::vector<std::string>& parts) {
  std::string joined;
  for (const auto& part : parts) joined += (joined.empty() ? "" : ",") + part;
  return joined;
}

result<bool> parse_switch(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return fail(errc::invalid, "is a switch: true or false");
}

result<std::uint64_t> parse_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, why] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (why != std::errc() || end != text.data() + text.size() || text.empty())
    return fail(errc::invalid, "must be a whole number of 0 or more");
  return value;
}

result<duration> parse_span(const std::string& text) {
  auto parsed = parse_duration(text);
  if (!parsed) return fail(errc::invalid, "must be a duration such as 45s, 5m or 2h30m");
  return parsed;
}

result<host_port> parse_endpoint(const std::string& text) {
  auto parsed = parse_host_port(text);
  if (!parsed) return fail(errc::invalid, "must be HOST:PORT ([HOST]:PORT for IPv6)");
  return parsed;
}

template <class T, class Target>
std::function<result<void>(const std::string&)> assign(Target& target, result<T> (*parse)(const std::string&)) {
  return [&target, parse](const std::string& text) -> result<void> {
    auto parsed = parse(text);
    if (!parsed) return parsed.err();
    target = std::move(*parsed);
    return {};
  };
}

result<void> check_choice(const option_info& info, const std::string& text) {
  if (info.choices.empty()) return {};
  for (const auto& choice : info.choices)
    if (choice == text) return {};
  return fail(errc::invalid, "must be one of " + join_list(info.choices));
}

/// The default as somebody would type it: 3600 s is `1h`, and half a second `500ms`.
std::string typed(duration d) {
  using namespace std::chrono_literals;
  if (d == duration::zero()) return "0s";
  if (d % 1h == duration::zero()) return std::to_string(d / 1h) + "h";
  if (d % 1min == duration::zero()) return std::to_string(d / 1min) + "m";
  if (d % 1s == duration::zero()) return std::to_string(d / 1s) + "s";
  return std::to_string(d / 1ms) + "ms";
}

}  // namespace

void command::add_one(option_info info, std::string default_text, std::function<result<void>(const std::string&)> set) {
  option_spec spec{.info = info, .default_text = std::move(default_text)};
  spec.set = [info = std::move(info), set = std::move(set)](const std::vector<std::string>& values) -> result<void> {
    if (values.size() != 1) return fail(errc::invalid, "takes one value, not a list");
    if (auto allowed = check_choice(info, values[0]); !allowed) return allowed;
    return set(values[0]);
  };
  options_.push_back(std::move(spec));
}

void command::add(option_info info, std::string& target) {
  add_one(std::move(info), target, [&target](const std::string& text) -> result<void> {
    target = text;
    return {};
  });
}

void command::add(option_info info, bool& target) {
  add_one(std::move(info), target ? "true" : "", assign<bool>(target, parse_switch));
  options_.back().is_switch = true;
}

void command::add(option_info info, std::uint64_t& target) {
  add_one(std::move(info), std::to_string(target), assign<std::uint64_t>(target, parse_number));
}

void command::add(option_info info, duration& target) {
  add_one(std::move(info), typed(target), assign<duration>(target, parse_span));
}

void command::add(option_info info, std::optional<duration>& target) {
  add_one(std::move(info), target ? typed(*target) : "", assign<duration>(target, parse_span));
}

void command::add(option_info info, host_port& target) {
  add_one(std::move(info), target.host.empty() ? "" : target.text(), assign<host_port>(target, parse_endpoint));
}

void command::add(option_info info, std::optional<host_port>& target) {
  add_one(std::move(info), target ? target->text() : "", assign<host_port>(target, parse_endpoint));
}

void command::add(option_info info, std::vector<std::string>& target) {
  option_spec spec{.info = info, .is_list = true, .default_text = join_list(target)};
  spec.set = [info = std::move(info), &target](const std::vector<std::string>& values) -> result<void> {
    target.clear();
    for (const auto& value : values) {
      for (auto& part : split_list(value)) {
        if (auto allowed = check_choice(info, part); !allowed) return allowed;
        target.push_back(std::move(part));
      }
    }
    return {};
  };
  options_.push_back(std::move(spec));
}

void command::arguments(std::string placeholder, std::vector<std::string>& target, std::size_t min, std::size_t max) {
  positionals_ = positional{.placeholder = std::move(placeholder), .target = &target, .min = min, .max = max};
}

bool command::takes(const option_spec& spec) const {
  if (!inherited_ || spec.info.name == "config" || spec.info.name == "version") return true;
  return std::find(inherited_->begin(), inherited_->end(), spec.info.name) != inherited_->end();
}

bool command::requires_option(const option_spec& spec) const {
  return spec.info.required &&
         std::find(optional_here_.begin(), optional_here_.end(), spec.info.name) == optional_here_.end();
}

command& command::subcommand(std::string name, std::string summary) {
  subcommands_.push_back(std::make_unique<command>(std::move(name), std::move(summary)));
  return *subcommands_.back();
}

}  // namespace wh
