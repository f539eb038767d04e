#include "actors/hub/cluster_sets.hpp"
#include "actors/names.hpp"

namespace wh {
namespace {

/// The text of `metadata` in a stored body, which begins with it; empty if it does not.
std::string_view metadata_text(std::string_view body) {
  constexpr std::string_view start = "{\"metadata\":";
  if (!body.starts_with(start)) return {};
  body.remove_prefix(start.size());
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (quoted) {
      if (c == '\\') ++i;
      else if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return body.substr(0, i + 1);
    }
  }
  return {};
}

}  // namespace

bool concerns_cluster_sets(const change& c) {
  if (c.key.resource == names::cluster_sets || c.key.resource == names::cluster_set_bindings) return true;
  if (c.key.resource != names::managed_clusters) return false;
  if (!c.body || !c.previous) return true;
  // Labels and deletion are in the metadata, and a spoke's reports are not: most changes end here, unparsed.
  const auto now = metadata_text(*c.body);
  return now.empty() || now != metadata_text(*c.previous);
}

}  // namespace wh
