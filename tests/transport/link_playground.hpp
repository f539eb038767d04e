#pragma once
#include <catch2/catch.hpp>

#include <map>

#include "nodes/hub/link_host.hpp"
#include "nodes/spoke/link_host.hpp"
#include "sim/virtual_link.hpp"
#include "tests/transport/fake_actors.hpp"
#include "transport/spoke_identity.hpp"

/// The link hosts of both nodes, joined by the simulated network, with actors played by the test.
namespace wh::testing {

using namespace std::chrono_literals;

/// Runs what is scheduled, in order of time.
class script_clock {
 public:
  link_timers timers() {
    return {.after = [this](duration d,
                            std::function<void()> f) { events_.emplace(std::pair(now_ + d, ++count_), std::move(f)); },
            .now = [this] { return now_; }};
  }
  void advance(duration d) {
    const auto until = now_ + d;
    while (!events_.empty() && events_.begin()->first.first <= until) {
      auto next = events_.extract(events_.begin());
      now_ = next.key().first;
      next.mapped()();
    }
    now_ = until;
  }
  duration now() const { return now_; }

 private:
  duration now_ = 1000s;
  std::uint64_t count_ = 0;
  std::map<std::pair<duration, std::uint64_t>, std::function<void()>> events_;
};

/// The test's certificates are `cluster:agent`, or `user` for one that is no spoke's.
inline peer_identity identify(const std::string& cert) {
  peer_identity peer;
  peer.has_certificate = true;
  peer.public_key_sha256 = "key of " + cert;
  const auto colon = cert.find(':');
  peer.subj = colon == std::string::npos ? subject{cert, {"people"}}
                                         : subject_of({cert.substr(0, colon), cert.substr(colon + 1)});
  return peer;
}

inline hello greeting_of(const std::string& cluster) {
  return {.software = "test/1", .cluster = cluster, .agent = "a", .hub_incarnation = {}};
}

struct spoke_node {
  spoke_node(const std::string& name, virtual_network& network, link_timers timers)
      : cluster(name),
        host({.post = [this](envelope e) { return actors.post(std::move(e)); },
              .timers = std::move(timers),
              .dial = network.dialer(name),
              .hubs = {{"hub", 1}},
              .limits = {},
              .log = {}}) {}

  void dial(const std::string& cert) {
    host.deliver({{actor_kind::dialer, ""},
                  {actor_kind::cluster_agent, ""},
                  dial_hub{"key", cert, "ca", "", greeting_of(cluster)}});
  }
  void send(frame_to_hub frame) {
    host.deliver({session_address(actors.all<hub_connected>().back().session), {}, send_to_hub{std::move(frame)}});
  }

  std::string cluster;
  fake_actors actors;
  spoke_link_host host;
};

struct playground {
  explicit playground(std::uint64_t seed = 1, network_faults faults = {})
      : network(seed, faults, clock.timers(), identify) {
    start_hub();
  }

  void start_hub() {
    hub = std::make_unique<hub_link_host>(
        hub_link_options{.post = [this](envelope e) { return actors.post(std::move(e)); },
                         .timers = clock.timers(),
                         .applicants_max = 2,
                         .seed = 7,
                         .log = {}});
    network.listen(hub->acceptor(), "the hub's ca");
  }
  std::unique_ptr<spoke_node> spoke(const std::string& name) {
    return std::make_unique<spoke_node>(name, network, clock.timers());
  }
  std::unique_ptr<spoke_node> member(const std::string& name) {
    auto node = spoke(name);
    node->dial(name + ":a");
    clock.advance(1s);
    REQUIRE(node->actors.all<hub_connected>().size() == 1);
    return node;
  }
  void answer(session_id to, frame_to_spoke frame, const std::string& cluster, bool last = false) {
    hub->deliver({session_address(to), {actor_kind::managed_cluster, cluster}, send_to_spoke{std::move(frame), last}});
  }

  script_clock clock;
  fake_actors actors;
  virtual_network network;
  std::unique_ptr<hub_link_host> hub;
};

}  // namespace wh::testing
