#pragma once
#include <array>
#include <memory>
#include <string_view>

#include "apiserver/api.hpp"

namespace wh {

struct fair_limits {
  unsigned threads = 2;           ///< that serve requests
  std::size_t running_max = 512;  ///< begun and not answered: most of them wait for the disk
  std::size_t user_running_max = 256;
  std::size_t user_waiting_max = 1024;
  std::size_t waiting_bytes_max = std::size_t{128} << 20;      ///< bodies of all that wait
  std::size_t user_unread_bytes_max = std::size_t{128} << 20;  ///< answers that the user's clients have yet to take
  duration wait_max = std::chrono::seconds(15);
};

/// Why a request was answered 429.
enum class fair_refusal : std::uint8_t {
  queue_full,       ///< its user had user_waiting_max waiting
  waiting_bytes,    ///< waiting_bytes_max of bodies waited
  waited_too_long,  ///< its turn did not come within wait_max
  unread_answers,   ///< its user had user_unread_bytes_max of answers unread
};
inline constexpr std::size_t fair_refusals = 4;
std::string_view to_string(fair_refusal why);

struct fair_figures {
  std::size_t running = 0, waiting = 0, waiting_bytes = 0, unread_bytes = 0;  ///< now
  std::size_t users = 0;                                                      ///< who have any of these
  std::array<std::uint64_t, fair_refusals> refused = {};                      ///< since the start, by fair_refusal
};

/// Stands before an api_server and lets users take turns: each has a queue of its own, and the next request is always
/// that of the user who has waited longest for a turn. So a flood costs its sender and hardly anybody else. What a user has
/// over the limits is answered 429 with Retry-After. A watch counts until it begins to stream. Health checks pass by. An
/// answer counts by its size until its client has taken it: who asks and never reads fills no memory but his share.
///
/// Requests run on threads of this object, so that a list of ten thousand objects holds up no link. Users are told apart
/// by the name that their certificate or token proves (by the token itself before it is checked); the anonymous by
/// address.
class fair_server : public api_server {
 public:
  virtual fair_figures figures() const = 0;
};

/// `behind` must outlive it. Destroying it waits for what is being begun; what waits is answered 503.
std::unique_ptr<fair_server> make_fair_server(api_server& behind, const fair_limits& limits,
                                              std::function<instant()> now);

}  // namespace wh
