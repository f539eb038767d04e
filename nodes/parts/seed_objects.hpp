#pragma once
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"
#include "persistence/store.hpp"
#include "resources/kinds.hpp"

namespace wh {

/// Namespaces that every Kubernetes-style server has: default, kube-system, kube-public.
std::vector<document> standard_namespaces();

/// ConfigMap kube-system/extension-apiserver-authentication, from which programs that extend a server learn whose client
/// certificates it believes: those of its own CA, and a front proxy's, which speaks for others in headers. Nobody has such
/// a certificate as long as nothing here proxies to other servers; but such programs do not start without its CA.
document client_authentication(const std::string& ca_pem, const std::string& front_proxy_ca_pem);

/// Creates those of `objects` that do not exist yet; with `refresh`, brings existing ones to the given contents (metadata
/// other than labels stays). Blocks until durable. Called before the node serves anything.
result<void> seed_objects(store& s, const kind_registry& kinds, std::vector<document> objects, bool refresh,
                          instant now, rng& random);

/// Creates the default roles and bindings that do not exist, and brings the others up to date as Kubernetes does
/// (reconciled_access). Blocks until durable.
result<void> seed_access(store& s, const kind_registry& kinds, std::vector<document> objects, instant now, rng& random);

}  // namespace wh
