#pragma once
#include <sys/types.h>

#include <cstddef>
#include <string>

#include "base/result.hpp"

namespace wh {

/// A file's bytes. Errors name the path and say why: absent (errc::not_found), refused, or larger than `bytes_max`.
result<std::string> read_file(const std::string& path, std::size_t bytes_max = std::size_t{64} << 20);

/// A file that only its owner and group may see: refused (errc::forbidden) when anybody else may read or write it.
result<std::string> read_secret_file(const std::string& path, std::size_t bytes_max = std::size_t{1} << 20);

/// Whether something is there, readable or not.
bool file_exists(const std::string& path);

/// Replaces a file so that readers and crashes see the old or the new contents, never a mixture: a temporary file beside
/// it, fsync, rename, fsync of the folder. The file has exactly `mode` from its first byte on, whatever the umask.
result<void> write_file_atomically(const std::string& path, const std::string& contents, mode_t mode);

/// Makes a file's name durable: syncs the folder that it is in.
result<void> sync_folder_of(const std::string& path);

/// Creates a folder and its missing parents with `mode`; one that exists already is left as it is.
result<void> make_folder(const std::string& path, mode_t mode);

/// `path` as seen from the folder of the file `base`, unless it is absolute: how kubeconfigs refer to files.
std::string path_beside(const std::string& base, const std::string& path);

}  // namespace wh
