#include <catch2/catch.hpp>

#include <thread>

#include "fixtures.hpp"
#include "transport/tls_tickets.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// A client and a server whose links last until the next one.
struct meeting {
  explicit meeting(listen_limits limits = {}) : server(loop, ca.server_config(), limits) {
    config = ca.client_config();
    config.identity = ca.client();
  }

  /// Dials and waits until the server has seen the client; nothing on failure.
  std::optional<peer_identity> dial_once() {
    const int before = server.last.times();
    made = dial(loop, server.at(), config);
    if (made.failure) return std::nullopt;
    while (server.last.times() == before) {
      if (made.end.seen->closed.times() > 0) return std::nullopt;
      std::this_thread::yield();
    }
    const auto accepted = *server.last.get();
    // A word from the server: the ticket came before it.
    accepted->write("x");
    made.end.seen->wait_bytes(1);
    return accepted->peer();
  }

  authority ca;
  event_loop loop{1};
  listener server;
  tls_config config;
  dialed made;
};

leaf_profile brief(const std::string& name, duration life) {
  leaf_profile profile;
  profile.subj = {name, {"spokes"}};
  profile.client_auth = true;
  profile.not_before = now() - hours(1);
  profile.not_after = now() + life;
  return profile;
}

}  // namespace

TEST_CASE("a second link of the same client resumes, and both ends know each other as before", "[link][tickets]") {
  meeting m;
  m.config.ca_pin = m.ca.pin();
  const auto first = m.dial_once();
  REQUIRE(first);
  CHECK_FALSE(first->resumed);
  const auto server_first = m.made.end.link->peer();
  const auto second = m.dial_once();
  REQUIRE(second);
  CHECK(second->resumed);
  CHECK(second->has_certificate);
  CHECK(second->subj == first->subj);
  CHECK(second->public_key_sha256 == first->public_key_sha256);
  CHECK(second->serial_hex == first->serial_hex);
  CHECK(second->not_before == first->not_before);
  CHECK(second->not_after == first->not_after);
  const auto& server_second = m.made.end.link->peer();
  CHECK(server_second.resumed);
  CHECK(server_second.public_key_sha256 == server_first.public_key_sha256);
  CHECK(server_second.ca_chain_pem == server_first.ca_chain_pem);
  CHECK_FALSE(server_second.ca_chain_pem.empty());
  CHECK(m.dial_once()->resumed);  // a ticket serves more than once
}

TEST_CASE("tickets are kept apart by certificate, trust and address", "[link][tickets]") {
  meeting m;
  REQUIRE_FALSE(m.dial_once()->resumed);
  const auto other = m.ca.client("spoke-2");
  m.config.identity = other;
  const auto seen = m.dial_once();
  CHECK_FALSE(seen->resumed);
  CHECK(seen->subj.common_name == "spoke-2");
  m.config.identity = {};
  CHECK_FALSE(m.dial_once()->has_certificate);
  m.config.identity = other;
  CHECK(m.dial_once()->resumed);
  m.config.ca_pin = m.ca.pin();
  CHECK_FALSE(m.dial_once()->resumed);
  // Another hub at another address, of the same CA even, has other keys.
  const listener elsewhere(m.loop, m.ca.server_config());
  const auto there = dial(m.loop, elsewhere.at(), m.config);
  REQUIRE_FALSE(there.failure);
  CHECK_FALSE(there.end.link->peer().resumed);
}

TEST_CASE("an expired client certificate is refused though its ticket is fresh", "[link][tickets]") {
  meeting m;
  m.config.identity = m.ca.issue(brief("brief", 2s));
  REQUIRE_FALSE(m.dial_once()->resumed);
  REQUIRE(m.dial_once()->resumed);
  std::this_thread::sleep_for(2500ms);
  CHECK_FALSE(m.dial_once());
  const auto why = m.made.failure ? m.made.failure : m.made.end.seen->closed.get();
  REQUIRE(why);
  CHECK_THAT(why->message, Contains("alert 'certificate expired'"));
}

TEST_CASE("a server that renews its certificate takes its tickets, one with another CA does not", "[link][tickets]") {
  meeting m;
  REQUIRE_FALSE(m.dial_once()->resumed);
  m.server.server->set_tls(m.ca.server_config());
  CHECK(m.dial_once()->resumed);

  const authority stranger("stranger");
  auto both = m.ca.server_config();
  both.trusted_ca_pem += stranger.ca.cert_pem;
  m.server.server->set_tls(both);
  CHECK_FALSE(m.dial_once()->resumed);
  CHECK(m.dial_once()->resumed);
  m.server.server->set_tls(stranger.server_config());
  CHECK_FALSE(m.dial_once());
  CHECK_THAT(m.made.failure->message, Contains("server's certificate"));
}

TEST_CASE("a listener without tickets gives none, and one that starts over takes none", "[link][tickets]") {
  meeting none({.ticket_life = duration::zero()});
  REQUIRE_FALSE(none.dial_once()->resumed);
  CHECK_FALSE(none.dial_once()->resumed);

  event_loop loop(1);
  const authority ca;
  std::optional<listener> server(std::in_place, loop, ca.server_config());
  const auto at = server->at();
  auto first = dial(loop, at, ca.client_config());
  (*server->last.get())->write("x");
  first.end.seen->wait_bytes(1);
  REQUIRE_FALSE(first.failure);
  server.reset();
  const auto again = listen_link(loop, at, ca.server_config(), {}, [](auto) { return std::make_shared<recorder>(); });
  REQUIRE(again.ok());
  const auto second = dial(loop, at, ca.client_config());
  REQUIRE_FALSE(second.failure);
  CHECK_FALSE(second.end.link->peer().resumed);
}

TEST_CASE("tickets do not outlive their hour", "[link][tickets]") {
  meeting m({.ticket_life = 1s});
  REQUIRE_FALSE(m.dial_once()->resumed);
  std::this_thread::sleep_for(2100ms);
  CHECK_FALSE(m.dial_once()->resumed);
}

TEST_CASE("keys of tickets seal for half of their life and open for all of it", "[tickets]") {
  duration now = 100s;
  ticket_keys keys(1h, [&] { return now; });
  const auto first = keys.current();
  now += 29min;
  CHECK(keys.current().name == first.name);
  now += 2min;
  const auto second = keys.current();
  CHECK(second.name != first.name);
  CHECK(second.cipher != first.cipher);
  CHECK(second.mac != first.mac);
  CHECK(keys.find(first.name.data()));
  CHECK(keys.find(second.name.data()));
  now += 30min;
  CHECK_FALSE(keys.find(first.name.data()));
  CHECK(keys.find(second.name.data()));
  now += 24h;
  CHECK_FALSE(keys.find(second.name.data()));
  CHECK(make_ticket_keys(48h)->life() == 1h);
}
