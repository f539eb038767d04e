#include "persistence/lmdb_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "base/encoding.hpp"
#include "persistence/records.hpp"

namespace wh::storage {

namespace {

result<std::string> get(MDB_txn* txn, MDB_dbi table, std::string_view name) {
  MDB_val key = to_val(name);
  MDB_val value{};
  const int rc = mdb_get(txn, table, &key, &value);
  if (rc == MDB_NOTFOUND)
    return fail(errc::corrupt, fmt::format("its description lacks \"{}\"; restore a backup", name));
  if (rc != 0) return lmdb_error(rc, "cannot read its description");
  return std::string(to_view(value));
}

result<void> set(MDB_txn* txn, MDB_dbi table, std::string_view name, std::string_view text) {
  MDB_val key = to_val(name);
  MDB_val value = to_val(text);
  if (int rc = mdb_put(txn, table, &key, &value, 0); rc != 0) return lmdb_error(rc, "cannot write its description");
  return {};
}

std::string be64(std::uint64_t v) {
  std::string out;
  append_be64(out, v);
  return out;
}

result<void> open_all(MDB_txn* txn, unsigned flags, table_ids& tables) {
  for (auto [name, id] : {std::pair{"meta", &tables.meta}, {"versions", &tables.versions}, {"log", &tables.log}}) {
    const int rc = mdb_dbi_open(txn, name, flags, id);
    if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
      return fail(errc::corrupt, "it holds an LMDB file that is no store of this program");
    if (rc != 0) return lmdb_error(rc, fmt::format("table \"{}\"", name));
  }
  return {};
}

result<void> describe_new(MDB_txn* txn, const lmdb_options& options, const secret_rules& secrets,
                          const table_ids& tables) {
  const std::pair<std::string_view, std::string> entries[] = {{"format", be64(format_version)},
                                                              {"incarnation", options.incarnation_seed},
                                                              {"state", encode_state({})},
                                                              {"times", ""},
                                                              {"sealing", secrets.primary()}};
  for (const auto& [name, value] : entries)
    if (auto ok = set(txn, tables.meta, name, value); !ok) return ok;
  return {};
}

/// Brings a store of format `from` to from + 1.
result<void> migrate_one(MDB_txn* txn, const table_ids& tables, std::uint64_t from) {
  if (from != 1) return fail(errc::corrupt, fmt::format("it claims to have format {}, which never was", from));
  if (auto ok = set(txn, tables.meta, "times", ""); !ok) return ok;
  return set(txn, tables.meta, "sealing", "plain");
}

result<void> migrate(MDB_txn* txn, const table_ids& tables) {
  const auto bytes = get(txn, tables.meta, "format");
  if (!bytes) return bytes.err();
  if (bytes->size() != 8) return fail(errc::corrupt, "it holds an LMDB file that is no store of this program");
  const std::uint64_t found = read_be64(bytes->data());
  if (found > format_version)
    return fail(errc::unsupported, fmt::format("it has format {}, this program reads up to {}; use a newer program",
                                               found, format_version));
  for (std::uint64_t f = found; f < format_version; ++f)
    if (auto ok = migrate_one(txn, tables, f); !ok) return ok;
  if (found == format_version) return {};
  return set(txn, tables.meta, "format", be64(format_version));
}

/// From the first write on, bodies may be sealed with the primary key as well.
result<void> check_keys(MDB_txn* txn, const table_ids& tables, const secret_rules& secrets) {
  auto sealing = get(txn, tables.meta, "sealing");
  if (!sealing) return sealing.err();
  bool listed = false;
  std::istringstream words(*sealing);
  for (std::string id; words >> id;) {
    listed = listed || id == secrets.primary();
    if (id == "plain" || (secrets.keys && secrets.keys->has(id))) continue;
    return fail(errc::unavailable,
                fmt::format("it holds secrets sealed with key {}, {}", id,
                            secrets.keys ? "which the key file lacks" : "and no key file was given"));
  }
  if (listed) return {};
  return set(txn, tables.meta, "sealing", *sealing + " " + secrets.primary());
}

}  // namespace

result<void> open_format(MDB_txn* txn, const lmdb_options& options, const secret_rules& secrets, table_ids& tables) {
  MDB_dbi names = 0;
  if (int rc = mdb_dbi_open(txn, nullptr, 0, &names); rc != 0) return lmdb_error(rc, "list of tables");
  MDB_stat stat{};
  mdb_stat(txn, names, &stat);
  const bool is_new = stat.ms_entries == 0;
  if (auto ok = open_all(txn, is_new ? MDB_CREATE : 0, tables); !ok) return ok;
  if (is_new) return describe_new(txn, options, secrets, tables);
  if (auto ok = migrate(txn, tables); !ok) return ok;
  return check_keys(txn, tables, secrets);
}

}  // namespace wh::storage
