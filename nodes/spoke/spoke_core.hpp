#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/runtime/runtime.hpp"
#include "actors/spoke/cluster_claims.hpp"
#include "nodes/spoke/cluster_port.hpp"
#include "nodes/spoke/link_host.hpp"
#include "nodes/spoke/spoke_settings.hpp"

namespace wh {

/// What a spoke is made of, apart from sockets and files: a live spoke and a simulated one differ only here.
struct spoke_core_options {
  store* agent_data = nullptr;  ///< prescriptions, identity, reports
  open_cluster_port open_cluster;
  crypto_port* crypto = nullptr;
  std::function<instant()> now;
  std::uint64_t seed = 0;
  link_timers timers;
  link_dialer dial;
  std::function<std::unique_ptr<actor_runtime>(runtime_options)> make_runtime;
  spoke_settings settings;
  claim_limits claims = {};
  /// Set: the spoke is started to leave its hub, and does nothing else.
  std::optional<leave_due> leaving = {};
  duration leave_patience = std::chrono::seconds(30);  ///< as agent_options
  std::function<void(const std::string& why)> on_give_up;
  /// The cluster has left its hub; may be empty where nobody asks it to.
  std::function<void(bool hub_told)> on_left = {};
  std::function<void(const address&, note)> log;
};

/// The spoke's actors, its link host and the port to its cluster.
class spoke_core {
 public:
  static result<std::unique_ptr<spoke_core>> open(const spoke_core_options& options);
  ~spoke_core() = default;
  spoke_core(const spoke_core&) = delete;
  spoke_core& operator=(const spoke_core&) = delete;

  actor_runtime& runtime() { return *runtime_; }
  /// Starts the actors; everything that they may call must be ready.
  void start();
  void drain(duration grace);

 private:
  explicit spoke_core(const spoke_core_options& options);
  result<void> make_link();
  void make_runtime();
  std::unique_ptr<actor_logic> make_actor(const address& a) const;
  void to_port(envelope e);
  void to_node(const envelope& e);

  // Destroyed bottom up: who uses something stands below it.
  spoke_core_options options_;
  std::string hub_hash_;
  std::string instance_;  ///< of this run: two machines with one identity differ in it
  std::unique_ptr<cluster_port> cluster_;
  std::unique_ptr<spoke_link_host> link_;
  std::unique_ptr<actor_runtime> runtime_;
};

}  // namespace wh
