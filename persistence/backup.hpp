#pragma once
#include <string>

#include "base/result.hpp"
#include "persistence/store.hpp"

namespace wh {

/// Writes a consistent, compacted copy of a running LMDB store to `path` (0600, durable, must not exist yet).
/// Writers go on meanwhile; pages they free are not reused until it ends. In-memory changes are not in it.
/// errc::unsupported for other stores.
result<void> backup_store(const store& s, const std::string& path);

/// Makes a new store in options.dir, which must hold none, from a backup. It is another history: its incarnation is
/// options.incarnation_seed, its revisions lie beyond any that the backed-up store can have given out since, and
/// watches from before are told errc::gone.
result<void> restore_store(const std::string& path, const lmdb_options& options);

}  // namespace wh
