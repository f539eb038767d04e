#pragma once
#include <map>
#include <string>
#include <string_view>

#include "resources/document.hpp"

namespace wh {

/// The Kubernetes release whose API the embedded cluster follows.
inline constexpr std::string_view embedded_kubernetes_version = "v1.33.0+wheelhouse";

/// A resource quantity (`100m`, `16Gi`, `1e3`) in thousandths; errors for anything else.
result<std::int64_t> parse_quantity_milli(std::string_view text);
/// The shortest usual form: whole numbers plain (binary suffix where it divides), fractions in `m`.
std::string format_quantity_milli(std::int64_t milli);

/// Adds a map of quantities (as of a Node's capacity) to sums; what does not parse is left out.
void add_quantities(std::map<std::string, std::string>& sums, const document* quantities);

}  // namespace wh
