#include "nodes/hub/link_conduct.hpp"

#include <catch2/catch.hpp>

using namespace wh;

namespace {

welcome greeting(bool accepted, bool cleanup = false) {
  return {.hub_incarnation = "h", .hub_now = {}, .accepted = accepted, .lease = {}, .cleanup = cleanup};
}
work_desired order(const std::string& uid, std::uint64_t gen, bool deleting = false) {
  return {.name = "w", .uid = uid, .gen = generation(gen), .deleting = deleting, .body = {}};
}
work_report report(const std::string& uid, std::uint64_t gen) {
  return {.name = "w", .uid = uid, .seq = 1, .observed = generation(gen), .status = {}};
}

}  // namespace

TEST_CASE("an honest member gives no cause for a line", "[link_conduct]") {
  link_conduct conduct;
  conduct.on_sent(greeting(true));
  CHECK_FALSE(conduct.on_received(sync_request{.works = {{.name = "held", .uid = "held", .gen = generation(4)}}}));
  conduct.on_sent(order("u", 2));
  CHECK_FALSE(conduct.on_received(report("u", 2)));
  CHECK_FALSE(conduct.on_received(report("u", 1)));
  CHECK_FALSE(conduct.on_received(report("held", 4)));
  conduct.on_sent(order("u", 2, true));
  CHECK_FALSE(conduct.on_received(work_finished{"w", "u"}));
  CHECK_FALSE(conduct.on_received(cluster_report{}));
  CHECK_FALSE(conduct.on_received(heartbeat{}));
}

TEST_CASE("works that the hub did not give, and generations that it did not, are told of", "[link_conduct]") {
  link_conduct conduct;
  conduct.on_sent(greeting(true));
  conduct.on_sent(order("u", 2));
  CHECK(conduct.on_received(report("other", 1))->code == errc::not_found);
  CHECK(conduct.on_received(work_finished{"w", "other"})->code == errc::not_found);
  CHECK(conduct.on_received(report("u", 3))->code == errc::conflict);
  CHECK(conduct.on_received(work_finished{"w", "u"})->code == errc::conflict);
  conduct.on_sent(work_unknown{"w", "u"});
  CHECK(conduct.on_received(work_finished{"w", "u"})->code == errc::not_found);
}

TEST_CASE("a cluster that is not accepted has nothing to say, but for its clean-up", "[link_conduct]") {
  link_conduct conduct;
  conduct.on_sent(order("u", 1));
  conduct.on_sent(greeting(false));
  for (const frame_to_hub& frame :
       {frame_to_hub{sync_request{}}, frame_to_hub{cluster_report{}}, frame_to_hub{report("u", 1)}})
    CHECK(conduct.on_received(frame)->code == errc::forbidden);
  CHECK_FALSE(conduct.on_received(heartbeat{}));
  conduct.on_sent(greeting(false, true));
  CHECK_FALSE(conduct.on_received(sync_request{}));
  CHECK_FALSE(conduct.on_received(report("u", 1)));
  CHECK(conduct.on_received(cluster_report{})->code == errc::forbidden);
}

TEST_CASE("a link is told of sixteen times", "[link_conduct]") {
  link_conduct conduct;
  int told = 0;
  for (int i = 0; i < 1000; ++i) told += conduct.on_received(work_finished{"w", "x"}) ? 1 : 0;
  CHECK(told == 16);
}
