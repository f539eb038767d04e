#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/spoke/cluster_claims.hpp"
#include "base/result.hpp"
#include "nodes/spoke/cluster_facts.hpp"
#include "nodes/spoke/spoke_settings.hpp"
#include "transport/net.hpp"

namespace wh {

/// How a spoke is started to leave its hub.
struct spoke_leave {
  bool keep_workloads = false;
  duration patience = std::chrono::seconds(30);  ///< for the hub to answer, and for one more work to go
  /// As on_give_up. The identity is erased.
  std::function<void(bool hub_told)> on_left;
  /// Progress, a line at a time, from any thread.
  std::function<void(const std::string& line)> say;
};

/// How a spoke is started.
struct spoke_options {
  std::string data_dir;
  spoke_settings flags;
  claim_limits claims;
  claim_gates gates;
  std::string cluster = "embedded";
  host_port cluster_listen{"127.0.0.1", 0};
  std::string encryption_key_file;  ///< empty: data_dir/encryption.key, made at need; `off`: secrets stay plain
  /// Called (from any thread) when going on is pointless; the program ends with a failure.
  std::function<void(const std::string& why)> on_give_up;
  /// Set: nothing is served, and the cluster leaves its hub.
  std::optional<spoke_leave> leave = {};
};
result<void> validate(const spoke_options& options);

/// The spoke process: its actors, its link to the hub, and the managed cluster that it keeps. Files in the data folder:
///   spoke.json (0600)   agent/ prescriptions, identity, reports   cluster/ and cluster-pki/ the embedded cluster
///   cluster.kubeconfig (0600)   for kubectl against the embedded cluster
///   encryption.key (0600)   seals secrets and the spoke's private key
class spoke {
 public:
  static result<std::unique_ptr<spoke>> start(const spoke_options& options);
  ~spoke();
  spoke(const spoke&) = delete;
  spoke& operator=(const spoke&) = delete;

  const spoke_settings& settings() const;
  /// The hub's addresses and the proxy, for people; no password.
  std::string way_to_hub() const;
  host_port cluster_address() const;
  void stop();
  event_loop& loop();

 private:
  spoke();
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace wh
