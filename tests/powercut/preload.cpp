// Stands between a program and libc (LD_PRELOAD) and cuts the power; what that means is in disk.hpp.
//
//   WH_POWERCUT_DIR=DIR   only files below it; it must exist
//   WH_POWERCUT_SEED=N    decides how the cut falls and what it loses
//   WH_POWERCUT_AFTER=N   cut at the N-th write, sync or change of a folder: before, during or after it
//   WH_POWERCUT_EXIT=1    cut when the program has ended by itself: what it said was done must have been durable
//   WH_POWERCUT_NOSYNC=1  a disk that lies: syncs succeed and make nothing durable
//
// SIGUSR2 cuts at once. The process dies of SIGKILL; when DIR.powercut/report appears, DIR is as the disk would have it.
#include <pthread.h>
#include <signal.h>

#include <cstdarg>

#include "tests/powercut/watch.hpp"

using namespace powercut;

namespace {

void* wait_for_signal(void*) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR2);
  int got = 0;
  while (sigwait(&wanted, &got) != 0) {
  }
  const std::lock_guard lock(mutex);
  the_disk->cut("signal");
}

std::uint64_t number_in(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

__attribute__((constructor)) void start() {
  const char* folder = std::getenv("WH_POWERCUT_DIR");
  if (folder == nullptr) return;
  char whole[PATH_MAX];
  if (::realpath(folder, whole) == nullptr) {
    std::fprintf(stderr, "powercut: WH_POWERCUT_DIR=%s does not exist\n", folder);
    std::abort();
  }
  the_disk = new disk(
      {whole, number_in("WH_POWERCUT_SEED"), number_in("WH_POWERCUT_AFTER"), number_in("WH_POWERCUT_NOSYNC") != 0});
  // Blocked here, before there are threads, it reaches none of the program's.
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  pthread_t waiting;
  if (pthread_create(&waiting, nullptr, wait_for_signal, nullptr) != 0) std::abort();
  pthread_detach(waiting);
}

__attribute__((destructor)) void end() {
  if (!watching() || number_in("WH_POWERCUT_EXIT") == 0) return;
  const std::lock_guard lock(mutex);
  the_disk->cut("exit");
}

mode_t mode_of(int flags, va_list arguments) {
  const bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return creates ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

// Some names are the same call under another name, kept for programs built for 32-bit offsets.
#pragma GCC visibility push(default)
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return on_open(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) __attribute__((alias("open")));

int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_of(flags, arguments);
  va_end(arguments);
  return on_open(folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) __attribute__((alias("openat")));

int creat(const char* path, mode_t mode) { return on_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) __attribute__((alias("creat")));

ssize_t write(int fd, const void* bytes, size_t n) {
  return on_write("write", fd, at_position, n, [&] { return real::write(fd, bytes, n); });
}

ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) {
  return on_write("pwrite", fd, at, n, [&] { return real::pwrite(fd, bytes, n, at); });
}
ssize_t pwrite64(int fd, const void* bytes, size_t n, off_t at) __attribute__((alias("pwrite")));

ssize_t writev(int fd, const iovec* parts, int count) {
  return on_write("writev", fd, at_position, bytes_in(parts, count), [&] { return real::writev(fd, parts, count); });
}

ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  return on_write("pwritev", fd, at, bytes_in(parts, count), [&] { return real::pwritev(fd, parts, count, at); });
}
ssize_t pwritev64(int fd, const iovec* parts, int count, off_t at) __attribute__((alias("pwritev")));

int fsync(int fd) {
  return on_sync("fsync", fd, [&] { return real::fsync(fd); });
}

int fdatasync(int fd) {
  return on_sync("fdatasync", fd, [&] { return real::fdatasync(fd); });
}

int ftruncate(int fd, off_t length) noexcept {
  return on_length("truncate", fd, length, [&] { return real::ftruncate(fd, length); });
}
int ftruncate64(int fd, off_t length) noexcept __attribute__((alias("ftruncate")));

int truncate(const char* path, off_t length) noexcept {
  const int fd = watching() && watched(resolved(AT_FDCWD, path)) ? ::open(path, O_WRONLY | O_CLOEXEC) : -1;
  if (fd < 0) return real::truncate(path, length);
  const int done = ::ftruncate(fd, length);
  const int why = errno;
  ::close(fd);
  errno = why;
  return done;
}
int truncate64(const char* path, off_t length) noexcept __attribute__((alias("truncate")));

int rename(const char* from, const char* to) noexcept { return on_rename(AT_FDCWD, from, AT_FDCWD, to); }
int renameat(int from, const char* old_path, int to, const char* new_path) noexcept {
  return on_rename(from, old_path, to, new_path);
}

int unlink(const char* path) noexcept { return on_unlink(AT_FDCWD, path); }
int unlinkat(int folder, const char* path, int flags) noexcept {
  return flags == 0 ? on_unlink(folder, path) : real::unlink(folder, path, flags);
}
/// libc's own would unlink behind our back.
int remove(const char* path) noexcept {
  struct stat info {};
  if (::lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) return real::unlink(AT_FDCWD, path, AT_REMOVEDIR);
  return on_unlink(AT_FDCWD, path);
}

int mkdir(const char* path, mode_t mode) noexcept { return on_mkdir(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char* path, mode_t mode) noexcept { return on_mkdir(folder, path, mode); }

}  // extern "C"
#pragma GCC visibility pop
