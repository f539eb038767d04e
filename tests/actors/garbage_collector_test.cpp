#include "actors/shared/garbage_collector.hpp"

#include "actor_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

object_key key_of(const std::string& name) { return {"configmaps", "n", name}; }

document owned(const std::string& name, const std::vector<std::string>& owners = {}, bool blocking = true) {
  document d = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}, {"uid", "uid-" + name}}}};
  for (const auto& owner : owners)
    d["metadata"]["ownerReferences"].push_back(
        {{"kind", "ConfigMap"}, {"name", owner}, {"uid", "uid-" + owner}, {"blockOwnerDeletion", blocking}});
  return d;
}

document deleting(document d, const std::vector<std::string>& finalizers) {
  d["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  d["metadata"]["finalizers"] = finalizers;
  return d;
}

/// A collector over a store, fed with every change that it should see.
struct collector_bench {
  bench_top b;
  garbage_collector gc{.owners = [](const object_key&) { return std::nullopt; },
                       .resources = [] { return std::vector<std::string>{"configmaps"}; },
                       .dependents = {},
                       .owned_by = {},
                       .due = {},
                       .waiting = {}};
  std::map<object_key, record> fed;

  collector_bench() { b.start(gc); }
  void put(const document& d) { b.put_document(key_of(std::string(name_of(d))), d); }
  void erase(const std::string& name) { b.objects.erase(key_of(name)); }

  /// Feeds changes and timers until nothing changes any more.
  void settle() {
    for (int i = 0; i < 20; ++i) {
      const auto before = std::exchange(fed, b.objects);
      std::vector<change> changes;
      const auto changed = [&](const object_key& key, const shared_bytes& body, const shared_bytes& previous) {
        auto& c = changes.emplace_back();
        c.key = key;
        c.body = body;
        c.previous = previous;
      };
      for (const auto& [key, r] : fed) {
        const auto was = before.find(key);
        if (was == before.end()) changed(key, r.body, nullptr);
        else if (*was->second.body != *r.body) changed(key, r.body, was->second.body);
      }
      for (const auto& [key, r] : before)
        if (!fed.contains(key)) changed(key, nullptr, r.body);
      for (const auto& c : changes)
        if (concerns_garbage_collector(c)) b.handle(gc, object_changed{c});
      b.handle(gc, timer_fired{"collect"});
    }
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [key, r] : b.objects) out.push_back(key.name);
    return out;
  }
};

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("dependents go with their last owner", "[gc]") {
  collector_bench t;
  t.put(owned("a"));
  t.put(owned("b"));
  t.put(owned("of-a", {"a"}));
  t.put(owned("of-both", {"a", "b"}));
  t.put(owned("of-of-a", {"of-a"}));
  t.settle();
  CHECK(t.names().size() == 5);
  t.erase("a");
  t.settle();
  CHECK(t.names() == strings{"b", "of-both"});
  CHECK(t.b.get(key_of("of-both"))["metadata"]["ownerReferences"].size() == 1);
}

TEST_CASE("a foreground deletion ends after the dependents that block it", "[gc]") {
  collector_bench t;
  t.put(owned("a"));
  t.put(owned("child", {"a"}));
  t.put(owned("grandchild", {"child"}));
  t.put(owned("shared", {"a", "other"}));
  t.put(owned("other"));
  auto slow = owned("slow", {"a"});
  slow["metadata"]["finalizers"] = {"example.io/slow"};
  t.put(slow);
  t.settle();
  t.put(deleting(owned("a"), {"foregroundDeletion"}));
  t.settle();
  CHECK(t.names() == strings{"a", "other", "shared", "slow"});
  CHECK(is_deleting(t.b.get(key_of("slow"))));
  CHECK(t.b.get(key_of("shared"))["metadata"]["ownerReferences"].size() == 1);
  t.erase("slow");
  t.settle();
  CHECK(t.names() == strings{"other", "shared"});
}

TEST_CASE("dependents that do not block go after the owner", "[gc]") {
  collector_bench t;
  t.put(deleting(owned("a"), {"foregroundDeletion", "example.io/mine"}));
  t.put(owned("child", {"a"}, false));
  t.settle();
  CHECK(t.b.get(key_of("a"))["metadata"]["finalizers"] == document({"example.io/mine"}));
  CHECK_FALSE(is_deleting(t.b.get(key_of("child"))));
  t.erase("a");
  t.settle();
  CHECK(t.names().empty());
}

TEST_CASE("owners in a circle do not wait for each other", "[gc]") {
  collector_bench t;
  t.put(owned("a", {"c"}));
  t.put(owned("b", {"a"}));
  t.put(owned("c", {"b"}));
  t.put(owned("self", {"self"}));
  t.settle();
  t.put(deleting(owned("a", {"c"}), {"foregroundDeletion"}));
  t.put(deleting(owned("self", {"self"}), {"foregroundDeletion"}));
  t.settle();
  CHECK(t.names().empty());
}

TEST_CASE("an orphaning deletion leaves the dependents, without the reference", "[gc]") {
  collector_bench t;
  t.put(owned("child", {"a"}));
  t.put(owned("shared", {"a", "b"}));
  t.put(owned("b"));
  t.put(deleting(owned("a"), {"orphan"}));
  t.settle();
  CHECK(t.names() == strings{"b", "child", "shared"});
  CHECK_FALSE(t.b.get(key_of("child"))["metadata"].contains("ownerReferences"));
  CHECK(t.b.get(key_of("shared"))["metadata"]["ownerReferences"].size() == 1);
}

TEST_CASE("a collector that starts anew finds who waits", "[gc]") {
  collector_bench t;
  t.put(owned("child", {"a"}));
  t.put(deleting(owned("a"), {"foregroundDeletion"}));
  t.fed = t.b.objects;
  t.b.start(t.gc);
  t.settle();
  CHECK(t.names().empty());
}

TEST_CASE("only what concerns owners is looked at", "[gc]") {
  const auto seen = [](const document& d) {
    change c;
    c.key = key_of("a");
    c.body = encode_body(d);
    return concerns_garbage_collector(c);
  };
  CHECK_FALSE(seen(owned("a")));
  CHECK(seen(owned("a", {"b"})));
  CHECK(seen(deleting(owned("a"), {"foregroundDeletion"})));
  CHECK(seen(deleting(owned("a"), {"orphan"})));
}
