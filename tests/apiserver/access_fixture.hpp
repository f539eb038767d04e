#pragma once
#include "fixture.hpp"

namespace wh::test {

/// Made before the server that asks it.
struct rbac_holder {
  std::unique_ptr<rbac_authorizer> rbac;
};

/// A server whose access is decided by RBAC objects, with the default roles in place.
class access_fixture : public rbac_holder, public api_fixture {
 public:
  explicit access_fixture(std::function<void(api_options&)> adjust = {});
  ~access_fixture();
  /// As somebody: the user and his groups (system:authenticated is added).
  reply_body as(const std::string& user, const std::string& method, const std::string& target,
                const document& body = document(), std::vector<std::string> groups = {});
  /// ClusterRole `name` with one rule, bound cluster-wide to the user of the same name as the binding.
  void grant(const std::string& user, document rules);
};

document policy(std::vector<std::string> groups, std::vector<std::string> resources, std::vector<std::string> verbs);

inline constexpr const char* roles_path = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
inline constexpr const char* bindings_path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

}  // namespace wh::test
