#include "nodes/hub/hub_core.hpp"

#include "actors/hub/certificate_authority.hpp"
#include "actors/hub/cluster_sets.hpp"
#include "actors/hub/gatekeeper.hpp"
#include "actors/hub/managed_cluster.hpp"
#include "actors/names.hpp"
#include "actors/owners.hpp"
#include "actors/shared/default_account.hpp"
#include "actors/shared/event_reaper.hpp"
#include "actors/shared/garbage_collector.hpp"
#include "actors/shared/namespace_lifecycle.hpp"
#include "apiserver/access/default_roles.hpp"
#include "nodes/hub/hub_metrics.hpp"
#include "nodes/hub/hub_seed.hpp"
#include "nodes/hub/link_audit.hpp"
#include "nodes/parts/seed_objects.hpp"

namespace wh {
namespace {

address singleton(actor_kind kind) { return {kind, ""}; }

/// The cluster whose namespace, rights or add-ons have been changed or removed. Not for what is new: that is the cluster's
/// own doing.
std::string cluster_concerned(const change& c) {
  if (c.key.resource == names::cluster_addons) return c.key.ns;
  const bool rights = c.key.resource == names::namespaces || c.key.resource == names::cluster_roles ||
                      c.key.resource == names::cluster_role_bindings || c.key.resource == names::role_bindings;
  const auto& body = c.body ? c.body : c.previous;
  if (!rights || !body || !c.previous) return {};
  const auto doc = decode_body(*body);
  return doc ? std::string(label_of(*doc, names::cluster_name_label)) : std::string();
}

/// Which actors react to a change of a kind that they do not own.
void route(const change& c, std::vector<address>& to) {
  if (c.key.resource == names::csrs) {
    to.push_back(singleton(actor_kind::certificate_authority));
    const auto doc = c.body ? decode_body(*c.body) : result<document>(document());
    if (doc && c.body && !label_of(*doc, names::cluster_name_label).empty())
      to.push_back({actor_kind::managed_cluster, std::string(label_of(*doc, names::cluster_name_label))});
  }
  if (c.key.resource == names::namespaces || concerns_default_account(c))
    to.push_back(singleton(actor_kind::namespace_lifecycle));
  if (concerns_cluster_sets(c)) to.push_back(singleton(actor_kind::cluster_sets));
  if (const auto cluster = cluster_concerned(c); !cluster.empty()) to.push_back({actor_kind::managed_cluster, cluster});
  if (concerns_garbage_collector(c)) to.push_back(singleton(actor_kind::garbage_collector));
}

}  // namespace

hub_core::hub_core(const hub_core_options& options) : options_(options), random_(options.seed), gate_(*options.data) {}

hub_core::~hub_core() { router_.reset(); }

result<std::unique_ptr<hub_core>> hub_core::open(const hub_core_options& options) {
  std::unique_ptr<hub_core> self(new hub_core(options));
  self->certificates_ = std::make_unique<certificate_view>(*options.data);
  self->make_api();
  if (auto ok = self->seed(); !ok) return ok.err();
  self->make_link();
  self->start_runtime();
  self->spawn_actors();
  return self;
}

void hub_core::make_api() {
  api_stack_options api;
  api.data = options_.data;
  api.kinds = kind_set::hub;
  api.gate = &gate_;
  api.now = options_.now;
  api.seed = random_.next();
  api.manifest_limit_bytes = options_.manifest_limit_bytes;
  api.default_cluster_set = options_.registration.default_cluster_set;
  api.front = options_.front;
  api.extensions = options_.extensions;
  api.token_issuer = options_.token_issuer;
  api.ca_pem = options_.ca_pem;
  api.audit = options_.audit;
  api.metrics = [this] {
    return hub_metrics(*options_.data, *runtime_, api_->api(), api_->front_figures(), link_->figures(),
                       options_.backups ? options_.backups() : backup_figures{}, options_.audit);
  };
  api.ready = [this]() -> result<void> {
    const auto health = options_.data->health();
    if (!health.writable) return fail(errc::read_only, health.reason);
    return {};
  };
  api.after = options_.timers.after;
  api.check_client = [this](const peer_identity& peer) { return certificates_->check(peer); };
  api_ = std::make_unique<api_stack>(api);
}

void hub_core::make_link() {
  hub_link_options o;
  o.post = [this](envelope e) { return runtime_->post(std::move(e)); };
  o.timers = options_.timers;
  o.seed = random_.next();
  o.log = [log = options_.log](note n) { log({actor_kind::session, "link"}, std::move(n)); };
  o.on_refused = audit_of_links(options_.audit, options_.now);
  link_ = std::make_unique<hub_link_host>(std::move(o));
}

std::unique_ptr<actor_logic> hub_core::make_actor(const address& a) const {
  switch (a.kind) {
    case actor_kind::managed_cluster:
      return std::make_unique<bound_actor<managed_cluster>>(make_managed_cluster(a.name, options_.registration));
    case actor_kind::cluster_sets: {
      cluster_sets sets;
      sets.keeps_default_sets = options_.registration.default_cluster_set;
      return std::make_unique<bound_actor<cluster_sets>>(std::move(sets));
    }
    case actor_kind::gatekeeper: return std::make_unique<bound_actor<gatekeeper>>(gatekeeper{});
    case actor_kind::certificate_authority:
      return std::make_unique<bound_actor<certificate_authority>>(
          certificate_authority{options_.certificate_life, options_.registration});
    case actor_kind::namespace_lifecycle:
      return std::make_unique<bound_actor<namespace_lifecycle>>(namespace_lifecycle{hub_owner_of, {}});
    case actor_kind::event_reaper:
      return std::make_unique<bound_actor<event_reaper>>(event_reaper{options_.event_life});
    case actor_kind::garbage_collector: {
      garbage_collector gc;
      gc.owners = hub_owner_of;
      gc.resources = [api = api_.get()] { return api->resources(false); };
      return std::make_unique<bound_actor<garbage_collector>>(std::move(gc));
    }
    default: return nullptr;
  }
}

void hub_core::to_port(envelope e, const std::optional<commit>& under) {
  if (e.to.kind == actor_kind::session) return link_->deliver(std::move(e));
  if (e.to.kind == actor_kind::api)
    if (const auto* reply = std::get_if<admit_reply>(&e.body)) gate_.deliver(*reply, under);
}

void hub_core::start_runtime() {
  runtime_options o;
  o.data = options_.data;
  o.crypto = options_.crypto;
  o.factory = [this](const address& a) { return make_actor(a); };
  o.now = options_.now;
  o.seed = random_.next();
  o.to_port = [this](envelope e, const std::optional<commit>& under) { to_port(std::move(e), under); };
  o.namespaced_resources = [this] { return api_->resources(true); };
  o.restarted = [this](const address& a) {
    if (a.kind == actor_kind::managed_cluster) link_->close_sessions_of(a.name);
  };
  o.log = options_.log;
  runtime_ = options_.make_runtime(std::move(o));
  gate_.attach(*runtime_);
  router_ = std::make_unique<feed_router>(*options_.data, *runtime_, [this](const change& c, std::vector<address>& to) {
    certificates_->note(c);
    route(c, to);
  });
}

result<void> hub_core::seed() {
  auto fixed = standard_namespaces();
  for (auto& role : hub_roles()) fixed.push_back(std::move(role));
  if (auto ok = seed_objects(*options_.data, api_->kinds(), std::move(fixed), false, options_.now(), random_); !ok)
    return ok;
  if (!options_.default_roles) return {};
  return seed_access(*options_.data, api_->kinds(), default_access(true), options_.now(), random_);
}

/// Every cluster's actor runs from the start: their graces run out whether or not their spokes call.
void hub_core::spawn_actors() {
  runtime_->spawn(singleton(actor_kind::certificate_authority));
  runtime_->spawn(singleton(actor_kind::namespace_lifecycle));
  runtime_->spawn(singleton(actor_kind::garbage_collector));
  runtime_->spawn(singleton(actor_kind::event_reaper));
  runtime_->spawn(singleton(actor_kind::cluster_sets));
  auto clusters = options_.data->list({names::managed_clusters, "", ""});
  if (!clusters) return;
  for (const auto& r : clusters->records) runtime_->spawn({actor_kind::managed_cluster, r.key.name});
}

void hub_core::drain(duration grace) {
  link_->drain();
  api_->drain(grace);
  router_.reset();
  runtime_->stop(grace);
  gate_.drain();
}

}  // namespace wh
