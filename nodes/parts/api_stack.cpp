#include "nodes/parts/api_stack.hpp"

#include <set>

namespace wh {

api_stack::api_stack(const api_stack_options& options) : options_(options) {
  add_builtin_kinds(kinds_, options.kinds);
  access_ = make_rbac_authorizer(*options.data);
  service_account_options accounts;
  accounts.data = options.data;
  accounts.now = options.now;
  if (!options.token_issuer.empty()) accounts.issuer = options.token_issuer;
  accounts.ca_pem = options.ca_pem;
  tokens_ = std::make_unique<token_gate>(std::move(accounts));
  if (!options_.gate) {
    own_gate_ = make_store_gate(*options.data);
    options_.gate = own_gate_.get();
  }
  api_options api;
  api.data = options.data;
  api.kinds = &kinds_;
  api.gate = options_.gate;
  api.access = access_.get();
  api.tokens = tokens_.get();
  api.issuer = &tokens_->issuer();
  api.audit = options.audit;
  api.now = options.now;
  api.seed = options.seed;
  api.manifest_limit_bytes = options.manifest_limit_bytes;
  api.default_cluster_set = options.default_cluster_set;
  api.metrics = options.metrics;
  api.ready = options.ready;
  api.after = options.after;
  api.extensions = options.extensions;
  api_ = make_api_server(api);
}

api_stack::~api_stack() = default;

std::vector<std::string> api_stack::resources(bool namespaced_only) const {
  std::set<std::string> all;
  for (const auto& kind : kinds_.all())
    if (kind->storage && (kind->namespaced || !namespaced_only)) all.insert(kind->group_resource());
  return {all.begin(), all.end()};
}

result<host_port> api_stack::serve(event_loop& loop, const host_port& at, const tls_config& tls) {
  front_ = make_fair_server(*api_, options_.front, options_.now);
  auto server = serve_api(loop, at, tls, {}, *front_, options_.check_client);
  if (!server) return server.err();
  https_ = std::move(*server);
  return https_->local();
}

void api_stack::drain(duration grace) {
  api_->drain();
  if (https_) https_->drain(grace);
}

}  // namespace wh
