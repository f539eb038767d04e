#include "actors/hub/cluster_sets.hpp"

#include "actor_fixture.hpp"
#include "actors/names.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// The actor over a table of objects; every committed change is fed back to it, as the hub's feed does.
struct hub_with_sets {
  bench_top b;
  cluster_sets sets;
  std::uint64_t deliveries = 0;

  explicit hub_with_sets(bool keeps_default_sets = false) { sets.keeps_default_sets = keeps_default_sets; }

  static object_key set_key(const std::string& name) { return {names::cluster_sets, "", name}; }
  static object_key cluster_key(const std::string& name) { return {names::managed_clusters, "", name}; }
  static object_key binding_key(const std::string& ns, const std::string& name) {
    return {names::cluster_set_bindings, ns, name};
  }

  outbox start() { return b.start(sets); }
  /// Stores the object and tells the actor, if the hub would.
  outbox put(const object_key& key, document doc) {
    const auto before = b.objects.find(key);
    const auto previous = before == b.objects.end() ? shared_bytes() : before->second.body;
    doc["metadata"]["name"] = key.name;
    if (!key.ns.empty()) doc["metadata"]["namespace"] = key.ns;
    b.put_document(key, doc);
    return tell({key, revision{1}, b.objects.at(key).body, previous, {}, false});
  }
  outbox remove(const object_key& key) {
    const auto previous = b.objects.at(key).body;
    b.objects.erase(key);
    return tell({key, revision{1}, nullptr, previous, {}, false});
  }
  outbox tell(change c) {
    if (!concerns_cluster_sets(c)) return {};
    ++deliveries;
    return b.handle(sets, object_changed{std::move(c)});
  }
  /// Lets the timer run and hands the actor its own writes.
  outbox settle() {
    auto out = b.handle(sets, timer_fired{"settle"});
    for (const auto& p : out.writes.puts) tell({p.key, revision{1}, p.body, p.body, {}, false});
    return out;
  }
  outbox keep() { return b.handle(sets, timer_fired{"keep"}); }

  void put_cluster(const std::string& name, const document& labels) {
    put(cluster_key(name), {{"metadata", {{"labels", labels}}}});
  }
  void put_set(const std::string& name, document spec = document::object()) {
    put(set_key(name), {{"metadata", {{"generation", 1}}}, {"spec", std::move(spec)}});
  }
  std::string condition_of(const object_key& key, const char* type) {
    const auto doc = b.get(key);
    const auto* list = find_path(doc, {"status", "conditions"});
    const auto* c = list ? find_condition(*list, type) : nullptr;
    if (!c) return "";
    return (*c)["status"].get<std::string>() + "/" + (*c)["reason"].get<std::string>() + "/" +
           (*c)["message"].get<std::string>();
  }
  std::string empty_of(const std::string& set) { return condition_of(set_key(set), "ClusterSetEmpty"); }
  std::string bound_of(const std::string& ns, const std::string& set) {
    return condition_of(binding_key(ns, set), "Bound");
  }
};

document in_set(const std::string& set) { return {{cluster_set_label, set}}; }
document by_labels(document selector) {
  return {{"clusterSelector", {{"selectorType", "LabelSelector"}, {"labelSelector", std::move(selector)}}}};
}
document wants(std::initializer_list<const char*> namespaces) {
  document list = document::array();
  for (const auto* name : namespaces) list.push_back({{"name", name}});
  return {{"managedNamespaces", std::move(list)}};
}

std::string told(const outbox& out) {
  std::string text;
  for (const auto& s : out.sends) {
    const auto* m = std::get_if<namespaces_due>(&s.body);
    if (!m) continue;
    text += s.to.name + ":";
    for (const auto& n : m->namespaces) text += " " + n.cluster_set + "/" + n.name;
    text += ";";
  }
  return text;
}

constexpr const char* nothing_selected = "True/NoClusterMatched/No ManagedCluster selected";

}  // namespace

TEST_CASE("a set says whether it has clusters, and follows their label", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put_set("dev");
  h.settle();
  CHECK(h.empty_of("dev") == nothing_selected);
  h.put_cluster("c1", in_set("dev"));
  h.put_cluster("c2", in_set("dev"));
  h.put_cluster("c3", in_set("prod"));
  h.settle();
  CHECK(h.empty_of("dev") == "False/ClustersSelected/2 ManagedClusters selected");
  h.put_cluster("c1", in_set("prod"));
  h.settle();
  CHECK(h.empty_of("dev") == "False/ClustersSelected/1 ManagedClusters selected");
  h.remove(hub_with_sets::cluster_key("c2"));
  h.settle();
  CHECK(h.empty_of("dev") == nothing_selected);
}

TEST_CASE("both selector types choose clusters as in OCM", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put_cluster("c1", {{cluster_set_label, "a"}, {"env", "dev"}});
  h.put_cluster("c2", {{cluster_set_label, "b"}, {"env", "prod"}});
  h.put_cluster("c3", document::object());
  const auto members = [&](document spec) {
    h.put_set("a", std::move(spec));
    std::string out;
    for (const auto& [name, c] : h.sets.clusters) out += c.sets.contains("a") ? name + " " : "";
    return out;
  };
  CHECK(members(document::object()) == "c1 ");
  CHECK(members({{"clusterSelector", {{"selectorType", "ExclusiveClusterSetLabel"}}}}) == "c1 ");
  CHECK(members({{"clusterSelector", {{"selectorType", "LabelSelector"}}}}).empty());  // an absent selector
  CHECK(members(by_labels(document::object())) == "c1 c2 c3 ");
  CHECK(members(by_labels({{"matchLabels", {{"env", "prod"}}}})) == "c2 ");
  const auto expression = [](const char* op, document values) -> document {
    document e = {{"key", "env"}, {"operator", op}};
    if (!values.is_null()) e["values"] = std::move(values);
    return by_labels({{"matchExpressions", document::array({e})}});
  };
  CHECK(members(expression("In", {"dev", "test"})) == "c1 ");
  CHECK(members(expression("NotIn", {"dev"})) == "c2 c3 ");
  CHECK(members(expression("Exists", nullptr)) == "c1 c2 ");
  CHECK(members(expression("DoesNotExist", nullptr)) == "c3 ");
  CHECK(members(expression("Near", nullptr)).empty());  // nobody can have stored it, but if so it selects nothing
}

TEST_CASE("a binding is bound while its set is there", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put(hub_with_sets::binding_key("team", "dev"), {{"spec", {{"clusterSet", "dev"}}}});
  h.settle();
  CHECK(h.bound_of("team", "dev") == "False/ClusterSetNotFound/");
  h.put_set("dev");
  h.settle();
  CHECK(h.bound_of("team", "dev") == "True/ClusterSetBound/");
  h.remove(hub_with_sets::set_key("dev"));
  h.settle();
  CHECK(h.bound_of("team", "dev") == "False/ClusterSetNotFound/");
  h.remove(hub_with_sets::binding_key("team", "dev"));
  h.put_set("dev");
  for (const auto& p : h.settle().writes.puts) CHECK(p.key.resource == names::cluster_sets);
}

TEST_CASE("members are told the namespaces of their sets, and only when these change", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put_set("b", wants({"y", "x", "x"}));
  h.put_set("all", by_labels(document::object()));
  h.put_cluster("c1", in_set("b"));
  h.put_cluster("c2", document::object());
  CHECK(told(h.settle()) == "c1: b/x b/y;");
  h.put_cluster("c1", {{cluster_set_label, "b"}, {"more", "labels"}});
  CHECK(told(h.settle()).empty());
  auto spec = by_labels(document::object());
  spec.update(wants({"z"}));
  h.put_set("all", spec);
  CHECK(told(h.settle()) == "c1: all/z b/x b/y;c2: all/z;");
  h.put_cluster("c1", document::object());
  CHECK(told(h.settle()) == "c1: all/z;");
  h.remove(hub_with_sets::set_key("all"));
  CHECK(told(h.settle()) == "c1:;c2:;");
}

TEST_CASE("a cluster or a set that is being deleted changes nobody's namespaces for the worse", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put_set("b", wants({"x"}));
  h.put_cluster("c1", in_set("b"));
  h.put_cluster("c2", in_set("b"));
  h.settle();
  h.put(hub_with_sets::cluster_key("c1"),
        {{"metadata", {{"labels", in_set("b")}, {"deletionTimestamp", "2026-01-01T00:00:00Z"}}}});
  h.put(hub_with_sets::set_key("b"),
        {{"metadata", {{"deletionTimestamp", "2026-01-01T00:00:00Z"}}}, {"spec", wants({"x"})}});
  CHECK(told(h.settle()) == "c2:;");
}

TEST_CASE("after a restart only what differs from the stored status is written and said", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put_set("b", wants({"x"}));
  h.put_set("idle");
  h.put(hub_with_sets::binding_key("team", "b"), {{"spec", {{"clusterSet", "b"}}}});
  h.put_cluster("c1", in_set("b"));
  h.put_cluster("c2", in_set("b"));
  h.settle();
  // c1's actor has written what it was told; c2's had no time to.
  auto c1 = h.b.get(hub_with_sets::cluster_key("c1"));
  c1["status"]["managedNamespaces"] = document::array({{{"clusterSet", "b"}, {"name", "x"}}});
  h.b.put_document(hub_with_sets::cluster_key("c1"), c1);

  h.sets = {};
  h.sets.keeps_default_sets = false;
  h.start();
  const auto out = h.settle();
  CHECK(told(out) == "c2: b/x;");
  CHECK(out.writes.puts.empty());
}

TEST_CASE("reports of spokes are not even looked at", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put_set("dev");
  h.put_cluster("c1", in_set("dev"));
  const auto before = h.deliveries;
  auto doc = h.b.get(hub_with_sets::cluster_key("c1"));
  doc["status"]["capacity"] = {{"cpu", "4"}, {"tricky", "}\"{\\"}};
  h.put(hub_with_sets::cluster_key("c1"), doc);
  doc["spec"]["hubAcceptsClient"] = true;
  h.put(hub_with_sets::cluster_key("c1"), doc);
  CHECK(h.deliveries == before);
  doc["metadata"]["labels"]["note"] = "with \" and } in it";
  h.put(hub_with_sets::cluster_key("c1"), doc);
  CHECK(h.deliveries == before + 1);
}

TEST_CASE("many changes of a set's members make one write", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  h.put_set("dev");
  h.settle();
  for (int i = 0; i < 500; ++i) h.put_cluster("c" + std::to_string(i), in_set("dev"));
  CHECK(h.settle().writes.puts.size() == 1);
  CHECK(h.empty_of("dev") == "False/ClustersSelected/500 ManagedClusters selected");
  CHECK(h.settle().writes.puts.empty());
}

TEST_CASE("bindings that are due are written a batch at a time", "[cluster_sets]") {
  hub_with_sets h;
  h.start();
  for (int i = 0; i < 600; ++i)
    h.put(hub_with_sets::binding_key("ns" + std::to_string(i), "dev"), {{"spec", {{"clusterSet", "dev"}}}});
  CHECK(h.settle().writes.puts.size() == 256);
  CHECK(h.settle().writes.puts.size() == 256);
  const auto last = h.settle();
  CHECK(last.writes.puts.size() == 88);
  CHECK(last.timers.empty());
}

TEST_CASE("the sets default and global are made, and made again", "[cluster_sets]") {
  hub_with_sets h(true);
  h.start();
  h.keep();
  const auto spec_of = [&](const char* name) {
    return h.b.get(hub_with_sets::set_key(name))["spec"]["clusterSelector"];
  };
  CHECK(spec_of("default") == document{{"selectorType", "ExclusiveClusterSetLabel"}});
  CHECK(spec_of("global") == document{{"selectorType", "LabelSelector"}, {"labelSelector", document::object()}});
  const auto again = h.keep();
  CHECK(again.writes.puts.empty());
  REQUIRE(again.timers.size() == 1);
  CHECK(again.timers[0].after == keep_sets_every);
  h.remove(hub_with_sets::set_key("default"));  // the feed's word is enough
  h.settle();
  CHECK(spec_of("default") == document{{"selectorType", "ExclusiveClusterSetLabel"}});
}

TEST_CASE("an edit of a kept set's selector is taken back at once, other edits stay", "[cluster_sets]") {
  hub_with_sets h(true);
  h.start();
  h.keep();
  auto set = h.b.get(hub_with_sets::set_key("global"));
  set["metadata"]["labels"]["owner"] = "me";
  set["spec"] = by_labels({{"matchLabels", {{"env", "dev"}}}});
  set["spec"]["managedNamespaces"] = document::array({{{"name", "tools"}}});
  h.put(hub_with_sets::set_key("global"), set);
  const auto out = h.settle();
  CHECK(out.writes.preconditions.size() == out.writes.puts.size());
  const auto now = h.b.get(hub_with_sets::set_key("global"));
  CHECK(now["spec"]["clusterSelector"]["labelSelector"] == document::object());
  CHECK(now["spec"]["managedNamespaces"].size() == 1);
  CHECK(now["metadata"]["labels"]["owner"] == "me");
  CHECK(now["metadata"]["generation"] == 2);
  // An empty part is as good as none.
  set["spec"] = by_labels({{"matchLabels", document::object()}});
  h.put(hub_with_sets::set_key("global"), set);
  h.settle();
  CHECK(h.b.get(hub_with_sets::set_key("global"))["spec"] == set["spec"]);
}

TEST_CASE("the annotation autoupdate=false leaves a kept set to its administrator", "[cluster_sets]") {
  hub_with_sets h(true);
  h.start();
  h.keep();
  auto set = h.b.get(hub_with_sets::set_key("default"));
  set["spec"] = by_labels({{"matchLabels", {{"env", "dev"}}}});
  set["metadata"]["annotations"]["cluster.open-cluster-management.io/autoupdate"] = "false";
  h.put(hub_with_sets::set_key("default"), set);
  h.settle();
  CHECK(h.keep().writes.puts.empty());
  CHECK(h.b.get(hub_with_sets::set_key("default"))["spec"] == set["spec"]);
  set["metadata"]["annotations"]["cluster.open-cluster-management.io/autoupdate"] = "true";
  h.put(hub_with_sets::set_key("default"), set);
  h.settle();
  CHECK(h.b.get(hub_with_sets::set_key("default"))["spec"] != set["spec"]);
}

TEST_CASE("with the gate off nothing is made and nothing repaired", "[cluster_sets]") {
  hub_with_sets h(false);
  CHECK(h.start().timers.empty());
  h.put(hub_with_sets::set_key("default"), {{"spec", by_labels(document::object())}});
  CHECK(h.b.get(hub_with_sets::set_key("default"))["spec"] == by_labels(document::object()));
  h.remove(hub_with_sets::set_key("default"));
  h.settle();
  CHECK_FALSE(h.b.has(hub_with_sets::set_key("default")));
}
