#pragma once
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/result.hpp"
#include "base/time.hpp"

namespace wh {

/// Lines in a file that is put aside when it gets large: `audit.log` becomes `audit-2026-01-02T03-04-05.000.log`, and of
/// those the newest stay. Files are readable by their owner alone. Not thread-safe.
class rotated_file {
 public:
  struct limits {
    std::uint64_t bytes_max = std::uint64_t{100} << 20;
    std::uint64_t files_max = 10;  ///< put aside; 0: all of them
  };
  rotated_file(std::string path, limits l) : path_(std::move(path)), limits_(l) {}
  ~rotated_file() { close(); }
  rotated_file(const rotated_file&) = delete;
  rotated_file& operator=(const rotated_file&) = delete;

  /// Appends whole lines; rotates before, if they would not fit. After an error the file is opened anew next time.
  result<void> append(const std::string& lines, instant now);
  result<void> open();
  void close();

 private:
  result<void> rotate(instant now);
  void remove_old() const;

  std::string path_;
  limits limits_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace wh
