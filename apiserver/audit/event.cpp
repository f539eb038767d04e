#include <algorithm>

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

/// Builds a line member by member: a document of its own for each event would cost several times as much.
class line_writer {
 public:
  std::string take() { return std::move(out_); }
  void open(std::string_view key) { begin(key), out_ += '{', fresh_ = true; }
  void close() { out_ += '}', fresh_ = false; }
  void add(std::string_view key, std::string_view text) { begin(key), quote(text); }
  void add_if(std::string_view key, std::string_view text) {
    if (!text.empty()) add(key, text);
  }
  void add(std::string_view key, int number) { begin(key), out_ += std::to_string(number); }
  void add_document(std::string_view key, const document& doc) {
    begin(key);
    out_ += doc.dump(-1, ' ', false, document::error_handler_t::replace);
  }

 private:
  void begin(std::string_view key) {
    if (!fresh_) out_ += ',';
    fresh_ = false;
    if (key.empty()) return;
    quote(key);
    out_ += ':';
  }
  void quote(std::string_view text) {
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f && c != '"' && c != '\\';
    });
    if (plain) out_.append(1, '"').append(text).append(1, '"');
    else out_ += document(text).dump(-1, ' ', false, document::error_handler_t::replace);
  }

  std::string out_;
  bool fresh_ = true;
};

void add_reference(line_writer& w, const audit_record& r) {
  w.open("objectRef");
  w.add("resource", r.resource);
  w.add_if("namespace", r.ns);
  w.add_if("name", r.name);
  w.add_if("apiGroup", r.group);
  w.add("apiVersion", r.version);
  w.add_if("subresource", r.subresource);
  w.close();
}

void add_status(line_writer& w, const audit_record& r) {
  w.open("responseStatus");
  w.open("metadata");
  w.close();
  if (r.code >= 400) {
    w.add("status", "Failure");
    w.add("message", r.message);
    w.add("reason", r.reason);
  }
  w.add("code", r.code);
  w.close();
}

/// `127.0.0.1:4711` and `[::1]:4711` without the port.
std::string host_of(const std::string& source) {
  auto colon = source.rfind(':');
  auto host = source.substr(0, colon);
  return host.size() > 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

std::string audit_line(const audit_record& r) {
  line_writer w;
  w.open("");
  w.add("kind", "Event");
  w.add("apiVersion", "audit.k8s.io/v1");
  w.add("level", level_name(r.level));
  w.add("auditID", r.id);
  w.add("stage", r.stage);
  w.add("requestURI", r.uri);
  w.add("verb", r.verb);
  w.add_document("user", user_document(r.user));
  if (r.impersonated) w.add_document("impersonatedUser", user_document(*r.impersonated));
  w.add_document("sourceIPs", document::array({host_of(r.source)}));
  w.add("userAgent", r.agent);
  if (!r.resource.empty()) add_reference(w, r);
  add_status(w, r);
  if (!r.request_object.is_null()) w.add_document("requestObject", r.request_object);
  if (!r.response_object.is_null()) w.add_document("responseObject", r.response_object);
  w.add("requestReceivedTimestamp", to_rfc3339_micro(r.received));
  w.add("stageTimestamp", to_rfc3339_micro(r.at));
  if (r.code != 401) {
    w.open("annotations");
    w.add("authorization.k8s.io/decision", r.code == 403 ? "forbid" : "allow");
    w.add("authorization.k8s.io/reason", r.granted_by);
    w.close();
  }
  w.close();
  return w.take();
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
