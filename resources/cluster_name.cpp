#include "resources/cluster_name.hpp"

#include <fmt/format.h>

#include "resources/internal/names.hpp"

namespace wh {

std::string cluster_name_problem(std::string_view name) {
  if (internal::check_dns_label(name))
    return fmt::format(
        "cluster name \"{}\" is not valid: at most 63 characters of a-z, 0-9 and '-', starting and ending with "
        "a letter or digit",
        name.substr(0, 80));
  // The cluster's agent gets rights in the namespace of that name, and these hold what is the hub's own.
  if (name == "default" || name.starts_with("kube-"))
    return fmt::format(
        "cluster name \"{}\" is reserved: \"default\" and names that start with \"kube-\" are the hub's own", name);
  // Its group would be that of all clusters, its role one that all clusters share, its users would look like add-ons'.
  for (const auto shared : {"managed-clusters", "registration", "work", "cluster", "addon"})
    if (name == shared)
      return fmt::format("cluster name \"{}\" is reserved: the hub's shared groups and roles have it in their names",
                         name);
  return {};
}

}  // namespace wh
