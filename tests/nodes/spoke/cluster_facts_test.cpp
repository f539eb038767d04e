// What a spoke's agent is told of its embedded cluster.
#include "nodes/spoke/cluster_facts.hpp"

#include <catch2/catch.hpp>

#include "nodes/parts/api_stack.hpp"
#include "nodes/spoke/api_port.hpp"
#include "resources/document.hpp"

using namespace wh;

namespace {

/// A memory store that can be told to be ill.
class ailing_store final : public store {
 public:
  store_health state;

  void submit(batch b, completion done) override { inner_->submit(std::move(b), std::move(done)); }
  result<std::optional<record>> get(const object_key& key, revision at) const override { return inner_->get(key, at); }
  result<page> list(const key_range& range, revision at, const std::optional<object_key>& after,
                    std::size_t limit) const override {
    return inner_->list(range, at, after, limit);
  }
  result<std::vector<change>> changes_since(revision after, std::size_t limit) const override {
    return inner_->changes_since(after, limit);
  }
  revision_window window() const override { return inner_->window(); }
  revision subscribe(feed_listener* listener) override { return inner_->subscribe(listener); }
  void unsubscribe(feed_listener* listener) override { inner_->unsubscribe(listener); }
  void compact(revision upto) override { inner_->compact(upto); }
  std::string incarnation_id() const override { return inner_->incarnation_id(); }
  store_health health() const override { return state; }
  store_figures figures() const override { return inner_->figures(); }

  void put_object(const std::string& resource, const document& doc) {
    batch b;
    b.puts.push_back({{resource, "", std::string(name_of(doc))}, encode_body(doc), {}});
    inner_->submit(std::move(b), [](const auto& done) { REQUIRE(done); });
  }
  void remove_object(const std::string& resource, const std::string& name) {
    batch b;
    b.erases.push_back({{resource, "", name}});
    inner_->submit(std::move(b), [](const auto& done) { REQUIRE(done); });
  }
  void node(const std::string& name, const std::string& cpu, bool unschedulable) {
    put_object("nodes", {{"metadata", {{"name", name}}},
                         {"spec", {{"unschedulable", unschedulable}}},
                         {"status", {{"capacity", {{"cpu", cpu}}}, {"allocatable", {{"cpu", cpu}}}}}});
  }
  void claim(const std::string& name, const std::string& value, const document& labels = document::object()) {
    put_object("clusterclaims.cluster.open-cluster-management.io",
               {{"metadata", {{"name", name}, {"labels", labels}}}, {"spec", {{"value", value}}}});
  }
  void property(const std::string& name, const std::string& value) {
    put_object("clusterproperties.about.k8s.io", {{"metadata", {{"name", name}}}, {"spec", {{"value", value}}}});
  }

 private:
  std::unique_ptr<store> inner_ = make_memory_store("cluster");
};

using texts = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("capacity sums all nodes, allocatable the schedulable ones", "[facts]") {
  ailing_store s;
  s.node("a", "4", false);
  s.node("b", "2500m", true);
  const auto facts = read_facts(s, {});
  CHECK(facts.healthy);
  CHECK(facts.capacity == texts{{"cpu", "6500m"}});
  CHECK(facts.allocatable == texts{{"cpu", "4"}});
}

TEST_CASE("claims are all ClusterClaims but those for the spoke only", "[facts]") {
  ailing_store s;
  s.claim("id.k8s.io", "one");
  s.claim("mine", "secret", {{"open-cluster-management.io/spoke-only", ""}});
  s.property("id.k8s.io", "two");
  s.property("other", "three");
  CHECK(read_facts(s, {}).claims == texts{{"id.k8s.io", "one"}});
  CHECK(read_facts(s, {.cluster_claim = true, .cluster_property = true}).claims ==
        texts{{"id.k8s.io", "two"}, {"other", "three"}});
  CHECK(read_facts(s, {.cluster_claim = false, .cluster_property = true}).claims.empty());
}

TEST_CASE("a cluster whose store cannot be written is not healthy", "[facts]") {
  ailing_store s;
  s.state = {.writable = false, .reason = "the disk is full"};
  const auto facts = read_facts(s, {});
  CHECK_FALSE(facts.healthy);
  CHECK_THAT(facts.message, Catch::Matchers::Contains("the disk is full"));
}

TEST_CASE("the port tells the agent of changes of nodes, claims and health", "[facts]") {
  ailing_store s;
  api_stack_options o;
  o.data = &s;
  o.kinds = kind_set::cluster;
  o.now = [] { return instant{}; };
  api_stack api(o);
  std::vector<cluster_facts> told;
  api_port port(api, {}, [&](const envelope& e) { told.push_back(std::get<cluster_facts>(e.body)); });
  s.node("a", "4", false);
  REQUIRE(told.size() == 1);
  s.claim("id.k8s.io", "one");
  REQUIRE(told.size() == 2);
  CHECK(told.back().claims.size() == 1);
  s.remove_object("clusterclaims.cluster.open-cluster-management.io", "id.k8s.io");
  CHECK(told.back().claims.empty());
  s.put_object("configmaps", {{"metadata", {{"name", "x"}}}});
  s.property("other", "three");  // the gate is off
  REQUIRE(told.size() == 3);
  port.look_at_health();
  REQUIRE(told.size() == 3);
  s.state = {.writable = false, .reason = "quota"};
  port.look_at_health();
  port.look_at_health();
  REQUIRE(told.size() == 4);
  CHECK_FALSE(told.back().healthy);
  s.state = {};
  port.look_at_health();
  REQUIRE(told.size() == 5);
  CHECK(told.back().healthy);
  CHECK(told.back().capacity == texts{{"cpu", "4"}});
}
