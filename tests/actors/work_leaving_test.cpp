// Works of a cluster that leaves its hub.
#include "work_bench.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("a cluster that leaves has its works removed at once, and nobody confirms", "[work][leaving]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1"), config_map("b", "1")}), "hub-1"});
  c.give(withdraw{.uid = "uid-w", .keep = false, .at_once = true});
  CHECK(c.objects.empty());
  CHECK(c.b.objects.empty());
  CHECK_FALSE(c.said_finished());
  CHECK(sent<work_held>(c.outs.back()).back().gone);
}

TEST_CASE("a work that is let go of leaves its objects, without anchor and owner", "[work][leaving]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1"), config_map("b", "1")}), "hub-1"});
  c.give(withdraw{.uid = "uid-w", .keep = true, .at_once = true});
  REQUIRE(c.objects.size() == 2);
  for (const auto* name : {"a", "b"}) {
    const auto* owners = find_path(*c.find(name), {"metadata", "ownerReferences"});
    CHECK((!owners || owners->empty()));
    CHECK((*c.find(name))["data"]["k"] == "1");
  }
  CHECK(c.b.objects.empty());
}

TEST_CASE("letting go of a work survives a crash at every step", "[work][leaving]") {
  for (std::size_t steps = 0; steps < 12; ++steps) {
    cluster_bench c;
    c.give(prescribe{desired({config_map("a", "1"), config_map("b", "1")}), "hub-1"});
    auto out = c.b.handle(c.self, withdraw{.uid = "uid-w", .keep = true, .at_once = true});
    for (std::size_t i = 0; i < steps && !sent<cluster_call>(out).empty(); ++i)
      out = c.b.handle(c.self, c.answer(sent<cluster_call>(out).back()));
    c.self = make_work("w", "hash", "hash");
    c.start();
    if (c.self.held) c.wake();
    INFO("crash after step " << steps);
    CHECK(c.objects.size() == 2);
    CHECK(c.b.objects.empty());
    for (const auto& [object, doc] : c.objects) {
      const auto* owners = find_path(doc, {"metadata", "ownerReferences"});
      CHECK((!owners || owners->empty()));
    }
  }
}

TEST_CASE("a leaving work takes no prescription, and says what is in its way", "[work][leaving]") {
  cluster_bench c;
  c.give(prescribe{desired({config_map("a", "1")}), "hub-1"});
  (*c.find("a"))["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  (*c.find("a"))["metadata"]["finalizers"] = {"example.org/hold"};
  c.outs.clear();
  c.give(withdraw{.uid = "uid-w", .keep = false, .at_once = true});
  std::string said;
  for (const auto& out : c.outs)
    for (const auto& n : out.notes) said += n.text + "\n";
  CHECK(said.find("ConfigMap shop/a is being deleted, and waits for its finalizers: example.org/hold") !=
        std::string::npos);
  c.give(prescribe{desired({config_map("a", "2")}, 2), "hub-1"});
  CHECK(c.self.gen == generation{1});
  c.objects.erase({"v1", "ConfigMap", "shop", "a"});
  c.wake();
  CHECK(c.objects.empty());
  CHECK(c.b.objects.empty());
}
