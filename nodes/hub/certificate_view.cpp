#include "nodes/hub/certificate_view.hpp"

#include <fmt/format.h>

#include <mutex>

#include "actors/names.hpp"
#include "resources/document.hpp"

namespace wh {
namespace {

/// The cluster of `system:open-cluster-management:<cluster>:<agent>`; empty for everybody else.
std::string_view cluster_of(std::string_view user) {
  const std::string_view prefix = names::user_prefix;
  if (!user.starts_with(prefix)) return {};
  user.remove_prefix(prefix.size());
  const auto colon = user.find(':');
  return colon == std::string_view::npos ? std::string_view() : user.substr(0, colon);
}

}  // namespace

certificate_view::certificate_view(const store& s) {
  const auto all = s.list({names::managed_clusters, "", ""});
  if (!all) return;
  for (const auto& r : all->records) take(r.key, r.body);
}

void certificate_view::note(const change& c) {
  if (c.key.resource == names::managed_clusters) take(c.key, c.body);
}

void certificate_view::take(const object_key& key, const shared_bytes& body) {
  const auto doc = body ? decode_body(*body) : result<document>(document());
  const auto owner = doc && body ? annotation_of(*doc, names::key_annotation) : std::string_view();
  const auto since =
      owner.empty() ? fail(errc::not_found, "") : parse_rfc3339(annotation_of(*doc, names::certificate_since));
  const std::unique_lock lock(mutex_);
  if (owner.empty()) clusters_.erase(key.name);
  else clusters_[key.name] = {std::string(owner), since ? *since : instant{}};
}

result<void> certificate_view::check(const peer_identity& peer) const {
  if (!peer.has_certificate) return {};
  const auto cluster = cluster_of(peer.subj.common_name);
  if (cluster.empty()) return {};
  const std::shared_lock lock(mutex_);
  const auto it = clusters_.find(cluster);
  if (it == clusters_.end() || it->second.key == peer.public_key_sha256 || peer.not_before > it->second.since)
    return {};
  const bool revoked = it->second.key.starts_with(names::revoked_prefix);
  return fail(errc::unauthorized,
              revoked ? fmt::format("the certificates of cluster {} were revoked", cluster)
                      : fmt::format("the certificate of {} is superseded by a newer one", peer.subj.common_name));
}

}  // namespace wh
