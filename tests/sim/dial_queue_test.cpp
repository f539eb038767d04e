#include <catch2/catch.hpp>

#include "sim/live/dial_queue.hpp"

using namespace wh;

namespace {

/// Dials that the test ends by hand.
struct by_hand {
  struct pending {
    std::string to;
    accept_handler on_connected;
    std::function<void(const error&)> on_failed;
  };
  std::vector<pending> begun;

  link_dialer dialer() {
    return [this](const host_port& to, const tls_config&, duration, accept_handler on_connected,
                  std::function<void(const error&)> on_failed) {
      begun.push_back({to.host, std::move(on_connected), std::move(on_failed)});
    };
  }
};

}  // namespace

TEST_CASE("only so many dials are under way, and those that wait keep their order", "[sim][dial_queue]") {
  by_hand below;
  const auto queue = std::make_shared<dial_queue>(2);
  const auto dial = queue->over(below.dialer());
  std::string ends;
  for (const std::string name : {"a", "b", "c", "d", "e"})
    dial(
        {name, 1}, {}, {}, [&ends, name](auto) { return ends += name, nullptr; },
        [&ends, name](const error& why) { ends += name + why.message; });

  REQUIRE(below.begun.size() == 2);
  below.begun[1].on_connected(nullptr);
  REQUIRE(below.begun.size() == 3);
  below.begun[0].on_failed(fail(errc::unavailable, "!"));
  REQUIRE(below.begun.size() == 4);
  CHECK(below.begun[2].to + below.begun[3].to == "cd");
  CHECK(ends == "ba!");

  queue->close();
  below.begun[2].on_connected(nullptr);
  below.begun[3].on_connected(nullptr);
  CHECK(below.begun.size() == 4);
  dial(
      {"f", 1}, {}, {}, [](auto) { return nullptr; }, [](const error&) {});
  CHECK(below.begun.size() == 4);
  CHECK(ends == "ba!cd");
}
