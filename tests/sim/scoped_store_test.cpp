#include <catch2/catch.hpp>

#include "sim/live/scoped_store.hpp"

using namespace wh;

namespace {

batch write_of(const std::string& name, const std::string& body) {
  batch b;
  b.puts.push_back({{"things", "", name}, share(body), namespace_phase::active});
  return b;
}

result<commit> submit(store& s, batch b) {
  result<commit> out = fail(errc::internal, "not answered");
  s.submit(std::move(b), [&](result<commit> r) { out = std::move(r); });
  return out;
}

}  // namespace

TEST_CASE("spokes that share a store see only their own objects", "[sim][scoped_store]") {
  const auto shared = make_memory_store("life");
  const auto one = make_scoped_store(*shared, "c1");
  const auto two = make_scoped_store(*shared, "c2");
  const auto longer = make_scoped_store(*shared, "c11");
  for (const char* name : {"a", "b", "c"}) REQUIRE(submit(*one, write_of(name, "of one")).ok());
  REQUIRE(submit(*two, write_of("a", "of two")).ok());
  REQUIRE(submit(*longer, write_of("z", "of another")).ok());

  CHECK(*(*one->get({"things", "", "a"}))->body == "of one");
  CHECK((*one->get({"things", "", "a"}))->key == object_key{"things", "", "a"});
  CHECK(*(*two->get({"things", "", "a"}))->body == "of two");
  CHECK_FALSE(*two->get({"things", "", "b"}));

  const auto first = one->list({"things", "", ""}, {}, {}, 2);
  REQUIRE(first.ok());
  CHECK(first->more);
  const auto rest = one->list({"things", "", ""}, {}, first->records.back().key, 2);
  REQUIRE(rest.ok());
  REQUIRE(rest->records.size() == 1);
  CHECK(rest->records[0].key == object_key{"things", "", "c"});

  batch gone;
  gone.erases.push_back({{"things", "", "a"}});
  REQUIRE(submit(*one, gone).ok());
  CHECK_FALSE(*one->get({"things", "", "a"}));
  CHECK(*two->get({"things", "", "a"}));
}

TEST_CASE("a failed batch of one spoke discards no batch of another's actor of that name", "[sim][scoped_store]") {
  const auto shared = make_memory_store("life");
  const auto one = make_scoped_store(*shared, "c1");
  const auto two = make_scoped_store(*shared, "c2");
  const writer same{"work/w", incarnation{1}};
  batch failing = write_of("a", "x");
  failing.from = same;
  failing.preconditions.push_back(present{{"things", "", "missing"}});
  CHECK(submit(*one, failing).err().code == errc::not_found);
  batch next = write_of("a", "x");
  next.from = same;
  CHECK(submit(*one, next).err().code == errc::discarded);
  CHECK(submit(*two, next).ok());
}
