#include "actors/runtime/shell.hpp"

#include <caf/actor_clock.hpp>
#include <caf/send.hpp>

namespace wh::runtime {

namespace {

constexpr std::chrono::milliseconds settle_delay{10};

}  // namespace

shell::shell(caf::actor_config& config, caf_runtime& runtime, entry_ptr entry, bool again)
    : caf::event_based_actor(config), runtime_(runtime), entry_(std::move(entry)), again_(again) {}

caf::behavior shell::make_behavior() {
  cell_ = std::make_unique<cell>(runtime_.environment(), static_cast<cell_host&>(*this), entry_->who,
                                 std::move(entry_->fresh), entry_->counters);
  cell_->start();
  if (again_) restarted(entry_->who);
  entry_->unresolved.fetch_sub(1);
  return {[this](envelope& mail, stamp& with) { receive(mail, with); },
          [this](commit_done& answer) { receive(answer); }, [this](const deliver_resting& mail) { receive(mail); },
          [this](const wake_up& call) { receive(call); }, [this](const retire_asked&) { receive_retirement(); }};
}

void shell::on_exit() { cell_.reset(); }

void shell::receive(envelope& mail, stamp& with) {
  with.seal.taken();
  handled(std::move(mail), with.posted);
}

void shell::receive(const deliver_resting& mail) {
  auto taken = runtime_.entries().take(*entry_, mail.ticket);
  handled(std::move(taken.what), taken.posted);
}

void shell::handled(envelope&& e, std::chrono::nanoseconds posted) {
  cell_->deliver(std::move(e), posted);
  // What looks idle from outside must not be about to retire.
  if (retiring_) entry_->unresolved.fetch_add(1);
  // Nobody else writes it while this shell lives.
  entry_->handled.store(entry_->handled.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  if (!retiring_) return;
  finish_if_retired();
  entry_->unresolved.fetch_sub(1);
}

void shell::receive(commit_done& answer) {
  answer.seal.taken();
  cell_->on_outcome(answer.ticket, answer.done ? result<commit>(*answer.done) : std::move(answer.failure));
  finish_if_retired();
  entry_->unresolved.fetch_sub(1);
}

void shell::receive(const wake_up& call) {
  cell_->on_wake();
  finish_if_retired();
  if (call.awaited) entry_->unresolved.fetch_sub(1);
}

void shell::receive_retirement() {
  retiring_ = true;
  finish_if_retired();
  entry_->unresolved.fetch_sub(1);
}

/// Mail that came after the request begins a new life, exactly as if it had found no actor.
void shell::finish_if_retired() {
  if (!retiring_ || !cell_->idle()) return;
  retiring_ = false;
  if (!cell_->may_retire()) return;
  if (runtime_.entries().remove_unless_mail(*entry_)) quit();
  else cell_->start();
}

instant shell::now() const { return runtime_.options().now(); }

std::chrono::nanoseconds shell::ticks() const { return runtime_.ticks(); }

void shell::submit(batch b, std::uint64_t ticket) {
  entry_->at_store.fetch_add(1);
  entry_->unresolved.fetch_add(1);
  runtime_.options().data->submit(std::move(b),
                                  [me = caf::actor_cast<caf::actor>(this), entry = entry_, ticket](result<commit> r) {
                                    commit_done answer{.ticket = ticket, .done = {}, .failure = {}, .seal = {}};
                                    if (r.ok()) answer.done = *r;
                                    else answer.failure = r.err();
                                    caf::anon_send(me, std::move(answer));
                                    entry->at_store.fetch_sub(1);
                                  });
}

void shell::dispatch(envelope e, const std::optional<commit>& under) { runtime_.dispatch(std::move(e), under); }

void shell::wake_after(duration after) {
  auto me = caf::actor_cast<caf::actor>(this);
  auto* timers = runtime_.timers();
  if (timers)
    timers->after(after, [me, entry = entry_] {
      entry->unresolved.fetch_add(1);
      caf::anon_send(me, wake_up{true});
    });
  else caf::delayed_anon_send(me, after, wake_up{});
}

void shell::log(const wh::address& self, note n) { runtime_.log(self, std::move(n)); }

void shell::restarted(const wh::address& self) {
  if (runtime_.options().restarted) runtime_.options().restarted(self);
}

caf::behavior supervise(caf::event_based_actor* self, caf_runtime* runtime) {
  return {[=](replace_shell& dead) {
    // What the old shell submitted may still be applied; the new one must read the store after that.
    if (dead.entry->at_store.load() > 0) self->delayed_send(self, settle_delay, std::move(dead));
    else runtime->respawn(dead.entry);
  }};
}

}  // namespace wh::runtime
