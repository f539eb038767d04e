#include <algorithm>
#include <deque>
#include <mutex>
#include <shared_mutex>
#include <thread>

#include "persistence/commit_core.hpp"
#include "persistence/feed_hub.hpp"
#include "persistence/store.hpp"
#include "persistence/version_table.hpp"

namespace wh {

namespace {

using namespace storage;

class memory_store final : public store, private head_source {
 public:
  explicit memory_store(std::string incarnation_id) : incarnation_id_(std::move(incarnation_id)) {}

  void submit(batch b, completion done) override {
    {
      const std::lock_guard lock(queue_mutex_);
      queue_.push_back({std::move(b), std::move(done)});
      if (running_ == std::this_thread::get_id()) return;
    }
    const std::lock_guard run(run_mutex_);
    set_running(std::this_thread::get_id());
    while (auto next = pop()) apply(*next);
    set_running({});
  }

  result<std::optional<record>> get(const object_key& key, revision at) const override {
    const std::shared_lock lock(mutex_);
    const auto seen = resolve_at(at, window_);
    if (!seen) return seen.err();
    const version* v = table_.find(key, *seen);
    if (v == nullptr || !v->body) return std::optional<record>{};
    return std::optional(record{key, v->rev, v->body});
  }

  result<page> list(const key_range& range, revision at, const std::optional<object_key>& after,
                    std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    const auto seen = resolve_at(at, window_);
    if (!seen) return seen.err();
    page out;
    out.at = *seen;
    table_.scan(range, after, *seen, [&](const object_key& key, const version& v) {
      if (!v.body) return true;
      out.more = limit != 0 && out.records.size() == limit;
      if (!out.more) out.records.push_back({key, v.rev, v.body});
      return !out.more;
    });
    return out;
  }

  result<std::vector<change>> changes_since(revision after, std::size_t limit) const override {
    const std::shared_lock lock(mutex_);
    if (auto ok = check_after(after, window_); !ok) return ok.err();
    return table_.changes(after, window_.current, limit);
  }

  revision_window window() const override {
    const std::shared_lock lock(mutex_);
    return window_;
  }

  revision subscribe(feed_listener* listener) override {
    return feed_.subscribe(listener, [this] { return window().current; });
  }

  void unsubscribe(feed_listener* listener) override { feed_.unsubscribe(listener); }

  void compact(revision upto) override {
    const std::unique_lock lock(mutex_);
    compact_locked(upto);
  }

  std::string incarnation_id() const override { return incarnation_id_; }

  store_health health() const override { return {}; }

  store_figures figures() const override {
    const std::shared_lock lock(mutex_);
    store_figures f;
    f.history = table_.history();
    return f;
  }

 private:
  struct submission {
    batch b;
    completion done;
  };

  result<std::optional<head>> newest(const object_key& key) override {
    const std::shared_lock lock(mutex_);
    const version* v = table_.find(key, window_.current);
    if (v == nullptr || !v->body) return std::optional<head>{};
    return std::optional(head{v->rev, v->body});
  }

  void set_running(std::thread::id id) {
    const std::lock_guard lock(queue_mutex_);
    running_ = id;
  }

  std::optional<submission> pop() {
    const std::lock_guard lock(queue_mutex_);
    if (queue_.empty()) return std::nullopt;
    submission next = std::move(queue_.front());
    queue_.pop_front();
    return next;
  }

  void apply(const submission& next) {
    auto plan = core_.plan(next.b, *this, window().current);
    if (plan) publish(next.b, *plan);
    if (!next.done) return;
    if (plan) next.done(plan->outcome);
    else next.done(plan.err());
  }

  void publish(const batch& b, const planned& plan) {
    for (std::size_t i = 0; i < plan.changes.size(); ++i)
      core_.namespaces().stage(plan.changes[i], i < b.puts.size() ? b.puts[i].phase : namespace_phase::active);
    core_.namespaces().commit();
    feed_.publish(plan.changes, [&] {
      const std::unique_lock lock(mutex_);
      for (const change& c : plan.changes) table_.add(c);
      window_.current = plan.outcome.last;
      if (table_.history() > history_max + history_slice) compact_locked(table_.nth_oldest(history_slice));
    });
  }

  void compact_locked(revision upto) {
    window_.compacted = std::max(window_.compacted, std::min(upto, window_.current));
    table_.compact(window_.compacted);
  }

  static constexpr std::size_t history_max = 200000;  // as lmdb_options
  static constexpr std::size_t history_slice = 4096;

  const std::string incarnation_id_;
  std::mutex queue_mutex_;  // guards queue_ and running_
  std::deque<submission> queue_;
  std::thread::id running_;
  std::mutex run_mutex_;  // held by the thread that applies; only it writes what mutex_ guards, compact() apart
  commit_core core_;
  feed_hub feed_;
  mutable std::shared_mutex mutex_;  // guards table_ and window_
  version_table table_{version_table::role::whole};
  revision_window window_;
};

}  // namespace

std::unique_ptr<store> make_memory_store(std::string incarnation_id) {
  return std::make_unique<memory_store>(std::move(incarnation_id));
}

}  // namespace wh
