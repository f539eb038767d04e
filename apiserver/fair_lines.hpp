#pragma once
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "apiserver/fair_server.hpp"

/// The queues behind fair_server: who waits, runs, and has answers to read.
namespace wh::fair {

/// Requests of one user.
struct user_line {
  struct waiting {
    api_request request;
    std::shared_ptr<api_reply> reply;
    instant since;
  };
  std::string name;
  std::deque<waiting> requests;
  std::size_t running = 0;
  std::size_t unread_bytes = 0;  ///< of answers under way
  bool in_turn = false;          ///< is in the list of those who have something to do
};
using line_ptr = std::shared_ptr<user_line>;

/// Who is in line; shared with requests that run, which may end after the server.
struct lines {
  explicit lines(const fair_limits& l) : limits(l) {}
  const fair_limits limits;
  std::mutex mutex;              ///< guards what follows
  std::condition_variable work;  ///< one more may run
  std::unordered_map<std::string, line_ptr> users;
  std::list<line_ptr> turns;  ///< users with requests that wait, in the order of their turns
  fair_figures now;
  bool stopping = false;

  /// False: it is refused.
  bool add(const std::string& user, user_line::waiting& request);
  /// The next request, its user moved to the end of the turns; null if none may run now.
  line_ptr take(user_line::waiting& out);
  /// A request that was taken is answered: with a body that its client has yet to take.
  void answered(const line_ptr& user, std::size_t bytes);
  void taken_by_client(const line_ptr& user, std::size_t bytes);
  /// Why a request that was taken is not begun after all.
  std::optional<fair_refusal> second_thought(const line_ptr& user, duration waited);
  fair_figures figures();

 private:
  void refuse(fair_refusal why) { ++now.refused[static_cast<std::size_t>(why)]; }
  void forget_if_idle(const line_ptr& user) {
    if (user->requests.empty() && user->running == 0 && user->unread_bytes == 0) users.erase(user->name);
  }
};

}  // namespace wh::fair
