// Verification: sound stores have nothing to report, and each kind of damage is named.
#include "persistence/verify.hpp"

#include <map>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "persistence/backup.hpp"
#include "persistence/sealing.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;
using namespace wh::storage;

namespace {

verify_report verified(const verify_options& options) {
  auto report = verify_store(options);
  if (!report) FAIL(report.err().message);
  return *std::move(report);
}

verify_report verified(const std::string& dir) {
  verify_options o;
  o.dir = dir;
  return verified(o);
}

std::string joined(const verify_report& r) {
  std::string out;
  for (const std::string& p : r.problems) out += p + "\n";
  return out;
}

batch active_namespace(const std::string& name) { return put_of({"namespaces", "", name}, "ns"); }

/// Objects a, b and c in "default": a with two versions after the compacted ones, b removed, c compacted to one.
void fill(const lmdb_options& o) {
  const auto s = open(o);
  must(*s, active_namespace("default"));  // 1
  must(*s, put_of(config("c"), "c1"));    // 2
  must(*s, put_of(config("c"), "c2"));    // 3
  compact_and_wait(*s, revision{3});
  must(*s, put_of(config("a"), "a1"));  // 4
  must(*s, put_of(config("a"), "a2"));  // 5
  must(*s, put_of(config("b"), "b1"));  // 6
  must(*s, erase_of(config("b")));      // 7
}

/// One transaction behind the store's back.
class tampering {
 public:
  explicit tampering(const lmdb_options& o) : env_(*lmdb_env::open(o)), txn_(*env_->begin_write()) {}
  ~tampering() { REQUIRE(env_->commit(std::move(txn_)).ok()); }
  tampering(const tampering&) = delete;
  tampering& operator=(const tampering&) = delete;

  std::string get(MDB_dbi table, const std::string& name) {
    MDB_val key = to_val(name);
    MDB_val value{};
    REQUIRE(mdb_get(txn_.get(), table, &key, &value) == 0);
    return std::string(to_view(value));
  }
  void put(MDB_dbi table, const std::string& name, const std::string& bytes) {
    MDB_val key = to_val(name);
    MDB_val value = to_val(bytes);
    REQUIRE(mdb_put(txn_.get(), table, &key, &value, 0) == 0);
  }
  void drop(MDB_dbi table, const std::string& name) {
    MDB_val key = to_val(name);
    REQUIRE(mdb_del(txn_.get(), table, &key, nullptr) == 0);
  }
  const table_ids& tables() const { return env_->tables(); }

  void change_state(std::uint64_t stored_state::*member, std::uint64_t value) {
    auto state = *parse_state(get(tables().meta, "state"));
    state.*member = value;
    put(tables().meta, "state", encode_state(state));
  }

 private:
  std::unique_ptr<lmdb_env> env_;
  lmdb_txn txn_;
};

std::string at(std::uint64_t rev) {
  std::string out;
  append_be64(out, rev);
  return out;
}

std::string version_of(const object_key& key, std::uint64_t rev) {
  return version_key(object_prefix(key), revision{rev});
}

std::string record_of(const object_key& key, std::uint8_t flags, const std::string& body) {
  const std::string prefix = object_prefix(key);
  std::string out(record_header_bytes + prefix.size() + body.size(), '\0');
  write_record(out.data(), flags, prefix, body);
  return out;
}

struct damage {
  const char* expected;  ///< in what is reported
  std::function<void(tampering&)> inflict;
};

std::shared_ptr<const key_ring> ring(char fill) {
  return *key_ring::parse("key: " + to_base64(std::string(32, fill)) + "\n", "keys");
}

}  // namespace

TEST_CASE("a store says what it holds", "[persistence][verify]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  const verify_report r = verified(o.dir);
  REQUIRE(joined(r) == "");
  REQUIRE(r.problems_total == 0);
  REQUIRE(r.format == format_version);
  REQUIRE(r.incarnation == "first-life");
  REQUIRE(r.current == revision{7});
  REQUIRE(r.compacted == revision{3});
  REQUIRE(r.objects == 3);
  REQUIRE(r.versions == 6);
  REQUIRE(r.body_bytes == 10);
  REQUIRE(r.resources == std::map<std::string, std::uint64_t>{{"configmaps", 2}, {"namespaces", 1}});
  REQUIRE(r.sealed_with.empty());
  REQUIRE(r.pages > 4);
  REQUIRE(r.file_bytes == std::filesystem::file_size(o.dir + "/data.mdb"));
}

TEST_CASE("a store of an older format is verified as it is", "[persistence][verify]") {
  verify_options o;
  o.file = std::string(WH_FIXTURES) + "/format-1.mdb";
  const verify_report r = verified(o);
  REQUIRE(joined(r) == "");
  REQUIRE(r.format == 1);
  REQUIRE(r.objects > 0);
}

TEST_CASE("stores with random histories are sound, and so are their backups", "[persistence][verify]") {
  const std::uint64_t seed = 900 + static_cast<std::uint64_t>(GENERATE(range(0, 6)));
  INFO("seed " << seed);
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  rng r(seed);
  o.history_max = r.chance(0.5) ? 0 : 40;
  std::size_t live = 0;
  for (int life = 0; life < 3; ++life) {
    {
      const auto s = open(o);
      for (const char* ns : {"a", "b"}) must(*s, active_namespace(ns));
      for (int i = 0; i < 150; ++i) {
        const object_key key = config("n" + std::to_string(r.below(30)), r.chance(0.5) ? "a" : "b");
        batch b = r.chance(0.3) ? erase_of(key) : put_of(key, std::string(r.below(5000), 'x'));
        b.in_memory = r.chance(0.1);
        must(*s, b);
        if (r.chance(0.03)) compact_and_wait(*s, revision{r.below(s->window().current.get() + 1)});
      }
      REQUIRE(backup_store(*s, {}, dir.sub("backup" + std::to_string(life))).ok());
    }
    const verify_report report = verified(o.dir);
    REQUIRE(joined(report) == "");
    const auto s = open(o);
    live = s->list({"configmaps", "", ""})->records.size();
    REQUIRE(report.resources.at("configmaps") == live);
  }
  lmdb_options restored = options_for(dir.sub("restored"));
  REQUIRE(restore_store(*backup_reader::open(dir.sub("backup2")), restored).ok());
  const verify_report report = verified(restored.dir);
  REQUIRE(joined(report) == "");
  REQUIRE(report.compacted == report.current);
  REQUIRE(report.resources.at("configmaps") == live);
}

TEST_CASE("each kind of damage is named", "[persistence][verify]") {
  using t = tampering;
  const auto a5 = version_of(config("a"), 5);
  const auto c3 = version_of(config("c"), 3);
  const std::string space("\0", 1);
  const std::vector<damage> all{
      {"configmaps/default/a at revision 5: its record is missing", [&](t& x) { x.drop(x.tables().log, at(5)); }},
      {"configmaps/default/a at revision 5: its version is missing", [&](t& x) { x.drop(x.tables().versions, a5); }},
      {"configmaps/default/a at revision 5: a record's checksum is wrong",
       [&](t& x) {
         std::string bytes = x.get(x.tables().log, at(5));
         bytes.back() ^= 1;
         x.put(x.tables().log, at(5), bytes);
       }},
      {"configmaps/default/a at revision 5: its record is another object's",
       [&](t& x) {
         const std::string five = x.get(x.tables().log, at(5));
         x.put(x.tables().log, at(5), x.get(x.tables().log, at(6)));
         x.put(x.tables().log, at(6), five);
       }},
      {"configmaps/default/a at revision 9: the store's last revision is 7",
       [&](t& x) { x.put(x.tables().versions, version_of(config("a"), 9), space); }},
      {"the log has revision 9, but the store's last one is 7",
       [&](t& x) { x.put(x.tables().log, at(9), record_of(config("a"), 0, "a9")); }},
      {"configmaps/default/a at revision 9: its version is missing",
       [&](t& x) { x.put(x.tables().log, at(9), record_of(config("a"), 0, "a9")); }},
      {"1 damaged records that belong to no version", [&](t& x) { x.put(x.tables().log, at(1 << 30), "no record"); }},
      {"configmaps/default/c at revision 2: compaction up to revision 3 should have dropped it",
       [&](t& x) {
         x.put(x.tables().versions, version_of(config("c"), 2), space);
         x.put(x.tables().log, at(2), record_of(config("c"), 0, "c1"));
       }},
      {"configmaps/default/b at revision 7: compaction up to revision 7 should have dropped it",
       [&](t& x) { x.change_state(&stored_state::compacted, 7); }},
      {"revision 99 was compacted, but the last one is 7", [&](t& x) { x.change_state(&stored_state::compacted, 99); }},
      {"counts 3 changes after revision 3, the log has 4", [&](t& x) { x.change_state(&stored_state::history, 3); }},
      {"configmaps/default/b at revision 6: the store's last revision is 5",
       [&](t& x) { x.change_state(&stored_state::current, 5); }},
      {"configmaps/default/a at revision 5: its record has flags 0x0, its version 0x1",
       [&](t& x) { x.put(x.tables().versions, a5, "\x01"); }},
      {"configmaps/default/a at revision 5: its version has 1 bytes and flags 0x80",
       [&](t& x) { x.put(x.tables().versions, a5, "\x80"); }},
      {"configmaps/default/a at revision 5: its version has 2 bytes",
       [&](t& x) { x.put(x.tables().versions, a5, "12"); }},
      {"configmaps/default/b at revision 7: its record has flags 0x1",
       [&](t& x) { x.put(x.tables().log, at(7), record_of(config("b"), flag_removed, "remains")); }},
      {"version 1 in the order of keys names no object", [&](t& x) { x.put(x.tables().versions, "bad", space); }},
      {"names no object and revision",
       [&](t& x) {
         x.put(x.tables().versions, version_of({"configmaps", "default", ""}, 5), space);
       }},
      {"the log has a key of 3 bytes", [&](t& x) { x.put(x.tables().log, "bad", "x"); }},
      {"configmaps/default/a at revision 5: there is no namespace \"default\"",
       [&](t& x) {
         x.drop(x.tables().versions, version_of({"namespaces", "", "default"}, 1));
         x.drop(x.tables().log, at(1));
         x.put(x.tables().versions, version_of({"namespaces", "", "other"}, 1), space);
         x.put(x.tables().log, at(1), record_of({"namespaces", "", "other"}, 0, "ns"));
       }},
      {"the store's description lacks \"state\"", [&](t& x) { x.drop(x.tables().meta, "state"); }},
      {"the store's description lacks \"incarnation\"", [&](t& x) { x.drop(x.tables().meta, "incarnation"); }},
      {"the store's description lacks \"times\"", [&](t& x) { x.drop(x.tables().meta, "times"); }},
      {"the store's description lacks \"sealing\"", [&](t& x) { x.drop(x.tables().meta, "sealing"); }},
      {"the store's state has 3 bytes", [&](t& x) { x.put(x.tables().meta, "state", "bad"); }},
      {"times of the store's history are malformed", [&](t& x) { x.put(x.tables().meta, "times", "bad"); }},
      {"times of the store's history go beyond its last revision, 7",
       [&](t& x) { x.put(x.tables().meta, "times", at(1000) + at(8)); }},
      {"keys that secrets are sealed with is malformed", [&](t& x) { x.put(x.tables().meta, "sealing", "plane"); }},
      {"keys that secrets are sealed with is empty", [&](t& x) { x.put(x.tables().meta, "sealing", " "); }},
      {"unknown entry", [&](t& x) { x.put(x.tables().meta, "more", "x"); }},
  };
  const auto& d = all[static_cast<std::size_t>(GENERATE_COPY(range(0, static_cast<int>(all.size()))))];
  INFO(d.expected);
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  REQUIRE(joined(verified(o.dir)) == "");
  {
    tampering x(o);
    d.inflict(x);
  }
  REQUIRE(joined(verified(o.dir)).find(d.expected) != std::string::npos);
}

TEST_CASE("a store without namespaces is not asked for them", "[persistence][verify]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  must(*open(o), put_of(config("a"), "x"));
  REQUIRE(joined(verified(o.dir)) == "");
}

TEST_CASE("sealed bodies are opened with keys, counted without, and named when they are wrong",
          "[persistence][verify][sealing]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.keys = ring('a');
  {
    const auto s = open(o);
    for (int i = 0; i < 3; ++i) must(*s, put_of(config("s" + std::to_string(i)), "secret"));
  }
  std::vector<std::string> bodies;
  verify_options v;
  v.dir = o.dir;
  v.examine = [&](const record& r, const auto&) { bodies.push_back(r.body ? *r.body : "-"); };
  REQUIRE(joined(verified(v)) == "");
  REQUIRE(bodies == std::vector<std::string>(3, "-"));
  v.keys = o.keys;
  bodies.clear();
  const verify_report r = verified(v);
  REQUIRE(joined(r) == "");
  REQUIRE(r.sealed_with == std::map<std::string, std::uint64_t>{{o.keys->primary(), 3}});
  REQUIRE(bodies == std::vector<std::string>(3, "secret"));

  v.keys = ring('b');
  REQUIRE(verified(v).problems_total == 3);
  REQUIRE(joined(verified(v)).find("configmaps/default/s1 at revision 2: ") != std::string::npos);

  v.keys = o.keys;
  {
    // Bodies of other objects and revisions under right checksums: only sealing can tell.
    tampering x(o);
    const std::string first = x.get(x.tables().log, at(1));
    x.put(x.tables().log, at(2), record_of(config("s1"), flag_sealed, std::string(parse_record(first)->body)));
    x.put(x.tables().log, at(3), record_of(config("s2"), flag_sealed, "short"));
    x.put(x.tables().meta, "sealing", "plain");
  }
  const std::string found = joined(verified(v));
  REQUIRE(found.find("configmaps/default/s1 at revision 2: ") != std::string::npos);
  REQUIRE(found.find("configmaps/default/s2 at revision 3: its body is too short") != std::string::npos);
  REQUIRE(found.find("s0 at revision 1: it is sealed with key " + o.keys->primary()) != std::string::npos);
}

TEST_CASE("current objects can be examined further, and what is found carries their names", "[persistence][verify]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  std::vector<std::string> seen;
  verify_options v;
  v.dir = o.dir;
  v.examine = [&](const record& r, const std::function<void(std::string)>& problem) {
    seen.push_back(to_string(r.key) + "@" + std::to_string(r.rev.get()) + " " + *r.body);
    if (r.key.name == "c") problem("it looks odd");
  };
  const verify_report r = verified(v);
  REQUIRE(seen == std::vector<std::string>{"configmaps/default/a@5 a2", "configmaps/default/c@3 c2",
                                           "namespaces/default@1 ns"});
  REQUIRE(joined(r) == "configmaps/default/c at revision 3: it looks odd\n");
}

TEST_CASE("problems beyond the bound are counted only", "[persistence][verify]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  verify_options v;
  v.dir = o.dir;
  v.problems_max = 2;
  v.examine = [](const record&, const std::function<void(std::string)>& problem) { problem("odd"); };
  REQUIRE(verified(v).problems.size() == 2);
  REQUIRE(verified(v).problems_total == 3);
}

TEST_CASE("damaged pages are reported, and nothing is read through them", "[persistence][verify]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  std::filesystem::resize_file(o.dir + "/data.mdb", 20000);
  const verify_report r = verified(o.dir);
  REQUIRE(joined(r).find("page ") == 0);
  REQUIRE(r.versions == 0);
}

TEST_CASE("verification changes nothing and says why it could not begin", "[persistence][verify]") {
  temp_dir dir;
  const lmdb_options o = options_for(dir.sub("store"));
  fill(o);
  const auto before = std::filesystem::last_write_time(o.dir + "/data.mdb");
  REQUIRE(joined(verified(o.dir)) == "");
  REQUIRE(std::filesystem::last_write_time(o.dir + "/data.mdb") == before);
  verify_options v;
  REQUIRE(verify_store(v).err().code == errc::invalid);
  v.dir = dir.sub("none");
  REQUIRE(verify_store(v).err().code == errc::not_found);
  REQUIRE_FALSE(std::filesystem::exists(dir.sub("none")));
  v.dir = o.dir;
  {
    const auto s = open(o);
    REQUIRE(verify_store(v).err().code == errc::unavailable);
    REQUIRE(verify_store(v).err().message.find("process " + std::to_string(::getpid())) != std::string::npos);
  }
  {
    tampering x(o);
    x.put(x.tables().meta, "format", at(99));
  }
  REQUIRE(verify_store(v).err().code == errc::unsupported);
  REQUIRE(verify_store(v).err().message.find(o.dir) != std::string::npos);
}
