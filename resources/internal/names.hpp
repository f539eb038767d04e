#pragma once
#include <optional>
#include <string>
#include <string_view>

// Kubernetes' rules for names. Each check returns why the text is refused, in Kubernetes' words, or nothing.
namespace wh::internal {

using complaint = std::optional<std::string>;

/// RFC 1123 label, at most 63 characters: namespaces.
complaint check_dns_label(std::string_view name);
/// RFC 1035 label, at most 63 characters: Services.
complaint check_dns1035_label(std::string_view name);
/// RFC 1123 subdomain, at most 253 characters: most names.
complaint check_dns_subdomain(std::string_view name);
/// What fits one segment of a URL path: RBAC names.
complaint check_path_segment(std::string_view name);
/// `[prefix/]name` of labels, annotations and taints.
complaint check_qualified_name(std::string_view name);
complaint check_label_value(std::string_view value);

}  // namespace wh::internal
