#pragma once
#include <caf/event_based_actor.hpp>
#include <memory>

#include "actors/runtime/caf_runtime.hpp"

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace wh::runtime {

/// Last member of every message. CAF's library is not instrumented, so ThreadSanitizer does not see that a mailbox hands
/// its content over from one thread to another; this tells it, and is nothing in every other build.
struct handed_over {
#ifdef __SANITIZE_THREAD__
  handed_over() { __tsan_release(this); }
  handed_over(const handed_over&) { __tsan_release(this); }
  handed_over& operator=(const handed_over&) = default;
  void taken() { __tsan_acquire(this); }
#else
  void taken() {}
#endif
};

/// Beside the envelope, in a message of two parts: a struct of both would cost each envelope one more move.
struct stamp {
  std::chrono::nanoseconds posted{};
  [[no_unique_address]] handed_over seal{};
};
/// A coalesced message, which waits in the entry's mailbox.
struct deliver_resting {
  mailbox::number ticket = 0;
};
/// The store's answer to a batch of this shell.
struct commit_done {
  std::uint64_t ticket = 0;
  std::optional<commit> done;
  error failure;  ///< if not done
  [[no_unique_address]] handed_over seal{};
};
struct wake_up {
  bool awaited = false;  ///< the entry counts it as unresolved
};
struct retire_asked {};
/// To the supervisor: a shell has died.
struct replace_shell {
  entry_ptr entry;
};

/// Binds a cell to a CAF mailbox; the only actor type besides the supervisor.
class shell final : public caf::event_based_actor, private cell_host {
 public:
  shell(caf::actor_config& config, caf_runtime& runtime, entry_ptr entry, bool again);
  ~shell() override = default;
  caf::behavior make_behavior() override;
  /// Breaks the cycle entry, handle, shell.
  void on_exit() override;

 private:
  void receive(envelope& mail, stamp& with);
  void receive(const deliver_resting& mail);
  void handled(envelope&& e, std::chrono::nanoseconds posted);
  void receive(commit_done& answer);
  void receive(const wake_up& call);
  void receive_retirement();
  void finish_if_retired();

  instant now() const override;
  std::chrono::nanoseconds ticks() const override;
  void submit(batch b, std::uint64_t ticket) override;
  void dispatch(envelope e, const std::optional<commit>& under) override;
  void wake_after(duration after) override;
  void log(const wh::address& self, note n) override;
  void restarted(const wh::address& self) override;

  caf_runtime& runtime_;
  entry_ptr entry_;
  std::unique_ptr<cell> cell_;
  bool again_;
  bool retiring_ = false;
};

/// Replaces dead shells once the store owes them nothing.
caf::behavior supervise(caf::event_based_actor* self, caf_runtime* runtime);

}  // namespace wh::runtime

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wh::envelope)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wh::runtime::stamp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wh::runtime::deliver_resting)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wh::runtime::commit_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wh::runtime::wake_up)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wh::runtime::retire_asked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(wh::runtime::replace_shell)
