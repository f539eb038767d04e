#include "actors/cell.hpp"

#include <algorithm>
#include <map>

#include "base/assert.hpp"
#include "base/encoding.hpp"

namespace wh {

using std::chrono::nanoseconds;

/// The durable objects, and on top of them what this cell has submitted and not seen committed.
class cell::overlay final : public reader {
 public:
  explicit overlay(const cell& owner) : cell_(owner) {}

  std::optional<seen> read(const object_key& key) const override {
    for (auto u = cell_.held_.rbegin(); u != cell_.held_.rend(); ++u) {
      if (u->ticket == 0) continue;
      // Within a batch the store applies erases after puts.
      for (const auto& e : u->erases)
        if (e.key == key) return std::nullopt;
      for (auto p = u->puts.rbegin(); p != u->puts.rend(); ++p)
        if (p->key == key) return seen{.body = p->body, .rev = {}, .in_flight = true};
    }
    return cell_.env_.durable.read(key);
  }

  std::vector<record> list(const key_range& range) const override {
    auto records = cell_.env_.durable.list(range);
    return merge(std::move(records), [&](const object_key& key) { return range.contains(key); });
  }

  std::vector<record> list_namespace(const std::string& ns) const override {
    auto records = cell_.env_.durable.list_namespace(ns);
    return merge(std::move(records), [&](const object_key& key) { return key.ns == ns; });
  }

  std::string store_incarnation() const override { return cell_.env_.durable.store_incarnation(); }

 private:
  template <class Wanted>
  std::vector<record> merge(std::vector<record> durable, Wanted wanted) const {
    std::map<object_key, shared_bytes> mine;  // null: erased
    for (const auto& u : cell_.held_) {
      for (const auto& p : u.puts)
        if (wanted(p.key)) mine[p.key] = p.body;
      for (const auto& e : u.erases)
        if (wanted(e.key)) mine[e.key] = nullptr;
    }
    if (mine.empty()) return durable;
    std::erase_if(durable, [&](const record& r) { return mine.contains(r.key); });
    for (auto& [key, body] : mine)
      if (body) durable.push_back({key, {}, body});
    std::sort(durable.begin(), durable.end(), [](const record& a, const record& b) { return a.key < b.key; });
    return durable;
  }

  const cell& cell_;
};

cell::cell(cell_environment& env, cell_host& host, const address& self, std::unique_ptr<actor_logic> logic,
           cell_counters& counters)
    : env_(env),
      host_(host),
      self_(self),
      counters_(counters),
      logic_(std::move(logic)),
      // The life is part of the seed: an actor that comes back must not draw the same UUIDs again.
      random_(fnv1a(to_string(self), env.seed + 0x9e3779b97f4a7c15ULL * env.next_life().get())) {
  WH_ASSERT(logic_ != nullptr);
}

void cell::start() {
  WH_ASSERT(in_flight_ == 0 && held_.empty());
  life_ = env_.next_life();
  timers_.clear();
  counters_.quarantined.store(false, std::memory_order_relaxed);
  phase_ = phase::running;
  outbox out;
  if (attempt(self_, {}, host_.ticks(), counters_.restore_nanos,
              [&](const context& ctx) { logic_->restart(ctx, out); }))
    conclude(out, {});
}

bool cell::idle() const {
  return in_flight_ == 0 && phase_ != phase::settling && (!trouble_ || trouble_->waiting.empty());
}

void cell::deliver(envelope&& e, nanoseconds posted) {
  cell_counters::add(counters_.messages);
  auto now = untimed;
  if (posted != untimed) {
    now = host_.ticks();
    cell_counters::add(counters_.timed);
    cell_counters::add(counters_.mailbox_nanos,
                       static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - posted).count())));
  }
  switch (phase_) {
    case phase::running: return run({&e}, now);
    case phase::quarantined:
      return drop(e, fail(errc::unavailable, to_string(self_) + " is quarantined: its handlers failed too often"));
    case phase::settling:
    case phase::resting: return keep_back(std::move(e));
  }
}

/// Calls into the actor; false when it threw, in which case recovery has begun and has taken the message.
template <class Handler>
bool cell::attempt(const address& from, const cause& of, nanoseconds began, cell_counters::counter& took,
                   Handler&& handler) {
  std::string what;
  std::optional<error> cannot_read;
  bool done = false;
  try {
    const overlay data{*this};
    const context ctx{host_.now(), self_, from, random_, data, env_.crypto};
    handler(ctx);
    done = true;
  } catch (const unreadable& e) {
    cannot_read = e.cause;
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "something that is no std::exception";
  }
  if (began != untimed) cell_counters::add(took, static_cast<std::uint64_t>((host_.ticks() - began).count()));
  if (done) return true;
  if (cannot_read) store_unreadable(of, std::move(*cannot_read));
  else handler_threw(of, what);
  return false;
}

void cell::run(const cause& of, nanoseconds began) {
  const envelope& e = *of.what;
  if (env_.trace) env_.trace(e, host_.now());
  outbox out;
  bool known = true;
  if (!attempt(e.from, of, began, counters_.handler_nanos,
               [&](const context& ctx) { known = logic_->handle(e.body, ctx, out); }))
    return;
  if (!known) return reject_unknown(e);
  conclude(out, of);
}

void cell::reject_unknown(const envelope& e) {
  cell_counters::add(counters_.unhandled);
  log(note_level::warning, "no handler for " + std::string(name_of(e.body)) + " from " + to_string(e.from));
  answer_failure(e, fail(errc::internal, to_string(self_) + " does not admit writes"));
}

/// Persist, then send, then arm timers: at once when there is nothing to wait for, else when the unit's turn has come.
void cell::conclude(outbox& out, const cause& of) {
  if (out.writes.empty() && held_.empty()) return release(out, std::nullopt);
  unit u;
  batch writes = std::move(out.writes);
  out.writes = {};
  u.effects = std::move(out);
  if (of.what) u.origin = of.taken();
  if (writes.empty()) {
    held_.push_back(std::move(u));
    return count_held();
  }
  u.ticket = ++last_ticket_;
  u.puts = writes.puts;
  u.erases = writes.erases;
  held_.push_back(std::move(u));
  count_held();
  ++in_flight_;
  writes.from = {to_string(self_), life_};
  host_.submit(std::move(writes), last_ticket_);
}

void cell::on_outcome(std::uint64_t ticket, result<commit> outcome) {
  const auto u = std::find_if(held_.begin(), held_.end(), [&](const unit& x) { return x.ticket == ticket; });
  WH_ASSERT(u != held_.end() && !u->under && !u->failure);
  --in_flight_;
  if (outcome.ok()) {
    u->under = *outcome;
    if (trouble_) trouble_->environment_streak = 0;
  } else {
    u->failure = outcome.err();
    phase_ = phase::settling;
  }
  release_ready();
  if (phase_ == phase::settling) settle();
}

void cell::release_ready() {
  while (!held_.empty() && held_.front().releasable()) {
    unit u = std::move(held_.front());
    held_.pop_front();
    count_held();
    if (!u.origin && trouble_) trouble_->restore_failures = 0;
    release(u.effects, u.under);
  }
}

void cell::count_held() { counters_.held.store(static_cast<std::uint32_t>(held_.size()), std::memory_order_relaxed); }

void cell::release(outbox& effects, const std::optional<commit>& under) {
  for (auto& s : effects.sends) host_.dispatch({std::move(s.to), self_, std::move(s.body)}, under);
  for (auto& t : effects.timers) arm(std::move(t));
  for (auto& n : effects.notes) host_.log(self_, std::move(n));
}

void cell::arm(timer_request request) {
  std::erase_if(timers_, [&](const timer& t) { return t.name == request.name; });
  if (!request.after) return;
  const auto due = host_.ticks() + std::max(*request.after, duration::zero());
  timers_.push_back({std::move(request.name), due, ++last_timer_});
  wake_by(due);
}

/// Re-arming a timer for later, the usual case, asks nothing of the host: the earlier wake-up finds the new deadline.
void cell::wake_by(nanoseconds at) {
  if (std::any_of(wakes_.begin(), wakes_.end(), [&](nanoseconds w) { return w <= at; })) return;
  wakes_.push_back(at);
  host_.wake_after(std::chrono::ceil<duration>(std::max(at - host_.ticks(), nanoseconds::zero())));
}

void cell::on_wake() {
  const auto now = host_.ticks();
  std::erase_if(wakes_, [&](nanoseconds w) { return w <= now; });
  if (phase_ == phase::resting || phase_ == phase::quarantined) {
    if (now < trouble_->rest_until) return wake_by(trouble_->rest_until);
    restart();
  } else if (phase_ == phase::running) {
    fire_due_timers();
  }
  // Otherwise the timers are about to be lost, and asking for those that are due would ask for ever.
  if (phase_ != phase::running) return;
  for (const auto& t : timers_) wake_by(t.due);
}

void cell::fire_due_timers() {
  const auto now = host_.ticks();
  while (phase_ == phase::running) {
    const auto next = std::min_element(timers_.begin(), timers_.end(), [](const timer& a, const timer& b) {
      return std::pair(a.due, a.number) < std::pair(b.due, b.number);
    });
    if (next == timers_.end() || next->due > now) return;
    envelope fired{self_, self_, timer_fired{std::move(next->name)}};
    timers_.erase(next);
    run({&fired}, untimed);
  }
}

}  // namespace wh
