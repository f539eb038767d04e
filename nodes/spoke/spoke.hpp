#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/result.hpp"
#include "nodes/spoke/spoke_settings.hpp"
#include "transport/net.hpp"

namespace wh {

/// How a spoke is started.
struct spoke_options {
  std::string data_dir;
  spoke_settings flags;
  std::string cluster = "embedded";
  host_port cluster_listen{"127.0.0.1", 0};
  std::string encryption_key_file;  ///< empty: data_dir/encryption.key, made at need; `off`: secrets stay plain
  /// Called (from any thread) when going on is pointless; the program ends with a failure.
  std::function<void(const std::string& why)> on_give_up;
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
