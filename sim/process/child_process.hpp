#pragma once
#include <sys/types.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace wh {

/// How a process ended.
struct process_end {
  bool by_signal = false;
  int number = 0;  ///< of the signal, or the exit code
  std::string text() const;
  friend bool operator==(const process_end&, const process_end&) = default;
};

struct child_options {
  std::string program;  ///< path of the executable
  std::vector<std::string> arguments = {};
  std::string log_file;  ///< its stdout and stderr are appended here
};

/// A program that runs as long as we want it to, and no longer than we do.
///
/// A thread of its own forks each child and waits for its end. The kernel kills a child that asked for it
/// (PR_SET_PDEATHSIG) when the *thread* that forked it ends, so this cannot be the caller's thread, which may go before
/// the child.
class child_process {
 public:
  static result<std::unique_ptr<child_process>> start(const child_options& options);
  /// Kills it if it still runs, and waits for its end.
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t pid() const { return pid_; }
  /// How it ended; nothing while it runs.
  std::optional<process_end> ended() const;
  /// Waits for its end at most that long.
  std::optional<process_end> wait(duration timeout) const;
  /// Sends a signal; errc::not_found when it has ended.
  result<void> send_signal(int signal);

 private:
  child_process() = default;
  void run(const child_options& options);
  void reap();

  pid_t pid_ = 0;
  std::thread watcher_;
  mutable std::mutex mutex_;  ///< guards what follows; a signal is sent under it, so that it meets no other process
  mutable std::condition_variable changed_;
  std::optional<result<void>> started_;
  std::optional<process_end> end_;
};

/// The folder of our own executable, with a slash at its end: where the other programs are looked for.
std::string own_program_folder();

}  // namespace wh
