#include "apiserver/audit/log_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

namespace wh {

namespace {

error system_error(const std::string& path, const char* what) {
  return fail(errc::io, fmt::format("{}: cannot {}: {}", path, what, std::strerror(errno)));
}

}  // namespace

result<void> rotated_file::open() {
  if (fd_ >= 0) return {};
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd_ < 0) return system_error(path_, "open");
  struct stat info {};
  bytes_ = ::fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  return {};
}

void rotated_file::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

result<void> rotated_file::append(const std::string& lines, instant now) {
  if (auto ok = open(); !ok) return ok;
  if (bytes_ > 0 && bytes_ + lines.size() > limits_.bytes_max)
    if (auto ok = rotate(now); !ok) return ok;
  for (std::size_t done = 0; done < lines.size();) {
    const auto n = ::write(fd_, lines.data() + done, lines.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      auto e = system_error(path_, "write");
      close();
      return e;
    }
    done += static_cast<std::size_t>(n);
    bytes_ += static_cast<std::uint64_t>(n);
  }
  return {};
}

result<void> rotated_file::rotate(instant now) {
  close();
  // Colons make poor file names; microseconds keep two rotations within a second apart.
  auto stamp = to_rfc3339_micro(now).substr(0, 26);
  std::replace(stamp.begin(), stamp.end(), ':', '-');
  const std::filesystem::path path(path_);
  const auto aside = path.parent_path() / (path.stem().string() + "-" + stamp + path.extension().string());
  if (::rename(path_.c_str(), aside.c_str()) != 0) return system_error(path_, "put aside");
  remove_old();
  return open();
}

void rotated_file::remove_old() const {
  if (limits_.files_max == 0) return;
  const std::filesystem::path path(path_);
  const auto start = path.stem().string() + "-", end = path.extension().string();
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (std::filesystem::directory_iterator it(path.parent_path().empty() ? "." : path.parent_path(), ignored), none;
       it != none; it.increment(ignored)) {
    const auto name = it->path().filename().string();
    if (name.size() == start.size() + 26 + end.size() && name.starts_with(start) && name.ends_with(end))
      found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  for (std::size_t i = 0; i + limits_.files_max < found.size(); ++i) std::filesystem::remove(found[i], ignored);
}

}  // namespace wh
