#include "base/time.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>

namespace wh {

namespace {

using namespace std::chrono;

std::string format_seconds(instant t) {
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(t - day)};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Walks over a text; every step says whether it found what it wanted.
struct scanner {
  std::string_view rest;

  bool literal(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }

  bool number(std::size_t digits, int min, int max, int& out) {
    if (rest.size() < digits) return false;
    int v = 0;
    for (char c : rest.substr(0, digits)) {
      if (!is_digit(c)) return false;
      v = v * 10 + (c - '0');
    }
    rest.remove_prefix(digits);
    out = v;
    return v >= min && v <= max;
  }

  /// Digits after a decimal point as microseconds; what is finer is cut off.
  bool fraction(int& micros) {
    std::size_t n = 0;
    micros = 0;
    for (; n < rest.size() && is_digit(rest[n]); ++n)
      if (n < 6) micros = micros * 10 + (rest[n] - '0');
    if (n == 0 || n > 9) return false;
    for (std::size_t k = n; k < 6; ++k) micros *= 10;
    rest.remove_prefix(n);
    return true;
  }

  bool offset(minutes& out) {
    if (literal('Z')) {
      out = minutes{0};
      return true;
    }
    const bool east = literal('+');
    if (!east && !literal('-')) return false;
    int h = 0;
    int m = 0;
    if (!number(2, 0, 23, h) || !literal(':') || !number(2, 0, 59, m)) return false;
    out = minutes{(east ? 1 : -1) * (h * 60 + m)};
    return true;
  }
};

struct unit {
  std::string_view name;
  double micros;
};

// Longest names first where one is the beginning of another.
constexpr std::array<unit, 8> units{
    {{"ms", 1e3}, {"us", 1}, {"\u00b5s", 1}, {"ns", 1e-3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}}};

const unit* take_unit(std::string_view& rest) {
  for (const auto& u : units) {
    if (rest.starts_with(u.name)) {
      rest.remove_prefix(u.name.size());
      return &u;
    }
  }
  return nullptr;
}

error bad_duration(std::string_view text, std::string_view why) {
  return fail(errc::invalid, "\"" + std::string(text) + "\" is not a duration: " + std::string(why) +
                                 " (write it like 300ms, 45s, 5m or 2h30m)");
}

std::string two_units(long long big, char big_unit, long long small, char small_unit) {
  std::string text = std::to_string(big) + big_unit;
  if (small != 0) text += std::to_string(small) + small_unit;
  return text;
}

}  // namespace

std::string to_rfc3339(instant t) { return format_seconds(t) + "Z"; }

std::string to_rfc3339_micro(instant t) {
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>((t - floor<seconds>(t)).count()));
  return format_seconds(t) + fraction;
}

result<instant> parse_rfc3339(std::string_view text) {
  scanner in{text};
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, micros = 0;
  minutes east{0};
  const bool read = in.number(4, 1, 9999, y) && in.literal('-') && in.number(2, 1, 12, mo) && in.literal('-') &&
                    in.number(2, 1, 31, d) && in.literal('T') && in.number(2, 0, 23, h) && in.literal(':') &&
                    in.number(2, 0, 59, mi) && in.literal(':') && in.number(2, 0, 59, s) &&
                    (!in.literal('.') || in.fraction(micros)) && in.offset(east) && in.rest.empty();
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!read || !date.ok())
    return fail(errc::invalid, "\"" + std::string(text) + "\" is not an RFC 3339 time such as 2026-01-02T03:04:05Z");
  return instant{sys_days{date}} + hours{h} + minutes{mi} + seconds{s} + microseconds{micros} - east;
}

std::string human_duration(duration d) {
  // The thresholds are those of kubectl's AGE column.
  const long long s = duration_cast<seconds>(d).count();
  const long long m = s / 60;
  const long long h = m / 60;
  const long long day = h / 24;
  if (s < -1) return "<invalid>";
  if (s < 0) return "0s";
  if (s < 120) return std::to_string(s) + "s";
  if (m < 10) return two_units(m, 'm', s % 60, 's');
  if (m < 180) return std::to_string(m) + "m";
  if (h < 8) return two_units(h, 'h', m % 60, 'm');
  if (h < 48) return std::to_string(h) + "h";
  if (day < 8) return two_units(day, 'd', h % 24, 'h');
  if (day < 365 * 2) return std::to_string(day) + "d";
  if (day < 365 * 8) return two_units(day / 365, 'y', day % 365, 'd');
  return std::to_string(day / 365) + "y";
}

result<duration> parse_duration(std::string_view text) {
  if (text.empty()) return bad_duration(text, "it is empty");
  double total = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (!is_digit(rest.front())) return bad_duration(text, "a number is missing");
    double amount = 0;
    const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), amount, std::chars_format::fixed);
    if (ec != std::errc{}) return bad_duration(text, "a number is out of range");
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const unit* u = take_unit(rest);
    if (u == nullptr) return bad_duration(text, "a unit is missing or unknown");
    total += amount * u->micros;
  }
  // Beyond 2^53 microseconds (285 years) the sum would no longer be exact.
  if (total > 9007199254740992.0) return bad_duration(text, "it is longer than 285 years");
  return duration{static_cast<std::int64_t>(total + 1e-6)};
}

}  // namespace wh
