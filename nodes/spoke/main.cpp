#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "nodes/common/logging.hpp"
#include "nodes/common/options.hpp"
#include "nodes/parts/data_check.hpp"
#include "nodes/parts/node_log.hpp"
#include "nodes/parts/store_commands.hpp"
#include "nodes/spoke/leave.hpp"
#include "nodes/spoke/spoke.hpp"
#include "nodes/spoke/spoke_flags.hpp"

namespace {

void add_offline_commands(wh::command& program, const wh::spoke_options& o, std::string& format) {
  wh::add_verify_command(program, "Check a stopped spoke's data folder, and change nothing", format, [&](bool json) {
    return wh::run_data_checks("wheelhouse-spoke",
                               {{"agent", o.data_dir + "/agent", ""}, {"cluster", o.data_dir + "/cluster", ""}},
                               o.encryption_key_file, o.data_dir, json);
  });
  wh::add_new_key_command(program, o.encryption_key_file, o.data_dir);
}

/// Why the process ends: a signal, or a reason to give up.
struct ending {
  std::mutex mutex;
  std::condition_variable changed;
  bool due = false;
  std::string failure;

  void set(std::string why) {
    std::lock_guard lock(mutex);
    if (due) return;
    due = true;
    failure = std::move(why);
    changed.notify_all();
  }
  std::string wait() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return due; });
    return failure;
  }
};

int serve(wh::spoke_options options, const wh::log_options& log) {
  if (auto ok = wh::setup_logging(log, "spoke"); !ok) {
    std::fprintf(stderr, "wheelhouse-spoke: %s\n", ok.err().message.c_str());
    return wh::exit_usage;
  }
  ending end;
  options.on_give_up = [&](const std::string& why) { end.set(why); };
  auto started = wh::spoke::start(options);
  if (!started) {
    wh::log_error("spoke", started.err().message);
    return started.err().code == wh::errc::invalid ? wh::exit_usage : 1;
  }
  auto& spoke = **started;
  spoke.loop().on_terminate([&](int) { end.set(""); });
  wh::log_info("spoke", "ready: cluster " + spoke.settings().cluster_name + ", api https://" +
                            spoke.cluster_address().text() + ", hub " + spoke.way_to_hub());
  const std::string failure = end.wait();
  if (!failure.empty()) wh::log_error("spoke", failure);
  spoke.stop();
  wh::log_info("spoke", "stopped");
  return failure.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  wh::spoke_options options;
  wh::log_options log;
  wh::command program("wheelhouse-spoke",
                      "The spoke: joins a cluster to a hub and keeps it as the hub prescribes, hub or no hub.");
  wh::spoke_flags flags;
  wh::add_spoke_flags(program, options, flags);
  wh::add_key_file_option(program, options.encryption_key_file);
  wh::add_log_options(program, log);
  std::string format = "text";
  add_offline_commands(program, options, format);
  wh::leave_options leave;
  wh::add_leave_command(program, options, leave, log);
  program.action([&] {
    auto ok = wh::read_flags(flags, options);
    if (ok) ok = wh::validate(options);
    if (!ok) {
      std::fprintf(stderr, "wheelhouse-spoke: %s\n", ok.err().message.c_str());
      return wh::exit_usage;
    }
    return serve(options, log);
  });
  return wh::run_command(program, argc, argv);
}
