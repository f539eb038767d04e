#pragma once
#include <memory>

#include "apiserver/api.hpp"

namespace wh {

struct fair_limits {
  unsigned threads = 2;           ///< that serve requests
  std::size_t running_max = 512;  ///< begun and not answered: most of them wait for the disk
  std::size_t user_running_max = 256;
  std::size_t user_waiting_max = 1024;
  std::size_t waiting_bytes_max = std::size_t{128} << 20;  ///< bodies of all that wait
  duration wait_max = std::chrono::seconds(15);
};

struct fair_figures {
  std::size_t running = 0, waiting = 0;  ///< now
  std::uint64_t refused = 0;             ///< since the start, with 429
};

/// Stands before an api_server and lets users take turns: each has a queue of its own, and the next request is always
/// that of the user who has waited longest for a turn. So a flood costs its sender and hardly anybody else. What a user has
/// over the limits is answered 429 with Retry-After. A watch counts until it begins to stream. Health checks pass by.
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
