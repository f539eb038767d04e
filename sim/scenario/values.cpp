#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "resources/quantity.hpp"
#include "sim/scenario/internal/fields.hpp"

namespace wh::internal {
namespace {

/// As people write durations: 1500 ms is `1.5s`.
std::string typed(duration d) {
  using namespace std::chrono_literals;
  if (d == duration::zero()) return "0s";
  if (d % 1h == duration::zero()) return fmt::format("{}h", d / 1h);
  if (d % 1min == duration::zero()) return fmt::format("{}m", d / 1min);
  if (d % 1s == duration::zero()) return fmt::format("{}s", d / 1s);
  return fmt::format("{}ms", d / 1ms);
}

std::string typed_bytes(std::int64_t bytes) { return format_quantity_milli(bytes * 1000); }

/// The text of a quantity; YAML reads `16` as a number.
std::optional<std::string> quantity_text(const document& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return value.dump();
  return std::nullopt;
}

std::optional<double> share_of(const document& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  double percent = 0;
  const auto* const end = text.data() + text.size();
  const auto [stopped, why] = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  if (why != std::errc() || end - stopped != 1 || *stopped != '%') return std::nullopt;
  return percent / 100;
}

/// The value in thousandths, already complained about if there is none.
std::optional<std::int64_t> quantity_of(mistakes& log, const place& at, const char* examples) {
  const auto text = quantity_text(*at.value);
  const auto milli = text ? parse_quantity_milli(*text) : result<std::int64_t>(fail(errc::invalid, ""));
  if (milli) return *milli;
  log.add(at, fmt::format("must be a quantity such as {}, not {}", examples, shown(*at.value)));
  return std::nullopt;
}

}  // namespace

bool is_mapping(mistakes& log, const place& at) {
  if (at.value->is_object()) return true;
  log.add(at, fmt::format("must be a mapping, not {}", shown(*at.value)));
  return false;
}

bool is_list(mistakes& log, const place& at, std::size_t min, std::size_t max) {
  if (!at.value->is_array()) {
    log.add(at, fmt::format("must be a list, not {}", shown(*at.value)));
  } else if (at.value->size() < min) {
    log.add(at, "must not be empty");
  } else if (at.value->size() > max) {
    log.add(at, fmt::format("must have at most {} entries, not {}", max, at.value->size()));
  } else {
    return true;
  }
  return false;
}

void read_text(mistakes& log, const place& at, std::size_t max, std::string& out) {
  if (!at.value->is_string()) return log.add(at, fmt::format("must be text, not {}", shown(*at.value)));
  const auto& text = at.value->get_ref<const std::string&>();
  if (text.size() > max) return log.add(at, fmt::format("must have at most {} bytes, not {}", max, text.size()));
  out = text;
}

bool is_label_name(std::string_view text, std::size_t max) {
  const auto is_edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const auto is_inner = [&](char c) { return is_edge(c) || c == '-'; };
  return !text.empty() && text.size() <= max && is_edge(text.front()) && is_edge(text.back()) &&
         std::all_of(text.begin(), text.end(), is_inner);
}

std::string label_name_rule(std::size_t max) {
  return fmt::format("must be a name of a-z, 0-9 and - (not at the ends), at most {} long", max);
}

void read_label_name(mistakes& log, const place& at, std::size_t max, std::string& out) {
  const auto* text = at.value->get_ptr<const std::string*>();
  if (text && is_label_name(*text, max)) out = *text;
  else log.add(at, fmt::format("{}, not {}", label_name_rule(max), shown(*at.value)));
}

template <class Int>
void read_whole(mistakes& log, const place& at, Int min, Int max, Int& out) {
  const auto& value = *at.value;
  if (!value.is_number_integer()) return log.add(at, fmt::format("must be a whole number, not {}", shown(value)));
  const bool fits =
      value.is_number_unsigned()
          ? std::cmp_less_equal(min, value.get<std::uint64_t>()) && std::cmp_less_equal(value.get<std::uint64_t>(), max)
          : std::cmp_less_equal(min, value.get<std::int64_t>()) && std::cmp_less_equal(value.get<std::int64_t>(), max);
  if (!fits) return log.add(at, fmt::format("must be between {} and {}, not {}", min, max, shown(value)));
  out = value.get<Int>();
}
template void read_whole<int>(mistakes&, const place&, int, int, int&);
template void read_whole<std::uint32_t>(mistakes&, const place&, std::uint32_t, std::uint32_t, std::uint32_t&);
template void read_whole<std::uint64_t>(mistakes&, const place&, std::uint64_t, std::uint64_t, std::uint64_t&);

void read_number(mistakes& log, const place& at, double min, double max, double& out) {
  const auto& value = *at.value;
  if (!value.is_number()) return log.add(at, fmt::format("must be a number, not {}", shown(value)));
  const auto number = value.get<double>();
  // The negation also catches what is no number at all.
  if (!(number >= min && number <= max))
    return log.add(at, fmt::format("must be between {} and {}, not {}", min, max, shown(value)));
  out = number;
}

void read_share(mistakes& log, const place& at, double max, double& out) {
  const auto share = share_of(*at.value);
  if (!share) return log.add(at, fmt::format("must be a share such as 0.05 or 5%, not {}", shown(*at.value)));
  if (!(*share >= 0 && *share <= max))
    return log.add(at, fmt::format("must be between 0 and {}, not {}", max, shown(*at.value)));
  out = *share;
}

void read_duration(mistakes& log, const place& at, duration min, duration max, duration& out) {
  const auto& value = *at.value;
  if (!value.is_string())
    return log.add(at, fmt::format("must be a duration with its unit, such as 300ms or 45s, not {}", shown(value)));
  const auto& text = value.get_ref<const std::string&>();
  const auto parsed = parse_duration(text);
  if (!parsed) {
    return log.add(
        at, text.size() > 40 ? "is not a duration (write it like 300ms, 45s, 5m or 2h30m)" : parsed.err().message);
  }
  if (*parsed < min || *parsed > max)
    return log.add(at, fmt::format("must be between {} and {}, not {}", typed(min), typed(max), text));
  out = *parsed;
}

void read_range(mistakes& log, const place& at, duration max, duration_range& out) {
  if (!at.value->is_object()) {
    duration both = out.min;
    read_duration(log, at, duration::zero(), max, both);
    out = {both, both};
    return;
  }
  fields f(log, at);
  duration_range range;
  if (const auto min = f.require("min")) read_duration(log, *min, duration::zero(), max, range.min);
  if (const auto most = f.require("max")) {
    read_duration(log, *most, duration::zero(), max, range.max);
    if (range.min > range.max && range.max > duration::zero())
      log.add(at, fmt::format("min ({}) is above max ({})", typed(range.min), typed(range.max)));
  }
  f.finish();
  out = range;
}

void read_cpu(mistakes& log, const place& at, std::int64_t& milli) {
  using namespace scenario_limits;
  const auto value = quantity_of(log, at, "16 or 500m");
  if (!value) return;
  if (*value < cpu_milli_min || *value > cpu_milli_max) {
    return log.add(at, fmt::format("must be between {} and {}, not {}", format_quantity_milli(cpu_milli_min),
                                   cpu_milli_max / 1000, shown(*at.value)));
  }
  milli = *value;
}

void read_bytes(mistakes& log, const place& at, std::int64_t min, std::int64_t max, std::int64_t& bytes) {
  const auto value = quantity_of(log, at, "64Gi or 1Ki");
  if (!value) return;
  if (*value / 1000 < min || *value / 1000 > max)
    return log.add(
        at, fmt::format("must be between {} and {}, not {}", typed_bytes(min), typed_bytes(max), shown(*at.value)));
  bytes = *value / 1000;
}

}  // namespace wh::internal
