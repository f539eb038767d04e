#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <unordered_set>

#include "apiserver/api.hpp"
#include "apiserver/status.hpp"

namespace wh {

namespace {

constexpr std::string_view group_of_rbac = ".rbac.authorization.k8s.io";

/// A RoleBinding or ClusterRoleBinding.
struct binding {
  std::string name;                   ///< namespace/name; without namespace: a ClusterRoleBinding
  std::string role;                   ///< key of the role: namespace/name, or /name for a ClusterRole
  std::vector<std::string> subjects;  ///< as subject_key() names them
};

std::string subject_key(const document& s) {
  auto kind = string_at(s, {"kind"});
  std::string name(string_at(s, {"name"}));
  if (kind == "User") return "u:" + name;
  if (kind == "Group") return "g:" + name;
  std::string ns(string_at(s, {"namespace"}));
  return kind == "ServiceAccount" && !ns.empty() ? "u:system:serviceaccount:" + ns + ":" + name : std::string();
}

std::string role_key(bool cluster_role, const std::string& ns, std::string_view name) {
  return (cluster_role ? "" : ns) + "/" + std::string(name);
}

binding binding_of(const document& doc, const object_key& key) {
  binding out;
  out.name = key.ns.empty() ? key.name : key.ns + "/" + key.name;
  bool cluster_role = string_at(doc, {"roleRef", "kind"}) == "ClusterRole";
  out.role = role_key(cluster_role, key.ns, string_at(doc, {"roleRef", "name"}));
  if (const auto* list = find_path(doc, {"subjects"}); list && list->is_array())
    for (const auto& s : *list)
      if (auto subject = subject_key(s); !subject.empty()) out.subjects.push_back(std::move(subject));
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
    if (is_master(q.user)) return true;
    std::shared_lock lock(mutex_);
    return find_grant(q).by != nullptr;
  }

  std::string reason(const access_question& q) const override {
    std::shared_lock lock(mutex_);
    const auto found = find_grant(q);
    if (!found.by) return {};
    bool cluster_role = found.by->role.starts_with('/');
    auto role = found.by->role.substr(found.by->role.find('/') + 1);
    return fmt::format("RBAC: allowed by {} {} of {} {} to {} {}",
                       found.by->name.find('/') == std::string::npos ? "ClusterRoleBinding" : "RoleBinding",
                       go_quote(found.by->name), cluster_role ? "ClusterRole" : "Role", go_quote(role),
                       found.subject.starts_with("g:") ? "Group" : "User", go_quote(found.subject.substr(2)));
  }

  std::vector<policy_rule> rules_held(const user_info& user, const std::string& ns) const override {
    std::vector<policy_rule> out;
    std::shared_lock lock(mutex_);
    std::unordered_set<std::string_view> seen;
    each_subject(user, [&](const std::string& subject) {
      auto found = subjects_.find(subject);
      if (found == subjects_.end()) return false;
      for (const auto& where : {std::string(), ns})
        if (auto bound = found->second.find(where); bound != found->second.end() && (where.empty() || !ns.empty()))
          for (const auto* b : bound->second)
            if (seen.insert(b->role).second)
              if (auto role = roles_.find(b->role); role != roles_.end())
                out.insert(out.end(), role->second.begin(), role->second.end());
      return false;
    });
    return out;
  }

  std::optional<std::vector<policy_rule>> rules_of_role(bool cluster_role, const std::string& ns,
                                                        const std::string& name) const override {
    std::shared_lock lock(mutex_);
    auto role = roles_.find(role_key(cluster_role, ns, name));
    if (role == roles_.end()) return std::nullopt;
    return role->second;
  }

 private:
  /// Bindings of one subject: by namespace, "" for cluster-wide ones.
  using by_namespace = std::unordered_map<std::string, std::vector<const binding*>>;

  /// What lets a question pass; `by` null: nothing does.
  struct grant {
    const binding* by = nullptr;
    std::string subject;
  };

  static bool is_master(const user_info& user) {
    return std::find(user.groups.begin(), user.groups.end(), "system:masters") != user.groups.end();
  }

  /// Calls `f` with the user's own key and those of his groups until it returns true.
  template <class F>
  static void each_subject(const user_info& user, F&& f) {
    if (f("u:" + user.name)) return;
    for (const auto& g : user.groups)
      if (f("g:" + g)) return;
  }

  grant find_grant(const access_question& q) const {
    grant out;
    each_subject(q.user, [&](const std::string& subject) {
      auto found = subjects_.find(subject);
      if (found == subjects_.end()) return false;
      out.by = granting(found->second, "", q);
      if (!out.by && !q.ns.empty() && q.non_resource_path.empty()) out.by = granting(found->second, q.ns, q);
      if (out.by) out.subject = subject;
      return out.by != nullptr;
    });
    return out;
  }

  const binding* granting(const by_namespace& bound, const std::string& ns, const access_question& q) const {
    auto found = bound.find(ns);
    if (found == bound.end()) return nullptr;
    for (const auto* b : found->second) {
      auto role = roles_.find(b->role);
      if (role == roles_.end()) continue;
      for (const auto& rule : role->second)
        if (rule_allows(rule, q)) return b;
    }
    return nullptr;
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
    if (body) bind(key, binding_of(*doc, key));
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
