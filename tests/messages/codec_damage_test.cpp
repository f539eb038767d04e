// Every frame type with every byte changed to every value, and cut at every place.
#include <catch2/catch.hpp>
#include <set>

#include "messages/codec.hpp"
#include "tests/messages/random_frames.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

/// One small frame of each type, so that all damages of a byte can be tried.
std::vector<frame_to_hub> samples_to_hub() {
  return {credit{65536},
          ping{7},
          pong{1},
          hello{1, "s/1", "c1", "a1", "i", 1, "n"},
          join_request{"id.s", "csr", {{"k", "v"}}, {{"u", "p"}}},
          sync_request{{{"w", "u", generation(3), true, "h"}, {"v", "t", generation(1), false, ""}}},
          heartbeat{instant(duration(1'000'000))},
          cluster_report{1, true, "r", "m", "v1.30", {{"cpu", "4"}}, {{"memory", "1Gi"}}, {{"c", "v"}}, 2, {{"n", ""}}},
          work_report{"w", "u", 9, generation(2), share("{}")},
          work_finished{"w", "u"},
          renew_request{"csr"},
          leaving{true}};
}

std::vector<frame_to_spoke> samples_to_spoke() {
  return {credit{65536},
          ping{7},
          pong{1},
          welcome{1, "i", instant(duration(5)), true, std::chrono::seconds(60), 1, true},
          refused{errc::forbidden, "no", std::chrono::seconds(1), true},
          join_pending{"wait"},
          join_certificate{"c", "a"},
          work_desired{"w", "u", generation(1), false, share("{}")},
          work_unknown{"w", "u"},
          sync_done{revision(300)},
          report_ack{"w", "u", 4},
          renewal_refused{"no"},
          managed_namespaces{"h", {{"n", "s"}}}};
}

template <class Frame>
std::size_t types_of(const std::vector<Frame>& frames) {
  std::set<std::size_t> types;
  for (const auto& frame : frames) types.insert(frame.index());
  return types.size();
}

/// What decodes is a frame like any other: it comes back as it is, in the same bytes.
template <class Decode>
void check_bytes(std::string_view bytes, Decode decode) {
  const auto got = decode(bytes);
  if (!got) {
    if (got.err().message.empty() || got.err().code == errc::internal) FAIL_CHECK("an error that says nothing");
    return;
  }
  const auto once = encode(*got);
  const auto again = decode(once);
  if (!again || !(*again == *got) || encode(*again) != once)
    FAIL_CHECK(frame_name(*got) << " does not come back as it was read");
}

template <class Frames, class Decode, class Other>
void check_damages(const Frames& frames, Decode decode, Other decode_other_way) {
  for (const auto& frame : frames) {
    INFO(frame_name(frame));
    const auto bytes = encode(frame);
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      INFO("byte " << at);
      CHECK_FALSE(decode(std::string_view(bytes).substr(0, at)).ok());
      for (int value = 0; value < 256; ++value) {
        auto damaged = bytes;
        damaged[at] = static_cast<char>(value);
        check_bytes(damaged, decode);
        check_bytes(damaged, decode_other_way);
      }
    }
  }
}

}  // namespace

TEST_CASE("samples and random frames are of every type", "[messages][codec]") {
  rng r(1);
  CHECK(types_of(samples_to_hub()) == std::variant_size_v<frame_to_hub>);
  CHECK(types_of(samples_to_spoke()) == std::variant_size_v<frame_to_spoke>);
  CHECK(types_of(random_frames_to_hub(r)) == std::variant_size_v<frame_to_hub>);
  CHECK(types_of(random_frames_to_spoke(r)) == std::variant_size_v<frame_to_spoke>);
}

TEST_CASE("a frame with any byte changed or cut off is an error or a sound frame", "[messages][codec]") {
  check_damages(samples_to_hub(), decode_to_hub, decode_to_spoke);
  check_damages(samples_to_spoke(), decode_to_spoke, decode_to_hub);
}
