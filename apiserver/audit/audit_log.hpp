#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "apiserver/audit/log_file.hpp"
#include "apiserver/audit/policy.hpp"

namespace wh {

struct audit_log_options {
  std::string file;
  rotated_file::limits limits = {};
  audit_policy policy = audit_policy::standard();
  std::size_t queue_max = 16384;  ///< records that wait for the disk; beyond: dropped and counted
  std::function<instant()> now;
  /// Told of trouble and of dropped records, at most once a minute; may be absent.
  std::function<void(const std::string&)> complain;
};

/// Writes audit events on a thread of its own. A request leaves its record and goes on; what does not fit is dropped,
/// counted and complained about, never waited for.
class audit_log final : public audit_trail {
 public:
  /// The error says why the file cannot be opened.
  static result<std::unique_ptr<audit_log>> open(audit_log_options options);
  ~audit_log() override;

  audit_decision decide(const audit_subject& s) const override { return options_.policy.decide(s); }
  bool records_denials() const override { return options_.policy.records_denials(); }
  void record(audit_record r) override;
  /// Writes what waits and ends. Records that come later are dropped.
  void stop();

  std::uint64_t written() const { return written_; }
  std::uint64_t dropped() const { return dropped_; }

 private:
  explicit audit_log(audit_log_options options);
  void run();
  void write(std::deque<audit_record> records);
  void complain(const std::string& about, std::uint64_t lost);

  audit_log_options options_;
  rotated_file file_;
  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<audit_record> waiting_;
  bool stopping_ = false;
  std::atomic<std::uint64_t> written_{0}, dropped_{0};
  std::uint64_t told_ = 0;  ///< of dropped_, what was complained about
  instant told_at_{};
  std::thread thread_;
};

}  // namespace wh
