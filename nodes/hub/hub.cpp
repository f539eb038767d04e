#include "nodes/hub/hub.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <thread>

#include "nodes/common/files.hpp"
#include "nodes/common/kubeconfig.hpp"
#include "nodes/hub/feature_gates.hpp"
#include "nodes/hub/hub_core.hpp"
#include "nodes/hub/hub_offline.hpp"
#include "nodes/hub/hub_seed.hpp"
#include "nodes/hub/link_audit.hpp"
#include "nodes/parts/clock.hpp"
#include "nodes/parts/local_ca.hpp"
#include "nodes/parts/node_log.hpp"
#include "nodes/parts/openssl_crypto.hpp"
#include "nodes/parts/secret_keys.hpp"
#include "nodes/parts/seed_objects.hpp"
#include "persistence/store.hpp"
#include "transport/link_live.hpp"

namespace wh {
result<void> validate(const hub_options& o) {
  if (o.data_dir.empty()) return fail(errc::invalid, "--data-dir must not be empty");
  if (o.manifest_limit_kib == 0 || o.manifest_limit_kib > 2048)
    return fail(errc::invalid, "--manifest-limit must be between 1 and 2048 KiB");
  if (o.certificate_life < std::chrono::minutes(10))
    return fail(errc::invalid, "--certificate-life must be at least 10m");
  if (o.event_life < std::chrono::minutes(1)) return fail(errc::invalid, "--event-ttl must be at least 1m");
  if (o.history_age != duration::zero() && o.history_age < std::chrono::minutes(1))
    return fail(errc::invalid, "--history-age must be at least 1m, or 0s for no limit by age");
  if (o.history_changes == 0 && o.history_age == duration::zero())
    return fail(errc::invalid, "--history-age and --history-changes cannot both be without limit");
  if (o.history_changes != 0 && o.history_changes < 1000)
    return fail(errc::invalid, "--history-changes must be at least 1000, or 0 for no limit by number");
  if (o.store_quota_mib < 16) return fail(errc::invalid, "--store-quota must be at least 16 MiB");
  if (o.backup_interval < std::chrono::seconds(1)) return fail(errc::invalid, "--backup-interval must be at least 1s");
  if (o.backup_keep == 0) return fail(errc::invalid, "--backup-keep must be at least 1");
  if (auto gates = parse_feature_gates(o.feature_gates); !gates) return fail(errc::invalid, "--" + gates.err().message);
  if (auto ok = validate(o.front); !ok) return ok;
  if (auto ok = validate(o.link); !ok) return ok;
  return validate(o.access);
}

/// Members are destroyed bottom up: who uses something stands below it.
struct hub::parts {
  hub_options options;
  rng random{random_seed()};
  key_and_cert ca;
  secret_keys keys;
  std::unique_ptr<store> data;
  std::unique_ptr<openssl_crypto> crypto;
  event_loop loop{2};
  std::unique_ptr<backup_service> backups;
  std::unique_ptr<audit_log> audit;
  std::unique_ptr<hub_core> core;
  std::unique_ptr<link_listener> listener;
  host_port api_at;
  host_port link_at;
  std::vector<std::string> server_names;
  instant server_certificate_made{};
  bool stopped = false;

  result<void> open_data();
  result<void> open_backups();
  result<void> open_core();
  result<key_and_cert> make_server_certificate();
  result<void> serve();
  void watch_server_certificate();
  void renew_server_certificate();
  result<void> announce();
};

result<void> hub::parts::open_data() {
  if (auto ok = make_folder(options.data_dir, 0700); !ok) return ok;
  auto opened_keys = open_secret_keys(options.encryption_key_file, options.data_dir);
  if (!opened_keys) return opened_keys.err();
  keys = std::move(*opened_keys);
  lmdb_options lmdb;
  lmdb.dir = options.data_dir + "/store";
  lmdb.incarnation_seed = random_uuid(random);
  lmdb.quota_bytes = options.store_quota_mib << 20;
  lmdb.history_age = options.history_age;
  lmdb.history_max = options.history_changes;
  use_secret_keys(lmdb, keys);
  auto opened = open_lmdb_store(lmdb);
  if (!opened) return opened.err();
  data = std::move(*opened);
  log_sealing(*data, keys, live_link_timers(loop).after);
  // Whoever waits for the file must not take an earlier run's addresses for ours. The store's lock says it is our folder.
  std::remove((options.data_dir + "/hub.json").c_str());
  auto authority = open_local_ca(options.data_dir + "/pki", "wheelhouse-hub-ca", wall_clock());
  if (!authority) return authority.err();
  ca = std::move(*authority);
  crypto = std::make_unique<openssl_crypto>(ca);
  return {};
}

result<void> hub::parts::open_backups() {
  backup_service_options o;
  o.data = data.get();
  o.parts = [this] { return backup_parts(*data, ca, keys); };
  o.spool_dir = options.data_dir + "/spool";
  o.dir = options.backup_dir;
  o.interval = options.backup_interval;
  o.keep = options.backup_keep;
  o.now = wall_clock;
  o.log = [](bool failed, const std::string& text) { failed ? log_error("backup", text) : log_info("backup", text); };
  auto started = backup_service::start(std::move(o));
  if (!started) return started.err();
  backups = std::move(*started);
  return {};
}

result<void> hub::parts::open_core() {
  hub_core_options o;
  o.extensions["/operate/v1/backup"] = [this](std::shared_ptr<api_reply> r) { backups->send(std::move(r)); };
  o.backups = [this] { return backups->figures(); };
  o.data = data.get();
  o.crypto = crypto.get();
  o.now = wall_clock;
  o.seed = random.next();
  o.timers = live_link_timers(loop);
  o.make_runtime = make_live_runtime;
  o.manifest_limit_bytes = options.manifest_limit_kib * 1024;
  o.front = limits_of(options.front);
  auto features = parse_feature_gates(options.feature_gates);
  if (!features) return features.err();
  o.registration.auto_approval = features->managed_cluster_auto_approval;
  o.registration.default_cluster_set = features->default_cluster_set;
  o.certificate_life = options.certificate_life;
  o.event_life = options.event_life;
  o.registration.auto_approved_users =
      options.auto_approved_csr_users.empty() ? options.cluster_auto_approval_users : options.auto_approved_csr_users;
  o.log = log_note;
  auto trail = open_audit(options.access, options.data_dir);
  if (!trail) return trail.err();
  audit = std::move(*trail);
  o.audit = audit.get();
  o.token_issuer = options.access.token_issuer;
  o.ca_pem = ca.cert_pem;
  auto opened = hub_core::open(o);
  if (!opened) return opened.err();
  core = std::move(*opened);
  auto oidc = make_oidc(options.access.oidc);
  if (!oidc) return oidc.err();
  if (*oidc) core->api().tokens().set_oidc(std::move(*oidc), options.access.oidc.issuer_url);
  return {};
}

result<key_and_cert> hub::parts::make_server_certificate() {
  const auto now = wall_clock();
  auto made = make_server_identity(ca, server_names, now, options.link.server_certificate_life);
  if (made) server_certificate_made = now;
  return made;
}

result<void> hub::parts::serve() {
  server_names = {"localhost", "127.0.0.1", "::1"};
  auto hosts = advertised(options.link, options.link_listen);
  hosts.insert(hosts.end(),
               {options.api_listen, options.link_listen, options.api_advertise.value_or(options.api_listen)});
  for (const auto& at : hosts)
    if (at.host != "0.0.0.0" && at.host != "::") server_names.push_back(at.host);
  server_names.insert(server_names.end(), options.tls_san.begin(), options.tls_san.end());
  auto identity = make_server_certificate();
  if (!identity)
    return fail(identity.err().code,
                "server certificate for the listen and advertise hosts: " + identity.err().message);

  watch_refused_clients(loop, audit_of_handshakes(audit.get(), wall_clock));
  const auto link_tls = server_tls(ca, *identity, true);
  auto listening = options.listen_links
                       ? options.listen_links(loop, options.link_listen, link_tls, core->link().acceptor())
                       : listen_link(loop, options.link_listen, link_tls, {.handshakes_max = options.link.handshakes},
                                     core->link().acceptor());
  if (!listening) return listening.err();
  listener = std::move(*listening);
  link_at = listener->local();
  auto front = core->api().serve(loop, options.api_listen, server_tls(ca, *identity, false));
  if (!front) return front.err();
  api_at = *front;
  watch_server_certificate();
  return {};
}

/// Ends with the loop, which stops before anything here goes.
void hub::parts::watch_server_certificate() {
  loop.after(renewal_check_period(options.link.server_certificate_life), [this] {
    if (wall_clock() >= renewal_due(server_certificate_made, options.link.server_certificate_life))
      renew_server_certificate();
    watch_server_certificate();
  });
}

void hub::parts::renew_server_certificate() {
  const auto identity = make_server_certificate();
  if (!identity) return log_error("hub", "the server certificate is not renewed: " + identity.err().message);
  listener->set_tls(server_tls(ca, *identity, true));
  core->api().set_tls(server_tls(ca, *identity, false));
  log_info("hub", "the server certificate is renewed, until " +
                      to_rfc3339(server_certificate_made + options.link.server_certificate_life));
}

/// Tells people and programs where the hub is. hub.json comes last: who sees it can connect.
result<void> hub::parts::announce() {
  host_port api_told = options.api_advertise.value_or(api_at);
  if (api_told.port == 0) api_told.port = api_at.port;
  const auto link_told = text_of(advertised(options.link, link_at));
  auto pin = ca_pin(ca.cert_pem);
  if (!pin) return pin.err();
  auto front_proxy = open_local_ca(options.data_dir + "/pki/front-proxy", "wheelhouse-front-proxy-ca", wall_clock());
  if (!front_proxy) return front_proxy.err();
  auto info = seed_objects(*data, core->api().kinds(),
                           {cluster_info(api_told.text(), link_told, ca.cert_pem, *pin),
                            client_authentication(ca.cert_pem, front_proxy->cert_pem)},
                           true, wall_clock(), random);
  if (!info) return info;
  auto admin = make_admin_identity(ca, "wheelhouse-admin", wall_clock());
  if (!admin) return admin.err();
  if (auto ok = write_kubeconfig(options.data_dir + "/admin.kubeconfig", {"wheelhouse", api_told, ca.cert_pem, *admin});
      !ok)
    return ok;
  const nlohmann::json addresses = {{"api", api_at.text()}, {"link", link_at.text()}};
  return write_file_atomically(options.data_dir + "/hub.json", addresses.dump() + "\n", 0644);
}

hub::hub() : parts_(std::make_unique<parts>()) {}

hub::~hub() { stop(); }

result<std::unique_ptr<hub>> hub::start(const hub_options& options) {
  std::unique_ptr<hub> self(new hub());
  auto& p = *self->parts_;
  p.options = options;
  if (auto ok = p.open_data(); !ok) return ok.err();
  if (auto ok = p.open_backups(); !ok) return ok.err();
  if (auto ok = p.open_core(); !ok) return ok.err();
  if (auto ok = p.serve(); !ok) return ok.err();
  if (auto ok = p.announce(); !ok) return ok.err();
  return self;
}

host_port hub::api_address() const { return parts_->api_at; }
host_port hub::link_address() const { return parts_->link_at; }
event_loop& hub::loop() { return parts_->loop; }

void hub::stop() {
  auto& p = *parts_;
  if (p.stopped) return;
  p.stopped = true;
  if (p.listener) p.listener->stop();
  if (p.backups) p.backups->stop();
  if (p.core) p.core->drain(drain_grace);
  // The goodbyes leave on the loop; a spoke that does not take its own must not hold us up.
  for (int i = 0; i < 50 && p.core && p.core->link().figures().sessions > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  p.loop.stop();
  if (p.audit) p.audit->stop();
}

}  // namespace wh
