#pragma once
#include <string>
#include <vector>

#include "apiserver/core.hpp"

namespace wh {

/// One write as the kinds' own rules see it.
struct admission {
  const api_call& call;
  const document* old;  ///< null on create
  document& object;     ///< may be completed
  std::string_view subresource;
  instant now;
  std::vector<field_error> errors;         ///< 422, together with what the schema says
  std::vector<std::string> warnings = {};  ///< for the client, if the object is taken

  bool creates() const { return old == nullptr; }
  const user_info& user() const { return call.request.user; }
  const object_key key() const {
    return {call.kind.stored->group_resource(), call.path.ns, std::string(name_of(object))};
  }
  bool allowed(std::string verb, std::string group, std::string resource, std::string sub, std::string name,
               std::string ns = {}) const;
};

/// Completes an object before it is validated: what Kubernetes does in mutating admission and in
/// PrepareForCreate/Update.
answer<void> complete_object(admission& a);

/// Refuses what the schema cannot express. Adds field errors, or answers with a Status of its own.
answer<void> check_object(admission& a);

/// Whether the user may delete this object at all.
answer<void> check_delete(const api_call& call, const object_key& key);

/// What a write to a subresource may change; everything else is taken from the old object.
document confine_to_subresource(const api_call& call, const document& old, document next);

// --- the kinds' rules, one file each ---------------------------------------------------------------------------------
answer<void> check_manifest_work(admission& a);
answer<void> check_work_template(admission& a);
answer<void> check_klusterlet(admission& a);
answer<void> complete_managed_cluster(admission& a);
answer<void> check_managed_cluster(admission& a);
answer<void> check_cluster_set(admission& a);
answer<void> check_cluster_set_binding(admission& a);
answer<void> check_policy(admission& a);
answer<void> check_policy_set(admission& a);
/// core/v1 and events.k8s.io/v1.
answer<void> check_event(admission& a);
answer<void> check_new_event(admission& a);
answer<void> complete_csr(admission& a);
answer<void> check_csr(admission& a);

}  // namespace wh
