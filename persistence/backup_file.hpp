#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

// A backup is one file of named sections, so that what a store needs beside itself travels with it.
//
//   file    = "WHBACKUP" be32(1) section* end
//   section = be16(name size) name be64(content size) content SHA-256 of all that
//   end     = a section named "end" whose content is be64(number of sections before it)
//
// Whatever is missing, changed or too much is noticed before anything of it is used.
namespace wh {

inline constexpr std::uint32_t backup_format = 1;

/// Writes `path` through `path`.partial, which bears the name only when it is whole and durable.
class backup_writer {
 public:
  /// errc::already_exists when `path` does.
  static result<backup_writer> create(const std::string& path);
  backup_writer(backup_writer&& other) noexcept;
  backup_writer& operator=(backup_writer&&) = delete;
  /// Removes what was not finished.
  ~backup_writer();

  result<void> add(std::string_view name, std::string_view content);
  /// `fill` appends the content to the descriptor.
  result<void> add_from(std::string_view name, const std::function<result<void>(int fd)>& fill);
  /// Returns the file's size.
  result<std::uint64_t> finish();

 private:
  backup_writer(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  result<void> append(std::string_view bytes);
  std::string partial() const { return path_ + ".partial"; }

  std::string path_;
  int fd_ = -1;
  std::uint64_t sections_ = 0;
};

/// How long a backup file will be, from its first bytes: once they reach the section `last`, which nothing but the end
/// follows. For progress while it arrives; checks nothing.
std::optional<std::uint64_t> announced_backup_size(std::string_view first_bytes, std::string_view last);

struct backup_section {
  std::string name;
  std::uint64_t offset = 0;  ///< of the content
  std::uint64_t size = 0;
};

/// A backup whose every checksum was right when it was opened.
class backup_reader {
 public:
  /// errc::corrupt says what is wrong and where; `progress` gets the part of the file that was read, 0 to 1.
  static result<backup_reader> open(const std::string& path, const std::function<void(double)>& progress = {});
  backup_reader(backup_reader&& other) noexcept;
  backup_reader& operator=(backup_reader&&) = delete;
  ~backup_reader();

  const std::vector<backup_section>& sections() const { return sections_; }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// A small section (at most 16 MiB). errc::not_found: there is none.
  result<std::string> read(std::string_view name) const;
  /// Into a new file (0600, durable).
  result<void> copy(std::string_view name, const std::string& to) const;

 private:
  backup_reader(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  const backup_section* find(std::string_view name) const;
  result<void> scan(const std::function<void(double)>& progress);

  std::string path_;
  int fd_ = -1;
  std::vector<backup_section> sections_;
};

}  // namespace wh
