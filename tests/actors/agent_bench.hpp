#pragma once
#include <memory>

#include "actor_fixture.hpp"
#include "actors/names.hpp"
#include "actors/spoke/cluster_agent.hpp"
#include "sim/fake_crypto.hpp"

namespace wh::test {

inline const object_key identity_key{names::identities, "", "hub"};
inline constexpr duration certificate_life = std::chrono::hours(100);

/// A cluster agent by hand, with certificates that have lives, and a clock that only moves when told.
struct agent_bench {
  bench_top b;
  fake_crypto crypto{11};
  fake_crypto hub_crypto{12, "ca"};
  agent_options options{.cluster = "c1", .software = "test", .token = "id.secret", .ca_pin = "sha256:pin"};
  cluster_agent self;
  std::uint64_t sessions = 0;

  agent_bench() { b.crypto = &crypto; }

  /// Another run of the process on the same store.
  outbox restart() {
    self = make_cluster_agent(options);
    return b.start(self);
  }
  template <class Message>
  outbox give(const Message& m) {
    return b.handle(self, m);
  }
  template <class Frame>
  outbox receive(Frame f) {
    return give(hub_frame{session_id{sessions}, f});
  }
  outbox connect() { return give(hub_connected{session_id{++sessions}, "ca"}); }
  outbox lose() { return give(session_closed{session_id{sessions}, {errc::unavailable, "cut"}}); }
  outbox fire(const char* timer) { return give(timer_fired{timer}); }
  void pass(duration d) { b.now += d; }

  std::string signed_for(const std::string& csr, duration life = certificate_life) {
    return hub_crypto.sign_client(csr, b.now, b.now + life).value();
  }
  welcome accepted(std::string incarnation = "hub-1") const {
    return {.hub_incarnation = std::move(incarnation),
            .hub_now = b.now,
            .accepted = true,
            .lease = std::chrono::seconds(60)};
  }
  welcome refused_cluster(bool cleanup) const {
    return {.hub_incarnation = "hub-1",
            .hub_now = b.now,
            .accepted = false,
            .lease = std::chrono::seconds(60),
            .level = link_level,
            .cleanup = cleanup};
  }
  static cluster_facts facts() {
    return {.healthy = true, .message = "", .kubernetes_version = "v1", .capacity = {}, .allocatable = {}};
  }
  /// Has a certificate, and dials with it.
  void join() {
    restart();
    connect();
    receive(join_certificate{signed_for(self.csr_pem), "ca"});
  }
  /// Joined, connected, accepted and in sync.
  void sync() {
    join();
    connect();
    give(facts());
    receive(accepted());
    receive(sync_done{});
  }
  void hold(const std::string& name, bool deleting = false, const std::string& history = "hub-1") {
    give(work_held{.held = {name, "u-" + name, generation{1}, deleting, history}, .gone = false});
  }
  document identity() const { return b.get(identity_key); }
};

/// When a timer was armed for; none: it was not.
inline std::optional<duration> armed(const outbox& out, const std::string& timer) {
  std::optional<duration> after;
  for (const auto& t : out.timers)
    if (t.name == timer) after = t.after;
  return after;
}

/// All that was logged at this level or above.
inline std::string logged(const outbox& out, note_level at_least = note_level::info) {
  std::string text;
  for (const auto& n : out.notes)
    if (n.level >= at_least) text += n.text + "\n";
  return text;
}

}  // namespace wh::test
