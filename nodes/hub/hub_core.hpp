#pragma once
#include <functional>
#include <memory>

#include "actors/hub/managed_cluster.hpp"
#include "actors/runtime/runtime.hpp"
#include "apiserver/audit/audit_log.hpp"
#include "nodes/hub/backup_service.hpp"
#include "nodes/hub/link_host.hpp"
#include "nodes/hub/owner_gate.hpp"
#include "nodes/parts/api_stack.hpp"
#include "nodes/parts/feed_router.hpp"

namespace wh {

/// What a hub is made of, apart from sockets and files: a live hub and a simulated one differ only here.
struct hub_core_options {
  store* data = nullptr;
  crypto_port* crypto = nullptr;
  std::function<instant()> now;
  std::uint64_t seed = 0;
  link_timers timers;
  std::function<std::unique_ptr<actor_runtime>(runtime_options)> make_runtime;
  std::size_t manifest_limit_bytes = 500 * 1024;
  fair_limits front;  ///< of HTTPS, if it is served
  duration certificate_life = std::chrono::hours(24 * 365);
  registration_settings registration = {};
  std::function<void(const address&, note)> log;
  std::map<std::string, std::function<void(std::shared_ptr<api_reply>)>> extensions;  ///< as api_options
  std::string token_issuer;                                                           ///< as api_stack_options
  std::string ca_pem;                                                                 ///< as api_stack_options
  audit_log* audit = nullptr;                                                         ///< null: no audit log
  std::function<backup_figures()> backups;                                            ///< for metrics; may be absent
  /// False: without the default roles and bindings, for simulations that start thousands of nodes with masters alone.
  bool default_roles = true;
};

/// The hub's actors, API and link hosts over one store.
class hub_core {
 public:
  /// Seeds what every hub has (namespaces, roles) and starts the actors; the error is the store's.
  static result<std::unique_ptr<hub_core>> open(const hub_core_options& options);
  ~hub_core();
  hub_core(const hub_core&) = delete;
  hub_core& operator=(const hub_core&) = delete;

  api_stack& api() { return *api_; }
  hub_link_host& link() { return *link_; }
  actor_runtime& runtime() { return *runtime_; }
  /// Spokes are sent away, watches end, what is under way is answered.
  void drain(duration grace);

 private:
  explicit hub_core(const hub_core_options& options);
  void make_api();
  void make_link();
  void start_runtime();
  result<void> seed();
  void spawn_actors();
  std::unique_ptr<actor_logic> make_actor(const address& a) const;
  void to_port(envelope e, const std::optional<commit>& under);

  // Destroyed bottom up: who uses something stands below it.
  hub_core_options options_;
  rng random_;
  owner_gate gate_;
  std::unique_ptr<api_stack> api_;
  std::unique_ptr<hub_link_host> link_;
  std::unique_ptr<actor_runtime> runtime_;
  std::unique_ptr<feed_router> router_;
};

}  // namespace wh
