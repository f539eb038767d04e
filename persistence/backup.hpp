#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "persistence/backup_file.hpp"
#include "persistence/store.hpp"

namespace wh {

/// The section that holds the store: a compacted LMDB file.
inline constexpr const char* backup_store_section = "store";

struct backup_part {
  std::string name;
  std::string content;
};

/// Writes a consistent copy of a running LMDB store, behind `parts`, to the new file `path` (0600, durable). Writers go on
/// meanwhile; pages they free are not reused until it ends. In-memory changes are not in it; sealed bodies stay sealed.
/// Returns the file's size. errc::unsupported for other stores.
result<std::uint64_t> backup_store(const store& s, const std::vector<backup_part>& parts, const std::string& path);

/// Makes a new store in options.dir, which must hold none, from a backup. It is another history: its incarnation is
/// options.incarnation_seed, its revisions lie beyond any that the backed-up store can have given out since, and
/// watches from before are told errc::gone.
result<void> restore_store(const backup_reader& from, const lmdb_options& options);

}  // namespace wh
