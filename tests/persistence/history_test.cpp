// How long superseded versions are kept, and stores of older formats.
#include "persistence/history_clock.hpp"

#include "tests/persistence/store_fixture.hpp"

using namespace wh;
using namespace wh::test;
using std::chrono::minutes;
using std::chrono::seconds;
using storage::history_clock;

namespace {

instant at(duration since_start) { return instant(std::chrono::hours(500'000)) + since_start; }

}  // namespace

TEST_CASE("changes expire when all of them up to a revision have the age", "[persistence][history]") {
  history_clock c{minutes(32)};
  REQUIRE_FALSE(c.next(at(minutes(0))));
  REQUIRE_FALSE(c.note(at(minutes(0))));
  c.committed(at(minutes(0)), revision{5});
  REQUIRE(c.note(at(minutes(10))));
  c.committed(at(minutes(10)), revision{9});
  REQUIRE(c.expired(at(minutes(31))) == revision{0});
  REQUIRE(*c.next(at(minutes(31))) == minutes(1));
  REQUIRE(c.expired(at(minutes(32))) == revision{5});
  REQUIRE(c.expired(at(minutes(42))) == revision{9});  // the last commit needs no mark
  REQUIRE(c.note(at(minutes(20))));
  c.committed(at(minutes(20)), revision{12});
  REQUIRE(c.forget(revision{9}));
  REQUIRE_FALSE(c.forget(revision{9}));
  REQUIRE(c.expired(at(minutes(51))) == revision{0});
  REQUIRE(c.expired(at(minutes(52))) == revision{12});
  c.forget(revision{12});
  REQUIRE_FALSE(c.next(at(minutes(60))));
}

TEST_CASE("marks stay few, survive a restart, and a clock that jumps", "[persistence][history]") {
  history_clock c{minutes(32)};
  std::uint64_t rev = 1;
  for (int s = 0; s < 32 * 60; ++s) {
    c.note(at(seconds(s)));
    c.committed(at(seconds(s)), revision{rev++});
  }
  REQUIRE(c.encode().size() <= 33 * 16);
  history_clock again{minutes(32)};
  REQUIRE(again.decode(c.encode()));
  REQUIRE(again.expired(at(minutes(40))) == c.expired(at(minutes(40))));
  REQUIRE(again.expired(at(minutes(40))) > revision{8 * 60 - 61});
  REQUIRE(again.expired(at(minutes(40))) <= revision{8 * 60 + 1});

  // Years ahead, then put right: history must go on expiring.
  again.committed(at(std::chrono::hours(100'000)), revision{10'000});
  again.note(at(std::chrono::hours(100'000)));
  again.note(at(minutes(60)));
  again.committed(at(minutes(60)), revision{10'001});
  REQUIRE(again.expired(at(minutes(92))) == revision{10'001});

  REQUIRE_FALSE(again.decode("short"));
  std::string swapped = c.encode();
  std::swap_ranges(swapped.begin(), swapped.begin() + 16, swapped.begin() + 16);
  REQUIRE_FALSE(again.decode(swapped));
  REQUIRE(again.encode().empty());
}

TEST_CASE("history is compacted by age, over restarts and without further writes", "[persistence][history]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  std::atomic<std::int64_t> clock{0};
  o.history_age = minutes(32);
  o.now = [&] { return at(minutes(clock.load())); };
  {
    const auto s = open(o);
    for (int i = 1; i <= 10; ++i) {
      clock = i * 10;
      must(*s, put_of(config("c"), std::to_string(i)));
    }
    // At minute 100: the write of minute 70 and what came after is younger than 32 minutes.
    REQUIRE(s->window().compacted == revision{6});
    REQUIRE(s->get(config("c"), revision{5}).err().code == errc::gone);
    REQUIRE(body_of(*s, config("c"), revision{6}) == "6");
  }
  clock = 115;
  const auto s = open(o);
  must(*s, put_of(config("other"), "x"));
  REQUIRE(s->window().compacted == revision{8});
  REQUIRE(changes_after(*s, revision{8}).size() == 3);
}

TEST_CASE("an idle store drops its last history too", "[persistence][history]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.history_age = std::chrono::milliseconds(50);
  const auto s = open(o);
  must(*s, put_of(config("c"), "1"));
  must(*s, put_of(config("c"), "2"));
  REQUIRE(eventually([&] { return s->window().compacted == revision{2}; }));
  REQUIRE(body_of(*s, config("c")) == "2");
}

TEST_CASE("a store of the first format opens, with everything that it held", "[persistence][format]") {
  temp_dir dir;
  lmdb_options o = options_for(dir.sub("store"));
  o.history_age = duration::zero();
  std::filesystem::create_directories(o.dir);
  std::filesystem::copy_file(WH_FIXTURES "/format-1.mdb", o.dir + "/data.mdb");
  for (int life = 0; life < 2; ++life) {
    const auto s = open(o);
    REQUIRE(s->incarnation_id() == "11111111-2222-3333-4444-555555555555");
    REQUIRE(s->window().compacted == revision{10});
    REQUIRE(s->window().current >= revision{31});
    REQUIRE(s->list({"configmaps", "", ""})->records.size() == 20);
    REQUIRE(body_of(*s, config("c3")) == R"({"n":103})");
    REQUIRE(body_of(*s, config("c3"), revision{22}) == R"({"n":3})");
    REQUIRE(body_of(*s, config("c19")) == "-");
    REQUIRE(body_of(*s, config("last")).size() > 5000);
    REQUIRE(changes_after(*s, revision{10}, 100).size() == (life == 0 ? 20 : 21));
    REQUIRE(code_of(*s, when(namespace_active{"leaving"}, put_of(config("x", "leaving"), "1"))) == errc::forbidden);
    if (life == 0) must(*s, when(namespace_active{"default"}, put_of(config("c3"), R"({"n":103})")));
  }
}
