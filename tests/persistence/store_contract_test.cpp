// What every store has to do, run on each.
#include <mutex>

#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

struct memory_kind {
  std::unique_ptr<store> s = make_memory_store("first-life");
};

struct lmdb_kind {
  temp_dir dir;
  std::unique_ptr<store> s = open(options_for(dir.sub("store")));
};

batch namespace_put(const std::string& name, namespace_phase phase) {
  batch b = put_of({"namespaces", "", name}, "ns");
  b.puts.front().phase = phase;
  return b;
}

}  // namespace

#define STORE_TEST(name) TEMPLATE_TEST_CASE(name, "[persistence][contract]", memory_kind, lmdb_kind)

STORE_TEST("a new store is empty, writable and starts at revision 0") {
  TestType t;
  REQUIRE(t.s->window().current == revision{0});
  REQUIRE(t.s->window().compacted == revision{0});
  REQUIRE(t.s->health().writable);
  REQUIRE(t.s->incarnation_id() == "first-life");
  REQUIRE(body_of(*t.s, config("a")) == "-");
  REQUIRE(t.s->list({"configmaps", "", ""})->records.empty());
  REQUIRE(t.s->changes_since({}, 0)->empty());
}

STORE_TEST("what was put can be read until it is erased") {
  TestType t;
  REQUIRE(must(*t.s, put_of(config("a"), "one")) == commit{revision{1}, revision{1}, 1});
  REQUIRE(body_of(*t.s, config("a")) == "one");
  REQUIRE((**t.s->get(config("a"))).rev == revision{1});
  must(*t.s, erase_of(config("a")));
  REQUIRE(body_of(*t.s, config("a")) == "-");
  REQUIRE(t.s->window().current == revision{2});
}

STORE_TEST("every effective put and erase takes a revision of its own, puts first") {
  TestType t;
  must(*t.s, put_of(config("old"), "x"));
  batch b = put_of(config("a"), "1");
  b.puts.push_back({config("b"), share("2"), namespace_phase::active});
  b.erases = {{config("missing")}, {config("old")}};
  REQUIRE(must(*t.s, b) == commit{revision{2}, revision{4}, 3});
  REQUIRE(changes_after(*t.s, revision{1}) == std::vector<std::string>{"configmaps/default/a@2 -@0->1",
                                                                       "configmaps/default/b@3 -@0->2",
                                                                       "configmaps/default/old@4 x@1->-"});
}

STORE_TEST("a batch may change one object several times, in order") {
  TestType t;
  batch b = put_of(config("a"), "1");
  b.puts.push_back({config("a"), share("2"), namespace_phase::active});
  b.erases = {{config("a")}, {config("a")}};
  REQUIRE(must(*t.s, b) == commit{revision{1}, revision{3}, 3});
  REQUIRE(body_of(*t.s, config("a"), revision{1}) == "1");
  REQUIRE(body_of(*t.s, config("a"), revision{2}) == "2");
  REQUIRE(body_of(*t.s, config("a")) == "-");
}

STORE_TEST("a batch that changes nothing reports the current revision twice") {
  TestType t;
  must(*t.s, put_of(config("a"), "1"));
  REQUIRE(must(*t.s, erase_of(config("missing"))) == commit{revision{1}, revision{1}, 0});
  REQUIRE(must(*t.s, batch{}) == commit{revision{1}, revision{1}, 0});
  REQUIRE(must(*t.s, when(present{config("a")}, batch{})) == commit{revision{1}, revision{1}, 0});
}

STORE_TEST("each precondition fails with its own code") {
  TestType t;
  must(*t.s, put_of(config("a"), "1"));
  const batch change = put_of(config("b"), "x");
  REQUIRE(code_of(*t.s, when(at_revision{config("a"), revision{7}}, change)) == errc::conflict);
  REQUIRE(code_of(*t.s, when(at_revision{config("none"), revision{1}}, change)) == errc::conflict);
  REQUIRE(code_of(*t.s, when(absent{config("a")}, change)) == errc::already_exists);
  REQUIRE(code_of(*t.s, when(present{config("none")}, change)) == errc::not_found);
  REQUIRE(code_of(*t.s, when(namespace_active{"none"}, change)) == errc::not_found);
  REQUIRE(body_of(*t.s, config("b")) == "-");
  REQUIRE(t.s->window().current == revision{1});
  must(*t.s, when(at_revision{config("a"), revision{1}}, when(absent{config("none")}, change)));
  REQUIRE(body_of(*t.s, config("b")) == "x");
}

STORE_TEST("nothing can be created in a namespace that is being terminated") {
  TestType t;
  must(*t.s, namespace_put("team", namespace_phase::active));
  const batch create = when(namespace_active{"team"}, put_of(config("a", "team"), "1"));
  must(*t.s, create);
  must(*t.s, namespace_put("team", namespace_phase::terminating));
  REQUIRE(code_of(*t.s, create) == errc::forbidden);
  must(*t.s, erase_of({"namespaces", "", "team"}));
  REQUIRE(code_of(*t.s, create) == errc::not_found);
}

STORE_TEST("malformed batches are refused") {
  TestType t;
  batch no_body = put_of(config("a"), "");
  no_body.puts.front().body = nullptr;
  REQUIRE(code_of(*t.s, no_body) == errc::invalid);
  REQUIRE(code_of(*t.s, put_of(config(""), "x")) == errc::invalid);
  REQUIRE(code_of(*t.s, put_of({"", "ns", "a"}, "x")) == errc::invalid);
  REQUIRE(code_of(*t.s, put_of(config(std::string("a\0b", 3)), "x")) == errc::invalid);
  REQUIRE(code_of(*t.s, put_of(config(std::string(600, 'n')), "x")) == errc::too_large);
  must(*t.s, put_of(config(std::string(253, 'n'), std::string(63, 's')), ""));
  REQUIRE(body_of(*t.s, config(std::string(253, 'n'), std::string(63, 's'))).empty());
}

STORE_TEST("an object can be read as it was at an exact revision") {
  TestType t;
  for (int i = 1; i <= 9; ++i) must(*t.s, put_of(config("a"), std::to_string(i)));
  must(*t.s, erase_of(config("a")));
  must(*t.s, put_of(config("a"), "again"));
  for (std::uint64_t i = 1; i <= 9; ++i) REQUIRE(body_of(*t.s, config("a"), revision{i}) == std::to_string(i));
  REQUIRE(body_of(*t.s, config("a"), revision{10}) == "-");
  REQUIRE(body_of(*t.s, config("a"), revision{11}) == "again");
  REQUIRE(t.s->get(config("a"), revision{12}).err().code == errc::invalid);
}

STORE_TEST("lists are sorted by namespace and name and cut to their range") {
  TestType t;
  for (const auto& [ns, name] : {std::pair{"b", "z"}, {"a", "y"}, {"b", "a"}, {"a-1", "x"}, {"a", "x"}})
    must(*t.s, put_of(config(name, ns), "1"));
  must(*t.s, put_of({"configmap", "a", "before"}, "1"));
  must(*t.s, put_of({"configmaps.example.com", "a", "behind"}, "1"));
  const auto all = t.s->list({"configmaps", "", ""});
  std::vector<std::string> keys;
  for (const record& r : all->records) keys.push_back(r.key.ns + "/" + r.key.name);
  REQUIRE(keys == std::vector<std::string>{"a/x", "a/y", "a-1/x", "b/a", "b/z"});
  REQUIRE(names_of(*t.s->list({"configmaps", "b", ""})) == std::vector<std::string>{"a", "z"});
  REQUIRE(names_of(*t.s->list({"configmaps", "b", "z"})) == std::vector<std::string>{"z"});
  REQUIRE(t.s->list({"configmaps", "", "x"})->records.size() == 2);
  REQUIRE(t.s->list({"configmaps", "c", ""})->records.empty());
}

STORE_TEST("one cluster-scoped object is found by its range") {
  TestType t;
  for (int i = 0; i < 50; ++i) must(*t.s, put_of({"managedclusters", "", "c" + std::to_string(i)}, "1"));
  REQUIRE(names_of(*t.s->list({"managedclusters", "", "c7"})) == std::vector<std::string>{"c7"});
  REQUIRE(t.s->list({"managedclusters", "", "c77"})->records.empty());
}

STORE_TEST("a list in pages stays at its revision while writes go on") {
  TestType t;
  for (int i = 10; i < 20; ++i) must(*t.s, put_of(config("o" + std::to_string(i)), "old"));
  page p = *t.s->list({"configmaps", "", ""}, {}, {}, 3);
  REQUIRE(p.more);
  REQUIRE(p.at == revision{10});
  std::vector<std::string> names = names_of(p);
  for (int i = 10; i < 20; i += 2) must(*t.s, erase_of(config("o" + std::to_string(i))));
  must(*t.s, put_of(config("o15"), "new"));
  must(*t.s, put_of(config("o155"), "new"));
  const revision at = p.at;
  while (p.more) {
    p = *t.s->list({"configmaps", "", ""}, at, p.records.back().key, 3);
    for (const record& r : p.records) {
      REQUIRE(*r.body == "old");
      names.push_back(r.key.name);
    }
  }
  REQUIRE(names == std::vector<std::string>{"o10", "o11", "o12", "o13", "o14", "o15", "o16", "o17", "o18", "o19"});
  REQUIRE(t.s->list({"configmaps", "", ""})->records.size() == 6);
  REQUIRE_FALSE(t.s->list({"configmaps", "", ""}, {}, {}, 6)->more);
}

STORE_TEST("the changes after a revision are told in order with what was there before") {
  TestType t;
  must(*t.s, put_of(config("a"), "1"));
  must(*t.s, put_of(config("a"), "2"));
  must(*t.s, erase_of(config("a")));
  must(*t.s, put_of(config("a"), "3"));
  const std::vector<std::string> all{"configmaps/default/a@1 -@0->1", "configmaps/default/a@2 1@1->2",
                                     "configmaps/default/a@3 2@2->-", "configmaps/default/a@4 -@0->3"};
  REQUIRE(changes_after(*t.s, revision{0}) == all);
  REQUIRE(changes_after(*t.s, revision{2}) == std::vector<std::string>(all.begin() + 2, all.end()));
  REQUIRE(changes_after(*t.s, revision{0}, 2) == std::vector<std::string>(all.begin(), all.begin() + 2));
  REQUIRE(changes_after(*t.s, revision{4}).empty());
  REQUIRE(t.s->changes_since(revision{5}, 0).err().code == errc::invalid);
}

STORE_TEST("a subscriber hears every change after the revision it was told") {
  TestType t;
  must(*t.s, put_of(config("a"), "1"));
  recorder r;
  REQUIRE(t.s->subscribe(&r) == revision{1});
  must(*t.s, put_of(config("a"), "2"));
  must(*t.s, erase_of(config("missing")));
  must(*t.s, erase_of(config("a")));
  t.s->unsubscribe(&r);
  must(*t.s, put_of(config("a"), "3"));
  REQUIRE(r.seen == std::vector<std::string>{"configmaps/default/a@2 1@1->2", "configmaps/default/a@3 2@2->-"});
  REQUIRE(r.calls == 2);
}

STORE_TEST("the feed comes before the completion, and readers see the change already") {
  TestType t;
  struct reader final : feed_listener {
    store* s = nullptr;
    std::vector<std::string>* events = nullptr;
    void on_committed(const std::vector<change>& changes) override {
      events->push_back("feed " + body_of(*s, changes.front().key));
    }
  } r;
  std::vector<std::string> events;
  r.s = t.s.get();
  r.events = &events;
  t.s->subscribe(&r);
  std::promise<void> finished;
  t.s->submit(put_of(config("a"), "1"), [&](const result<commit>&) {
    events.push_back("completion");
    finished.set_value();
  });
  finished.get_future().get();
  t.s->unsubscribe(&r);
  REQUIRE(events == std::vector<std::string>{"feed 1", "completion"});
}

STORE_TEST("a completion may submit the next batch") {
  TestType t;
  std::promise<result<commit>> second;
  t.s->submit(put_of(config("a"), "1"), [&](const result<commit>& first) {
    REQUIRE(first.ok());
    t.s->submit(when(at_revision{config("a"), first->last}, put_of(config("a"), "2")),
                [&](result<commit> r) { second.set_value(std::move(r)); });
  });
  REQUIRE(second.get_future().get().ok());
  REQUIRE(body_of(*t.s, config("a")) == "2");
}

STORE_TEST("completions come in the order of submission, failures included") {
  TestType t;
  std::vector<int> order;
  std::promise<void> finished;
  for (int i = 0; i < 200; ++i) {
    batch b = put_of(config("a"), std::to_string(i));
    if (i % 3 == 0) b = when(present{config("missing")}, b);
    t.s->submit(b, [&order, &finished, i](const result<commit>& r) {
      if (r.ok() == (i % 3 == 0)) order.push_back(-1);
      order.push_back(i);
      if (i == 199) finished.set_value();
    });
  }
  finished.get_future().get();
  REQUIRE(order.size() == 200);
  REQUIRE(std::is_sorted(order.begin(), order.end()));
}

STORE_TEST("after a failure the writer's later batches of that life are discarded, and no others") {
  TestType t;
  must(*t.s, from("actor", 1, put_of(config("a"), "1")));
  REQUIRE(code_of(*t.s, from("actor", 1, when(absent{config("a")}, put_of(config("b"), "x")))) == errc::already_exists);
  REQUIRE(code_of(*t.s, from("actor", 1, put_of(config("c"), "x"))) == errc::discarded);
  REQUIRE(code_of(*t.s, from("actor", 0, put_of(config("c"), "x"))) == errc::discarded);
  must(*t.s, from("other", 1, put_of(config("d"), "x")));
  must(*t.s, put_of(config("e"), "x"));
  must(*t.s, from("actor", 2, put_of(config("c"), "y")));
  REQUIRE(code_of(*t.s, from("actor", 1, put_of(config("c"), "x"))) == errc::discarded);
  REQUIRE(body_of(*t.s, config("c")) == "y");
}

STORE_TEST("a writer without a name is never discarded") {
  TestType t;
  REQUIRE(code_of(*t.s, when(present{config("none")}, put_of(config("a"), "1"))) == errc::not_found);
  must(*t.s, put_of(config("a"), "1"));
}

STORE_TEST("compaction keeps what is current and answers gone for what is older") {
  TestType t;
  for (int i = 1; i <= 5; ++i) must(*t.s, put_of(config("a"), std::to_string(i)));
  must(*t.s, put_of(config("b"), "b"));
  must(*t.s, put_of(config("dead"), "x"));
  must(*t.s, erase_of(config("dead")));
  must(*t.s, put_of(config("a"), "6"));
  compact_and_wait(*t.s, revision{8});
  REQUIRE(t.s->get(config("a"), revision{7}).err().code == errc::gone);
  REQUIRE(t.s->list({"configmaps", "", ""}, revision{7}).err().code == errc::gone);
  REQUIRE(t.s->changes_since(revision{7}, 0).err().code == errc::gone);
  REQUIRE(t.s->changes_since(revision{0}, 0).err().code == errc::gone);
  REQUIRE(body_of(*t.s, config("a"), revision{8}) == "5");
  REQUIRE(names_of(*t.s->list({"configmaps", "", ""}, revision{8})) == std::vector<std::string>{"a", "b"});
  REQUIRE(changes_after(*t.s, revision{8}) == std::vector<std::string>{"configmaps/default/a@9 5@5->6"});
  REQUIRE(body_of(*t.s, config("a")) == "6");
  compact_and_wait(*t.s, revision{9});
  REQUIRE(names_of(*t.s->list({"configmaps", "", ""})) == std::vector<std::string>{"a", "b"});
  must(*t.s, put_of(config("dead"), "alive"));
  REQUIRE(changes_after(*t.s, revision{9}) == std::vector<std::string>{"configmaps/default/dead@10 -@0->alive"});
}

STORE_TEST("compacting beyond the current revision stops at it") {
  TestType t;
  must(*t.s, put_of(config("a"), "1"));
  t.s->compact(revision{100});
  REQUIRE(eventually([&] { return t.s->window().compacted == revision{1}; }));
  must(*t.s, put_of(config("a"), "2"));
  must(*t.s, put_of(config("a"), "3"));
  REQUIRE(t.s->window().compacted == revision{1});
}

STORE_TEST("in-memory batches share revisions, reads, lists and feed with stored ones") {
  TestType t;
  recorder r;
  t.s->subscribe(&r);
  must(*t.s, put_of(lease("c1"), "stored"));
  must(*t.s, in_memory(put_of(lease("c1"), "renewed")));
  must(*t.s, in_memory(put_of(lease("c2"), "volatile")));
  REQUIRE(t.s->window().current == revision{3});
  REQUIRE(body_of(*t.s, lease("c1")) == "renewed");
  REQUIRE(body_of(*t.s, lease("c1"), revision{1}) == "stored");
  REQUIRE(body_of(*t.s, lease("c2"), revision{2}) == "-");
  const auto all = t.s->list({"leases.coordination.k8s.io", "", ""});
  REQUIRE(all->records.size() == 2);
  REQUIRE(*t.s->count({"leases.coordination.k8s.io", "", ""}) == 2);
  REQUIRE(*all->records[0].body == "renewed");
  REQUIRE(code_of(*t.s, when(at_revision{lease("c1"), revision{1}}, put_of(config("x"), "x"))) == errc::conflict);
  must(*t.s, when(at_revision{lease("c1"), revision{2}}, put_of(lease("c1"), "stored again")));
  REQUIRE(body_of(*t.s, lease("c1")) == "stored again");
  REQUIRE(body_of(*t.s, lease("c1"), revision{3}) == "renewed");
  must(*t.s, in_memory(erase_of(lease("c1"))));
  REQUIRE(body_of(*t.s, lease("c1")) == "-");
  REQUIRE(names_of(*t.s->list({"leases.coordination.k8s.io", "c1", ""})).empty());
  REQUIRE(*t.s->count({"leases.coordination.k8s.io", "", ""}) == 1);
  REQUIRE(*t.s->count({"leases.coordination.k8s.io", "", ""}, revision{3}) == 2);
  const std::vector<std::string> all_changes = changes_after(*t.s, revision{0});
  t.s->unsubscribe(&r);
  REQUIRE(r.seen == all_changes);
  REQUIRE(all_changes[1] == "leases.coordination.k8s.io/c1/managed-cluster-lease@2 stored@1->renewed in memory");
  REQUIRE(all_changes[3] == "leases.coordination.k8s.io/c1/managed-cluster-lease@4 renewed@2->stored again");
  compact_and_wait(*t.s, revision{5});
  REQUIRE(body_of(*t.s, lease("c1")) == "-");
  REQUIRE(body_of(*t.s, lease("c2")) == "volatile");
}

STORE_TEST("many threads may write and read at once") {
  TestType t;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int w = 0; w < 4; ++w) {
    threads.emplace_back([&t, &failures, w] {
      for (int i = 0; i < 50; ++i) {
        const object_key key = config("w" + std::to_string(w));
        const auto before = t.s->get(key);
        batch b = put_of(key, std::to_string(i));
        if (*before) b = when(at_revision{key, (**before).rev}, b);
        else b = when(absent{key}, b);
        if (!commit_of(*t.s, b).ok()) ++failures;
        if (t.s->list({"configmaps", "", ""})->records.empty()) ++failures;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE(failures == 0);
  REQUIRE(t.s->window().current == revision{200});
  REQUIRE(changes_after(*t.s, revision{0}).size() == 200);
}
