#include "actors/spoke/manifest_apply.hpp"

#include <algorithm>

namespace wh {
namespace {

constexpr const char* applied_work_kind = "AppliedManifestWork";

bool is_reference_to(const document& reference, const owner& o) {
  return string_at(reference, {"uid"}) == o.uid && string_at(reference, {"kind"}) == applied_work_kind;
}

document* references_of(document& object) {
  auto& meta = object["metadata"];
  const auto it = meta.find("ownerReferences");
  return it == meta.end() ? nullptr : &*it;
}

/// Merges a manifest's string map into the live one.
void merge_keys(const document& manifest, document& live_meta, const char* field) {
  const document* wanted = find_path(manifest, {"metadata", field});
  if (!wanted || !wanted->is_object()) return;
  auto& live = live_meta[field];
  if (!live.is_object()) live = document::object();
  for (const auto& [key, value] : wanted->items()) {
    if (key.ends_with('-')) live.erase(key.substr(0, key.size() - 1));
    else live[key] = value;
  }
  if (live.empty()) live_meta.erase(field);
}

/// The owner references that a manifest itself carries.
void merge_references(const document& manifest, document& live) {
  const document* wanted = find_path(manifest, {"metadata", "ownerReferences"});
  if (!wanted || !wanted->is_array()) return;
  auto& references = live["metadata"]["ownerReferences"];
  if (!references.is_array()) references = document::array();
  for (const auto& reference : *wanted) {
    const auto same = std::find_if(references.begin(), references.end(), [&](const document& r) {
      return string_at(r, {"uid"}) == string_at(reference, {"uid"});
    });
    if (same == references.end()) references.push_back(reference);
    else *same = reference;
  }
}

/// Generators write `creationTimestamp: null` wherever there is metadata; applied, it would claim the field.
void drop_null_times(document& value) {
  if (value.is_object())
    if (const auto time = value.find("creationTimestamp"); time != value.end() && time->is_null()) value.erase(time);
  if (value.is_structured())
    for (auto& part : value) drop_null_times(part);
}

document body_of(document object) {
  object.erase("metadata");
  object.erase("status");
  return object;
}

}  // namespace

bool has_owner(const document& object, const owner& o) {
  const document* references = find_path(object, {"metadata", "ownerReferences"});
  return references && references->is_array() &&
         std::any_of(references->begin(), references->end(), [&](const document& r) { return is_reference_to(r, o); });
}

bool has_other_work_owner(const document& object, const owner& o) {
  const document* references = find_path(object, {"metadata", "ownerReferences"});
  return references && references->is_array() &&
         std::any_of(references->begin(), references->end(), [&](const document& r) {
           return string_at(r, {"kind"}) == applied_work_kind && string_at(r, {"uid"}) != o.uid;
         });
}

bool set_owner(document& object, const owner& o, bool owned) {
  if (has_owner(object, o) == owned) return false;
  if (owned) {
    auto& references = object["metadata"]["ownerReferences"];
    if (!references.is_array()) references = document::array();
    references.push_back({{"apiVersion", "work.open-cluster-management.io/v1"},
                          {"kind", applied_work_kind},
                          {"name", o.name},
                          {"uid", o.uid}});
    return true;
  }
  document* references = references_of(object);
  references->erase(
      std::remove_if(references->begin(), references->end(), [&](const document& r) { return is_reference_to(r, o); }),
      references->end());
  if (references->empty()) object["metadata"].erase("ownerReferences");
  return true;
}

document created_form(const document& manifest, const owner& o, bool owned) {
  document object = manifest;
  auto& meta = object["metadata"];
  for (const char* field : {"labels", "annotations"}) {
    if (!meta.contains(field)) continue;
    meta[field] = nullptr;
    merge_keys(manifest, meta, field);
    if (meta.contains(field) && meta[field].is_null()) meta.erase(field);
  }
  set_owner(object, o, owned);
  return object;
}

std::optional<document> updated_form(const document& manifest, const document& live, const owner& o, bool owned) {
  document object = live;
  merge_keys(manifest, object["metadata"], "labels");
  merge_keys(manifest, object["metadata"], "annotations");
  merge_references(manifest, object);
  set_owner(object, o, owned);
  const bool same_metadata = object["metadata"] == live["metadata"];
  const document wanted = body_of(manifest);
  if (same_metadata && wanted == body_of(live)) return std::nullopt;
  document replacement = wanted;
  replacement["metadata"] = std::move(object["metadata"]);
  if (live.contains("status")) replacement["status"] = live["status"];
  return replacement;
}

document applied_form(const document& manifest) {
  document config = manifest;
  drop_null_times(config);
  if (config["metadata"].is_object()) config["metadata"].erase("managedFields");
  config.erase("status");
  return config;
}

std::optional<document> owned_form(const document& live, const owner& o, bool owned) {
  document object = live;
  if (!set_owner(object, o, owned)) return std::nullopt;
  return object;
}

}  // namespace wh
