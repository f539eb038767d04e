#include "sim/fleet.hpp"

#include <fmt/format.h>

#include "actors/names.hpp"
#include "apiserver/local_reply.hpp"
#include "resources/status_answer.hpp"
#include "sim/mortal_store.hpp"

namespace wh {
namespace {

constexpr const char* hub_name = "hub";
constexpr const char* token_id = "abcdef";
constexpr const char* token_secret = "0123456789abcdefghijklmnop";
/// 2026-01-01: a date that reads as one in traces.
const instant epoch = instant(std::chrono::seconds(1767225600));

api_request request_as_admin(const std::string& method, const std::string& target, const document& body,
                             const std::string& content_type) {
  api_request r;
  r.method = method;
  r.target = target;
  r.accept = "application/json";
  r.content_type = content_type;
  if (!body.is_null()) r.body = body.dump();
  r.user = {"admin", {"system:masters"}};
  return r;
}

}  // namespace

fleet::fleet(const fleet_options& options)
    : options_(options),
      world_(options.seed, epoch),
      network_(options.seed ^ 0x6e6574, options.faults,
               {.after = [this](duration d, std::function<void()> f) { world_.schedule(d, std::move(f)); },
                .now = [this] { return world_.now().time_since_epoch(); }},
               options.identify ? options.identify : fake_identity),
      seeds_(options.seed ^ 0x736565) {
  hub_.data = make_store(hub_name, "hub-" + std::to_string(options.seed), "",
                         [this] { return hub_.core ? hub_.alive : nullptr; });
  const auto crypto_of = [&](const std::string& node, const char* ca) -> std::unique_ptr<crypto_port> {
    const auto seed = seeds_.next();
    if (options.make_crypto) return options.make_crypto(node);
    return std::make_unique<fake_crypto>(seed, ca);
  };
  hub_.crypto = crypto_of(hub_name, "fake ca");
  for (int i = 0; i < options.clusters; ++i) {
    spoke_node node;
    const auto life = [this, i] {
      const auto& mine = spokes_[static_cast<std::size_t>(i)];
      return mine.core ? mine.alive : nullptr;
    };
    node.agent = make_store(cluster_name(i), "agent-" + std::to_string(i), " in the agent's store", life);
    node.cluster = make_store(cluster_name(i), "cluster-" + std::to_string(i), " in the cluster's store", life);
    node.crypto = crypto_of(cluster_name(i), "");
    spokes_.push_back(std::move(node));
  }
  if (options.crashes) expect_crashes();
}

fleet::~fleet() {
  for (int i = 0; i < clusters(); ++i) crash_spoke(i);
  crash_hub();
}

fleet::node_store fleet::make_store(const std::string& node, const std::string& history, const std::string& what,
                                    life_lookup life) {
  node_store made;
  made.disk = make_memory_store(history);
  if (!options_.crashes) return made;
  // In the order of the requests, whatever is drawn.
  auto later = [this, life = std::move(life), due = instant{}](std::function<void()> apply) mutable {
    const auto now_alive = life();
    if (!now_alive) return apply();
    const auto drawn = world_.random().below(static_cast<std::uint64_t>(options_.commit_delay_max.count()) + 1);
    due = std::max(due, world_.now() + duration(drawn));
    world_.schedule(due - world_.now(), [alive = std::weak_ptr(now_alive), apply = std::move(apply)] {
      if (alive.lock()) apply();
    });
  };
  made.mortal = make_mortal_store(*made.disk,
                                  {.points = options_.crashes, .node = node, .what = what, .later = std::move(later)});
  return made;
}

virtual_options fleet::runtime_of(const std::string& node) const {
  virtual_options o{
      .name = node, .commit_delay_max = options_.commit_delay_max, .outcome_delay_max = options_.commit_delay_max};
  if (options_.crashes)
    o.around_send = [points = options_.crashes, node](const envelope& e, const std::function<void()>& send) {
      points->around(node, fmt::format("{} to {} from {}", name_of(e.body), to_string(e.to), to_string(e.from)), send);
    };
  return o;
}

std::function<void(const address&, note)> fleet::log_of(const std::string& node) const {
  if (!options_.log) return [](const address&, const note&) {};
  return [log = options_.log, node](const address& who, const note& line) { log(node, who, line); };
}

void fleet::expect_crashes() {
  network_.on_write([points = options_.crashes](const std::string& spoke, bool by_hub, std::size_t bytes,
                                                const std::function<void()>& write) {
    points->around(by_hub ? hub_name : spoke,
                   fmt::format("frames of {} bytes {} {}", bytes, by_hub ? "to" : "from", spoke), write);
  });
  options_.crashes->on_death([this](const std::string& node) {
    world_.schedule(duration::zero(), [this, node] { bury(node); });
    world_.schedule(options_.restart_after, [this, node] { start_again(node); });
  });
}

void fleet::bury(const std::string& node) {
  if (node == hub_name) return crash_hub();
  for (int i = 0; i < clusters(); ++i)
    if (cluster_name(i) == node) crash_spoke(i);
}

void fleet::start_again(const std::string& node) {
  if (node == hub_name) return start_hub();
  for (int i = 0; i < clusters(); ++i)
    if (cluster_name(i) == node) start_spoke(i);
}

link_timers fleet::timers_of(const life_token& alive) {
  return {.after =
              [this, life = std::weak_ptr(alive)](duration d, std::function<void()> f) {
                world_.schedule(d, [life, f = std::move(f)] {
                  if (life.lock()) f();
                });
              },
          .now = [this] { return world_.now().time_since_epoch(); }};
}

void fleet::start_hub() {
  if (hub_.core) return;
  if (options_.crashes) options_.crashes->revive(hub_name);
  hub_.alive = std::make_shared<bool>(true);
  hub_core_options o;
  o.data = hub_.data.view();
  o.crypto = hub_.crypto.get();
  o.now = [this] { return world_.now(); };
  o.seed = seeds_.next();
  o.timers = timers_of(hub_.alive);
  o.make_runtime = [this](runtime_options r) {
    return std::make_unique<virtual_runtime>(world_, std::move(r), runtime_of(hub_name));
  };
  o.certificate_life = options_.certificate_life;
  o.log = log_of(hub_name);
  o.default_roles = false;
  auto opened = hub_core::open(o);
  if (is_dead(hub_name)) return hub_.alive.reset();
  if (!opened) throw std::runtime_error("hub: " + opened.err().message);
  hub_.core = std::move(*opened);
  network_.listen(hub_.core->link().acceptor(), hub_.crypto->ca_pem());
}

void fleet::crash_hub() {
  if (!hub_.core) return;
  network_.crash_hub();
  hub_.alive.reset();
  static_cast<virtual_runtime&>(hub_.core->runtime()).crash();
  hub_.core.reset();
}

result<std::unique_ptr<cluster_port>> fleet::open_cluster(int i, post_envelope post) {
  auto& node = spokes_[static_cast<std::size_t>(i)];
  const std::string name = cluster_name(i);
  embedded_cluster_options o;
  o.data = node.cluster.view();
  o.now = [this] { return world_.now(); };
  o.seed = seeds_.next();
  o.node_name = name + "-node";
  o.after = timers_of(node.alive).after;
  o.make_runtime = [this, name](runtime_options r) {
    return std::make_unique<virtual_runtime>(world_, std::move(r), runtime_of(name));
  };
  o.crypto = node.crypto.get();
  o.log = log_of(name);
  o.default_roles = false;
  auto opened = embedded_cluster::open(o, std::move(post));
  if (!opened) return opened.err();
  node.managed = opened->get();
  return std::unique_ptr<cluster_port>(*std::move(opened));
}

void fleet::start_spoke(int i) {
  auto& node = spokes_[static_cast<std::size_t>(i)];
  const std::string name = cluster_name(i);
  if (node.core) return;
  if (options_.crashes) options_.crashes->revive(name);
  node.alive = std::make_shared<bool>(true);
  spoke_core_options o;
  o.agent_data = node.agent.view();
  o.open_cluster = [this, i](post_envelope post) { return open_cluster(i, std::move(post)); };
  o.crypto = node.crypto.get();
  o.now = [this] { return world_.now(); };
  o.seed = seeds_.next();
  o.timers = timers_of(node.alive);
  o.dial = network_.dialer(name);
  o.make_runtime = [this, name](runtime_options r) {
    return std::make_unique<virtual_runtime>(world_, std::move(r), runtime_of(name));
  };
  o.settings = {name, "hub.example:6444", "sha256:pin", fmt::format("{}.{}", token_id, token_secret)};
  o.on_give_up = [&node](const std::string& why) { node.gave_up = why; };
  o.log = log_of(name);
  auto opened = spoke_core::open(o);
  if (is_dead(name)) return node.alive.reset();
  if (!opened) throw std::runtime_error("spoke: " + opened.err().message);
  node.core = std::move(*opened);
  node.core->start();
}

void fleet::crash_spoke(int i) {
  auto& node = spokes_[static_cast<std::size_t>(i)];
  if (!node.core) return;
  network_.crash_spoke(cluster_name(i));
  node.alive.reset();
  static_cast<virtual_runtime&>(node.core->runtime()).crash();
  node.core.reset();
}

result<document> fleet::ask(const std::string& node, const life_token& life, api_server& api, api_request request) {
  // Shared, because the answer may still come when nobody waits any more.
  const auto answer = std::make_shared<std::optional<api_response>>();
  const std::string what = request.method + " " + request.target;
  api.handle(std::move(request), std::make_shared<local_reply>([this, node, answer](api_response r) {
               if (!is_dead(node)) *answer = std::move(r);
             }));
  const auto over = [answer, life = std::weak_ptr(life)] { return answer->has_value() || life.expired(); };
  world_.advance_until(over, std::chrono::seconds(30));
  if (!*answer) return fail(errc::timeout, what + " was not answered");
  const std::string body = (*answer)->body ? *(*answer)->body : "";
  if ((*answer)->status >= 300) return error_of_answer((*answer)->status, body);
  return parse_json(body);
}

result<document> fleet::request(const std::string& method, const std::string& target, const document& body,
                                const std::string& content_type) {
  if (!hub_.core) return fail(errc::unavailable, "the hub is down");
  return ask(hub_name, hub_.alive, hub_.core->api().api(), request_as_admin(method, target, body, content_type));
}

void fleet::request_blindly(const std::string& method, const std::string& target, const document& body) {
  if (!hub_.core) return;
  hub_.core->api().api().handle(request_as_admin(method, target, body, "application/json"),
                                std::make_shared<local_reply>([](const api_response&) {}));
}

result<document> fleet::cluster_request(int i, const std::string& method, const std::string& target,
                                        const document& body, const std::string& content_type) {
  auto& node = spokes_[static_cast<std::size_t>(i)];
  if (!node.core) return fail(errc::unavailable, "the spoke is down");
  return ask(cluster_name(i), node.alive, node.managed->api().api(),
             request_as_admin(method, target, body, content_type));
}

document fleet::bootstrap_token(duration life) const {
  return {{"apiVersion", "v1"},
          {"kind", "Secret"},
          {"metadata", {{"name", fmt::format("bootstrap-token-{}", token_id)}, {"namespace", "kube-system"}}},
          {"type", "bootstrap.kubernetes.io/token"},
          {"stringData",
           {{"token-id", token_id},
            {"token-secret-sha256", hub_.crypto->sha256_hex(token_secret)},
            {"expiration", to_rfc3339(world_.now() + life)},
            {"usage-bootstrap-join", "true"}}}};
}

void fleet::make_token(duration life) {
  auto made = request("POST", "/api/v1/namespaces/kube-system/secrets", bootstrap_token(life));
  if (!made) throw std::runtime_error(made.err().message);
}

bool fleet::accept(int i) {
  const std::string name = cluster_name(i);
  const std::string cluster = "/apis/cluster.open-cluster-management.io/v1/managedclusters/" + name;
  const std::string csrs = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
  for (int second = 0; second < 60; ++second) {
    auto list = request("GET", csrs + "?labelSelector=" + std::string(names::cluster_name_label) + "%3D" + name);
    if (list && !(*list)["items"].empty()) {
      document csr = (*list)["items"][0];
      set_condition(csr["status"]["conditions"],
                    {.type = "Approved", .status = "True", .reason = "Test", .message = "approved"}, world_.now());
      auto approved = request("PUT", csrs + "/" + std::string(name_of(csr)) + "/approval", csr);
      auto accepted =
          request("PATCH", cluster, {{"spec", {{"hubAcceptsClient", true}}}}, "application/merge-patch+json");
      if (approved && accepted) return true;
    }
    world_.advance(std::chrono::seconds(1));
  }
  return false;
}

}  // namespace wh
