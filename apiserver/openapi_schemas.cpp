#include "apiserver/openapi_schemas.hpp"

#include <algorithm>

#include "resources/scale.hpp"

namespace wh {
namespace {

const std::string meta_prefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";

document string_field(const char* description) { return {{"type", "string"}, {"description", description}}; }

document string_map(const char* description) {
  return {{"type", "object"}, {"description", description}, {"additionalProperties", {{"type", "string"}}}};
}

document object_meta() {
  document p;
  p["name"] = string_field("Name of the object, unique within its namespace. Cannot be changed.");
  p["generateName"] = string_field("Prefix from which the server makes a unique name when name is empty.");
  p["namespace"] = string_field("Namespace that the object lives in; empty for cluster-scoped kinds.");
  p["labels"] = string_map("Short key-value pairs that selectors match.");
  p["annotations"] = string_map("Key-value pairs of any content that tools and people leave on the object.");
  p["uid"] = string_field("Unique in time and space; set by the server.");
  p["resourceVersion"] = string_field("Opaque version of the object, for optimistic concurrency and watches.");
  p["generation"] = {
      {"type", "integer"}, {"format", "int64"}, {"description", "Counts the changes of the desired state."}};
  p["creationTimestamp"] = {
      {"type", "string"}, {"format", "date-time"}, {"description", "When the object was created; set by the server."}};
  p["deletionTimestamp"] = {
      {"type", "string"}, {"format", "date-time"}, {"description", "When deletion was asked for; set by the server."}};
  p["deletionGracePeriodSeconds"] = {
      {"type", "integer"}, {"format", "int64"}, {"description", "Seconds granted to end gracefully."}};
  p["finalizers"] = {{"type", "array"},
                     {"items", {{"type", "string"}}},
                     {"description", "Each must be removed by its owner before the object goes."}};
  p["ownerReferences"] = {{"type", "array"},
                          {"items", schema_reference(meta_prefix + "OwnerReference")},
                          {"description", "Objects that this one depends on; it goes when all of them have gone."}};
  p["managedFields"] = {{"type", "array"},
                        {"items", schema_reference(meta_prefix + "ManagedFieldsEntry")},
                        {"x-kubernetes-list-type", "atomic"},
                        {"description", "Who owns which fields, kept by the server for server-side apply."}};
  return {{"type", "object"}, {"description", "Metadata that every object has."}, {"properties", p}};
}

document owner_reference() {
  document p;
  p["apiVersion"] = string_field("Group and version of the owner.");
  p["kind"] = string_field("Kind of the owner.");
  p["name"] = string_field("Name of the owner, in the same namespace or without one.");
  p["uid"] = string_field("UID of the owner: another object of the same name is not meant.");
  p["controller"] = {{"type", "boolean"}, {"description", "True for the one owner that manages the object."}};
  p["blockOwnerDeletion"] = {
      {"type", "boolean"},
      {"description", "True if an owner deleted in the foreground stays until this object has gone."}};
  return {{"type", "object"},
          {"description", "An object that another one depends on."},
          {"required", {"apiVersion", "kind", "name", "uid"}},
          {"properties", p}};
}

document managed_fields_entry() {
  document p;
  p["manager"] = string_field("Name of the program or person that owns the fields.");
  p["operation"] = string_field("Apply for fields that were applied, Update for all others.");
  p["apiVersion"] = string_field("Version of the kind that the fields are written in.");
  p["subresource"] = string_field("Subresource that the fields were written through; empty for the object itself.");
  p["time"] = {{"type", "string"}, {"format", "date-time"}, {"description", "When the manager last changed a field."}};
  p["fieldsType"] = string_field("Format of the fields; always FieldsV1.");
  p["fieldsV1"] = {
      {"type", "object"},
      {"x-kubernetes-preserve-unknown-fields", true},
      {"description", "The fields as a tree of paths: f:<member>, k:<keys of an item>, v:<item of a set>."}};
  return {{"type", "object"}, {"description", "What one manager owns of an object."}, {"properties", p}};
}

document list_meta() {
  document p;
  p["continue"] = string_field("Where to go on when the list was limited.");
  p["remainingItemCount"] = {
      {"type", "integer"},
      {"format", "int64"},
      {"description", "How many objects follow those of a limited list; absent with selectors."}};
  p["resourceVersion"] = string_field("Version of the list as a whole.");
  return {{"type", "object"}, {"properties", p}};
}

/// Lists that merge by key or as sets do so in strategic merge patches, too; CRDs have none of those.
void add_patch_keywords(document& schema) {
  if (!schema.is_object()) return;
  const auto list = schema.find("x-kubernetes-list-type");
  if (list != schema.end() && *list != "atomic") {
    schema["x-kubernetes-patch-strategy"] = "merge";
    if (const auto keys = schema.find("x-kubernetes-list-map-keys"); keys != schema.end() && !keys->empty())
      schema["x-kubernetes-patch-merge-key"] = document(keys->front());
  }
  for (const char* inner : {"items", "additionalProperties"})
    if (const auto it = schema.find(inner); it != schema.end()) add_patch_keywords(*it);
  if (const auto members = schema.find("properties"); members != schema.end())
    for (auto& [name, member] : members->items()) add_patch_keywords(member);
}

document kind_definition(const kind_info& k) {
  document d = k.structure ? k.structure->openapi() : document::object();
  if (!d.is_object()) d = document::object();
  if (!k.from_crd) add_patch_keywords(d);
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

document schema_reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

document gvk_of(const kind_info& k, const std::string& kind) {
  return {{"group", k.group}, {"version", k.version}, {"kind", kind}};
}

void add_kind_schemas(document& schemas, const kind_info& kind) {
  add_body_schema(schemas, kind);
  schemas[definition_name(kind) + "List"] = list_definition(kind);
  if (kind.scale) add_body_schema(schemas, *scale_kind());
}

void add_body_schema(document& schemas, const kind_info& kind) {
  schemas[definition_name(kind)] = kind_definition(kind);
}

void add_meta_schemas(document& schemas) {
  schemas[meta_prefix + "ObjectMeta"] = object_meta();
  schemas[meta_prefix + "OwnerReference"] = owner_reference();
  schemas[meta_prefix + "ManagedFieldsEntry"] = managed_fields_entry();
  schemas[meta_prefix + "ListMeta"] = list_meta();
}

}  // namespace wh
