#include <algorithm>

#include "base/time.hpp"
#include "resources/internal/names.hpp"
#include "resources/kinds.hpp"

namespace wh {
namespace {

using internal::complaint;

constexpr std::size_t annotations_bytes_max = 256 * 1024;
constexpr std::size_t shown_value_max = 256;

std::string quoted(std::string_view text) {
  return document(text.substr(0, shown_value_max)).dump(-1, ' ', false, document::error_handler_t::replace);
}

field_error invalid(std::string field, std::string_view value, std::string why) {
  return {field_error_type::invalid, std::move(field), quoted(value), std::move(why)};
}

field_error required(std::string field, std::string why = {}) {
  return {field_error_type::required, std::move(field), "", std::move(why)};
}

bool has_rbac_name(const kind_info& kind) { return kind.group == "rbac.authorization.k8s.io"; }

complaint check_name(const kind_info& kind, std::string_view name) {
  if (has_rbac_name(kind)) return internal::check_path_segment(name);
  if (kind.group.empty() && kind.kind == "Namespace") return internal::check_dns_label(name);
  if (kind.group.empty() && kind.kind == "Service") return internal::check_dns1035_label(name);
  return internal::check_dns_subdomain(name);
}

class checker {
 public:
  std::vector<field_error> errors;

  void names(const kind_info& kind, const document& doc) {
    const auto name = name_of(doc);
    const auto prefix = string_at(doc, {"metadata", "generateName"});
    if (!prefix.empty()) {
      // What will be appended starts and ends with a letter or digit.
      if (auto why = check_name(kind, std::string(prefix) + "x"))
        errors.push_back(invalid("metadata.generateName", prefix, *why));
    }
    if (name.empty()) {
      if (prefix.empty()) errors.push_back(required("metadata.name", "name or generateName is required"));
    } else if (auto why = check_name(kind, name)) {
      errors.push_back(invalid("metadata.name", name, *why));
    }
    const auto ns = namespace_of(doc);
    if (!kind.namespaced && !ns.empty()) {
      errors.push_back({field_error_type::forbidden, "metadata.namespace", "", "not allowed on this type"});
    } else if (kind.namespaced && ns.empty()) {
      errors.push_back(required("metadata.namespace"));
    } else if (kind.namespaced) {
      if (auto why = internal::check_dns_label(ns)) errors.push_back(invalid("metadata.namespace", ns, *why));
    }
  }

  void labels(const document& doc) {
    const auto* labels = find_path(doc, {"metadata", "labels"});
    if (!labels || !labels->is_object()) return;
    for (const auto& [key, value] : labels->items()) {
      if (auto why = internal::check_qualified_name(key)) errors.push_back(invalid("metadata.labels", key, *why));
      if (!value.is_string()) continue;
      const auto& text = value.get_ref<const std::string&>();
      if (auto why = internal::check_label_value(text)) errors.push_back(invalid("metadata.labels", text, *why));
    }
  }

  void annotations(const document& doc) {
    const auto* annotations = find_path(doc, {"metadata", "annotations"});
    if (!annotations || !annotations->is_object()) return;
    std::size_t bytes = 0;
    for (const auto& [key, value] : annotations->items()) {
      auto lower = key;
      std::transform(lower.begin(), lower.end(), lower.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      if (auto why = internal::check_qualified_name(lower))
        errors.push_back(invalid("metadata.annotations", key, *why));
      bytes += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
    }
    if (bytes > annotations_bytes_max) {
      errors.push_back({field_error_type::too_long, "metadata.annotations", "",
                        "may not be more than " + std::to_string(annotations_bytes_max) + " bytes"});
    }
  }

  void finalizers(const document& doc) {
    const auto* list = find_path(doc, {"metadata", "finalizers"});
    if (!list || !list->is_array()) return;
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (!(*list)[i].is_string()) continue;
      const auto& name = (*list)[i].get_ref<const std::string&>();
      const auto field = "metadata.finalizers[" + std::to_string(i) + "]";
      if (auto why = internal::check_qualified_name(name)) errors.push_back(invalid(field, name, *why));
    }
  }

  void owners(const document& doc) {
    const auto* list = find_path(doc, {"metadata", "ownerReferences"});
    if (!list || !list->is_array()) return;
    std::string controller;
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto& owner = (*list)[i];
      const auto field = "metadata.ownerReferences[" + std::to_string(i) + "]";
      for (const char* member : {"apiVersion", "kind", "name", "uid"}) {
        if (string_at(owner, {member}).empty()) {
          errors.push_back(invalid(field + "." + member, "", std::string(member) + " must not be empty"));
        }
      }
      if (!bool_at(owner, {"controller"}, false)) continue;
      if (!controller.empty()) {
        errors.push_back(
            invalid("metadata.ownerReferences", string_at(owner, {"name"}),
                    "Only one reference can have Controller set to true. Found \"true\" in references for " +
                        controller + " and " + std::string(string_at(owner, {"name"}))));
      }
      controller = string_at(owner, {"name"});
    }
  }
};

}  // namespace

std::vector<field_error> validate_metadata(const kind_info& kind, const document& doc) {
  checker c;
  c.names(kind, doc);
  if (generation_of(doc).get() < 0) {
    c.errors.push_back({field_error_type::invalid, "metadata.generation", std::to_string(generation_of(doc).get()),
                        "must be greater than or equal to 0"});
  }
  c.labels(doc);
  c.annotations(doc);
  c.owners(doc);
  c.finalizers(doc);
  return std::move(c.errors);
}

}  // namespace wh
