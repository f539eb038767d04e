#pragma once
#include <functional>
#include <vector>

#include "base/random.hpp"
#include "messages/link.hpp"

/// Frames of every type with random contents, edge values included.
namespace wh::testing {

inline std::string random_text(rng& r) {
  static const std::vector<std::string> pieces = {"a", "B", "0", " ", "\n", "\"", "ü", "€", "🚢", std::string(1, '\0')};
  const std::size_t lengths[] = {0, 1, 5, 31, 32, 255, 256, 3000};
  std::string out;
  for (std::size_t left = lengths[r.below(std::size(lengths))]; left > 0; --left) out += pieces[r.below(pieces.size())];
  return out;
}

inline std::uint64_t random_number(rng& r) { return r.next() >> r.below(64); }
inline bool random_bool(rng& r) { return r.chance(0.5); }
inline duration random_duration(rng& r) { return duration(static_cast<std::int64_t>(random_number(r) >> 17)); }
inline instant random_instant(rng& r) { return instant(duration(static_cast<std::int64_t>(random_number(r) >> 8))); }
inline generation random_generation(rng& r) { return generation(static_cast<std::int64_t>(random_number(r) >> 1)); }
inline std::uint32_t random_small(rng& r) { return static_cast<std::uint32_t>(random_number(r)); }

inline shared_bytes random_bytes(rng& r) {
  if (r.chance(0.2)) return nullptr;
  std::string out;
  for (auto left = r.below(r.chance(0.1) ? 100'000 : 400); left > 0; --left) out += static_cast<char>(r.next());
  return share(std::move(out));
}

inline std::map<std::string, std::string> random_map(rng& r) {
  std::map<std::string, std::string> out;
  for (auto left = r.below(r.chance(0.1) ? 900 : 20); left > 0; --left)
    out[random_suffix(r, 1 + r.below(40))] = random_text(r);
  return out;
}

inline held_work random_held(rng& r) {
  return {random_text(r), random_text(r), random_generation(r), random_bool(r), random_text(r)};
}

inline std::vector<held_work> random_works(rng& r) {
  std::vector<held_work> out;
  for (auto left = r.below(30); left > 0; --left) out.push_back(random_held(r));
  return out;
}

inline errc random_errc(rng& r) { return static_cast<errc>(1 + r.below(static_cast<std::uint64_t>(errc::malformed))); }

/// One of each type.
inline std::vector<frame_to_hub> random_frames_to_hub(rng& r) {
  return {credit{random_number(r)},
          ping{random_number(r)},
          pong{random_number(r)},
          hello{random_small(r), random_text(r), random_text(r), random_text(r), random_text(r), random_small(r),
                random_text(r)},
          join_request{random_text(r), random_text(r), random_map(r), random_map(r)},
          sync_request{random_works(r)},
          heartbeat{random_instant(r)},
          cluster_report{random_number(r), random_bool(r), random_text(r), random_text(r), random_text(r),
                         random_map(r), random_map(r), random_map(r), random_small(r), random_map(r)},
          work_report{random_text(r), random_text(r), random_number(r), random_generation(r), random_bytes(r)},
          work_finished{random_text(r), random_text(r)},
          renew_request{random_text(r)},
          leaving{random_bool(r)}};
}

inline std::vector<frame_to_spoke> random_frames_to_spoke(rng& r) {
  return {credit{random_number(r)},
          ping{random_number(r)},
          pong{random_number(r)},
          welcome{random_small(r), random_text(r), random_instant(r), random_bool(r), random_duration(r),
                  random_small(r), random_bool(r)},
          refused{random_errc(r), random_text(r), random_duration(r), random_bool(r)},
          join_pending{random_text(r)},
          join_certificate{random_text(r), random_text(r)},
          work_desired{random_text(r), random_text(r), random_generation(r), random_bool(r), random_bytes(r)},
          work_unknown{random_text(r), random_text(r)},
          sync_done{revision(random_number(r))},
          report_ack{random_text(r), random_text(r), random_number(r)},
          renewal_refused{random_text(r)},
          managed_namespaces{random_text(r), random_map(r)}};
}

}  // namespace wh::testing
