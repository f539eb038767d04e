#include "apiserver/audit/audit.hpp"
#include "apiserver/reviews.hpp"

namespace wh {

namespace {

const char* level_name(audit_level level) {
  switch (level) {
    case audit_level::none: return "None";
    case audit_level::metadata: return "Metadata";
    case audit_level::request: return "Request";
    case audit_level::request_response: return "RequestResponse";
  }
  return "Metadata";
}

document reference_of(const audit_record& r) {
  document out = {{"resource", r.resource}, {"apiVersion", r.version}};
  auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) out[key] = value;
  };
  add("apiGroup", r.group);
  add("namespace", r.ns);
  add("name", r.name);
  add("subresource", r.subresource);
  return out;
}

document status_of(const audit_record& r) {
  document out = {{"metadata", document::object()}, {"code", r.code}};
  if (r.code >= 400) {
    out["status"] = "Failure";
    out["reason"] = r.reason;
    out["message"] = r.message;
  }
  return out;
}

/// `127.0.0.1:4711` and `[::1]:4711` without the port.
std::string host_of(const std::string& source) {
  auto colon = source.rfind(':');
  auto host = source.substr(0, colon);
  return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

std::string audit_line(const audit_record& r) {
  document out = {{"kind", "Event"},
                  {"apiVersion", "audit.k8s.io/v1"},
                  {"level", level_name(r.level)},
                  {"auditID", r.id},
                  {"stage", r.stage},
                  {"requestURI", r.uri},
                  {"verb", r.verb},
                  {"user", user_document(r.user)},
                  {"sourceIPs", document::array({host_of(r.source)})},
                  {"userAgent", r.agent},
                  {"responseStatus", status_of(r)},
                  {"requestReceivedTimestamp", to_rfc3339_micro(r.received)},
                  {"stageTimestamp", to_rfc3339_micro(r.at)}};
  if (r.impersonated) out["impersonatedUser"] = user_document(*r.impersonated);
  if (!r.resource.empty()) out["objectRef"] = reference_of(r);
  if (!r.request_object.is_null()) out["requestObject"] = r.request_object;
  if (!r.response_object.is_null()) out["responseObject"] = r.response_object;
  if (r.code != 401) out["annotations"]["authorization.k8s.io/decision"] = r.code == 403 ? "forbid" : "allow";
  return out.dump(-1, ' ', false, document::error_handler_t::replace);
}

bool tells_secrets(const document& doc) {
  if (doc.is_object()) {
    auto kind = doc.find("kind");
    if (kind != doc.end() && kind->is_string()) {
      const auto& k = kind->get_ref<const std::string&>();
      if (k.starts_with("Secret") || k == "TokenRequest" || k == "TokenReview") return true;
    }
  }
  if (doc.is_structured())
    for (const auto& member : doc)
      if (tells_secrets(member)) return true;
  return false;
}

}  // namespace wh
