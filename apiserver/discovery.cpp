#include "apiserver/discovery.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <tuple>

namespace wh {

namespace {

/// One row of a resource list.
struct entry {
  std::string name;
  std::string kind;
  std::string singular;
  bool namespaced = false;
  std::vector<std::string> verbs;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  std::vector<std::string> subresources;
};

using group_versions = std::map<std::string, std::map<std::string, std::vector<entry>>>;

entry entry_of(const kind_info& k) {
  static const std::vector<std::string> verbs = {"create", "delete", "deletecollection", "get",
                                                 "list",   "patch",  "update",           "watch"};
  return {k.plural, k.kind, k.singular, k.namespaced, verbs, k.short_names, k.categories, subresources_of(k)};
}

group_versions served(const kind_registry& kinds) {
  group_versions out;
  for (const auto& k : kinds.all()) out[k->group][k->version].push_back(entry_of(*k));
  for (const auto& v : virtual_resources())
    out[v.group][v.version].push_back({v.plural, v.kind, "", v.namespaced, {"create"}, {}, {}, {}});
  return out;
}

std::vector<std::string> versions_of(const std::map<std::string, std::vector<entry>>& versions) {
  std::vector<std::string> out;
  for (const auto& [v, entries] : versions) out.push_back(v);
  std::sort(out.begin(), out.end(), version_precedes);
  return out;
}

document group_document(const std::string& name, const std::map<std::string, std::vector<entry>>& versions) {
  document list = document::array();
  for (const auto& v : versions_of(versions)) list.push_back({{"groupVersion", name + "/" + v}, {"version", v}});
  return {{"name", name}, {"preferredVersion", list.front()}, {"versions", list}};
}

document verbs_of_subresource(const std::string& sub) {
  if (sub == "token") return document::array({"create"});
  return sub == "finalize" ? document::array({"update"}) : document::array({"get", "patch", "update"});
}

/// Kind of a subresource's bodies, where it is not the resource's own; group and version along with it.
std::optional<document> kind_of_subresource(const std::string& sub) {
  if (sub == "token") return document{{"group", "authentication.k8s.io"}, {"version", "v1"}, {"kind", "TokenRequest"}};
  if (sub == "scale") return document{{"group", "autoscaling"}, {"version", "v1"}, {"kind", "Scale"}};
  return std::nullopt;
}

document resource_document(const entry& e) {
  document d = {{"name", e.name},
                {"singularName", e.singular},
                {"namespaced", e.namespaced},
                {"kind", e.kind},
                {"verbs", e.verbs}};
  if (!e.short_names.empty()) d["shortNames"] = e.short_names;
  if (!e.categories.empty()) d["categories"] = e.categories;
  return d;
}

document aggregated_resource(const entry& e, const std::string& group, const std::string& version) {
  const document kind = {{"group", group}, {"version", version}, {"kind", e.kind}};
  document d = {{"resource", e.name},
                {"responseKind", kind},
                {"scope", e.namespaced ? "Namespaced" : "Cluster"},
                {"singularResource", e.singular},
                {"verbs", e.verbs}};
  if (!e.short_names.empty()) d["shortNames"] = e.short_names;
  if (!e.categories.empty()) d["categories"] = e.categories;
  for (const auto& sub : e.subresources)
    d["subresources"].push_back({{"subresource", sub},
                                 {"responseKind", kind_of_subresource(sub).value_or(kind)},
                                 {"verbs", verbs_of_subresource(sub)}});
  return d;
}

/// A version taken apart: stability (2 stable, 1 beta, 0 alpha, -1 unknown), major, minor.
std::tuple<int, int, int> rank_of(std::string_view v) {
  constexpr std::tuple<int, int, int> unknown{-1, 0, 0};
  if (v.size() < 2 || v[0] != 'v') return unknown;
  int major = 0;
  auto [p, ec] = std::from_chars(v.data() + 1, v.data() + v.size(), major);
  if (ec != std::errc{}) return unknown;
  std::string_view rest(p, static_cast<std::size_t>(v.data() + v.size() - p));
  if (rest.empty()) return {2, major, 0};
  int stability = rest.starts_with("beta") ? 1 : rest.starts_with("alpha") ? 0 : -1;
  rest.remove_prefix(std::min<std::size_t>(rest.size(), stability == 1 ? 4 : 5));
  int minor = 0;
  if (stability < 0 || std::from_chars(rest.data(), rest.data() + rest.size(), minor).ec != std::errc{}) return unknown;
  return {stability, major, minor};
}

}  // namespace

const std::vector<virtual_resource>& virtual_resources() {
  static const std::vector<virtual_resource> all = {
      {"authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", false},
      {"authentication.k8s.io", "v1", "tokenreviews", "TokenReview", false},
      {"authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", true},
      {"authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", false},
      {"authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview", false},
      {"authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", false},
  };
  return all;
}

std::vector<std::string> subresources_of(const kind_info& kind) {
  std::vector<std::string> out;
  if (kind.group == "certificates.k8s.io" && kind.plural == "certificatesigningrequests") out.push_back("approval");
  if (kind.group.empty() && kind.plural == "namespaces") out.push_back("finalize");
  if (kind.scale) out.push_back("scale");
  if (kind.has_status) out.push_back("status");
  if (kind.group.empty() && kind.plural == "serviceaccounts") out.push_back("token");
  return out;
}

bool version_precedes(std::string_view a, std::string_view b) {
  auto ra = rank_of(a);
  auto rb = rank_of(b);
  return ra != rb ? ra > rb : a < b;
}

std::string discovery_cache::cached(const std::string& key, std::string (discovery_cache::*build)(const std::string&)) {
  std::lock_guard lock(mutex_);
  if (auto v = kinds_.version(); v != version_) {
    texts_.clear();
    version_ = v;
  }
  auto [it, fresh] = texts_.try_emplace(key);
  if (fresh) it->second = (this->*build)(key.substr(key.find(' ') + 1));
  std::string out = it->second;
  if (out.empty()) texts_.erase(it);  // what clients make up must not fill the cache
  return out;
}

std::string discovery_cache::core_versions() const {
  return R"({"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[]})";
}

std::string discovery_cache::groups() { return cached("groups ", &discovery_cache::build_groups); }
std::string discovery_cache::group(const std::string& name) {
  return cached("group " + name, &discovery_cache::build_group);
}

std::string discovery_cache::resources(const std::string& group, const std::string& version) {
  return cached("resources " + (group.empty() ? version : group + "/" + version), &discovery_cache::build_resources);
}

std::string discovery_cache::aggregated(bool core, const std::string& version) {
  return cached("aggregated " + version + (core ? "/core" : "/groups"), &discovery_cache::build_aggregated);
}

std::string discovery_cache::build_groups(const std::string&) {
  document out = {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", document::array()}};
  for (const auto& [name, versions] : served(kinds_))
    if (!name.empty()) out["groups"].push_back(group_document(name, versions));
  return out.dump();
}

std::string discovery_cache::build_group(const std::string& name) {
  auto all = served(kinds_);
  auto it = all.find(name);
  if (name.empty() || it == all.end()) return {};
  document out = group_document(name, it->second);
  out["kind"] = "APIGroup";
  out["apiVersion"] = "v1";
  return out.dump();
}

std::string discovery_cache::build_resources(const std::string& group_version) {
  auto gv = split_api_version(group_version);
  auto all = served(kinds_);
  auto group = all.find(gv.group);
  if (group == all.end()) return {};
  auto version = group->second.find(gv.version);
  if (version == group->second.end()) return {};
  document out = {{"kind", "APIResourceList"}, {"apiVersion", "v1"}, {"groupVersion", group_version}};
  out["resources"] = document::array();
  for (const auto& e : version->second) {
    out["resources"].push_back(resource_document(e));
    for (const auto& sub : e.subresources) {
      document row = {{"name", e.name + "/" + sub},
                      {"singularName", ""},
                      {"namespaced", e.namespaced},
                      {"kind", e.kind},
                      {"verbs", verbs_of_subresource(sub)}};
      if (const auto other = kind_of_subresource(sub)) row.update(*other);
      out["resources"].push_back(std::move(row));
    }
  }
  return out.dump();
}

std::string discovery_cache::build_aggregated(const std::string& which) {
  auto slash = which.find('/');
  bool core = which.substr(slash + 1) == "core";
  document out = {{"kind", "APIGroupDiscoveryList"},
                  {"apiVersion", "apidiscovery.k8s.io/" + which.substr(0, slash)},
                  {"metadata", document::object()},
                  {"items", document::array()}};
  for (const auto& [name, versions] : served(kinds_)) {
    if (name.empty() != core) continue;
    document group = {{"metadata", document::object()}, {"versions", document::array()}};
    if (!name.empty()) group["metadata"]["name"] = name;
    for (const auto& v : versions_of(versions)) {
      document resources = document::array();
      for (const auto& e : versions.at(v)) resources.push_back(aggregated_resource(e, name, v));
      group["versions"].push_back({{"version", v}, {"freshness", "Current"}, {"resources", std::move(resources)}});
    }
    out["items"].push_back(std::move(group));
  }
  return out.dump();
}

}  // namespace wh
