#include "apiserver/ownership.hpp"

#include <fmt/format.h>

#include "apiserver/list_options.hpp"
#include "apiserver/object_meta.hpp"
#include "apiserver/scale.hpp"
#include "resources/apply/last_applied.hpp"
#include "resources/conversion.hpp"

namespace wh {

namespace {

constexpr std::size_t manager_bytes_max = 128;

bool is_printable(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; }

/// The invalid options of a request, as Kubernetes answers them.
api_error invalid_options(const api_call& call, field_error e) {
  kind_info options;
  options.group = "meta.k8s.io";
  options.kind = call.request.method == "PATCH"  ? "PatchOptions"
                 : call.request.method == "POST" ? "CreateOptions"
                                                 : "UpdateOptions";
  return invalid_object(options, "", {std::move(e)});
}

/// The program's name in a user agent. Cut at a character's border when it is too long.
std::string program_of(std::string_view user_agent) {
  std::string out;
  for (const char c : user_agent.substr(0, user_agent.find('/')))
    if (is_printable(c)) out += c;
  if (out.size() <= manager_bytes_max) return out;
  auto end = manager_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80) --end;
  return out.substr(0, end);
}

/// The owners that a plain write starts from.
apply::managers owners_before(const api_call& call, const document* old, const document& sent) {
  if (!call.path.subresource.empty()) return owners_of(old);
  if (apply::is_reset(sent)) return {};
  auto owners = apply::parse_managers(sent);
  return owners && !owners->empty() ? std::move(*owners) : owners_of(old);
}

void set_owners(document& object, document owners) {
  if (owners.is_null()) object["metadata"].erase("managedFields");
  else object["metadata"]["managedFields"] = std::move(owners);
}

/// True if a lease was renewed and nothing else. Whoever renews it every few seconds owns it already; telling so again
/// would cost more than the renewal.
bool is_plain_renewal(const api_call& call, const document& old, const document& next, const document& sent) {
  if (call.resource() != "leases.coordination.k8s.io") return false;
  const auto* had = find_path(old, {"metadata", "managedFields"});
  if (!had || (!sent.is_null() && sent != *had)) return false;
  auto rest = [](document doc) {
    doc["metadata"].erase("managedFields");
    doc["metadata"].erase("resourceVersion");
    if (auto spec = doc.find("spec"); spec != doc.end() && spec->is_object()) spec->erase("renewTime");
    return doc;
  };
  return rest(old) == rest(next);
}

api_error conflict_error(const std::vector<apply::conflict>& conflicts) {
  api_error out{409, "Conflict", apply::message_of(conflicts), document::object()};
  auto& causes = out.details["causes"] = document::array();
  for (const auto& c : conflicts)
    causes.push_back({{"reason", "FieldManagerConflict"},
                      {"message", "conflict with " + apply::text_of(c.manager)},
                      {"field", apply::text_of(c.field)}});
  return out;
}

/// `apps/v1, Kind=Deployment`, as Go prints it.
std::string kind_text(const document& doc) {
  const auto gv = split_api_version(api_version(doc));
  return fmt::format("{}/{}, Kind={}", gv.group, gv.version, kind_of(doc));
}

}  // namespace

namespace {

/// Kinds compiled in may look different in each version; versions of custom ones differ by name.
apply::version_shapes shapes_of(const api_call& call) {
  const auto find = [&call](const std::string& version) {
    const auto gv = split_api_version(version);
    return call.core->options.kinds->find(gv.group, gv.version, call.kind.asked->plural);
  };
  apply::version_shapes out;
  out.structure = [find](const std::string& version) {
    const auto kind = find(version);
    return kind ? kind->structure.get() : nullptr;
  };
  out.convert = [find](document object, const std::string& from, const std::string& to) {
    const auto before = find(from), after = find(to);
    if (before && after) convert(object, *before, *after);
    return object;
  };
  return out;
}

}  // namespace

apply::write_scope scope_of(const api_call& call) {
  apply::write_scope out;
  const auto& kind = body_kind(call);
  out.structure = kind.structure.get();
  out.api_version = kind.api_version();
  out.subresource = call.path.subresource;
  out.now = call.core->now();
  if (is_scale(call)) {
    out.only = "spec";
    return out;
  }
  if (kind.has_status) out.ignored.insert("status");
  if (call.resource() == "namespaces") out.ignored.insert("spec");  // its finalizers are the server's
  if (!out.subresource.empty()) out.only = out.subresource == "finalize" ? "spec" : "status";
  out.is_served = [&call](const std::string& version) {
    const auto gv = split_api_version(version);
    return call.core->options.kinds->find(gv.group, gv.version, call.kind.asked->plural) != nullptr;
  };
  if (!kind.from_crd && kind.protobuf.empty()) out.shapes = shapes_of(call);
  return out;
}

apply::managers owners_of(const document* object) {
  const auto* list = object ? find_path(*object, {"metadata", "managedFields"}) : nullptr;
  if (!list) return {};
  auto owners = apply::parse_managers(*list);
  return owners ? std::move(*owners) : apply::managers();
}

answer<std::string> field_manager_of(const api_call& call, bool apply) {
  std::string name(call.target.param("fieldManager"));
  if (name.empty() && apply)
    return invalid_options(call, {field_error_type::required, "fieldManager", "", "is required for apply patch"});
  if (name.size() > manager_bytes_max)
    return invalid_options(call, {field_error_type::too_long, "fieldManager", "",
                                  fmt::format("may not be more than {} bytes", manager_bytes_max)});
  for (std::size_t i = 0; i < name.size(); ++i)
    if (!is_printable(name[i]))
      return invalid_options(
          call, {field_error_type::invalid, "fieldManager", go_quote(name),
                 fmt::format("invalid character U+{:04X} (at position {})", static_cast<unsigned char>(name[i]), i)});
  if (name.empty()) name = program_of(call.request.user_agent);
  return name.empty() ? std::string("unknown") : name;
}

answer<bool> force_of(const api_call& call, bool apply) {
  if (!call.target.has("force")) return false;
  if (!apply)
    return invalid_options(call,
                           {field_error_type::forbidden, "force", "", "may not be specified for non-apply patch"});
  return bool_param(call.target, "force");
}

void track_owners(const api_call& call, const write_options& options, const document* old, document& next,
                  const document& sent) {
  if (old && is_plain_renewal(call, *old, next, sent)) return set_owners(next, (*old)["metadata"]["managedFields"]);
  auto owners = owners_before(call, old, sent);
  const bool untracked = old ? owners.empty() : !call.request.owns_what_it_creates;
  if (untracked) return set_owners(next, nullptr);
  owners = apply::track_update(old ? *old : document(), next, std::move(owners), options.manager, scope_of(call));
  set_owners(next, apply::managed_fields_of(owners));
}

void keep_owners(const document* old, document& next, document owners) {
  if (old && !owners.is_null()) {
    auto before = *old;
    auto had = find_path(before, {"metadata", "managedFields"}) ? std::move(before["metadata"]["managedFields"])
                                                                : document::array();
    before["metadata"].erase("managedFields");
    before["metadata"].erase("resourceVersion");
    if (before == next && apply::same_but_for_times(had, owners)) owners = std::move(had);
  }
  set_owners(next, std::move(owners));
}

answer<document> read_configuration(const api_call& call) {
  auto docs = parse_yaml(call.request.body);
  if (!docs && docs.err().code == errc::too_large) return to_api_error(docs.err(), call.key());
  if (!docs) return bad_request("error decoding YAML: " + docs.err().message);
  if (docs->size() != 1 || !docs->front().is_object())
    return bad_request("error decoding YAML: the body must hold exactly one object");
  auto& doc = docs->front();
  const auto& kind = body_kind(call);
  if (api_version(doc) != kind.api_version() || kind_of(doc) != kind.kind)
    return bad_request("invalid object type: " + kind_text(doc));
  if (const auto* sent = find_path(doc, {"metadata", "managedFields"}); sent && !sent->is_null())
    return bad_request("metadata.managedFields must be nil");
  return std::move(doc);
}

answer<document> apply_to_object(const api_call& call, const write_options& options, const document* old,
                                 const document& configuration) {
  auto out = apply::apply_after_client_side(old ? *old : document(), configuration, owners_of(old), options.manager,
                                            options.force, scope_of(call));
  if (!out && out.err().code == errc::too_large) return to_api_error(out.err(), call.key());
  if (!out)
    return bad_request(fmt::format("failed to create typed patch object ({}/{}; {}): {}", namespace_of(configuration),
                                   name_of(configuration), kind_text(configuration), out.err().message));
  if (!out->conflicts.empty()) return conflict_error(out->conflicts);
  if (!out->object["metadata"].is_object()) out->object["metadata"] = document::object();
  set_owners(out->object, apply::managed_fields_of(out->owners));
  return std::move(out->object);
}

}  // namespace wh
