#include "tests/sim/crash_watchers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "actors/names.hpp"

namespace wh::testing {

object_key key_of_manifest(const document& manifest) {
  const auto kind = kind_of(manifest);
  const std::string resource = kind == "Namespace" ? names::namespaces
                               : kind == "Secret"  ? names::secrets
                                                   : "configmaps";
  return {resource, std::string(namespace_of(manifest)), std::string(name_of(manifest))};
}

bool has_fields(const document& live, const document& wanted) {
  if (!wanted.is_object()) return live == wanted;
  if (!live.is_object()) return false;
  return std::all_of(wanted.items().begin(), wanted.items().end(), [&](const auto& field) {
    return live.contains(field.key()) && has_fields(live[field.key()], field.value());
  });
}

disk_watcher::disk_watcher(store& disk, std::string name) : disk_(disk), name_(std::move(name)) {
  disk_.subscribe(this);
}

disk_watcher::~disk_watcher() { disk_.unsubscribe(this); }

const document* disk_watcher::find(const object_key& key) const {
  const auto it = objects_.find(key);
  return it == objects_.end() ? nullptr : &it->second;
}

void disk_watcher::blame(std::string what) {
  if (problem_.empty()) problem_ = name_ + ": " + std::move(what);
}

void disk_watcher::on_committed(const std::vector<change>& changes) {
  for (const auto& c : changes) {
    if (c.rev <= last_) blame(fmt::format("revision {} comes after {}", c.rev.get(), last_.get()));
    last_ = c.rev;
    std::optional<document> before, after;
    if (const auto it = objects_.find(c.key); it != objects_.end()) before = std::move(it->second);
    if (c.body) {
      auto doc = decode_body(*c.body);
      if (!doc) return blame(to_string(c.key) + " does not parse: " + doc.err().message);
      after = std::move(*doc);
      objects_[c.key] = *after;
    } else {
      objects_.erase(c.key);
    }
    changed(c.key, before ? &*before : nullptr, after ? &*after : nullptr);
  }
  committed();
}

std::string disk_watcher::history_problem() const {
  const auto all = disk_.changes_since({}, std::numeric_limits<std::size_t>::max());
  if (!all) return name_ + ": history cannot be read: " + all.err().message;
  std::map<object_key, shared_bytes> state;
  revision last;
  for (const auto& c : *all) {
    if (c.rev <= last) return fmt::format("{}: revision {} comes after {}", name_, c.rev.get(), last.get());
    last = c.rev;
    if (c.body) state[c.key] = c.body;
    else state.erase(c.key);
  }
  if (last != disk_.window().current || last != last_) return name_ + ": the history does not end where the disk does";
  for (const auto& [key, body] : state) {
    const auto stored = disk_.get(key);
    if (!stored || !*stored || *(*stored)->body != *body) return name_ + ": " + to_string(key) + " is not as written";
  }
  if (state.size() != objects_.size()) return name_ + ": the history and the feed tell different stories";
  return {};
}

objects_watcher::objects_watcher(store& disk, std::string name, const wishes& w, const disk_watcher& agent)
    : disk_watcher(disk, std::move(name)), wishes_(w), agent_(agent) {}

bool objects_watcher::matches(std::size_t index) const {
  std::set<object_key> listed;
  for (const auto& manifest : wishes_.versions[index]) {
    const auto key = key_of_manifest(manifest);
    const auto* live = find(key);
    if (!live || !has_fields(*live, manifest)) return false;
    listed.insert(key);
  }
  for (const auto& version : wishes_.versions)
    for (const auto& manifest : version)
      if (const auto key = key_of_manifest(manifest); !listed.contains(key) && find(key)) return false;
  return true;
}

bool objects_watcher::has_any() const {
  for (const auto& version : wishes_.versions)
    for (const auto& manifest : version)
      if (find(key_of_manifest(manifest))) return true;
  return false;
}

void objects_watcher::changed(const object_key& key, const document* before, const document* after) {
  const auto in = [&](const document& version) {
    return std::any_of(version.begin(), version.end(), [&](const auto& m) { return key_of_manifest(m) == key; });
  };
  const auto& versions = wishes_.versions;
  if (!std::any_of(versions.begin(), versions.end(), in)) return;
  const bool unlisted = wishes_.work_removed || !in(versions.back());
  if (!unlisted && (!after || is_deleting(*after))) blame(to_string(key) + " is deleted and nobody asked for it");
  if (before || !after) return;
  const auto* state = agent_.find({names::work_states, "", "w"});
  const document* remembered = state ? find_path(*state, {"applied"}) : nullptr;
  const bool known = remembered && std::any_of(remembered->begin(), remembered->end(), [&](const auto& a) {
                       return string_at(a, {"name"}) == key.name && string_at(a, {"namespace"}) == key.ns &&
                              string_at(a, {"kind"}) == kind_of(*after);
                     });
  if (!known) blame(to_string(key) + " is made before the agent remembers it");
}

void objects_watcher::committed() {
  for (std::size_t i = 0; i < wishes_.versions.size(); ++i)
    if (!true_.contains(i) && matches(i)) true_.insert(i);
}

void hub_watcher::work_changed(const object_key& key, const document* after) {
  const auto it = clusters.find(key.ns);
  if (it == clusters.end()) return blame(to_string(key) + " belongs to no cluster");
  const auto& [wanted, objects] = it->second;
  if (!after) {
    if (!wanted->work_removed) blame(to_string(key) + " is gone and nobody deleted it");
    if (objects->has_any()) blame(to_string(key) + " is gone but its objects are not");
    return;
  }
  if (is_deleting(*after) && !wanted->work_removed) blame(to_string(key) + " is deleted and nobody asked for it");
  const document* manifests = find_path(*after, {"spec", "workload", "manifests"});
  const auto& versions = wanted->versions;
  if (!manifests || std::find(versions.begin(), versions.end(), *manifests) == versions.end())
    blame(to_string(key) + " is what nobody wrote");
  const document* conditions = find_path(*after, {"status", "conditions"});
  const document* applied = conditions ? find_condition(*conditions, "Applied") : nullptr;
  if (!applied || string_at(*applied, {"status"}) != "True") return;
  const auto of = int_at(*applied, {"observedGeneration"}, 0);
  const auto version = wanted->first_version + static_cast<std::size_t>(of) - 1;
  if (of < 1 || version >= versions.size() || !objects->was_true(version))
    blame(fmt::format("{} is shown as applied at generation {}, which was never so", to_string(key), of));
}

void hub_watcher::request_changed(const document& csr) {
  const auto it = clusters.find(std::string(label_of(csr, names::cluster_name_label)));
  if (it == clusters.end()) return blame("a certificate request of no cluster");
  if (!string_at(csr, {"status", "certificate"}).empty() && !it->second.wanted->approved)
    blame("a certificate nobody approved");
}

void hub_watcher::changed(const object_key& key, const document*, const document* after) {
  if (key.resource == names::manifest_works) return work_changed(key, after);
  if (key.resource == names::csrs) return after ? request_changed(*after) : blame(to_string(key) + " is gone");
  if (key.resource != names::managed_clusters) return;
  const auto it = clusters.find(key.name);
  if (it == clusters.end()) return blame(to_string(key) + " is nobody's");
  const auto& wanted = *it->second.wanted;
  if (!wanted.detached && (!after || is_deleting(*after)))
    blame(to_string(key) + " is deleted and nobody asked for it");
  if (after && bool_at(*after, {"spec", "hubAcceptsClient"}, false) && !wanted.accepted)
    blame(to_string(key) + " is accepted by nobody");
}

void agent_watcher::changed(const object_key& key, const document*, const document* after) {
  if (!after) return;
  if (key.resource == names::identities && !string_at(*after, {"certificate"}).empty() && !wishes_.approved)
    blame("it has a certificate that nobody approved");
  if (key.resource != names::prescriptions) return;
  if (!wishes_.accepted) blame("it got a work before it was accepted");
  const auto* work = hub_.find({names::manifest_works, cluster_, key.name});
  if (work && uid_of(*work) == uid_of(*after) && !has_finalizer(*work, names::work_finalizer))
    blame("it got a work that the hub may forget");
}

}  // namespace wh::testing
