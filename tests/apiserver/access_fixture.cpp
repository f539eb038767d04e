#include "access_fixture.hpp"

#include <catch2/catch.hpp>

#include "apiserver/access/default_roles.hpp"

namespace wh::test {

access_fixture::access_fixture(std::function<void(api_options&)> adjust)
    : api_fixture(kind_set::hub, [this, &adjust](api_options& o) {
        rbac = make_rbac_authorizer(*o.data);
        o.access = rbac.get();
        if (adjust) adjust(o);
      }) {
  make_namespace("kube-system");
  for (const auto& doc : default_access(true)) {
    const std::string path = kind_of(doc) == "ClusterRole" ? roles_path
                             : kind_of(doc) == "Role"
                                 ? "/apis/rbac.authorization.k8s.io/v1/namespaces/kube-system/roles"
                                 : bindings_path;
    REQUIRE(post(path, doc).code == 201);
  }
}

access_fixture::~access_fixture() {
  server.reset();
  rbac.reset();  // it listens to the store, which goes next
}

reply_body access_fixture::as(const std::string& user, const std::string& method, const std::string& target,
                              const document& body, std::vector<std::string> groups) {
  groups.push_back("system:authenticated");
  return call(method, target, body.is_null() ? "" : body.dump(), {.user = {user, std::move(groups)}});
}

void access_fixture::grant(const std::string& user, document rules) {
  REQUIRE(post(roles_path, {{"metadata", {{"name", "of-" + user}}}, {"rules", std::move(rules)}}).code == 201);
  REQUIRE(post(bindings_path, {{"metadata", {{"name", "of-" + user}}},
                               {"roleRef", {{"kind", "ClusterRole"}, {"name", "of-" + user}}},
                               {"subjects", document::array({{{"kind", "User"}, {"name", user}}})}})
              .code == 201);
}

document policy(std::vector<std::string> groups, std::vector<std::string> resources, std::vector<std::string> verbs) {
  return {{"apiGroups", std::move(groups)}, {"resources", std::move(resources)}, {"verbs", std::move(verbs)}};
}

}  // namespace wh::test
