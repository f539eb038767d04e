#include "apiserver/body.hpp"

#include <fmt/format.h>

#include <charconv>

#include "apiserver/ownership.hpp"
#include "apiserver/scale.hpp"
#include "resources/protobuf.hpp"

namespace wh {

namespace {

/// A body that the store or a parser refused: 413 when it is too large, else 400.
api_error body_error(const error& e) {
  if (e.code == errc::too_large) return {413, "RequestEntityTooLarge", e.message, nullptr};
  return bad_request(e.message);
}

answer<document> parse_body(const api_call& call, body_format format, std::vector<std::string>& duplicates) {
  const auto& body = call.request.body;
  if (format == body_format::protobuf || is_kubernetes_protobuf(body)) {
    auto doc = decode_protobuf(body, *call.core->options.kinds);
    if (doc) return std::move(*doc);
    if (doc.err().code == errc::unsupported) return unsupported_media_type(doc.err().message);
    return body_error(doc.err());
  }
  if (format == body_format::yaml) {
    auto docs = parse_yaml(body);
    if (!docs) return body_error(docs.err());
    if (docs->size() != 1) return bad_request("the body must hold exactly one object");
    return std::move(docs->front());
  }
  auto doc = parse_json_with_duplicates(body, duplicates);
  if (!doc) return body_error(doc.err());
  return std::move(*doc);
}

answer<document> parse_object_body(const api_call& call, std::vector<std::string>& duplicates) {
  auto format = format_of(call.request.content_type);
  if (!format) return format.err();
  if (*format != body_format::json && *format != body_format::yaml && *format != body_format::protobuf)
    return unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf");
  auto doc = parse_body(call, *format, duplicates);
  if (doc && !doc->is_object()) return bad_request("the body of the request must be an object");
  return doc;
}

answer<void> set_propagation(delete_options& out, std::string_view policy) {
  if (policy.empty()) return {};
  if (policy != "Foreground" && policy != "Background" && policy != "Orphan")
    return api_error{
        422,
        "Invalid",
        fmt::format("DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: {}: supported "
                    "values: \"Background\", \"Foreground\", \"Orphan\"",
                    go_quote(policy)),
        {{"kind", "DeleteOptions"}, {"group", "meta.k8s.io"}}};
  out.propagation = policy;
  return {};
}

answer<void> read_delete_query(const api_call& call, delete_options& out) {
  if (auto ok = set_propagation(out, call.target.param("propagationPolicy")); !ok) return ok.err();
  if (auto text = call.target.param("gracePeriodSeconds"); !text.empty()) {
    std::int64_t v = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (ec != std::errc{} || end != text.data() + text.size())
      return bad_request("gracePeriodSeconds: must be a number");
    out.grace_seconds = v;
  }
  auto orphan = bool_param(call.target, "orphanDependents");
  if (!orphan) return orphan.err();
  if (*orphan) out.propagation = "Orphan";
  return {};
}

answer<void> read_delete_body(const document& doc, delete_options& out) {
  auto kind = kind_of(doc);
  if (!kind.empty() && kind != "DeleteOptions")
    return bad_request(fmt::format("expect DeleteOptions, got {}", go_quote(kind)));
  if (auto ok = set_propagation(out, string_at(doc, {"propagationPolicy"})); !ok) return ok.err();
  out.uid = string_at(doc, {"preconditions", "uid"});
  out.resource_version = string_at(doc, {"preconditions", "resourceVersion"});
  if (const auto* grace = find_path(doc, {"gracePeriodSeconds"}); grace && grace->is_number_integer())
    out.grace_seconds = grace->get<std::int64_t>();
  if (bool_at(doc, {"orphanDependents"}, false)) out.propagation = "Orphan";
  if (const auto* dry = find_path(doc, {"dryRun"}); dry && dry->is_array() && !dry->empty()) {
    if (*dry != document::array({"All"})) return bad_request("dryRun: the only supported value is \"All\"");
    out.dry_run = true;
  }
  return {};
}

answer<bool> dry_run_param(const api_call& call) {
  auto v = call.target.param("dryRun");
  if (!v.empty() && v != "All")
    return bad_request(fmt::format("dryRun: Unsupported value: {}: supported values: \"All\"", go_quote(v)));
  return v == "All";
}

}  // namespace

answer<write_options> parse_write_options(const api_call& call) {
  write_options out;
  auto dry = dry_run_param(call);
  if (!dry) return dry.err();
  out.dry_run = *dry;
  auto validation = call.target.param("fieldValidation");
  if (validation == "Strict") out.unknown = write_options::unknown_fields::strict;
  else if (validation == "Ignore") out.unknown = write_options::unknown_fields::ignore;
  else if (!validation.empty() && validation != "Warn")
    return bad_request(
        fmt::format("fieldValidation: Unsupported value: {}: supported values: \"Ignore\", \"Strict\", \"Warn\"",
                    go_quote(validation)));
  auto format = format_of(call.request.content_type);
  out.applied = call.request.method == "PATCH" && format && *format == body_format::apply_patch;
  auto manager = field_manager_of(call, out.applied);
  if (!manager) return manager.err();
  out.manager = std::move(*manager);
  auto force = force_of(call, out.applied);
  if (!force) return force.err();
  out.force = *force;
  return out;
}

answer<void> check_kind(const kind_info& kind, document& doc) {
  auto version = api_version(doc);
  if (version.empty()) doc["apiVersion"] = kind.api_version();
  else if (version != kind.api_version())
    return bad_request(fmt::format("the API version in the data ({}) does not match the expected API version ({})",
                                   version, kind.api_version()));
  auto name = kind_of(doc);
  if (name.empty()) doc["kind"] = kind.kind;
  else if (name != kind.kind)
    return bad_request(fmt::format("the kind in the data ({}) does not match the expected kind ({})", name, kind.kind));
  return {};
}

answer<document> read_object(api_call& call) {
  auto doc = parse_object_body(call, call.duplicate_fields);
  if (!doc) return doc;
  if (auto ok = check_kind(body_kind(call), *doc); !ok) return ok.err();
  return doc;
}

answer<document> read_plain_object(const api_call& call) {
  std::vector<std::string> duplicates;
  return parse_object_body(call, duplicates);
}

answer<delete_options> read_delete_options(const api_call& call) {
  delete_options out;
  if (auto ok = read_delete_query(call, out); !ok) return ok.err();
  if (!call.request.body.empty()) {
    auto doc = read_plain_object(call);
    if (!doc) return doc.err();
    if (auto ok = read_delete_body(*doc, out); !ok) return ok.err();
  }
  auto dry = dry_run_param(call);
  if (!dry) return dry.err();
  out.dry_run = out.dry_run || *dry;
  return out;
}

}  // namespace wh
