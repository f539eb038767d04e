#include <catch2/catch.hpp>
#include <thread>

#include "fixtures.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

/// What a client with this configuration meets at a server with that one.
std::string meets(const tls_config& server_config, const tls_config& client_config) {
  event_loop loop(1);
  const listener server(loop, server_config);
  auto made = dial(loop, server.at(), client_config);
  return made.failure ? made.failure->message : "connected";
}

/// Under TLS 1.3 a client is connected before the server has seen its certificate: the refusal comes as the end.
std::string ends_with(const tls_config& server_config, const tls_config& client_config) {
  event_loop loop(1);
  const listener server(loop, server_config);
  auto made = dial(loop, server.at(), client_config);
  if (made.failure) return made.failure->message;
  const auto why = made.end.seen->closed.get();
  return why ? why->message : "stays open";
}

leaf_profile server_profile() {
  leaf_profile profile;
  profile.subj.common_name = "hub";
  profile.server_auth = true;
  profile.ip_addresses = {"127.0.0.1"};
  return profile;
}

}  // namespace

TEST_CASE("a pin stands in for a trusted CA and tells which it was", "[link][trust]") {
  const authority ca;
  event_loop loop(1);
  const listener server(loop, ca.server_config());
  tls_config config;
  config.ca_pin = ca.pin();
  auto made = dial(loop, server.at(), config);
  REQUIRE_FALSE(made.failure);
  CHECK(ca_pin(made.end.link->peer().ca_chain_pem).value() == ca.pin());
}

TEST_CASE("a wrong pin names both pins", "[link][trust]") {
  const authority ca;
  const authority other;
  tls_config config;
  config.ca_pin = other.pin();
  const auto met = meets(ca.server_config(), config);
  CHECK_THAT(met, Contains("TLS: server's CA pin is " + ca.pin() + ", expected " + other.pin() +
                           ": wrong hub or wrong --ca-pin"));
}

TEST_CASE("showing the pinned CA without being signed by it helps nobody", "[link][trust]") {
  const authority ca;
  const authority impostor;
  auto config = impostor.server_config();
  config.chain_pem = ca.ca.cert_pem;
  tls_config client;
  client.ca_pin = ca.pin();
  CHECK_THAT(meets(config, client), Contains("server's certificate"));

  // Not even when the impostor's CA has the same name.
  config.chain_pem = impostor.ca.cert_pem + ca.ca.cert_pem;
  CHECK_THAT(meets(config, client), Contains("server's certificate"));
}

TEST_CASE("a pinned server must present its CA", "[link][trust]") {
  const authority ca;
  auto config = ca.server_config();
  config.chain_pem.clear();
  tls_config client;
  client.ca_pin = ca.pin();
  CHECK_THAT(meets(config, client), Contains("presents no CA certificate"));
  client.trusted_ca_pem = ca.ca.cert_pem;
  CHECK(meets(config, client) == "connected");
}

TEST_CASE("with a trusted CA and a pin both must hold", "[link][trust]") {
  const authority ca;
  const authority other;
  auto client = ca.client_config();
  client.ca_pin = other.pin();
  CHECK_THAT(meets(ca.server_config(), client), Contains("wrong --ca-pin"));
  client.trusted_ca_pem = other.ca.cert_pem;
  client.ca_pin = ca.pin();
  CHECK_THAT(meets(ca.server_config(), client), Contains("server's certificate"));
}

TEST_CASE("a server from another CA is not believed", "[link][trust]") {
  const authority ca;
  const authority other("other");
  CHECK_THAT(meets(other.server_config(), ca.client_config()),
             Contains("dial 127.0.0.1:") && Contains("TLS: server's certificate"));
}

TEST_CASE("a server must be named by its certificate", "[link][trust]") {
  const authority ca;
  auto client = ca.client_config();
  client.verify_host = "hub.example";
  CHECK_THAT(meets(ca.server_config(), client), Contains("is not for 'hub.example' (it names localhost, 127.0.0.1)"));
  client.verify_host = "localhost";
  CHECK(meets(ca.server_config(), client) == "connected");
  client.verify_host = "127.0.0.2";
  CHECK_THAT(meets(ca.server_config(), client), Contains("is not for '127.0.0.2'"));
  SECTION("the common name does not count") {
    client.verify_host = "hub";
    CHECK_THAT(meets(ca.server_config(), client), Contains("is not for 'hub'"));
  }
  SECTION("the dialed host counts when nothing is said") {
    client.verify_host.clear();
    CHECK(meets(ca.server_config(), client) == "connected");
  }
}

TEST_CASE("expired and future server certificates are refused with their time", "[link][trust]") {
  const authority ca;
  auto profile = server_profile();
  profile.not_before = now() - hours(5);
  profile.not_after = now() - hours(4);
  auto server = ca.server_config();
  server.identity = ca.issue(profile);
  CHECK_THAT(meets(server, ca.client_config()), Contains("certificate has expired on 20"));
  profile.not_before = now() + hours(4);
  profile.not_after = now() + hours(5);
  server.identity = ca.issue(profile);
  CHECK_THAT(meets(server, ca.client_config()), Contains("not yet valid before 20"));
}

TEST_CASE("a client's certificate does not make a server", "[link][trust]") {
  const authority ca;
  auto profile = server_profile();
  profile.server_auth = false;
  profile.client_auth = true;
  auto server = ca.server_config();
  server.identity = ca.issue(profile);
  CHECK_THAT(meets(server, ca.client_config()), Contains("server's certificate"));
}

TEST_CASE("client certificates are checked whenever they are shown", "[link][trust]") {
  const authority ca;
  auto client = ca.client_config();
  SECTION("none is allowed") { CHECK(meets(ca.server_config(), client) == "connected"); }
  SECTION("from another CA") {
    client.identity = authority("other").client();
    CHECK_THAT(ends_with(ca.server_config(), client), Contains("the peer answered with the alert"));
  }
  SECTION("from another CA of the same name") {
    client.identity = authority().client();
    CHECK_THAT(ends_with(ca.server_config(), client), Contains("the peer answered with the alert"));
  }
  SECTION("without clientAuth") {
    client.identity = ca.server();
    CHECK_THAT(ends_with(ca.server_config(), client), Contains("the peer answered with the alert"));
  }
  SECTION("expired") {
    leaf_profile profile;
    profile.subj.common_name = "late";
    profile.client_auth = true;
    profile.not_before = now() - hours(5);
    profile.not_after = now() - hours(4);
    client.identity = ca.issue(profile);
    CHECK_THAT(ends_with(ca.server_config(), client), Contains("alert 'certificate expired'"));
  }
}

TEST_CASE("clients of one loop keep apart who they are and whom they trust", "[link][trust]") {
  const authority ca;
  const authority other("other");
  event_loop loop(1);
  listener server(loop, ca.server_config());
  const auto name_seen = [&](const tls_config& config) {
    const int before = server.last.times();
    const auto made = dial(loop, server.at(), config);
    if (made.failure) return made.failure->message;
    while (server.last.times() == before) std::this_thread::yield();
    return server.last.get().value()->peer().subj.common_name;
  };
  auto config = ca.client_config();
  CHECK(name_seen(config).empty());
  for (const auto* name : {"spoke-1", "spoke-2", "spoke-1"}) {
    config.identity = ca.client(name);
    CHECK(name_seen(config) == name);
  }
  auto elsewhere = config;
  elsewhere.verify_host = "elsewhere";
  CHECK_THAT(name_seen(elsewhere), Contains("is not for 'elsewhere'"));
  auto stranger = config;
  stranger.trusted_ca_pem = other.ca.cert_pem;
  CHECK_THAT(name_seen(stranger), Contains("server's certificate"));
  // More hubs than one loop remembers, and back again.
  for (int i = 0; i < 12; ++i) {
    config.verify_host = i % 2 == 0 ? "localhost" : "";
    config.ca_pin = ca.pin();
    stranger.trusted_ca_pem = authority("other").ca.cert_pem;
    CHECK_THAT(name_seen(stranger), Contains("server's certificate"));
    CHECK(name_seen(config) == "spoke-1");
  }
}

TEST_CASE("configurations that could not be safe are refused before anything is sent", "[link][trust]") {
  const authority ca;
  CHECK_THAT(meets(ca.server_config(), {}), Contains("neither a trusted CA nor a CA pin"));
  tls_config client;
  client.ca_pin = "sha256:abc";
  CHECK_THAT(meets(ca.server_config(), client), Contains("is not sha256: and 64 hex digits"));
  client = ca.client_config();
  client.identity = {ca.client().key_pem, ca.client().cert_pem};
  CHECK_THAT(meets(ca.server_config(), client), Contains("own private key"));

  event_loop loop(1);
  const auto listening = [&](const tls_config& config) {
    const auto made = listen_link(loop, {"127.0.0.1", 0}, config, {}, [](auto) { return nullptr; });
    return made ? std::string("listens") : made.err().message;
  };
  CHECK_THAT(listening({}), Contains("needs a key"));
  auto blind = ca.server_config();
  blind.trusted_ca_pem.clear();
  CHECK_THAT(listening(blind), Contains("no CA is trusted"));
}

TEST_CASE("rotation changes what new links see and leaves open ones", "[link][trust]") {
  const authority before;
  const authority after("after");
  event_loop loop(1);
  const listener server(loop, before.server_config(false));
  auto old_link = dial(loop, server.at(), before.client_config());
  REQUIRE_FALSE(old_link.failure);
  server.server->set_tls({});  // refused: the old one stays in use
  CHECK_FALSE(dial(loop, server.at(), before.client_config()).failure);
  server.server->set_tls(after.server_config(false));
  CHECK(dial(loop, server.at(), before.client_config()).failure);
  CHECK_FALSE(dial(loop, server.at(), after.client_config()).failure);
  old_link.end.link->write("still");
  CHECK(server.seen->wait_bytes(5) == "still");
}

TEST_CASE("dial errors say what failed", "[link][trust]") {
  const authority ca;
  event_loop loop(1);
  host_port closed;
  {
    const listener gone(loop, ca.server_config());
    closed = gone.at();
  }
  CHECK(dial(loop, closed, ca.client_config()).failure->message == "dial " + closed.text() + ": connection refused");
  CHECK_THAT(dial(loop, {"no-such-host.invalid", 1}, ca.client_config()).failure->message,
             Contains("dial no-such-host.invalid:1: host name"));

  // A listening socket whose owner never accepts: TCP connects, TLS gets no answer.
  event_loop stuck(1);
  const listener mute(stuck, ca.server_config());
  stuck.stop();
  const auto slow = dial(loop, mute.at(), ca.client_config(), 100ms);
  REQUIRE(slow.failure);
  CHECK(slow.failure->code != errc::internal);
}

TEST_CASE("a port in use is named", "[link][trust]") {
  const authority ca;
  event_loop loop(1);
  const listener first(loop, ca.server_config());
  const auto second = listen_link(loop, first.at(), ca.server_config(), {}, [](auto) { return nullptr; });
  REQUIRE_FALSE(second.ok());
  CHECK(second.err().message == "listen " + first.at().text() + ": address already in use");
}
