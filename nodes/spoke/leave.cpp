#include "nodes/spoke/leave.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>

namespace wh {
namespace {

/// How it ended, told by the actors' thread.
class outcome {
 public:
  void set(int code, const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (code_) return;
    code_ = code;
    line_ = line;
    changed_.notify_all();
  }
  int wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return code_.has_value(); });
    std::fprintf(*code_ == 0 ? stdout : stderr, "%s\n", line_.c_str());
    return *code_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<int> code_;
  std::string line_;
};

int complain(const std::string& why) {
  std::fprintf(stderr, "wheelhouse-spoke: %s\n", why.c_str());
  return 1;
}

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

std::string parting_line(const std::string& cluster, const leave_options& leave, bool hub_told) {
  auto line = fmt::format("cluster {} has left its hub; what works made {}", cluster,
                          leave.keep_workloads ? "is still there" : "is removed");
  if (!hub_told)
    line += fmt::format(
        "\nthe hub was not told: its administrator can remove the cluster with: whctl detach --force {}",
        cluster);
  return line;
}

}  // namespace

void add_leave_command(command& program, spoke_options& spoke, leave_options& leave, log_options& log) {
  auto& command = program.subcommand("leave", "Take a stopped spoke's cluster away from its hub");
  command.inherits({"data-dir", "encryption-key-file", "log-level", "log-format"});
  command.add({.name = "keep-workloads", .help = "Leave on the cluster what works put there"}, leave.keep_workloads);
  command.add({.name = "timeout",
               .value = "DURATION",
               .help = "How long the hub may take to be reached, and a work to be removed after the one before"},
              leave.timeout);
  command.footer(
      "Exit code 0: the cluster has left, whether the hub could be told or not. 1: objects are in the way (they are named), "
      "or the spoke still runs; can be repeated.");
  command.action([&] { return run_leave(spoke, leave, log); });
}

int run_leave(spoke_options options, const leave_options& leave, const log_options& log) {
  if (auto ok = setup_logging(log, "spoke"); !ok) return complain(ok.err().message);
  if (leave.timeout <= duration::zero()) return complain("--timeout must be more than nothing");
  const auto kept = kept_settings(options.data_dir);
  if (!kept) return complain(kept.err().message);
  const std::string cluster = kept->cluster_name;
  if (kept->token.empty()) {
    say(fmt::format("cluster {} has left its hub already", cluster));
    return 0;
  }
  outcome end;
  options.on_give_up = [&](const std::string& why) { end.set(1, "wheelhouse-spoke: " + why); };
  options.leave = spoke_leave{.keep_workloads = leave.keep_workloads,
                              .patience = leave.timeout,
                              .on_left = [&](bool told) { end.set(0, parting_line(cluster, leave, told)); },
                              .say = say};
  auto started = spoke::start(options);
  if (!started) {
    if (started.err().code != errc::unavailable) return complain(started.err().message);
    return complain("the spoke is running, and only a stopped one can leave: " + started.err().message);
  }
  (*started)->loop().on_terminate(
      [&](int) { end.set(1, "wheelhouse-spoke: interrupted; leaving again goes on from here"); });
  const int code = end.wait();
  (*started)->stop();
  started->reset();
  // Nothing is in it any more but earlier versions, on pages that the store would use again some day.
  std::error_code ignored;
  if (code == 0) std::filesystem::remove_all(options.data_dir + "/agent", ignored);
  return code;
}

}  // namespace wh
