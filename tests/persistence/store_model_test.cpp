// Random work on a store, on its twin and on a model so simple that it is right.
#include <algorithm>
#include <map>

#include "base/random.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

using objects = std::map<object_key, std::pair<revision, std::string>>;

/// Every state that ever was, by revision.
struct model {
  std::vector<objects> history{objects{}};
  std::vector<bool> in_memory{false};  ///< as long as `history`
  std::map<std::string, namespace_phase> namespaces;
  std::map<std::string, incarnation> failed;  ///< writers, and the newest life in which a batch of theirs failed

  const objects& now() const { return history.back(); }

  bool holds(const precondition& p) const {
    if (const auto* at = std::get_if<at_revision>(&p)) {
      const auto it = now().find(at->key);
      return it != now().end() && it->second.first == at->rev;
    }
    if (const auto* none = std::get_if<absent>(&p)) return now().count(none->key) == 0;
    if (const auto* any = std::get_if<present>(&p)) return now().count(any->key) != 0;
    const auto it = namespaces.find(std::get<namespace_active>(p).ns);
    return it != namespaces.end() && it->second == namespace_phase::active;
  }

  bool discards(const writer& from) const {
    const auto it = failed.find(from.id);
    return it != failed.end() && from.life <= it->second;
  }

  /// Nothing when the batch is applied, or why it is not as far as the model knows: discarded, or any other reason.
  std::optional<errc> apply(const batch& b) {
    if (discards(b.from)) return errc::discarded;
    for (const precondition& p : b.preconditions) {
      if (holds(p)) continue;
      if (!b.from.id.empty()) failed[b.from.id] = b.from.life;
      return errc::conflict;
    }
    for (const put& p : b.puts) {
      objects next = now();
      next[p.key] = {revision{history.size()}, *p.body};
      history.push_back(std::move(next));
      in_memory.push_back(b.in_memory);
      if (p.key.resource == "namespaces") namespaces[p.key.name] = p.phase;
    }
    for (const erase& e : b.erases) {
      if (now().count(e.key) == 0) continue;
      objects next = now();
      next.erase(e.key);
      history.push_back(std::move(next));
      in_memory.push_back(b.in_memory);
      if (e.key.resource == "namespaces") namespaces.erase(e.key.name);
    }
    return {};
  }

  /// The feed as describe() shows it.
  std::vector<std::string> changes(revision after) const {
    std::vector<std::string> out;
    for (std::uint64_t rev = after.get() + 1; rev < history.size(); ++rev) out.push_back(change_at(rev));
    return out;
  }

 private:
  /// Exactly one object differs between a revision and the one before.
  std::string change_at(std::uint64_t rev) const {
    const objects& before = history[rev - 1];
    const objects& after = history[rev];
    const auto put_here =
        std::find_if(after.begin(), after.end(), [&](const auto& o) { return o.second.first.get() == rev; });
    const auto gone =
        std::find_if(before.begin(), before.end(), [&](const auto& o) { return after.count(o.first) == 0; });
    change c{.key = put_here != after.end() ? put_here->first : gone->first,
             .rev = revision{rev},
             .body = put_here != after.end() ? share(put_here->second.second) : nullptr,
             .previous = nullptr,
             .previous_rev = {},
             .in_memory = in_memory[rev]};
    if (const auto old = before.find(c.key); old != before.end()) {
      c.previous = share(old->second.second);
      c.previous_rev = old->second.first;
    }
    return describe(c);
  }
};

/// Whether a store said what the model did.
void require_same(const result<commit>& outcome, const std::optional<errc>& expected) {
  REQUIRE(outcome.ok() == !expected);
  if (expected) REQUIRE((outcome.err().code == errc::discarded) == (*expected == errc::discarded));
}

class generator {
 public:
  explicit generator(std::uint64_t seed) : r(seed) {}

  object_key key() {
    static const std::vector<std::string> resources{"configmaps", "managedclusters", "namespaces"};
    static const std::vector<std::string> spaces{"a", "a-b", "b"};
    object_key k{resources[r.below(3)], "", "n" + std::to_string(r.below(6))};
    if (k.resource == "configmaps") k.ns = spaces[r.below(3)];
    return k;
  }

  batch next(const model& m, bool with_memory) {
    batch b;
    if (r.chance(0.3)) b.from = next_writer(m);
    const std::uint64_t most = r.chance(0.1) ? 20 : 3;
    for (std::uint64_t n = r.below(most); n > 0; --n) {
      const put p{key(), share("v" + std::to_string(r.below(1000000))),
                  r.chance(0.2) ? namespace_phase::terminating : namespace_phase::active};
      b.puts.push_back(p);
    }
    for (std::uint64_t n = r.below(2); n > 0; --n) b.erases.push_back({key()});
    if (r.chance(0.5))
      for (std::uint64_t n = 1 + r.below(most / 3); n > 0; --n) b.preconditions.push_back(condition(m));
    b.in_memory = with_memory && r.chance(0.3);
    return b;
  }

  /// Mostly one whose work is void for an earlier failure, so that few lives suffice.
  writer next_writer(const model& m) {
    writer w{"actor" + std::to_string(r.below(3)), incarnation{1}};
    const auto it = m.failed.find(w.id);
    if (it != m.failed.end()) w.life = incarnation{it->second.get() + r.below(2)};
    return w;
  }

  precondition condition(const model& m) {
    const object_key k = key();
    const auto it = m.now().find(k);
    const bool wrong = r.chance(0.2);
    switch (r.below(3)) {
      case 0: return namespace_active{"n" + std::to_string(r.below(6))};
      case 1: return it == m.now().end() ? precondition{absent{k}} : precondition{present{k}};
      default: return at_revision{k, it == m.now().end() || wrong ? revision{r.below(50)} : it->second.first};
    }
  }

  rng r;
};

std::vector<std::string> show(const objects& all, const key_range& range) {
  std::vector<std::string> out;
  for (const auto& [key, value] : all)
    if (range.contains(key)) out.push_back(to_string(key) + "@" + std::to_string(value.first.get()) + value.second);
  return out;
}

std::vector<std::string> show(const page& p) {
  std::vector<std::string> out;
  for (const record& r : p.records) out.push_back(to_string(r.key) + "@" + std::to_string(r.rev.get()) + *r.body);
  return out;
}

/// The whole list, fetched in pages of `limit`. What is still to come is counted before each.
std::vector<std::string> list_in_pages(const store& s, const key_range& range, revision at, std::size_t limit) {
  std::vector<std::string> out;
  std::optional<object_key> after;
  const auto all = s.count(range, at, after);
  if (!all) FAIL(all.err().message);
  while (true) {
    REQUIRE(*s.count(range, at, after) == *all - out.size());
    const auto p = s.list(range, at, after, limit);
    if (!p) FAIL(p.err().message);
    for (const std::string& line : show(*p)) out.push_back(line);
    if (!p->more) REQUIRE(out.size() == *all);
    if (!p->more) return out;
    REQUIRE(p->records.size() == limit);
    after = p->records.back().key;
  }
}

/// What lies before the compacted revision is gone, for every kind of read.
void check_gone(const store& s, generator& g) {
  const revision_window w = s.window();
  if (w.compacted <= revision{1}) return;
  const revision old{1 + g.r.below(w.compacted.get() - 1)};
  REQUIRE(s.get(g.key(), old).err().code == errc::gone);
  REQUIRE(s.list({"configmaps", "", ""}, old).err().code == errc::gone);
  REQUIRE(s.count({"configmaps", "", ""}, old).err().code == errc::gone);
  REQUIRE(s.changes_since(old, 0).err().code == errc::gone);
}

void check_reads(const store& s, const model& m, generator& g) {
  const revision_window w = s.window();
  REQUIRE(w.current.get() == m.history.size() - 1);
  check_gone(s, g);
  const revision at{w.compacted.get() + g.r.below(w.current.get() - w.compacted.get() + 1)};
  if (g.r.chance(0.1)) REQUIRE(changes_after(s, at) == m.changes(at));
  if (at == revision{}) return;  // would mean "now"
  const objects& then = m.history[at.get()];
  const object_key key = g.key();
  const auto it = then.find(key);
  REQUIRE(body_of(s, key, at) == (it == then.end() ? "-" : it->second.second));
  key_range range{key.resource, g.r.chance(0.5) ? key.ns : "", g.r.chance(0.3) ? key.name : ""};
  REQUIRE(list_in_pages(s, range, at, g.r.below(4)) == show(then, range));
}

/// A list that is continued page by page while writers go on, at the revision at which it began.
class slow_list {
 public:
  void step(const store& s, const model& m, generator& g) {
    if (at_ == revision{}) return begin(s, m, g);
    const auto p = s.list(range_, at_, after_, 2);
    if (at_ < s.window().compacted) {
      REQUIRE(p.err().code == errc::gone);
      at_ = {};
      return;
    }
    if (!p) FAIL(p.err().message);
    for (const std::string& line : show(*p)) found_.push_back(line);
    if (p->more) {
      after_ = p->records.back().key;
      return;
    }
    REQUIRE(found_ == expected_);
    at_ = {};
    ++finished;
  }
  int finished = 0;

 private:
  void begin(const store& s, const model& m, generator& g) {
    at_ = s.window().current;
    range_ = {g.key().resource, "", ""};
    after_.reset();
    found_.clear();
    expected_ = show(m.history[at_.get()], range_);
  }

  key_range range_;
  revision at_;
  std::optional<object_key> after_;
  std::vector<std::string> found_;
  std::vector<std::string> expected_;
};

std::uint64_t seed_of(int run) { return 20260102 + static_cast<std::uint64_t>(run); }

}  // namespace

TEST_CASE("both stores do the same as the model under random batches, compactions included", "[persistence][model]") {
  const std::uint64_t seed = seed_of(GENERATE(range(0, 8)));
  INFO("seed " << seed);
  generator g(seed);
  model m;
  temp_dir dir;
  const auto disk = open(options_for(dir.sub("store")));
  const auto memory = make_memory_store("first-life");
  slow_list on_disk_list;
  slow_list in_memory_list;
  for (int i = 0; i < 300; ++i) {
    const batch b = g.next(m, true);
    const auto expected = m.apply(b);
    const auto a = commit_of(*disk, b);
    REQUIRE(a == commit_of(*memory, b));
    require_same(a, expected);
    if (g.r.chance(0.02)) {
      const revision upto{g.r.below(m.history.size())};
      compact_and_wait(*disk, upto);
      memory->compact(upto);
    }
    const std::uint64_t same = g.r.next();
    generator on_disk(same);
    generator in_memory_twin(same);
    check_reads(*disk, m, on_disk);
    check_reads(*memory, m, in_memory_twin);
    on_disk_list.step(*disk, m, on_disk);
    in_memory_list.step(*memory, m, in_memory_twin);
  }
  REQUIRE(on_disk_list.finished > 20);
  REQUIRE(in_memory_list.finished == on_disk_list.finished);
  const revision after = disk->window().compacted;
  REQUIRE(after == memory->window().compacted);
  REQUIRE(changes_after(*disk, after) == m.changes(after));
  REQUIRE(changes_after(*memory, after) == m.changes(after));
  REQUIRE(changes_after(*disk, after, 7) == changes_after(*memory, after, 7));
}

TEST_CASE("a store that is reopened again and again does the same as the model", "[persistence][model]") {
  const std::uint64_t seed = seed_of(GENERATE(range(100, 104)));
  INFO("seed " << seed);
  generator g(seed);
  model m;
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.history_max = 60;
  auto disk = open(o);
  slow_list list;
  for (int i = 0; i < 400; ++i) {
    const batch b = g.next(m, false);
    require_same(commit_of(*disk, b), m.apply(b));
    check_reads(*disk, m, g);
    list.step(*disk, m, g);
    if (!g.r.chance(0.05)) continue;
    disk.reset();
    disk = open(o);
    m.failed.clear();  // with the process went whatever it had computed
    check_reads(*disk, m, g);
  }
}

TEST_CASE("batches submitted in groups do the same as one by one", "[persistence][model]") {
  const std::uint64_t seed = seed_of(GENERATE(range(200, 204)));
  INFO("seed " << seed);
  generator g(seed);
  model m;
  temp_dir dir;
  const auto disk = open(options_for(dir.sub("store")));
  for (int round = 0; round < 20; ++round) {
    std::vector<std::optional<errc>> expected;
    std::vector<result<commit>> found;
    std::promise<void> finished;
    const std::size_t n = 1 + g.r.below(40);
    for (std::size_t i = 0; i < n; ++i) {
      const batch b = g.next(m, true);
      expected.push_back(m.apply(b));
      disk->submit(b, [&found, &finished, last = i + 1 == n](const result<commit>& r) {
        found.push_back(r);
        if (last) finished.set_value();
      });
    }
    finished.get_future().get();
    for (std::size_t i = 0; i < n; ++i) require_same(found[i], expected[i]);
    check_reads(*disk, m, g);
  }
}
