#include "transport/spoke_identity.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace wh {
namespace {

constexpr const char* prefix = "system:open-cluster-management";

std::vector<std::string_view> segments_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (auto colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':')) {
    out.push_back(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  out.push_back(text);
  return out;
}

}  // namespace

result<spoke_identity> identity_of(const subject& subj) {
  const auto refuse = [&](const char* why) {
    return fail(errc::forbidden, "the certificate of " + subj.common_name + " is not a spoke's: " + why);
  };
  // Whole segments, because c1 must not pass for c1:x, nor a cluster called managed-clusters for everybody.
  const auto segments = segments_of(subj.common_name);
  if (segments.size() != 4 || segments[0] != "system" || segments[1] != "open-cluster-management")
    return refuse("its common name is not system:open-cluster-management:<cluster>:<agent>");
  spoke_identity identity{std::string(segments[2]), std::string(segments[3])};
  if (identity.cluster.empty() || identity.agent.empty()) return refuse("its common name names no cluster or no agent");
  const auto wanted = subject_of(identity).organizations;
  if (wanted[0] == wanted[1]) return refuse("its cluster has the name of the group of all clusters");
  if (!std::is_permutation(wanted.begin(), wanted.end(), subj.organizations.begin(), subj.organizations.end()))
    return refuse("its organizations are not its cluster's group and the group of all clusters");
  return identity;
}

subject subject_of(const spoke_identity& identity) {
  const auto cluster_group = std::string(prefix) + ":" + identity.cluster;
  return {cluster_group + ":" + identity.agent, {cluster_group, std::string(prefix) + ":managed-clusters"}};
}

}  // namespace wh
