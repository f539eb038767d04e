#include "nodes/common/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace wh {
namespace {

/// An open file descriptor that closes itself.
class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

error os_error(const std::string& what, const std::string& path) {
  const int why = errno;
  return fail(why == ENOENT ? errc::not_found : errc::io, what + " " + path + ": " + std::strerror(why));
}

result<void> write_all(int fd, const std::string& contents, const std::string& path) {
  std::size_t done = 0;
  while (done < contents.size()) {
    const auto n = ::write(fd, contents.data() + done, contents.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("cannot write", path);
    done += static_cast<std::size_t>(n);
  }
  return {};
}

result<void> write_temporary(const std::string& path, const std::string& contents, mode_t mode) {
  // Left over from a crash of a process with our id; O_EXCL makes sure that nobody planted a link there since.
  ::unlink(path.c_str());
  const descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd.open()) return os_error("cannot create", path);
  if (::fchmod(fd.get(), mode) != 0) return os_error("cannot set the mode of", path);
  if (auto written = write_all(fd.get(), contents, path); !written) return written;
  if (::fsync(fd.get()) != 0) return os_error("cannot sync", path);
  return {};
}

result<std::string> read_all(const descriptor& fd, const std::string& path, std::size_t bytes_max) {
  std::string contents;
  char buffer[16384];
  while (true) {
    const auto n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os_error("cannot read", path);
    if (n == 0) return contents;
    contents.append(buffer, static_cast<std::size_t>(n));
    if (contents.size() > bytes_max)
      return fail(errc::too_large, path + " is larger than " + std::to_string(bytes_max) + " bytes");
  }
}

}  // namespace

result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.open()) return os_error("cannot read", path);
  return read_all(fd, path, bytes_max);
}

result<std::string> read_secret_file(const std::string& path, std::size_t bytes_max) {
  const descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.open()) return os_error("cannot read", path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return os_error("cannot read", path);
  if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", status.st_mode & 07777U);
    return fail(errc::forbidden, path + " holds a secret, but others may read or change it (mode " + mode +
                                     "): chmod 600 " + path + ", and think of who has read it");
  }
  return read_all(fd, path, bytes_max);
}

result<void> sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.open() || ::fsync(fd.get()) != 0) return os_error("cannot sync the folder of", path);
  return {};
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

result<void> write_file_atomically(const std::string& path, const std::string& contents, mode_t mode) {
  const auto temporary = path + ".tmp" + std::to_string(::getpid());
  if (auto written = write_temporary(temporary, contents, mode); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    auto why = os_error("cannot replace", path);
    ::unlink(temporary.c_str());
    return why;
  }
  return sync_folder_of(path);
}

result<void> make_folder(const std::string& path, mode_t mode) {
  const std::filesystem::path whole(path);
  std::filesystem::path so_far;
  for (const auto& part : whole) {
    so_far /= part;
    std::error_code ignored;
    if (std::filesystem::is_directory(so_far, ignored)) continue;
    if (::mkdir(so_far.c_str(), mode) != 0 && errno != EEXIST) return os_error("cannot create folder", so_far.string());
    // Syncs inside a folder are worth nothing if a power cut takes the folder itself.
    if (auto ok = sync_folder_of(so_far.string()); !ok) return ok;
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(whole, ignored)) return fail(errc::io, path + " is not a folder");
  return {};
}

std::string path_beside(const std::string& base, const std::string& path) {
  return (std::filesystem::path(base).parent_path() / path).string();
}

}  // namespace wh
