#include "persistence/store_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace wh::storage {

namespace {

std::string holder(int fd) {
  char text[32] = {};
  const auto n = ::pread(fd, text, sizeof text - 1, 0);
  const std::string pid(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  return pid.empty() ? "another process" : "process " + pid.substr(0, pid.find('\n'));
}

}  // namespace

result<store_lock> store_lock::take(const std::string& dir) {
  const std::string path = dir + "/owner.lock";
  store_lock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.fd_ < 0) return fail(errc::io, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (::flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail(errc::io, fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
    return fail(errc::unavailable, fmt::format("the store in {} is in use by {}; stop it, or choose another folder",
                                               dir, holder(lock.fd_)));
  }
  // The pid only helps people; the lock itself is what counts, so a full disk is no obstacle here.
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.fd_, 0) == 0) static_cast<void>(!::pwrite(lock.fd_, pid.data(), pid.size(), 0));
  return lock;
}

store_lock::store_lock(store_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

store_lock& store_lock::operator=(store_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

store_lock::~store_lock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace wh::storage
