#include "nodes/spoke/spoke.hpp"

#include <fmt/format.h>

#include "nodes/common/files.hpp"
#include "nodes/common/kubeconfig.hpp"
#include "nodes/parts/clock.hpp"
#include "nodes/parts/local_ca.hpp"
#include "nodes/parts/node_log.hpp"
#include "nodes/parts/openssl_crypto.hpp"
#include "nodes/parts/secret_keys.hpp"
#include "nodes/parts/seed_objects.hpp"
#include "nodes/spoke/embedded_cluster.hpp"
#include "nodes/spoke/hub_proxy.hpp"
#include "nodes/spoke/spoke_core.hpp"
#include "transport/link_live.hpp"

namespace wh {
namespace {

result<std::unique_ptr<store>> open_store(const std::string& dir, rng& random, const secret_keys& keys) {
  lmdb_options lmdb;
  lmdb.dir = dir;
  lmdb.incarnation_seed = random_uuid(random);
  use_secret_keys(lmdb, keys);
  return open_lmdb_store(lmdb);
}

}  // namespace

result<void> validate(const spoke_options& o) {
  if (o.data_dir.empty()) return fail(errc::invalid, "--data-dir must not be empty");
  if (o.cluster != "embedded")
    return fail(errc::invalid, fmt::format("--cluster {}: this release keeps an embedded cluster only", o.cluster));
  if (o.claims.reserved_suffixes.size() > claim_suffixes_max)
    return fail(errc::invalid, fmt::format("--reserved-cluster-claim-suffixes: at most {}", claim_suffixes_max));
  return {};
}

/// Members are destroyed bottom up: who uses something stands below it.
struct spoke::parts {
  spoke_options options;
  spoke_settings settings;
  std::shared_ptr<const proxy_config> proxy;
  rng random{random_seed()};
  secret_keys keys;
  std::unique_ptr<store> agent_data;
  std::unique_ptr<store> cluster_data;
  openssl_crypto crypto;
  event_loop loop{1};
  std::unique_ptr<spoke_core> core;
  embedded_cluster* cluster = nullptr;  ///< the core's
  host_port cluster_at;
  bool stopped = false;

  result<void> open_data();
  result<std::unique_ptr<cluster_port>> open_cluster(post_envelope post);
  result<void> open_core();
  result<void> serve_cluster();
  void have_left(bool hub_told);
};

result<void> spoke::parts::open_data() {
  auto opened_keys = open_secret_keys(options.encryption_key_file, options.data_dir);
  if (!opened_keys) return opened_keys.err();
  keys = std::move(*opened_keys);
  auto agent = open_store(options.data_dir + "/agent", random, keys);
  if (!agent) return agent.err();
  agent_data = std::move(*agent);
  auto objects = open_store(options.data_dir + "/cluster", random, keys);
  if (!objects) return objects.err();
  cluster_data = std::move(*objects);
  for (const auto* data : {agent_data.get(), cluster_data.get()})
    log_sealing(*data, keys, live_link_timers(loop).after);
  return {};
}

result<std::unique_ptr<cluster_port>> spoke::parts::open_cluster(post_envelope post) {
  embedded_cluster_options o;
  o.data = cluster_data.get();
  o.now = wall_clock;
  o.seed = random.next();
  o.node_name = settings.cluster_name + "-node";
  o.after = live_link_timers(loop).after;
  o.make_runtime = make_live_runtime;
  o.crypto = &crypto;
  o.log = log_note;
  o.claims = options.gates;
  auto opened = embedded_cluster::open(o, std::move(post));
  if (!opened) return opened.err();
  cluster = opened->get();
  return std::unique_ptr<cluster_port>(*std::move(opened));
}

result<void> spoke::parts::open_core() {
  spoke_core_options o;
  o.agent_data = agent_data.get();
  o.open_cluster = [this](post_envelope post) { return open_cluster(std::move(post)); };
  o.crypto = &crypto;
  o.now = wall_clock;
  o.seed = random.next();
  o.timers = live_link_timers(loop);
  o.dial = live_link_dialer(loop, {.source = {}, .proxy = proxy});
  o.make_runtime = make_live_runtime;
  o.settings = settings;
  o.claims = options.claims;
  o.on_give_up = options.on_give_up;
  o.on_left = [this](bool hub_told) { have_left(hub_told); };
  o.log = log_note;
  if (options.leave) {
    o.leaving = leave_due{options.leave->keep_workloads};
    o.leave_patience = options.leave->patience;
    o.log = [say = options.leave->say](const address& who, const note& n) {
      if (n.level >= note_level::info && who.kind != actor_kind::session) return say(n.text);
      log_note(who, n);
    };
  }
  auto opened = spoke_core::open(o);
  if (!opened) return opened.err();
  core = std::move(*opened);
  return {};
}

/// A start that serves comes here as well, when it ends a leave that was interrupted.
void spoke::parts::have_left(bool hub_told) {
  if (auto ok = erase_token(options.data_dir); !ok) return options.on_give_up(ok.err().message);
  if (options.leave) return options.leave->on_left(hub_told);
  options.on_give_up(
      "the cluster has left its hub, as its administrator began before: to join again, start with --token");
}

result<void> spoke::parts::serve_cluster() {
  auto ca = open_local_ca(options.data_dir + "/cluster-pki", "wheelhouse-cluster-ca", wall_clock());
  if (!ca) return ca.err();
  auto identity =
      make_server_identity(*ca, {"localhost", "127.0.0.1", "::1", options.cluster_listen.host}, wall_clock());
  if (!identity) return identity.err();
  auto front_proxy =
      open_local_ca(options.data_dir + "/cluster-pki/front-proxy", "wheelhouse-front-proxy-ca", wall_clock());
  if (!front_proxy) return front_proxy.err();
  auto told = seed_objects(*cluster_data, cluster->api().kinds(),
                           {client_authentication(ca->cert_pem, front_proxy->cert_pem)}, true, wall_clock(), random);
  if (!told) return told;
  auto at = cluster->api().serve(loop, options.cluster_listen, server_tls(*ca, *identity, false));
  if (!at) return at.err();
  cluster_at = *at;
  auto admin = make_admin_identity(*ca, "cluster-admin", wall_clock());
  if (!admin) return admin.err();
  return write_kubeconfig(options.data_dir + "/cluster.kubeconfig",
                          {settings.cluster_name, cluster_at, ca->cert_pem, *admin});
}

spoke::spoke() : parts_(std::make_unique<parts>()) {}

spoke::~spoke() { stop(); }

result<std::unique_ptr<spoke>> spoke::start(const spoke_options& options) {
  auto settings = options.leave ? kept_settings(options.data_dir) : settle_settings(options.data_dir, options.flags);
  if (!settings) return settings.err();
  auto proxy = open_proxy(settings->proxy);
  if (!proxy) return proxy.err();
  std::unique_ptr<spoke> self(new spoke());
  auto& p = *self->parts_;
  p.options = options;
  p.settings = *settings;
  p.proxy = *std::move(proxy);
  if (auto ok = p.open_data(); !ok) return ok.err();
  if (auto ok = p.open_core(); !ok) return ok.err();
  if (!options.leave)
    if (auto ok = p.serve_cluster(); !ok) return ok.err();
  p.core->start();
  return self;
}

const spoke_settings& spoke::settings() const { return parts_->settings; }
std::string spoke::way_to_hub() const {
  return parts_->settings.hub + (parts_->proxy ? " through proxy " + parts_->proxy->text() : "");
}
host_port spoke::cluster_address() const { return parts_->cluster_at; }
event_loop& spoke::loop() { return parts_->loop; }

void spoke::stop() {
  auto& p = *parts_;
  if (p.stopped) return;
  p.stopped = true;
  if (p.core) p.core->drain(drain_grace);
  p.loop.stop();
}

}  // namespace wh
