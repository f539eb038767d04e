#pragma once
#include <sys/stat.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace powercut {

/// What a disk writes whole or not at all.
inline constexpr off_t sector_bytes = 512;

struct settings {
  std::string folder;  ///< files below it are watched
  std::uint64_t seed = 0;
  std::uint64_t after = 0;  ///< cut at this event; 0: only when asked to
  bool nosync = false;      ///< syncs are answered well and do nothing
};

struct file_id {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const file_id&) const = default;
};

/// What a sector held before one write to it that is not durable yet.
struct sector_before {
  std::uint64_t write = 0;
  std::array<char, sector_bytes> bytes{};
};

struct watched_file {
  /// Reads what is about to be overwritten and, after the cut, puts it back. Open as long as the file exists: closing
  /// any descriptor of a file gives up the POSIX locks that the process holds on it.
  int fd = -1;
  std::map<off_t, std::vector<sector_before>> sectors;  ///< by number; oldest first
  std::vector<off_t> lengths;                           ///< before each change since the last sync, oldest first
};

/// A change of names that its folder was not synced after.
struct folder_change {
  enum class kind { created, made_folder, renamed, removed };
  kind what = kind::created;
  file_id folder;    ///< its sync makes the change durable
  std::string path;  ///< the name that came, or went
  std::string from;  ///< renamed: the name before
  std::string kept;  ///< a hidden link to the file that was replaced or removed, if there was one
};

struct rng {
  std::uint64_t state = 0;
  std::uint64_t next();
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool chance(double p) { return static_cast<double>(next() >> 11) < p * 9007199254740992.0; }
};

/// Knows what of the folder would be lost if the power went now. The calls of the process are real all the time, so it
/// sees its own writes as always; only the cut takes back what had not become durable, as a page cache that is gone would:
///
/// - A sector holds, at random, what it held after any of its writes since the last sync, or before all of them. That
///   tears writes, loses earlier ones and keeps later ones, and can never touch what was synced.
/// - A file has any of the lengths it had since its last sync.
/// - Of each folder's changes since its last sync the first few survive. They can be lost although the file itself was
///   synced, as POSIX allows and most file systems rarely do.
///
/// Not watched: stores through a writable map (LMDB does that with its lock file alone, which it rebuilds).
class disk {
 public:
  explicit disk(settings s);

  bool inside(const std::string& path) const;
  watched_file* find(int fd);
  watched_file& watch(int fd);
  /// A file that was just created: whatever is known of its inode belongs to a dead one.
  void watch_new(int fd);

  void before_write(watched_file& f, off_t at, std::size_t n);
  void before_length(watched_file& f, off_t length);
  /// A write through a synchronous descriptor: durable as far as it goes, and no further.
  void made_durable(watched_file& f, off_t at, std::size_t n);
  void synced(watched_file& f);
  void synced_folder(const file_id& folder);

  void changed(folder_change c);
  /// Keeps a file that is about to lose its name; empty if there is none.
  std::string keep(const std::string& path);

  /// Marks the progress of an event; the process ends here if it was chosen for the cut.
  enum class phase { before, during, after };
  void reach(phase p, const char* what);
  /// Ends the process as a power cut does, and leaves of the folder what the disk would have.
  [[noreturn]] void cut(const char* what);

 private:
  struct tally;
  void forget_if_gone(const file_id& id);
  void undo(watched_file& f, tally& t);
  void undo_folders(tally& t);
  void undo_everything(const char* what);

  settings settings_;
  std::string hidden_;  ///< beside the folder: kept files and the report
  rng random_;
  phase cut_phase_;
  std::uint64_t events_ = 0;
  std::uint64_t writes_ = 0;
  std::uint64_t kept_ = 0;
  std::map<file_id, watched_file> files_;
  std::vector<folder_change> changes_;
};

file_id id_of(const struct stat& info);

/// Names in a folder that is called otherwise from now on.
void moved(std::vector<folder_change>& changes, const std::string& from, const std::string& to);

/// True in the process that remains after the cut: its calls are no longer watched.
bool after_the_cut();

}  // namespace powercut
