#include "sim/mortal_store.hpp"

#include <fmt/format.h>

#include "persistence/feed_hub.hpp"

namespace wh {
namespace {

class mortal_store final : public store, private feed_listener {
 public:
  mortal_store(store& disk, mortal_options options) : disk_(disk), options_(std::move(options)) {
    disk_.subscribe(this);
  }
  ~mortal_store() override { disk_.unsubscribe(this); }

  void submit(batch b, completion done) override {
    if (!b.from.id.empty()) return apply(std::move(b), std::move(done));
    options_.later([this, b = std::move(b), done = std::move(done)] { apply(b, done); });
  }

  result<std::optional<record>> get(const object_key& key, revision at) const override { return disk_.get(key, at); }
  result<page> list(const key_range& range, revision at, const std::optional<object_key>& after,
                    std::size_t limit) const override {
    return disk_.list(range, at, after, limit);
  }
  result<std::vector<change>> changes_since(revision after, std::size_t limit) const override {
    return disk_.changes_since(after, limit);
  }
  revision_window window() const override { return disk_.window(); }
  revision subscribe(feed_listener* listener) override {
    return feed_.subscribe(listener, [this] { return disk_.window().current; });
  }
  void unsubscribe(feed_listener* listener) override { feed_.unsubscribe(listener); }
  void compact(revision upto) override { disk_.compact(upto); }
  std::string incarnation_id() const override { return disk_.incarnation_id(); }
  store_health health() const override { return disk_.health(); }
  store_figures figures() const override { return disk_.figures(); }

 private:
  void apply(batch b, completion done) {
    const auto& who = b.from.id.empty() ? "a request" : b.from.id;
    if (!reach(fmt::format("before commit {} of {}", commits_ + 1, who))) return answer(done, dead_error());
    disk_.submit(std::move(b), [this, done = std::move(done)](result<commit> r) {
      if (options_.points->dead(options_.node)) return answer(done, dead_error());
      answer(done, std::move(r));
    });
  }

  /// Durable, and nobody has been told: the disk calls this before the batch's own completion.
  void on_committed(const std::vector<change>& changes) override {
    const auto& first = changes.front();
    if (!reach(fmt::format("after commit {} of {} at revision {}", ++commits_, to_string(first.key), first.rev.get())))
      return;
    feed_.publish(changes, [] {});
  }

  bool reach(const std::string& what) { return options_.points->reach(options_.node, what + options_.what); }
  static void answer(const completion& done, result<commit> r) {
    if (done) done(std::move(r));
  }
  error dead_error() const { return fail(errc::unavailable, options_.node + " is dead"); }

  store& disk_;
  const mortal_options options_;
  storage::feed_hub feed_;
  std::uint64_t commits_ = 0;  ///< those that changed something
};

}  // namespace

std::unique_ptr<store> make_mortal_store(store& disk, mortal_options options) {
  return std::make_unique<mortal_store>(disk, std::move(options));
}

}  // namespace wh
