#pragma once
#include <functional>
#include <memory>
#include <string>

#include "apiserver/fair_server.hpp"
#include "apiserver/https_front.hpp"
#include "apiserver/tokens/token_gate.hpp"
#include "resources/kinds.hpp"

namespace wh {

/// What an API server is put together from.
struct api_stack_options {
  store* data = nullptr;
  kind_set kinds = kind_set::hub;
  write_gate* gate = nullptr;  ///< null: straight to the store
  std::function<instant()> now;
  std::uint64_t seed = 0;
  std::size_t manifest_limit_bytes = 500 * 1024;
  bool default_cluster_set = true;  ///< as api_options
  fair_limits front;                ///< of serve()
  std::function<std::string()> metrics;
  std::function<result<void>()> ready;
  std::map<std::string, std::function<void(std::shared_ptr<api_reply>)>> extensions;  ///< as api_options
  std::string token_issuer;             ///< of ServiceAccounts' tokens; empty: https://kubernetes.default.svc
  std::string ca_pem;                   ///< of the server, for token Secrets; empty: none
  audit_trail* audit = nullptr;         ///< null: no audit log
  certificate_check check_client = {};  ///< of serve(); null: every verified certificate is taken
  std::function<void(duration, std::function<void()>)> after;  ///< timers for watch time-outs; null: none
};

/// Kinds, access control and request core over one store: the hub's front door and the embedded cluster alike.
class api_stack {
 public:
  explicit api_stack(const api_stack_options& options);
  ~api_stack();
  api_stack(const api_stack&) = delete;
  api_stack& operator=(const api_stack&) = delete;

  kind_registry& kinds() { return kinds_; }
  api_server& api() { return *api_; }
  /// What waits and runs behind the front; zero without one.
  fair_figures front_figures() const { return front_ ? front_->figures() : fair_figures{}; }
  token_gate& tokens() { return *tokens_; }
  store& data() { return *options_.data; }

  /// Group resources of all kinds, or of the namespaced ones: for the actors that walk a namespace or everything.
  std::vector<std::string> resources(bool namespaced_only) const;

  /// Opens the HTTPS front. Call once.
  result<host_port> serve(event_loop& loop, const host_port& at, const tls_config& tls);
  /// For connections to come, once it serves.
  void set_tls(const tls_config& tls) { https_->set_tls(tls); }
  /// Ends watches, answers what is under way, closes the front.
  void drain(duration grace);

 private:
  api_stack_options options_;
  kind_registry kinds_;
  std::unique_ptr<rbac_authorizer> access_;
  std::unique_ptr<token_gate> tokens_;
  std::unique_ptr<write_gate> own_gate_;
  std::unique_ptr<api_server> api_;
  std::unique_ptr<fair_server> front_;
  std::unique_ptr<http_server> https_;
};

}  // namespace wh
