#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/random.hpp"
#include "transport/link_ports.hpp"

namespace wh {

/// What the simulated network does to links. The probabilities are per piece: a write travels as one piece or, when it is
/// split, as two. Inside a connection nothing is lost, repeated or overtaken, because TCP sees to that; what remains is
/// delay, standstill, silence, and an end at any byte.
struct network_faults {
  duration delay_min = std::chrono::microseconds(200);  ///< one way
  duration delay_max = std::chrono::milliseconds(5);
  double split = 0.05;  ///< cut at an arbitrary byte, the rest comes later
  double clog = 0;      ///< this direction stands still
  duration clog_max = std::chrono::seconds(10);
  double cut = 0;     ///< the connection breaks at an arbitrary byte of the piece
  double refuse = 0;  ///< per dial: fails
};

/// Which way packets of a partitioned spoke are lost.
enum class lost_way : std::uint8_t { none = 0, to_hub = 1, to_spoke = 2, both = 3 };

/// Carries out a write by one of the two ends by calling `write`, or does not.
using write_hook =
    std::function<void(const std::string& spoke, bool by_hub, std::size_t bytes, const std::function<void()>& write)>;

/// Who the end of a connection is, from the certificate that it dialled with. Never asked about an empty one.
using identify_function = std::function<peer_identity(const std::string& cert_pem)>;

struct network_figures {
  std::uint64_t dials = 0;
  std::uint64_t connections = 0;  ///< made since the start
  std::uint64_t open = 0;
  std::uint64_t pieces = 0;
  std::uint64_t bytes = 0;
  std::uint64_t cuts = 0;
  std::uint64_t clogs = 0;
};

/// Connections in virtual time between one hub and many spokes, in the place of listen_link() and dial_link(): the link
/// hosts and session cores above it are the live ones. Everything that happens follows from the seed and the order of
/// events; callbacks come from the scheduler only, never from within a call. One thread.
class virtual_network {
 public:
  virtual_network(std::uint64_t seed, network_faults faults, link_timers timers, identify_function identify);
  ~virtual_network();
  virtual_network(const virtual_network&) = delete;
  virtual_network& operator=(const virtual_network&) = delete;

  /// The hub is up and proves itself with this CA; replaces what was before.
  void listen(accept_handler on_accept, std::string ca_pem);
  /// Dials are refused from now on; open connections stay.
  void stop_listening();
  /// For the spoke's link host; `spoke` is the name for the calls below.
  link_dialer dialer(std::string spoke);

  /// Is asked about every write from now on.
  void on_write(write_hook hook);
  /// What follows travels under these faults.
  void set_faults(const network_faults& faults);
  /// Packets of the spoke are lost that way until told otherwise; lost_way::none heals, and what waited is delivered.
  void partition(const std::string& spoke, lost_way way);
  void heal_all();
  /// Breaks the spoke's connections; both ends notice, unless a partition keeps it from them.
  void cut(const std::string& spoke);
  /// The process at that end is gone without a word; `silently`: its machine, too, so that not even a reset comes.
  void crash_spoke(const std::string& spoke, bool silently = false);
  void crash_hub(bool silently = false);

  network_figures figures() const;

  struct core;

 private:
  std::shared_ptr<core> core_;
};

}  // namespace wh
