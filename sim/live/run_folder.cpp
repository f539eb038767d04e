#include "sim/live/run_folder.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "nodes/common/files.hpp"

namespace wh {
namespace {

namespace fs = std::filesystem;

/// The first part of the path that does not exist; empty if all of it does.
std::string first_missing(const std::string& path) {
  fs::path so_far;
  std::error_code unreadable;
  for (const auto& part : fs::path(path)) {
    so_far /= part;
    if (!fs::exists(fs::symlink_status(so_far, unreadable))) return so_far.string();
  }
  return "";
}

std::uint64_t bytes_of(const std::string& file) {
  std::error_code absent;
  const auto size = fs::file_size(file, absent);
  return absent ? 0 : size;
}

}  // namespace

result<run_folder> run_folder::open(const std::string& path) {
  run_folder self;
  self.path_ = path;
  while (self.path_.size() > 1 && self.path_.ends_with('/')) self.path_.pop_back();
  self.made_ = first_missing(self.path_);
  if (auto ok = make_folder(self.path_, 0755); !ok) {
    self.undo();
    return fail(ok.err().code, "--out: " + ok.err().message);
  }
  if (::access(self.path_.c_str(), W_OK | X_OK) != 0)
    return fail(errc::io, "--out: " + self.path_ + " cannot be written to: " + std::strerror(errno));
  // A hub would take it for its own, with the clusters of another run, and it would go with this one.
  if (file_exists(self.hub_data()))
    return fail(errc::already_exists,
                "--out: " + self.hub_data() +
                    " is there already, as after --keep-data or a run that was killed; remove it, or name "
                    "another folder");
  self.log_was_there_ = file_exists(self.hub_log());
  self.log_bytes_ = bytes_of(self.hub_log());
  return self;
}

void run_folder::undo() const {
  std::error_code ignored;
  if (!made_.empty()) {
    fs::remove_all(made_, ignored);
    return;
  }
  fs::remove_all(hub_data(), ignored);
  if (log_was_there_) fs::resize_file(hub_log(), log_bytes_, ignored);
  else fs::remove(hub_log(), ignored);
}

void run_folder::undo_if_wordless() const {
  if (bytes_of(hub_log()) <= log_bytes_) undo();
}

}  // namespace wh
