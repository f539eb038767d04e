#include "apiserver/prepare.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apiserver/admission.hpp"
#include "apiserver/object_meta.hpp"
#include "apiserver/ownership.hpp"
#include "apiserver/scale.hpp"
#include "apiserver/versions.hpp"
#include "resources/scale.hpp"

namespace wh {

namespace {

constexpr std::size_t errors_max = 100;
constexpr std::size_t object_bytes_max = 3 * 1024 * 1024;

/// A document's text for a message.
std::string shortened(const document& doc) {
  constexpr std::size_t shown_max = 1000;
  auto text = dump_document(doc);
  return text.size() <= shown_max ? text : text.substr(0, shown_max) + "...";
}

/// Drops what the kind does not know, and says so as the client wishes; so it does with what the body had twice.
answer<void> drop_unknown(api_call& call, const write_options& options, document& doc) {
  const auto& kind = body_kind(call);
  std::vector<std::string> unknown;
  const bool strict_patch = options.unknown == write_options::unknown_fields::strict && call.request.method == "PATCH";
  const std::string whole = strict_patch ? shortened(doc) : "";
  if (auto ok = normalize_metadata(kind, doc, unknown); !ok) return ok;
  auto metadata = std::move(doc["metadata"]);
  doc.erase("metadata");
  auto pruned = kind.structure->prune(doc);
  doc["metadata"] = std::move(metadata);
  unknown.insert(unknown.end(), pruned.begin(), pruned.end());
  call.warnings.clear();
  if (options.unknown == write_options::unknown_fields::ignore) return {};
  std::string list;
  const auto warn = [&](const char* what, const std::string& path) {
    call.warnings.push_back(what + go_quote(path));
    list += (list.empty() ? "" : ", ") + call.warnings.back();
  };
  for (const auto& path : call.duplicate_fields) warn("duplicate field ", path);
  for (const auto& path : unknown) warn("unknown field ", path);
  if (list.empty()) return {};
  if (options.unknown == write_options::unknown_fields::warn) return {};
  call.warnings.clear();
  // What a patch made is to blame, not what was sent: Kubernetes has another answer for that.
  if (strict_patch)
    return invalid_object(kind_info(), "",
                          {{field_error_type::invalid, "patch", go_quote(whole), "strict decoding error: " + list}});
  return undecodable(kind, "strict decoding error: " + list);
}

/// Kubernetes decodes its own kinds into types before it looks at values: a number where text belongs is a bad request.
/// What a patch makes it tells of differently.
answer<void> check_types(const api_call& call, const std::vector<field_error>& errors) {
  const auto& kind = *call.kind.asked;
  if (kind.protobuf.empty() || call.request.method == "PATCH") return {};
  for (const auto& e : errors)
    if (e.type == field_error_type::type_invalid) return undecodable(kind, e.detail);
  return {};
}

bool has(const std::vector<field_error>& all, const field_error& e) {
  return std::any_of(all.begin(), all.end(), [&](const auto& other) { return other.text() == e.text(); });
}

/// What the schema and the kind's own rules both say is said once.
void append(std::vector<field_error>& to, std::vector<field_error> more) {
  for (auto& e : more)
    if (to.size() < errors_max && !has(to, e)) to.push_back(std::move(e));
}

/// Defaults, the kind's own rules and validation: the part that creates and updates share.
answer<void> settle(api_call& call, admission& a) {
  const auto& kind = *call.kind.asked;
  kind.structure->apply_defaults(a.object);
  if (auto ok = complete_object(a); !ok) return ok;
  append(a.errors, validate_metadata(kind, a.object));
  auto errors = kind.structure->validate(a.object);
  if (auto ok = check_types(call, errors); !ok) return ok;
  append(a.errors, std::move(errors));
  if (a.old) append(a.errors, kind.structure->validate_update(*a.old, a.object));
  if (kind.scale && kind.from_crd) append(a.errors, validate_scale_values(kind, a.object, a.subresource == "status"));
  if (a.errors.empty())
    if (auto ok = check_object(a); !ok) return ok;
  call.warnings.insert(call.warnings.end(), a.warnings.begin(), a.warnings.end());
  if (a.errors.empty()) return {};
  return invalid_object(kind, name_of(a.object), a.errors);
}

/// Holds an update to the version that it was made from; most kinds may not be overwritten unseen.
answer<void> check_version(const api_call& call, const document& old, const document& next) {
  const auto version = string_at(next, {"metadata", "resourceVersion"});
  if (!version.empty() && version != "0") {
    if (version == string_at(old, {"metadata", "resourceVersion"})) return {};
    return object_modified(call.resource(), call.path.name);
  }
  if (is_scale(call) || call.kind.asked->unconditional_update) return {};
  kind_info resource;  // Kubernetes puts the resource here, where the kind belongs
  resource.group = call.kind.asked->group;
  resource.kind = call.kind.asked->plural;
  return invalid_object(
      resource, call.path.name,
      {{field_error_type::invalid, "metadata.resourceVersion", "0", "must be specified for an update"}});
}

}  // namespace

answer<document> prepare_create(api_call& call, const write_options& options, document doc) {
  auto sent = take_managed_fields(*call.kind.asked, doc);
  if (!sent) return sent.err();
  if (auto ok = drop_unknown(call, options, doc); !ok) return ok.err();
  // Nodes report themselves; everything else starts without the status that only controllers write.
  // Kubernetes' own kinds always have one, if empty: typed clients set its fields without asking whether it is there.
  if (call.kind.asked->has_status && call.resource() != "nodes") {
    if (call.kind.asked->protobuf.empty()) doc.erase("status");
    else doc["status"] = document::object();
  }
  if (auto ok = stamp_new(call, doc); !ok) return ok.err();
  admission a{call, nullptr, doc, "", call.core->now(), {}};
  if (auto ok = settle(call, a); !ok) return ok.err();
  if (options.applied) keep_owners(nullptr, doc, std::move(*sent));
  else track_owners(call, options, nullptr, doc, *sent);
  if (auto ok = to_stored_version(call, nullptr, doc); !ok) return ok.err();
  return doc;
}

answer<document> prepare_update(api_call& call, const write_options& options, const document& old,
                                const document& stored, document next) {
  auto sent = take_managed_fields(body_kind(call), next);
  if (!sent) return sent.err();
  if (auto ok = drop_unknown(call, options, next); !ok) return ok.err();
  if (is_scale(call)) {
    auto scaled = scale_object(call, options, old, next, *sent);
    if (!scaled) return scaled.err();
    next = std::move(scaled->object);
    *sent = std::move(scaled->owners);
  } else {
    next = confine_to_subresource(call, old, std::move(next));
  }
  next["metadata"].erase("managedFields");
  if (auto ok = check_version(call, old, next); !ok) return ok.err();
  std::vector<field_error> errors;
  if (auto ok = carry_metadata(call, old, next, errors); !ok) return ok.err();
  next["metadata"].erase("resourceVersion");
  admission a{call, &old, next, call.path.subresource, call.core->now(), std::move(errors)};
  if (auto ok = settle(call, a); !ok) return ok.err();
  count_generation(*call.kind.asked, old, next);
  if (options.applied || is_scale(call)) keep_owners(&old, next, std::move(*sent));
  else track_owners(call, options, &old, next, *sent);
  if (auto ok = to_stored_version(call, &stored, next); !ok) return ok.err();
  return next;
}

answer<shared_bytes> stored_form(const document& doc, std::size_t old_bytes) {
  auto body = encode_body(doc);
  if (body->size() > object_bytes_max && body->size() >= old_bytes)
    return api_error{413, "RequestEntityTooLarge",
                     fmt::format("Request entity too large: the object would have {} bytes, the limit is {}",
                                 body->size(), object_bytes_max),
                     nullptr};
  return body;
}

put put_of(const object_key& key, const document& doc, shared_bytes body) {
  bool closing = key.resource == "namespaces" && is_deleting(doc);
  return {key, std::move(body), closing ? namespace_phase::terminating : namespace_phase::active};
}

}  // namespace wh
