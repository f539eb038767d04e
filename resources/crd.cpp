#include <algorithm>
#include <set>

#include "resources/internal/json_path.hpp"
#include "resources/internal/names.hpp"
#include "resources/internal/structural_schema.hpp"
#include "resources/kinds.hpp"

namespace wh {
namespace {

constexpr std::size_t messages_max = 10;

std::string quoted(std::string_view text) {
  return document(text).dump(-1, ' ', false, document::error_handler_t::replace);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// The first strings of a list; others are for the CRD kind's own schema to complain about.
const document& versions_of(const document& crd) {
  static const document none = document::array();
  const auto* versions = find_path(crd, {"spec", "versions"});
  return versions && versions->is_array() ? *versions : none;
}

class crd_checker {
 public:
  explicit crd_checker(const document& crd) : crd_(crd) {}

  std::vector<field_error> run() {
    names();
    versions();
    for (std::size_t i = 0; i < versions_of(crd_).size(); ++i) {
      version(versions_of(crd_)[i], "spec.versions[" + std::to_string(i) + "]");
    }
    return std::move(errors_);
  }

 private:
  std::string_view text(std::initializer_list<std::string_view> path) const { return string_at(crd_, path); }

  void add(field_error_type type, std::string field, std::string value, std::string why) {
    errors_.push_back({type, std::move(field), std::move(value), std::move(why)});
  }
  void check(const std::string& field, std::string_view value, const internal::complaint& why) {
    if (why) add(field_error_type::invalid, field, quoted(value), *why);
  }
  bool present(const std::string& field, std::string_view value) {
    if (value.empty()) add(field_error_type::required, field, "", "");
    return !value.empty();
  }

  void names() {
    const auto group = text({"spec", "group"}), plural = text({"spec", "names", "plural"}),
               kind = text({"spec", "names", "kind"});
    if (present("spec.group", group)) {
      check("spec.group", group, internal::check_dns_subdomain(group));
      if (group.find('.') == std::string_view::npos) {
        add(field_error_type::invalid, "spec.group", quoted(group), "should be a domain with at least one dot");
      }
    }
    if (present("spec.names.plural", plural)) check("spec.names.plural", plural, internal::check_dns1035_label(plural));
    if (present("spec.names.kind", kind)) check("spec.names.kind", kind, internal::check_dns1035_label(lower(kind)));
    if (const auto list = text({"spec", "names", "listKind"}); !list.empty()) {
      check("spec.names.listKind", list, internal::check_dns1035_label(lower(list)));
      if (list == kind)
        add(field_error_type::invalid, "spec.names.listKind", quoted(list), "kind and listKind may not be the same");
    }
    if (const auto singular = text({"spec", "names", "singular"}); !singular.empty()) {
      check("spec.names.singular", singular, internal::check_dns1035_label(singular));
    }
    for (const char* list : {"shortNames", "categories"}) {
      for (const auto& name : texts_at(crd_, {"spec", "names", list})) {
        check(std::string("spec.names.") + list, name, internal::check_dns1035_label(name));
      }
    }
    if (const auto expected = std::string(plural) + "." + std::string(group); name_of(crd_) != expected) {
      add(field_error_type::invalid, "metadata.name", quoted(name_of(crd_)),
          "must be spec.names.plural+\".\"+spec.group");
    }
    if (const auto scope = text({"spec", "scope"}); scope != "Cluster" && scope != "Namespaced") {
      add(field_error_type::not_supported, "spec.scope", quoted(scope),
          "supported values: \"Cluster\", \"Namespaced\"");
    }
    // Converting would mean to call out to a webhook, which the hub never does.
    if (text({"spec", "conversion", "strategy"}) == "Webhook") {
      add(field_error_type::not_supported, "spec.conversion.strategy", "\"Webhook\"", "supported values: \"None\"");
    }
    if (bool_at(crd_, {"spec", "preserveUnknownFields"}, false)) {
      add(field_error_type::invalid, "spec.preserveUnknownFields", "true", "must be false");
    }
  }

  void versions() {
    const auto& all = versions_of(crd_);
    if (all.empty()) return add(field_error_type::required, "spec.versions", "", "must have at least one version");
    std::set<std::string_view> seen;
    std::size_t stored = 0, served = 0;
    for (const auto& version : all) {
      if (const auto name = string_at(version, {"name"}); !seen.insert(name).second) {
        add(field_error_type::duplicate, "spec.versions", quoted(name), "");
      }
      stored += bool_at(version, {"storage"}, false) ? 1 : 0;
      served += bool_at(version, {"served"}, false) ? 1 : 0;
    }
    if (stored != 1)
      add(field_error_type::invalid, "spec.versions", "", "must have exactly one version marked as storage version");
    if (served == 0)
      add(field_error_type::invalid, "spec.versions", "", "must have at least one version that is served");
  }

  void version(const document& version, const std::string& path) {
    const auto name = string_at(version, {"name"});
    if (present(path + ".name", name)) check(path + ".name", name, internal::check_dns1035_label(name));
    const auto* openapi = find_path(version, {"schema", "openAPIV3Schema"});
    if (!openapi) {
      add(field_error_type::required, path + ".schema.openAPIV3Schema", "", "schemas are required");
    } else {
      auto found = internal::check_structural(*openapi, path + ".schema.openAPIV3Schema");
      errors_.insert(errors_.end(), found.begin(), found.end());
    }
    if (const auto* sub = find_path(version, {"subresources", "scale"}); sub && sub->is_object())
      scale(*sub, path + ".subresources.scale");
    const auto* columns = find_path(version, {"additionalPrinterColumns"});
    for (std::size_t i = 0; columns && columns->is_array() && i < columns->size(); ++i) {
      column((*columns)[i], path + ".additionalPrinterColumns[" + std::to_string(i) + "]");
    }
  }

  void scale(const document& scale, const std::string& path) {
    replicas_path(scale, "specReplicasPath", ".spec", path);
    replicas_path(scale, "statusReplicasPath", ".status", path);
    const auto selector = string_at(scale, {"labelSelectorPath"});
    if (selector.empty() || !simple_path(path + ".labelSelectorPath", selector)) return;
    if (!selector.starts_with(".spec.") && !selector.starts_with(".status."))
      add(field_error_type::invalid, path + ".labelSelectorPath", quoted(selector),
          "should be a json path under either .spec or .status");
  }

  void replicas_path(const document& scale, const char* name, const std::string& root, const std::string& path) {
    const auto field = path + "." + name;
    const auto value = string_at(scale, {name});
    if (!present(field, value) || !simple_path(field, value)) return;
    if (!value.starts_with(root + "."))
      add(field_error_type::invalid, field, quoted(value), "should be a json path under " + root);
  }

  /// Members alone, by dots: what can also be set, not only read.
  bool simple_path(const std::string& field, std::string_view path) {
    if (!path.starts_with('.')) {
      add(field_error_type::invalid, field, quoted(path), "must be a simple json path starting with .");
      return false;
    }
    const bool plain = path.find_first_of("[]*?@\"'\\") == std::string_view::npos && !path.ends_with('.') &&
                       path.find("..") == std::string_view::npos;
    if (!plain) add(field_error_type::invalid, field, quoted(path), "must be a json path in the dot notation");
    return plain;
  }

  void column(const document& column, const std::string& path) {
    present(path + ".name", string_at(column, {"name"}));
    const auto type = string_at(column, {"type"});
    const bool known = type == "string" || type == "integer" || type == "number" || type == "boolean" || type == "date";
    if (present(path + ".type", type) && !known) {
      add(field_error_type::not_supported, path + ".type", quoted(type),
          "supported values: \"boolean\", \"date\", \"integer\", \"number\", \"string\"");
    }
    const auto json_path = string_at(column, {"jsonPath"});
    if (!present(path + ".jsonPath", json_path)) return;
    if (!json_path.starts_with('.')) {
      add(field_error_type::invalid, path + ".jsonPath", quoted(json_path),
          "must be a simple json path starting with .");
    } else if (auto parsed = internal::json_path::parse(json_path); !parsed) {
      add(field_error_type::invalid, path + ".jsonPath", quoted(json_path), parsed.err().message);
    }
  }

  const document& crd_;
  std::vector<field_error> errors_;
};

std::vector<table_column> columns_of(const document& version) {
  std::vector<table_column> out;
  const auto* columns = find_path(version, {"additionalPrinterColumns"});
  for (std::size_t i = 0; columns && columns->is_array() && i < columns->size(); ++i) {
    const auto& c = (*columns)[i];
    table_column column;
    column.name = string_at(c, {"name"});
    column.type = string_at(c, {"type"});
    column.format = string_at(c, {"format"});
    column.description = string_at(c, {"description"});
    column.json_path = string_at(c, {"jsonPath"});
    column.priority = static_cast<int>(int_at(c, {"priority"}, 0));
    out.push_back(std::move(column));
  }
  if (out.empty()) {
    out.push_back(
        {.name = "Age", .type = "date", .format = "", .description = "", .json_path = ".metadata.creationTimestamp"});
  }
  return out;
}

kind_info names_of(const document& crd) {
  kind_info out;
  out.group = string_at(crd, {"spec", "group"});
  out.kind = string_at(crd, {"spec", "names", "kind"});
  out.plural = string_at(crd, {"spec", "names", "plural"});
  out.list_kind = string_at(crd, {"spec", "names", "listKind"});
  if (out.list_kind.empty()) out.list_kind = out.kind + "List";
  out.singular = string_at(crd, {"spec", "names", "singular"});
  if (out.singular.empty()) out.singular = lower(out.kind);
  out.short_names = texts_at(crd, {"spec", "names", "shortNames"});
  out.categories = texts_at(crd, {"spec", "names", "categories"});
  out.namespaced = string_at(crd, {"spec", "scope"}) == "Namespaced";
  out.from_crd = true;
  return out;
}

std::optional<scale_paths> scale_of_version(const document& version) {
  const auto* scale = find_path(version, {"subresources", "scale"});
  if (!scale || !scale->is_object()) return std::nullopt;
  return scale_paths{std::string(string_at(*scale, {"specReplicasPath"})),
                     std::string(string_at(*scale, {"statusReplicasPath"})),
                     std::string(string_at(*scale, {"labelSelectorPath"}))};
}

}  // namespace

std::vector<field_error> validate_crd(const document& crd) { return crd_checker(crd).run(); }

result<std::vector<kind_info>> kinds_of_crd(const document& crd) {
  if (const auto errors = validate_crd(crd); !errors.empty()) {
    std::string message;
    for (std::size_t i = 0; i < errors.size() && i < messages_max; ++i)
      message += (i == 0 ? "" : ", ") + errors[i].text();
    return fail(errc::invalid, message);
  }
  std::vector<kind_info> out;
  bool stored = false;
  for (const auto& version : versions_of(crd)) {
    if (!bool_at(version, {"served"}, false)) continue;
    auto kind = names_of(crd);
    kind.version = string_at(version, {"name"});
    kind.has_status = find_path(version, {"subresources", "status"}) != nullptr;
    kind.scale = scale_of_version(version);
    kind.storage = bool_at(version, {"storage"}, false);
    kind.columns = columns_of(version);
    auto structure = schema::compile(*find_path(version, {"schema", "openAPIV3Schema"}));
    if (!structure)
      return fail(errc::invalid,
                  "spec.versions[" + kind.version + "].schema.openAPIV3Schema: " + structure.err().message);
    kind.structure = *structure;
    stored |= kind.storage;
    out.push_back(std::move(kind));
  }
  // Versions differ in their apiVersion only (no conversion), so any served one can stand in for one that is not.
  if (!stored) out.front().storage = true;
  return out;
}

}  // namespace wh
