#include "sim/virtual_runtime.hpp"

#include <algorithm>
#include <list>

#include "base/assert.hpp"
#include "base/encoding.hpp"

namespace wh {

virtual_world::virtual_world(std::uint64_t seed, instant start)
    : start_(start), now_(start), order_(seed), random_(fnv1a("faults and delays", seed)), hash_(fnv1a("")) {}

virtual_world::event_id virtual_world::schedule(duration after, std::function<void()> fn) {
  const event_id id{now_ + std::max(after, duration::zero()), ++scheduled_};
  events_.emplace(id, std::move(fn));
  return id;
}

bool virtual_world::step() {
  if (!ready_.empty()) {
    const auto chosen = ready_.begin() + static_cast<std::ptrdiff_t>(order_.below(ready_.size()));
    auto p = std::move(*chosen);
    ready_.erase(chosen);
    // In front, as CAF's test scheduler does, so that both draw the same order from a seed.
    if (p->take_turn()) ready_.push_front(std::move(p));
    return true;
  }
  if (events_.empty() || events_.begin()->first.first > now_) return false;
  const auto fn = std::move(events_.begin()->second);
  events_.erase(events_.begin());
  fn();
  return true;
}

void virtual_world::run_until_idle() {
  while (step()) {
  }
}

bool virtual_world::skip() {
  WH_ASSERT(ready_.empty());
  if (events_.empty()) return false;
  now_ = std::max(now_, events_.begin()->first.first);
  return true;
}

void virtual_world::advance(duration d) {
  advance_until([] { return false; }, d);
}

bool virtual_world::advance_until(const std::function<bool()>& done, duration limit) {
  const auto until = now_ + limit;
  while (!done()) {
    if (step()) continue;
    if (events_.empty() || events_.begin()->first.first > until) {
      now_ = until;
      return done();
    }
    skip();
  }
  return true;
}

void virtual_world::trace(std::string_view runtime, const envelope& e) {
  const auto micros = (now_ - start_).count();
  const auto fraction = std::to_string(micros % 1'000'000);
  line_.clear();
  line_.append(std::to_string(micros / 1'000'000)).append(1, '.').append(6 - fraction.size(), '0').append(fraction);
  line_.append(1, ' ');
  if (!runtime.empty()) line_.append(runtime).append(1, ':');
  line_.append(to_string(e.to)).append("<-").append(to_string(e.from)).append(1, ' ').append(name_of(e.body));
  hash_ = fnv1a(line_, hash_);
  ++lines_;
  if (listener_) listener_(line_);
}

/// An actor's mailbox and cell. Takes turns exactly as a CAF actor does on CAF's test scheduler, so that both modes make
/// the same decisions: a turn handles one message, the first one restores the actor before.
class virtual_runtime::actor final : public virtual_world::participant,
                                     public cell_host,
                                     public std::enable_shared_from_this<actor> {
 public:
  struct outcome {
    std::uint64_t ticket;
    result<commit> done;
  };
  struct wake_up {};
  struct retire_asked {};
  using item = std::variant<mailbox::mail, mailbox::number, outcome, wake_up, retire_asked>;

  actor(virtual_runtime& runtime, address who, std::unique_ptr<actor_logic> logic)
      : runtime_(runtime), who_(std::move(who)), logic_(std::move(logic)) {}

  /// Puts a new actor in line for its first turn, in which it restores itself.
  void launch() { runtime_.world_.ready(shared_from_this()); }

  void enqueue(item i) {
    if (gone_) return;
    queue_.push_back(std::move(i));
    if (!std::exchange(in_line_, true)) runtime_.world_.ready(shared_from_this());
  }

  bool take_turn() override {
    if (gone_) return false;
    if (!cell_) {
      cell_ = std::make_unique<cell>(runtime_.environment_, *this, who_, std::move(logic_), counters_);
      cell_->start();
      if (gone_) return false;
    }
    if (!queue_.empty()) {
      item next = std::move(queue_.front());
      queue_.pop_front();
      std::visit([this](auto& i) { handle(i); }, next);
    }
    if (retiring_ && cell_->idle()) finish();
    in_line_ = !gone_ && !queue_.empty();
    return in_line_;
  }

  bool alive() const { return !gone_; }
  void vanish() {
    gone_ = true;
    queue_.clear();
  }

  /// False: the mailbox is full.
  bool receive(envelope& e, bool from_actor) {
    const auto decided = mailbox_.arrive(e, ticks(), from_actor,
                                         [this] { return is_full(counters_, depth_, runtime_.options_.mailbox_max); });
    switch (decided.what) {
      case mailbox::verdict::full: cell_counters::add(counters_.refused); return false;
      case mailbox::verdict::merged: cell_counters::add(counters_.coalesced); return true;
      case mailbox::verdict::queue: enqueue(mailbox::mail{std::move(e), ticks()}); break;
      case mailbox::verdict::queue_number: enqueue(decided.ticket); break;
    }
    ++depth_;
    return true;
  }
  bool quiet() const { return depth_ == 0 && (!cell_ || cell_->in_flight() == 0); }
  actor_counters figures() const { return snapshot(who_, counters_, depth_); }

 private:
  void handle(mailbox::mail& m) {
    cell_->deliver(std::move(m.what), m.posted);
    --depth_;
  }
  void handle(mailbox::number ticket) {
    auto m = mailbox_.take(ticket);
    handle(m);
  }
  void handle(outcome& o) { cell_->on_outcome(o.ticket, std::move(o.done)); }
  void handle(wake_up&) { cell_->on_wake(); }
  void handle(retire_asked&) { retiring_ = true; }

  void finish() {
    retiring_ = false;
    if (gone_ || !cell_->may_retire()) return;
    // Mail that came after the request begins a new life, exactly as if it had found no actor.
    if (depth_ != 0) return cell_->start();
    runtime_.actors_.erase(who_);
    vanish();
  }

  instant now() const override { return runtime_.world_.now(); }
  std::chrono::nanoseconds ticks() const override { return runtime_.world_.now().time_since_epoch(); }
  void submit(batch b, std::uint64_t ticket) override {
    if (!gone_) runtime_.submit(shared_from_this(), std::move(b), ticket);
  }
  void dispatch(envelope e, const std::optional<commit>& under) override {
    if (!gone_) runtime_.dispatch(std::move(e), under);
  }
  void wake_after(duration after) override {
    runtime_.world_.schedule(after, [me = weak_from_this()] {
      if (const auto self = me.lock()) self->enqueue(wake_up{});
    });
  }
  void log(const address& self, note n) override {
    if (runtime_.options_.log) runtime_.options_.log(self, std::move(n));
  }
  void restarted(const address& self) override {
    if (!gone_ && runtime_.options_.restarted) runtime_.options_.restarted(self);
  }

  virtual_runtime& runtime_;
  const address who_;
  cell_counters counters_;
  std::unique_ptr<actor_logic> logic_;  ///< until the first turn
  std::unique_ptr<cell> cell_;          ///< from the first turn on
  mailbox mailbox_;                     ///< decides what comes into the queue
  std::list<item> queue_;
  std::uint32_t depth_ = 0;  ///< envelopes among the mail
  bool in_line_ = true;      ///< from launch() on
  bool retiring_ = false;
  bool gone_ = false;
};

virtual_runtime::virtual_runtime(virtual_world& world, runtime_options options, virtual_options how)
    : world_(world),
      options_(std::move(options)),
      how_(std::move(how)),
      reader_(*options_.data, options_.namespaced_resources),
      environment_{.durable = reader_,
                   .crypto = *options_.crypto,
                   .seed = options_.seed,
                   .lives = first_life(*options_.data),
                   .trace = [this](const envelope& e, instant at) {
                     world_.trace(how_.name, e);
                     if (options_.trace) options_.trace(e, at);
                   }} {
  WH_ASSERT(options_.factory);
}

virtual_runtime::~virtual_runtime() { crash(); }

std::shared_ptr<virtual_runtime::actor> virtual_runtime::reach(const address& a) {
  const auto found = actors_.find(a);
  if (found != actors_.end()) return found->second;
  auto logic = options_.factory(a);
  if (!logic) return nullptr;
  auto made = std::make_shared<actor>(*this, a, std::move(logic));
  actors_.emplace(a, made);
  made->launch();
  return made;
}

result<void> virtual_runtime::post(envelope e) {
  if (refusing_) return fail(errc::unavailable, "the node is stopping");
  return deliver(std::move(e), false);
}

/// Leaves `e` as it is when it fails.
result<void> virtual_runtime::deliver(envelope&& e, bool from_actor) {
  if (is_port(e.to)) {
    if (options_.to_port) options_.to_port(std::move(e), std::nullopt);
    return {};
  }
  const auto to = reach(e.to);
  if (!to) return fail(errc::not_found, "no such actor on this node: " + to_string(e.to));
  if (!to->receive(e, from_actor)) return mailbox_full(e.to);
  return {};
}

void virtual_runtime::dispatch(envelope e, const std::optional<commit>& under) {
  if (!how_.around_send) return send(std::move(e), under);
  how_.around_send(e, [&] { send(std::move(e), under); });
}

void virtual_runtime::send(envelope e, const std::optional<commit>& under) {
  if (is_port(e.to)) {
    if (options_.to_port) options_.to_port(std::move(e), under);
    return;
  }
  const auto sent = deliver(std::move(e), true);
  if (sent.ok()) return;
  if (options_.log)
    options_.log(e.from,
                 {note_level::warning, std::string(name_of(e.body)) + " was not delivered: " + sent.err().message});
  if (auto answer = refusal_of(e, sent.err())) dispatch(std::move(*answer), std::nullopt);
}

/// How long until a moment drawn from now to now + most, but not before the last one drawn.
duration virtual_runtime::wait_until(instant& not_before, duration most) {
  const auto drawn = world_.random().below(static_cast<std::uint64_t>(most.count()) + 1);
  not_before = std::max(not_before, world_.now() + duration(drawn));
  return not_before - world_.now();
}

void virtual_runtime::submit(const std::shared_ptr<actor>& from, batch b, std::uint64_t ticket) {
  const auto tell = [ticket](const std::weak_ptr<actor>& to, result<commit> r) {
    const auto self = to.lock();
    if (self) self->enqueue(actor::outcome{ticket, std::move(r)});
  };
  const auto apply = [this, tell, to = std::weak_ptr(from)](batch writes) {
    options_.data->submit(std::move(writes), [this, tell, to](result<commit> r) {
      if (how_.outcome_delay_max == duration::zero()) return tell(to, std::move(r));
      world_.schedule(wait_until(last_outcome_, how_.outcome_delay_max), [tell, to, r] { tell(to, r); });
    });
  };
  if (how_.commit_delay_max == duration::zero()) return apply(std::move(b));
  world_.schedule(wait_until(last_commit_, how_.commit_delay_max), [apply, to = std::weak_ptr(from), b = std::move(b)] {
    const auto self = to.lock();
    if (self && self->alive()) apply(b);
  });
}

void virtual_runtime::spawn(const address& a) {
  if (!refusing_) reach(a);
}

void virtual_runtime::retire(const address& a) {
  const auto found = actors_.find(a);
  if (found != actors_.end()) found->second->enqueue(actor::retire_asked{});
}

std::vector<actor_counters> virtual_runtime::counters() const {
  std::vector<actor_counters> out;
  for (const auto& [who, a] : actors_) out.push_back(a->figures());
  return out;
}

bool virtual_runtime::quiet() const {
  return std::all_of(actors_.begin(), actors_.end(), [](const auto& a) { return a.second->quiet(); });
}

void virtual_runtime::stop(duration grace) {
  refusing_ = true;
  world_.advance_until([this] { return quiet(); }, grace);
  crash();
}

void virtual_runtime::crash() {
  for (auto& [who, a] : std::exchange(actors_, {})) a->vanish();
}

}  // namespace wh
