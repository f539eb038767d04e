// A work's status as any spoke may report it: what passes the filter is sound, so the filter has nothing more to take from it.
#include <cstdint>

#include "actors/hub/reported_status.hpp"
#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto once = wh::read_reported_status({reinterpret_cast<const char*>(data), size}, wh::instant{});
  if (!once) return 0;
  const auto twice = wh::read_reported_status(once->dump(), wh::instant(std::chrono::hours(1)));
  WH_ASSERT(twice.ok() && *twice == *once);
  return 0;
}
