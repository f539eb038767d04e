#pragma once
#include <string>
#include <vector>

#include "nodes/parts/secret_keys.hpp"
#include "persistence/backup.hpp"
#include "transport/pki.hpp"

// What can be done with a hub's data folder while no hub runs on it, and what a backup of one consists of.
namespace wh {

/// The sections of a hub's backup beside its store:
///   description   JSON: what this is, since when, from which history
///   pki/ca.crt    the authority's certificate
///   pki/ca.key    its key; `pki/ca.key.sealed` instead where secrets are sealed
result<std::vector<backup_part>> backup_parts(const store& data, const key_and_cert& ca, const secret_keys& keys);

/// Checks the store, its objects and the authority. Returns the exit code.
int verify_hub(const std::string& data_dir, const std::string& key_option, bool json);
/// The same for a backup file, without restoring it.
int verify_backup(const std::string& file, const std::string& key_option, const std::string& data_dir, bool json);

/// Makes a hub's data folder, which must be empty or absent, from a backup. The folder appears only when all is there.
int restore_hub(const std::string& file, const std::string& data_dir, const std::string& key_option);

}  // namespace wh
