#include <catch2/catch.hpp>

#include "sim/live/slow_link.hpp"
#include "tests/transport/fixtures.hpp"
#include "transport/link_live.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;

/// Sends back what it gets.
struct echo : recorder {
  std::shared_ptr<connection> link;
  void on_bytes(std::string_view bytes) override {
    recorder::on_bytes(bytes);
    link->write(std::string(bytes));
  }
};

/// A near end over a slow link, and what answers at the far one.
struct slow_pair {
  authority ca;
  event_loop loop{2};
  std::shared_ptr<echo> far = std::make_shared<echo>();
  std::shared_ptr<recorder> near = std::make_shared<recorder>();
  std::shared_ptr<connection> link;
  std::unique_ptr<link_listener> server;
  awaited<bool> accepted;

  explicit slow_pair(duration one_way) {
    auto listening = listen_link(loop, {"127.0.0.1", 0}, ca.server_config(false), {}, [this](auto made) {
      far->link = std::move(made);
      accepted.set(true);
      return far;
    });
    REQUIRE(listening.ok());
    server = std::move(*listening);
    awaited<std::shared_ptr<connection>> made;
    dial_link(loop, server->local(), ca.client_config(), patience,
              over_slow_link(
                  [&](std::shared_ptr<connection> c) {
                    made.set(std::move(c));
                    return near;
                  },
                  live_link_timers(loop), one_way),
              [](const error&) {});
    link = made.get().value_or(nullptr);
    REQUIRE(link);
    // The near end is done with its handshake first.
    REQUIRE(accepted.get());
  }
  ~slow_pair() { loop.stop(); }
  slow_pair(const slow_pair&) = delete;
  slow_pair& operator=(const slow_pair&) = delete;
};

std::string many_pieces(const std::shared_ptr<connection>& link) {
  std::string all;
  for (int i = 0; i < 500; ++i) {
    const auto piece = std::to_string(i) + ";" + std::string(static_cast<std::size_t>(i % 7) * 100, 'x');
    link->write(piece);
    all += piece;
  }
  return all;
}

}  // namespace

TEST_CASE("an echo over a slow link takes the way there and back, and keeps its order", "[sim][slow_link]") {
  const duration one_way = GENERATE(duration(0), duration(1ms), duration(60ms));
  slow_pair p(one_way);
  const auto began = clock_type::now();
  const auto sent = many_pieces(p.link);
  CHECK(p.near->wait_bytes(sent.size()) == sent);
  CHECK(clock_type::now() - began >= 2 * one_way);
  CHECK(p.link->unsent() == 0);
}

TEST_CASE("a link without latency is the connection itself", "[sim][slow_link]") {
  std::shared_ptr<connection> got;
  const auto handler = std::make_shared<recorder>();
  const auto connected = over_slow_link(
      [&](std::shared_ptr<connection> c) {
        got = std::move(c);
        return handler;
      },
      {}, duration::zero());
  CHECK(connected(nullptr) == handler);
  CHECK(got == nullptr);
}

TEST_CASE("closing a slow link sends what was written before, and hears no more", "[sim][slow_link]") {
  slow_pair p(50ms);
  const auto began = clock_type::now();
  const auto sent = many_pieces(p.link);
  p.link->close();
  p.link->write("too late");
  REQUIRE(p.far->closed.get());
  CHECK(p.far->wait_bytes(sent.size()) == sent);
  CHECK(clock_type::now() - began >= 50ms);
  REQUIRE(p.near->closed.get());
  CHECK(p.near->wait_bytes(0).empty());
}

TEST_CASE("aborting a slow link loses what is on its way in both directions", "[sim][slow_link]") {
  slow_pair p(200ms);
  p.far->link->write("never arrives");
  p.link->write("nor does this");
  p.link->abort("enough");
  REQUIRE(p.near->closed.get());
  CHECK(p.near->closed.get()->message.find("enough") != std::string::npos);
  REQUIRE(p.far->closed.get());
  CHECK(p.far->wait_bytes(0).empty());
  CHECK(p.near->wait_bytes(0).empty());
  CHECK(p.near->closed.times() == 1);
}

TEST_CASE("the peer's end arrives behind its last bytes", "[sim][slow_link]") {
  slow_pair p(50ms);
  const auto sent = many_pieces(p.far->link);
  p.far->link->close();
  REQUIRE(p.near->closed.get());
  CHECK(p.near->wait_bytes(0) == sent);
}

TEST_CASE("a slow link that is aborted while the peer's end is on its way ends once", "[sim][slow_link]") {
  slow_pair p(100ms);
  p.far->link->close();
  REQUIRE(p.far->closed.get());
  p.link->abort("enough");
  REQUIRE(p.near->closed.get());
  CHECK(p.near->closed.times() == 1);
}

TEST_CASE("a loop may stop while bytes are delayed", "[sim][slow_link]") {
  std::weak_ptr<recorder> near;
  {
    slow_pair p(10s);
    p.link->write("never leaves");
    p.far->link->write("never arrives");
    near = p.near;
    p.loop.stop();
    p.near.reset();
    CHECK(near.expired());
    p.link->write("nobody");
    p.link->close();
  }
}

TEST_CASE("a handler may give a slow link up before it has begun", "[sim][slow_link]") {
  authority ca;
  event_loop loop(1);
  listener server(loop, ca.server_config(false));
  const auto seen = std::make_shared<recorder>();
  dial_link(loop, server.at(), ca.client_config(), patience,
            over_slow_link(
                [&](std::shared_ptr<connection> c) {
                  c->abort("the network is down");
                  return seen;
                },
                live_link_timers(loop), 20ms),
            [](const error&) {});
  REQUIRE(seen->closed.get());
  CHECK(seen->closed.times() == 1);
  loop.stop();
}
