// Stands between LMDB and the system's write calls.
#include "tests/persistence/faulty_disk.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

using namespace wh::test;

namespace wh::test {

bool disk::is_data(int fd) const {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && info.st_ino == inode && info.st_dev == device;
}

bool disk::is_data(const char* path) const {
  struct stat info {};
  return ::stat(path, &info) == 0 && info.st_ino == inode && info.st_dev == device;
}

void disk::watch(const std::string& path) {
  const std::lock_guard lock(mutex);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) std::abort();
  device = info.st_dev;
  inode = info.st_ino;
  synced_length = info.st_size;
}

void disk::set(int disk::*member, int error) {
  const std::lock_guard lock(mutex);
  this->*member = error;
}

void disk::doom(operation what, int nth, int error) {
  const std::lock_guard lock(mutex);
  doomed = what;
  doomed_in = nth;
  doomed_error = error;
}

bool disk::struck() {
  const std::lock_guard lock(mutex);
  return doomed_in == 0;
}

int disk::strike(operation what) {
  if (what != doomed || doomed_in == 0 || --doomed_in != 0) return 0;
  return doomed_error;
}

void disk::reset() {
  const std::lock_guard lock(mutex);
  write_error = sync_error = meta_error = truncate_error = doomed_in = 0;
  recording = false;
  inode = 0;
  lost.clear();
  on_write = {};
}

disk& the_disk() {
  static disk d;
  return d;
}

}  // namespace wh::test

namespace {

template <class Function>
Function real(const char* name) {
  Function f = nullptr;
  void* symbol = ::dlsym(RTLD_NEXT, name);
  std::memcpy(&f, &symbol, sizeof f);
  return f;
}

bool is_synchronous(int fd) { return (::fcntl(fd, F_GETFL) & O_DSYNC) != 0; }

/// Called before each write to the watched file; nonzero: the error it fails with, or disk::cut_short.
int before_write(int fd, off_t at, std::size_t n) {
  disk& d = the_disk();
  const std::lock_guard lock(d.mutex);
  if (d.inode == 0 || !d.is_data(fd)) return 0;
  if (const int e = d.strike(disk::operation::write); e != 0) return e;
  const bool meta = is_synchronous(fd);
  if (meta && d.meta_error != 0) return d.meta_error;
  if (!meta && d.write_error != 0) return d.write_error;
  if (!d.recording) return 0;
  if (d.on_write) d.on_write();
  if (meta) return 0;  // durable as soon as it is written
  std::string before(n, '\0');
  const auto got = ::pread(fd, before.data(), n, at);
  before.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  before.resize(n, '\0');
  d.lost.push_back({at, std::move(before)});
  return 0;
}

}  // namespace

extern "C" ssize_t pread(int fd, void* bytes, size_t n, off_t at) {
  {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    const int e = d.inode != 0 && d.is_data(fd) ? d.strike(disk::operation::read) : 0;
    if (e != 0) {
      errno = e;
      return -1;
    }
  }
  static const auto next = real<ssize_t (*)(int, void*, size_t, off_t)>("pread");
  return next(fd, bytes, n, at);
}

extern "C" ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) {
  const int e = before_write(fd, at, n);
  if (e > 0) {
    errno = e;
    return -1;
  }
  static const auto next = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return next(fd, bytes, e == disk::cut_short ? n / 2 : n, at);
}

extern "C" ssize_t writev(int fd, const struct iovec* parts, int count) {
  size_t n = 0;
  for (int i = 0; i < count; ++i) n += parts[i].iov_len;
  const int e = before_write(fd, ::lseek(fd, 0, SEEK_CUR), n);
  if (e > 0) {
    errno = e;
    return -1;
  }
  static const auto next = real<ssize_t (*)(int, const struct iovec*, int)>("writev");
  return next(fd, parts, e == disk::cut_short ? (count + 1) / 2 : count);
}

extern "C" int truncate(const char* path, off_t length) noexcept {
  {
    disk& d = the_disk();
    const std::lock_guard lock(d.mutex);
    if (d.inode != 0 && d.truncate_error != 0 && d.is_data(path)) {
      errno = d.truncate_error;
      return -1;
    }
  }
  static const auto next = real<int (*)(const char*, off_t)>("truncate");
  return next(path, length);
}

extern "C" int fdatasync(int fd) {
  disk& d = the_disk();
  {
    const std::lock_guard lock(d.mutex);
    if (d.inode != 0 && d.is_data(fd)) {
      const int struck = d.strike(disk::operation::sync);
      if (d.sync_error != 0 || struck != 0) {
        errno = struck != 0 ? struck : d.sync_error;
        return -1;
      }
      struct stat info {};
      ::fstat(fd, &info);
      d.synced_length = info.st_size;
      d.lost.clear();
    }
  }
  // The simulated disk decides what is durable; the real one need not be asked.
  return 0;
}
