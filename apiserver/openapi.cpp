#include "apiserver/openapi.hpp"

#include <algorithm>
#include <set>

#include "apiserver/discovery.hpp"
#include "apiserver/openapi_v2.hpp"
#include "base/encoding.hpp"
#include "resources/scale.hpp"

namespace wh {

namespace {

constexpr const char* v2_json_key = "v2";
constexpr const char* v2_protobuf_key = "v2.pb";
constexpr const char* meta_prefix = "io.k8s.apimachinery.pkg.apis.meta.v1.";

document reference(const std::string& name) { return {{"$ref", "#/components/schemas/" + name}}; }

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
                          {"items", reference(std::string(meta_prefix) + "OwnerReference")},
                          {"description", "Objects that this one depends on; it goes when all of them have gone."}};
  p["managedFields"] = {{"type", "array"},
                        {"items", reference(std::string(meta_prefix) + "ManagedFieldsEntry")},
                        {"x-kubernetes-list-type", "atomic"},
                        {"description", "Who owns which fields, kept by the server for server-side apply."}};
  return {{"type", "object"}, {"description", "Metadata that every object has."}, {"properties", p}};
}

document owner_reference() {
  document p;
  for (const char* name : {"apiVersion", "kind", "name", "uid"}) p[name] = {{"type", "string"}};
  p["controller"] = {{"type", "boolean"}};
  p["blockOwnerDeletion"] = {{"type", "boolean"}};
  return {{"type", "object"}, {"required", {"apiVersion", "kind", "name", "uid"}}, {"properties", p}};
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

/// `io.open-cluster-management.work.v1.ManifestWork`: the group's labels backwards, as Kubernetes names definitions.
std::string definition_name(const kind_info& k) {
  if (k.group.empty()) return "io.k8s.api.core." + k.version + "." + k.kind;
  std::string out;
  std::string_view rest = k.group;
  while (!rest.empty()) {
    auto dot = rest.rfind('.');
    out += std::string(dot == std::string_view::npos ? rest : rest.substr(dot + 1)) + ".";
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(0, dot);
  }
  return out + k.version + "." + k.kind;
}

document gvk_of(const kind_info& k, const std::string& kind) {
  return {{"group", k.group}, {"version", k.version}, {"kind", kind}};
}

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
  p["metadata"] = {{"allOf", document::array({reference(std::string(meta_prefix) + "ObjectMeta")})},
                   {"default", document::object()}};
  d["x-kubernetes-group-version-kind"] = document::array({gvk_of(k, k.kind)});
  return d;
}

document list_definition(const kind_info& k) {
  document p;
  p["apiVersion"] = {{"type", "string"}};
  p["kind"] = {{"type", "string"}};
  p["metadata"] = reference(std::string(meta_prefix) + "ListMeta");
  p["items"] = {{"type", "array"}, {"items", reference(definition_name(k))}};
  return {{"type", "object"},
          {"required", {"items"}},
          {"properties", p},
          {"x-kubernetes-group-version-kind", document::array({gvk_of(k, k.list_kind)})}};
}

document query_parameters(std::initializer_list<const char*> names) {
  document out = document::array();
  for (std::string name : names) {
    const char* type = name == "force" ? "boolean" : "string";
    out.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", type}, {"uniqueItems", true}}}});
  }
  return out;
}

document operation(const kind_info& k, const char* action, const document& parameters) {
  document content = {{"application/json", {{"schema", reference(definition_name(k))}}}};
  return {{"x-kubernetes-action", action},
          {"x-kubernetes-group-version-kind", gvk_of(k, k.kind)},
          {"parameters", parameters},
          {"responses", {{"200", {{"description", "OK"}, {"content", content}}}}}};
}

/// `strategic`: whether the kind may be patched so, which custom resources may not.
document patch_operation(const kind_info& k, bool strategic, const document& parameters) {
  auto out = operation(k, "patch", parameters);
  const document any = {{"schema", {{"type", "object"}}}};
  auto& content = out["requestBody"]["content"];
  for (const char* type :
       {"application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"})
    content[type] = any;
  if (strategic) content["application/strategic-merge-patch+json"] = any;
  return out;
}

std::string path_of(const kind_info& k) {
  return (k.group.empty() ? "/api/" : "/apis/") + k.api_version() + (k.namespaced ? "/namespaces/{namespace}/" : "/") +
         k.plural;
}

void add_paths(document& paths, const kind_info& k) {
  static const document write = query_parameters({"dryRun", "fieldManager", "fieldValidation"});
  static const document patch = query_parameters({"dryRun", "fieldManager", "fieldValidation", "force"});
  static const document remove = query_parameters({"dryRun", "gracePeriodSeconds", "propagationPolicy"});
  static const document list =
      query_parameters({"labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "watch"});
  auto collection = path_of(k);
  paths[collection]["get"] = operation(k, "list", list);
  paths[collection]["post"] = operation(k, "post", write);
  paths[collection]["delete"] = operation(k, "deletecollection", remove);
  auto& item = paths[collection + "/{name}"];
  item["get"] = operation(k, "get", document::array());
  item["put"] = operation(k, "put", write);
  item["patch"] = patch_operation(k, !k.from_crd, patch);
  item["delete"] = operation(k, "delete", remove);
  for (const auto& sub : subresources_of(k)) {
    auto& path = paths[collection + "/{name}/" + sub];
    if (sub == "token") {
      path["post"] = operation(k, "post", write);
      continue;
    }
    const auto& body = sub == "scale" ? *scale_kind() : k;
    path["get"] = operation(body, "get", document::array());
    path["put"] = operation(body, "put", write);
    path["patch"] = patch_operation(body, !k.from_crd, patch);
  }
}

/// Common to every version of the document; the kinds refer to it.
void add_meta_definitions(document& schemas) {
  schemas[std::string(meta_prefix) + "ObjectMeta"] = object_meta();
  schemas[std::string(meta_prefix) + "OwnerReference"] = owner_reference();
  schemas[std::string(meta_prefix) + "ManagedFieldsEntry"] = managed_fields_entry();
  schemas[std::string(meta_prefix) + "ListMeta"] = list_meta();
}

/// What kubectl below 1.27 looks at: patch, its kind and whether it knows dryRun.
document v2_path(const kind_info& k) {
  document parameters = document::array();
  for (const char* name : {"dryRun", "fieldManager", "fieldValidation"})
    parameters.push_back({{"name", name}, {"in", "query"}, {"type", "string"}});
  parameters.push_back({{"name", "force"}, {"in", "query"}, {"type", "boolean"}});
  return {{"patch",
           {{"parameters", parameters},
            {"responses", {{"200", {{"description", "OK"}}}}},
            {"x-kubernetes-group-version-kind", gvk_of(k, k.kind)}}}};
}

}  // namespace

std::string openapi_cache::cached(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (auto v = kinds_.version(); v != version_) {
    texts_.clear();
    version_ = v;
  }
  auto it = texts_.find(key);
  if (it == texts_.end()) {
    auto text = key == v2_json_key       ? build_v2().dump()
                : key == v2_protobuf_key ? gnostic_protobuf(build_v2())
                                         : build(key);
    if (text.empty()) return text;
    it = texts_.emplace(key, std::move(text)).first;
  }
  return it->second;
}

std::string openapi_cache::group_version(const std::string& path) {
  return path.starts_with("api") ? cached(path) : std::string();
}

std::string openapi_cache::index() {
  std::set<std::string> paths;
  for (const auto& k : kinds_.all()) paths.insert((k->group.empty() ? "api/" : "apis/") + k->api_version());
  document out = {{"paths", document::object()}};
  for (const auto& path : paths) {
    std::string hash;
    append_be64(hash, fnv1a(cached(path)));
    out["paths"][path] = {{"serverRelativeURL", "/openapi/v3/" + path + "?hash=" + to_hex(hash)}};
  }
  return out.dump();
}

std::string openapi_cache::build(const std::string& path) const {
  document schemas;
  document paths = document::object();
  for (const auto& k : kinds_.all()) {
    if ((k->group.empty() ? "api/" : "apis/") + k->api_version() != path) continue;
    schemas[definition_name(*k)] = kind_definition(*k);
    schemas[definition_name(*k) + "List"] = list_definition(*k);
    if (k->scale) schemas[definition_name(*scale_kind())] = kind_definition(*scale_kind());
    add_paths(paths, *k);
  }
  if (schemas.empty()) return {};
  add_meta_definitions(schemas);
  document out = {{"openapi", "3.0.0"},
                  {"info", {{"title", "Kubernetes"}, {"version", server_version_}}},
                  {"paths", std::move(paths)},
                  {"components", {{"schemas", std::move(schemas)}}}};
  return out.dump();
}

std::string openapi_cache::v2_json() { return cached(v2_json_key); }
std::string openapi_cache::v2_protobuf() { return cached(v2_protobuf_key); }

document openapi_cache::build_v2() const {
  document schemas;
  document paths = document::object();
  for (const auto& k : kinds_.all()) {
    schemas[definition_name(*k)] = kind_definition(*k);
    schemas[definition_name(*k) + "List"] = list_definition(*k);
    paths[path_of(*k) + "/{name}"] = v2_path(*k);
  }
  add_meta_definitions(schemas);
  document definitions;
  for (const auto& [name, schema] : schemas.items()) definitions[name] = swagger_schema(schema);
  return {{"swagger", "2.0"},
          {"info", {{"title", "Kubernetes"}, {"version", server_version_}}},
          {"paths", std::move(paths)},
          {"definitions", std::move(definitions)}};
}

}  // namespace wh
