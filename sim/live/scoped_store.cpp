#include "sim/live/scoped_store.hpp"

#include <utility>

#include "base/assert.hpp"

namespace wh {
namespace {

class scoped_store final : public store {
 public:
  scoped_store(store& shared, std::string scope) : shared_(shared), scope_(std::move(scope)) {}

  void submit(batch b, completion done) override {
    // Else one spoke's failed batch would discard those of another's actor of the same name.
    if (!b.from.id.empty()) b.from.id = scope_ + "/" + b.from.id;
    for (precondition& p : b.preconditions) std::visit([this](auto& one) { enter(one); }, p);
    for (put& p : b.puts) enter(p.key);
    for (erase& e : b.erases) enter(e.key);
    shared_.submit(std::move(b), std::move(done));
  }

  result<std::optional<record>> get(const object_key& key, revision at) const override {
    auto found = shared_.get(inside(key), at);
    if (found && *found) (*found)->key.ns.clear();
    return found;
  }

  result<page> list(const key_range& range, revision at, const std::optional<object_key>& after,
                    std::size_t limit) const override {
    WH_ASSERT(range.ns.empty());
    const auto from = after ? std::optional(inside(*after)) : std::nullopt;
    auto found = shared_.list({range.resource, scope_, range.name}, at, from, limit);
    if (found)
      for (record& r : found->records) r.key.ns.clear();
    return found;
  }

  revision_window window() const override { return shared_.window(); }
  std::string incarnation_id() const override { return shared_.incarnation_id(); }
  store_health health() const override { return shared_.health(); }
  store_figures figures() const override { return shared_.figures(); }

  // A feed filtered by each of thousands of spokes would cost every commit all of them.
  result<std::vector<change>> changes_since(revision, std::size_t) const override {
    return fail(errc::unsupported, "a part of a shared store has no feed");
  }
  revision subscribe(feed_listener*) override {
    WH_ASSERT(!"a part of a shared store has no feed");
    return {};
  }
  void unsubscribe(feed_listener*) override {}
  void compact(revision) override {}  // the whole store's affair

 private:
  object_key inside(object_key key) const {
    enter(key);
    return key;
  }
  void enter(object_key& key) const {
    WH_ASSERT(key.ns.empty());
    key.ns = scope_;
  }
  void enter(at_revision& p) const { enter(p.key); }
  void enter(absent& p) const { enter(p.key); }
  void enter(present& p) const { enter(p.key); }
  void enter(namespace_active&) const { WH_ASSERT(!"a spoke's agent knows no namespaces"); }

  store& shared_;
  const std::string scope_;
};

}  // namespace

std::unique_ptr<store> make_scoped_store(store& shared, std::string scope) {
  return std::make_unique<scoped_store>(shared, std::move(scope));
}

}  // namespace wh
