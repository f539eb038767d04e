// A fleet that comes back at once must not silence those who are connected.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

#include "fixtures.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;

namespace {

struct echo : connection_handler {
  std::shared_ptr<connection> link;
  void on_bytes(std::string_view bytes) override { link->write(std::string(bytes)); }
  void on_closed(const error&) override { link.reset(); }
};

accept_handler echoing() {
  return [](std::shared_ptr<connection> link) {
    auto made = std::make_shared<echo>();
    made->link = std::move(link);
    return made;
  };
}

}  // namespace

TEST_CASE("an established link is answered while hundreds shake hands", "[link][storm]") {
  constexpr int fleet = 200;
  const authority ca;
  event_loop at_hub(1), at_fleet(1), at_member(1);
  const auto server = listen_link(at_hub, {"127.0.0.1", 0}, ca.server_config(),
                                  {.busy_handshake_timeout = patience, .handshakes_max = 32}, echoing());
  REQUIRE(server.ok());
  auto config = ca.client_config();
  config.identity = ca.client("member");
  const auto member = dial(at_member, (*server)->local(), config);
  REQUIRE_FALSE(member.failure);

  std::atomic<int> arrived = 0, lost = 0;
  std::mutex mutex;
  std::vector<std::shared_ptr<connection>> links;
  for (int i = 0; i < fleet; ++i) {
    config.identity = {};
    config.verify_host = i % 2 == 0 ? "localhost" : "127.0.0.1";
    dial_link(
        at_fleet, (*server)->local(), config, patience,
        [&](std::shared_ptr<connection> link) {
          const std::lock_guard lock(mutex);
          links.push_back(std::move(link));
          ++arrived;
          return std::make_shared<recorder>();
        },
        [&](const error&) { ++lost; });
  }
  std::size_t words = 0;
  auto longest = std::chrono::steady_clock::duration::zero();
  while (arrived + lost < fleet) {
    const auto asked = std::chrono::steady_clock::now();
    member.end.link->write("?");
    member.end.seen->wait_bytes(++words);
    longest = std::max(longest, std::chrono::steady_clock::now() - asked);
  }
  CHECK(lost == 0);
  CHECK(arrived == fleet);
  WARN(words << " words were answered meanwhile, the slowest within "
             << std::chrono::duration_cast<std::chrono::milliseconds>(longest).count() << " ms");
  CHECK(words >= 20);
  CHECK(longest < 2s);  // a bound for busy machines with sanitizers; a few milliseconds are usual
}

TEST_CASE("peers that say nothing do not keep others out for long", "[link][storm]") {
  const authority ca;
  event_loop loop(1);
  const listener server(loop, ca.server_config(), {.busy_handshake_timeout = 200ms, .handshakes_max = 4});
  std::vector<std::unique_ptr<raw_socket>> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(std::make_unique<raw_socket>(server.at()));
  CHECK_FALSE(dial(loop, server.at(), ca.client_config()).failure);
}
