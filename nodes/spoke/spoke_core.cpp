#include "nodes/spoke/spoke_core.hpp"

#include <fmt/format.h>

#include "actors/names.hpp"
#include "actors/spoke/cluster_agent.hpp"
#include "actors/spoke/work.hpp"
#include "nodes/common/version.hpp"

namespace wh {

spoke_core::spoke_core(const spoke_core_options& options) : options_(options) {
  rng random(options.seed ^ 0x696e7374);
  instance_ = random_uuid(random);
}

result<std::unique_ptr<spoke_core>> spoke_core::open(const spoke_core_options& options) {
  std::unique_ptr<spoke_core> self(new spoke_core(options));
  if (auto ok = self->make_link(); !ok) return ok.err();
  // Before the cluster: its own actors may change objects at once, and the port passes the news on.
  self->make_runtime();
  // Kept or coalesced, never refused; a work that starts over looks at everything anew.
  auto cluster = options.open_cluster([core = self.get()](envelope e) { (void)core->runtime_->post(std::move(e)); });
  if (!cluster) return cluster.err();
  self->cluster_ = *std::move(cluster);
  return self;
}

result<void> spoke_core::make_link() {
  auto hubs = parse_host_ports({options_.settings.hub});
  if (!hubs) return hubs.err();
  // OCM hashes the hub's host: objects of two hubs on one cluster stay apart (work spec, section 7).
  const auto& known_as = options_.settings.hub_name;
  hub_hash_ = options_.crypto->sha256_hex(known_as.empty() ? hubs->front().host : known_as);
  spoke_link_options o;
  o.post = [this](envelope e) { return runtime_->post(std::move(e)); };
  o.timers = options_.timers;
  o.dial = options_.dial;
  o.hubs = *std::move(hubs);
  o.log = [log = options_.log](note n) { log({actor_kind::session, "hub"}, std::move(n)); };
  link_ = std::make_unique<spoke_link_host>(std::move(o));
  return {};
}

std::unique_ptr<actor_logic> spoke_core::make_actor(const address& a) const {
  if (a.kind == actor_kind::cluster_agent)
    return std::make_unique<bound_actor<cluster_agent>>(
        make_cluster_agent({.cluster = options_.settings.cluster_name,
                            .software = fmt::format("wheelhouse-spoke/{}", software_version()),
                            .token = options_.settings.token,
                            .ca_pin = options_.settings.ca_pin,
                            .instance = instance_,
                            .annotations = options_.settings.annotations,
                            .client_configs = options_.settings.client_configs,
                            .claims = options_.claims,
                            .leave = options_.leaving,
                            .leave_patience = options_.leave_patience}));
  if (a.kind != actor_kind::work) return nullptr;
  return std::make_unique<bound_actor<work>>(make_work(a.name, hub_hash_, hub_hash_));
}

void spoke_core::to_node(const envelope& e) {
  if (const auto* end = std::get_if<give_up>(&e.body)) options_.on_give_up(end->why);
  if (const auto* over = std::get_if<left>(&e.body); over && options_.on_left) options_.on_left(over->hub_told);
  if (std::get_if<retire_me>(&e.body)) runtime_->retire(e.from);
}

void spoke_core::to_port(envelope e) {
  switch (e.to.kind) {
    case actor_kind::cluster: return cluster_->deliver(std::move(e));
    case actor_kind::dialer:
    case actor_kind::session: return link_->deliver(std::move(e));
    case actor_kind::node: return to_node(e);
    default: return;
  }
}

void spoke_core::make_runtime() {
  runtime_options o;
  o.data = options_.agent_data;
  o.crypto = options_.crypto;
  o.factory = [this](const address& a) { return make_actor(a); };
  o.now = options_.now;
  o.seed = options_.seed;
  o.threads = 1;
  o.to_port = [this](envelope e, const std::optional<commit>&) { to_port(std::move(e)); };
  o.namespaced_resources = [] { return std::vector<std::string>{}; };
  // The agent dials again when it restores itself, and must hear of the cluster anew; works begin a new round.
  o.restarted = [this](const address& a) {
    if (a.kind == actor_kind::cluster_agent && cluster_) cluster_->report_facts();
  };
  o.log = options_.log;
  runtime_ = options_.make_runtime(std::move(o));
}

void spoke_core::start() {
  runtime_->spawn({actor_kind::cluster_agent, ""});
  if (auto held = options_.agent_data->list({names::prescriptions, "", ""}))
    for (const auto& r : held->records) runtime_->spawn({actor_kind::work, r.key.name});
  cluster_->report_facts();
}

void spoke_core::drain(duration grace) {
  link_->stop();
  runtime_->stop(grace);
  cluster_->stop(grace);
}

}  // namespace wh
