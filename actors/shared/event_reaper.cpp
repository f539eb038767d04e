#include "actors/shared/event_reaper.hpp"

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"

namespace wh {
namespace {

/// One batch's worth; the rest goes in the next moment, so that the store's other writers take their turns.
constexpr std::size_t removals_max = 500;

/// When something was last said in the Event; the store's oldest instant when nobody says, so that it goes.
instant last_told(const document& event) {
  instant last{};
  for (const auto text : {string_at(event, {"metadata", "creationTimestamp"}), string_at(event, {"lastTimestamp"}),
                          string_at(event, {"eventTime"}), string_at(event, {"series", "lastObservedTime"})})
    if (const auto at = parse_rfc3339(text)) last = std::max(last, *at);
  return last;
}

}  // namespace

void restore(event_reaper& self, const context&, outbox& out) { out.wake("reap", self.life / 6); }

void on(event_reaper& self, const timer_fired&, const context& ctx, outbox& out) {
  std::size_t removed = 0;
  for (const auto& r : ctx.data.list({names::events, "", ""})) {
    const auto event = decode_stored(r.key, r.body);
    const auto* finalizers = find_path(event, {"metadata", "finalizers"});
    const bool held = finalizers && !finalizers->empty();
    // A clock that was put back does not make an Event immortal.
    const auto told = std::min(last_told(event), ctx.now);
    if (held || told + self.life > ctx.now) continue;
    if (++removed > removals_max) return out.wake("reap", std::chrono::seconds(1));
    out.writes.preconditions.push_back(at_revision{r.key, r.rev});
    out.remove(r.key);
  }
  out.wake("reap", self.life / 6);
}

}  // namespace wh
