#include "sim/report/numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace wh::sim_report {
namespace {

std::string grouped(std::string digits) {
  const std::size_t sign = digits.starts_with('-') ? 1 : 0;
  for (auto at = digits.size(); at > sign + 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

/// Three digits that matter, without zeros that say nothing: 0.034, 9.84, 52.4, 1,234.
std::string plain(double value) {
  if (value == 0 || !std::isfinite(value)) return value == 0 ? "0" : "-";
  const auto size = std::abs(value);
  if (size >= 1e15 || size < 1e-4) return fmt::format("{:.3g}", value);
  if (size >= 99.95) return grouped(fmt::format("{:.0f}", value));
  auto digits = fmt::format("{:.{}f}", value, size >= 9.995 ? 1 : size >= 0.9995 ? 2 : size >= 0.09995 ? 3 : 4);
  while (digits.ends_with('0')) digits.pop_back();
  if (digits.ends_with('.')) digits.pop_back();
  return digits;
}

std::string show_bytes(double value) {
  constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; std::abs(value) >= 1000 && unit + 1 < units.size(); ++unit) value /= 1024;
  return plain(value) + " " + units[unit];
}

/// `7 min 13 s`, and `7 min` if nothing is left over.
std::string in_two(std::int64_t value, const char* large, const char* small) {
  const auto rest = std::abs(value % 60);
  return grouped(std::to_string(value / 60)) + " " + large + (rest ? " " + std::to_string(rest) + " " + small : "");
}

std::string show_seconds(double value) {
  const auto size = std::abs(value);
  if (size >= 1e12) return plain(value) + " s";
  if (size >= 7199.5) return in_two(std::llround(value / 60), "h", "min");
  if (size >= 119.5) return in_two(std::llround(value), "min", "s");
  if (size >= 0.9995 || size == 0) return plain(value) + " s";
  if (size >= 0.9995e-3) return plain(value * 1e3) + " ms";
  return plain(value * 1e6) + " µs";
}

/// The kernel counts processor time in hundredths of a second, so what it calls none may be a little.
std::string show_cores(double value) {
  if (value >= 0 && value < 0.0005) return "< 0.001 cores";
  return plain(value) + (value == 1 ? " core" : " cores");
}

/// The smallest of 1, 2, 5, 10, ... times a power of ten that is not below `value`.
double round_up(double value) {
  const auto power = std::pow(10, std::floor(std::log10(value)));
  for (const double digit : {1, 2, 5})
    if (digit * power >= value * (1 - 1e-9)) return digit * power;
  return 10 * power;
}

double round_step(double step, quantity q) {
  if (q == quantity::bytes || q == quantity::bytes_per_second) {
    const auto unit = std::pow(1024, std::max(0.0, std::floor(std::log(step) / std::log(1024))));
    const auto digits = round_up(step / unit);
    return digits >= 1000 ? 1024 * unit : digits * unit;
  }
  if (q == quantity::seconds)
    for (const double seconds : {10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400})
      if (step > 5 && step <= seconds) return seconds;
  return round_up(step);
}

}  // namespace

std::string show(double value, quantity q) {
  if (!std::isfinite(value)) return "-";
  switch (q) {
    case quantity::per_second: return plain(value) + "/s";
    case quantity::bytes: return show_bytes(value);
    case quantity::bytes_per_second: return show_bytes(value) + "/s";
    case quantity::cores: return show_cores(value);
    case quantity::seconds: return show_seconds(value);
    case quantity::count: break;
  }
  return plain(value);
}

std::string show(const std::optional<double>& value, quantity q) { return value ? show(*value, q) : "-"; }

std::string show(duration latency) { return show_seconds(std::chrono::duration<double>(latency).count()); }

std::string show_tick(double value, quantity q) {
  if (q == quantity::cores) return plain(value);
  if (q == quantity::seconds && value >= 60) {
    const auto whole = std::llround(std::min(value, 1e12));
    if (whole % 3600 == 0) return in_two(whole / 60, "h", "min");
    if (whole % 60 == 0 && whole < 7200) return in_two(whole, "min", "s");
  }
  return show(value, q);
}

std::string show_count(std::uint64_t count) { return grouped(std::to_string(count)); }

std::string show(const headline_field& field, double value) { return show(value * field.scale, field.shown_as); }

std::string show(const figure& f) {
  if (!f.value) return "-";
  if (f.unit == "bytes") return show(*f.value, quantity::bytes);
  if (f.unit == "s") return show(*f.value, quantity::seconds);
  if (f.unit == "cores") return show(*f.value, quantity::cores);
  return plain(*f.value) + (f.unit.empty() ? "" : " " + f.unit);
}

std::vector<double> round_ticks(double highest, quantity q, int wanted) {
  if (!(highest > 0) || !std::isfinite(highest)) highest = 1;
  highest = std::max(highest, 1e-9);
  auto step = round_step(highest / wanted, q);
  // A count has no halves.
  if (q == quantity::count) step = std::max(step, 1.0);
  std::vector<double> ticks;
  for (int i = 0; ticks.empty() || ticks.back() < highest * (1 - 1e-9); ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> decade_ticks(double lowest, double highest) {
  auto power = static_cast<int>(std::floor(std::log10(lowest) + 1e-9));
  std::vector<double> ticks = {std::pow(10, power)};
  while (ticks.back() < highest * (1 - 1e-9) || ticks.size() < 2) ticks.push_back(std::pow(10, ++power));
  return ticks;
}

}  // namespace wh::sim_report
