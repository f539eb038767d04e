// A spoke's certificates over days in virtual time: crashes and cuts around every renewal, an outage that outlasts one. The
// hub here is a script of the hub's rules: the newest certificate of an identity wins, and a request has one certificate.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <set>

#include "nodes/hub/link_host.hpp"
#include "nodes/spoke/spoke_core.hpp"
#include "sim/fake_crypto.hpp"
#include "sim/virtual_link.hpp"
#include "sim/virtual_runtime.hpp"

using namespace wh;

namespace {

constexpr duration life = std::chrono::hours(10);

/// Signs at once whatever asks properly.
class scripted_hub {
 public:
  scripted_hub(virtual_world& world, virtual_network& network) : world_(world) {
    link_ = std::make_unique<hub_link_host>(hub_link_options{
        .post =
            [this](envelope e) {
              world_.schedule(duration{0}, [this, e = std::move(e)] { take(e); });
              return result<void>();
            },
        .timers = {.after = [this](duration d, std::function<void()> f) { world_.schedule(d, std::move(f)); },
                   .now = [this] { return world_.now().time_since_epoch(); }},
        .log = {}});
    network.listen(link_->acceptor(), "ca");
  }

  std::set<std::string> requests;                   ///< all that were ever sent
  std::map<std::string, std::string> certificates;  ///< by request
  std::string problem;
  int joins = 0;
  instant newest{};  ///< notBefore of the certificate that speaks for the cluster

 private:
  void answer(const envelope& to, session_id session, frame_to_spoke frame, bool close = false) {
    link_->deliver({session_address(session), to.to, send_to_spoke{std::move(frame), close}});
  }
  std::string certificate_for(const std::string& csr) {
    requests.insert(csr);
    auto& cert = certificates[csr];
    if (cert.empty()) cert = ca_.sign_client(csr, world_.now(), world_.now() + life).value();
    return cert;
  }
  void take(const envelope& e) {
    if (const auto* m = std::get_if<join_asked>(&e.body)) {
      ++joins;
      return answer(e, m->session, join_certificate{certificate_for(m->request.csr_pem), "ca"}, true);
    }
    if (const auto* m = std::get_if<spoke_connected>(&e.body)) {
      if (world_.now() >= m->not_after) problem = "a session with an expired certificate";
      if (m->not_before < newest) {
        problem = "an older certificate was used after a newer one";
        return;
      }
      newest = m->not_before;
      return answer(
          e, m->session,
          welcome{
              .hub_incarnation = "hub", .hub_now = world_.now(), .accepted = true, .lease = std::chrono::seconds(60)});
    }
    if (const auto* m = std::get_if<spoke_frame>(&e.body)) {
      if (const auto* renew = std::get_if<renew_request>(&m->frame))
        answer(e, m->session, join_certificate{certificate_for(renew->csr_pem), "ca"});
      if (std::get_if<sync_request>(&m->frame)) answer(e, m->session, sync_done{});
    }
  }

  virtual_world& world_;
  fake_crypto ca_{1, "ca"};
  std::unique_ptr<hub_link_host> link_;
};

/// No objects, always healthy.
class empty_cluster final : public cluster_port {
 public:
  explicit empty_cluster(post_envelope post) : post_(std::move(post)) {}
  void deliver(envelope) override {}
  void report_facts() override { post_({{actor_kind::cluster_agent, ""}, {actor_kind::cluster, ""}, cluster_facts{}}); }
  void stop(duration) override {}

 private:
  post_envelope post_;
};

class days {
 public:
  explicit days(std::uint64_t seed)
      : world_(seed, instant(std::chrono::seconds(1767225600))),
        network_(seed, {}, timers(), fake_identity),
        hub_(world_, network_),
        crypto_(seed ^ 0x6b6579) {}
  ~days() { crash(); }

  void start() {
    alive_ = std::make_shared<bool>(true);
    spoke_core_options o;
    o.agent_data = disk_.get();
    o.open_cluster = [](post_envelope post) {
      return result<std::unique_ptr<cluster_port>>(std::make_unique<empty_cluster>(std::move(post)));
    };
    o.crypto = &crypto_;
    o.now = [this] { return world_.now(); };
    o.seed = world_.random().next();
    o.timers = {.after =
                    [this, weak = std::weak_ptr(alive_)](duration d, std::function<void()> f) {
                      world_.schedule(d, [weak, f = std::move(f)] {
                        if (weak.lock()) f();
                      });
                    },
                .now = timers().now};
    o.dial = network_.dialer("c1");
    o.make_runtime = [this](runtime_options r) {
      return std::make_unique<virtual_runtime>(world_, std::move(r),
                                               virtual_options{.name = "c1",
                                                               .commit_delay_max = std::chrono::milliseconds(4),
                                                               .outcome_delay_max = std::chrono::milliseconds(4)});
    };
    o.settings = {"c1", "hub.example:6444", "sha256:pin", "id.secret"};
    o.on_give_up = [this](const std::string& why) { hub_.problem = "gave up: " + why; };
    o.log = [](const address&, const note&) {};
    core_ = spoke_core::open(o).value();
    core_->start();
  }
  void crash() {
    if (!core_) return;
    network_.crash_spoke("c1");
    alive_.reset();
    static_cast<virtual_runtime&>(core_->runtime()).crash();
    core_.reset();
  }

  virtual_world& world() { return world_; }
  virtual_network& network() { return network_; }
  scripted_hub& hub() { return hub_; }

 private:
  link_timers timers() {
    return {.after = [this](duration d, std::function<void()> f) { world_.schedule(d, std::move(f)); },
            .now = [this] { return world_.now().time_since_epoch(); }};
  }

  virtual_world world_;
  virtual_network network_;
  scripted_hub hub_;
  fake_crypto crypto_;
  std::unique_ptr<store> disk_ = make_memory_store("agent");
  std::shared_ptr<bool> alive_;
  std::unique_ptr<spoke_core> core_;
};

/// Waits for the next request and lets `trouble` happen within the moments around it.
template <class Trouble>
void trouble_at_renewal(days& d, const Trouble& trouble) {
  const auto before = d.hub().requests.size();
  d.world().advance_until([&] { return d.hub().requests.size() > before; }, life);
  d.world().advance(duration(d.world().random().below(15'000)));
  trouble();
}

}  // namespace

TEST_CASE("whatever breaks around a renewal, one request gives one certificate, and no session is ever without",
          "[sim][renewal]") {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    days d(seed);
    d.start();
    d.world().advance(std::chrono::minutes(1));
    int renewals = 0;
    for (; renewals < 4; ++renewals) {
      trouble_at_renewal(d, [&] {
        if (d.world().random().chance(0.3)) return d.network().cut("c1");
        d.crash();
        d.world().advance(duration(d.world().random().below(3'000'000)));
        d.start();
      });
    }
    d.world().advance(std::chrono::minutes(2));
    CHECK(d.hub().problem.empty());
    CHECK(d.hub().joins == 1);
    CHECK(d.hub().requests.size() == 1 + static_cast<std::size_t>(renewals));
    // The newest certificate is the one in use.
    instant latest{};
    for (const auto& [csr, cert] : d.hub().certificates) latest = std::max(latest, fake_identity(cert).not_before);
    CHECK(d.hub().newest == latest);
    if (!d.hub().problem.empty()) FAIL(d.hub().problem);
  }
}

TEST_CASE("crashes before the request leaves cost at most the key that nobody saw", "[sim][renewal]") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    days d(seed);
    d.start();
    d.world().advance(life * 3 / 4);
    // The draw is in the next twentieth of the life: every few minutes the machine fails.
    while (d.hub().requests.size() < 2 && d.world().now() < instant(std::chrono::seconds(1767225600)) + life) {
      d.world().advance(std::chrono::minutes(3) + duration(d.world().random().below(60'000'000)));
      d.crash();
      d.start();
    }
    d.world().advance(std::chrono::minutes(2));
    CHECK(d.hub().problem.empty());
    CHECK(d.hub().joins == 1);
    CHECK(d.hub().requests.size() == 2);
  }
}

TEST_CASE("a certificate that expires while the hub cannot be reached is got anew by joining", "[sim][renewal]") {
  days d(7);
  d.start();
  d.world().advance(std::chrono::minutes(1));
  d.network().partition("c1", lost_way::both);
  d.world().advance(life * 2);
  CHECK(d.hub().joins == 1);
  d.network().heal_all();
  d.world().advance(std::chrono::minutes(5));
  CHECK(d.hub().problem.empty());
  CHECK(d.hub().joins == 2);
  CHECK(d.hub().newest > instant(std::chrono::seconds(1767225600)) + life);
}
