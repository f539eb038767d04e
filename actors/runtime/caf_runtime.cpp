#include "actors/runtime/caf_runtime.hpp"

#include <algorithm>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <caf/send.hpp>
#include <thread>

#include "actors/runtime/shell.hpp"
#include "base/assert.hpp"

namespace wh::runtime {

using std::chrono::steady_clock;

namespace {

/// Messages that a shell handles before it lets others run.
constexpr std::size_t throughput_max = 256;

/// Between a shell's death and its replacement, so that one that cannot live does not spin.
constexpr std::chrono::milliseconds replace_delay{100};

constexpr std::chrono::milliseconds stop_poll{1};

caf::atom_value policy_of(scheduling how) {
  switch (how) {
    case scheduling::sharing: return caf::atom("sharing");
    case scheduling::stealing: return caf::atom("stealing");
    case scheduling::deterministic: return caf::atom("testing");
  }
  return caf::atom("sharing");
}

caf::actor_system_config& configure(caf::actor_system_config& config, unsigned threads, scheduling how) {
  config.set("scheduler.policy", policy_of(how));
  config.set("scheduler.max-threads", static_cast<std::size_t>(std::max(1U, threads)));
  config.set("scheduler.max-throughput", throughput_max);
  return config;
}

}  // namespace

void head_count::add() {
  const std::lock_guard lock(mutex_);
  ++alive_;
}

void head_count::remove() {
  const std::lock_guard lock(mutex_);
  if (--alive_ == 0) changed_.notify_all();
}

bool head_count::none() const {
  const std::lock_guard lock(mutex_);
  return alive_ == 0;
}

void head_count::wait_for_none() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return alive_ == 0; });
}

caf_runtime::caf_runtime(runtime_options options, scheduling how)
    : caf_runtime(options, std::make_shared<live_threads>(options.threads, how)) {}

caf_runtime::caf_runtime(runtime_options options, std::shared_ptr<live_threads> threads)
    : options_(std::move(options)),
      reader_(*options_.data, options_.namespaced_resources),
      environment_{.durable = reader_,
                   .crypto = *options_.crypto,
                   .seed = options_.seed,
                   .lives = first_life(*options_.data),
                   .trace = options_.trace},
      threads_(std::move(threads)),
      clock_(system().clock()) {
  WH_ASSERT(options_.factory);
  supervisors_->add();
  supervisor_ = system().spawn<caf::hidden + caf::lazy_init>(supervise, this);
  supervisor_->attach_functor([count = supervisors_](const caf::error&) { count->remove(); });
}

caf_runtime::~caf_runtime() {
  stop(duration::zero());
  supervisor_ = nullptr;
  // Others may go on on the same threads. The test scheduler has none to wait for, and nobody to share it with.
  if (drive_) return;
  shells_->wait_for_none();
  supervisors_->wait_for_none();
}

result<void> caf_runtime::post(envelope e) {
  if (refusing_.load(std::memory_order_relaxed)) return fail(errc::unavailable, "the node is stopping");
  return deliver(std::move(e), false);
}

/// Runs `use` on the actor's entry, with a shell started for it if it is new. False: there is no such actor.
template <class Use>
bool caf_runtime::reach(const address& a, Use&& use) {
  if (directory_.with(a, use)) return true;
  if (ending_.load()) return false;
  // Outside the lock: factories are the node's code and may take their time.
  auto logic = options_.factory(a);
  if (!logic) return false;
  directory_.with_or_make(
      a,
      [&](const entry_ptr& e) {
        e->fresh = std::move(logic);
        start_shell(e, false);
      },
      use);
  return true;
}

/// Leaves `e` as it is when it fails.
result<void> caf_runtime::deliver(envelope&& e, bool from_actor) {
  if (is_port(e.to)) {
    if (options_.to_port) options_.to_port(std::move(e), std::nullopt);
    return {};
  }
  bool dead = false;
  auto verdict = mailbox::verdict::queue;
  // Under the entry's lock, so that a retiring shell either sees this mail counted or is gone from the directory.
  const bool known = reach(e.to, [&](const entry_ptr& entry) {
    dead = !entry->shell;
    if (dead) {
      if (from_actor) cell_counters::add(entry->counters.dropped);
      return;
    }
    const auto nth = entry->posted.load(std::memory_order_relaxed);
    const auto now = nth % timed_every == 0 ? ticks() : cell::untimed;
    const auto decided = entry->mail.arrive(
        e, now, from_actor, [&] { return is_full(entry->counters, entry->depth(), options_.mailbox_max); });
    verdict = decided.what;
    if (verdict == mailbox::verdict::full) return cell_counters::add(entry->counters.refused);
    if (verdict == mailbox::verdict::merged) return cell_counters::add_from_any_thread(entry->counters.coalesced);
    entry->posted.store(nth + 1, std::memory_order_release);
    if (verdict == mailbox::verdict::queue) caf::anon_send(entry->shell, std::move(e), stamp{now, {}});
    else caf::anon_send(entry->shell, deliver_resting{decided.ticket});
  });
  if (!known) return fail(errc::not_found, "no such actor on this node: " + to_string(e.to));
  if (dead) return fail(errc::unavailable, to_string(e.to) + " is being restarted");
  if (verdict == mailbox::verdict::full) return mailbox_full(e.to);
  return {};
}

void caf_runtime::dispatch(envelope e, const std::optional<commit>& under) {
  if (is_port(e.to)) {
    if (options_.to_port) options_.to_port(std::move(e), under);
    return;
  }
  const auto sent = deliver(std::move(e), true);
  if (sent.ok()) return;
  log(e.from, {note_level::warning, std::string(name_of(e.body)) + " was not delivered: " + sent.err().message});
  if (auto answer = refusal_of(e, sent.err())) dispatch(std::move(*answer), std::nullopt);
}

void caf_runtime::spawn(const address& a) {
  if (!refusing_.load()) reach(a, [](const entry_ptr&) {});
}

void caf_runtime::retire(const address& a) {
  directory_.with(a, [](const entry_ptr& e) {
    if (!e->shell) return;
    e->unresolved.fetch_add(1);
    caf::anon_send(e->shell, retire_asked{});
  });
}

std::vector<actor_counters> caf_runtime::counters() const {
  std::vector<actor_counters> out;
  for (const auto& e : directory_.all()) out.push_back(snapshot(e->who, e->counters, e->depth()));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.who < b.who; });
  return out;
}

void caf_runtime::log(const address& self, note n) const {
  if (options_.log) options_.log(self, std::move(n));
}

/// The caller holds the entry's lock.
void caf_runtime::start_shell(const entry_ptr& e, bool again) {
  shells_->add();
  e->unresolved.fetch_add(1);
  e->shell = system().spawn<shell>(*this, e, again);
  e->shell->attach_functor([this, e, count = shells_](const caf::error& reason) {
    on_shell_down(e, !reason);
    count->remove();
  });
}

void caf_runtime::on_shell_down(const entry_ptr& e, bool expected) {
  caf::actor dead;  // outlives the lock: dropping the last handle runs destructors
  const bool listed = directory_.with(e->who, [&](const entry_ptr& found) {
    if (found == e) std::swap(dead, e->shell);
  });
  if (!listed || !dead) std::swap(dead, e->shell);
  if (!expected && !ending_.load()) {
    log(e->who, {note_level::error, "its shell has died and is replaced"});
    caf::delayed_anon_send(supervisor_, replace_delay, replace_shell{e});
  }
}

void caf_runtime::respawn(const entry_ptr& e) {
  auto logic = options_.factory(e->who);
  directory_.with(e->who, [&](const entry_ptr& found) {
    if (found != e || e->shell || !logic || ending_.load()) return;
    cell_counters::add(e->counters.dropped, e->depth() + e->counters.waiting.exchange(0));
    e->handled.store(e->posted.load());
    e->mail.clear();
    e->counters.held.store(0);
    cell_counters::add(e->counters.restarts);
    e->unresolved.store(0);
    e->counters.quarantined.store(false);
    e->fresh = std::move(logic);
    start_shell(e, true);
  });
}

/// Nothing queued and nothing at the store. `handled` tells two such moments with work between them apart.
bool caf_runtime::quiet(std::uint64_t& handled) const {
  handled = 0;
  for (const auto& e : directory_.all()) {
    if (e->depth() != 0 || e->unresolved.load() != 0) return false;
    handled += e->counters.messages.load();
  }
  return true;
}

/// Asked twice: an actor seen idle may get mail from one that is looked at later.
bool caf_runtime::settled() const {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  return quiet(first) && quiet(second) && first == second;
}

template <class Condition>
void caf_runtime::wait_for(steady_clock::time_point deadline, Condition condition) {
  if (drive_) return drive_();
  while (!condition() && steady_clock::now() < deadline) std::this_thread::sleep_for(stop_poll);
}

void caf_runtime::stop(duration grace) {
  refusing_.store(true);
  if (ending_.load()) return;
  const auto deadline = steady_clock::now() + grace;
  wait_for(deadline, [this] { return settled(); });
  ending_.store(true);
  for (const auto& e : directory_.all())
    directory_.with(e->who,
                    [](const entry_ptr& found) { caf::anon_send_exit(found->shell, caf::exit_reason::user_shutdown); });
  wait_for(deadline, [&] { return shells_->none(); });
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  if (drive_) drive_();
}

}  // namespace wh::runtime

namespace wh {

live_threads::live_threads(unsigned threads, runtime::scheduling how)
    : system_(runtime::configure(config_, threads, how)) {}

std::shared_ptr<live_threads> make_live_threads(unsigned threads) {
  return std::make_shared<live_threads>(threads, runtime::scheduling::sharing);
}

std::unique_ptr<actor_runtime> make_live_runtime(runtime_options options) {
  return std::make_unique<runtime::caf_runtime>(std::move(options), runtime::scheduling::sharing);
}

std::unique_ptr<actor_runtime> make_live_runtime_on(std::shared_ptr<live_threads> threads, runtime_options options) {
  return std::make_unique<runtime::caf_runtime>(std::move(options), std::move(threads));
}

}  // namespace wh
