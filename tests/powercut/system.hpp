#pragma once
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>

/// The real calls. The library stands in front of libc's, and must not meet itself.
namespace powercut::real {

inline int open(int folder, const char* path, int flags, mode_t mode) {
  return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
}
inline ssize_t write(int fd, const void* bytes, size_t n) { return ::syscall(SYS_write, fd, bytes, n); }
inline ssize_t pwrite(int fd, const void* bytes, size_t n, off_t at) {
  return ::syscall(SYS_pwrite64, fd, bytes, n, at);
}
inline ssize_t writev(int fd, const iovec* parts, int count) { return ::syscall(SYS_writev, fd, parts, count); }
inline ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  return ::syscall(SYS_pwritev, fd, parts, count, at, 0);
}
inline int ftruncate(int fd, off_t length) { return static_cast<int>(::syscall(SYS_ftruncate, fd, length)); }
inline int truncate(const char* path, off_t length) { return static_cast<int>(::syscall(SYS_truncate, path, length)); }
inline int fsync(int fd) { return static_cast<int>(::syscall(SYS_fsync, fd)); }
inline int fdatasync(int fd) { return static_cast<int>(::syscall(SYS_fdatasync, fd)); }
inline int rename(int from, const char* old_path, int to, const char* new_path) {
  return static_cast<int>(::syscall(SYS_renameat2, from, old_path, to, new_path, 0));
}
inline int unlink(int folder, const char* path, int flags = 0) {
  return static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags));
}
/// But for the standard ones.
inline void close_all() { ::syscall(SYS_close_range, 3U, ~0U, 0U); }
inline int mkdir(int folder, const char* path, mode_t mode) {
  return static_cast<int>(::syscall(SYS_mkdirat, folder, path, mode));
}

}  // namespace powercut::real
