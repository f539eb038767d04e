#include "nodes/ctl/import_source.hpp"

#include <algorithm>
#include <set>

namespace wh::ctl {
namespace {

constexpr int beginnings_max = 5;

bool lists(const document& discovery, const std::string& plural) {
  const auto* resources = find_path(discovery, {"resources"});
  return resources && resources->is_array() && std::any_of(resources->begin(), resources->end(), [&](const auto& r) {
           return string_at(r, {"name"}) == plural;
         });
}

}  // namespace

result<std::optional<std::string>> served_version(hub_client& server, const imported_kind& kind) {
  for (const auto& version : kind.versions) {
    const auto found = server.find("/apis/" + kind.group + "/" + version);
    if (!found && found.err().code == errc::forbidden) return std::optional(kind.versions.front());
    if (!found) return found.err();
    if (*found && lists(**found, kind.plural)) return std::optional(version);
  }
  return std::optional<std::string>();
}

result<void> read_objects(hub_client& source, const std::string& path, std::size_t page,
                          const std::function<bool(const document&)>& take, const std::function<void()>& pause) {
  std::set<std::string> seen;
  for (int beginning = 0;; ++beginning) {
    const auto done = source.pages(path, {}, page, [&](std::vector<document> items) {
      for (const auto& item : items)
        if (seen.insert(std::string(namespace_of(item)) + "/" + std::string(name_of(item))).second && !take(item))
          return false;
      return true;
    });
    // The source forgets old lists (410), and what is done with a page takes time.
    const bool again = !done && (done.err().code == errc::gone || done.err().code == errc::busy);
    if (!again || beginning + 1 >= beginnings_max) return done;
    pause();
  }
}

}  // namespace wh::ctl
