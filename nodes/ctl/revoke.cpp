#include "nodes/ctl/revoke.hpp"

#include "actors/names.hpp"

namespace wh::ctl {
namespace {

constexpr const char* revoked_keys = "registration.wheelhouse.io/revoked-keys";
constexpr std::string_view revoked_prefix = "revoked:";
constexpr int conflicts_max = 5;

outcome revoked(const std::string& cluster, const std::string& what, const std::string& digest) {
  return {.text = cluster + ": " + what, .fields = {{"name", cluster}, {"result", what}, {"key", digest}}};
}

outcome failed(const std::string& cluster, const std::string& why) {
  return {.text = cluster + ": " + why, .fields = {{"name", cluster}, {"error", why}}, .ok = false};
}

/// The list of a cluster's revoked keys with one more.
std::string with_key(std::string_view list, const std::string& digest) {
  if (list.find(digest) != std::string_view::npos) return std::string(list);
  return std::string(list) + (list.empty() ? "" : ",") + digest;
}

outcome revoke_one(console& c, const std::string& name) {
  for (int attempt = 0; attempt < conflicts_max; ++attempt) {
    const auto cluster = c.hub.find(clusters_path(name));
    if (!cluster) return failed(name, cluster.err().message);
    if (!*cluster) return failed(name, "there is no such cluster; whctl get clusters lists them");
    const std::string digest(annotation_of(**cluster, names::key_annotation));
    if (digest.starts_with(revoked_prefix))
      return revoked(name, "its certificate is revoked already", digest.substr(revoked_prefix.size()));
    if (digest.empty())
      return failed(name,
                    "no key is recorded for it: it has not joined, or its agents came over REST, where single "
                    "certificates are not revoked. To keep it out: whctl deny " +
                        name);
    // With the version that was read: a key that came in the meantime is not the one to revoke.
    const auto done = c.hub.merge_patch(
        clusters_path(name), {{"metadata",
                               {{"resourceVersion", string_at(**cluster, {"metadata", "resourceVersion"})},
                                {"annotations",
                                 {{names::key_annotation, std::string(revoked_prefix) + digest},
                                  {revoked_keys, with_key(annotation_of(**cluster, revoked_keys), digest)}}}}}});
    if (done)
      return revoked(name,
                     "certificate revoked; its session ends, and it must join again with a new token (whctl get token "
                     "--cluster-name " +
                         name + ") and a new key",
                     digest);
    if (done.err().code != errc::conflict) return failed(name, done.err().message);
  }
  return failed(name, "it keeps changing; try again");
}

}  // namespace

int revoke_certificates(console& c, const std::vector<std::string>& clusters) {
  std::vector<outcome> outcomes;
  for (const auto& name : clusters) outcomes.push_back(revoke_one(c, name));
  return report(c, outcomes);
}

}  // namespace wh::ctl
