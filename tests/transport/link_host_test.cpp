// The link hosts of both nodes over real TLS on the loopback, with actors played by the test.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "nodes/hub/link_host.hpp"
#include "nodes/spoke/link_host.hpp"
#include "tests/transport/fake_actors.hpp"
#include "transport/link_live.hpp"
#include "transport/spoke_identity.hpp"

using namespace wh;
using namespace wh::testing;
using namespace std::chrono_literals;

namespace {

instant now() { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); }

/// A CA, and what it signs.
struct authority {
  authority() {
    ca.key_pem = generate_key().value();
    ca.cert_pem = make_ca_certificate(ca.key_pem, "test ca", now() - 1h, now() + 24h).value();
  }
  key_and_cert leaf(const subject& subj, bool server) const {
    key_and_cert out;
    out.key_pem = generate_key().value();
    leaf_profile profile{.subj = subj,
                         .server_auth = server,
                         .client_auth = !server,
                         .dns_names = {},
                         .ip_addresses = {},
                         .not_before = now() - 1h,
                         .not_after = now() + 1h};
    if (server) profile.ip_addresses = {"127.0.0.1"};
    out.cert_pem = issue_for_key(ca, out.key_pem, profile).value();
    return out;
  }
  key_and_cert ca;
};

struct hub_node {
  hub_node() {
    const tls_config tls{.identity = pki.leaf({"hub", {}}, true),
                         .chain_pem = pki.ca.cert_pem,
                         .trusted_ca_pem = pki.ca.cert_pem,
                         .ca_pin = {},
                         .verify_host = {},
                         .request_client_cert = true,
                         .tls13_only = true,
                         .alpn = {}};
    auto listening = listen_link(loop, {"127.0.0.1", 0}, tls, {}, host.acceptor());
    REQUIRE(listening.ok());
    listener = std::move(*listening);
  }
  ~hub_node() {
    listener.reset();
    loop.stop();
  }
  bool becomes_empty() {
    for (int i = 0; i < 1000 && host.figures().sessions > 0; ++i) std::this_thread::sleep_for(10ms);
    return host.figures().sessions == 0;
  }

  authority pki;
  fake_actors actors;
  event_loop loop{2};
  hub_link_host host{{.post = [this](envelope e) { return actors.post(std::move(e)); },
                      .timers = live_link_timers(loop),
                      .seed = 1,
                      .log = {}}};
  std::unique_ptr<link_listener> listener;
};

struct spoke_node {
  explicit spoke_node(hub_node& h)
      : hub(h),
        host({.post = [this](envelope e) { return actors.post(std::move(e)); },
              .timers = live_link_timers(loop),
              .dial = live_link_dialer(loop),
              .hubs = {h.listener->local()},
              .limits = {},
              .log = {}}) {}
  ~spoke_node() { loop.stop(); }

  void dial(const key_and_cert& who, const std::string& cluster) {
    const bool member = !who.cert_pem.empty();
    const hello greeting{.software = "test/1", .cluster = cluster, .agent = "a", .hub_incarnation = {}};
    host.deliver({{actor_kind::dialer, ""},
                  {},
                  dial_hub{who.key_pem, who.cert_pem, member ? hub.pki.ca.cert_pem : "",
                           member ? "" : ca_pin(hub.pki.ca.cert_pem).value(), greeting}});
  }
  void send(frame_to_hub frame) {
    host.deliver({session_address(actors.all<hub_connected>().back().session), {}, send_to_hub{std::move(frame)}});
  }

  hub_node& hub;
  fake_actors actors;
  event_loop loop{1};
  spoke_link_host host;
};

const subject c1_subject = subject_of({"c1", "a"});

}  // namespace

TEST_CASE("a member speaks with its cluster's actor over TLS", "[transport][tls]") {
  hub_node hub;
  spoke_node spoke(hub);
  const auto who = hub.pki.leaf(c1_subject, false);
  spoke.dial(who, "c1");
  REQUIRE(spoke.actors.wait_for<hub_connected>());
  REQUIRE(hub.actors.wait_for<spoke_connected>());
  const auto connected = hub.actors.all<spoke_connected>()[0];
  CHECK(connected.key_sha256 == inspect_certificate(who.cert_pem).value().public_key_sha256);

  for (std::uint64_t i = 0; i < 300; ++i) spoke.send(work_report{"w", "u", i, {}, share(std::string(20'000, 'x'))});
  REQUIRE(hub.actors.wait_for<spoke_frame>(300));
  const auto reports = hub.actors.frames<work_report, spoke_frame>();
  REQUIRE(reports.size() == 300);
  for (std::uint64_t i = 0; i < 300; ++i) REQUIRE(reports[i].seq == i);

  const auto big = share(std::string(3'000'000, 'y'));
  hub.host.deliver({session_address(connected.session),
                    {actor_kind::managed_cluster, "c1"},
                    send_to_spoke{work_desired{"w", "u", generation(1), false, big}, true}});
  REQUIRE(spoke.actors.wait_for<session_closed>());
  CHECK(spoke.actors.frames<work_desired, hub_frame>().at(0).body->size() == big->size());
  REQUIRE(hub.actors.wait_for<session_closed>());
  CHECK(hub.becomes_empty());
}

TEST_CASE("an applicant joins over TLS with nothing but the hub's pin", "[transport][tls]") {
  hub_node hub;
  spoke_node spoke(hub);
  spoke.dial({}, "c1");
  REQUIRE(spoke.actors.wait_for<hub_connected>());
  CHECK(ca_pin(spoke.actors.all<hub_connected>()[0].ca_pem).value() == ca_pin(hub.pki.ca.cert_pem).value());
  spoke.send(join_request{"id.secret", "csr", {}});
  REQUIRE(hub.actors.wait_for<join_asked>());
  const auto asked = hub.actors.all<join_asked>()[0];
  CHECK(asked.cluster == "c1");
  CHECK_FALSE(asked.remote.empty());
  hub.host.deliver({session_address(asked.session),
                    {actor_kind::managed_cluster, "c1"},
                    send_to_spoke{join_certificate{"cert", "ca"}, true}});
  REQUIRE(spoke.actors.wait_for<session_closed>());
  CHECK(spoke.actors.frames<join_certificate, hub_frame>().size() == 1);
}

TEST_CASE("a certificate of one cluster is no key to another, over TLS", "[transport][tls]") {
  hub_node hub;
  spoke_node spoke(hub);
  spoke.dial(hub.pki.leaf(c1_subject, false), "c2");
  REQUIRE(spoke.actors.wait_for<session_closed>());
  const auto refusals = spoke.actors.frames<refused, hub_frame>();
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].code == errc::forbidden);
  CHECK(hub.actors.mail().empty());
}

TEST_CASE("a hub whose CA has another pin is not spoken to", "[transport][tls]") {
  hub_node hub;
  spoke_node spoke(hub);
  const hello greeting{.software = "test/1", .cluster = "c1", .agent = "a", .hub_incarnation = {}};
  spoke.host.deliver(
      {{actor_kind::dialer, ""}, {}, dial_hub{"", "", "", ca_pin(authority().ca.cert_pem).value(), greeting}});
  REQUIRE(spoke.actors.wait_for<dial_failed>());
  CHECK(retry_of(spoke.actors.all<dial_failed>()[0].why.code) == retry_class::permanent);
  CHECK(hub.actors.mail().empty());
}

namespace {

/// A peer that does not speak the protocol.
class stranger final : public connection_handler {
 public:
  void on_bytes(std::string_view bytes) override { received += bytes.size(); }
  void on_closed(const error&) override { closed = true; }
  bool waits_for_end() const {
    for (int i = 0; i < 1000 && !closed; ++i) std::this_thread::sleep_for(10ms);
    return closed;
  }
  std::atomic<std::size_t> received = 0;
  std::atomic<bool> closed = false;
};

}  // namespace

TEST_CASE("garbage on a TLS connection is answered by a refusal and the end", "[transport][tls]") {
  hub_node hub;
  event_loop loop(1);
  const auto peer = std::make_shared<stranger>();
  std::atomic<bool> failed = false;
  tls_config tls;
  tls.ca_pin = ca_pin(hub.pki.ca.cert_pem).value();
  tls.verify_host = "127.0.0.1";
  dial_link(
      loop, hub.listener->local(), tls, 10s,
      [&](std::shared_ptr<connection> over) {
        over->write("GET / HTTP/1.1\r\n\r\n");
        return peer;
      },
      [&](const error&) { failed = true; });
  CHECK(peer->waits_for_end());
  CHECK(peer->received > 0);
  CHECK_FALSE(failed);
  CHECK(hub.actors.mail().empty());
  CHECK(hub.becomes_empty());
  loop.stop();
}

TEST_CASE("a drain over TLS tells everybody and closes", "[transport][tls]") {
  hub_node hub;
  spoke_node one(hub), two(hub);
  one.dial(hub.pki.leaf(c1_subject, false), "c1");
  two.dial({}, "c2");
  REQUIRE(hub.actors.wait_for<spoke_connected>());
  REQUIRE(two.actors.wait_for<hub_connected>());
  hub.host.drain();
  REQUIRE(one.actors.wait_for<session_closed>());
  REQUIRE(two.actors.wait_for<session_closed>());
  CHECK(one.actors.frames<refused, hub_frame>().at(0).retry_after >= 1s);
  CHECK(two.actors.frames<refused, hub_frame>().at(0).code == errc::unavailable);
  CHECK(hub.becomes_empty());
}
