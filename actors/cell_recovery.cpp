// The cell when a write failed, the store cannot be read or a handler threw.
#include <algorithm>

#include "actors/cell.hpp"
#include "base/assert.hpp"

namespace wh {

using std::chrono::nanoseconds;

namespace {

/// The node cannot write now; nothing is wrong with what the actor computed.
bool is_environment(errc code) {
  return code == errc::read_only || code == errc::io || code == errc::busy || code == errc::unavailable;
}

nanoseconds doubled(nanoseconds first, nanoseconds most, int times) {
  return times < 20 ? std::min(first * (std::int64_t{1} << times), most) : most;
}

/// The code with which the store refuses a precondition, if it does not hold on what is durable now.
std::optional<errc> refusal(const precondition& p, const reader& durable) {
  if (const auto* at = std::get_if<at_revision>(&p)) {
    const auto found = durable.read(at->key);
    return found && found->rev == at->rev ? std::nullopt : std::optional{errc::conflict};
  }
  if (const auto* no = std::get_if<absent>(&p))
    return durable.read(no->key) ? std::optional{errc::already_exists} : std::nullopt;
  if (const auto* yes = std::get_if<present>(&p))
    return durable.read(yes->key) ? std::nullopt : std::optional{errc::not_found};
  return std::nullopt;
}

/// Timers are gone with the state that asked for them; the restart arms what is due again.
bool is_timer(const envelope& e) { return std::holds_alternative<timer_fired>(e.body); }

bool asks_for_namespace(const batch& b) {
  return std::any_of(b.preconditions.begin(), b.preconditions.end(),
                     [](const precondition& p) { return std::holds_alternative<namespace_active>(p); });
}

}  // namespace

cell::trouble& cell::in_trouble() {
  if (!trouble_) trouble_ = std::make_unique<trouble>();
  return *trouble_;
}

void cell::log(note_level level, std::string text) { host_.log(self_, {level, std::move(text)}); }

void cell::count_waiting() {
  counters_.waiting.store(trouble_ ? static_cast<std::uint32_t>(trouble_->waiting.size()) : 0,
                          std::memory_order_relaxed);
}

void cell::keep_back(envelope&& e) {
  auto& t = in_trouble();
  // A client is better served by an answer now than by one after the back-off.
  if (phase_ == phase::resting && t.environment && std::holds_alternative<admit_write>(e.body))
    return answer_failure(e, *t.environment);
  if (t.index.merge(e)) return cell_counters::add_from_any_thread(counters_.coalesced);
  t.waiting.push_back({std::move(e)});
  t.index.add(t.waiting.back().what);
  count_waiting();
}

void cell::answer_failure(const envelope& e, error why) {
  if (auto answer = refusal_of(e, std::move(why))) host_.dispatch(std::move(*answer), std::nullopt);
}

void cell::drop(const envelope& e, error why) {
  cell_counters::add(counters_.dropped);
  answer_failure(e, std::move(why));
}

void cell::handler_threw(const cause& of, const std::string& what) {
  if (of.what) {
    log(note_level::error, "dropped " + std::string(name_of(of.what->body)) + " from " + to_string(of.what->from) +
                               ", its handler failed: " + what);
    drop(*of.what, fail(errc::internal, "a handler of " + to_string(self_) + " failed: " + what));
  } else {
    log(note_level::error, "cannot restore itself: " + what);
  }
  in_trouble().threw = true;
  phase_ = phase::settling;
  settle();
}

void cell::store_unreadable(const cause& of, error why) {
  in_trouble().environment = std::move(why);
  if (of.what && std::holds_alternative<admit_write>(of.what->body)) answer_failure(*of.what, *trouble_->environment);
  else if (of.what && !is_timer(*of.what)) trouble_->waiting.push_front(of.taken());
  count_waiting();
  phase_ = phase::settling;
  settle();
}

/// A restart reads the store, so it must not happen while batches of this life may still be applied.
void cell::settle() {
  if (in_flight_ == 0) recover();
}

void cell::recover() {
  auto lost = take_lost();
  std::optional<error> first;
  if (!lost.empty()) first = lost.front().failure;
  auto& t = in_trouble();
  if (!t.environment && first && is_environment(first->code)) t.environment = *first;
  const bool threw = std::exchange(t.threw, false);
  give_back(std::move(lost), t.environment.has_value());
  if (threw || t.restore_failures >= cell_limits::failures_max) return rest_after_throw();
  if (t.environment) return rest_until_writable(*t.environment);
  reload();
}

/// Takes out the failed unit and all that was computed on it. A later batch that was durable nevertheless is true and is told.
std::list<cell::unit> cell::take_lost() {
  std::list<unit> lost;
  while (!held_.empty()) {
    if (held_.front().under) {
      release(held_.front().effects, held_.front().under);
      held_.pop_front();
    } else {
      lost.splice(lost.end(), held_, held_.begin());
    }
  }
  count_held();
  return lost;
}

/// Answers, drops or queues the causes of lost units, in order and before everything that has waited.
void cell::give_back(std::list<unit> lost, bool environment) {
  auto& t = *trouble_;
  std::list<delivery> again;
  for (auto& u : lost) {
    const bool to_blame = u.failure && u.failure->code != errc::discarded && !environment;
    if (!u.origin) {
      t.restore_failures += to_blame ? 1 : 0;
      continue;
    }
    auto& d = *u.origin;
    if (const auto* write = std::get_if<admit_write>(&d.what.body)) {
      const auto none =
          fail(errc::conflict, to_string(write->key) + " was decided on state that has changed: try again");
      answer_failure(d.what, environment ? *t.environment : admission_error(*write, u.failure.value_or(none)));
      continue;
    }
    if (is_timer(d.what)) continue;
    d.failures += to_blame ? 1 : 0;
    if (d.failures < cell_limits::failures_max) {
      again.push_back(std::move(d));
      continue;
    }
    log(note_level::error, "dropped " + std::string(name_of(d.what.body)) + " from " + to_string(d.what.from) +
                               ", its writes failed " + std::to_string(d.failures) + " times: " + u.failure->message);
    drop(d.what, *u.failure);
  }
  t.waiting.splice(t.waiting.begin(), again);
  count_waiting();
}

/// A client whose own precondition failed gets that answer; for everything else a conflict says "compute it again".
error cell::admission_error(const admit_write& write, const error& failure) const {
  try {
    for (const auto& p : write.proposed.preconditions) {
      const auto code = refusal(p, env_.durable);
      if (code) return *code == failure.code ? failure : fail(*code, to_string(write.key) + " has changed meanwhile");
    }
  } catch (const unreadable& e) {
    return e.cause;
  }
  const bool of_namespace = failure.code == errc::not_found || failure.code == errc::forbidden;
  if (of_namespace && asks_for_namespace(write.proposed)) return failure;
  return fail(errc::conflict, failure.message);
}

void cell::reload() {
  cell_counters::add(counters_.reloads);
  restart();
}

void cell::rest_after_throw() {
  auto& t = *trouble_;
  const auto now = host_.ticks();
  if (t.throw_streak > 0 && now - t.last_throw > cell_limits::throw_window) t.throw_streak = 0;
  t.last_throw = now;
  t.restore_failures = 0;
  std::erase_if(t.throws, [&](nanoseconds at) { return now - at > cell_limits::throw_window; });
  t.throws.push_back(now);
  if (t.throws.size() >= cell_limits::throws_max) return quarantine();
  phase_ = phase::resting;
  t.environment.reset();
  t.rest_until = now + doubled(cell_limits::restart_delay_min, cell_limits::restart_delay_max, t.throw_streak++);
  wake_by(t.rest_until);
}

void cell::rest_until_writable(error why) {
  auto& t = *trouble_;
  phase_ = phase::resting;
  if (t.environment_streak == 0) log(note_level::warning, "waits because the store failed: " + why.message);
  t.rest_until = host_.ticks() + doubled(cell_limits::environment_delay_min, cell_limits::environment_delay_max,
                                         t.environment_streak++);
  wake_by(t.rest_until);
}

void cell::quarantine() {
  auto& t = *trouble_;
  phase_ = phase::quarantined;
  counters_.quarantined.store(true, std::memory_order_relaxed);
  log(note_level::error,
      "quarantined for ten minutes: its handlers failed " + std::to_string(t.throws.size()) + " times within a minute");
  const auto why = fail(errc::unavailable, to_string(self_) + " is quarantined: its handlers failed too often");
  for (const auto& d : t.waiting) drop(d.what, why);
  t.waiting.clear();
  t.index.clear();
  t.environment.reset();
  t.throws.clear();
  count_waiting();
  t.rest_until = host_.ticks() + cell_limits::quarantine;
  wake_by(t.rest_until);
}

void cell::restart() {
  auto& t = *trouble_;
  const bool after_throw = phase_ == phase::quarantined || (phase_ == phase::resting && !t.environment);
  if (after_throw) cell_counters::add(counters_.restarts);
  t.environment.reset();
  start();
  // Not when the restore threw too: the node will be told of the one that worked.
  if (phase_ != phase::running) return;
  host_.restarted(self_);
  catch_up();
}

void cell::catch_up() {
  auto& t = *trouble_;
  while (phase_ == phase::running && !t.waiting.empty()) {
    t.index.remove(t.waiting.front().what);
    delivery d = std::move(t.waiting.front());
    t.waiting.pop_front();
    count_waiting();
    run({&d.what, d.failures}, untimed);
  }
}

}  // namespace wh
