#include "resources/apply/last_applied.hpp"

#include <algorithm>

#include "resources/apply/internal/owners.hpp"

namespace wh::apply {

namespace {

constexpr const char* annotation = "kubectl.kubernetes.io/last-applied-configuration";
constexpr const char* kubectl = "kubectl";

/// The fields that the annotation names with the value that they still have.
field_set vouched_for(const document& live, const write_scope& scope) {
  const auto text = annotation_of(live, annotation);
  if (text.empty()) return {};
  const auto last = parse_json(text);
  if (!last || !last->is_object() || api_version(*last) != scope.api_version) return {};
  const place root{&scope.structure->root()};
  const auto change = compare(*last, live, root);
  return difference_of(fields_of(*last, root), union_of(union_of(change.removed, change.modified), change.added));
}

void renew_annotation(document& object, document config) {
  if (annotation_of(object, annotation).empty()) return;
  auto& meta = config["metadata"];
  if (meta.is_object() && meta.contains("annotations") && meta["annotations"].is_object())
    meta["annotations"].erase(annotation);
  object["metadata"]["annotations"][annotation] =
      config.dump(-1, ' ', false, document::error_handler_t::replace) + "\n";
}

}  // namespace

result<apply_outcome> apply_after_client_side(const document& live, const document& config, const managers& owners,
                                              const std::string& manager, bool force, const write_scope& scope) {
  auto out = apply_config(live, config, owners, manager, force, scope);
  if (!out || manager != kubectl) return out;
  if (!out->conflicts.empty()) {
    const auto vouched = vouched_for(internal::without_owners(live), scope);
    std::erase_if(out->conflicts, [&](const auto& c) { return vouched.has(c.field); });
    if (!out->conflicts.empty()) return out;
    out = apply_config(live, config, owners, manager, true, scope);
    if (!out) return out;
  }
  renew_annotation(out->object, config);
  return out;
}

}  // namespace wh::apply
