#include "apiserver/scale.hpp"

#include <limits>

#include "apiserver/ownership.hpp"
#include "resources/apply/scale_owners.hpp"
#include "resources/scale.hpp"

namespace wh {

namespace {

constexpr std::int64_t replicas_unset = std::numeric_limits<std::int32_t>::min();

api_error internal_error(const std::string& why) {
  return {500, "InternalError", "Internal error occurred: " + why, {{"causes", document::array({{{"message", why}}})}}};
}

apply::replicas_paths paths_of(const api_call& call) {
  return [&call](const std::string& api_version) -> std::optional<apply::path> {
    const auto gv = split_api_version(api_version);
    const auto kind = call.core->options.kinds->find(gv.group, gv.version, call.kind.asked->plural);
    if (!kind || !kind->scale) return std::nullopt;
    apply::path out;
    for (auto& name : split_scale_path(kind->scale->spec_replicas))
      out.push_back(apply::path_element::field(std::move(name)));
    return out;
  };
}

/// The owners of the object after the write.
document owners_after(const api_call& call, const write_options& options, const document& old, const document& scale,
                      const document& sent) {
  auto had = owners_of(&old);
  if (had.empty() && !options.applied) return nullptr;  // nobody ever owned anything of it
  apply::managers owners;
  if (options.applied) {
    if (auto settled = apply::parse_managers(sent)) owners = std::move(*settled);
  } else if (auto before = scale_to_change(call, old)) {
    owners = apply::track_update(*before, scale, owners_of(&*before), options.manager, scope_of(call));
  }
  return apply::managed_fields_of(
      apply::owners_after_scale(std::move(had), owners, call.kind.asked->api_version(), paths_of(call)));
}

answer<void> check_scale(const api_call& call, const document& scale) {
  auto errors = scale_kind()->structure->validate(scale);
  const auto replicas = int_at(scale, {"spec", "replicas"}, 0);
  if (errors.empty() && replicas == replicas_unset && call.kind.asked->from_crd)
    return bad_request("the spec replicas field " + go_quote(call.kind.asked->scale->spec_replicas) +
                       " cannot be empty");
  // A custom resource is checked as a whole, which finds the same with the object's own path.
  if (errors.empty() && replicas < 0 && !call.kind.asked->from_crd)
    errors.push_back(
        {field_error_type::invalid, "spec.replicas", std::to_string(replicas), "must be greater than or equal to 0"});
  if (errors.empty()) return {};
  return invalid_object(*scale_kind(), call.path.name, errors);
}

}  // namespace

bool is_scale(const api_call& call) { return call.path.subresource == "scale"; }

const kind_info& body_kind(const api_call& call) { return is_scale(call) ? *scale_kind() : *call.kind.asked; }

answer<document> scale_to_change(const api_call& call, const document& object) {
  auto view = scale_of(*call.kind.asked, object);
  if (!view) return internal_error(view.err().message);
  auto& scale = view->scale;
  if (!view->has_replicas) scale["spec"]["replicas"] = replicas_unset;
  auto owners = apply::managed_fields_of(apply::owners_of_scale(owners_of(&object), paths_of(call)));
  if (!owners.is_null()) scale["metadata"]["managedFields"] = std::move(owners);
  return std::move(scale);
}

answer<scaled_object> scale_object(const api_call& call, const write_options& options, const document& old,
                                   const document& scale, const document& sent) {
  if (auto ok = check_scale(call, scale); !ok) return ok.err();
  scaled_object out{old, owners_after(call, options, old, scale, sent)};
  auto& meta = out.object["metadata"];
  meta.erase("managedFields");
  meta.erase("resourceVersion");
  for (const char* lock : {"name", "namespace", "resourceVersion", "uid"})
    if (const auto* value = find_path(scale, {"metadata", lock})) meta[lock] = *value;
  if (auto ok = set_replicas(*call.kind.asked, out.object, int_at(scale, {"spec", "replicas"}, 0)); !ok)
    return internal_error(ok.err().message);
  return out;
}

void respond_scale(api_call& call, int code, std::string_view body, revision rev) {
  auto object = object_document(call.kind, body, rev);
  if (!object) return call.respond(to_api_error(object.err(), call.key()));
  const auto view = scale_of(*call.kind.asked, *object);
  if (!view) return call.respond(internal_error(view.err().message));
  if (!view->has_replicas)
    return call.respond(internal_error("the spec replicas field " + go_quote(call.kind.asked->scale->spec_replicas) +
                                       " does not exist"));
  const served_kind kind{scale_kind(), scale_kind()};
  call.respond(code, shaped_json(call.form, kind, *encode_body(view->scale), rev, call.core->now()));
}

}  // namespace wh
