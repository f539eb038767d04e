#include <catch2/catch.hpp>

#include <atomic>

#include "fixtures.hpp"
#include "transport/net_channel.hpp"
#include "transport/pipe.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// A hub's loop and a fleet's, as in the simulator.
struct two_loops {
  authority ca;
  memory_network net;
  event_loop hub{2};
  event_loop fleet{2};

  tls_config client() const {
    auto config = ca.client_config();
    config.identity = ca.client();
    return config;
  }
  dialed dial(const host_port& to, const tls_config& tls, duration timeout = patience) {
    return wh::test::dial(net.dialer(fleet), to, tls, timeout);
  }
};

/// Sends back what comes, and counts who is there.
struct echo final : connection_handler {
  echo(std::shared_ptr<connection> over, std::atomic<int>& closed) : link(std::move(over)), gone(closed) {}
  void on_bytes(std::string_view bytes) override { link->write(std::string(bytes)); }
  void on_closed(const error&) override {
    link.reset();
    ++gone;
  }
  std::shared_ptr<connection> link;
  std::atomic<int>& gone;
};

}  // namespace

TEST_CASE("nobody listening in memory means connection refused", "[memory]") {
  two_loops t;
  CHECK_THAT(t.dial({"127.0.0.1", 6444}, t.client()).failure->message,
             Contains("dial 127.0.0.1:6444: connection refused"));
  listener server(t.net, t.hub, t.ca.server_config());
  const auto at = server.at();
  CHECK_FALSE(t.net.listen(t.hub, at, t.ca.server_config(), {}, [](auto) { return nullptr; }).ok());
  CHECK_FALSE(t.dial(at, t.client()).failure);
  server.server->stop();
  CHECK_THAT(t.dial(at, t.client()).failure->message, Contains("connection refused"));
  // Who comes after it may have its address, and keeps it when the one before goes for good.
  const auto next = t.net.listen(t.hub, at, t.ca.server_config(), {}, [&](auto) { return server.seen; });
  REQUIRE(next.ok());
  server.server.reset();
  CHECK_FALSE(t.dial(at, t.client()).failure);
}

TEST_CASE("certificates are checked over memory as over sockets", "[memory]") {
  two_loops t;
  const authority other;
  const listener server(t.net, t.hub, t.ca.server_config());

  tls_config pinned;
  pinned.ca_pin = t.ca.pin();
  CHECK_FALSE(t.dial(server.at(), pinned).failure);
  pinned.ca_pin = other.pin();
  CHECK_THAT(t.dial(server.at(), pinned).failure->message, Contains("wrong hub or wrong --ca-pin"));
  CHECK(t.dial(server.at(), other.client_config()).failure);

  // Under TLS 1.3 a client is connected before the server has seen its certificate: the refusal comes as the end.
  auto stranger = t.ca.client_config();
  stranger.identity = other.client();
  const auto made = t.dial(server.at(), stranger);
  REQUIRE_FALSE(made.failure);
  CHECK_THAT(made.end.seen->closed.get()->message, Contains("alert"));
}

TEST_CASE("a listener in memory takes new certificates and keeps old ones", "[memory]") {
  two_loops t;
  const authority next;
  const listener server(t.net, t.hub, t.ca.server_config());
  server.server->set_tls({});
  CHECK_FALSE(t.dial(server.at(), t.client()).failure);
  server.server->set_tls(next.server_config());
  CHECK(t.dial(server.at(), t.client()).failure);
}

TEST_CASE("a peer in memory that does not read holds its writer back and loses nothing", "[memory]") {
  two_loops t;
  listener server(t.net, t.hub, t.ca.server_config());
  auto made = t.dial(server.at(), t.client());
  REQUIRE_FALSE(made.failure);
  const auto far = std::dynamic_pointer_cast<tls_channel>(server.accepted());
  REQUIRE(far);
  awaited<bool> paused;
  far->post([&] {
    far->pause_reading(true);
    paused.set(true);
  });
  REQUIRE(paused.get());

  const std::string data(8 * 1024 * 1024, 'x');
  made.end.link->write(data);
  far->write(data);
  CHECK(made.end.seen->wait_bytes(data.size()).size() == data.size());
  CHECK(made.end.link->unsent() >= data.size() - 2 * pipe_bytes_max);
  far->post([&] { far->pause_reading(false); });
  CHECK(server.seen->wait_bytes(data.size()).size() == data.size());
}

TEST_CASE("a peer in memory that never shakes hands is dropped in time", "[memory]") {
  two_loops t;
  auto ends = make_pipe("memory:1", "127.0.0.1:1");
  awaited<error> failed;
  channel_options options;
  options.handshake_timeout = 50ms;
  tls_channel::start(
      t.fleet.internals().core, std::move(ends.near), *make_client_context(t.client(), "127.0.0.1"), options,
      [](auto) { return nullptr; }, [&](const error& why) { failed.set(why); });
  CHECK(failed.get()->code == errc::timeout);
}

TEST_CASE("connections in memory beyond the limit are refused until one ends", "[memory]") {
  two_loops t;
  const listener server(t.net, t.hub, t.ca.server_config(), {.connections_max = 1});
  auto first = t.dial(server.at(), t.client());
  REQUIRE_FALSE(first.failure);
  CHECK(t.dial(server.at(), t.client()).failure);
  first.end.link->close();
  REQUIRE(first.end.seen->closed.get());
  REQUIRE(server.seen->closed.get());
  // The slot is free once the hub has seen the end of the other's stream, which nobody is told of.
  bool again = false;
  for (int i = 0; i < 1000 && !again; ++i) again = !t.dial(server.at(), t.client()).failure;
  CHECK(again);
}

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int links = 200;
#else
constexpr int links = 2000;
#endif
constexpr int at_once = 32;  ///< so few handshakes under way that none runs out of time on a slow machine

/// Dials one link after the other, several at a time, and says hello on each.
struct crowd {
  crowd(two_loops& over, tls_config as) : net(over), client(std::move(as)) {}

  two_loops& net;
  const tls_config client;
  std::atomic<int> dialled = 0, answered = 0, gone = 0;
  awaited<bool> all_answered, all_gone;
  awaited<error> failed;

  void dial_next() {
    if (++dialled > links) return;
    net.net.dial(
        net.fleet, {"hub", 6444}, client, patience,
        [this](std::shared_ptr<connection> link) {
          link->write("hello");
          return std::make_shared<asker>(*this);
        },
        [this](const error& why) { failed.set(why); });
  }

  struct asker final : connection_handler {
    explicit asker(crowd& all) : of(all) {}
    void on_bytes(std::string_view) override {
      if (++of.answered == links) of.all_answered.set(true);
      of.dial_next();
    }
    void on_closed(const error&) override {
      if (++of.gone == links) of.all_gone.set(true);
    }
    crowd& of;
  };
};

}  // namespace

TEST_CASE("thousands of links in memory answer, and all end when the listener's loop stops", "[memory]") {
  two_loops t;
  std::atomic<int> hub_gone = 0;
  const auto server =
      t.net.listen(t.hub, {"hub", 6444}, t.ca.server_config(), {},
                   [&](std::shared_ptr<connection> link) { return std::make_shared<echo>(link, hub_gone); });
  REQUIRE(server.ok());
  auto client = t.client();
  client.verify_host = "localhost";
  crowd all(t, client);
  for (int i = 0; i < at_once; ++i) all.dial_next();
  CHECK(all.all_answered.get());
  CHECK(all.failed.times() == 0);
  t.hub.stop();
  CHECK(all.all_gone.get());
  CHECK(hub_gone == 0);
  CHECK_THAT(t.dial({"hub", 6444}, client).failure->message, Contains("connection refused"));
  t.fleet.stop();
}

TEST_CASE("loops may stop in any order under busy links in memory", "[memory]") {
  const bool hub_first = GENERATE(true, false);
  auto t = std::make_unique<two_loops>();
  listener server(t->net, t->hub, t->ca.server_config());
  std::vector<endpoint> kept;
  for (int i = 0; i < 20; ++i) {
    auto made = t->dial(server.at(), t->client());
    REQUIRE_FALSE(made.failure);
    made.end.link->write(std::string(4 * 1024 * 1024, 'x'));
    server.accepted()->write(std::string(1024 * 1024, 'y'));
    kept.push_back(std::move(made.end));
  }
  (hub_first ? t->hub : t->fleet).stop();
  (hub_first ? t->fleet : t->hub).stop();
  server.server.reset();
  t.reset();
  for (const auto& end : kept) {
    end.link->write("nobody");
    end.link->abort("late");
  }
}
