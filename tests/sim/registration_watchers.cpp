#include "tests/sim/registration_watchers.hpp"

#include <fmt/format.h>

#include "actors/names.hpp"
#include "base/encoding.hpp"

namespace wh::testing {

void hub_registration_watcher::on_committed(const std::vector<change>& changes) {
  for (const auto& c : changes) {
    if (!c.body || !problem.empty()) continue;
    const bool request = c.key.resource == names::csrs;
    if (!request && c.key.resource != names::managed_clusters) continue;
    const auto doc = decode_body(*c.body);
    if (!doc) continue;
    request ? check_request(c, *doc) : check_cluster(c, *doc);
  }
}

void hub_registration_watcher::check_request(const change& c, const document& csr) {
  if (string_at(csr, {"status", "certificate"}).empty()) return;
  if (c.previous) {
    const auto before = decode_body(*c.previous);
    if (before && string_at(*before, {"status", "certificate"}) == string_at(csr, {"status", "certificate"})) return;
  }
  ++certificates;
  const auto facts = fake_identity(from_base64(string_at(csr, {"status", "certificate"})).value());
  const auto cluster = std::string(label_of(csr, names::cluster_name_label));
  if (!facts.subj.common_name.starts_with(names::cluster_group(cluster) + ":"))
    problem = fmt::format("{} got a certificate of {}", c.key.name, facts.subj.common_name);
  if (condition_status(csr, "Approved") != "True") problem = c.key.name + " was signed without approval";
  if (approved_by_hand.contains(c.key.name)) return;
  // Nobody approved it: it must be a renewal, by the identity itself, of a cluster that was accepted.
  if (string_at(csr, {"spec", "username"}) != facts.subj.common_name)
    problem = fmt::format("{} of {} was approved by nobody", c.key.name, string_at(csr, {"spec", "username"}));
}

void hub_registration_watcher::check_cluster(const change& c, const document& cluster) {
  if (!c.previous) return;
  const auto before = decode_body(*c.previous);
  if (!before || uid_of(*before) != uid_of(cluster)) return;
  const auto key_was = annotation_of(*before, names::key_annotation),
             key_is = annotation_of(cluster, names::key_annotation);
  const auto was = parse_rfc3339(annotation_of(*before, names::certificate_since));
  const auto is = parse_rfc3339(annotation_of(cluster, names::certificate_since));
  if (was && (!is || *is < *was)) problem = c.key.name + ": its certificates went back";
  if (key_was == key_is || !was) return;
  ++successions;
  if (is && *is == *was && !key_was.starts_with(names::revoked_prefix))
    problem = c.key.name + ": its key changed without a newer certificate";
}

spoke_registration_watcher::spoke_registration_watcher(store& agent, store& objects, std::string cluster)
    : agent_(agent), objects_(objects), cluster_(std::move(cluster)) {
  agent_.subscribe(this);
  objects_.subscribe(this);
}

spoke_registration_watcher::~spoke_registration_watcher() {
  agent_.unsubscribe(this);
  objects_.unsubscribe(this);
}

void spoke_registration_watcher::on_committed(const std::vector<change>& changes) {
  for (const auto& c : changes) {
    if (c.key.resource == names::prescriptions && c.body && forbidden.contains(c.key.name))
      problem = fmt::format("{} got {} while it was refused", cluster_, c.key.name);
    if (c.key.resource == "configmaps" && c.key.ns == "default" && !c.body && !may_vanish.contains(c.key.name))
      problem = fmt::format("{} lost {} and nobody asked for it", cluster_, c.key.name);
    if (c.key.resource != names::identities || !c.body) continue;
    const auto doc = decode_body(*c.body);
    if (!doc) continue;
    keys = 0;
    const auto text = doc->dump();
    for (auto at = text.find("\"key "); at != std::string::npos; at = text.find("\"key ", at + 1)) ++keys;
    if (keys > 2) problem = fmt::format("{} keeps {} private keys", cluster_, keys);
  }
}

}  // namespace wh::testing
