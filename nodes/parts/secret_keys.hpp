#pragma once
#include <functional>
#include <memory>
#include <string>

#include "persistence/sealing.hpp"
#include "persistence/store.hpp"

namespace wh {

/// The keys of a node's stores, and where they came from.
struct secret_keys {
  std::shared_ptr<const key_ring> ring;  ///< null: secrets are stored as they are
  std::string file;                      ///< empty: none
};

/// Reads the key file of a node. `option` is a path, `off`, or empty for `data_dir`/encryption.key, which is made if it is
/// missing. `off` opens what an earlier start has sealed with that file, and seals nothing. Errors name the file: it
/// cannot be read, others than its owner can read it, a line is wrong.
result<secret_keys> open_secret_keys(const std::string& option, const std::string& data_dir);

/// Tells the store what to seal, and with what.
void use_secret_keys(lmdb_options& options, const secret_keys& keys);

/// Whether an object is, or contains, a Secret or a private key of ours.
bool holds_secret(const object_key& key, std::string_view body);

/// Tells the node's log whether secrets are sealed, and, after the keys have changed, when the last of them is sealed with
/// the new one. `s` must outlive the timers.
void log_sealing(const store& s, const secret_keys& keys,
                 const std::function<void(duration, std::function<void()>)>& after);

/// The command new-key: puts a new key in front of the key file, or makes the file (0600). Returns the exit code.
int run_new_key(const std::string& program, const std::string& option, const std::string& data_dir);

}  // namespace wh
