#pragma once
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"
#include "messages/link.hpp"
#include "transport/frame_codec.hpp"
#include "transport/spoke_identity.hpp"

/// The link protocol of one connection as a pure machine: bytes and frames in, bytes and frames out. It does no I/O and
/// reads no clock, so that nodes and simulator run the very same one. docs/link-protocol.md describes what it does.
///
/// Flow control. Each side may start a frame while its credit is above zero; the frame is then charged in full, so the
/// credit may go below zero by one frame and a frame larger than the window still passes. The receiver gives credit back
/// for what its host has consumed. Frames that find no credit wait here, in order. credit, ping, pong and refused are
/// free: they must pass exactly when nothing else does.
///
/// Time is a monotonic duration since any origin: a wall clock that jumps a minute must not end every session.
namespace wh {

/// The bounds of a session. `window` must be the same at both ends.
struct session_limits {
  std::size_t window = std::size_t{1} << 20;                ///< credit that each side starts with
  std::size_t backlog_max = std::size_t{64} << 20;          ///< bytes that may wait for credit
  std::size_t applicant_frame_max = std::size_t{64} << 10;  ///< payload of a frame from a peer that proved nothing
  duration ping_after = std::chrono::seconds(60);           ///< without bytes from the peer
  duration dead_after = std::chrono::seconds(120);          ///< without bytes from the peer
  duration introduced_within = std::chrono::seconds(15);    ///< hub: hello and, to join, join_request
  duration flushed_within = std::chrono::seconds(10);       ///< what waits when a session is told to finish
};

/// Names what is wrong with the limits, or nothing.
result<void> validate(const session_limits& limits);

/// What the host does after a call, in this order: write, deliver, end.
template <class Incoming>
struct session_output {
  struct arrival {
    Incoming frame;
    std::size_t bytes = 0;  ///< to be given to consumed() once the frame has been taken
  };
  struct ending {
    error why;
    bool flush = true;  ///< false: the peer takes nothing any more, drop the connection
  };
  std::string write;
  std::vector<arrival> arrivals;
  std::optional<ending> ended;
};

/// How a session is cut short. The hub tells the spoke so in a `refused` frame.
struct parting {
  error why;
  duration retry_after{};
  bool flush = true;
};

/// What a hub accepts, and in which order:
///
///   hello ──with certificate──► member: anything but hello
///     └──without──► join_request ──► applicant: nothing more
class hub_rules {
 public:
  using incoming = frame_to_hub;
  using outgoing = frame_to_spoke;
  /// `proven`: what the certificate says, where there is one.
  explicit hub_rules(std::optional<spoke_identity> proven);
  result<void> admit(const frame_to_hub& frame);
  /// The first frames have come.
  bool introduced() const { return stage_ == stage::member || stage_ == stage::applicant; }
  bool member() const { return proven_; }
  std::size_t payload_max(const session_limits& limits) const;
  const std::string& cluster() const { return who_.cluster; }  ///< proven, or as said in hello
  const std::string& agent() const { return who_.agent; }

 private:
  enum class stage : std::uint8_t { greeting, asking, applicant, member };
  result<void> admit_hello(const hello& greeting);

  spoke_identity who_;
  bool proven_;
  stage stage_ = stage::greeting;
};

/// What a spoke accepts: everything as a member; only the frames of a join before that.
class spoke_rules {
 public:
  using incoming = frame_to_spoke;
  using outgoing = frame_to_hub;
  explicit spoke_rules(bool joining) : joining_(joining) {}
  result<void> admit(const frame_to_spoke& frame) const;
  bool introduced() const { return true; }
  std::size_t payload_max(const session_limits&) const { return frame_bytes_max; }

 private:
  bool joining_;
};

/// One end of a link. Not thread-safe. After `ended` was reported every call does nothing.
template <class Rules>
class link_session {
 public:
  using incoming = typename Rules::incoming;
  using outgoing = typename Rules::outgoing;
  using output = session_output<incoming>;

  /// `limits` must outlive the session: thousands share one.
  link_session(Rules rules, const session_limits& limits, duration now);

  void receive(std::string_view bytes, duration now, output& out);
  /// errc::too_large: the frame cannot be sent, the session goes on. errc::busy: too much waits already, it has ended.
  result<void> send(const outgoing& frame, output& out);
  /// The host is done with arrivals of so many bytes: the peer may send as many again.
  void consumed(std::size_t bytes, output& out);
  /// To be called now and then, at least four times in ping_after.
  void tick(duration now, output& out);
  /// Sends a ping now.
  void ask(duration now, output& out);
  /// Ends once everything sent so far is written.
  void finish(error why, duration now, output& out);
  /// Ends now; what waits is dropped.
  void part(parting terms, output& out);

  bool ended() const { return ended_; }
  duration heard() const { return heard_; }  ///< when the last bytes came
  std::size_t backlog() const { return waiting_bytes_; }
  const Rules& rules() const { return rules_; }

 private:
  void take(std::string_view payload, output& out);
  void take_credit(std::uint64_t bytes, output& out);
  void release(output& out);
  void end(error why, bool flush, output& out);

  const session_limits* limits_;
  Rules rules_;
  frame_reader reader_;
  std::list<std::string> waiting_;  ///< frames without credit; a list, because an empty one owns nothing
  std::size_t waiting_bytes_ = 0;
  std::int64_t credit_;   ///< what we may still send
  std::int64_t granted_;  ///< what the peer may still send
  std::size_t owed_ = 0;  ///< consumed, but not granted again yet
  duration opened_;
  duration heard_;  ///< last bytes from the peer
  duration asked_;  ///< last ping, or last bytes if later
  std::optional<duration> finish_since_;
  std::optional<error> finish_why_;
  std::uint32_t pings_ = 0;
  bool ended_ = false;
};

using hub_session = link_session<hub_rules>;
using spoke_session = link_session<spoke_rules>;
extern template class link_session<hub_rules>;
extern template class link_session<spoke_rules>;

}  // namespace wh
