#pragma once
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string_view>
#include <vector>

#include "persistence/commit_core.hpp"
#include "persistence/feed_hub.hpp"
#include "persistence/lmdb_env.hpp"
#include "persistence/lmdb_tables.hpp"
#include "persistence/version_table.hpp"

namespace wh::storage {

/// Superseded in-memory versions that are kept beyond each object's newest.
inline constexpr std::size_t overlay_superseded_max = 16384;

/// What readers and the writer share. A reader takes `env_mutex` before `mutex` and holds both shared, the latter never
/// while it reads the file.
struct lmdb_shared {
  std::unique_ptr<lmdb_env> env;
  mutable std::shared_mutex env_mutex;  ///< exclusive only while the data file is opened anew

  mutable std::shared_mutex mutex;  ///< guards what follows; written by the writer thread alone
  revision_window window;
  version_table overlay{version_table::role::overlay, overlay_superseded_max};

  feed_hub feed;
};

/// Several batches in one transaction. Each is judged on the state that those before it leave; one that fails has
/// touched nothing. Nothing is visible before publish().
class lmdb_group final : private head_source {
 public:
  lmdb_group(lmdb_shared& shared, commit_core& core, const stored_state& state)
      : shared_(shared), core_(core), state_(state) {}
  ~lmdb_group() override;

  result<void> begin();
  /// The batch's outcome, valid once commit() went well. broken() tells that the transaction itself is lost.
  result<commit> apply(const batch& b);
  result<void> compact(revision upto, std::size_t budget);
  result<lmdb_tables::reseal_progress> reseal(revision after, revision upto, std::size_t budget);
  result<void> describe(std::string_view name, std::string_view value);
  /// Writes even if nothing changed, to find out whether writing works.
  void touch() { dirty_ = true; }
  result<void> commit_all();
  /// Shows the changes to readers, then to the feed.
  void publish();

  bool broken() const { return !environment_.ok(); }
  const result<void>& environment() const { return environment_; }
  bool dirty() const { return dirty_; }
  const stored_state& state() const { return state_; }
  /// The newest change of this group that goes to disk; 0: none.
  revision stored() const { return stored_; }

 private:
  result<std::optional<head>> newest(const object_key& key) override;
  result<void> write(const change& c, namespace_phase phase);

  lmdb_shared& shared_;
  commit_core& core_;
  stored_state state_;
  lmdb_txn txn_;
  std::optional<lmdb_tables> tables_;
  result<void> environment_;
  std::vector<change> changes_;
  std::map<object_key, std::size_t> pending_;  ///< in-memory changes of this group, by position in changes_
  bool dirty_ = false;
  bool volatile_ = false;
  revision stored_;
};

}  // namespace wh::storage
