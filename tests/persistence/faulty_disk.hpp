#pragma once
#include <sys/types.h>

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tests/persistence/store_fixture.hpp"

namespace wh::test {

/// What the disk does instead of obeying, and what it would lose if the power went now. Only the watched file is
/// concerned; its program's system calls are replaced (faulty_disk.cpp).
struct disk {
  std::recursive_mutex mutex;  // a snapshot is itself written to disk
  int write_error = 0;
  int sync_error = 0;
  int meta_error = 0;
  int truncate_error = 0;

  /// The n-th operation of a kind, counted from 1 when it was set, fails once.
  enum class operation { write, sync, read };
  static constexpr int cut_short = -1;  ///< as the error of a write: half of it is written
  operation doomed = operation::write;
  int doomed_in = 0;
  int doomed_error = 0;

  /// The data file's bytes before each write that was not synced yet, oldest first.
  struct unsynced {
    off_t at;
    std::string before;
  };
  bool recording = false;
  dev_t device = 0;
  ino_t inode = 0;
  off_t synced_length = 0;
  std::vector<unsynced> lost;
  std::function<void()> on_write;

  bool is_data(int fd) const;
  bool is_data(const char* path) const;
  void watch(const std::string& path);
  void set(int disk::*member, int error);
  void doom(operation what, int nth, int error);
  /// Whether what was doomed has failed.
  bool struck();
  void reset();
  /// Nonzero when the operation is the doomed one.
  int strike(operation what);
};

disk& the_disk();

/// A failed test must not leave a broken disk to the next.
struct healed_afterwards {
  ~healed_afterwards() { the_disk().reset(); }
};

inline lmdb_options durable_options(const std::string& dir) {
  lmdb_options o = options_for(dir);
  o.sync = true;
  return o;
}

}  // namespace wh::test
