// The part of the disk that runs after the cut: decides what was lost, and takes it back.

#include <algorithm>
#include <array>
#include <set>

#include "tests/powercut/disk.hpp"
#include "tests/powercut/system.hpp"

namespace powercut {

namespace {

/// What one file's unsynced writes may have in common. A disk that only ever lost single sectors would be too kind to
/// code that needs two writes in order, and one that lost all of them to code that needs both.
struct fate {
  enum class kind { nothing, everything, by_write, by_sector, in_order };
  kind what = kind::nothing;
  std::uint64_t salt = 0;
  double odds = 0.5;
  std::uint64_t last = 0;  ///< in_order: the last write that survived whole; the next one is torn

  static fate of(const watched_file& f, rng& random) {
    fate out;
    const auto drawn = random.below(10);
    out.what = drawn < 3   ? kind::nothing
               : drawn < 4 ? kind::everything
               : drawn < 6 ? kind::by_write
               : drawn < 8 ? kind::by_sector
                           : kind::in_order;
    out.salt = random.next();
    out.odds = std::array{0.1, 0.5, 0.9}[random.below(3)];
    std::set<std::uint64_t> writes;
    for (const auto& [number, versions] : f.sectors)
      for (const sector_before& v : versions) writes.insert(v.write);
    if (!writes.empty()) out.last = *std::next(writes.begin(), static_cast<long>(random.below(writes.size()))) - 1;
    return out;
  }

  bool survives(std::uint64_t write, rng& random) const {
    switch (what) {
      case kind::nothing: return false;
      case kind::everything: return true;
      case kind::by_write: return rng{salt + write}.chance(odds);
      case kind::by_sector: return random.chance(odds);
      case kind::in_order: return write <= last || (write == last + 1 && random.chance(0.5));
    }
    return true;
  }

  std::size_t length(std::size_t choices, rng& random) const {
    if (what == kind::nothing) return 0;
    return what == kind::everything ? choices : random.below(choices + 1);
  }
};

}  // namespace

/// What the report says.
struct disk::tally {
  std::uint64_t sectors = 0;
  std::uint64_t sectors_lost = 0;
  std::uint64_t lengths_lost = 0;
  std::uint64_t changes = 0;
  std::uint64_t changes_lost = 0;
  std::map<std::uint64_t, std::pair<int, int>> writes;  ///< sectors of each that survived, and that were lost

  std::uint64_t torn() const {
    return static_cast<std::uint64_t>(std::count_if(
        writes.begin(), writes.end(), [](const auto& w) { return w.second.first > 0 && w.second.second > 0; }));
  }
};

void disk::undo(watched_file& f, tally& t) {
  const fate decided = fate::of(f, random_);
  // Putting sectors back may lengthen a file that was shorter in between, so its length is set apart from them.
  struct stat info {};
  ::fstat(f.fd, &info);
  f.lengths.push_back(info.st_size);
  for (const auto& [number, versions] : f.sectors) {
    // The newest write that survived decides what the sector holds: what was there before the one after it.
    std::size_t kept = versions.size();
    while (kept > 0 && !decided.survives(versions[kept - 1].write, random_)) --kept;
    for (std::size_t i = 0; i < versions.size(); ++i) {
      auto& [survived, lost] = t.writes[versions[i].write];
      ++(i < kept ? survived : lost);
    }
    ++t.sectors;
    if (kept == versions.size()) continue;
    ++t.sectors_lost;
    real::pwrite(f.fd, versions[kept].bytes.data(), sector_bytes, number * sector_bytes);
  }
  const std::size_t length = decided.length(f.lengths.size() - 1, random_);
  real::ftruncate(f.fd, f.lengths[length]);
  if (length + 1 < f.lengths.size()) ++t.lengths_lost;
}

void disk::undo_folders(tally& t) {
  std::map<file_id, std::size_t> surviving;
  for (const folder_change& c : changes_) ++surviving[c.folder];
  const auto fate_of_all = random_.below(4);
  for (auto& [folder, count] : surviving)
    count = fate_of_all == 0 ? 0 : fate_of_all == 1 ? count : random_.below(count + 1);
  std::map<file_id, std::size_t> seen;
  std::vector<const folder_change*> lost;
  for (const folder_change& c : changes_)
    if (++seen[c.folder] > surviving[c.folder]) lost.push_back(&c);
  t.changes = changes_.size();
  t.changes_lost = lost.size();
  for (auto it = lost.rbegin(); it != lost.rend(); ++it) {
    const folder_change& c = **it;
    if (c.what == folder_change::kind::created) real::unlink(AT_FDCWD, c.path.c_str());
    // Put away with all that is in it: emptying it would ask the program's allocator for memory.
    if (c.what == folder_change::kind::made_folder)
      real::rename(AT_FDCWD, c.path.c_str(), AT_FDCWD, (hidden_ + "/" + std::to_string(++kept_)).c_str());
    if (c.what == folder_change::kind::renamed) real::rename(AT_FDCWD, c.path.c_str(), AT_FDCWD, c.from.c_str());
    if (c.what == folder_change::kind::renamed) moved(changes_, c.path, c.from);
    if (!c.kept.empty()) real::rename(AT_FDCWD, c.kept.c_str(), AT_FDCWD, c.path.c_str());
  }
}

void disk::undo_everything(const char* what) {
  tally t;
  for (auto& [id, f] : files_) undo(f, t);
  undo_folders(t);
  char text[512];
  const int n =
      std::snprintf(text, sizeof text,
                    R"({"event": %llu, "at": "%s", "phase": %d, "sectors": %llu, "sectors_lost": %llu, "torn": %llu, )"
                    R"("lengths_lost": %llu, "changes": %llu, "changes_lost": %llu})",
                    static_cast<unsigned long long>(events_), what, static_cast<int>(cut_phase_),
                    static_cast<unsigned long long>(t.sectors), static_cast<unsigned long long>(t.sectors_lost),
                    static_cast<unsigned long long>(t.torn()), static_cast<unsigned long long>(t.lengths_lost),
                    static_cast<unsigned long long>(t.changes), static_cast<unsigned long long>(t.changes_lost));
  // Its name comes last: who sees it may start the machine again, so the dead one's locks and sockets must be free.
  real::close_all();
  const std::string partial = hidden_ + "/partial", path = hidden_ + "/report";
  const int fd = real::open(AT_FDCWD, partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  real::write(fd, text, static_cast<std::size_t>(n));
  ::close(fd);
  real::rename(AT_FDCWD, partial.c_str(), AT_FDCWD, path.c_str());
}

}  // namespace powercut
