#include "apiserver/status.hpp"

#include <fmt/format.h>

namespace wh {

namespace {

struct reason_row {
  errc code;
  int status;
  const char* reason;
};

constexpr reason_row reasons[] = {
    {errc::invalid, 422, "Invalid"},
    {errc::not_found, 404, "NotFound"},
    {errc::already_exists, 409, "AlreadyExists"},
    {errc::conflict, 409, "Conflict"},
    {errc::forbidden, 403, "Forbidden"},
    {errc::unauthorized, 401, "Unauthorized"},
    {errc::gone, 410, "Expired"},
    {errc::too_large, 413, "RequestEntityTooLarge"},
    {errc::unsupported, 415, "UnsupportedMediaType"},
    {errc::unavailable, 503, "ServiceUnavailable"},
    {errc::read_only, 503, "ServiceUnavailable"},
    {errc::busy, 429, "TooManyRequests"},
    {errc::timeout, 504, "Timeout"},
    {errc::discarded, 503, "ServiceUnavailable"},
    {errc::malformed, 400, "BadRequest"},
};

const reason_row& row_of(errc code) {
  static constexpr reason_row internal{errc::internal, 500, "InternalError"};
  for (const auto& r : reasons)
    if (r.code == code) return r;
  return internal;
}

/// `manifestworks.work…` as the `group` and `kind` of Status details (which holds the plural, as in Kubernetes).
document details_of(std::string_view resource, std::string_view name) {
  document d = document::object();
  if (!name.empty()) d["name"] = name;
  if (auto dot = resource.find('.'); dot != std::string_view::npos) {
    d["group"] = resource.substr(dot + 1);
    resource = resource.substr(0, dot);
  }
  if (!resource.empty()) d["kind"] = resource;
  return d;
}

const char* cause_of(field_error_type type) {
  switch (type) {
    case field_error_type::required: return "FieldValueRequired";
    case field_error_type::invalid: return "FieldValueInvalid";
    case field_error_type::not_supported: return "FieldValueNotSupported";
    case field_error_type::forbidden: return "FieldValueForbidden";
    case field_error_type::too_long: return "FieldValueTooLong";
    case field_error_type::too_many: return "FieldValueTooMany";
    case field_error_type::duplicate: return "FieldValueDuplicate";
    case field_error_type::type_invalid: return "FieldValueTypeInvalid";
  }
  return "FieldValueInvalid";
}

/// A cause's message is the error's text without its leading `field: `.
std::string cause_message(const field_error& e) {
  std::string text = e.text();
  std::string prefix = e.field + ": ";
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

}  // namespace

int http_status_of(errc code) { return row_of(code).status; }

document status_document(const api_error& e) {
  document d = {{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", document::object()}, {"status", "Failure"}};
  d["message"] = e.message;
  if (!e.reason.empty()) d["reason"] = e.reason;
  if (!e.details.is_null()) d["details"] = e.details;
  d["code"] = e.code;
  return d;
}

document status_document(const error& e, const object_key* about) {
  const auto& row = row_of(e.code);
  api_error out{row.status, row.reason, e.message, nullptr};
  if (about) out.details = details_of(about->resource, about->name);
  if (row.status == 429 || row.status == 503) {
    if (out.details.is_null()) out.details = document::object();
    out.details["retryAfterSeconds"] = 1;
  }
  return status_document(out);
}

std::string go_quote(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c == '\n') out += "\\n";
    else if (c == '\t') out += "\\t";
    else if (c == '\r') out += "\\r";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out + '"';
}

api_error bad_request(std::string message) { return {400, "BadRequest", std::move(message), nullptr}; }

api_error undecodable(const kind_info& kind, const std::string& what) {
  return bad_request(fmt::format("{} in version {} cannot be handled as a {}: {}", kind.kind, go_quote(kind.version),
                                 kind.kind, what));
}

api_error path_not_found() {
  return {404, "NotFound", "the server could not find the requested resource", document::object()};
}

api_error object_not_found(std::string_view resource, std::string_view name) {
  return {404, "NotFound", fmt::format("{} {} not found", resource, go_quote(name)), details_of(resource, name)};
}

api_error object_exists(std::string_view resource, std::string_view name) {
  return {409, "AlreadyExists", fmt::format("{} {} already exists", resource, go_quote(name)),
          details_of(resource, name)};
}

api_error object_conflict(std::string_view resource, std::string_view name, std::string_view why) {
  return {409, "Conflict", fmt::format("Operation cannot be fulfilled on {} {}: {}", resource, go_quote(name), why),
          details_of(resource, name)};
}

api_error object_modified(std::string_view resource, std::string_view name) {
  return object_conflict(resource, name,
                         "the object has been modified; please apply your changes to the latest version and try again");
}

api_error forbidden_error(std::string_view resource, std::string_view name, std::string_view why) {
  std::string message = resource.empty() ? fmt::format("forbidden: {}", why)
                        : name.empty()   ? fmt::format("{} is forbidden: {}", resource, why)
                                         : fmt::format("{} {} is forbidden: {}", resource, go_quote(name), why);
  return {403, "Forbidden", std::move(message), details_of(resource, name)};
}

api_error invalid_object(const kind_info& kind, std::string_view name, const std::vector<field_error>& errors) {
  std::string qualified = kind.group.empty() ? kind.kind : kind.kind + "." + kind.group;
  document details = details_of("", name);
  if (!kind.group.empty()) details["group"] = kind.group;
  details["kind"] = kind.kind;
  document causes = document::array();
  std::string list;
  for (const auto& e : errors) {
    causes.push_back({{"reason", cause_of(e.type)}, {"message", cause_message(e)}, {"field", e.field}});
    list += (list.empty() ? "" : ", ") + e.text();
  }
  details["causes"] = std::move(causes);
  if (errors.size() > 1) list = "[" + list + "]";
  return {422, "Invalid", fmt::format("{} {} is invalid: {}", qualified, go_quote(name), list), std::move(details)};
}

api_error unauthorized() { return {401, "Unauthorized", "Unauthorized", nullptr}; }

api_error method_not_allowed() {
  return {405, "MethodNotAllowed", "the server does not allow this method on the requested resource",
          document::object()};
}

api_error unsupported_media_type(std::string message) {
  return {415, "UnsupportedMediaType", std::move(message), nullptr};
}

api_error not_acceptable() {
  return {406, "NotAcceptable", "only the following media types are accepted: application/json, application/yaml",
          nullptr};
}

api_error expired(std::string message) { return {410, "Expired", std::move(message), nullptr}; }

api_error too_new(revision asked, revision current) {
  document details = {{"retryAfterSeconds", 1}};
  details["causes"] =
      document::array({{{"reason", "ResourceVersionTooLarge"}, {"message", "Too large resource version"}}});
  return {504, "Timeout", fmt::format("Too large resource version: {}, current: {}", asked.get(), current.get()),
          std::move(details)};
}

api_error unavailable(std::string message) {
  return {503, "ServiceUnavailable", std::move(message), {{"retryAfterSeconds", 1}}};
}

api_error to_api_error(const error& e, const object_key& about) {
  switch (e.code) {
    case errc::not_found: return object_not_found(about.resource, about.name);
    case errc::already_exists: return object_exists(about.resource, about.name);
    case errc::conflict: return object_modified(about.resource, about.name);
    case errc::forbidden: return forbidden_error(about.resource, about.name, e.message);
    default: break;
  }
  const auto& row = row_of(e.code);
  api_error out{row.status, row.reason, e.message, details_of(about.resource, about.name)};
  if (row.status == 429 || row.status == 503) out.details["retryAfterSeconds"] = 1;
  return out;
}

}  // namespace wh
