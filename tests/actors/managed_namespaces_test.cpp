#include "actors/hub/namespace_list.hpp"

#include "actor_fixture.hpp"
#include "actors/hub/managed_cluster.hpp"
#include "actors/names.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const object_key c1_key{names::managed_clusters, "", "c1"};
constexpr session_id session{5};

/// An accepted cluster with a synced spoke.
struct cluster_on_hub {
  bench_top b;
  managed_cluster self = make_managed_cluster("c1");

  explicit cluster_on_hub(std::uint32_t level = link_level) {
    b.put_document(c1_key, {{"apiVersion", "cluster.open-cluster-management.io/v1"},
                            {"kind", "ManagedCluster"},
                            {"metadata", {{"name", "c1"}, {"uid", "u"}}},
                            {"spec", {{"hubAcceptsClient", true}}}});
    b.start(self);
    spoke_connected hello;
    hello.session = session;
    hello.greeting.level = level;
    b.handle(self, hello);
  }
  template <class Frame>
  outbox from_spoke(Frame f) {
    return b.handle(self, spoke_frame{session, std::move(f)});
  }
  outbox due(std::vector<managed_namespace> list) { return b.handle(self, namespaces_due{std::move(list)}); }
  document listed() { return b.get(c1_key)["status"].value("managedNamespaces", document::array()); }
};

}  // namespace

TEST_CASE("the namespaces of sets are in the status and go to the spoke", "[managed_cluster]") {
  cluster_on_hub h;
  CHECK(frames<managed_namespaces>(h.due({{"a", "x"}})).empty());  // not synced yet
  const auto synced = frames<managed_namespaces>(h.from_spoke(sync_request{}));
  REQUIRE(synced.size() == 1);
  CHECK(synced[0].namespaces == std::map<std::string, std::string>{{"x", "a"}});
  const auto more = frames<managed_namespaces>(h.due({{"a", "x"}, {"b", "w"}, {"b", "x"}}));
  REQUIRE(more.size() == 1);
  CHECK(more[0].hub_hash == h.b.sha256_hex("ca"));
  CHECK(more[0].namespaces == std::map<std::string, std::string>{{"w", "b"}, {"x", "a,b"}});
  CHECK(h.listed() == document::array({{{"clusterSet", "a"}, {"name", "x"}},
                                       {{"clusterSet", "b"}, {"name", "w"}},
                                       {{"clusterSet", "b"}, {"name", "x"}}}));
  CHECK(h.due({{"a", "x"}, {"b", "w"}, {"b", "x"}}).sends.empty());
  h.due({});
  CHECK_FALSE(h.b.get(c1_key)["status"].contains("managedNamespaces"));
}

TEST_CASE("a spoke of an older level is not sent what it does not know", "[managed_cluster]") {
  cluster_on_hub h(0);
  CHECK(frames<managed_namespaces>(h.from_spoke(sync_request{})).empty());
  CHECK(frames<managed_namespaces>(h.due({{"a", "x"}})).empty());
  CHECK(h.listed().size() == 1);
}

TEST_CASE("the spoke's report becomes the conditions of namespaces, which outlive changes of the list",
          "[managed_cluster]") {
  cluster_on_hub h;
  h.from_spoke(sync_request{});
  h.due({{"a", "x"}, {"a", "y"}});
  cluster_report report;
  report.namespaces = {{"x", ""}, {"y", "quota exceeded"}, {"stranger", ""}};
  h.from_spoke(report);
  const auto says = [&](std::size_t i) {
    const auto list = h.listed();
    const auto& c = list.at(i).at("conditions").at(0);
    return c["type"].get<std::string>() + " " + c["status"].get<std::string>() + " " + c["reason"].get<std::string>() +
           " " + c["message"].get<std::string>();
  };
  CHECK(h.listed().size() == 2);
  CHECK(says(0) == "NamespaceAvailable True NamespaceApplied Namespace successfully applied and managed");
  CHECK(says(1) == "NamespaceAvailable False NamespaceApplyFailed Failed to apply namespace: quota exceeded");
  h.due({{"a", "y"}, {"b", "z"}});
  CHECK(says(0) == "NamespaceAvailable False NamespaceApplyFailed Failed to apply namespace: quota exceeded");
  CHECK_FALSE(h.listed().at(1).contains("conditions"));
  // What a spoke says is cut to a size.
  report.namespaces = {{"y", std::string(1023, 'a') + "\u00e9" + std::string(100000, 'b')}};
  h.from_spoke(report);
  CHECK(says(0).size() < 1200);
  CHECK(says(0).ends_with("aaa"));
}

TEST_CASE("a hub that starts again knows the list from the status", "[managed_cluster]") {
  cluster_on_hub h;
  h.due({{"a", "x"}});
  h.self = make_managed_cluster("c1");
  h.b.start(h.self);
  CHECK(h.self.namespaces == std::vector<managed_namespace>{{"a", "x"}});
}

TEST_CASE("an agent's stale copy of the list does not undo what sets want", "[managed_cluster]") {
  cluster_on_hub h;
  h.due({{"a", "x"}, {"a", "y"}});
  auto stale = h.b.get(c1_key);
  stale["status"]["managedNamespaces"] = document::array(
      {{{"clusterSet", "a"}, {"name", "x"}, {"conditions", {{{"type", "NamespaceAvailable"}, {"status", "True"}}}}},
       {{"clusterSet", "mine"}, {"name", "kube-system"}}});
  admit_write write;
  write.verb = admit_write::verb_kind::update;
  write.key = c1_key;
  write.old_rev = h.b.objects.at(c1_key).rev;
  write.body = encode_body(stale);
  write.proposed.puts.push_back({c1_key, write.body, {}});
  h.b.handle(h.self, write, {actor_kind::api, ""});
  const auto list = h.listed();
  REQUIRE(list.size() == 2);
  CHECK(list[0]["conditions"].size() == 1);
  CHECK(list[1] == document{{"clusterSet", "a"}, {"name", "y"}});
}

TEST_CASE("a name that is taken anew starts without namespaces", "[managed_cluster]") {
  cluster_on_hub h;
  h.due({{"a", "x"}});
  admit_write removal;
  removal.verb = admit_write::verb_kind::remove;
  removal.key = c1_key;
  removal.old_rev = h.b.objects.at(c1_key).rev;
  removal.proposed.erases.push_back({c1_key});
  h.b.handle(h.self, removal, {actor_kind::api, ""});
  CHECK(h.self.namespaces.empty());
}
