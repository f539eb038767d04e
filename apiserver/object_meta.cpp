#include "apiserver/object_meta.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wh {

namespace {

enum class shape { text, number, string_map, string_list, object_list, dropped };

struct meta_field {
  std::string_view name;
  shape how;
};
constexpr meta_field meta_fields[] = {
    {"name", shape::text},
    {"generateName", shape::text},
    {"namespace", shape::text},
    {"selfLink", shape::dropped},
    {"uid", shape::text},
    {"resourceVersion", shape::text},
    {"generation", shape::number},
    {"creationTimestamp", shape::text},
    {"deletionTimestamp", shape::text},
    {"deletionGracePeriodSeconds", shape::number},
    {"labels", shape::string_map},
    {"annotations", shape::string_map},
    {"finalizers", shape::string_list},
    {"ownerReferences", shape::object_list},
    {"managedFields", shape::dropped},
};

const meta_field* known(std::string_view name) {
  for (const auto& f : meta_fields)
    if (f.name == name) return &f;
  return nullptr;
}

bool all_of_type(const document& list, document::value_t type) {
  return std::all_of(list.begin(), list.end(), [&](const document& v) { return v.type() == type; });
}

/// Why a value does not fit, or "".
const char* misfit(shape how, const document& v) {
  switch (how) {
    case shape::text: return v.is_string() ? "" : "must be a string";
    case shape::number: return v.is_number_integer() ? "" : "must be an integer";
    case shape::string_map:
      return v.is_object() && all_of_type(v, document::value_t::string) ? "" : "must be a map of strings";
    case shape::string_list:
      return v.is_array() && all_of_type(v, document::value_t::string) ? "" : "must be a list of strings";
    case shape::object_list:
      return v.is_array() && all_of_type(v, document::value_t::object) ? "" : "must be a list of objects";
    case shape::dropped: return "";
  }
  return "";
}

std::string shown(const document* v) {
  return v ? (v->is_string() ? go_quote(v->get<std::string>()) : v->dump()) : "null";
}

/// True for two spellings of one moment; not every client writes UTC as `Z`.
bool same_moment(const document& a, const document& b) {
  if (!a.is_string() || !b.is_string()) return false;
  auto x = parse_rfc3339(a.get_ref<const std::string&>()), y = parse_rfc3339(b.get_ref<const std::string&>());
  return x && y && *x == *y;
}

/// Takes over a field that only the server sets; a client may leave it out or repeat it.
void keep_field(const document& old, document& next, const char* name, std::vector<field_error>& errors) {
  const auto* had = find_path(old, {"metadata", name});
  auto& meta = next["metadata"];
  auto it = meta.find(name);
  if (it == meta.end()) {
    if (had) meta[name] = *had;
  } else if (had && same_moment(*it, *had)) {
    *it = *had;
  } else if (!had || *it != *had) {
    errors.push_back({field_error_type::invalid, std::string("metadata.") + name, shown(&*it), "field is immutable"});
  }
}

void check_new_finalizers(const document& old, const document& next, std::vector<field_error>& errors) {
  if (!is_deleting(old)) return;
  const auto* list = find_path(next, {"metadata", "finalizers"});
  if (!list) return;
  std::string added;
  for (const auto& f : *list)
    if (!has_finalizer(old, f.get_ref<const std::string&>()))
      added += (added.empty() ? "" : ", ") + go_quote(f.get<std::string>());
  if (!added.empty())
    errors.push_back({field_error_type::forbidden, "metadata.finalizers", "",
                      "no new finalizers can be added if the object is being deleted, found new finalizers []string{" +
                          added + "}"});
}

/// The namespace of path and body must agree; either may be silent.
answer<void> match_namespace(const api_call& call, document& doc) {
  auto ns = namespace_of(doc);
  auto& meta = doc["metadata"];
  if (!call.kind.asked->namespaced) {
    meta.erase("namespace");
  } else if (ns.empty()) {
    meta["namespace"] = call.path.ns;
  } else if (ns != call.path.ns) {
    return bad_request("the namespace of the provided object does not match the namespace sent on the request");
  }
  return {};
}

/// A reference that is there twice says nothing more. Nobody has so many owners that comparing each with each is slow;
/// hostile lists are left to validation.
void drop_repeated_owners(document& meta) {
  constexpr std::size_t sensible_max = 256;
  auto owners = meta.find("ownerReferences");
  if (owners == meta.end() || owners->size() > sensible_max) return;
  auto once = document::array();
  for (auto& owner : *owners)
    if (std::find(once.begin(), once.end(), owner) == once.end()) once.push_back(std::move(owner));
  *owners = std::move(once);
}

}  // namespace

answer<document> take_managed_fields(const kind_info& kind, document& doc) {
  auto meta = doc.find("metadata");
  if (meta == doc.end() || !meta->is_object()) return document();
  auto sent = meta->find("managedFields");
  if (sent == meta->end()) return document();
  document out = std::move(*sent);
  meta->erase(sent);
  if (std::string_view why = out.is_null() ? "" : misfit(shape::object_list, out); !why.empty())
    return undecodable(kind, fmt::format("metadata.managedFields: {}", why));
  return out;
}

answer<void> normalize_metadata(const kind_info& kind, document& doc, std::vector<std::string>& unknown) {
  auto refuse = [&](const std::string& what) { return undecodable(kind, what); };
  auto& meta = doc["metadata"];
  if (meta.is_null()) meta = document::object();
  if (!meta.is_object()) return refuse("metadata: must be an object");
  for (auto it = meta.begin(); it != meta.end();) {
    const auto* field = known(it.key());
    if (!field) unknown.push_back("metadata." + it.key());
    bool empty = it->is_null() || (it->is_structured() && it->empty()) ||
                 (it->is_string() && it->get_ref<const std::string&>().empty());
    if (!field || field->how == shape::dropped || empty) {
      it = meta.erase(it);
      continue;
    }
    if (std::string_view why = misfit(field->how, *it); !why.empty())
      return refuse(fmt::format("metadata.{}: {}", it.key(), why));
    ++it;
  }
  drop_repeated_owners(meta);
  return {};
}

api_error name_mismatch(const api_call& call, std::string_view name) {
  return bad_request(
      fmt::format("the name of the object ({}) does not match the name on the URL ({})", name, call.path.name));
}

answer<void> stamp_new(api_call& call, document& doc) {
  if (auto ok = match_namespace(call, doc); !ok) return ok;
  auto& meta = doc["metadata"];
  if (meta.contains("resourceVersion"))
    return bad_request("resourceVersion should not be set on objects to be created");
  if (name_of(doc).empty()) {
    auto prefix = std::string(string_at(doc, {"metadata", "generateName"}));
    constexpr std::size_t prefix_max = 58;  // so that prefix and suffix fit a DNS label
    if (!prefix.empty()) meta["name"] = prefix.substr(0, prefix_max) + call.core->new_suffix();
  }
  meta["uid"] = call.core->new_uid();
  meta["creationTimestamp"] = to_rfc3339(call.core->now());
  meta.erase("deletionTimestamp");
  meta.erase("deletionGracePeriodSeconds");
  if (call.kind.asked->has_generation) meta["generation"] = 1;
  else meta.erase("generation");
  return {};
}

answer<void> carry_metadata(const api_call& call, const document& old, document& next,
                            std::vector<field_error>& errors) {
  if (auto ok = match_namespace(call, next); !ok) return ok;
  auto& meta = next["metadata"];
  if (name_of(next).empty()) meta["name"] = call.path.name;
  if (name_of(next) != call.path.name) return name_mismatch(call, name_of(next));
  auto uid = uid_of(next);
  if (!uid.empty() && uid != uid_of(old))
    return object_conflict(
        call.resource(), call.path.name,
        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}", uid, uid_of(old)));
  for (const char* name : {"uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"})
    keep_field(old, next, name, errors);
  meta.erase("generation");
  if (const auto* had = find_path(old, {"metadata", "generation"})) meta["generation"] = *had;
  if (const auto* had = find_path(old, {"metadata", "generateName"})) meta["generateName"] = *had;
  else meta.erase("generateName");
  check_new_finalizers(old, next, errors);
  return {};
}

void count_generation(const kind_info& kind, const document& old, document& next) {
  if (!kind.has_generation) return;
  auto wanted = [](const document& doc, std::string_view key) {
    return key != "metadata" && key != "status" && key != "apiVersion" && key != "kind" && !doc.is_null();
  };
  auto same_in = [&](const document& a, const document& b) {
    for (const auto& [key, value] : a.items()) {
      if (!wanted(a, key)) continue;
      auto it = b.find(key);
      if (it == b.end() || *it != value) return false;
    }
    return true;
  };
  if (!same_in(old, next) || !same_in(next, old)) next["metadata"]["generation"] = generation_of(old).get() + 1;
}

bool is_released(const object_key& key, const document& doc) {
  if (!is_deleting(doc)) return false;
  auto empty = [](const document* list) { return !list || list->empty(); };
  if (!empty(find_path(doc, {"metadata", "finalizers"}))) return false;
  return key.resource != "namespaces" || empty(find_path(doc, {"spec", "finalizers"}));
}

}  // namespace wh
