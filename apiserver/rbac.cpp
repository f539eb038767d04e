#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "apiserver/api.hpp"

namespace wh {

namespace {

constexpr std::string_view group_of_rbac = ".rbac.authorization.k8s.io";

/// One PolicyRule.
struct policy_rule {
  std::vector<std::string> verbs, groups, resources, names, urls;
};

/// A RoleBinding or ClusterRoleBinding.
struct binding {
  std::string role;                   ///< key of the role: namespace/name, or /name for a ClusterRole
  std::vector<std::string> subjects;  ///< as subject_key() names them
};

std::vector<std::string> strings_at(const document& doc, std::string_view key) {
  std::vector<std::string> out;
  if (const auto* list = find_path(doc, {key}); list && list->is_array())
    for (const auto& v : *list)
      if (v.is_string()) out.push_back(v.get<std::string>());
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view wanted) {
  return std::any_of(list.begin(), list.end(), [&](const auto& v) { return v == "*" || v == wanted; });
}

bool matches_resource(const policy_rule& r, const access_question& q) {
  auto whole = q.subresource.empty() ? q.resource : q.resource + "/" + q.subresource;
  return std::any_of(r.resources.begin(), r.resources.end(), [&](const std::string& v) {
    return v == "*" || v == whole || (!q.subresource.empty() && v == "*/" + q.subresource);
  });
}

bool matches_url(const policy_rule& r, std::string_view path) {
  return std::any_of(r.urls.begin(), r.urls.end(), [&](const std::string& v) {
    return v == "*" || v == path || (v.ends_with('*') && path.starts_with(std::string_view(v).substr(0, v.size() - 1)));
  });
}

bool allows_rule(const policy_rule& r, const access_question& q) {
  if (!has(r.verbs, q.verb)) return false;
  if (!q.non_resource_path.empty()) return matches_url(r, q.non_resource_path);
  if (!has(r.groups, q.group) || !matches_resource(r, q)) return false;
  return r.names.empty() || std::find(r.names.begin(), r.names.end(), q.name) != r.names.end();
}

std::vector<policy_rule> rules_of(const document& role) {
  std::vector<policy_rule> out;
  if (const auto* list = find_path(role, {"rules"}); list && list->is_array())
    for (const auto& r : *list)
      out.push_back({strings_at(r, "verbs"), strings_at(r, "apiGroups"), strings_at(r, "resources"),
                     strings_at(r, "resourceNames"), strings_at(r, "nonResourceURLs")});
  return out;
}

std::string subject_key(const document& s) {
  auto kind = string_at(s, {"kind"});
  std::string name(string_at(s, {"name"}));
  if (kind == "User") return "u:" + name;
  if (kind == "Group") return "g:" + name;
  std::string ns(string_at(s, {"namespace"}));
  return kind == "ServiceAccount" && !ns.empty() ? "u:system:serviceaccount:" + ns + ":" + name : std::string();
}

binding binding_of(const document& doc, const std::string& ns) {
  binding out;
  bool cluster_role = string_at(doc, {"roleRef", "kind"}) == "ClusterRole";
  out.role = (cluster_role ? "" : ns) + "/" + std::string(string_at(doc, {"roleRef", "name"}));
  if (const auto* list = find_path(doc, {"subjects"}); list && list->is_array())
    for (const auto& s : *list)
      if (auto key = subject_key(s); !key.empty()) out.subjects.push_back(std::move(key));
  return out;
}

/// Roles and bindings, indexed by subject. A question reads; a change of one RBAC object touches only what it names, so
/// that accepting the ten thousandth cluster costs what the first did.
class rbac final : public rbac_authorizer {
 public:
  explicit rbac(store& s) : store_(s) {
    store_.subscribe(this);
    for (const char* resource : {"roles", "clusterroles", "rolebindings", "clusterrolebindings"}) {
      auto page = store_.list({resource + std::string(group_of_rbac), "", ""});
      if (!page) continue;
      std::unique_lock lock(mutex_);
      for (const auto& r : page->records) apply(r.key, r.body, r.rev);
    }
    std::unique_lock lock(mutex_);
    loading_ = false;
    newest_.clear();
  }
  ~rbac() override { store_.unsubscribe(this); }

  void on_committed(const std::vector<change>& changes) override {
    for (const auto& c : changes) {
      if (!c.key.resource.ends_with(group_of_rbac)) continue;
      std::unique_lock lock(mutex_);
      apply(c.key, c.body, c.rev);
    }
  }

  bool allows(const access_question& q) const override {
    if (std::find(q.user.groups.begin(), q.user.groups.end(), "system:masters") != q.user.groups.end()) return true;
    std::shared_lock lock(mutex_);
    if (subject_allows("u:" + q.user.name, q)) return true;
    return std::any_of(q.user.groups.begin(), q.user.groups.end(),
                       [&](const auto& g) { return subject_allows("g:" + g, q); });
  }

 private:
  /// Bindings of one subject: by namespace, "" for cluster-wide ones.
  using by_namespace = std::unordered_map<std::string, std::vector<const binding*>>;

  bool subject_allows(const std::string& subject, const access_question& q) const {
    auto found = subjects_.find(subject);
    if (found == subjects_.end()) return false;
    if (bindings_allow(found->second, "", q)) return true;
    return !q.ns.empty() && q.non_resource_path.empty() && bindings_allow(found->second, q.ns, q);
  }

  bool bindings_allow(const by_namespace& bound, const std::string& ns, const access_question& q) const {
    auto found = bound.find(ns);
    if (found == bound.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(), [&](const binding* b) {
      auto role = roles_.find(b->role);
      return role != roles_.end() &&
             std::any_of(role->second.begin(), role->second.end(), [&](const auto& r) { return allows_rule(r, q); });
    });
  }

  /// While the stored objects are read the feed runs already: the newer of both wins.
  bool is_stale(const object_key& key, revision rev) {
    if (!loading_) return false;
    auto& newest = newest_[key];
    if (newest > rev) return true;
    newest = rev;
    return false;
  }

  void apply(const object_key& key, const shared_bytes& body, revision rev) {
    if (is_stale(key, rev)) return;
    auto doc = body ? decode_body(*body) : result<document>(document());
    if (!doc) return;
    if (key.resource.find("bindings") == std::string::npos) {
      if (body) roles_[key.ns + "/" + key.name] = rules_of(*doc);
      else roles_.erase(key.ns + "/" + key.name);
      return;
    }
    unbind(key);
    if (body) bind(key, binding_of(*doc, key.ns));
  }

  void bind(const object_key& key, binding b) {
    auto& stored = bindings_[key] = std::move(b);
    for (const auto& s : stored.subjects) subjects_[s][key.ns].push_back(&stored);
  }

  void unbind(const object_key& key) {
    auto old = bindings_.find(key);
    if (old == bindings_.end()) return;
    for (const auto& s : old->second.subjects) {
      auto subject = subjects_.find(s);
      if (subject == subjects_.end()) continue;
      auto bound = subject->second.find(key.ns);
      if (bound == subject->second.end()) continue;
      std::erase(bound->second, &old->second);
      if (bound->second.empty()) subject->second.erase(bound);
      if (subject->second.empty()) subjects_.erase(subject);
    }
    bindings_.erase(old);
  }

  store& store_;
  mutable std::shared_mutex mutex_;
  bool loading_ = true;
  std::map<object_key, revision> newest_;  ///< newest revision seen of each object while loading
  std::unordered_map<std::string, std::vector<policy_rule>> roles_;  ///< by namespace/name
  std::map<object_key, binding> bindings_;                           ///< nodes of a map stay where they are
  std::unordered_map<std::string, by_namespace> subjects_;
};

}  // namespace

std::unique_ptr<rbac_authorizer> make_rbac_authorizer(store& s) { return std::make_unique<rbac>(s); }

}  // namespace wh
