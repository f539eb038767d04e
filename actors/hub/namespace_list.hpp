#pragma once
#include <map>
#include <string>
#include <vector>

#include "messages/actor_messages.hpp"
#include "resources/document.hpp"

/// status.managedNamespaces of a ManagedCluster: the namespaces that its sets want on it. The hub writes the list, the
/// cluster's agent the conditions of its entries.
namespace wh {

/// The list without conditions, in its order.
std::vector<managed_namespace> managed_namespaces_of(const document& cluster);
/// Makes the list what it should be; entries that stay keep their conditions.
void set_managed_namespaces(document& cluster, const std::vector<managed_namespace>& wanted);
/// Takes what an agent says of namespaces (name to what went wrong, empty: applied) into their conditions.
void report_namespaces(document& cluster, const std::map<std::string, std::string>& reports, instant now);

}  // namespace wh
