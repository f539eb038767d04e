#include "apiserver/openapi_schemas.hpp"

#include <algorithm>
#include <utility>

#include "resources/scale.hpp"

namespace wh {
namespace {

const std::string meta_prefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const std::string reference_prefix = "#/components/schemas/";

document string_field(const char* description) { return {{"type", "string"}, {"description", description}}; }

/// Lists that merge by key or as sets do so in strategic merge patches, too; CRDs have none of those. Such patches know
/// one key: a list with several is replaced as a whole, but for Kubernetes' own kinds, which merge by the first.
void add_patch_keywords(document& schema, bool by_first_key) {
  if (!schema.is_object()) return;
  const auto list = schema.find("x-kubernetes-list-type");
  const auto keys = schema.find("x-kubernetes-list-map-keys");
  const bool keyed = keys != schema.end() && !keys->empty();
  if (list != schema.end() && *list != "atomic" && (!keyed || keys->size() == 1 || by_first_key)) {
    const document key = keyed ? keys->front() : document();
    schema["x-kubernetes-patch-strategy"] = "merge";
    if (keyed) schema["x-kubernetes-patch-merge-key"] = key;
  }
  for (const char* inner : {"items", "additionalProperties"})
    if (const auto it = schema.find(inner); it != schema.end()) add_patch_keywords(*it, by_first_key);
  if (const auto members = schema.find("properties"); members != schema.end())
    for (auto& [name, member] : members->items()) add_patch_keywords(member, by_first_key);
}

document kind_definition(const kind_info& k) {
  document d = k.structure ? k.structure->openapi() : document::object();
  if (!d.is_object()) d = document::object();
  if (!k.from_crd) add_patch_keywords(d, !k.protobuf.empty());
  d["type"] = "object";
  auto& p = d["properties"];
  p["apiVersion"] = string_field("Group and version of this representation of the object.");
  p["kind"] = string_field("Kind of the object, in CamelCase.");
  p["metadata"] = {{"allOf", document::array({schema_reference(meta_prefix + "ObjectMeta")})},
                   {"default", document::object()},
                   {"description", "Name, labels and what else every object has."}};
  d["x-kubernetes-group-version-kind"] = document::array({gvk_of(k, k.kind)});
  return d;
}

document list_definition(const kind_info& k) {
  document p;
  p["apiVersion"] = {{"type", "string"}};
  p["kind"] = {{"type", "string"}};
  p["metadata"] = schema_reference(meta_prefix + "ListMeta");
  p["items"] = {{"type", "array"}, {"items", schema_reference(definition_name(k))}};
  return {{"type", "object"},
          {"required", {"items"}},
          {"properties", p},
          {"x-kubernetes-group-version-kind", document::array({gvk_of(k, k.list_kind)})}};
}

/// Only where schemas are: a member may be called `$ref`.
void find_references(const document& schema, std::set<std::string>& out) {
  if (!schema.is_object()) return;
  if (const auto ref = schema.find("$ref"); ref != schema.end() && ref->is_string()) {
    const auto target = ref->get<std::string>();
    if (target.starts_with(reference_prefix)) out.insert(target.substr(reference_prefix.size()));
  }
  for (const char* inner : {"items", "additionalProperties"})
    if (const auto it = schema.find(inner); it != schema.end()) find_references(*it, out);
  if (const auto all = schema.find("allOf"); all != schema.end() && all->is_array())
    for (const auto& each : *all) find_references(each, out);
  if (const auto members = schema.find("properties"); members != schema.end() && members->is_object())
    for (const auto& [name, member] : members->items()) find_references(member, out);
}

/// io.k8s.api.core.v1.Pod for k8s.io.api.core.v1.Pod, as Kubernetes' own OpenAPI has it.
std::string kubernetes_name(std::string_view protobuf) {
  std::string out = "io.k8s." + std::string(protobuf.substr(std::string_view("k8s.io.").size()));
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

}  // namespace

std::string definition_name(const kind_info& k) {
  if (!k.protobuf.empty()) return kubernetes_name(k.protobuf);
  std::string out;
  std::string_view rest = k.group;
  while (!rest.empty()) {
    auto dot = rest.rfind('.');
    out += std::string(dot == std::string_view::npos ? rest : rest.substr(dot + 1)) + ".";
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(0, dot);
  }
  return out + k.version + "." + k.kind;
}

document schema_reference(const std::string& name) { return {{"$ref", reference_prefix + name}}; }

document gvk_of(const kind_info& k, const std::string& kind) {
  return {{"group", k.group}, {"version", k.version}, {"kind", kind}};
}

schema_texts::schema_texts(const std::vector<kind_ptr>& served, writer write) : write_(std::move(write)) {
  for (const auto& kind : served) served_[definition_name(*kind)] = kind;
}

void schema_texts::add_kind(const kind_info& kind) {
  add_body(kind);
  add(definition_name(kind) + "List", list_definition(kind));
  if (kind.scale) add_body(*scale_kind());
}

void schema_texts::add_body(const kind_info& kind) { add(definition_name(kind), kind_definition(kind)); }

void schema_texts::add(const std::string& name, const document& v3) {
  find_references(v3, referred_);
  texts_[name] = write_(v3);
}

void schema_texts::add_referred(const std::string& name) {
  if (const auto kind = served_.find(name); kind != served_.end()) return add_body(*kind->second);
  auto definition = builtin_definition(name);
  if (definition.is_null()) return;
  add_patch_keywords(definition, true);
  add(name, definition);
}

std::map<std::string, std::string> schema_texts::take() {
  while (!referred_.empty()) {
    const auto due = std::exchange(referred_, {});
    for (const auto& name : due) {
      if (!texts_.contains(name)) add_referred(name);
    }
  }
  return std::exchange(texts_, {});
}

}  // namespace wh
