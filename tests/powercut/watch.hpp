#pragma once
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <mutex>

#include "tests/powercut/disk.hpp"
#include "tests/powercut/system.hpp"

/// What each kind of call means to the disk. `really` makes the call itself; calls that concern other files do no more.
namespace powercut {

using phase = disk::phase;

inline disk* the_disk = nullptr;  // never destroyed: the program may write until the very end
/// Held by a cut for ever: nobody writes any more.
inline std::mutex mutex;

inline bool watching() { return the_disk != nullptr && !after_the_cut(); }

/// The name with its folder resolved. The last part stays: it may not exist, and is what changes.
inline std::string resolved(int folder, const char* path) {
  std::string whole = path;
  if (whole.empty()) return {};
  if (whole[0] != '/' && folder != AT_FDCWD) whole = "/proc/self/fd/" + std::to_string(folder) + "/" + whole;
  const auto slash = whole.find_last_of('/');
  const std::string parent = slash == std::string::npos ? "." : slash == 0 ? "/" : whole.substr(0, slash);
  char real_parent[PATH_MAX];
  if (::realpath(parent.c_str(), real_parent) == nullptr) return {};
  return std::string(real_parent) + "/" + whole.substr(slash == std::string::npos ? 0 : slash + 1);
}

inline bool watched(const std::string& path) { return !path.empty() && the_disk->inside(path); }

inline file_id parent_of(const std::string& path) {
  struct stat info {};
  ::stat(path.substr(0, path.find_last_of('/')).c_str(), &info);
  return id_of(info);
}

inline bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

inline bool is_regular(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

inline off_t position(int fd) {
  struct stat info {};
  if ((::fcntl(fd, F_GETFL) & O_APPEND) != 0) return ::fstat(fd, &info) == 0 ? info.st_size : 0;
  return ::lseek(fd, 0, SEEK_CUR);
}

constexpr off_t at_position = -1;

template <class Really>
ssize_t on_write(const char* what, int fd, off_t at, std::size_t n, Really really) {
  if (!watching() || !is_regular(fd)) return really();
  const std::lock_guard lock(mutex);
  watched_file* f = the_disk->find(fd);
  if (f == nullptr) return really();
  if (at == at_position) at = position(fd);
  the_disk->reach(phase::before, what);
  the_disk->before_write(*f, at, n);
  const ssize_t done = really();
  the_disk->reach(phase::during, what);
  if (done > 0 && (::fcntl(fd, F_GETFL) & O_DSYNC) != 0) the_disk->made_durable(*f, at, static_cast<std::size_t>(done));
  the_disk->reach(phase::after, what);
  return done;
}

inline std::size_t bytes_in(const iovec* parts, int count) {
  std::size_t n = 0;
  for (int i = 0; i < count; ++i) n += parts[i].iov_len;
  return n;
}

template <class Really>
int on_sync(const char* what, int fd, Really really) {
  struct stat info {};
  if (!watching() || ::fstat(fd, &info) != 0) return really();
  const std::lock_guard lock(mutex);
  watched_file* f = the_disk->find(fd);
  // The simulated disk decides what is durable; the real one need not be asked.
  if (f == nullptr && !S_ISDIR(info.st_mode)) return really();
  the_disk->reach(phase::before, what);
  the_disk->reach(phase::during, what);
  if (f != nullptr) the_disk->synced(*f);
  else the_disk->synced_folder(id_of(info));
  the_disk->reach(phase::after, what);
  return 0;
}

template <class Really>
int on_length(const char* what, int fd, off_t length, Really really) {
  if (!watching()) return really();
  const std::lock_guard lock(mutex);
  watched_file* f = the_disk->find(fd);
  if (f == nullptr) return really();
  the_disk->reach(phase::before, what);
  the_disk->before_length(*f, length);
  const int done = really();
  the_disk->reach(phase::during, what);
  the_disk->reach(phase::after, what);
  return done;
}

inline int on_open(int folder, const char* path, int flags, mode_t mode) {
  const auto really = [&](int f) { return real::open(folder, path, f, mode); };
  const bool reads_only = (flags & O_ACCMODE) == O_RDONLY && (flags & (O_CREAT | O_TRUNC)) == 0;
  if (!watching() || reads_only) return really(flags);
  const std::string name = resolved(folder, path);
  if (!watched(name)) return really(flags);
  const std::lock_guard lock(mutex);
  const bool is_new = !exists(name);
  if (is_new) the_disk->reach(phase::before, "create");
  // Shortened only after its bytes were noted.
  const int fd = really(flags & ~O_TRUNC);
  if (fd < 0 || !is_regular(fd)) return fd;
  if (is_new) {
    the_disk->watch_new(fd);
    the_disk->changed({folder_change::kind::created, parent_of(name), name, {}, {}});
    the_disk->reach(phase::during, "create");
    the_disk->reach(phase::after, "create");
    return fd;
  }
  watched_file& f = the_disk->watch(fd);
  if ((flags & O_TRUNC) == 0) return fd;
  the_disk->reach(phase::before, "truncate");
  the_disk->before_length(f, 0);
  real::ftruncate(f.fd, 0);
  the_disk->reach(phase::during, "truncate");
  the_disk->reach(phase::after, "truncate");
  return fd;
}

/// A change of names, whatever it destroys kept until it is durable.
template <class Really>
int on_change(const char* what, folder_change c, bool destroys, Really really) {
  the_disk->reach(phase::before, what);
  if (destroys) c.kept = the_disk->keep(c.path);
  const int done = really();
  const int why = errno;
  if (done == 0) the_disk->changed(std::move(c));
  else if (!c.kept.empty()) real::unlink(AT_FDCWD, c.kept.c_str());
  the_disk->reach(phase::during, what);
  the_disk->reach(phase::after, what);
  errno = why;
  return done;
}

inline int on_rename(int from, const char* old_path, int to, const char* new_path) {
  const auto really = [&] { return real::rename(from, old_path, to, new_path); };
  if (!watching()) return really();
  const std::string source = resolved(from, old_path), target = resolved(to, new_path);
  if (!watched(target) || !watched(source)) return really();
  const std::lock_guard lock(mutex);
  if (!exists(source)) return really();
  // Between two folders it counts as durable with the one that it leads to.
  return on_change("rename", {folder_change::kind::renamed, parent_of(target), target, source, {}}, true, really);
}

inline int on_unlink(int folder, const char* path) {
  const auto really = [&] { return real::unlink(folder, path); };
  if (!watching()) return really();
  const std::string name = resolved(folder, path);
  if (!watched(name)) return really();
  const std::lock_guard lock(mutex);
  if (!exists(name)) return really();
  return on_change("unlink", {folder_change::kind::removed, parent_of(name), name, {}, {}}, true, really);
}

inline int on_mkdir(int folder, const char* path, mode_t mode) {
  const auto really = [&] { return real::mkdir(folder, path, mode); };
  if (!watching()) return really();
  const std::string name = resolved(folder, path);
  if (!watched(name)) return really();
  const std::lock_guard lock(mutex);
  if (exists(name)) return really();
  return on_change("mkdir", {folder_change::kind::made_folder, parent_of(name), name, {}, {}}, false, really);
}

}  // namespace powercut
