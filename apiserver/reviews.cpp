#include "apiserver/reviews.hpp"

#include <fmt/format.h>

#include "apiserver/access/token_endpoints.hpp"
#include "apiserver/body.hpp"

namespace wh {

namespace {

std::vector<std::string> strings_of(const document* list) {
  std::vector<std::string> out;
  if (list && list->is_array())
    for (const auto& g : *list)
      if (g.is_string()) out.push_back(g.get<std::string>());
  return out;
}

std::vector<std::string> groups_of(const document& spec) { return strings_of(find_path(spec, {"groups"})); }

/// The user of a SubjectAccessReview.
user_info subject_of(const document& spec) {
  user_info user{std::string(string_at(spec, {"user"})), groups_of(spec), std::string(string_at(spec, {"uid"}))};
  if (const auto* extra = find_path(spec, {"extra"}); extra && extra->is_object())
    for (const auto& [key, values] : extra->items()) user.extra[key] = strings_of(&values);
  return user;
}

access_question question_of(const document& spec, user_info user) {
  access_question q;
  q.user = std::move(user);
  auto text = [&](std::string_view part, std::string_view field) {
    return std::string(string_at(spec, {part, field}));
  };
  if (find_path(spec, {"nonResourceAttributes"})) {
    q.verb = text("nonResourceAttributes", "verb");
    q.non_resource_path = text("nonResourceAttributes", "path");
    return q;
  }
  q.verb = text("resourceAttributes", "verb");
  q.group = text("resourceAttributes", "group");
  q.resource = text("resourceAttributes", "resource");
  q.subresource = text("resourceAttributes", "subresource");
  q.ns = text("resourceAttributes", "namespace");
  q.name = text("resourceAttributes", "name");
  return q;
}

answer<void> check_spec(const document& doc, const virtual_resource& resource) {
  auto refuse = [&](const char* field, const char* why) {
    kind_info kind;
    kind.group = resource.group;
    kind.kind = resource.kind;
    return invalid_object(kind, "", {{field_error_type::invalid, field, "\"\"", why}});
  };
  bool about_resource = find_path(doc, {"spec", "resourceAttributes"}) != nullptr;
  bool about_path = find_path(doc, {"spec", "nonResourceAttributes"}) != nullptr;
  if (about_resource == about_path)
    return refuse("spec.resourceAttributes",
                  "exactly one of nonResourceAttributes or resourceAttributes must be specified");
  bool names_user = !string_at(doc, {"spec", "user"}).empty() || !groups_of(doc["spec"]).empty();
  if (resource.kind != "SelfSubjectAccessReview" && !names_user)
    return refuse("spec.user", "at least one of user or group must be specified");
  return {};
}

void answer_access(const call_ptr& call, const virtual_resource& resource, document doc) {
  if (!doc.contains("spec") || !doc["spec"].is_object()) return call->respond(bad_request("spec is required"));
  if (auto ok = check_spec(doc, resource); !ok) return call->respond(ok.err());
  const auto& spec = doc["spec"];
  bool self = resource.kind == "SelfSubjectAccessReview";
  auto q = question_of(spec, self ? call->request.user : subject_of(spec));
  if (resource.namespaced && q.ns != call->path.ns)
    return call->respond(bad_request("spec.resourceAttributes.namespace must be the namespace of the review"));
  bool allowed = call->core->options.access->allows(q);
  doc["status"] = {{"allowed", allowed}};
  if (auto why = allowed ? call->core->options.access->reason(q) : std::string(); !why.empty())
    doc["status"]["reason"] = std::move(why);
  call->respond(201, doc);
}

void answer_who(const call_ptr& call, document doc) {
  const auto& user = call->request.user;
  doc["metadata"] = {{"creationTimestamp", to_rfc3339(call->core->now())}};
  doc["status"] = {{"userInfo", user_document(user)}};
  call->respond(201, doc);
}

/// What `kubectl auth can-i --list` shows.
void answer_rules(const call_ptr& call, document doc) {
  auto ns = string_at(doc, {"spec", "namespace"});
  if (ns.empty()) return call->respond(bad_request("no namespace on request"));
  document resources = document::array(), paths = document::array();
  for (const auto& rule : call->core->options.access->rules_held(call->request.user, std::string(ns))) {
    if (!rule.resources.empty()) {
      auto shown = rule;
      shown.urls.clear();
      resources.push_back(to_document(shown));
    }
    if (!rule.urls.empty()) paths.push_back({{"verbs", rule.verbs}, {"nonResourceURLs", rule.urls}});
  }
  doc["status"] = {{"resourceRules", resources}, {"nonResourceRules", paths}, {"incomplete", false}};
  call->respond(201, doc);
}

}  // namespace

document user_document(const user_info& user) {
  document out = {{"username", user.name}, {"groups", user.groups}};
  if (!user.uid.empty()) out["uid"] = user.uid;
  if (!user.extra.empty()) out["extra"] = user.extra;
  return out;
}

void handle_review(const call_ptr& call, const virtual_resource& resource) {
  auto doc = read_plain_object(*call);
  if (!doc) return call->respond(doc.err());
  kind_info kind;
  kind.group = resource.group;
  kind.version = resource.version;
  kind.kind = resource.kind;
  if (auto ok = check_kind(kind, *doc); !ok) return call->respond(ok.err());
  if (resource.kind == "SelfSubjectReview") return answer_who(call, std::move(*doc));
  if (resource.kind == "TokenReview") return answer_token_review(call, std::move(*doc));
  if (resource.kind == "SelfSubjectRulesReview") return answer_rules(call, std::move(*doc));
  answer_access(call, resource, std::move(*doc));
}

}  // namespace wh
