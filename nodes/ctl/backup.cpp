#include "nodes/ctl/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ostream>

#include "nodes/common/files.hpp"
#include "persistence/backup.hpp"

namespace wh::ctl {
namespace {

constexpr const char* backup_path = "/operate/v1/backup";
/// Enough for the sections before the store.
constexpr std::size_t first_bytes_max = 64 * 1024;
constexpr auto redraw_interval = std::chrono::milliseconds(100);

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

error os_error(const std::string& what, const std::string& path) {
  return fail(errc::io, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

/// The file while it arrives, under another name. Gone if it is not kept.
class arriving_file {
 public:
  explicit arriving_file(std::string path) : path_(std::move(path)) {}
  ~arriving_file() {
    if (fd_ >= 0) ::close(fd_);
    if (!kept_) ::unlink(partial().c_str());
  }
  arriving_file(const arriving_file&) = delete;
  arriving_file& operator=(const arriving_file&) = delete;

  std::string partial() const { return path_ + ".download"; }

  result<void> create() {
    fd_ = ::open(partial().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd_ < 0) return os_error("cannot create", partial());
    return {};
  }

  result<void> append(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return os_error("cannot write", partial());
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  result<void> keep() {
    if (::fsync(fd_) != 0) return os_error("cannot sync", partial());
    if (::rename(partial().c_str(), path_.c_str()) != 0) return os_error("cannot name", path_);
    kept_ = true;
    return sync_folder_of(path_);
  }

 private:
  std::string path_;
  int fd_ = -1;
  bool kept_ = false;
};

/// Counts what arrives and shows it.
class progress {
 public:
  explicit progress(const console& c) : console_(c), began_(c.now()) {
    if (c.progress) c.err << "the hub is copying its store …" << std::flush;
  }
  ~progress() {
    if (console_.progress) console_.err << "\r\x1b[K" << std::flush;
  }

  void took(std::string_view bytes) {
    if (!total_ && first_.size() < first_bytes_max) {
      first_.append(bytes.substr(0, first_bytes_max - first_.size()));
      total_ = announced_backup_size(first_, backup_store_section);
    }
    done_ += bytes.size();
    const instant now = console_.now();
    if (!console_.progress || now - drawn_ < redraw_interval) return;
    drawn_ = now;
    console_.err << "\r\x1b[K" << progress_text(done_, total_, now - began_) << std::flush;
  }
  std::uint64_t done() const { return done_; }

 private:
  const console& console_;
  instant began_;
  instant drawn_;
  std::string first_;
  std::optional<std::uint64_t> total_;
  std::uint64_t done_ = 0;
};

result<std::uint64_t> fetch(console& c, arriving_file& file, duration timeout) {
  if (auto ok = file.create(); !ok) return ok.err();
  progress shown(c);
  result<void> written;
  const auto fetched = c.hub.download(
      backup_path,
      [&](std::string_view bytes) {
        shown.took(bytes);
        written = file.append(bytes);
        return written.ok();
      },
      timeout);
  if (!written) return written.err();
  if (!fetched) return fetched.err();
  return shown.done();
}

}  // namespace

std::string progress_text(std::uint64_t done, std::optional<std::uint64_t> total, duration elapsed) {
  constexpr std::size_t width = 30;
  const double seconds = std::max(static_cast<double>(elapsed.count()) / 1e6, 0.001);
  const double rate = static_cast<double>(done) / seconds;
  if (!total || *total == 0) return fmt::format("{:.1f} MiB  {:.1f} MiB/s", mib(done), rate / (1 << 20));
  const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total));
  const auto filled = static_cast<std::size_t>(part * width);
  const double left = rate > 0 ? static_cast<double>(*total - std::min(done, *total)) / rate : 0;
  return fmt::format("[{}{}] {:.1f} of {:.1f} MiB  {:.1f} MiB/s  {:.0f}s left", std::string(filled, '='),
                     std::string(width - filled, ' '), mib(done), mib(*total), rate / (1 << 20), left);
}

int make_backup(console& c, const backup_options& options) {
  if (!options.force && file_exists(options.file))
    return report(c, fail(errc::already_exists, options.file + " exists already; --force replaces it"));
  arriving_file file(options.file);
  const auto size = fetch(c, file, options.timeout);
  if (!size) return report(c, size.err());
  // What has its name can be relied on.
  auto checked = backup_reader::open(file.partial());
  if (!checked) return report(c, fail(checked.err().code, "the backup did not arrive whole: " + checked.err().message));
  const auto text = checked->read("description");
  auto description = text ? parse_json(*text) : result<document>(text.err());
  if (!description) return report(c, description.err());
  if (auto ok = file.keep(); !ok) return report(c, ok.err());

  (*description)["file"] = options.file;
  (*description)["bytes"] = *size;
  if (c.format != output_format::table) {
    c.out << print_document(*description, c.format);
    return exit_ok;
  }
  c.out << fmt::format("{}: {:.1f} MiB, revision {}\n", options.file, mib(*size),
                       description->value("revision", std::uint64_t{0}));
  if (const auto key = string_at(*description, {"sealedWith"}); !key.empty())
    c.out << fmt::format(
        "Secrets and the authority's key in it are sealed with key {}: keep a copy of the hub's key file\n"
        "(encryption.key in its data folder) elsewhere, it is needed to restore.\n",
        key);
  else c.out << "It contains secrets and the authority's key in plain text: keep it as secret as the hub itself.\n";
  return exit_ok;
}

}  // namespace wh::ctl
