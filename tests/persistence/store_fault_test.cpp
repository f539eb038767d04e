// Disks that fail and power that goes, by standing between LMDB and the system's write calls.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>

#include "base/random.hpp"
#include "tests/persistence/faulty_disk.hpp"
#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// The folder as a power cut would leave it: the file as it is, without what was not synced.
void copy_after_power_cut(const std::string& from, const std::string& to, const disk& d) {
  std::filesystem::create_directories(to);
  std::filesystem::copy_file(from + "/data.mdb", to + "/data.mdb");
  std::filesystem::copy_file(from + "/created", to + "/created");
  std::fstream file(to + "/data.mdb", std::ios::in | std::ios::out | std::ios::binary);
  for (auto it = d.lost.rbegin(); it != d.lost.rend(); ++it) {
    file.seekp(it->at);
    file.write(it->before.data(), static_cast<std::streamsize>(it->before.size()));
  }
  file.close();
  std::filesystem::resize_file(to + "/data.mdb", static_cast<std::uintmax_t>(d.synced_length));
}

struct fault {
  const char* name;
  int disk::*member;
  int error;
};

}  // namespace

TEST_CASE("while the disk refuses, the store is read-only and says why; it recovers when the disk does",
          "[persistence][fault]") {
  const fault f =
      GENERATE(fault{"full", &disk::write_error, ENOSPC}, fault{"write error", &disk::write_error, EIO},
               fault{"sync error", &disk::sync_error, EIO}, fault{"meta page error", &disk::meta_error, EIO});
  INFO(f.name);
  temp_dir dir;
  const healed_afterwards guard;
  const lmdb_options o = durable_options(dir.sub("store"));
  {
    const auto s = open(o);
    must(*s, put_of(config("before"), "1"));
    must(*s, in_memory(put_of(lease("c"), "0")));
    the_disk().watch(o.dir + "/data.mdb");
    the_disk().set(f.member, f.error);

    recorder r;
    s->subscribe(&r);
    REQUIRE(code_of(*s, from("actor", 1, put_of(config("during"), "1"))) == errc::read_only);
    REQUIRE(code_of(*s, from("actor", 1, put_of(config("during"), "1"))) == errc::discarded);
    REQUIRE_FALSE(s->health().writable);
    REQUIRE(s->health().reason.find(o.dir) != std::string::npos);
    REQUIRE(s->health().reason.find(std::strerror(f.error)) != std::string::npos);
    REQUIRE(body_of(*s, config("during")) == "-");
    REQUIRE(r.seen.empty());

    the_disk().set(f.member, 0);
    REQUIRE(eventually([&] { return s->health().writable; }));
    REQUIRE(body_of(*s, config("before")) == "1");
    must(*s, from("actor", 2, put_of(config("after"), "1")));
    REQUIRE(r.seen.size() == 1);
    s->unsubscribe(&r);
    the_disk().reset();
  }
  const auto s = open(o);
  REQUIRE(body_of(*s, config("before")) == "1");
  REQUIRE(body_of(*s, config("during")) == "-");
  REQUIRE(body_of(*s, config("after")) == "1");
}

TEST_CASE("lease renewals go on while the disk is full", "[persistence][fault]") {
  temp_dir dir;
  const healed_afterwards guard;
  const lmdb_options o = durable_options(dir.sub("store"));
  const auto s = open(o);
  must(*s, in_memory(put_of(lease("c"), "0")));
  the_disk().watch(o.dir + "/data.mdb");
  the_disk().set(&disk::write_error, ENOSPC);
  REQUIRE(code_of(*s, put_of(config("a"), "1")) == errc::read_only);
  must(*s, in_memory(put_of(lease("c"), "1")));
  REQUIRE_FALSE(s->health().writable);
  the_disk().reset();
  REQUIRE(eventually([&] { return s->health().writable; }));
}

TEST_CASE("a namespace whose creation failed on a full disk does not exist", "[persistence][fault]") {
  temp_dir dir;
  const healed_afterwards guard;
  const lmdb_options o = durable_options(dir.sub("store"));
  const auto s = open(o);
  the_disk().watch(o.dir + "/data.mdb");
  the_disk().set(&disk::write_error, ENOSPC);
  REQUIRE(code_of(*s, put_of({"namespaces", "", "n"}, "x")) == errc::read_only);
  the_disk().reset();
  REQUIRE(eventually([&] { return s->health().writable; }));
  REQUIRE(code_of(*s, when(namespace_active{"n"}, put_of(config("a", "n"), "1"))) == errc::not_found);
}

TEST_CASE("a power cut at any write loses nothing that was acknowledged", "[persistence][fault]") {
  constexpr std::uint64_t seed = 4242;
  INFO("seed " << seed);
  temp_dir dir;
  const healed_afterwards guard;
  lmdb_options o = durable_options(dir.sub("store"));
  o.history_max = 50;  // so that compaction frees and reuses pages meanwhile
  struct cut {
    std::string dir;
    std::vector<std::pair<std::string, std::string>> acknowledged;
  };
  std::vector<cut> cuts;
  std::map<std::string, std::string> acknowledged;  // on the writer thread, as on_write is
  rng r(seed);
  {
    const auto s = open(o);
    the_disk().watch(o.dir + "/data.mdb");
    {
      const std::lock_guard lock(the_disk().mutex);
      the_disk().on_write = [&] {
        if (!r.chance(0.012)) return;
        cuts.push_back({dir.sub("cut" + std::to_string(cuts.size())), {acknowledged.begin(), acknowledged.end()}});
        copy_after_power_cut(o.dir, cuts.back().dir, the_disk());
      };
      the_disk().recording = true;
    }
    rng work(seed + 1);
    for (int i = 0; i < 400; ++i) {
      const std::string name = "o" + std::to_string(work.below(40));
      const bool remove = work.chance(0.3);
      const std::string body = std::to_string(i) + std::string(work.below(3000), 'x');
      std::promise<void> done;
      s->submit(remove ? erase_of(config(name)) : put_of(config(name), body), [&](const result<commit>& outcome) {
        if (!outcome.ok()) std::abort();
        acknowledged[name] = remove ? "-" : body;
        done.set_value();
      });
      done.get_future().get();
    }
    the_disk().reset();
  }
  REQUIRE(cuts.size() > 10);
  for (const cut& c : cuts) {
    const auto s = open(options_for(c.dir));
    int different = 0;
    for (const auto& [name, body] : c.acknowledged) different += body_of(*s, config(name)) == body ? 0 : 1;
    // The one write in flight may have become durable without having been acknowledged.
    REQUIRE(different <= 1);
    REQUIRE(s->list({"configmaps", "", ""}).ok());
    REQUIRE(s->changes_since(s->window().compacted, 0).ok());
    must(*s, put_of(config("new"), "x"));
  }
}
