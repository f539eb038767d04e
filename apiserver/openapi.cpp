#include "apiserver/openapi.hpp"

#include <algorithm>
#include <set>

#include "apiserver/discovery.hpp"
#include "apiserver/openapi_schemas.hpp"
#include "apiserver/openapi_v2.hpp"
#include "base/assert.hpp"
#include "base/encoding.hpp"
#include "resources/scale.hpp"

namespace wh {

namespace {

constexpr const char* v2_json_key = "v2";
constexpr const char* v2_protobuf_key = "v2.pb";

document query_parameters(std::initializer_list<const char*> names) {
  document out = document::array();
  for (std::string name : names) {
    const char* type = name == "force" ? "boolean" : "string";
    out.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", type}, {"uniqueItems", true}}}});
  }
  return out;
}

document operation(const kind_info& k, const char* action, const document& parameters) {
  const auto answer = definition_name(k) + (std::string_view(action) == "list" ? "List" : "");
  document content = {{"application/json", {{"schema", schema_reference(answer)}}}};
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

std::string key_of(const kind_info& k) { return (k.group.empty() ? "api/" : "apis/") + k.api_version(); }

/// Kinds that are asked with and never stored, such as SubjectAccessReview.
const std::vector<kind_ptr>& asked_kinds() {
  static const auto all = [] {
    std::vector<kind_ptr> out;
    for (const auto& r : virtual_resources()) {
      auto kind = find_request_kind(r.group, r.version, r.kind);
      WH_ASSERT(kind);
      out.push_back(std::move(kind));
    }
    return out;
  }();
  return all;
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

/// A JSON object of members that are texts already.
std::string object_text(const std::map<std::string, std::string>& members) {
  std::string out = "{";
  for (const auto& [name, text] : members) {
    if (out.size() > 1) out += ',';
    out += document(name).dump();
    out += ':';
    out += text;
  }
  return out += '}';
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
    auto text = key == v2_json_key ? build_v2_json() : key == v2_protobuf_key ? build_v2_protobuf() : build(key);
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
  for (const auto& k : kinds_.all()) paths.insert(key_of(*k));
  for (const auto& k : asked_kinds()) paths.insert(key_of(*k));
  document out = {{"paths", document::object()}};
  for (const auto& path : paths) {
    std::string hash;
    append_be64(hash, fnv1a(cached(path)));
    out["paths"][path] = {{"serverRelativeURL", "/openapi/v3/" + path + "?hash=" + to_hex(hash)}};
  }
  return out.dump();
}

std::string openapi_cache::build(const std::string& path) const {
  schema_texts schemas(kinds_.all(), [](const document& schema) { return schema.dump(); });
  document paths = document::object();
  for (const auto& k : kinds_.all()) {
    if (key_of(*k) != path) continue;
    schemas.add_kind(*k);
    add_paths(paths, *k);
  }
  for (const auto& k : asked_kinds()) {
    if (key_of(*k) != path) continue;
    schemas.add_body(*k);
    paths[path_of(*k)]["post"] = operation(*k, "post", query_parameters({"dryRun", "fieldManager", "fieldValidation"}));
  }
  if (schemas.empty()) return {};
  const document rest = {{"openapi", "3.0.0"},
                         {"info", {{"title", "Kubernetes"}, {"version", server_version_}}},
                         {"paths", std::move(paths)}};
  return R"({"components":{"schemas":)" + object_text(schemas.take()) + "}," + rest.dump().substr(1);
}

std::map<std::string, std::string> openapi_cache::v2_definitions(std::string (*write)(const document&)) const {
  schema_texts schemas(kinds_.all(), [&](const document& v3) { return write(swagger_schema(v3)); });
  for (const auto& k : kinds_.all()) schemas.add_kind(*k);
  for (const auto& k : asked_kinds()) schemas.add_body(*k);
  return schemas.take();
}

document openapi_cache::v2_head() const {
  document paths = document::object();
  for (const auto& k : kinds_.all()) paths[path_of(*k) + "/{name}"] = v2_path(*k);
  return {{"swagger", "2.0"},
          {"info", {{"title", "Kubernetes"}, {"version", server_version_}}},
          {"paths", std::move(paths)}};
}

std::string openapi_cache::build_v2_json() const {
  const auto definitions = v2_definitions([](const document& schema) { return schema.dump(); });
  return R"({"definitions":)" + object_text(definitions) + "," + v2_head().dump().substr(1);
}

std::string openapi_cache::build_v2_protobuf() const {
  return gnostic_protobuf(v2_head(), v2_definitions(gnostic_schema));
}

std::string openapi_cache::v2_json() { return cached(v2_json_key); }
std::string openapi_cache::v2_protobuf() { return cached(v2_protobuf_key); }

}  // namespace wh
