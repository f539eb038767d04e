#include "messages/codec.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "base/encoding.hpp"
#include "tests/messages/random_frames.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

std::uint64_t fresh_seed() { return std::random_device{}(); }

/// One round over every frame type of one direction.
template <class Frames, class Decode>
void check_round_trip(const Frames& frames, Decode decode) {
  for (const auto& frame : frames) {
    INFO(frame_name(frame));
    const auto back = decode(encode(frame));
    REQUIRE(back.ok());
    REQUIRE(*back == frame);
  }
}

/// Damages the bytes in one of the ways that a broken or hostile peer would.
std::string mutated(std::string bytes, rng& r) {
  for (auto times = 1 + r.below(4); times > 0 && !bytes.empty(); --times) {
    const auto at = r.below(bytes.size());
    switch (r.below(4)) {
      case 0: bytes[at] = static_cast<char>(r.next()); break;
      case 1: bytes.erase(at, 1 + r.below(8)); break;
      case 2: bytes.insert(at, 1 + r.below(8), static_cast<char>(r.next())); break;
      default: bytes[at] = static_cast<char>(bytes[at] ^ (1 << r.below(8)));
    }
  }
  return bytes;
}

std::string bytes_of(std::string_view hex) {
  auto out = from_hex(hex);
  REQUIRE(out.ok());
  return *out;
}

errc code_of(const result<frame_to_hub>& r) {
  REQUIRE_FALSE(r.ok());
  return r.err().code;
}

}  // namespace

TEST_CASE("every frame comes back as it was sent", "[messages][codec]") {
  const auto seed = fresh_seed();
  INFO("seed " << seed);
  rng r(seed);
  for (int round = 0; round < 100; ++round) {
    check_round_trip(random_frames_to_hub(r), decode_to_hub);
    check_round_trip(random_frames_to_spoke(r), decode_to_spoke);
  }
}

TEST_CASE("truncated frames are malformed wherever they are cut", "[messages][codec]") {
  rng r(1);
  for (const auto& frame : random_frames_to_hub(r)) {
    const auto bytes = encode(frame);
    INFO(frame_name(frame));
    const auto step = std::max<std::size_t>(1, bytes.size() / 2000);
    for (std::size_t n = 0; n < bytes.size(); n += step) {
      const auto cut = decode_to_hub(std::string_view(bytes).substr(0, n));
      REQUIRE(code_of(cut) == errc::malformed);
    }
  }
}

TEST_CASE("mutated frames give a frame or an error, never a crash", "[messages][codec]") {
  const auto seed = fresh_seed();
  INFO("seed " << seed);
  rng r(seed);
  for (int round = 0; round < 300; ++round) {
    for (const auto& frame : random_frames_to_hub(r)) {
      const auto back = decode_to_hub(mutated(encode(frame), r));
      if (back) REQUIRE(decode_to_hub(encode(*back)).value() == *back);
      if (!back) REQUIRE_FALSE(back.err().message.empty());
    }
    for (const auto& frame : random_frames_to_spoke(r)) {
      const auto back = decode_to_spoke(mutated(encode(frame), r));
      if (back) REQUIRE(decode_to_spoke(encode(*back)).value() == *back);
    }
  }
}

TEST_CASE("the bytes of a frame do not drift", "[messages][codec]") {
  const auto hex = [](const auto& frame) { return to_hex(encode(frame)); };
  CHECK(hex(frame_to_hub(credit{65536})) == "9201ce00010000");
  CHECK(hex(frame_to_hub(ping{7})) == "920207");
  CHECK(hex(frame_to_spoke(pong{7})) == "920307");
  CHECK(hex(frame_to_hub(hello{1, "s", "c1", "a1", ""})) == "980a01a173a26331a26131a001a0");
  CHECK(hex(frame_to_hub(join_request{"id.s", "csr", {{"k", "v"}}})) == "950ba469642e73a363737281a16ba17680");
  CHECK(hex(frame_to_hub(sync_request{{{"w", "u", generation(3), true}}})) == "920c9195a177a17503c3a0");
  CHECK(hex(frame_to_hub(heartbeat{instant(duration(1'000'000))})) == "920dce000f4240");
  CHECK(hex(frame_to_hub(cluster_report{1, true, "", "", "v1.30", {{"cpu", "4"}}, {}})) ==
        "9b0e01c3a0a0a576312e333081a3637075a13480800080");
  CHECK(hex(frame_to_hub(work_report{"w", "u", 9, generation(2), share("{}")})) == "960fa177a1750902c4027b7d");
  CHECK(hex(frame_to_hub(work_finished{"w", "u"})) == "9310a177a175");
  CHECK(hex(frame_to_hub(renew_request{"csr"})) == "9211a3637372");
  CHECK(hex(frame_to_hub(leaving{true})) == "9212c3");
  CHECK(hex(frame_to_spoke(welcome{1, "i", instant(duration(5)), true, std::chrono::seconds(60)})) ==
        "982801a16905c3ce0393870001c2");
  CHECK(hex(frame_to_spoke(refused{errc::forbidden, "no", duration(0), true})) == "952905a26e6f00c3");
  CHECK(hex(frame_to_spoke(join_pending{"wait"})) == "922aa477616974");
  CHECK(hex(frame_to_spoke(join_certificate{"c", "a"})) == "932ba163a161");
  CHECK(hex(frame_to_spoke(work_desired{"w", "u", generation(1), false, nullptr})) == "962ca177a17501c2c0");
  CHECK(hex(frame_to_spoke(work_unknown{"w", "u"})) == "932da177a175");
  CHECK(hex(frame_to_spoke(sync_done{revision(300)})) == "922ecd012c");
  CHECK(hex(frame_to_spoke(report_ack{"w", "u", 4})) == "942fa177a17504");
  CHECK(hex(frame_to_spoke(renewal_refused{"no"})) == "9230a26e6f");
  CHECK(hex(frame_to_spoke(managed_namespaces{"h", {{"n", "s"}}})) == "9331a16881a16ea173");
}

TEST_CASE("fields that a newer peer adds are passed over", "[messages][codec]") {
  // Behind its own two fields work_finished brings text, a float, a map, nested arrays, bytes and an extension.
  const auto got =
      decode_to_hub(bytes_of("9910a177a175a6667574757265cb3ff000000000000081a161c09192c201c4020102d40105"));
  REQUIRE(got.ok());
  CHECK(*got == frame_to_hub(work_finished{"w", "u"}));
}

TEST_CASE("fields that an older peer does not send take their defaults", "[messages][codec]") {
  const auto got = decode_to_spoke(bytes_of("9228cd0001"));
  REQUIRE(got.ok());
  // Above all the level: a peer that names none has none of what came later.
  CHECK(*got == frame_to_spoke(welcome{.hub_incarnation = {}, .hub_now = {}, .lease = {}, .level = 0}));
  const auto held = decode_to_hub(bytes_of("920c9192a177a175"));
  REQUIRE(held.ok());
  CHECK(*held == frame_to_hub(sync_request{{{"w", "u", generation(0), false}}}));
}

TEST_CASE("an error names the tag or the field", "[messages][codec]") {
  const auto message = [](std::string_view hex) {
    const auto got = decode_to_hub(bytes_of(hex));
    REQUIRE_FALSE(got.ok());
    return got.err();
  };
  CHECK(message("9163") == fail(errc::unsupported, "frame tag 99 is unknown"));
  CHECK(message("922aa477616974") == fail(errc::unsupported, "frame tag 42 (join_pending) is not for the hub"));
  CHECK(message("9310a17701") == fail(errc::invalid, "work_finished.uid must be text, got an integer"));
  CHECK(message("9310a177a1ff") == fail(errc::invalid, "work_finished.uid is not valid UTF-8"));
  CHECK(message("9201ff") == fail(errc::invalid, "credit.bytes is negative"));
  CHECK(message("920acf0000000100000000") == fail(errc::invalid, "hello.protocol is 4294967296, beyond 4294967295"));
  CHECK(message("940ba0a082a161a0a161a0") == fail(errc::invalid, "join_request.annotations has the key a twice"));
  CHECK(message("920c05") == fail(errc::invalid, "sync_request.works must be an array, got an integer"));
  CHECK(message("920207ff") == fail(errc::malformed, "ping: bytes follow the frame"));
  CHECK(message("9202c1").code == errc::malformed);
  CHECK(message("90").code == errc::malformed);
  CHECK(message("900a").code == errc::malformed);
  CHECK(message("01").code == errc::malformed);
  CHECK(message("").code == errc::malformed);
}

TEST_CASE("a frame that announces more than it brings takes no memory for it", "[messages][codec]") {
  CHECK(code_of(decode_to_hub(bytes_of("920cddffffffff"))) == errc::malformed);          // array of 2^32 works
  CHECK(code_of(decode_to_hub(bytes_of("940ba0a0dfffffffff"))) == errc::malformed);      // map of 2^32 pairs
  CHECK(code_of(decode_to_hub(bytes_of("960fa0a00000c6ffffffff"))) == errc::malformed);  // 4 GiB of status
  CHECK(code_of(decode_to_hub(bytes_of("ddffffffff10"))) == errc::malformed);
  CHECK(code_of(decode_to_hub(bytes_of("920c"
                                       "dd0000c351") +
                              std::string(50'001, '\x90'))) == errc::invalid);
}

TEST_CASE("values nested too deep are refused before the stack is", "[messages][codec]") {
  const auto deep = bytes_of("9410a0a0") + std::string(1'000'000, '\x91');
  CHECK(decode_to_hub(deep).err() == fail(errc::invalid, "work_finished.(unknown) is nested too deep"));
}

TEST_CASE("a frame over the limit is refused unread", "[messages][codec]") {
  const std::string huge(frame_bytes_max + 1, '\xc0');
  CHECK(code_of(decode_to_hub(huge)) == errc::too_large);
}

TEST_CASE("an error code of a newer peer is taken as internal", "[messages][codec]") {
  const auto got = decode_to_spoke(bytes_of("9529cd03e7a26e6f00c3"));
  REQUIRE(got.ok());
  CHECK(std::get<refused>(*got) == refused{errc::internal, "no", duration(0), true});
}

TEST_CASE("times outside what Kubernetes can write are refused", "[messages][codec]") {
  CHECK(code_of(decode_to_hub(bytes_of("920dcfffffffffffffffff"))) == errc::invalid);
  CHECK(code_of(decode_to_hub(bytes_of("920dd3ffffffffffffffff"))) == errc::invalid);
}
