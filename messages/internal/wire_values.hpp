#pragma once
#include <limits>
#include <map>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "messages/ids.hpp"
#include "messages/internal/msgpack_cursor.hpp"

/// How each type of field is taken from a peer, and within which limits.
namespace wh::internal {

/// Entries of annotations, capacity, allocatable.
inline constexpr std::size_t map_entries_max = 1000;
/// Works that one spoke may say it holds; a full frame has room for about as many.
inline constexpr std::size_t held_works_max = 50'000;
/// The last microsecond of the year 9999, beyond which RFC 3339 cannot go.
inline constexpr std::uint64_t instant_micros_max = 253'402'300'799'999'999;
/// Ten years: adding such a span to any accepted instant cannot overflow.
inline constexpr std::uint64_t duration_micros_max = 315'360'000'000'000;

inline std::uint64_t read_up_to(msgpack_cursor& c, std::uint64_t max) {
  const auto v = c.unsigned_integer();
  if (v <= max) return v;
  c.fail("is " + std::to_string(v) + ", beyond " + std::to_string(max));
  return 0;
}

inline void read(msgpack_cursor& c, bool& v) { v = c.boolean(); }
inline void read(msgpack_cursor& c, std::uint32_t& v) {
  v = static_cast<std::uint32_t>(read_up_to(c, std::numeric_limits<std::uint32_t>::max()));
}
inline void read(msgpack_cursor& c, std::uint64_t& v) { v = c.unsigned_integer(); }
inline void read(msgpack_cursor& c, errc& v) {
  const auto number = read_up_to(c, std::numeric_limits<std::uint16_t>::max());
  // A newer peer may know more reasons; what it means to do about them is in the other fields.
  v = number >= 1 && number <= static_cast<std::uint16_t>(errc::malformed) ? static_cast<errc>(number) : errc::internal;
}
inline void read(msgpack_cursor& c, duration& v) {
  v = duration(static_cast<std::int64_t>(read_up_to(c, duration_micros_max)));
}
inline void read(msgpack_cursor& c, instant& v) {
  v = instant(duration(static_cast<std::int64_t>(read_up_to(c, instant_micros_max))));
}
inline void read(msgpack_cursor& c, std::string& v) { v = c.text(); }
inline void read(msgpack_cursor& c, generation& v) {
  v = generation(static_cast<std::int64_t>(read_up_to(c, std::numeric_limits<std::int64_t>::max())));
}
inline void read(msgpack_cursor& c, revision& v) { v = revision(c.unsigned_integer()); }
inline void read(msgpack_cursor& c, shared_bytes& v) {
  const auto bytes = c.bytes_or_nil();
  v = bytes && !c.failed() ? share(std::string(*bytes)) : nullptr;
}
inline void read(msgpack_cursor& c, std::map<std::string, std::string>& v) {
  auto count = c.map_header();
  if (count > map_entries_max) return c.fail("has more than " + std::to_string(map_entries_max) + " entries");
  for (; count > 0 && !c.failed(); --count) {
    std::string key(c.text());
    std::string value(c.text());
    const bool fresh = v.emplace(key, std::move(value)).second;
    if (!fresh) c.fail("has the key " + key + " twice");
  }
}

}  // namespace wh::internal
