// The two sets that every hub has.
#include <fmt/format.h>

#include "actors/hub/cluster_sets_detail.hpp"
#include "actors/names.hpp"

namespace wh::sets_detail {
namespace {

document selector_due(const std::string& name) {
  if (name == global_cluster_set) return {{"selectorType", "LabelSelector"}, {"labelSelector", document::object()}};
  return {{"selectorType", "ExclusiveClusterSetLabel"}};
}

/// As good as the one due: it may write absence out.
bool is_kept_selector(const std::string& name, const document& set) {
  const auto* labels = find_path(set, {"spec", "clusterSelector", "labelSelector"});
  const bool has_labels = labels && labels->is_object();
  const auto type = string_at(set, {"spec", "clusterSelector", "selectorType"});
  if (name != global_cluster_set) return type == "ExclusiveClusterSetLabel" && !has_labels;
  const auto is_empty = [&](const char* key) {
    const auto* part = find_path(*labels, {key});
    return !part || part->empty();
  };
  return type == "LabelSelector" && has_labels && is_empty("matchLabels") && is_empty("matchExpressions");
}

void make_set(const object_key& key, const context& ctx, outbox& out) {
  document set = new_object(ctx, "cluster.open-cluster-management.io/v1beta2", "ManagedClusterSet", "", key.name);
  // Not random: which actor of a hub starts first must not show. One that is made anew is another one.
  set["metadata"]["uid"] =
      uid_from(ctx.data.store_incarnation() + "/" + key.name + "/" + to_rfc3339_micro(ctx.now), ctx);
  set["spec"] = {{"clusterSelector", selector_due(key.name)}};
  out.writes.preconditions.push_back(absent{key});
  out.store(key, encode_body(set));
  out.log(note_level::info, fmt::format("set {} is made", key.name));
}

/// False: an earlier batch writes the set, look again.
bool keep_set(const std::string& name, const context& ctx, outbox& out) {
  const object_key key{names::cluster_sets, "", name};
  auto set = draft::open(key, ctx);
  if (!set) {
    make_set(key, ctx, out);
    return true;
  }
  if (set->in_flight()) return false;
  auto& doc = set->doc();
  if (is_deleting(doc) || annotation_of(doc, names::autoupdate_annotation) == "false" || is_kept_selector(name, doc))
    return true;
  doc["spec"]["clusterSelector"] = selector_due(name);
  doc["metadata"]["generation"] = generation_of(doc).get() + 1;
  set->save(out);
  out.writes.preconditions.push_back(at_revision{key, set->rev()});
  out.log(note_level::warning, fmt::format("set {}: an edit of its clusterSelector is taken back", name));
  return true;
}

}  // namespace

bool is_kept(const cluster_sets& self, const std::string& name) {
  return self.keeps_default_sets && (name == default_cluster_set || name == global_cluster_set);
}

bool keep_sets(const cluster_sets& self, const context& ctx, outbox& out) {
  bool done = true;
  for (const char* name : {default_cluster_set, global_cluster_set})
    if (is_kept(self, name)) done &= keep_set(name, ctx, out);
  return done;
}

}  // namespace wh::sets_detail
