#pragma once
#include <array>
#include <chrono>
#include <optional>
#include <span>

#include "base/bytes.hpp"
#include "transport/net_port.hpp"

namespace wh {

/// Times that a channel watches by itself.
struct channel_options {
  duration handshake_timeout = std::chrono::seconds(10);
  duration write_timeout = duration::zero();  ///< a peer that takes no byte for so long is dropped; zero: never
};

/// A connection_handler that must let go of more than itself when the loop stops under it (no callback comes then).
class loop_end_listener {
 public:
  virtual ~loop_end_listener() = default;
  virtual void loop_ended() = 0;
};

/// One TLS byte stream on a loop, below both the link and HTTP.
///
///   handshaking ──ready──► open ──close()──► flushing ──queue empty, close_notify──► lingering ──peer's end──► closed
///        └─────────────────┴──── failure, abort(), peer's end, deadline ──┴──────────────────────────────────────▲
///
/// Everything but write(), close(), abort(), unsent() and post() happens on the channel's strand. The port, a socket or
/// a pipe's end, is only ever waited for; OpenSSL reads and writes it, and a wait is armed only after OpenSSL said EAGAIN,
/// so a half-received record costs nothing until more of it comes. An idle channel holds no buffer: reading uses one per
/// thread.
///
/// Lingering, after on_closed: closing a socket with unread input makes the kernel send a reset, which can destroy what
/// the peer has not read yet (an alert, the answer 413). So input is thrown away for a short while first.
class tls_channel final : public connection, public loop_resident, public port_waiter {
 public:
  /// Runs when the handshake has succeeded; returns who receives the bytes, or null to abort.
  using ready_function = std::function<std::shared_ptr<connection_handler>(std::shared_ptr<tls_channel>)>;
  using failed_function = std::function<void(const error&)>;
  using counter = std::shared_ptr<std::atomic<std::size_t>>;

  using port_ptr = std::unique_ptr<byte_port>;

  /// Takes the port over and begins the handshake. One of the two functions runs, unless the loop stops first; without
  /// a port it is the second. `live` counts the open connections of a listener, this one already included.
  static void start(const std::shared_ptr<loop_core>& core, result<port_ptr> port, tls_context_ptr tls,
                    const channel_options& options, ready_function ready, failed_function failed,
                    counter live = nullptr);

  tls_channel(const std::shared_ptr<loop_core>& core, const channel_options& options, counter live);
  ~tls_channel() override;

  void write(std::string bytes) override;
  void close() override;
  void abort(std::string reason) override;
  const peer_identity& peer() const override { return peer_; }
  std::size_t unsent() const override;

  /// Who waits for what is written.
  enum class haste : std::uint8_t {
    soon,    ///< somebody has asked for it
    behind,  ///< it may go to many at once, and goes behind what somebody has asked for: loop_core::post_behind
  };
  /// Queues pieces that stay together. Any thread.
  void write_pieces(std::span<const shared_bytes> pieces, haste how = haste::soon);
  /// Runs `f` on the strand; drops it when the loop has stopped. Any thread.
  void post(std::function<void()> f);
  /// Strand only: takes no more input until resumed, so that the kernel slows the peer down.
  void pause_reading(bool paused);
  /// Strand only: aborts with `reason` after `d`; replaces the deadline before. Zero: none.
  void set_deadline(duration d, const char* reason = "");

  void loop_stopped() override;

 private:
  using clock = std::chrono::steady_clock;
  enum class phase : std::uint8_t { handshaking, open, flushing, lingering, closed };
  /// What needs the loop to be alive; in this order, so that the loop's core goes last.
  struct parts {
    std::shared_ptr<loop_core> core;
    loop_strand strand;
    port_ptr port;  ///< none if there was none to begin with
    std::unique_ptr<loop_timer> timer;
  };

  std::shared_ptr<tls_channel> self() { return std::static_pointer_cast<tls_channel>(shared_from_this()); }
  void begin(result<port_ptr> port, tls_context_ptr tls);
  void port_ready(readiness what, bool ok) override;
  void wait_for(readiness what, bool& armed);
  void pump();
  void pump_behind();
  void shake_hands();
  void become_open();
  void receive();
  void deliver(std::string_view bytes);
  void send_queue();
  std::string_view next_bytes(std::array<char, 16384>& scratch, shared_bytes& hold);
  void consume(std::size_t n);
  void begin_flush();
  void say_goodbye();
  void discard_input();
  void linger(clock::time_point until);
  void finish(error why);  // by value: the reason often lives in what this releases
  void tell_closed(const error& why);
  void arm_waits();
  void arm_timer();
  void check_deadlines();
  void release_port();

  channel_options options_;
  phase phase_ = phase::handshaking;
  bool read_armed_ = false, write_armed_ = false;  ///< a wait is under way
  bool want_read_ = false, want_write_ = false;    ///< what OpenSSL asked for in this pump
  bool again_ = false;                             ///< stopped for fairness with work left
  bool paused_ = false;
  bool undrained_ = false;          ///< bytes have gone out since on_drained
  std::atomic<bool> mute_ = false;  ///< close() or abort() was called: no more on_bytes
  counter live_;
  std::unique_ptr<tls_stream> tls_;
  peer_identity peer_;
  std::shared_ptr<connection_handler> handler_;
  /// Only the handshake needs these; most connections are long past theirs.
  struct outcome {
    ready_function ready;
    failed_function failed;
  };
  std::unique_ptr<outcome> outcome_;
  error ending_;  ///< what on_closed says if nothing goes wrong before it
  clock::time_point phase_deadline_ = clock::time_point::max();
  clock::time_point stall_deadline_ = clock::time_point::max();
  clock::time_point user_deadline_ = clock::time_point::max();
  clock::time_point timer_set_for_ = clock::time_point::max();
  const char* user_reason_ = "";

  mutable std::mutex mutex_;  ///< guards what follows, and parts_ against the loop's end
  std::optional<parts> parts_;
  std::vector<shared_bytes> queue_;
  std::size_t head_ = 0;         ///< first element of queue_ not written yet
  std::size_t head_offset_ = 0;  ///< its bytes written already
  std::size_t queued_bytes_ = 0;
  bool flush_due_ = true;  ///< a pump is under way or certain to come
  bool close_requested_ = false;
  bool dead_ = false;
};

}  // namespace wh
