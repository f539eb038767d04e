#include "apiserver/audit/policy.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.hpp"

namespace wh {

namespace {

constexpr const char* standard_text = R"(
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  nonResourceURLs: [/healthz*, /livez*, /readyz*, /version*, /metrics, /api*, /apis*, /openapi*]
- level: None
  resources: [{group: coordination.k8s.io, resources: [leases]}]
- level: None
  resources: [{group: "", resources: [events]}, {group: events.k8s.io, resources: [events]}]
- level: None
  resources:
  - {group: authorization.k8s.io, resources: [selfsubjectaccessreviews, selfsubjectrulesreviews]}
  - {group: authentication.k8s.io, resources: [selfsubjectreviews]}
- level: Metadata
  resources: [{group: "", resources: [secrets, serviceaccounts/token]}]
- level: Metadata
  nonResourceURLs: [/operate/*]
- level: None
  verbs: [get, list, watch]
- level: Metadata
)";

using strings = std::vector<std::string>;

error wrong(const std::string& where, const std::string& what) {
  return fail(errc::invalid, fmt::format("audit policy: {}: {}", where, what));
}

bool contains(const strings& list, std::string_view v) { return std::find(list.begin(), list.end(), v) != list.end(); }

result<strings> read_strings(const document& value, const std::string& where) {
  strings out;
  if (value.is_null()) return out;
  if (!value.is_array()) return wrong(where, "must be a list");
  for (const auto& v : value) {
    if (!v.is_string()) return wrong(where, "must be a list of texts");
    out.push_back(v.get<std::string>());
  }
  return out;
}

result<strings> read_stages(const document& value, const std::string& where) {
  auto out = read_strings(value, where);
  if (!out) return out;
  for (const auto& s : *out)
    if (s != "RequestReceived" && s != "ResponseStarted" && s != "ResponseComplete" && s != "Panic")
      return wrong(where, fmt::format("unknown stage \"{}\"", s));
  return out;
}

result<audit_level> read_level(const document& value, const std::string& where) {
  const auto text = value.is_string() ? value.get<std::string>() : std::string();
  if (text == "None") return audit_level::none;
  if (text == "Metadata") return audit_level::metadata;
  if (text == "Request") return audit_level::request;
  if (text == "RequestResponse") return audit_level::request_response;
  return wrong(where, "must be one of None, Metadata, Request, RequestResponse");
}

bool resource_matches(std::string_view pattern, const audit_subject& s) {
  if (pattern == "*") return true;
  const auto slash = pattern.find('/');
  if (slash == std::string_view::npos) return s.subresource.empty() && pattern == s.resource;
  const auto resource = pattern.substr(0, slash), sub = pattern.substr(slash + 1);
  if (resource != "*" && resource != s.resource) return false;
  return sub == "*" ? !s.subresource.empty() : sub == s.subresource;
}

bool url_matches(std::string_view pattern, std::string_view path) {
  if (pattern.ends_with('*')) return path.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == path;
}

}  // namespace

/// One field of the file.
result<void> audit_policy::take(const std::string& key, const document& value) {
  if (key == "apiVersion" || key == "kind" || key == "metadata") return {};
  if (key == "omitManagedFields") {
    if (!value.is_boolean()) return wrong(key, "must be true or false");
    omit_managed_fields_ = value.get<bool>();
    return {};
  }
  if (key == "omitStages") {
    auto stages = read_stages(value, key);
    if (!stages) return stages.err();
    omitted_stages_ = std::move(*stages);
    return {};
  }
  if (key == "denials") {
    auto level = read_level(value, key);
    if (!level || *level > audit_level::metadata) return wrong(key, "must be None or Metadata");
    denials_ = *level == audit_level::metadata;
    return {};
  }
  if (key != "rules") return wrong(key, "unknown field");
  if (!value.is_array()) return wrong(key, "must be a list");
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto r = read_rule(value[i], fmt::format("rules[{}]", i));
    if (!r) return r.err();
    rules_.push_back(std::move(*r));
  }
  return {};
}

result<audit_policy> audit_policy::parse(std::string_view text) {
  auto docs = parse_yaml(text, {.bytes_max = 256 * 1024, .yaml_nodes_max = 20000});
  if (!docs) return fail(docs.err().code, "audit policy: " + docs.err().message);
  if (docs->size() != 1 || !docs->front().is_object()) return wrong("file", "must hold one object");
  const auto& doc = docs->front();
  if (kind_of(doc) != "Policy" || api_version(doc) != "audit.k8s.io/v1")
    return wrong("file", "must be of apiVersion audit.k8s.io/v1 and kind Policy");
  audit_policy out;
  for (const auto& [key, value] : doc.items())
    if (auto ok = out.take(key, value); !ok) return ok.err();
  if (out.rules_.empty()) return wrong("rules", "at least one rule is required");
  return out;
}

result<audit_policy::resources> audit_policy::read_resources(const document& doc, const std::string& where) {
  if (!doc.is_object()) return wrong(where, "must be an object");
  resources out;
  for (const auto& [key, value] : doc.items()) {
    const auto field = where + "." + key;
    if (key == "group") {
      if (!value.is_string()) return wrong(field, "must be a text");
      out.group = value.get<std::string>();
      continue;
    }
    if (key != "resources" && key != "resourceNames") return wrong(field, "unknown field");
    auto list = read_strings(value, field);
    if (!list) return list.err();
    (key == "resources" ? out.names : out.objects) = std::move(*list);
  }
  return out;
}

/// One field of a rule into the rule.
result<void> audit_policy::read_field(const std::string& key, const document& value, const std::string& field,
                                      rule& out) {
  strings* list = key == "users"             ? &out.users
                  : key == "userGroups"      ? &out.groups
                  : key == "verbs"           ? &out.verbs
                  : key == "namespaces"      ? &out.namespaces
                  : key == "nonResourceURLs" ? &out.urls
                                             : nullptr;
  if (list) {
    auto read = read_strings(value, field);
    if (!read) return read.err();
    *list = std::move(*read);
    return {};
  }
  if (key == "level") {
    auto level = read_level(value, field);
    if (!level) return level.err();
    out.level = *level;
    return {};
  }
  if (key == "omitStages") {
    auto stages = read_stages(value, field);
    if (!stages) return stages.err();
    out.omitted_stages = std::move(*stages);
    return {};
  }
  if (key == "omitManagedFields") {
    if (!value.is_boolean()) return wrong(field, "must be true or false");
    out.omit_managed_fields = value.get<bool>();
    return {};
  }
  if (key != "resources") return wrong(field, "unknown field");
  if (!value.is_array()) return wrong(field, "must be a list");
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto about = read_resources(value[i], fmt::format("{}[{}]", field, i));
    if (!about) return about.err();
    out.about.push_back(std::move(*about));
  }
  return {};
}

result<audit_policy::rule> audit_policy::read_rule(const document& doc, const std::string& where) {
  if (!doc.is_object()) return wrong(where, "must be an object");
  if (!doc.contains("level")) return wrong(where + ".level", "is required");
  rule out;
  for (const auto& [key, value] : doc.items())
    if (auto ok = read_field(key, value, where + "." + key, out); !ok) return ok.err();
  if (!out.urls.empty() && !(out.about.empty() && out.namespaces.empty()))
    return wrong(where, "nonResourceURLs go with neither resources nor namespaces");
  return out;
}

audit_policy audit_policy::standard() {
  auto policy = parse(standard_text);
  WH_ASSERT(policy);
  return *policy;
}

bool audit_policy::matches(const resources& r, const audit_subject& s) {
  if (r.group != s.group) return false;
  if (!r.names.empty() &&
      std::none_of(r.names.begin(), r.names.end(), [&](const auto& p) { return resource_matches(p, s); }))
    return false;
  return r.objects.empty() || contains(r.objects, s.name);
}

bool audit_policy::matches(const rule& r, const audit_subject& s) {
  if (!r.users.empty() && !contains(r.users, s.user.name)) return false;
  if (!r.groups.empty() &&
      std::none_of(r.groups.begin(), r.groups.end(), [&](const auto& g) { return contains(s.user.groups, g); }))
    return false;
  if (!r.verbs.empty() && !contains(r.verbs, s.verb)) return false;
  if (!r.urls.empty())
    return !s.of_resource &&
           std::any_of(r.urls.begin(), r.urls.end(), [&](const auto& u) { return url_matches(u, s.path); });
  if (r.about.empty() && r.namespaces.empty()) return true;
  if (!s.of_resource) return false;
  if (!r.namespaces.empty() && !contains(r.namespaces, s.ns)) return false;
  return r.about.empty() || std::any_of(r.about.begin(), r.about.end(), [&](const auto& a) { return matches(a, s); });
}

audit_decision audit_policy::decide(const audit_subject& s) const {
  for (const auto& r : rules_) {
    if (!matches(r, s)) continue;
    const auto wanted = [&](std::string_view stage) {
      return !contains(omitted_stages_, stage) && !contains(r.omitted_stages, stage);
    };
    return {.level = r.level,
            .tells_start = wanted("ResponseStarted"),
            .tells_end = wanted("ResponseComplete"),
            .managed_fields = !r.omit_managed_fields.value_or(omit_managed_fields_)};
  }
  return {};
}

}  // namespace wh
