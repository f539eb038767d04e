#include "persistence/lmdb_writer.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace wh::storage {

namespace {

using namespace std::chrono_literals;

/// Bodies in one group: bounds a commit's latency and its share of the page cache.
constexpr std::size_t group_bytes_max = 8 << 20;
/// Changes dropped with one group when a compaction was asked for.
constexpr std::size_t compact_slice = 2048;
/// Bytes of records looked at with one group while secrets are sealed anew: a commit stays well below a second.
constexpr std::size_t reseal_slice = 4 << 20;
constexpr auto gather_max = 2ms;
/// How long renewals that need no disk wait for one another: each group of them costs wake-ups of threads, which are most
/// of what an idle fleet costs. Anything else that is submitted takes them along at once.
constexpr auto gather_renewals = 50ms;
constexpr std::size_t renewals_max = 256;
constexpr auto probe_interval = 200ms;

std::size_t bytes_of(const batch& b) {
  std::size_t n = 0;
  for (const put& p : b.puts) n += p.body ? p.body->size() : 0;
  return n;
}

double mib(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

lmdb_writer::lmdb_writer(const lmdb_options& options, lmdb_shared& shared, opened_state from)
    : options_(options),
      shared_(shared),
      state_(from.state),
      times_(options.history_age),
      history_(from.state.history) {
  core_.namespaces() = std::move(from.namespaces);
  over_quota_ = measure_quota();
  if (over_quota_) set_health(false, quota_reason_);
  const revision newest{state_.current};
  // Damaged times cost nothing but a later compaction.
  times_changed_ = !times_.decode(from.times);
  times_.committed(now(), newest);
  if (from.sealing != shared_.env->secrets().primary()) {
    reseal_.upto = newest;
    reseal_pending_ = reseal_.pending();
  }
  thread_ = std::thread([this] { loop(); });
}

lmdb_writer::~lmdb_writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void lmdb_writer::submit(batch b, store::completion done) {
  std::optional<error> refusal;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (refused_.discards(b.from)) {
      refusal = discarded_error(b.from);
    } else if (queue_.size() >= options_.queue_max) {
      refused_.failed(b.from);
      refusal = fail(errc::busy, fmt::format("{} writes are waiting already, try again later", queue_.size()));
    } else {
      if (!b.in_memory) urgent_ = true;
      queue_.push_back({std::move(b), std::move(done)});
      wake = queue_.size() >= wake_at_ || (urgent_ && wake_when_urgent_);
    }
  }
  if (wake) work_.notify_one();
  else if (refusal && done) done(*std::move(refusal));
}

void lmdb_writer::compact(revision upto) {
  {
    // Not what is yet to come: that would be compacted as it is written.
    const std::shared_lock published(shared_.mutex);
    upto = std::min(upto, shared_.window.current);
  }
  {
    const std::lock_guard lock(mutex_);
    compact_target_ = std::max(compact_target_, upto);
  }
  work_.notify_one();
}

store_health lmdb_writer::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

store_figures lmdb_writer::figures() const {
  store_figures f;
  f.quota_bytes = options_.quota_bytes;
  f.history = history_.load();
  f.commits = commits_.load();
  f.batches = batches_.load();
  f.commit_micros = commit_micros_.load();
  f.resealing = reseal_pending_.load();
  const std::lock_guard lock(mutex_);
  f.queued = queue_.size();
  return f;
}

void lmdb_writer::loop() {
  std::vector<submission> batches;
  while (take(batches)) {
    run(batches);
    batches.clear();
  }
}

/// Writers that wait for each commit are about to submit again when one ends: waiting for as many as the last commit
/// had, for a fraction of its time, spares them a commit. A lone writer never waits.
void lmdb_writer::gather(std::unique_lock<std::mutex>& lock) {
  if (!urgent_ && !failing_) {
    wake_at_ = renewals_max;
    wake_when_urgent_ = true;
    work_.wait_for(lock, gather_renewals, [this] { return stopping_ || urgent_ || queue_.size() >= renewals_max; });
    wake_when_urgent_ = false;
  }
  if (queue_.size() >= last_group_ || failing_ || stopping_) return;
  wake_at_ = last_group_;
  work_.wait_for(lock, gather_, [this] { return stopping_ || queue_.size() >= last_group_; });
}

instant lmdb_writer::now() const {
  return options_.now ? options_.now() : std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

/// Waits for work, a probe's time included; false when the store closes and nothing is queued.
bool lmdb_writer::take(std::vector<submission>& out) {
  std::unique_lock lock(mutex_);
  const auto wanted = [this] { return stopping_ || !queue_.empty() || compaction_due() || reseal_.pending(); };
  wake_at_ = 1;
  if (failing_) work_.wait_for(lock, probe_interval, [this] { return stopping_ || !queue_.empty(); });
  else if (const auto expires = times_.next(now())) work_.wait_for(lock, *expires, wanted);
  else work_.wait(lock, wanted);
  wake_at_ = never;
  if (queue_.empty()) return !stopping_;
  gather(lock);
  wake_at_ = never;
  std::size_t bytes = 0;
  while (!queue_.empty() && out.size() < options_.group_max && bytes < group_bytes_max) {
    // While the disk refuses, renewals that need no disk must not share the fate of batches that do.
    if (failing_ && !out.empty() && queue_.front().b.in_memory != out.front().b.in_memory) break;
    bytes += bytes_of(queue_.front().b);
    out.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (queue_.empty()) urgent_ = false;
  return true;
}

void lmdb_writer::run(std::vector<submission>& batches) {
  if (shared_.env->needs_reopen()) reopen();
  std::vector<result<commit>> outcomes;
  outcomes.reserve(batches.size());
  lmdb_group group(shared_, core_, state_);
  if (batches.empty() && failing_) group.touch();
  const auto start = std::chrono::steady_clock::now();
  if (auto ok = try_group(group, batches, outcomes); !ok) return fail_all(batches, ok.err());
  if (group.stored() != revision{}) times_.committed(now(), group.stored());
  if (group.dirty()) times_changed_ = false;
  reseal_ = reseal_next_;
  reseal_pending_ = reseal_.pending();
  const auto took = std::chrono::steady_clock::now() - start;
  count(group, batches.size(), took);
  last_group_ = group.dirty() ? batches.size() : 0;
  gather_ = std::min<std::chrono::steady_clock::duration>(took / 8, gather_max);
  state_ = group.state();
  group.publish();
  settle(group);
  for (std::size_t i = 0; i < batches.size(); ++i)
    if (batches[i].done) batches[i].done(std::move(outcomes[i]));
}

void lmdb_writer::count(const lmdb_group& group, std::size_t batches, std::chrono::steady_clock::duration took) {
  history_ = group.state().history;
  if (!group.dirty()) return;
  commits_ += 1;
  batches_ += batches;
  commit_micros_ += static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

result<void> lmdb_writer::try_group(lmdb_group& group, const std::vector<submission>& batches,
                                    std::vector<result<commit>>& outcomes) {
  if (auto ok = group.begin(); !ok) return ok;
  times_changed_ |= times_.note(now());
  for (const submission& s : batches) {
    outcomes.push_back(apply(group, s.b));
    if (group.broken()) return group.environment();
  }
  if (auto ok = compact_some(group); !ok) return ok;
  if (auto ok = reseal_some(group); !ok) return ok;
  if (auto ok = keep_times(group); !ok) return ok;
  return group.commit_all();
}

result<void> lmdb_writer::keep_times(lmdb_group& group) {
  times_changed_ |= times_.forget(revision{group.state().compacted});
  if (!times_changed_ || !group.dirty()) return {};
  return group.describe("times", times_.encode());
}

/// The next slice of the records from before the keys changed.
result<void> lmdb_writer::reseal_some(lmdb_group& group) {
  reseal_next_ = reseal_;
  if (!reseal_.pending()) return {};
  const auto done = group.reseal(reseal_.at, reseal_.upto, reseal_slice);
  if (!done) return done.err();
  reseal_next_.at = done->at;
  reseal_next_.whole = reseal_.whole && done->whole;
  // A body that could not be read keeps its key on the list.
  if (reseal_next_.pending() || !reseal_next_.whole) return {};
  return group.describe("sealing", shared_.env->secrets().primary());
}

result<commit> lmdb_writer::apply(lmdb_group& group, const batch& b) {
  if (over_quota_ && !b.in_memory && !b.puts.empty()) {
    core_.failed(b);
    return fail(errc::read_only, quota_reason_);
  }
  return group.apply(b);
}

bool lmdb_writer::compaction_due() const {
  return std::min(compact_target_, revision{state_.current}) > revision{state_.compacted};
}

/// A slice of the compaction that was asked for, or of what is too old, or what exceeds the history. Only published revisions are
/// compacted, so that a reader who just learnt the current one can still read it.
result<void> lmdb_writer::compact_some(lmdb_group& group) {
  revision target;
  {
    const std::lock_guard lock(mutex_);
    if (compaction_due()) target = std::min(compact_target_, revision{state_.current});
  }
  target = std::max(target, times_.expired(now()));
  if (target > revision{state_.compacted}) return group.compact(target, compact_slice);
  if (options_.history_max == 0) return {};
  const std::uint64_t slack = std::clamp<std::uint64_t>(options_.history_max / 64, 16, 1024);
  const std::uint64_t history = group.state().history;
  if (history <= options_.history_max + slack) return {};
  return group.compact(revision{state_.current}, history - options_.history_max);
}

void lmdb_writer::fail_all(std::vector<submission>& batches, const error& cause) {
  failing_ = true;
  // Not only with the next write: after a failed meta page LMDB refuses readers, too.
  if (shared_.env->needs_reopen()) reopen();
  const error refusal =
      fail(errc::read_only, fmt::format("the store in {} cannot be written ({}); it recovers when that is cured",
                                        options_.dir, cause.message));
  set_health(false, refusal.message);
  // All of them: those that failed by themselves were judged on changes that now never happened.
  for (submission& s : batches) {
    const bool discarded = core_.discards(s.b);
    core_.failed(s.b);
    if (s.done) s.done(discarded ? discarded_error(s.b.from) : refusal);
  }
}

/// After a good commit: is the store writable, and is there room?
void lmdb_writer::settle(const lmdb_group& group) {
  if (!group.dirty()) return;
  failing_ = false;
  const bool was_over = over_quota_;
  over_quota_ = measure_quota();
  if (over_quota_) compact_for_quota();
  if (over_quota_ && !failing_) {
    set_health(false, quota_reason_);
  } else if (!failing_ && (was_over || !health().writable)) {
    set_health(true, {});
  }
}

bool lmdb_writer::measure_quota() {
  if (shared_.env->file_bytes() <= options_.quota_bytes) return false;
  const auto used = shared_.env->bytes_in_use();
  if (!used || *used <= options_.quota_bytes) return false;
  quota_reason_ =
      fmt::format("the store in {} uses {:.1f} MiB of its quota of {:.1f} MiB; delete objects or raise the quota",
                  options_.dir, mib(*used), mib(options_.quota_bytes));
  return true;
}

/// History is worth less than new writes: it goes before the store turns read-only.
void lmdb_writer::compact_for_quota() {
  while (over_quota_ && state_.compacted < state_.current) {
    lmdb_group group(shared_, core_, state_);
    auto ok = group.begin();
    if (ok) ok = group.compact(revision{state_.current}, compact_slice);
    if (ok) ok = group.commit_all();
    if (!ok) {
      std::vector<submission> none;
      return fail_all(none, ok.err());
    }
    state_ = group.state();
    group.publish();
    over_quota_ = measure_quota();
  }
}

void lmdb_writer::set_health(bool writable, std::string reason) {
  const std::lock_guard lock(mutex_);
  health_ = {writable, std::move(reason)};
}

void lmdb_writer::reopen() {
  const std::unique_lock lock(shared_.env_mutex);
  // A failure shows when the next group begins.
  static_cast<void>(shared_.env->reopen().ok());
}

}  // namespace wh::storage
