#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nodes/hub/hub_core.hpp"
#include "nodes/spoke/embedded_cluster.hpp"
#include "nodes/spoke/spoke_core.hpp"
#include "sim/crash_points.hpp"
#include "sim/fake_crypto.hpp"
#include "sim/virtual_link.hpp"
#include "sim/virtual_runtime.hpp"

namespace wh {

struct fleet_options {
  std::uint64_t seed = 1;
  int clusters = 3;
  network_faults faults;
  duration commit_delay_max = std::chrono::milliseconds(2);
  /// Kills nodes: a dead one is taken away at the next turn and started again after `restart_after`. Null: nobody dies.
  crash_points* crashes = nullptr;
  duration restart_after = std::chrono::seconds(1);
  duration certificate_life = std::chrono::hours(24 * 365);
  /// Keys and certificates of a node (`hub` or a cluster's name), and whom a certificate proves; empty: the fakes.
  std::function<std::unique_ptr<crypto_port>(const std::string& node)> make_crypto = {};
  identify_function identify = {};
  /// What the nodes log; empty: nobody reads it.
  std::function<void(const std::string& node, const address& who, const note& line)> log = {};
};

/// A hub and its spokes in virtual time: the same actors, session cores, request cores and stores' semantics as live, on one
/// thread, from one seed. Stores survive crashes; everything else of a node is lost with it.
class fleet {
 public:
  explicit fleet(const fleet_options& options);
  ~fleet();
  fleet(const fleet&) = delete;
  fleet& operator=(const fleet&) = delete;

  virtual_world& world() { return world_; }
  virtual_network& network() { return network_; }
  int clusters() const { return options_.clusters; }
  static std::string cluster_name(int i) { return "c" + std::to_string(i); }

  void start_hub();
  void crash_hub();
  bool hub_up() const { return hub_.core != nullptr; }
  void start_spoke(int i);
  void crash_spoke(int i);
  bool spoke_up(int i) const { return spokes_[static_cast<std::size_t>(i)].core != nullptr; }
  const std::string& gave_up(int i) const { return spokes_[static_cast<std::size_t>(i)].gave_up; }

  // The disks, which outlive the nodes.
  store& hub_store() { return *hub_.data.disk; }
  store& agent_store(int i) { return *spokes_[static_cast<std::size_t>(i)].agent.disk; }
  store& cluster_store(int i) { return *spokes_[static_cast<std::size_t>(i)].cluster.disk; }
  /// Sessions and such of the hub that is up.
  hub_link_figures hub_links() const { return hub_.core->link().figures(); }

  /// One request to the hub's API as an administrator; lets time pass until it is answered. errc::timeout: the answer did
  /// not come, and whether the write happened is unknown.
  result<document> request(const std::string& method, const std::string& target, const document& body = nullptr,
                           const std::string& content_type = "application/json");
  /// Sends a write and does not wait: for crashes in the middle of it.
  void request_blindly(const std::string& method, const std::string& target, const document& body);
  /// The same for a managed cluster's own API.
  result<document> cluster_request(int i, const std::string& method, const std::string& target,
                                   const document& body = nullptr,
                                   const std::string& content_type = "application/json");

  /// The Secret of the bootstrap token that every spoke of the fleet joins with, and its making.
  document bootstrap_token(duration life) const;
  void make_token(duration life);
  /// Approves the cluster's certificate request and accepts it, once it has asked; false if it does not within a minute.
  bool accept(int i);

 private:
  /// Callbacks of a dead node must not run: every one of them asks this first.
  using life_token = std::shared_ptr<bool>;
  /// A disk, and the node's view of it when the node can die at any moment.
  struct node_store {
    std::unique_ptr<store> disk;
    std::unique_ptr<store> mortal;
    store* view() const { return mortal ? mortal.get() : disk.get(); }
  };
  struct hub_node {
    node_store data;
    std::unique_ptr<crypto_port> crypto;
    std::unique_ptr<hub_core> core;
    life_token alive;
  };
  struct spoke_node {
    node_store agent;
    node_store cluster;
    std::unique_ptr<crypto_port> crypto;
    std::unique_ptr<spoke_core> core;
    embedded_cluster* managed = nullptr;  ///< the core's
    life_token alive;
    std::string gave_up;
  };
  /// The life of a node that is up; null while it opens, when it waits for what it writes.
  using life_lookup = std::function<life_token()>;
  node_store make_store(const std::string& node, const std::string& history, const std::string& what, life_lookup life);
  result<std::unique_ptr<cluster_port>> open_cluster(int i, post_envelope post);
  virtual_options runtime_of(const std::string& node) const;
  link_timers timers_of(const life_token& alive);
  std::function<void(const address&, note)> log_of(const std::string& node) const;
  bool is_dead(const std::string& node) const { return options_.crashes && options_.crashes->dead(node); }
  void expect_crashes();
  void bury(const std::string& node);
  void start_again(const std::string& node);
  result<document> ask(const std::string& node, const life_token& life, api_server& api, api_request request);

  fleet_options options_;
  virtual_world world_;
  virtual_network network_;
  rng seeds_;
  hub_node hub_;
  std::vector<spoke_node> spokes_;
};

/// What must hold once all is healed: every spoke holds exactly its own works at their newest generation, its cluster has
/// their objects, and the hub has seen the reports. "" or what does not hold.
std::string convergence_problem(fleet& f);

}  // namespace wh
