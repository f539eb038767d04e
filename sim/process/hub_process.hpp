#pragma once
#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nodes/common/kubeconfig.hpp"
#include "nodes/ctl/join_token.hpp"

namespace wh {

/// How a hub of our own is started.
struct hub_process_options {
  std::string program = {};  ///< empty: wheelhouse-hub beside our own executable
  std::string data_dir;
  std::string log_file = {};                 ///< empty: hub.log beside the data folder
  host_port api_listen = {"127.0.0.1", 0};   ///< port 0: a free one, kept over restarts
  host_port link_listen = {"127.0.0.1", 0};  ///< likewise
  std::vector<std::string> flags = {};       ///< further ones, as on the command line
  duration ready_timeout = std::chrono::minutes(1);
  duration stop_timeout = std::chrono::seconds(30);  ///< from SIGTERM to SIGKILL
  std::function<bool()> cancelled = {};  ///< true: nobody waits for a start or stop any more; it is cut short
};

/// The hub that a run talks to: a process of ours, or one that somebody else runs. Calls may come from any thread; they
/// wait for one another.
class hub_process {
 public:
  virtual ~hub_process() = default;

  /// How to reach it, as its administrator. The same after a restart.
  virtual const api_access& access() const = 0;
  /// Where spokes dial, and the pin by which they recognise it.
  virtual const ctl::hub_facts& facts() const = 0;
  /// Nothing if the process is not ours, or has ended.
  virtual std::optional<pid_t> pid() const = 0;
  /// False when it is known to have ended. A process that is not ours counts as alive.
  virtual bool alive() const = 0;
  /// Why it is not alive, with the last lines of its log; empty while it is.
  virtual std::string why_dead() const = 0;

  // What follows needs a process: errc::unsupported without one, errc::not_found when it has ended.
  virtual result<void> kill9() = 0;
  /// Starts it anew at the same addresses, after a stop() if it still runs, and waits until it is ready.
  virtual result<void> restart() = 0;
  /// Stops the process in its tracks (SIGSTOP) and lets it go on.
  virtual result<void> pause() = 0;
  virtual result<void> resume() = 0;
  /// SIGTERM, and SIGKILL if it takes too long, which is an error. Nothing happens if it has ended already.
  virtual result<void> stop() = 0;
};

/// Starts a hub and waits until /readyz says so. It ends with the object, and with us, however we end. The error of a hub
/// that died or did not become ready carries the last lines of its log.
result<std::unique_ptr<hub_process>> start_hub(hub_process_options options);

/// A hub that runs already, found by a kubeconfig; fails when it does not answer.
result<std::unique_ptr<hub_process>> attach_hub(const std::string& kubeconfig);

/// The last `lines` lines of a file from the byte `from` on, at most 16 KiB of them; empty if there is no such file.
std::string last_lines(const std::string& path, std::size_t lines, std::uint64_t from = 0);

}  // namespace wh
