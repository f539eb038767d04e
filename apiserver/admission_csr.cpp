#include <fmt/format.h>

#include "apiserver/admission.hpp"

namespace wh {

namespace {

const document* conditions_of(const document& csr) {
  const auto* list = find_path(csr, {"status", "conditions"});
  return list && list->is_array() ? list : nullptr;
}

bool decided(const document& csr, std::string_view type) {
  const auto* list = conditions_of(csr);
  return list && find_condition(*list, type) != nullptr;
}

/// A signer's own name, or its whole domain as `domain/*`, as Kubernetes checks.
bool may(const admission& a, const char* verb) {
  std::string signer(string_at(a.object, {"spec", "signerName"}));
  std::string domain = signer.substr(0, signer.find('/')) + "/*";
  return a.allowed(verb, "certificates.k8s.io", "signers", "", signer) ||
         a.allowed(verb, "certificates.k8s.io", "signers", "", domain);
}

answer<void> refuse(const admission& a, const char* what) {
  return forbidden_error(a.call.resource(), name_of(a.object),
                         fmt::format("user not permitted to {} requests with signerName {}", what,
                                     go_quote(string_at(a.object, {"spec", "signerName"}))));
}

/// The requester is whom the server saw, never whom the request names: approvers decide by it.
void stamp_requester(admission& a) {
  auto spec = a.object.find("spec");
  if (spec == a.object.end() || !spec->is_object()) return;  // the schema complains
  (*spec)["username"] = a.user().name;
  (*spec)["groups"] = a.user().groups;
  spec->erase("uid");
  spec->erase("extra");
  if (!a.user().uid.empty()) (*spec)["uid"] = a.user().uid;
  if (!a.user().extra.empty()) (*spec)["extra"] = a.user().extra;
}

void stamp_conditions(admission& a) {
  auto now = to_rfc3339(a.now);
  auto status = a.object.find("status");
  if (status == a.object.end() || !conditions_of(a.object)) return;
  for (auto& c : (*status)["conditions"]) {
    if (!c.is_object()) continue;
    if (string_at(c, {"lastUpdateTime"}).empty()) c["lastUpdateTime"] = now;
    if (string_at(c, {"lastTransitionTime"}).empty()) c["lastTransitionTime"] = now;
    if (string_at(c, {"status"}).empty()) c["status"] = "True";
  }
}

/// Decisions are made through /approval alone: a status write keeps those there are and brings none.
void keep_decisions(admission& a) {
  auto status = a.object.find("status");
  if (status == a.object.end() || !status->is_object()) return;
  document kept = document::array();
  auto is_decision = [](const document& c) {
    return string_at(c, {"type"}) == "Approved" || string_at(c, {"type"}) == "Denied";
  };
  if (const auto* had = conditions_of(*a.old))
    for (const auto& c : *had)
      if (is_decision(c)) kept.push_back(c);
  if (const auto* sent = conditions_of(a.object))
    for (const auto& c : *sent)
      if (!is_decision(c)) kept.push_back(c);
  if (kept.empty()) status->erase("conditions");
  else (*status)["conditions"] = std::move(kept);
}

answer<void> check_approval(admission& a) {
  if (!may(a, "approve")) return refuse(a, "approve");
  for (const char* type : {"Approved", "Denied"}) {
    if (decided(*a.old, type) && !decided(a.object, type))
      a.errors.push_back({field_error_type::forbidden, "status.conditions", "",
                          fmt::format("updates may not remove a condition of type {}", go_quote(type))});
  }
  if (decided(a.object, "Approved") && decided(a.object, "Denied"))
    a.errors.push_back(
        {field_error_type::invalid, "status.conditions", "", "Approved and Denied conditions are mutually exclusive"});
  return {};
}

answer<void> check_status(admission& a) {
  auto had = string_at(*a.old, {"status", "certificate"});
  auto next = string_at(a.object, {"status", "certificate"});
  if (had == next) return {};
  if (!may(a, "sign")) return refuse(a, "sign");
  if (!had.empty())
    a.errors.push_back({field_error_type::forbidden, "status.certificate", "",
                        "updates may not set certificate content once it is set"});
  return {};
}

}  // namespace

answer<void> complete_csr(admission& a) {
  if (a.creates()) {
    stamp_requester(a);
  } else if (a.subresource.empty()) {
    a.object["spec"] = (*a.old)["spec"];
  } else if (a.subresource == "status") {
    keep_decisions(a);
  }
  stamp_conditions(a);
  return {};
}

answer<void> check_csr(admission& a) {
  if (a.creates()) return {};
  if (a.subresource == "approval") return check_approval(a);
  if (a.subresource == "status") return check_status(a);
  return {};
}

}  // namespace wh
