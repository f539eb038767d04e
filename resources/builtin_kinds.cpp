#include <algorithm>
#include <mutex>

#include "base/assert.hpp"
#include "resources/conversion.hpp"
#include "resources/internal/builtin_definitions.hpp"
#include "resources/internal/schema_compiler.hpp"
#include "resources/kinds.hpp"

namespace wh {
namespace internal {
namespace {

/// The compiled-in kinds. Compiled once in a process however many servers live in it; a simulation has thousands.
class builtin_library {
 public:
  builtin_library() : compiler_({.definitions = [this](const auto& name) { return find(name); }, .drop_null = true}) {}

  schema::node::ptr node(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return compile({{"$ref", name}});
  }

  std::vector<kind_ptr> kinds(std::string_view set) {
    const std::lock_guard lock(mutex_);
    if (const auto known = sets_.find(set); known != sets_.end()) return known->second;
    auto& out = sets_[std::string(set)];
    for (const auto& packed : packed_kinds()) {
      const auto source = parse_packed(packed.json);
      const auto& in = source["sets"];
      if (std::find(in.begin(), in.end(), set) != in.end()) out.push_back(kind_of(packed, source));
    }
    definitions_.clear();  // the compiler keeps what it made of them
    return out;
  }

 private:
  schema::node::ptr compile(const document& source) {
    auto node = compiler_.compile(source);
    if (!node) std::fprintf(stderr, "compiled-in schema: %s\n", node.err().message.c_str());
    WH_ASSERT(node.ok());
    return *node;
  }

  const document* find(const std::string& name) {
    const auto* packed = find_packed(packed_definitions(), name);
    if (!packed) return nullptr;
    const auto known = definitions_.find(name);
    return known != definitions_.end() ? &known->second : &(definitions_[name] = parse_packed(packed->json));
  }

  kind_ptr kind_of(const packed_text& packed, const document& source) {
    if (const auto known = kinds_.find(packed.name); known != kinds_.end()) return known->second;
    kind_info out;
    out.group = source.value("group", "");
    out.version = source.value("version", "");
    out.kind = source.value("kind", "");
    out.list_kind = out.kind + "List";
    out.plural = source.value("plural", "");
    out.singular = source.value("singular", "");
    if (out.singular.empty()) {
      out.singular = out.kind;
      std::transform(out.singular.begin(), out.singular.end(), out.singular.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    }
    out.short_names = source.value("shortNames", std::vector<std::string>());
    out.categories = source.value("categories", std::vector<std::string>());
    out.namespaced = source.value("scope", "") == "Namespaced";
    out.has_status = source.value("status", false);
    if (source.value("scale", false)) out.scale = {".spec.replicas", ".status.replicas", ".spec.selector"};
    out.stored_in = source.value("storedIn", "");
    out.storage = source.value("storage", out.stored_in.empty());
    out.conversion = conversion_of(out.group, out.version, out.kind);
    out.has_generation = source.value("generation", true);
    out.protobuf = source.value("protobufName", "");
    if (source.value("protobuf", false)) out.protobuf = protobuf_name(out);
    // Kinds that are CRDs elsewhere (no protobuf) are never overwritten unseen.
    out.unconditional_update = source.value("unconditionalUpdate", !out.protobuf.empty());
    for (const auto& column : source.value("columns", document::array())) out.columns.push_back(column_of(column));
    out.structure = structure_of(source, out);
    return kinds_[packed.name] = std::make_shared<const kind_info>(std::move(out));
  }

  /// k8s.io.api.rbac.v1.Role for rbac.authorization.k8s.io/v1.
  static std::string protobuf_name(const kind_info& kind) {
    const auto group = kind.group.empty() ? "core" : kind.group.substr(0, kind.group.find('.'));
    return "k8s.io.api." + group + "." + kind.version + "." + kind.kind;
  }

  static table_column column_of(const document& source) {
    table_column out;
    out.name = source.value("name", "");
    out.description = source.value("description", "");
    out.json_path = source.value("path", "");
    out.type = source.value("type", out.json_path == ".metadata.creationTimestamp" ? "date" : "string");
    out.priority = source.value("priority", 0);
    out.empty = source.value("empty", "");
    return out;
  }

  std::shared_ptr<const schema> structure_of(const document& source, const kind_info& kind) {
    const auto own = source.find("schema");
    const document reference = own == source.end() ? document{{"$ref", kind.kind}} : *own;
    const auto root = as_resource(*compile(reference));
    return schema_access::make(
        root,
        [reference, referring = !kind.protobuf.empty()] {
          auto out = published_builtin(reference, referring);
          out["properties"]["apiVersion"] = {{"type", "string"}};
          out["properties"]["kind"] = {{"type", "string"}};
          return out;
        },
        kind.protobuf.empty() ? schema::wording::openapi : schema::wording::kubernetes);
  }

  std::mutex mutex_;
  schema_compiler compiler_;
  std::map<std::string, document, std::less<>> definitions_;
  std::map<std::string_view, kind_ptr> kinds_;
  std::map<std::string, std::vector<kind_ptr>, std::less<>> sets_;
};

builtin_library& library() {
  // Never destroyed: schemas that refer to it may outlive every static object.
  static auto* const instance = new builtin_library;
  return *instance;
}

}  // namespace

const schema::node::ptr& object_meta_node() {
  // Not through library(): it asks for this node while it compiles, with its lock held.
  static const auto node = [] {
    builtin_library own;
    return own.node("ObjectMeta");
  }();
  return node;
}

}  // namespace internal

void add_builtin_kinds(kind_registry& registry, kind_set set) {
  for (const auto& kind : internal::library().kinds(set == kind_set::hub ? "hub" : "cluster")) registry.add(*kind);
}

kind_ptr find_request_kind(std::string_view group, std::string_view version, std::string_view kind) {
  for (const auto& known : internal::library().kinds("request")) {
    if (known->kind == kind && (kind == "DeleteOptions" || (known->group == group && known->version == version)))
      return known;
  }
  return nullptr;
}

}  // namespace wh
