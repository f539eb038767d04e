#include "base/encoding.hpp"
#include "tests/transport/link_playground.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

/// A spoke that reconnects at once and counts its frames anew on each link; returns a digest of all that was received.
std::uint64_t run_storm(std::uint64_t seed) {
  network_faults faults;
  faults.split = 0.3;
  faults.clog = 0.02;
  faults.clog_max = 3s;
  faults.cut = 0.01;
  faults.refuse = 0.1;
  playground p(seed, faults);
  auto spoke = p.spoke("c1");
  rng script(seed);
  std::size_t links = 0, ended = 0, failed = 0;
  std::uint64_t up = 0, down = 0;
  spoke->dial("c1:a");
  for (int i = 0; i < 3000; ++i) {
    p.clock.advance(duration(static_cast<std::int64_t>(script.below(50'000))));
    if (spoke->actors.all<session_closed>().size() > ended || spoke->actors.all<dial_failed>().size() > failed) {
      ended = spoke->actors.all<session_closed>().size();
      failed = spoke->actors.all<dial_failed>().size();
      spoke->dial("c1:a");
    }
    const auto connected = spoke->actors.all<hub_connected>();
    if (connected.size() > links) {
      links = connected.size();
      up = 0;
    }
    if (links > 0) spoke->send(work_report{"w", "u", up++, {}, share(std::string(script.below(3000), 'x'))});
    const auto at_hub = p.actors.all<spoke_connected>();
    if (!at_hub.empty()) p.answer(at_hub.back().session, report_ack{"w", "u", down++}, "c1");
  }
  p.clock.advance(20s);
  CHECK(links > 3);

  // On each link the frames received are the first ones sent, without gap.
  std::map<session_id, std::uint64_t> next;
  std::string all;
  for (const auto& m : p.actors.all<spoke_frame>()) {
    REQUIRE(std::get<work_report>(m.frame).seq == next[m.session]++);
    all += std::to_string(m.session.get()) + " " + std::to_string(next[m.session]) + "\n";
  }
  std::uint64_t last = 0;
  for (const auto& m : spoke->actors.all<hub_frame>()) {
    const auto* ack = std::get_if<report_ack>(&m.frame);
    if (!ack) continue;
    REQUIRE(ack->seq >= last);
    last = ack->seq;
    all += std::to_string(ack->seq) + "\n";
  }
  return fnv1a(all);
}

}  // namespace

TEST_CASE("in any storm a link's frames arrive in order or not at all, and a seed says which", "[transport][hosts]") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    const auto digest = run_storm(seed);
    if (seed <= 2) CHECK(run_storm(seed) == digest);
  }
}
