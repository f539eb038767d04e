#include "nodes/hub/backup_service.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include "nodes/common/files.hpp"

namespace wh {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::size_t waiting_max = 4;
constexpr std::size_t piece_bytes = 256 << 10;
/// What a client may leave unread before we wait for it.
constexpr std::size_t unsent_max = 4 << 20;
constexpr std::string_view prefix = "wheelhouse-hub-";
constexpr std::string_view suffix = ".backup";

std::string file_name(instant now) {
  const std::time_t t = std::chrono::system_clock::to_time_t(now);
  return fmt::format("{}{:%Y%m%dT%H%M%SZ}{}", prefix, fmt::gmtime(t), suffix);
}

/// The time in a scheduled file's name; nothing for other names.
std::optional<instant> time_of(const std::string& name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  std::tm tm{};
  const std::string stamp = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  const char* end = ::strptime(stamp.c_str(), "%Y%m%dT%H%M%SZ", &tm);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return std::chrono::time_point_cast<duration>(std::chrono::system_clock::from_time_t(::timegm(&tm)));
}

void refuse(api_reply& reply, const error& e) {
  reply.respond({http_status_of(e.code),
                 {{"Content-Type", "application/json"}},
                 share(status_document(e).dump(-1, ' ', false, document::error_handler_t::replace))});
}

}  // namespace

result<std::unique_ptr<backup_service>> backup_service::start(backup_service_options options) {
  std::unique_ptr<backup_service> self(new backup_service(std::move(options)));
  const auto& o = self->options_;
  std::error_code ec;
  fs::remove_all(o.spool_dir, ec);  // copies that a crash left unsent
  if (!o.dir.empty()) {
    if (auto ok = make_folder(o.dir, 0700); !ok) return fail(ok.err().code, "--backup-dir: " + ok.err().message);
    if (const auto files = self->scheduled_files(); !files.empty())
      self->figures_.last_success = time_of(fs::path(files.back()).filename().string());
  }
  self->thread_ = std::thread([s = self.get()] { s->loop(); });
  return self;
}

backup_service::~backup_service() { stop(); }

void backup_service::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  for (auto& reply : waiting_) refuse(*reply, fail(errc::unavailable, "the hub is shutting down"));
  waiting_.clear();
}

void backup_service::send(std::shared_ptr<api_reply> reply) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < waiting_max) {
      waiting_.push_back(std::move(reply));
      changed_.notify_all();
      return;
    }
  }
  refuse(*reply, fail(errc::busy, "other backups are being made, try again later"));
}

backup_figures backup_service::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

bool backup_service::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void backup_service::loop() {
  while (true) {
    std::shared_ptr<api_reply> next;
    {
      std::unique_lock lock(mutex_);
      const auto due = [this] {
        if (options_.dir.empty()) return false;
        if (retry_at_) return options_.now() >= *retry_at_;
        return !figures_.last_success || options_.now() >= *figures_.last_success + options_.interval;
      };
      // By the wall clock, which may be put right meanwhile: so it is asked every few seconds.
      while (!stopping_ && waiting_.empty() && !due()) changed_.wait_for(lock, options_.dir.empty() ? 3600s : 5s);
      if (stopping_) return;
      if (!waiting_.empty()) {
        next = std::move(waiting_.front());
        waiting_.pop_front();
      }
    }
    if (next) serve(*next);
    else make_scheduled();
  }
}

result<std::uint64_t> backup_service::write(const std::string& path) {
  auto parts = options_.parts();
  if (!parts) return parts.err();
  return backup_store(*options_.data, *parts, path);
}

void backup_service::serve(api_reply& reply) {
  if (!reply.alive()) return;
  if (auto ok = make_folder(options_.spool_dir, 0700); !ok) return refuse(reply, ok.err());
  const std::string path = options_.spool_dir + "/sending";
  ::unlink(path.c_str());
  const auto size = write(path);
  if (!size) return refuse(reply, size.err());
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const int why = errno;
  ::unlink(path.c_str());  // goes with the descriptor, whatever becomes of us
  if (fd < 0) return refuse(reply, fail(errc::io, fmt::format("cannot open {}: {}", path, std::strerror(why))));
  reply.start_stream(200, {{"Content-Type", "application/vnd.wheelhouse.backup"}});
  stream(fd, *size, reply);
  ::close(fd);
}

void backup_service::stream(int fd, std::uint64_t size, api_reply& reply) {
  // Whoever gets less than all knows it by the missing end mark.
  for (std::uint64_t at = 0; at < size && reply.alive() && !stopping();) {
    if (reply.unsent() > unsent_max) {
      std::this_thread::sleep_for(2ms);
      continue;
    }
    std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(piece_bytes, size - at)), '\0');
    const auto n = ::pread(fd, piece.data(), piece.size(), static_cast<off_t>(at));
    if (n <= 0) {
      options_.log(true, fmt::format("cannot read a backup that is being sent: {}", std::strerror(errno)));
      break;
    }
    piece.resize(static_cast<std::size_t>(n));
    at += piece.size();
    reply.write(share(std::move(piece)));
  }
  reply.finish();
}

std::vector<std::string> backup_service::scheduled_files() const {
  std::vector<std::string> out;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(options_.dir, ec))
    if (time_of(entry.path().filename().string())) out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

void backup_service::make_scheduled() {
  const instant now = options_.now();
  const std::string path = options_.dir + "/" + file_name(now);
  const auto size = write(path);
  if (!size) {
    options_.log(true, "the scheduled backup failed: " + size.err().message);
    const std::lock_guard lock(mutex_);
    ++figures_.failures;
    retry_at_ = now + std::min<duration>(options_.interval, 10min);
    return;
  }
  auto files = scheduled_files();
  while (files.size() > options_.keep) {
    std::error_code ec;
    fs::remove(files.front(), ec);
    files.erase(files.begin());
  }
  options_.log(false, fmt::format("backup {} made, {:.1f} MiB", path, static_cast<double>(*size) / (1 << 20)));
  const std::lock_guard lock(mutex_);
  figures_.last_success = now;
  retry_at_.reset();
}

}  // namespace wh
