#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "nodes/hub/access_settings.hpp"
#include "nodes/hub/front_settings.hpp"
#include "nodes/hub/link_settings.hpp"
#include "transport/link_ports.hpp"

namespace wh {

/// How a hub is started.
struct hub_options {
  std::string data_dir;
  host_port api_listen{"127.0.0.1", 6443};
  host_port link_listen{"127.0.0.1", 6444};
  std::optional<host_port> api_advertise;  ///< what clients are told; default: where it listens
  std::vector<std::string> tls_san;        ///< further names or addresses in the server's certificate
  std::uint64_t manifest_limit_kib = 500;  ///< sum of a ManifestWork's manifests
  std::string feature_gates;               ///< NAME=true|false,...
  duration certificate_life = std::chrono::hours(24 * 365);
  duration event_life = std::chrono::hours(1);
  std::vector<std::string> auto_approved_csr_users;      ///< with gate ManagedClusterAutoApproval
  std::vector<std::string> cluster_auto_approval_users;  ///< OCM's older name: used when the other is empty
  std::string encryption_key_file;  ///< empty: data_dir/encryption.key, made at need; `off`: secrets stay plain
  duration history_age = std::chrono::hours(1);
  std::uint64_t history_changes = 200000;
  std::uint64_t store_quota_mib = 8192;
  std::string backup_dir;  ///< of scheduled backups; empty: none
  duration backup_interval = std::chrono::hours(24);
  std::uint64_t backup_keep = 7;
  access_settings access;
  front_settings front;
  link_settings link;
  link_listen_function listen_links = {};  ///< of a program that holds the hub; empty: sockets
};
result<void> validate(const hub_options& options);

/// The hub process: store, actors, API front door and link, put together. Files in the data folder:
///   store/  the database      pki/  the CA      admin.kubeconfig (0600)      hub.json (addresses, written when ready)
///   encryption.key (0600)  seals secrets      spool/  backups on their way to a client      audit/  the audit log
class hub {
 public:
  /// Opens everything; the error says what failed and where. On return the hub serves.
  static result<std::unique_ptr<hub>> start(const hub_options& options);
  ~hub();
  hub(const hub&) = delete;
  hub& operator=(const hub&) = delete;

  host_port api_address() const;
  host_port link_address() const;
  /// Ends connections and watches, lets commits under way finish, closes the store.
  void stop();
  event_loop& loop();

 private:
  hub();
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace wh
