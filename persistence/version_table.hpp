#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "messages/batch.hpp"
#include "persistence/scan.hpp"

namespace wh::storage {

/// One version of one object in memory. A null body says that the object was removed.
struct version {
  revision rev;
  shared_bytes body;
  shared_bytes previous;
  revision previous_rev;
  bool in_memory = false;
  bool stored = false;  ///< overlay: only marks that the version of this revision is in the file
};

/// Versions of objects in memory: all of the memory store, and the in-memory batches of the LMDB store, which lie
/// over the stored versions (overlay): of an object's stored and overlaid versions, the one with the greater
/// revision counts. Not synchronised.
class version_table {
 public:
  enum class role { whole, overlay };

  /// At most `superseded_max` versions are kept beyond each object's newest (0: until compaction).
  explicit version_table(role r, std::size_t superseded_max = 0) : role_(r), superseded_max_(superseded_max) {}

  void add(const change& c);

  /// Overlay: the object was stored at `rev`, which hides the overlaid versions before it.
  void hide(const object_key& key, revision rev);

  bool empty() const { return entries_.empty(); }

  /// The newest version at or before `at`, removal included; null if none.
  const version* find(const object_key& key, revision at) const;

  /// Whether versions that were current before `at` and later may have been dropped for want of room.
  bool trimmed(const object_key& key, revision at) const { return at < trimmed_ && entries_.contains(key); }
  bool trimmed(const key_range& range, revision at) const;

  /// Calls visit(key, version) for each object's version as of `at`, removals included, in key order until it says
  /// false.
  template <class Visit>
  void scan(const key_range& range, const std::optional<object_key>& after, revision at, Visit visit) const {
    auto it = first(range, after);
    while (it != entries_.end()) {
      const scan_step step = judge_key(range, key_view(it->first));
      if (step.what == scan_step::kind::stop) return;
      if (step.what == scan_step::kind::seek) {
        it = entries_.lower_bound(step.to);
        continue;
      }
      const version* v = as_of(it->second, at);
      if (v != nullptr && !visit(it->first, *v)) return;
      ++it;
    }
  }

  /// Changes in (after, upto], oldest first, at most `limit` (0: all).
  std::vector<change> changes(revision after, revision upto, std::size_t limit) const;

  /// Drops what is not current as of `upto`.
  void compact(revision upto);

  /// Role whole: changes since the last compaction.
  std::size_t history() const { return history_; }
  /// The revision whose compaction drops the `n` oldest of them.
  revision nth_oldest(std::size_t n) const;

 private:
  using entry = std::vector<version>;  ///< oldest first
  using entry_map = std::map<object_key, entry>;

  entry_map::const_iterator first(const key_range& range, const std::optional<object_key>& after) const;
  static const version* as_of(const entry& e, revision at);
  void append(entry_map::iterator it, version v);
  void trim();
  void drop(revision rev);
  void compact_entry(entry_map::iterator it, revision upto);

  role role_;
  std::size_t superseded_max_;
  entry_map entries_;
  std::map<revision, const object_key*> by_revision_;  ///< every version kept
  std::deque<revision> superseded_;                    ///< only when bounded
  revision compacted_;
  revision trimmed_;
  std::size_t history_ = 0;
};

}  // namespace wh::storage
