#include "resources/apply/scale_owners.hpp"

#include <set>

#include "resources/scale.hpp"

namespace wh::apply {

namespace {

using operation = manager_id::operation_type;

const path& replicas_of_scale() {
  static const path out = {path_element::field("spec"), path_element::field("replicas")};
  return out;
}

field_set only(const path& p) {
  field_set out;
  out.insert(p);
  return out;
}

manager_id in_version(manager_id id, std::string_view api_version) {
  if (id.operation == operation::update) id.api_version = api_version;
  return id;
}

}  // namespace

managers owners_of_scale(const managers& of_object, const replicas_paths& paths) {
  managers out;
  for (const auto& [id, o] : of_object)
    if (const auto replicas = paths(o.api_version); replicas && o.fields.has(*replicas))
      out[in_version(id, scale_api_version)] = {only(replicas_of_scale()), std::string(scale_api_version), o.time};
  return out;
}

managers owners_after_scale(managers of_object, const managers& of_scale, const std::string& api_version,
                            const replicas_paths& paths) {
  std::set<manager_id> seated;
  for (auto& [id, o] : of_object) {
    const auto replicas = paths(o.api_version);
    if (!replicas || !o.fields.has(*replicas)) continue;
    const auto kept = of_scale.find(in_version(id, scale_api_version));
    if (kept == of_scale.end() || !kept->second.fields.has(replicas_of_scale())) {
      o.fields = difference_of(o.fields, only(*replicas));
      continue;
    }
    o.time = kept->second.time;
    seated.insert(kept->first);
  }
  std::erase_if(of_object, [](const auto& o) { return o.second.fields.empty(); });
  const auto replicas = paths(api_version);
  if (!replicas) return of_object;
  for (const auto& [id, o] : of_scale) {
    if (seated.contains(id) || !o.fields.has(replicas_of_scale())) continue;
    auto& own = of_object[in_version(id, api_version)];
    own = {union_of(own.fields, only(*replicas)), api_version, o.time};
  }
  return of_object;
}

}  // namespace wh::apply
