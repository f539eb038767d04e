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

/// Functions that go behind what others have asked of a loop meanwhile: only `at_once` of them are among the loop's own at
/// a time.
class slow_lane {
 public:
  slow_lane(asio::io_context& io, std::size_t at_once) : io_(io), at_once_(at_once) {}
  /// Dropped once closed. Any thread.
  void post(std::function<void()> f);
  void close();

 private:
  void run();

  asio::io_context& io_;
  const std::size_t at_once_;
  std::mutex mutex_;  ///< guards what follows
  std::deque<std::function<void()>> waiting_;
  bool runs_ = false;  ///< run() is among the loop's own
  bool closed_ = false;
};

/// What an event loop shares with its residents.
class loop_core {
 public:
  asio::io_context io;
  std::atomic<bool> stopped = false;
  client_context_memo client_contexts;   ///< of the links dialled here
  refused_client_function tell_refused;  ///< may be empty; set before anything listens

  void evict_all();
  /// Runs `f` on the loop when its turn comes, a few such functions at a time. For output to many that nobody waits for,
  /// such as one event to thousands of watches: an answer then waits for a few of them and not for all. Dropped when the
  /// loop has stopped. Any thread.
  void post_behind(std::function<void()> f);
  /// The same for steps of TLS handshakes, one at a time, because each takes as long as dozens of frames: what is
  /// established waits for one of them and not for a whole fleet that comes back.
  void post_handshake(std::function<void()> f);

 private:
  friend class loop_resident;

  std::mutex mutex_;
  std::list<std::weak_ptr<loop_resident>> residents_;
  slow_lane behind_{io, 8};  // a hundred microseconds' work, about: what an answer may have to wait for
  slow_lane handshakes_{io, 1};
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
