#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "nodes/parts/api_stack.hpp"
#include "nodes/spoke/cluster_facts.hpp"
#include "nodes/spoke/cluster_port.hpp"

namespace wh {

/// The cluster port's calls on an API server inside this process: calls become requests of its core, watches hang on its store's
/// feed. Thread-safe.
class api_port final : public feed_listener {
 public:
  /// Both must outlive the port.
  api_port(api_stack& cluster, const claim_gates& gates, post_envelope post);
  ~api_port() override;
  api_port(const api_port&) = delete;
  api_port& operator=(const api_port&) = delete;

  /// As cluster_port.
  void deliver(envelope e);
  void report_facts();
  /// To be called every few seconds: reports facts when the cluster has become healthy or ceased to be.
  void look_at_health();

  void on_committed(const std::vector<change>& changes) override;

 private:
  void call(const cluster_call& m, const address& from);
  void watch(const cluster_watch& m, const address& from);
  kind_ptr kind_of_object(const cluster_object& o) const;
  void hang_on(const address& who, const cluster_object& object);
  void resolve_later_kinds();

  api_stack& cluster_;
  const claim_gates gates_;
  post_envelope post_;
  std::mutex mutex_;
  std::map<object_key, std::map<address, cluster_object>> watchers_;
  std::map<address, std::vector<object_key>> watched_by_;
  /// Watches of objects whose kind the cluster does not know yet: their CustomResourceDefinition may come.
  std::map<address, std::vector<cluster_object>> of_unknown_kind_;
  std::uint64_t kinds_version_ = 0;
  bool healthy_ = true;  ///< as reported last
};

}  // namespace wh
