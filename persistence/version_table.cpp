#include "persistence/version_table.hpp"

#include <algorithm>
#include <iterator>

namespace wh::storage {

namespace {

bool before(revision rev, const version& v) { return rev < v.rev; }

}  // namespace

void version_table::add(const change& c) {
  append(entries_.try_emplace(c.key).first, {c.rev, c.body, c.previous, c.previous_rev, c.in_memory});
  if (role_ == role::whole) ++history_;
}

void version_table::hide(const object_key& key, revision rev) {
  const auto it = entries_.find(key);
  if (it != entries_.end()) append(it, {.rev = rev, .body = {}, .previous = {}, .previous_rev = {}, .stored = true});
}

void version_table::append(entry_map::iterator it, version v) {
  if (superseded_max_ != 0 && !it->second.empty()) superseded_.push_back(it->second.back().rev);
  by_revision_.emplace(v.rev, &it->first);
  it->second.push_back(std::move(v));
  trim();
}

const version* version_table::find(const object_key& key, revision at) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? nullptr : as_of(it->second, at);
}

bool version_table::trimmed(const key_range& range, revision at) const {
  if (at >= trimmed_) return false;
  const auto it = first(range, {});
  return it != entries_.end() && it->first.resource == range.resource;
}

std::vector<change> version_table::changes(revision after, revision upto, std::size_t limit) const {
  std::vector<change> out;
  for (auto it = by_revision_.upper_bound(after); it != by_revision_.end() && it->first <= upto; ++it) {
    if (limit != 0 && out.size() == limit) break;
    const version* v = find(*it->second, it->first);
    if (v != nullptr) out.push_back({*it->second, v->rev, v->body, v->previous, v->previous_rev, v->in_memory});
  }
  return out;
}

void version_table::compact(revision upto) {
  if (upto <= compacted_) return;
  std::vector<const object_key*> touched;
  const auto last = by_revision_.upper_bound(upto);
  for (auto it = by_revision_.upper_bound(compacted_); it != last; ++it) touched.push_back(it->second);
  compacted_ = upto;
  history_ -= role_ == role::whole ? touched.size() : 0;
  // Each object once: compacting it may remove it, and the key with it.
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (const object_key* key : touched) compact_entry(entries_.find(*key), upto);
}

revision version_table::nth_oldest(std::size_t n) const {
  auto it = by_revision_.upper_bound(compacted_);
  for (std::size_t i = 1; i < n && it != by_revision_.end(); ++i) ++it;
  return it == by_revision_.end() ? compacted_ : it->first;
}

version_table::entry_map::const_iterator version_table::first(const key_range& range,
                                                              const std::optional<object_key>& after) const {
  const object_key start = scan_start(range, after);
  return after && start == *after ? entries_.upper_bound(start) : entries_.lower_bound(start);
}

const version* version_table::as_of(const entry& e, revision at) {
  const auto next = std::upper_bound(e.begin(), e.end(), at, before);
  if (next == e.begin() || std::prev(next)->stored) return nullptr;
  return &*std::prev(next);
}

void version_table::trim() {
  while (superseded_.size() > superseded_max_) {
    const revision rev = superseded_.front();
    superseded_.pop_front();
    drop(rev);
  }
}

void version_table::drop(revision rev) {
  const auto at = by_revision_.find(rev);
  if (at == by_revision_.end()) return;  // compacted meanwhile
  entry& versions = entries_.find(*at->second)->second;
  const auto next = std::upper_bound(versions.begin(), versions.end(), rev, before);
  if (next != versions.end()) trimmed_ = std::max(trimmed_, next->rev);
  versions.erase(std::prev(next));
  by_revision_.erase(at);
}

void version_table::compact_entry(entry_map::iterator it, revision upto) {
  entry& e = it->second;
  auto keep = std::upper_bound(e.begin(), e.end(), upto, before);
  if (keep != e.begin()) {
    const auto current = std::prev(keep);
    // An overlaid removal has to go on hiding the stored version beneath it.
    const bool needed = role_ == role::whole ? current->body != nullptr : !current->stored;
    if (needed) keep = current;
    current->previous = nullptr;
  }
  for (auto v = e.begin(); v != keep; ++v) by_revision_.erase(v->rev);
  e.erase(e.begin(), keep);
  if (e.empty()) entries_.erase(it);
}

}  // namespace wh::storage
