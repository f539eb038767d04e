#include "actors/hub/csr_approval.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"

namespace wh {
namespace {

/// Nothing that could be taken for a separator, or look like something else.
bool is_agent_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// The cluster's ManagedCluster, or null.
document cluster_of(const document& csr, const context& ctx) {
  const object_key key{names::managed_clusters, "", std::string(label_of(csr, names::cluster_name_label))};
  const auto cluster = ctx.data.read(key);
  return cluster ? decode_stored(key, cluster->body) : document();
}

/// OCM asks with a SubjectAccessReview for the right `renew`; only the cluster's own role grants it, and only while the
/// cluster is accepted (security-model 3.1): the same fact, from its source.
bool may_renew(const document& cluster) {
  return cluster.is_object() && bool_at(cluster, {"spec", "hubAcceptsClient"}, false) && !is_deleting(cluster);
}

bool owned_by_another_key(const document& cluster, const crypto_port::csr_facts& facts) {
  if (!cluster.is_object()) return false;
  const auto owner = annotation_of(cluster, names::key_annotation);
  return !owner.empty() && owner != facts.key_sha256;
}

}  // namespace

result<std::string> requested_agent(const document& csr, const crypto_port::csr_facts& facts) {
  const std::string cluster(label_of(csr, names::cluster_name_label));
  if (cluster.empty())
    return fail(errc::forbidden, "the request has no label " + std::string(names::cluster_name_label));
  if (string_at(csr, {"spec", "signerName"}) != names::client_signer)
    return fail(errc::forbidden, "the request is for another signer");
  const auto& groups = facts.organizations;
  const auto own = names::cluster_group(cluster);
  const bool own_groups =
      std::count(groups.begin(), groups.end(), own) == 1 &&
      std::count(groups.begin(), groups.end(), names::clusters_group) <= 1 &&
      std::all_of(groups.begin(), groups.end(), [&](const auto& g) { return g == own || g == names::clusters_group; });
  const std::string prefix = own + ":";
  const bool own_name = facts.common_name.starts_with(prefix) && facts.common_name.size() > prefix.size() &&
                        std::all_of(facts.common_name.begin() + static_cast<std::ptrdiff_t>(prefix.size()),
                                    facts.common_name.end(), is_agent_char);
  if (!own_groups || !own_name)
    return fail(errc::forbidden,
                fmt::format("subject {} is not the identity of cluster {}", facts.common_name, cluster));
  return facts.common_name.substr(prefix.size());
}

result<void> check_subject(const document& csr, const crypto_port::csr_facts& facts) {
  const auto& groups = facts.organizations;
  if (std::find(groups.begin(), groups.end(), "system:masters") != groups.end())
    return fail(errc::forbidden, "group system:masters cannot be signed for");
  const bool claims_cluster =
      facts.common_name.starts_with(names::user_prefix) ||
      std::any_of(groups.begin(), groups.end(), [](const auto& g) { return g.starts_with(names::user_prefix); });
  if (!claims_cluster) return {};
  auto agent = requested_agent(csr, facts);
  if (!agent) return agent.err();
  return {};
}

std::optional<std::string> approve_automatically(document& csr, const crypto_port::csr_facts& facts,
                                                 const registration_settings& settings, const context& ctx) {
  if (!requested_agent(csr, facts)) return std::nullopt;
  const auto requester = string_at(csr, {"spec", "username"});
  const auto cluster = cluster_of(csr, ctx);
  const bool renewal = requester == facts.common_name && may_renew(cluster);
  const auto& users = settings.auto_approved_users;
  const bool listed = settings.auto_approval && std::find(users.begin(), users.end(), requester) != users.end() &&
                      !owned_by_another_key(cluster, facts);
  if (!renewal && !listed) return std::nullopt;
  const std::string text = "Auto approving Managed cluster agent certificate after SubjectAccessReview.";
  set_condition(csr["status"]["conditions"],
                {.type = "Approved", .status = "True", .reason = names::auto_approval_reason, .message = text},
                ctx.now);
  for (auto& c : csr["status"]["conditions"])
    if (string_at(c, {"type"}) == "Approved") c["lastUpdateTime"] = to_rfc3339(ctx.now);
  return text;
}

}  // namespace wh
