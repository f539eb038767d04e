#pragma once
#include <memory>
#include <string>

#include "actors/runtime/runtime.hpp"
#include "nodes/parts/api_stack.hpp"
#include "nodes/parts/feed_router.hpp"
#include "nodes/spoke/api_port.hpp"

namespace wh {

/// The embedded cluster: a durable Kubernetes-style object store with an API, and the two actors that every API server
/// needs (namespace lifecycle, garbage collection). It runs no containers, and its one synthetic Node says so.
///
/// The spoke's own actors are not here: they live in the spoke's runtime and reach this through the cluster port, as they
/// would reach a cluster of somebody else.
struct embedded_cluster_options {
  store* data = nullptr;
  std::function<instant()> now;
  std::uint64_t seed = 0;
  std::string node_name = "embedded";
  std::function<void(duration, std::function<void()>)> after;
  /// Makes the runtime of the two actors: CAF on a live spoke, virtual in the simulator.
  std::function<std::unique_ptr<actor_runtime>(runtime_options)> make_runtime;
  crypto_port* crypto = nullptr;
  std::function<void(const address&, note)> log;
  /// False: without the default roles and bindings, for simulations that start thousands of nodes with masters alone.
  bool default_roles = true;
  claim_gates claims;
};

class embedded_cluster final : public cluster_port {
 public:
  static result<std::unique_ptr<embedded_cluster>> open(const embedded_cluster_options& options, post_envelope post);
  ~embedded_cluster() override;
  api_stack& api() { return *api_; }
  void deliver(envelope e) override { port_->deliver(std::move(e)); }
  void report_facts() override { port_->report_facts(); }
  void stop(duration grace) override;

 private:
  embedded_cluster() = default;
  /// How often it is asked whether the cluster is healthy (ocm: healthCheckRetryInterval).
  static void watch_health(const std::weak_ptr<api_port>& port,
                           const std::function<void(duration, std::function<void()>)>& after);
  std::unique_ptr<api_stack> api_;
  std::unique_ptr<actor_runtime> runtime_;
  std::unique_ptr<feed_router> router_;
  std::shared_ptr<api_port> port_;
};

}  // namespace wh
