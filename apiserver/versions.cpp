#include "apiserver/versions.hpp"

#include "apiserver/body.hpp"
#include "resources/conversion.hpp"

namespace wh {

namespace {

/// What is not the endpoint's to write: the status, or everything else.
void keep_other_part(const api_call& call, const document* old, document& object) {
  if (!call.kind.asked->has_status) return;
  const char* part = call.path.subresource.empty() ? "status" : "spec";
  if (const auto* had = old ? find_path(*old, {part}) : nullptr) object[part] = *had;
  else object.erase(part);
}

std::vector<field_error> settle_as_stored(const kind_info& stored, document& object) {
  auto metadata = std::move(object["metadata"]);
  object.erase("metadata");
  stored.structure->prune(object);
  object["metadata"] = std::move(metadata);
  stored.structure->apply_defaults(object);
  auto errors = stored.structure->validate(object);
  for (auto& e : errors) e.detail += (e.detail.empty() ? "as " : "; as ") + stored.api_version() + ", which is stored";
  return errors;
}

}  // namespace

answer<void> to_stored_version(const api_call& call, const document* old, document& object) {
  const auto& [asked, stored] = call.kind;
  convert(object, *asked, *stored);
  if (!differs_in_shape(*asked, *stored)) return {};
  keep_other_part(call, old, object);
  const auto errors = settle_as_stored(*stored, object);
  if (errors.empty()) return {};
  return invalid_object(*asked, name_of(object), errors);
}

}  // namespace wh
