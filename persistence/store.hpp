#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "messages/batch.hpp"

namespace wh {

class key_ring;

/// Receives every committed change, in revision order, each commit's changes together. Called on the store's writer
/// thread after the commit is durable and before the batch's own completion runs; must not block or call submit()
/// synchronously waiting for its outcome.
class feed_listener {
 public:
  virtual ~feed_listener() = default;
  virtual void on_committed(const std::vector<change>& changes) = 0;
};

/// What a reader may ask for.
struct revision_window {
  revision compacted;  ///< versions and changes at or before this are gone (errc::gone)
  revision current;    ///< the newest durable revision
};

/// A part of a list at one revision. `more`: continue after records.back().key.
struct page {
  std::vector<record> records;
  revision at;
  bool more = false;
};

/// Why the store cannot be written, when it cannot.
struct store_health {
  bool writable = true;
  std::string reason;  ///< a sentence: what failed and what would cure it
};

/// What a store costs and is busy with, for metrics and logs. Zeros where a store has no disk.
struct store_figures {
  std::uint64_t file_bytes = 0;  ///< the data file's high-water mark
  std::uint64_t quota_bytes = 0;
  std::uint64_t history = 0;  ///< changes kept
  std::uint64_t commits = 0;  ///< group commits since the start
  std::uint64_t batches = 0;  ///< batches in them
  std::uint64_t commit_micros = 0;
  std::size_t queued = 0;         ///< batches waiting now
  std::string sealing = "plain";  ///< the key that secrets are sealed with
  bool resealing = false;         ///< some are still sealed otherwise
};

/// Multi-version object store under one global revision (architecture, section 3). Every method may be called from any
/// thread. Reads see only durable data and hold no transaction when they return.
class store {
 public:
  using completion = std::function<void(result<commit>)>;
  virtual ~store() = default;

  /// Queues a batch; batches are applied in the order of submission. `done` runs on the writer thread once the batch is
  /// durable or has failed, in submission order. errc::busy at once when the bounded queue is full.
  virtual void submit(batch b, completion done) = 0;

  /// The object as of `at` (0: now). nullopt: it does not exist there. errc::gone: compacted.
  virtual result<std::optional<record>> get(const object_key& key, revision at = {}) const = 0;

  /// Objects of a range as of `at` (0: now), sorted by key, after `after` if given, at most `limit` (0: all).
  virtual result<page> list(const key_range& range, revision at = {}, const std::optional<object_key>& after = {},
                            std::size_t limit = 0) const = 0;

  /// How many objects list() would give without a limit. Reads no bodies where the store can help it.
  virtual result<std::size_t> count(const key_range& range, revision at = {},
                                    const std::optional<object_key>& after = {}) const {
    auto all = list(range, at, after);
    if (!all) return all.err();
    return all->records.size();
  }

  /// Changes with revision > `after`, oldest first, at most `limit`. errc::gone when `after` is below the window.
  virtual result<std::vector<change>> changes_since(revision after, std::size_t limit) const = 0;

  virtual revision_window window() const = 0;

  /// Subscribes to the feed from the next commit on; returns the revision that the subscription starts after, so that
  /// a list at that revision plus the feed misses nothing. The listener must outlive the store or be removed.
  virtual revision subscribe(feed_listener* listener) = 0;
  virtual void unsubscribe(feed_listener* listener) = 0;

  /// Drops versions and changes that are not current as of `upto`. Runs on the writer thread.
  virtual void compact(revision upto) = 0;

  /// Names this store's history: chosen at creation, changed by a restore. A spoke compares it in its hello.
  virtual std::string incarnation_id() const = 0;

  virtual store_health health() const = 0;
  virtual store_figures figures() const = 0;
};

/// Options of the LMDB store.
struct lmdb_options {
  std::string dir;                                   ///< created 0700 if absent
  std::uint64_t map_bytes = std::uint64_t{1} << 40;  ///< reserved address space
  std::uint64_t quota_bytes = std::uint64_t{8}
                              << 30;             ///< pages in use beyond this: read-only until something is deleted
  std::size_t queue_max = 65536;                 ///< batches waiting; beyond: errc::busy
  std::size_t group_max = 4096;                  ///< batches per commit
  std::uint64_t history_max = 200000;            ///< changes kept before automatic compaction; 0: any number
  duration history_age = std::chrono::hours(1);  ///< changes older than this are compacted away; 0: none for its age
  std::function<instant()> now;                  ///< for history_age; absent: the system's clock
  std::shared_ptr<const key_ring> keys;          ///< seals secret bodies at rest; null: they are stored as they are
  /// Whether a body is to be sealed; absent: every body, if there are keys.
  std::function<bool(const object_key&, std::string_view body)> is_secret;
  bool sync = true;              ///< false only in tests and benchmarks; never durable
  std::string incarnation_seed;  ///< for a new store: its incarnation_id (a UUID by the caller)
};

/// Opens (or creates) a store. Errors name the folder and the cause: locked by another process, damaged, newer format.
result<std::unique_ptr<store>> open_lmdb_store(const lmdb_options& options);

/// The in-memory twin for tests and simulation: same behaviour, applied synchronously inside submit(), completions and
/// feed called before submit() returns (re-entrant submits are queued and run after the current one).
std::unique_ptr<store> make_memory_store(std::string incarnation_id);

}  // namespace wh
