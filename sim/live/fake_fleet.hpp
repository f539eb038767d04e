#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "actors/runtime/runtime.hpp"
#include "nodes/spoke/spoke_settings.hpp"
#include "sim/live/dial_queue.hpp"
#include "sim/live/fake_cluster.hpp"

namespace wh {

/// What the spokes' own side sees of a run, on the spokes' clock. Called on the threads of the actors, as a message is
/// handled: it must be quick, and may be called for several spokes at once.
class fleet_observer {
 public:
  virtual ~fleet_observer() = default;
  /// The certificate came.
  virtual void on_certificate(std::size_t spoke) = 0;
  /// The hub has welcomed it as an accepted cluster.
  virtual void on_accepted(std::size_t spoke) = 0;
  /// Everything that differed has come.
  virtual void on_synced(std::size_t spoke) = 0;
  virtual void on_disconnected(std::size_t spoke) = 0;
  /// The hub has acknowledged as durable what this spoke said of a work.
  virtual void on_report_acked(std::size_t spoke, const std::string& work, std::uint64_t seq) = 0;
  virtual void on_gave_up(std::size_t spoke, const std::string& why) = 0;
};

/// One fake cluster and its spoke.
struct fake_spoke_options {
  spoke_settings settings;
  std::uint64_t seed = 0;
  std::string source_address;  ///< what the spoke dials from; empty: the kernel chooses
  duration latency{};          ///< of its link, there and back, on top of the machine's own
  fake_cluster_options cluster;
};

/// What all spokes of a fleet share. Everything referenced must outlive the fleet.
struct fake_fleet_options {
  event_loop* loop = nullptr;
  link_dialer dial = {};  ///< empty: over sockets, from each spoke's source address
  std::size_t dials_at_once = 256;
  std::shared_ptr<live_threads> threads;
  store* data = nullptr;  ///< prescriptions, identities and reports of all
  crypto_port* crypto = nullptr;
  fleet_observer* observer = nullptr;
  std::function<void(const std::string& cluster, const address&, note)> log;  ///< may be empty
};

/// Spokes in one process: the same actors, sessions and TLS as the real ones, each with a fake cluster. Calls for one
/// spoke must not overlap; those for different spokes may.
class fake_fleet {
 public:
  fake_fleet(fake_fleet_options options, std::vector<fake_spoke_options> spokes);
  ~fake_fleet();
  fake_fleet(const fake_fleet&) = delete;
  fake_fleet& operator=(const fake_fleet&) = delete;

  std::size_t size() const;
  const std::string& name(std::size_t spoke) const;
  /// Starts the spoke, with the store's memory of its earlier life if it had one.
  result<void> start(std::size_t spoke);
  bool running(std::size_t spoke) const;
  /// Ends the spoke's actors without a word to the hub; store and cluster stay.
  void kill(std::size_t spoke);
  /// Breaks the connection, if there is one.
  void cut(std::size_t spoke, const std::string& why);
  /// While a spoke's network is down, connections break and dialling fails.
  void set_network(std::size_t spoke, bool up);
  const fake_cluster& cluster(std::size_t spoke) const;
  actor_runtime& runtime(std::size_t spoke);

 private:
  struct node;
  struct wire;
  link_dialer dialer(const node& of) const;
  runtime_options observed(runtime_options o, std::size_t spoke) const;
  void observe(std::size_t spoke, const envelope& e) const;

  const fake_fleet_options options_;
  const std::shared_ptr<dial_queue> dials_;
  std::vector<std::unique_ptr<node>> nodes_;
};

}  // namespace wh
