#pragma once
#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "persistence/sealing.hpp"
#include "persistence/store.hpp"
#include "persistence/store_lock.hpp"

namespace wh::storage {

/// LMDB's failure in our words; `doing` says what was tried.
error lmdb_error(int rc, std::string_view doing);

inline MDB_val to_val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
inline std::string_view to_view(const MDB_val& v) { return {static_cast<const char*>(v.mv_data), v.mv_size}; }

struct txn_aborter {
  void operator()(MDB_txn* txn) const { mdb_txn_abort(txn); }
};
/// Aborted unless it was committed.
using lmdb_txn = std::unique_ptr<MDB_txn, txn_aborter>;

struct cursor_closer {
  void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
};
/// Must go before its transaction does.
using lmdb_cursor = std::unique_ptr<MDB_cursor, cursor_closer>;

struct table_ids {
  MDB_dbi meta = 0;
  MDB_dbi versions = 0;
  MDB_dbi log = 0;
};

/// Which bodies are secret, and the keys for them.
struct secret_rules {
  std::shared_ptr<const key_ring> keys;
  std::function<bool(const object_key&, std::string_view body)> is_secret;

  bool wants_sealed(const object_key& key, std::string_view body) const {
    return keys && keys->seals() && (!is_secret || is_secret(key, body));
  }
  /// As it stands in the store's description.
  std::string primary() const { return keys ? keys->primary() : "plain"; }
};

/// The open folder: lock, data file and tables.
class lmdb_env {
 public:
  /// Opens or creates the folder. Checks all that can be known before pages are read through the map, where damage
  /// would be a signal and not an error.
  static result<std::unique_ptr<lmdb_env>> open(const lmdb_options& options);
  ~lmdb_env();
  lmdb_env(const lmdb_env&) = delete;
  lmdb_env& operator=(const lmdb_env&) = delete;

  /// Opens the data file anew, which LMDB demands after some failed writes. Nobody may be reading.
  result<void> reopen();

  result<lmdb_txn> begin_read() const;
  /// One at a time; cures the state that LMDB refuses to write in is the caller's: see needs_reopen().
  result<lmdb_txn> begin_write();
  /// Durable when it returns well. The transaction is gone either way.
  result<void> commit(lmdb_txn txn);
  bool needs_reopen() const { return needs_reopen_; }

  const secret_rules& secrets() const { return secrets_; }
  const table_ids& tables() const { return tables_; }
  MDB_env* handle() const { return env_; }
  const std::string& dir() const { return options_.dir; }

  /// The data file's high-water mark.
  std::uint64_t file_bytes() const;
  /// The part of it that holds data; costs a walk over the list of free pages.
  result<std::uint64_t> bytes_in_use() const;

 private:
  explicit lmdb_env(const lmdb_options& options) : options_(options), secrets_{options.keys, options.is_secret} {}
  int open_with_map(std::uint64_t map_bytes);
  result<void> open_env();
  result<void> measure();
  result<void> open_tables();
  void clear_dead_readers();
  void keep_file_longer_than_pages();
  void close_env();

  lmdb_options options_;
  secret_rules secrets_;
  store_lock lock_;
  MDB_env* env_ = nullptr;
  table_ids tables_;
  std::uint64_t page_bytes_ = 4096;
  std::uint64_t extended_bytes_ = 0;
  bool needs_reopen_ = false;
};

}  // namespace wh::storage
