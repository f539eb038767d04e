#include "apiserver/audit/audit_log.hpp"

#include <fmt/format.h>

namespace wh {

namespace {

constexpr auto complaint_interval = std::chrono::minutes(1);
/// Records are gathered this long: waking up and writing for each alone would cost more than the record.
constexpr auto gather = std::chrono::milliseconds(20);
/// Bytes given to the file at once.
constexpr std::size_t chunk_bytes = 256 * 1024;

}  // namespace

audit_log::audit_log(audit_log_options options) : options_(std::move(options)), file_(options_.file, options_.limits) {}

result<std::unique_ptr<audit_log>> audit_log::open(audit_log_options options) {
  std::unique_ptr<audit_log> self(new audit_log(std::move(options)));
  if (auto ok = self->file_.open(); !ok) return ok.err();
  self->thread_ = std::thread([log = self.get()] { log->run(); });
  return self;
}

audit_log::~audit_log() { stop(); }

void audit_log::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void audit_log::record(audit_record r) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= options_.queue_max) {
      ++dropped_;
      return;
    }
    waiting_.push_back(std::move(r));
    // Otherwise the thread is awake already, and gathers.
    if (waiting_.size() != 1 && waiting_.size() != options_.queue_max / 2) return;
  }
  news_.notify_one();
}

void audit_log::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    news_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    news_.wait_for(lock, gather, [&] { return stopping_ || waiting_.size() >= options_.queue_max / 2; });
    std::deque<audit_record> due;
    due.swap(waiting_);
    lock.unlock();
    write(std::move(due));
    lock.lock();
  }
}

void audit_log::write(std::deque<audit_record> records) {
  std::string lines;
  std::uint64_t in_lines = 0;
  auto flush = [&] {
    if (lines.empty()) return;
    auto done = file_.append(lines, options_.now());
    if (done) written_ += in_lines;
    else dropped_ += in_lines;
    complain(done ? "the disk is too slow for them" : done.err().message, dropped_ - told_);
    lines.clear();
    in_lines = 0;
  };
  for (const auto& r : records) {
    lines += audit_line(r);
    lines += '\n';
    ++in_lines;
    if (lines.size() >= chunk_bytes) flush();
  }
  flush();
}

void audit_log::complain(const std::string& about, std::uint64_t lost) {
  const auto now = options_.now();
  if (lost == 0 || (told_ > 0 && now - told_at_ < complaint_interval)) return;
  told_ += lost;
  told_at_ = now;
  if (options_.complain) options_.complain(fmt::format("{} audit events were lost: {}", lost, about));
}

}  // namespace wh
