#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "apiserver/api.hpp"
#include "persistence/backup.hpp"

namespace wh {

struct backup_figures {
  std::optional<instant> last_success;  ///< of a scheduled backup, also of an earlier run
  std::uint64_t failures = 0;
};

struct backup_service_options {
  const store* data = nullptr;
  /// What goes into the file beside the store.
  std::function<result<std::vector<backup_part>>()> parts;
  std::string spool_dir;  ///< for copies that are being sent; emptied at the start
  std::string dir;        ///< of scheduled backups; empty: none are made
  duration interval = std::chrono::hours(24);
  std::uint64_t keep = 7;
  std::function<instant()> now;
  std::function<void(bool failed, const std::string& text)> log;
};

/// Makes backups on a thread of its own, one at a time: for clients that ask, and on a schedule. Scheduled files are named
/// wheelhouse-hub-20261123T110000Z.backup; files with other names are never touched, and old ones go only after a newer
/// one is durable.
class backup_service {
 public:
  static result<std::unique_ptr<backup_service>> start(backup_service_options options);
  ~backup_service();
  backup_service(const backup_service&) = delete;
  backup_service& operator=(const backup_service&) = delete;

  /// Answers with a new backup's bytes. The store is copied to the spool first, so that a slow client holds no page of it.
  void send(std::shared_ptr<api_reply> reply);
  /// Breaks off what is under way, and refuses what comes after.
  void stop();
  backup_figures figures() const;

 private:
  explicit backup_service(backup_service_options options) : options_(std::move(options)) {}
  void loop();
  void serve(api_reply& reply);
  void stream(int fd, std::uint64_t size, api_reply& reply);
  void make_scheduled();
  result<std::uint64_t> write(const std::string& path);
  std::vector<std::string> scheduled_files() const;
  bool stopping() const;

  backup_service_options options_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<std::shared_ptr<api_reply>> waiting_;
  backup_figures figures_;
  std::optional<instant> retry_at_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wh
