#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "nodes/spoke/cluster_port.hpp"
#include "resources/kinds.hpp"
#include "transport/link_ports.hpp"

namespace wh {

/// How a fake cluster behaves.
struct fake_cluster_options {
  const kind_registry* kinds = nullptr;  ///< of all fake clusters together
  link_timers timers;
  std::function<instant()> now;
  std::uint64_t seed = 0;
  duration delay_min{};         ///< until a write is answered, and again until a workload is ready
  duration delay_max{};         ///< zero: at once
  double failure_rate = 0;      ///< of writes that fail and would succeed when tried again
  double never_ready_rate = 0;  ///< of workloads that do not become ready
  cluster_facts facts;
};

/// A managed cluster that is nothing but objects in memory. It checks what a Kubernetes API server checks for a spoke
/// (resource versions, UIDs, namespaces, finalizers), and gives workloads (whatever has spec.replicas) a ready status
/// after a while. It outlives its spoke, as clusters do. Thread-safe; `kinds` must outlive it.
class fake_cluster : public std::enable_shared_from_this<fake_cluster> {
 public:
  static std::shared_ptr<fake_cluster> make(fake_cluster_options options);
  /// The port of a spoke's life; the one before must have stopped.
  std::unique_ptr<cluster_port> attach(post_envelope post);
  /// Objects that exist, those of a kind, or one: for oracles.
  std::size_t objects() const;
  std::size_t objects(const std::string& kind) const;

 private:
  class port;
  struct line;
  struct stored {
    shared_bytes body;  ///< as in the stores: without resourceVersion
    revision rev;
    kind_ptr kind;
  };
  using changes = std::vector<std::pair<cluster_object, revision>>;

  explicit fake_cluster(fake_cluster_options options);
  void call(const std::shared_ptr<line>& by, const cluster_call& m, const address& from);
  void watch(const cluster_watch& m, const address& from);
  cluster_reply carry_out(const cluster_call& m);
  result<shared_bytes> act(const cluster_call& m, const kind_ptr& kind, changes& changed);
  result<shared_bytes> create(const cluster_call& m, const kind_ptr& kind, changes& changed);
  result<shared_bytes> replace(const cluster_call& m, changes& changed);
  /// Knows no owners: what is applied is merged in.
  result<shared_bytes> apply(const cluster_call& m, const kind_ptr& kind, changes& changed);
  result<shared_bytes> remove(const cluster_call& m, changes& changed);
  bool has_namespace(const std::string& ns) const;
  shared_bytes keep(const cluster_object& o, const kind_ptr& kind, const document& doc, changes& changed);
  void drop(const cluster_object& o, changes& changed);
  void make_ready_later(const cluster_object& o, const document& doc);
  void make_ready(const cluster_object& o, const std::string& uid);
  void tell(const changes& changed);
  duration delay();

  const fake_cluster_options options_;
  mutable std::mutex mutex_;  ///< guards what follows
  rng random_;
  revision revision_;
  std::map<cluster_object, stored> objects_;
  std::map<cluster_object, std::vector<address>> watchers_;
  std::weak_ptr<line> line_;  ///< of the spoke's present life
};

}  // namespace wh
