#include "nodes/spoke/embedded_cluster.hpp"

#include "actors/names.hpp"
#include "actors/shared/default_account.hpp"
#include "actors/shared/event_reaper.hpp"
#include "actors/shared/garbage_collector.hpp"
#include "actors/shared/namespace_lifecycle.hpp"
#include "apiserver/access/default_roles.hpp"
#include "nodes/parts/seed_objects.hpp"
#include "resources/quantity.hpp"

namespace wh {
namespace {

constexpr duration health_period = std::chrono::seconds(5);

std::optional<address> no_owner(const object_key&) { return std::nullopt; }

std::unique_ptr<actor_logic> make_actor(const address& a, const api_stack& api) {
  if (a.kind == actor_kind::namespace_lifecycle)
    return std::make_unique<bound_actor<namespace_lifecycle>>(namespace_lifecycle{no_owner, {}});
  if (a.kind == actor_kind::event_reaper) return std::make_unique<bound_actor<event_reaper>>(event_reaper{});
  if (a.kind != actor_kind::garbage_collector) return nullptr;
  garbage_collector gc;
  gc.owners = no_owner;
  gc.resources = [&api] { return api.resources(false); };
  return std::make_unique<bound_actor<garbage_collector>>(std::move(gc));
}

/// Capacity that a laptop could give; nothing is ever scheduled on it.
document synthetic_node(const std::string& name, instant now) {
  const document resources = {{"cpu", "8"}, {"memory", "16Gi"}, {"pods", "110"}, {"ephemeral-storage", "100Gi"}};
  return {{"apiVersion", "v1"},
          {"kind", "Node"},
          {"metadata",
           {{"name", name},
            {"labels", {{"kubernetes.io/hostname", name}, {"wheelhouse.io/embedded", "true"}}},
            {"annotations",
             {{"wheelhouse.io/note", "synthetic node of an embedded cluster: objects are kept, no containers run"}}}}},
          {"status",
           {{"capacity", resources},
            {"allocatable", resources},
            {"conditions",
             {{{"type", "Ready"},
               {"status", "True"},
               {"reason", "EmbeddedCluster"},
               {"message", "objects are kept; no containers run"},
               {"lastHeartbeatTime", to_rfc3339(now)},
               {"lastTransitionTime", to_rfc3339(now)}}}},
            {"nodeInfo",
             {{"kubeletVersion", embedded_kubernetes_version},
              {"kubeProxyVersion", embedded_kubernetes_version},
              {"containerRuntimeVersion", "none://"},
              {"operatingSystem", "linux"},
              {"architecture", "amd64"},
              {"osImage", "wheelhouse embedded cluster"},
              {"kernelVersion", ""},
              {"machineID", ""},
              {"systemUUID", ""},
              {"bootID", ""}}}}}};
}

void route(const change& c, std::vector<address>& to) {
  if (c.key.resource == names::namespaces || concerns_default_account(c))
    to.push_back({actor_kind::namespace_lifecycle, ""});
  if (concerns_garbage_collector(c)) to.push_back({actor_kind::garbage_collector, ""});
}

}  // namespace

result<std::unique_ptr<embedded_cluster>> embedded_cluster::open(const embedded_cluster_options& options,
                                                                 post_envelope post) {
  std::unique_ptr<embedded_cluster> self(new embedded_cluster());
  api_stack_options api;
  api.data = options.data;
  api.kinds = kind_set::cluster;
  api.now = options.now;
  rng random(options.seed);
  api.seed = random.next();  // not the same seed twice: UIDs come from both generators
  api.after = options.after;
  self->api_ = std::make_unique<api_stack>(api);

  auto objects = standard_namespaces();
  objects.push_back(synthetic_node(options.node_name, options.now()));
  if (auto ok = seed_objects(*options.data, self->api_->kinds(), std::move(objects), false, options.now(), random); !ok)
    return ok.err();
  if (options.default_roles)
    if (auto ok = seed_access(*options.data, self->api_->kinds(), default_access(false), options.now(), random); !ok)
      return ok.err();

  runtime_options runtime;
  runtime.data = options.data;
  runtime.crypto = options.crypto;
  runtime.factory = [api = self->api_.get()](const address& a) { return make_actor(a, *api); };
  runtime.now = options.now;
  runtime.seed = random.next();
  runtime.threads = 1;
  runtime.to_port = [](const envelope&, const std::optional<commit>&) {};
  runtime.namespaced_resources = [api = self->api_.get()] { return api->resources(true); };
  runtime.restarted = [](const address&) {};
  runtime.log = options.log;
  self->runtime_ = options.make_runtime(std::move(runtime));
  self->router_ = std::make_unique<feed_router>(*options.data, *self->runtime_, route);
  self->runtime_->spawn({actor_kind::namespace_lifecycle, ""});
  self->runtime_->spawn({actor_kind::garbage_collector, ""});
  self->runtime_->spawn({actor_kind::event_reaper, ""});
  self->port_ = std::make_shared<api_port>(self->api(), options.claims, std::move(post));
  if (options.after) watch_health(self->port_, options.after);
  return self;
}

void embedded_cluster::watch_health(const std::weak_ptr<api_port>& port,
                                    const std::function<void(duration, std::function<void()>)>& after) {
  after(health_period, [port, after] {
    const auto alive = port.lock();
    if (!alive) return;
    alive->look_at_health();
    watch_health(port, after);
  });
}

embedded_cluster::~embedded_cluster() = default;

void embedded_cluster::stop(duration grace) {
  port_.reset();
  api_->drain(grace);
  router_.reset();
  runtime_->stop(grace);
}

}  // namespace wh
