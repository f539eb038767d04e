#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "persistence/commit_core.hpp"
#include "persistence/feed_hub.hpp"
#include "persistence/history_clock.hpp"
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

struct submission {
  batch b;
  store::completion done;
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

/// What a store's file says when it is opened.
struct opened_state {
  stored_state state;
  namespace_phases namespaces;
  std::string times;
  std::string sealing;
};

/// The one thread that writes. It takes what queued while the last commit was synced and commits it together.
class lmdb_writer {
 public:
  lmdb_writer(const lmdb_options& options, lmdb_shared& shared, opened_state from);
  /// Finishes what is queued.
  ~lmdb_writer();

  void submit(batch b, store::completion done);
  void compact(revision upto);
  store_health health() const;
  /// Without what the environment knows.
  store_figures figures() const;

 private:
  void loop();
  void gather(std::unique_lock<std::mutex>& lock);
  bool take(std::vector<submission>& out);
  void run(std::vector<submission>& batches);
  void count(const lmdb_group& group, std::size_t batches, std::chrono::steady_clock::duration took);
  result<void> try_group(lmdb_group& group, const std::vector<submission>& batches,
                         std::vector<result<commit>>& outcomes);
  result<commit> apply(lmdb_group& group, const batch& b);
  result<void> compact_some(lmdb_group& group);
  result<void> reseal_some(lmdb_group& group);
  result<void> keep_times(lmdb_group& group);
  instant now() const;
  void fail_all(std::vector<submission>& batches, const error& cause);
  void settle(const lmdb_group& group);
  bool measure_quota();
  void compact_for_quota();
  bool compaction_due() const;
  void set_health(bool writable, std::string reason);
  void reopen();

  static constexpr std::size_t never = ~std::size_t{0};

  const lmdb_options options_;
  lmdb_shared& shared_;

  // Touched by the writer thread alone.
  commit_core core_;
  stored_state state_;
  bool over_quota_ = false;
  bool failing_ = false;
  std::string quota_reason_;
  history_clock times_;
  bool times_changed_ = false;  ///< and not yet on disk
  /// Sealing the records from before the keys changed.
  struct reseal_state {
    revision at;    ///< everything up to here is done
    revision upto;  ///< what is newer was written so from the start
    bool whole = true;
    bool pending() const { return at < upto; }
  };
  reseal_state reseal_;
  reseal_state reseal_next_;    ///< once the group is durable
  std::size_t last_group_ = 0;  ///< batches in the last commit
  std::chrono::steady_clock::duration gather_{};

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable work_;
  std::deque<submission> queue_;
  std::size_t wake_at_ = never;  ///< queued batches at which the writer wants to be woken
  discard_rule refused_;  ///< writers whose batch found the queue full
  revision compact_target_;
  store_health health_;
  bool stopping_ = false;

  // Written by the writer thread, read by any.
  std::atomic<bool> reseal_pending_{false};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> commit_micros_{0};
  std::atomic<std::uint64_t> history_{0};
  std::thread thread_;
};

}  // namespace wh::storage
