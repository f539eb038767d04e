// A cluster's life on the hub: link, availability, clock, taints, refusal, works of a lost history.
#include <set>

#include "hub_bench.hpp"

using namespace wh;
using namespace wh::test;

namespace {

struct life_bench : hub_bench {
  /// effect:key of every taint.
  std::string taints() {
    std::string all;
    const auto doc = b.get(cluster_key);
    if (const auto* list = find_path(doc, {"spec", "taints"}))
      for (const auto& t : *list) {
        all += std::string(string_at(t, {"key"})) + ":" + std::string(string_at(t, {"effect"})) + " ";
        CHECK_FALSE(string_at(t, {"timeAdded"}).empty());
      }
    return all;
  }
  std::string reason_of(const char* type) {
    const auto doc = b.get(cluster_key);
    const auto* c = find_condition(doc["status"]["conditions"], type);
    return c ? std::string(string_at(*c, {"reason"})) : std::string();
  }
  /// Reasons of the Events in a namespace.
  std::set<std::string> events(const std::string& ns = "c1") {
    std::set<std::string> all;
    for (const auto& r : b.list({names::events, ns, ""})) all.emplace(string_at(decode_record(r).value(), {"reason"}));
    return all;
  }
  outbox beat(duration clock_error) { return receive(heartbeat{b.now + clock_error}); }
};

cluster_report report(bool available, const std::string& version = "") {
  cluster_report r;
  r.available = available;
  r.kubernetes_version = version;
  return r;
}

const std::string unreachable = "cluster.open-cluster-management.io/unreachable:NoSelect ";
const std::string unavailable = "cluster.open-cluster-management.io/unavailable:NoSelect ";

}  // namespace

TEST_CASE("taints follow Available and nothing else", "[managed_cluster][life]") {
  life_bench h;
  h.join();
  CHECK(h.taints() == unreachable);
  h.accept();
  h.connect();
  CHECK(h.taints() == unreachable);
  h.receive(report(true));
  CHECK(h.taints().empty());
  h.b.handle(h.self, session_closed{session_id{2}, {}});
  CHECK(h.taints().empty());
  h.b.now += std::chrono::seconds(300);
  h.fire("grace");
  CHECK(h.taints() == unreachable);
  h.connect(3);
  h.receive(report(false), 3);
  CHECK(h.taints() == unavailable);
  h.edit([](document& doc) {
    doc["spec"]["taints"].push_back({{"key", "mine"}, {"effect", "NoSelect"}, {"timeAdded", "t"}});
  });
  h.receive(report(true), 3);
  CHECK(h.taints() == "mine:NoSelect ");
  CHECK(h.events() == std::set<std::string>{"ManagedClusterAccepted", "Available", "AvailableUnknown", "Unavailable"});
}

TEST_CASE("a change of taints is a change of the spec: the generation counts it", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  const auto before = generation_of(h.b.get(cluster_key));
  h.receive(report(true));
  CHECK(generation_of(h.b.get(cluster_key)).get() == before.get() + 1);
  h.receive(report(true));
  CHECK(generation_of(h.b.get(cluster_key)).get() == before.get() + 1);
}

TEST_CASE("an agent that writes its own status through REST moves the taints, too", "[managed_cluster][life]") {
  life_bench h;
  h.join();
  h.accept();
  h.edit([&](document& doc) {
    set_condition(doc["status"]["conditions"],
                  {.type = names::available, .status = "True", .reason = "r", .message = ""}, h.b.now);
  });
  CHECK(h.taints().empty());
}

TEST_CASE("LinkConnected is immediate, and Available keeps its grace", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  h.receive(report(true));
  CHECK(h.condition(names::link_connected) == "True");
  h.b.now += std::chrono::seconds(7);
  h.b.handle(h.self, session_closed{session_id{2}, fail(errc::timeout, "nothing came")});
  CHECK(h.condition(names::link_connected) == "False");
  CHECK(h.reason_of(names::link_connected) == "ConnectionLost");
  const auto doc = h.b.get(cluster_key);
  CHECK(string_at(*find_condition(doc["status"]["conditions"], names::link_connected), {"lastTransitionTime"}) ==
        to_rfc3339(h.b.now));
  CHECK(h.condition(names::available) == "True");
}

TEST_CASE("a hub that starts again says that its sessions are gone, and expires nothing by its own pause",
          "[managed_cluster][life]") {
  life_bench h;
  h.member();
  h.receive(report(true));
  h.b.now += std::chrono::hours(5);
  auto fresh = make_managed_cluster("c1");
  const auto out = h.b.start(fresh);
  h.self = fresh;
  CHECK(h.reason_of(names::link_connected) == "HubRestarted");
  h.fire("grace");
  CHECK(h.condition(names::available) == "True");
  h.b.now += std::chrono::seconds(300);
  h.fire("grace");
  CHECK(h.condition(names::available) == "Unknown");
}

TEST_CASE("a clock five lease periods off stops the status until it is right again", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  h.receive(report(true, "v1"));
  const auto hour = GENERATE(std::chrono::hours(1), std::chrono::hours(-1));
  h.beat(std::chrono::seconds(299));
  CHECK(h.condition(names::clock_synced) == "True");
  h.beat(hour);
  CHECK(h.condition(names::clock_synced) == "False");
  CHECK(h.reason_of(names::clock_synced) == "ManagedClusterClockOutOfSync");
  CHECK(h.events().contains("ClockOutOfSync"));
  h.receive(report(true, "v2"));
  CHECK(string_at(h.b.get(cluster_key), {"status", "version", "kubernetes"}) == "v1");
  // Renewals count all the same: the hub's own clock says when they came.
  h.b.now += std::chrono::seconds(200);
  h.beat(hour);
  h.b.now += std::chrono::seconds(200);
  h.fire("grace");
  CHECK(h.condition(names::available) == "True");
  h.beat(duration{0});
  CHECK(h.condition(names::clock_synced) == "True");
  CHECK(string_at(h.b.get(cluster_key), {"status", "version", "kubernetes"}) == "v2");
}

TEST_CASE("the clock check can be skipped by annotation", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  h.edit([](document& doc) { doc["metadata"]["annotations"][names::skip_clock_check] = "true"; });
  h.beat(std::chrono::hours(1));
  CHECK(h.condition(names::clock_synced) == "True");
}

TEST_CASE("a lease written through REST renews by its own time", "[managed_cluster][life]") {
  life_bench h;
  h.join();
  h.accept();
  const auto renew = [&](duration ago) {
    auto lease = h.b.get(lease_key);
    lease["metadata"].erase("resourceVersion");
    lease["spec"]["renewTime"] = to_rfc3339_micro(h.b.now - ago);
    h.write(lease_key, lease);
    h.fire("clock");
    h.fire("grace");
  };
  renew(duration{0});
  CHECK(h.condition(names::clock_synced) == "True");
  CHECK(h.condition(names::available).empty());
  renew(std::chrono::seconds(301));
  CHECK(h.condition(names::available) == "Unknown");
  CHECK(h.condition(names::clock_synced) == "False");
  // Times of the future do not carry a cluster into it.
  renew(std::chrono::hours(-3));
  h.edit([&](document& doc) {
    set_condition(doc["status"]["conditions"],
                  {.type = names::available, .status = "True", .reason = "r", .message = ""}, h.b.now);
  });
  h.b.now += std::chrono::seconds(300);
  h.fire("grace");
  CHECK(h.condition(names::available) == "Unknown");
}

TEST_CASE("add-ons of a silent cluster are Unknown with it", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  const object_key addon{names::cluster_addons, "c1", "proxy"};
  h.b.put_document(addon, {{"metadata", {{"name", "proxy"}, {"namespace", "c1"}}}});
  h.b.now += std::chrono::seconds(300);
  h.fire("grace");
  h.fire("addons");
  CHECK(condition_status(h.b.get(addon), "Available") == "Unknown");
}

TEST_CASE("claims are taken within the API's limits, reserved ones first", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  auto said = report(true);
  said.claims = {{"a", "1"},
                 {"platform.open-cluster-management.io", "AWS"},
                 {"empty", ""},
                 {"long", std::string(1025, 'x')},
                 {std::string(254, 'n'), "v"}};
  said.claims_dropped = 3;
  h.receive(said);
  const auto doc = h.b.get(cluster_key);
  CHECK(doc["status"]["clusterClaims"] ==
        document::parse(R"([{"name":"platform.open-cluster-management.io","value":"AWS"},{"name":"a","value":"1"}])"));
  CHECK(h.events().contains("CustomClusterClaimsTruncated"));
  h.receive(cluster_report{});
  CHECK_FALSE(h.b.get(cluster_key)["status"].contains("clusterClaims"));
}

TEST_CASE("denial leaves the session nothing but the clean-up, and acceptance brings all back",
          "[managed_cluster][life]") {
  life_bench h;
  h.member();
  h.receive(report(true, "v1"));
  h.write(work_key("going"), work_doc("going"));
  h.write(work_key("staying"), work_doc("staying"));
  const auto denial = frames<welcome>(h.accept(false));
  REQUIRE(denial.size() == 1);
  CHECK_FALSE(denial[0].accepted);
  CHECK(denial[0].cleanup);
  const object_key work_binding{names::role_bindings, "c1", "open-cluster-management:managedcluster:c1:work"};
  CHECK(is_deleting(h.b.get(work_binding)));
  CHECK(h.events().contains("ManagedClusterDenied"));

  // Nothing of what it says counts, nothing new reaches it.
  CHECK(h.receive(report(true, "v2")).writes.empty());
  CHECK(h.beat(duration{0}).writes.empty());
  CHECK(h
            .receive(work_report{
                .name = "staying", .uid = "uid-staying", .seq = 1, .observed = generation{1}, .status = share("{}")})
            .writes.empty());
  const auto synced = h.receive(sync_request{{{"going", "uid-going", generation{1}, false}}});
  CHECK(frames<work_desired>(synced).empty());
  CHECK(frames<work_unknown>(synced).empty());
  CHECK(frames<sync_done>(synced).size() == 1);
  CHECK(frames<work_desired>(h.write(work_key("new"), work_doc("new"))).empty());

  // Removals pass, and their reports.
  auto doc = h.b.get(work_key("going"));
  doc["metadata"].erase("resourceVersion");
  doc["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK(frames<work_desired>(h.write(work_key("going"), doc)).size() == 1);
  h.receive(work_finished{"going", "uid-going"});
  CHECK_FALSE(h.b.has(work_key("going")));

  const auto back = frames<welcome>(h.accept(true));
  REQUIRE(back.size() == 1);
  CHECK(back[0].accepted);
  CHECK_FALSE(is_deleting(h.b.get(work_binding)));
  CHECK(frames<work_desired>(h.receive(sync_request{})).size() == 2);
}

TEST_CASE("when nothing is left to clean up, the last rights go and the session idles", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  h.write(work_key("w"), work_doc("w"));
  h.accept(false);
  h.receive(sync_request{{{"w", "uid-w", generation{1}, false}}});
  auto doc = h.b.get(work_key("w"));
  doc["metadata"].erase("resourceVersion");
  doc["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  h.write(work_key("w"), doc);
  h.receive(work_finished{"w", "uid-w"});
  const auto over = frames<welcome>(h.fire("access"));
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].cleanup);
  CHECK_FALSE(h.b.has({names::role_bindings, "c1", "open-cluster-management:managedcluster:c1:work"}));
}

TEST_CASE("rights and namespace that somebody took away come back", "[managed_cluster][life]") {
  life_bench h;
  h.member();
  const object_key role{names::cluster_roles, "", "open-cluster-management:managedcluster:c1"};
  const object_key ns{names::namespaces, "", "c1"};
  for (const auto& key : {role, ns, lease_key}) {
    h.b.objects.erase(key);
    h.tell(key);
    h.fire("access");
    CHECK(h.b.has(key));
  }
  auto widened = h.b.get(role);
  widened["metadata"].erase("resourceVersion");
  widened["rules"].push_back({{"apiGroups", {"*"}}, {"resources", {"*"}}, {"verbs", {"*"}}});
  h.b.put_document(role, widened);
  h.fire("access");
  CHECK(h.b.get(role)["rules"].size() == 4);
}

TEST_CASE("automatic acceptance comes once, and with the request that was approved", "[managed_cluster][life]") {
  life_bench h;
  h.self.settings = {.auto_approval = true, .auto_approved_users = {"system:bootstrap:id"}};
  h.join();
  const object_key key{names::csrs, "", "c1-key-digest"};
  auto csr = h.b.get(key);
  const auto approve = [&](const char* reason) {
    csr["status"]["conditions"] = {{{"type", "Approved"}, {"status", "True"}, {"reason", reason}}};
    h.b.put_document(key, csr);
    h.tell(key);
  };
  approve("ByAPerson");
  CHECK_FALSE(h.self.accepted);
  approve(names::auto_approval_reason);
  CHECK(h.self.accepted);
  CHECK(h.b.has({names::namespaces, "", "c1"}));
  CHECK_FALSE(annotation_of(h.b.get(cluster_key), names::auto_accepted_on).empty());
  CHECK(h.events().contains("ManagedClusterAutoApproved"));
  h.accept(false);
  h.tell(key);
  CHECK_FALSE(h.self.accepted);
}

TEST_CASE("a restored hub leaves newer works of the cluster alone, and says that it is behind",
          "[managed_cluster][life]") {
  life_bench h;
  h.member();
  h.write(work_key("w"), work_doc("w", 3));
  const sync_request held{{{"w", "uid-w", generation{5}, false, "before-the-restore"},
                           {"forgotten", "uid-f", generation{1}, false, "before-the-restore"}}};
  h.connect(3, "before-the-restore");
  const auto first = h.receive(held, 3);
  CHECK(frames<work_desired>(first).empty());
  CHECK(frames<work_unknown>(first).empty());
  CHECK(h.condition(names::hub_behind) == "True");
  // The spoke has met this history now, and still holds what came from the other one.
  h.connect(4, "hub-1");
  const auto second = h.receive(held, 4);
  CHECK(frames<work_desired>(second).empty());
  CHECK(frames<work_unknown>(second).empty());
  CHECK(
      frames<report_ack>(
          h.receive(
              work_report{.name = "w", .uid = "uid-w", .seq = 1, .observed = generation{5}, .status = share("{}")}, 4))
          .size() == 1);

  // A user's change ends it, under a generation that nobody has seen.
  auto doc = h.b.get(work_key("w"));
  doc["metadata"].erase("resourceVersion");
  doc["metadata"]["generation"] = 4;
  const auto sent_out = frames<work_desired>(h.write(work_key("w"), doc));
  REQUIRE(sent_out.size() == 1);
  CHECK(sent_out[0].gen == generation{6});
  h.connect(5, "hub-1");
  CHECK(frames<work_desired>(h.receive(sync_request{{{"w", "uid-w", generation{6}, false, "hub-1"}}}, 5)).empty());
  CHECK(h.condition(names::hub_behind) == "False");
}
