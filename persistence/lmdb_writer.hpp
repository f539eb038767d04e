#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "persistence/history_clock.hpp"
#include "persistence/lmdb_group.hpp"

namespace wh::storage {

struct submission {
  batch b;
  store::completion done;
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
  std::size_t wake_at_ = never;    ///< queued batches at which the writer wants to be woken
  bool wake_when_urgent_ = false;  ///< or as soon as something urgent is among them
  bool urgent_ = false;            ///< something queued is to be durable
  discard_rule refused_;           ///< writers whose batch found the queue full
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
