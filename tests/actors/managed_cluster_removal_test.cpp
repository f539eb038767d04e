// How a cluster goes: order, what is told meanwhile, and clusters that will never answer.
#include "hub_bench.hpp"

using namespace wh;
using namespace wh::test;

namespace {

const object_key addon_key{names::cluster_addons, "c1", "proxy"};

struct removal_bench : hub_bench {
  outbox remove() {
    edit([](document& doc) { doc["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"; });
    return fire("removal");
  }
  void add_work(const std::string& name, const char* priority = nullptr) {
    auto doc = work_doc(name);
    if (priority) doc["metadata"]["annotations"] = {{names::cleanup_priority, priority}};
    write(work_key(name), doc);
  }
  void add_addon(const document& finalizers = document::array()) {
    b.put_document(addon_key, {{"apiVersion", "addon.open-cluster-management.io/v1alpha1"},
                               {"kind", "ManagedClusterAddOn"},
                               {"metadata", {{"name", "proxy"}, {"namespace", "c1"}, {"finalizers", finalizers}}}});
  }
  bool goes(const std::string& name) { return b.has(work_key(name)) && is_deleting(b.get(work_key(name))); }
  void finish(const std::string& name) {
    receive(work_finished{name, "uid-" + name});
    fire("removal");
  }
  std::string deleting_message() {
    const auto doc = b.get(cluster_key);
    const auto* c = find_condition(doc["status"]["conditions"], names::deleting);
    return c ? std::string(string_at(*c, {"message"})) : std::string();
  }
};

}  // namespace

TEST_CASE("add-ons go first, then works by priority, then the cluster", "[managed_cluster][removal]") {
  removal_bench h;
  h.member();
  h.add_addon({"addon.open-cluster-management.io/addon-pre-delete"});
  h.add_work("late", "50");
  h.add_work("first");
  h.add_work("odd", "a lot");
  h.add_work("last", "100");
  h.remove();
  CHECK(is_deleting(h.b.get(addon_key)));
  CHECK_FALSE(h.goes("first"));
  CHECK(h.condition(names::deleting) == "False");
  CHECK(h.deleting_message().find("managedclusteraddons") != std::string::npos);
  CHECK(h.deleting_message().find("proxy") != std::string::npos);

  h.b.objects.erase(addon_key);
  h.tell(addon_key);
  h.fire("removal");
  CHECK(h.goes("first"));
  CHECK(h.goes("odd"));
  CHECK_FALSE(h.goes("late"));
  h.finish("first");
  CHECK_FALSE(h.goes("late"));
  h.finish("odd");
  CHECK(h.goes("late"));
  CHECK_FALSE(h.goes("last"));
  CHECK(h.deleting_message().find("late, ") == std::string::npos);
  h.finish("late");
  h.finish("last");
  CHECK_FALSE(h.b.has(cluster_key));
  CHECK_FALSE(h.b.has({names::role_bindings, "c1", "open-cluster-management:managedcluster:c1:work"}));
  CHECK(h.b.has({names::namespaces, "", "c1"}));
}

TEST_CASE("a cluster that was never accepted goes at once", "[managed_cluster][removal]") {
  removal_bench h;
  h.join();
  h.remove();
  CHECK_FALSE(h.b.has(cluster_key));
}

TEST_CASE("a cluster that does not answer says how to go on, and force goes on", "[managed_cluster][removal]") {
  removal_bench h;
  h.member();
  h.add_addon({"addon.open-cluster-management.io/addon-pre-delete"});
  h.add_work("w");
  h.b.handle(h.self, session_closed{session_id{2}, {}});
  h.remove();
  CHECK(h.deleting_message().find("whctl detach --force c1") != std::string::npos);
  h.edit([](document& doc) { doc["metadata"]["annotations"][names::detach_annotation] = "force"; });
  h.fire("removal");
  CHECK_FALSE(h.b.has(addon_key));
  h.fire("removal");
  CHECK_FALSE(h.b.has(work_key("w")));
  h.fire("removal");
  CHECK_FALSE(h.b.has(cluster_key));
}

TEST_CASE("force leaves the finalizers of others, and names what waits for them", "[managed_cluster][removal]") {
  removal_bench h;
  h.member();
  h.add_addon({"example.com/mine"});
  h.edit([](document& doc) { doc["metadata"]["annotations"][names::detach_annotation] = "force"; });
  h.remove();
  CHECK(is_deleting(h.b.get(addon_key)));
  CHECK(h.deleting_message().find("proxy") != std::string::npos);
}

TEST_CASE("works of a cluster whose object was torn away go with it", "[managed_cluster][removal]") {
  removal_bench h;
  h.member();
  h.add_work("w");
  admit_write m;
  m.id = request_id{5};
  m.key = cluster_key;
  m.verb = admit_write::verb_kind::remove;
  m.old_rev = h.b.read(cluster_key)->rev;
  m.proposed.erases.push_back({cluster_key});
  h.b.handle(h.self, m);
  CHECK_FALSE(h.b.has(cluster_key));
  h.fire("leftovers");
  CHECK_FALSE(h.b.has(work_key("w")));
}

TEST_CASE("a deleted cluster's works are cleaned up while it is denied", "[managed_cluster][removal]") {
  removal_bench h;
  h.member();
  h.add_work("w");
  h.accept(false);
  h.receive(sync_request{{{"w", "uid-w", generation{1}, false}}});
  h.remove();
  CHECK(h.goes("w"));
  h.finish("w");
  CHECK_FALSE(h.b.has(cluster_key));
}
