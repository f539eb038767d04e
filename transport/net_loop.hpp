#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/call_gate.hpp"
#include "transport/asio.hpp"
#include "transport/net.hpp"
#include "transport/refused_client.hpp"
#include "transport/tls.hpp"

namespace wh {

class loop_core;

/// Something that lives on a loop and holds parts of Asio. Connections outlive their loop when somebody still holds
/// them; so the loop, once stopped, asks each resident to give up what depends on it.
class loop_resident : public std::enable_shared_from_this<loop_resident> {
 public:
  virtual ~loop_resident();
  /// The loop's threads have ended. Give up sockets, timers and handlers; no callback may run any more.
  virtual void loop_stopped() = 0;

 protected:
  /// Registers this object; false when the loop has stopped already. Not in a constructor: it needs shared_from_this().
  bool settle(const std::shared_ptr<loop_core>& core);

 private:
  friend class loop_core;
  std::weak_ptr<loop_core> home_;
  std::list<std::weak_ptr<loop_resident>>::iterator place_;
};

/// What an event loop shares with its residents.
class loop_core {
 public:
  asio::io_context io;
  std::atomic<bool> stopped = false;
  client_context_memo client_contexts;   ///< of the links dialled here
  refused_client_function tell_refused;  ///< may be empty; set before anything listens

  void evict_all();
  /// Runs `f` on the loop when its turn comes, behind what others have asked for meanwhile: of these functions the loop has
  /// only a few among its own at a time. For output to many that nobody waits for, such as one event to thousands of
  /// watches: an answer then waits for a few of them and not for all. Dropped when the loop has stopped. Any thread.
  void post_behind(std::function<void()> f);

 private:
  friend class loop_resident;
  void run_behind();

  std::mutex mutex_;
  std::list<std::weak_ptr<loop_resident>> residents_;
  std::mutex behind_mutex_;  ///< guards what follows
  std::deque<std::function<void()>> behind_;
  bool behind_runs_ = false;  ///< run_behind() is among the loop's own
};

struct event_loop::impl {
  std::shared_ptr<loop_core> core = std::make_shared<loop_core>();
  asio::executor_work_guard<loop_executor> work{core->io.get_executor()};
  std::vector<std::thread> threads;
  std::mutex mutex;  ///< guards what follows
  bool joined = false;
  std::uint64_t next_token = 1;
  /// The functions are here and not with Asio, which keeps a cancelled handler until its context ends.
  struct waiting {
    std::unique_ptr<loop_timer> timer;
    std::function<void()> then;
  };
  std::unordered_map<std::uint64_t, waiting> timers;
  std::unique_ptr<asio::basic_signal_set<loop_executor>> signals;

  bool on_own_thread() const;
};

}  // namespace wh
