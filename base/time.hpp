#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wh {

/// Spans of time; microseconds are the finest unit that Kubernetes' times carry (MicroTime).
using duration = std::chrono::microseconds;

/// A point of wall-clock time (UTC). Cores receive it as an argument and never ask a clock.
using instant = std::chrono::time_point<std::chrono::system_clock, duration>;

/// RFC 3339 in UTC with whole seconds, as metav1.Time: `2026-01-02T03:04:05Z`.
std::string to_rfc3339(instant t);

/// RFC 3339 in UTC with microseconds, as metav1.MicroTime: `2026-01-02T03:04:05.000000Z`.
std::string to_rfc3339_micro(instant t);

/// Parses either form, with any offset and up to nanosecond digits (truncated to microseconds).
result<instant> parse_rfc3339(std::string_view text);

/// A span as people say it: `45s`, `3m12s`, `5h`, `12d` (the rounding of kubectl's AGE column).
std::string human_duration(duration d);

/// Parses `300ms`, `45s`, `5m`, `2h30m`, `7d`; a bare number is refused because its unit is a guess.
result<duration> parse_duration(std::string_view text);

}  // namespace wh
