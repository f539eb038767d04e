#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/lmdb_env.hpp"
#include "persistence/records.hpp"
#include "persistence/scan.hpp"

namespace wh::storage {

struct stored_version {
  revision rev;
  std::uint8_t flags = 0;
  bool removed() const { return (flags & flag_removed) != 0; }
};

/// The tables as one transaction sees them. Must go before the transaction does.
class lmdb_tables {
 public:
  static result<lmdb_tables> open(const lmdb_env& env, MDB_txn* txn);

  result<std::optional<std::string>> meta(std::string_view name);
  result<void> put_meta(std::string_view name, std::string_view value);
  /// errc::corrupt when it is missing or malformed.
  result<stored_state> state();

  /// The object's newest version at or before `at`, removal included.
  result<std::optional<stored_version>> find(std::string_view prefix, revision at);
  /// The body of a version that find or scan told of.
  result<shared_bytes> body(std::string_view prefix, revision rev);

  /// Called with each object's version as of the scan's revision, removals included; false ends the scan.
  /// It may read bodies, not find.
  using version_visitor = std::function<result<bool>(const key_view&, std::string_view prefix, const stored_version&)>;
  result<void> scan(const key_range& range, const std::optional<object_key>& after, revision at,
                    const version_visitor& visit);

  /// A record's body as it was put; opens it if it is sealed.
  result<std::string> plain_body(const parsed_record& r, revision rev) const;

  /// The record is an error where its bytes are damaged.
  using change_visitor = std::function<result<bool>(revision, const result<parsed_record>&)>;
  /// The log in (after, upto], oldest first, until false.
  result<void> changes(revision after, revision upto, const change_visitor& visit);

  /// Adds a change newer than all others; a secret body is sealed.
  result<void> add(const change& c, std::uint8_t flags);

  struct reseal_progress {
    revision at;         ///< looked at everything up to here
    bool whole = false;  ///< nothing was damaged
  };
  /// Rewrites records in (after, upto] whose bodies are not sealed as the store's keys want it, looking at about
  /// `budget` bytes. Damaged ones stay for those who verify.
  result<reseal_progress> reseal(revision after, revision upto, std::size_t budget);

  /// Drops what the oldest `budget` changes up to `upto` superseded, and moves state.compacted over them.
  result<void> compact(stored_state& state, revision upto, std::size_t budget);

 private:
  struct old_change {
    revision rev;
    std::string prefix;
    bool removed = false;
  };

  lmdb_tables(MDB_txn* txn, const lmdb_env& env, lmdb_cursor versions, lmdb_cursor log)
      : txn_(txn), env_(&env), ids_(env.tables()), versions_(std::move(versions)), log_(std::move(log)) {}
  result<bool> seek_next_object(std::string_view prefix, MDB_val& key, MDB_val& value);
  result<void> drop_older(const old_change& c);
  result<void> drop(std::string_view prefix, revision rev);

  result<void> put_record(revision rev, std::uint8_t flags, std::string_view prefix, std::string_view body,
                          unsigned how);

  MDB_txn* txn_;
  const lmdb_env* env_;
  table_ids ids_;
  lmdb_cursor versions_;
  lmdb_cursor log_;
};

}  // namespace wh::storage
