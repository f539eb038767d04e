#include "persistence/backup_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "base/assert.hpp"
#include "base/encoding.hpp"

namespace wh {

namespace {

constexpr std::string_view magic = "WHBACKUP";
constexpr std::string_view end_name = "end";
constexpr std::size_t head_bytes = 12;
constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t small_bytes_max = 16 << 20;
constexpr std::size_t piece_bytes = 256 << 10;

error file_error(std::string_view doing, const std::string& path) {
  return fail(errno == ENOENT ? errc::not_found : errc::io,
              fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno)));
}

class sha256 {
 public:
  sha256() : context_(EVP_MD_CTX_new()) {
    WH_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(std::string_view bytes) { WH_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1); }
  std::string finish() {
    std::string out(digest_bytes, '\0');
    WH_ASSERT(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), nullptr) == 1);
    return out;
  }

 private:
  struct deleter {
    void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
  };
  std::unique_ptr<EVP_MD_CTX, deleter> context_;
};

result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return file_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// Exactly `n` bytes from `at`.
result<std::string> read_at(int fd, std::uint64_t at, std::size_t n, const std::string& path) {
  std::string out(n, '\0');
  for (std::size_t done = 0; done < n;) {
    const auto got = ::pread(fd, out.data() + done, n - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error("read", path);
    if (got == 0)
      return fail(errc::corrupt, fmt::format("{} ends at byte {}, in the middle of something", path, at + done));
    done += static_cast<std::size_t>(got);
  }
  return out;
}

/// Hands a stretch of the file to `take`, piece by piece.
template <class Take>
result<void> read_pieces(int fd, std::uint64_t at, std::uint64_t size, const std::string& path, Take take) {
  while (size > 0) {
    const auto piece = read_at(fd, at, static_cast<std::size_t>(std::min<std::uint64_t>(size, piece_bytes)), path);
    if (!piece) return piece.err();
    if (auto ok = take(*piece); !ok) return ok;
    at += piece->size();
    size -= piece->size();
  }
  return {};
}

std::string be(std::uint64_t v, std::size_t n) {
  std::string out;
  append_be64(out, v);
  return out.substr(8 - n);
}

std::uint64_t from_be(std::string_view bytes) {
  std::uint64_t v = 0;
  for (const char c : bytes) v = v << 8 | static_cast<unsigned char>(c);
  return v;
}

std::string section_head(std::string_view name, std::uint64_t size) {
  return be(name.size(), 2) + std::string(name) + be(size, 8);
}

result<void> sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return file_error("open the folder of", path);
  const bool synced = ::fsync(fd) == 0;
  const error why = file_error("sync the folder of", path);
  ::close(fd);
  if (!synced) return why;
  return {};
}

}  // namespace

result<backup_writer> backup_writer::create(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return fail(errc::already_exists, path + " exists already");
  const std::string partial = path + ".partial";
  ::unlink(partial.c_str());  // of a process that was killed
  const int fd = ::open(partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return file_error("create", partial);
  backup_writer out(path, fd);
  if (auto ok = out.append(std::string(magic) + be(backup_format, 4)); !ok) return ok.err();
  return out;
}

backup_writer::backup_writer(backup_writer&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), sections_(other.sections_) {}

backup_writer::~backup_writer() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(partial().c_str());
}

result<void> backup_writer::append(std::string_view bytes) { return write_all(fd_, bytes, partial()); }

result<void> backup_writer::add(std::string_view name, std::string_view content) {
  sha256 sum;
  const std::string head = section_head(name, content.size());
  sum.add(head);
  sum.add(content);
  ++sections_;
  if (auto ok = append(head); !ok) return ok;
  if (auto ok = append(content); !ok) return ok;
  return append(sum.finish());
}

result<void> backup_writer::add_from(std::string_view name, const std::function<result<void>(int fd)>& fill) {
  const off_t start = ::lseek(fd_, 0, SEEK_CUR);
  if (auto ok = append(section_head(name, 0)); !ok) return ok;
  const off_t content = ::lseek(fd_, 0, SEEK_CUR);
  if (auto ok = fill(fd_); !ok) return ok;
  const off_t end = ::lseek(fd_, 0, SEEK_END);
  if (start < 0 || content < 0 || end < content) return file_error("measure", partial());
  const auto size = static_cast<std::uint64_t>(end - content);
  const std::string head = section_head(name, size);
  if (::pwrite(fd_, head.data(), head.size(), start) != static_cast<ssize_t>(head.size()))
    return file_error("write", partial());
  // Read back what was written: the sum is of the bytes that are there.
  sha256 sum;
  sum.add(head);
  auto ok = read_pieces(fd_, static_cast<std::uint64_t>(content), size, partial(), [&](const std::string& piece) {
    sum.add(piece);
    return result<void>();
  });
  if (!ok) return ok;
  ++sections_;
  return append(sum.finish());
}

result<std::uint64_t> backup_writer::finish() {
  if (auto ok = add(end_name, be(sections_, 8)); !ok) return ok.err();
  const off_t size = ::lseek(fd_, 0, SEEK_CUR);
  if (::fsync(fd_) != 0) return file_error("sync", partial());
  if (::rename(partial().c_str(), path_.c_str()) != 0) return file_error("name", path_);
  ::close(std::exchange(fd_, -1));
  if (auto ok = sync_folder_of(path_); !ok) return ok.err();
  return static_cast<std::uint64_t>(size);
}

std::optional<std::uint64_t> announced_backup_size(std::string_view first_bytes, std::string_view last) {
  const std::uint64_t end_bytes = section_head(end_name, 8).size() + 8 + digest_bytes;
  std::uint64_t at = head_bytes;
  while (at + 2 <= first_bytes.size()) {
    const std::uint64_t n = from_be(first_bytes.substr(at, 2));
    if (at + 2 + n + 8 > first_bytes.size()) return std::nullopt;
    const std::uint64_t size = from_be(first_bytes.substr(at + 2 + n, 8));
    const std::uint64_t behind = at + 2 + n + 8 + size + digest_bytes;
    if (first_bytes.substr(at + 2, n) == last) return behind + end_bytes;
    if (behind <= at) return std::nullopt;
    at = behind;
  }
  return std::nullopt;
}

result<backup_reader> backup_reader::open(const std::string& path, const std::function<void(double)>& progress) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return file_error("open", path);
  backup_reader out(path, fd);
  if (auto ok = out.scan(progress); !ok) return ok.err();
  return out;
}

backup_reader::backup_reader(backup_reader&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), sections_(std::move(other.sections_)) {}

backup_reader::~backup_reader() {
  if (fd_ >= 0) ::close(fd_);
}

result<void> backup_reader::scan(const std::function<void(double)>& progress) {
  struct stat info {};
  if (::fstat(fd_, &info) != 0) return file_error("examine", path_);
  const auto length = static_cast<std::uint64_t>(info.st_size);
  const auto damaged = [&](std::uint64_t at, const std::string& what) {
    return fail(errc::corrupt, fmt::format("{} is damaged at byte {}: {}", path_, at, what));
  };
  if (length < head_bytes) return fail(errc::corrupt, path_ + " is no backup: it is too short");
  const auto head = read_at(fd_, 0, head_bytes, path_);
  if (!head) return head.err();
  if (!head->starts_with(magic)) return fail(errc::corrupt, path_ + " is no backup of this program");
  if (const auto format = from_be(head->substr(magic.size())); format != backup_format)
    return fail(errc::unsupported,
                fmt::format("{} has backup format {}, this program reads {}", path_, format, backup_format));
  std::uint64_t at = head_bytes;
  while (true) {
    if (length - at < 2) return damaged(at, "it ends before its end mark, so a part is missing");
    const auto name_size = read_at(fd_, at, 2, path_);
    if (!name_size) return name_size.err();
    const std::uint64_t n = from_be(*name_size);
    if (n == 0 || n > name_bytes_max || length - at < 2 + n + 8 + digest_bytes)
      return damaged(at, "no section begins here");
    const auto rest = read_at(fd_, at + 2, static_cast<std::size_t>(n) + 8, path_);
    if (!rest) return rest.err();
    const backup_section section{rest->substr(0, static_cast<std::size_t>(n)), at + 2 + n + 8,
                                 from_be(std::string_view(*rest).substr(static_cast<std::size_t>(n)))};
    if (section.size > length - section.offset - digest_bytes)
      return damaged(at, "the section is longer than the rest of the file");
    sha256 sum;
    sum.add(*name_size);
    sum.add(*rest);
    std::uint64_t done = section.offset;
    std::string last;
    auto ok = read_pieces(fd_, section.offset, section.size, path_, [&](const std::string& piece) {
      sum.add(piece);
      done += piece.size();
      last = piece;
      if (progress) progress(static_cast<double>(done) / static_cast<double>(length));
      return result<void>();
    });
    if (!ok) return ok;
    const std::uint64_t behind = section.offset + section.size;
    const auto digest = read_at(fd_, behind, digest_bytes, path_);
    if (!digest) return digest.err();
    // A name may be damage too, so it is shown only when the sum was right.
    if (*digest != sum.finish()) return damaged(at, "the checksum of the section that begins here is wrong");
    at = behind + digest_bytes;
    if (section.name == end_name) {
      if (last != be(sections_.size(), 8)) return damaged(at, "the end mark counts other sections than there are");
      break;
    }
    if (find(section.name) != nullptr) return damaged(at, fmt::format("section \"{}\" is there twice", section.name));
    sections_.push_back(section);
  }
  if (at != length) return damaged(at, "something follows the end mark");
  return {};
}

const backup_section* backup_reader::find(std::string_view name) const {
  const auto it = std::find_if(sections_.begin(), sections_.end(), [&](const auto& s) { return s.name == name; });
  return it == sections_.end() ? nullptr : &*it;
}

result<std::string> backup_reader::read(std::string_view name) const {
  const backup_section* s = find(name);
  if (s == nullptr) return fail(errc::not_found, fmt::format("{} has no section \"{}\"", path_, name));
  if (s->size > small_bytes_max)
    return fail(errc::too_large, fmt::format("{}: section \"{}\" has {} bytes", path_, name, s->size));
  return read_at(fd_, s->offset, static_cast<std::size_t>(s->size), path_);
}

result<void> backup_reader::copy(std::string_view name, const std::string& to) const {
  const backup_section* s = find(name);
  if (s == nullptr) return fail(errc::not_found, fmt::format("{} has no section \"{}\"", path_, name));
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return file_error("create", to);
  auto ok =
      read_pieces(fd_, s->offset, s->size, path_, [&](const std::string& piece) { return write_all(fd, piece, to); });
  if (ok && ::fsync(fd) != 0) ok = file_error("sync", to);
  ::close(fd);
  return ok;
}

}  // namespace wh
