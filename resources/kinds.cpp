#include "resources/kinds.hpp"

#include <algorithm>
#include <mutex>

namespace wh {
namespace {

std::string registry_key(std::string_view group, std::string_view version, std::string_view plural) {
  std::string key;
  key.reserve(group.size() + version.size() + plural.size() + 2);
  key.append(group).append(1, '/').append(version).append(1, '/').append(plural);
  return key;
}

}  // namespace

void kind_registry::add(kind_info kind) {
  auto key = registry_key(kind.group, kind.version, kind.plural);
  auto entry = std::make_shared<const kind_info>(std::move(kind));
  const std::unique_lock lock(mutex_);
  by_resource_[std::move(key)] = std::move(entry);
  ++version_;
}

void kind_registry::remove(std::string_view group, std::string_view plural) {
  const std::unique_lock lock(mutex_);
  const auto gone = std::erase_if(
      by_resource_, [&](const auto& entry) { return entry.second->group == group && entry.second->plural == plural; });
  if (gone > 0) ++version_;
}

kind_ptr kind_registry::find(std::string_view group, std::string_view version, std::string_view plural) const {
  const std::shared_lock lock(mutex_);
  const auto it = by_resource_.find(registry_key(group, version, plural));
  return it == by_resource_.end() ? nullptr : it->second;
}

kind_ptr kind_registry::find_kind(std::string_view group, std::string_view version, std::string_view kind) const {
  const std::shared_lock lock(mutex_);
  // Versions of one group are neighbours: only they are looked at.
  const auto prefix = registry_key(group, version, "");
  for (auto it = by_resource_.lower_bound(prefix); it != by_resource_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second->kind == kind) return it->second;
  }
  return nullptr;
}

kind_ptr kind_registry::find_resource(std::string_view group_resource) const {
  const auto dot = group_resource.find('.');
  const auto plural = group_resource.substr(0, dot);
  const auto group = dot == std::string_view::npos ? std::string_view() : group_resource.substr(dot + 1);
  const auto prefix = std::string(group) + "/";
  const std::shared_lock lock(mutex_);
  for (auto it = by_resource_.lower_bound(prefix); it != by_resource_.end() && it->first.starts_with(prefix); ++it) {
    if (it->second->plural == plural && it->second->storage) return it->second;
  }
  return nullptr;
}

std::vector<kind_ptr> kind_registry::all() const {
  std::vector<kind_ptr> out;
  {
    const std::shared_lock lock(mutex_);
    for (const auto& [key, kind] : by_resource_) out.push_back(kind);
  }
  const auto order = [](const kind_ptr& k) { return std::tie(k->group, k->version, k->plural); };
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return order(a) < order(b); });
  return out;
}

std::uint64_t kind_registry::version() const {
  const std::shared_lock lock(mutex_);
  return version_;
}

}  // namespace wh
