// The real hub (request core, owner gate, actors, link hosts) in the three modes, from one script of REST requests and frames.
//
// One input at a time, each followed until nothing happens any more. One input may set several actors to work at once, whose
// commits may interleave; so equal must be: every object's versions, in order, with their bodies; every answer's status, in
// order; every frame of each session, in order, with its bytes, but for join_pending.
#include "actors/names.hpp"
#include "apiserver/local_reply.hpp"
#include "base/encoding.hpp"
#include "messages/codec.hpp"
#include "nodes/hub/hub_core.hpp"
#include "sim/fake_crypto.hpp"
#include "tests/sim/three_modes.hpp"

using namespace wh;
using namespace wh::test;

namespace {

constexpr const char* token_secret = "0123456789abcdefghijklmnop";
constexpr const char* merge_patch = "application/merge-patch+json";
const std::string cluster_path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";

std::string works_path(const std::string& ns) {
  return "/apis/work.open-cluster-management.io/v1/namespaces/" + ns + "/manifestworks";
}

/// A mode that the hub believes it owns.
class lent_runtime final : public actor_runtime {
 public:
  explicit lent_runtime(std::unique_ptr<mode> m) : mode_(std::move(m)) {}
  result<void> post(envelope e) override { return mode_->runtime().post(std::move(e)); }
  void spawn(const address& a) override { mode_->runtime().spawn(a); }
  void retire(const address& a) override { mode_->runtime().retire(a); }
  std::vector<actor_counters> counters() const override { return mode_->runtime().counters(); }
  std::size_t actors() const override { return mode_->runtime().actors(); }
  void stop(duration grace) override { mode_->runtime().stop(grace); }

 private:
  std::unique_ptr<mode> mode_;
};

/// The spoke's end of a connection, played by the script. What the hub sends is kept, and its close waits for the script.
class wire final : public connection {
 public:
  wire(std::string name, const std::string& cert, chronicle& happened)
      : name_(std::move(name)), peer_(fake_identity(cert)), happened_(happened) {
    peer_.remote_address = name_;
  }
  void write(std::string bytes) override {
    const std::lock_guard lock(mutex_);
    std::string_view rest = bytes;
    while (true) {
      const auto payload = reader_.next(rest);
      if (!payload || !*payload) return;
      const auto frame = decode_to_spoke(**payload);
      if (!frame) continue;
      // Said again at every change of the request that is seen, and a change that still waits is merged with the next.
      if (std::holds_alternative<join_pending>(*frame)) continue;
      happened_.add(name_, std::string(frame_name(*frame)) + " " + std::to_string(fnv1a(**payload)));
      if (const auto* joined = std::get_if<join_certificate>(&*frame)) certificate_ = joined->cert_pem;
    }
  }
  void close() override { closed_ = true; }
  void abort(std::string) override { closed_ = true; }
  const peer_identity& peer() const override { return peer_; }
  std::size_t unsent() const override { return 0; }

  bool closed() const { return closed_; }
  std::string certificate() const {
    const std::lock_guard lock(mutex_);
    return certificate_;
  }

 private:
  const std::string name_;
  peer_identity peer_;
  chronicle& happened_;
  std::atomic<bool> closed_{false};
  mutable std::mutex mutex_;
  frame_reader reader_{frame_bytes_max};
  std::string certificate_;
};

/// A hub in one mode, and the script's hands on it.
class hub_stage : feed_listener {
 public:
  hub_stage(which w, std::uint64_t seed) : crypto_(seed, "fake ca") {
    data_->subscribe(this);
    hub_core_options o;
    o.data = data_.get();
    o.crypto = &crypto_;
    o.now = [this] { return mode_ ? mode_->now() : instant{}; };
    o.seed = seed;
    o.timers = {.after = [this](duration d, std::function<void()> f) { hosts_.after(d, std::move(f)); },
                .now = [this] { return hosts_.now().time_since_epoch(); }};
    o.make_runtime = [this, w, seed](runtime_options r) {
      auto m = make_mode(w, std::move(r), seed);
      mode_ = m.get();
      return std::make_unique<lent_runtime>(std::move(m));
    };
    o.log = [](const address&, const note&) {};
    auto opened = hub_core::open(o);
    REQUIRE(opened.ok());
    hub_ = std::move(*opened);
    settle();
  }
  ~hub_stage() override {
    for (auto& l : lines_) l.handler->on_closed(fail(errc::unavailable, "the test is over"));
    hub_.reset();
    data_->unsubscribe(this);
  }
  hub_stage(const hub_stage&) = delete;
  hub_stage& operator=(const hub_stage&) = delete;

  void ask(const std::string& method, const std::string& target, const document& body,
           const std::string& content_type = "application/json") {
    api_request r;
    r.method = method;
    r.target = target;
    r.accept = "application/json";
    r.content_type = content_type;
    if (!body.is_null()) r.body = body.dump();
    r.user = {"admin", {"system:masters"}};
    hub_->api().api().handle(
        std::move(r), std::make_shared<local_reply>([this, what = method + " " + target](const api_response& answer) {
          happened_.add("answers", what + ": " + std::to_string(answer.status));
        }));
    settle();
  }

  /// Connects as what the certificate says, or as an applicant; the number of the line.
  std::size_t connect(const std::string& cluster, const std::string& cert) {
    line l;
    l.end = std::make_shared<wire>("line " + std::to_string(lines_.size()), cert, happened_);
    l.handler = hub_->link().acceptor()(l.end);
    lines_.push_back(std::move(l));
    send(lines_.size() - 1, hello{.protocol = link_protocol_version,
                                  .software = "test",
                                  .cluster = cluster,
                                  .agent = "agent",
                                  .hub_incarnation = {}});
    return lines_.size() - 1;
  }
  void send(std::size_t on, const frame_to_hub& frame) {
    auto& l = lines_[on];
    if (!l.end->closed()) l.handler->on_bytes(*framed(frame));
    settle();
  }
  void hang_up(std::size_t on) {
    lines_[on].end->close();
    settle();
  }
  std::string certificate(std::size_t on) const { return lines_[on].end->certificate(); }

  void advance(duration d) {
    mode_->advance(d);
    const auto until = hosts_.now() + d;
    while (hosts_.ring_next(until)) settle();
    settle();
  }
  instant now() const { return mode_->now(); }
  fake_crypto& crypto() { return crypto_; }
  /// A stored object, parsed; null if there is none.
  document stored(const object_key& key) const {
    const auto found = data_->get(key, {});
    REQUIRE(found.ok());
    return *found ? *parse_json(*(*found)->body) : document();
  }
  story told() const { return happened_.all(); }

 private:
  struct line {
    std::shared_ptr<wire> end;
    std::shared_ptr<connection_handler> handler;
    bool told = false;
  };
  void on_committed(const std::vector<change>& changes) override {
    for (const auto& c : changes) happened_.add(to_string(c.key), c.body ? *c.body : "removed");
  }
  void settle() {
    mode_->settle();
    for (auto& l : lines_) {
      if (!l.end->closed() || std::exchange(l.told, true)) continue;
      l.handler->on_closed(fail(errc::unavailable, "closed"));
      mode_->settle();
    }
  }

  chronicle happened_;
  std::unique_ptr<store> data_ = make_memory_store("hub");
  fake_crypto crypto_;
  held_time hosts_;  ///< of link hosts and request core, which run outside the runtime
  mode* mode_ = nullptr;
  std::unique_ptr<hub_core> hub_;
  std::vector<line> lines_;
};

void make_token(hub_stage& hub) {
  hub.ask("POST", "/api/v1/namespaces/kube-system/secrets",
          {{"apiVersion", "v1"},
           {"kind", "Secret"},
           {"metadata", {{"name", "bootstrap-token-abcdef"}, {"namespace", "kube-system"}}},
           {"type", "bootstrap.kubernetes.io/token"},
           {"stringData",
            {{"token-id", "abcdef"},
             {"token-secret-sha256", hub.crypto().sha256_hex(token_secret)},
             {"expiration", to_rfc3339(hub.now() + 24h)},
             {"usage-bootstrap-join", "true"}}}});
}

/// From nothing to a member in sync; the line it speaks on.
std::size_t join(hub_stage& hub, const std::string& name) {
  const auto csr = hub.crypto().make_csr("key " + name, names::cluster_user(name, "agent"),
                                         {names::cluster_group(name), names::clusters_group});
  const auto applicant = hub.connect(name, "");
  hub.send(applicant, join_request{.token = std::string("abcdef.") + token_secret, .csr_pem = *csr, .annotations = {}});
  const auto csr_name = name + "-" + hub.crypto().inspect_csr(*csr)->key_sha256.substr(0, 10);
  auto request = hub.stored({names::csrs, "", csr_name});
  REQUIRE_FALSE(request.is_null());
  set_condition(request["status"]["conditions"],
                {.type = "Approved", .status = "True", .reason = "Test", .message = "approved"}, hub.now());
  request["metadata"].erase("resourceVersion");
  hub.ask("PUT", "/apis/certificates.k8s.io/v1/certificatesigningrequests/" + csr_name + "/approval", request);
  hub.ask("PATCH", cluster_path + "/" + name, {{"spec", {{"hubAcceptsClient", true}}}}, merge_patch);
  const auto cert = hub.certificate(applicant);
  REQUIRE_FALSE(cert.empty());
  const auto member = hub.connect(name, cert);
  hub.send(member, sync_request{});
  return member;
}

document a_work(const std::string& ns, const std::string& name, std::uint64_t value) {
  return {{"apiVersion", "work.open-cluster-management.io/v1"},
          {"kind", "ManifestWork"},
          {"metadata", {{"name", name}, {"namespace", ns}}},
          {"spec",
           {{"workload",
             {{"manifests",
               {{{"apiVersion", "v1"},
                 {"kind", "ConfigMap"},
                 {"metadata", {{"name", name}, {"namespace", "default"}}},
                 {"data", {{"value", std::to_string(value)}}}}}}}}}}};
}

/// What a spoke answers about one of its works, if the hub knows it.
void report(hub_stage& hub, std::size_t on, const std::string& ns, const std::string& name, std::uint64_t seq) {
  const auto work = hub.stored({names::manifest_works, ns, name});
  if (work.is_null()) return;
  const std::string uid(uid_of(work));
  if (is_deleting(work)) return hub.send(on, work_finished{.name = name, .uid = uid});
  hub.send(on, work_report{.name = name,
                           .uid = uid,
                           .seq = seq,
                           .observed = generation_of(work),
                           .status = share(R"({"conditions":[{"type":"Applied","status":"True","reason":"r"}]})")});
}

story play(which w, std::uint64_t seed) {
  hub_stage hub(w, seed);
  rng script(seed);
  make_token(hub);
  const std::vector<std::string> clusters = {"c0", "c1"};
  std::vector<std::size_t> member;
  for (const auto& c : clusters) member.push_back(join(hub, c));
  for (std::uint64_t step = 0; step < 60; ++step) {
    const auto i = script.below(clusters.size());
    const auto& ns = clusters[i];
    const auto name = "w" + std::to_string(script.below(3));
    const auto path = works_path(ns) + "/" + name;
    switch (script.below(8)) {
      case 0:
      case 1: hub.ask("POST", works_path(ns), a_work(ns, name, step)); break;
      case 2: hub.ask("PATCH", path, {{"spec", a_work(ns, name, step)["spec"]}}, merge_patch); break;
      case 3: hub.ask("DELETE", path, nullptr); break;
      case 4:
      case 5: report(hub, member[i], ns, name, step); break;
      case 6: hub.send(member[i], heartbeat{hub.now()}); break;
      case 7:
        hub.send(member[i], cluster_report{.seq = step,
                                           .available = script.chance(0.5),
                                           .available_reason = "",
                                           .available_message = "",
                                           .kubernetes_version = "v1",
                                           .capacity = {{"cpu", std::to_string(step)}},
                                           .allocatable = {}});
        break;
    }
    hub.advance(std::chrono::microseconds(1 + script.below(20'000'000)));
  }
  hub.hang_up(member[0]);
  hub.ask("DELETE", cluster_path + "/c1", nullptr);
  for (std::uint64_t n = 0; n < 3; ++n) report(hub, member[1], "c1", "w" + std::to_string(n), 1000 + n);
  hub.advance(10min);  // c0's lease runs out
  return hub.told();
}

}  // namespace

TEST_CASE("the hub's actors make the same run of the same script in the three modes", "[modes]") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    const auto expected = play(which::virtual_time, seed);
    CHECK(expected.at("answers").size() > 15);
    CHECK(expected.size() > 20);
    {
      INFO("deterministic");
      require_equal(expected, play(which::seeded, seed));
    }
    INFO("live");
    require_equal(expected, play(which::live, seed));
  }
}
