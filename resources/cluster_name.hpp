#pragma once
#include <string>
#include <string_view>

namespace wh {

/// A cluster's name must be a valid namespace name (DNS-1123 label) and none of the hub's own; "" or what is wrong with it.
/// One rule for every way in: the link, the REST API, the spoke's own flag.
std::string cluster_name_problem(std::string_view name);

}  // namespace wh
