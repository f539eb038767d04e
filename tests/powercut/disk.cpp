#include "tests/powercut/disk.hpp"

#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "tests/powercut/memory.hpp"
#include "tests/powercut/system.hpp"

namespace powercut {

namespace {

bool remains = false;

[[noreturn]] void give_up(const char* what, const std::string& path) {
  std::fprintf(stderr, "powercut: cannot %s %s: %s\n", what, path.c_str(), std::strerror(errno));
  std::abort();
}

off_t length_of(const watched_file& f) {
  struct stat info {};
  if (::fstat(f.fd, &info) != 0) give_up("examine", "a watched file");
  return info.st_size;
}

}  // namespace

std::uint64_t rng::next() {  // splitmix64
  std::uint64_t z = (state += 0x9e3779b97f4a7c15U);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

file_id id_of(const struct stat& info) { return {info.st_dev, info.st_ino}; }

bool after_the_cut() { return remains; }

disk::disk(settings s) : settings_(std::move(s)), hidden_(settings_.folder + ".powercut"), random_{settings_.seed} {
  cut_phase_ = static_cast<phase>(random_.below(3));
  // What an earlier run left there is durable by now: this machine has just started.
  std::error_code ec;
  std::filesystem::remove_all(hidden_, ec);
  if (real::mkdir(AT_FDCWD, hidden_.c_str(), 0700) != 0) give_up("create the folder", hidden_);
}

bool disk::inside(const std::string& path) const {
  return path.starts_with(settings_.folder) &&
         (path.size() == settings_.folder.size() || path[settings_.folder.size()] == '/');
}

watched_file* disk::find(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return nullptr;
  const auto it = files_.find(id_of(info));
  return it == files_.end() ? nullptr : &it->second;
}

watched_file& disk::watch(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) give_up("examine", "a new file");
  watched_file& f = files_[id_of(info)];
  if (f.fd >= 0) return f;
  // A descriptor of our own: the program's may be write-only, and it will close it.
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  f.fd = real::open(AT_FDCWD, path.c_str(), O_RDWR | O_CLOEXEC, 0);
  if (f.fd < 0) give_up("open", path);
  return f;
}

void disk::watch_new(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) == 0)
    if (const auto old = files_.find(id_of(info)); old != files_.end()) {
      ::close(old->second.fd);
      files_.erase(old);
    }
  watch(fd);
}

void disk::before_write(watched_file& f, off_t at, std::size_t n) {
  if (n == 0) return;
  ++writes_;
  const off_t end = at + static_cast<off_t>(n);
  const off_t first = at / sector_bytes;
  const off_t count = (end - 1) / sector_bytes - first + 1;
  std::string old(static_cast<std::size_t>(count * sector_bytes), '\0');
  if (::pread(f.fd, old.data(), old.size(), first * sector_bytes) < 0) give_up("read", "what is overwritten");
  for (off_t i = 0; i < count; ++i) {
    auto& versions = f.sectors[first + i];
    versions.push_back({writes_, {}});
    std::memcpy(versions.back().bytes.data(), old.data() + i * sector_bytes, sector_bytes);
  }
  if (const off_t length = length_of(f); end > length) f.lengths.push_back(length);
}

void disk::before_length(watched_file& f, off_t length) {
  const off_t present = length_of(f);
  if (length == present) return;
  // What is cut off may return with the old length.
  if (length < present) before_write(f, length, static_cast<std::size_t>(present - length));
  f.lengths.push_back(present);
}

void disk::made_durable(watched_file& f, off_t at, std::size_t n) {
  if (settings_.nosync || n == 0) return;
  const off_t end = at + static_cast<off_t>(n);
  f.sectors.erase(f.sectors.lower_bound(at / sector_bytes), f.sectors.upper_bound((end - 1) / sector_bytes));
  // The length goes with it if the bytes could not be read back otherwise.
  if (std::any_of(f.lengths.begin(), f.lengths.end(), [&](off_t length) { return length < end; })) f.lengths.clear();
}

void disk::synced(watched_file& f) {
  if (settings_.nosync) return;
  f.sectors.clear();
  f.lengths.clear();
}

void disk::synced_folder(const file_id& folder) {
  if (settings_.nosync) return;
  std::vector<folder_change> others;
  for (folder_change& c : changes_) {
    if (c.folder != folder) {
      others.push_back(std::move(c));
      continue;
    }
    if (c.kept.empty()) continue;
    struct stat info {};
    const bool known = ::lstat(c.kept.c_str(), &info) == 0;
    real::unlink(AT_FDCWD, c.kept.c_str());
    if (known) forget_if_gone(id_of(info));
  }
  changes_ = std::move(others);
}

void disk::forget_if_gone(const file_id& id) {
  const auto it = files_.find(id);
  struct stat info {};
  if (it == files_.end() || ::fstat(it->second.fd, &info) != 0 || info.st_nlink != 0) return;
  ::close(it->second.fd);
  files_.erase(it);
}

void moved(std::vector<folder_change>& changes, const std::string& from, const std::string& to) {
  for (folder_change& c : changes)
    for (std::string* name : {&c.path, &c.from})
      if (name->starts_with(from + "/")) name->replace(0, from.size(), to);
}

void disk::changed(folder_change c) {
  if (c.what == folder_change::kind::renamed) moved(changes_, c.from, c.path);
  changes_.push_back(std::move(c));
}

std::string disk::keep(const std::string& path) {
  const std::string link = hidden_ + "/" + std::to_string(++kept_);
  if (::link(path.c_str(), link.c_str()) == 0) return link;
  if (errno != ENOENT) give_up("keep", path);
  return {};
}

void disk::reach(phase p, const char* what) {
  if (p == phase::before) ++events_;
  if (events_ == settings_.after && p == cut_phase_) cut(what);
}

void disk::cut(const char* what) {
  const pid_t victim = ::getpid();
  memory::before_fork();
  const pid_t child = ::fork();
  memory::after_fork();
  if (child < 0) give_up("fork at", what);
  if (child > 0) {
    // Whoever finds the victim dead finds this already: a cut was begun, and who is to finish it.
    const std::string pid = std::to_string(child), path = hidden_ + "/survivor";
    const int fd = real::open(AT_FDCWD, path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || real::write(fd, pid.data(), pid.size()) < 0) give_up("write", path);
    ::kill(victim, SIGKILL);
    while (true) ::pause();
  }
  // Only when the last thread of the victim is gone: none may see, let alone tell, what the disk has lost.
  while (::getppid() == victim) ::usleep(100);
  remains = true;
  undo_everything(what);
  ::_exit(0);
}

}  // namespace powercut
