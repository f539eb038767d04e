#pragma once
#include "persistence/lmdb_env.hpp"

namespace wh::storage {

/// Opens the tables of a store in this write transaction, whatever its age: a new store gets its description, one of an
/// older format is brought to the current one, and the keys that it needs are compared with those that there are.
/// Errors: a newer format (errc::unsupported), an LMDB file of another program (errc::corrupt), a missing key
/// (errc::unavailable); then nothing was changed.
result<void> open_format(MDB_txn* txn, const lmdb_options& options, const secret_rules& secrets, table_ids& tables);

}  // namespace wh::storage
