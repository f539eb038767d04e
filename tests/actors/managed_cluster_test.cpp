#include "actors/hub/managed_cluster.hpp"

#include "hub_bench.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("a join registers the cluster without accepting it and asks for a certificate", "[managed_cluster]") {
  hub_bench h;
  const auto out = h.join();
  const auto cluster = h.b.get(cluster_key);
  CHECK(bool_at(cluster, {"spec", "hubAcceptsClient"}, true) == false);
  const auto csr = h.b.get({names::csrs, "", "c1-key-digest"});
  CHECK(string_at(csr, {"spec", "signerName"}) == names::client_signer);
  CHECK(label_of(csr, names::cluster_name_label) == "c1");
  CHECK(from_base64(string_at(csr, {"spec", "request"})).value() == cluster_csr("c1"));
  CHECK(frames<join_pending>(out).size() == 1);
}

TEST_CASE("asking again finds the same request", "[managed_cluster]") {
  hub_bench h;
  h.join();
  const auto objects = h.b.objects.size();
  h.join();
  CHECK(h.b.objects.size() == objects);
}

TEST_CASE("a join with another key is told that the name is taken", "[managed_cluster]") {
  hub_bench h;
  h.join();
  const auto refusals = frames<refused>(h.join("another"));
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].final);
  CHECK(refusals[0].message.find("taken") != std::string::npos);
}

TEST_CASE("the applicant gets the certificate as soon as it is signed", "[managed_cluster]") {
  hub_bench h;
  h.join();
  const object_key key{names::csrs, "", "c1-key-digest"};
  auto csr = h.b.get(key);
  csr["status"]["certificate"] = to_base64("the certificate");
  const auto out = h.b.handle(
      h.self, object_changed{{.key = key, .rev = {}, .body = encode_body(csr), .previous = {}, .previous_rev = {}}});
  REQUIRE(frames<join_certificate>(out).size() == 1);
  CHECK(frames<join_certificate>(out)[0].cert_pem == "the certificate");
}

TEST_CASE("acceptance brings namespace, access, lease and condition in one batch", "[managed_cluster]") {
  hub_bench h;
  h.join();
  const auto out = h.accept();
  REQUIRE(sent<admit_reply>(out).size() == 1);
  CHECK_FALSE(sent<admit_reply>(out)[0].failure);
  CHECK(out.writes.puts.size() >= 7);
  CHECK(h.condition(names::hub_accepted) == "True");
  CHECK(h.b.has({names::namespaces, "", "c1"}));
  CHECK(h.b.has({names::cluster_roles, "", "open-cluster-management:managedcluster:c1"}));
  CHECK(h.b.has({names::cluster_role_bindings, "", "open-cluster-management:managedcluster:c1"}));
  CHECK(h.b.has({names::role_bindings, "c1", "open-cluster-management:managedcluster:c1:registration"}));
  CHECK(h.b.has({names::role_bindings, "c1", "open-cluster-management:managedcluster:c1:work"}));
  CHECK(h.b.has(lease_key));
}

TEST_CASE("a cluster with the name of one of the hub's own namespaces is not admitted", "[managed_cluster]") {
  bench_top b;
  auto self = make_managed_cluster("kube-system");
  admit_write m;
  m.key = {names::managed_clusters, "", "kube-system"};
  m.body = encode_body({{"metadata", {{"name", "kube-system"}}}, {"spec", {{"hubAcceptsClient", true}}}});
  m.proposed.puts.push_back({m.key, m.body, {}});
  const auto out = b.handle(self, m);
  REQUIRE(sent<admit_reply>(out).size() == 1);
  REQUIRE(sent<admit_reply>(out)[0].failure);
  CHECK(out.writes.empty());
}

TEST_CASE("denial takes the rights back and says so", "[managed_cluster]") {
  hub_bench h;
  h.member();
  const auto out = h.accept(false);
  CHECK(h.condition(names::hub_accepted) == "False");
  CHECK_FALSE(h.b.has({names::role_bindings, "c1", "open-cluster-management:managedcluster:c1:registration"}));
  const auto role = h.b.get({names::cluster_roles, "", "open-cluster-management:managedcluster:c1"});
  CHECK(role["rules"].size() == 1);
  REQUIRE(frames<welcome>(out).size() == 1);
  CHECK_FALSE(frames<welcome>(out)[0].accepted);
}

TEST_CASE("a proposal computed on an older version is refused as a conflict", "[managed_cluster]") {
  hub_bench h;
  h.join();
  admit_write m;
  m.key = cluster_key;
  m.verb = admit_write::verb_kind::update;
  m.old_rev = revision{1};
  m.body = encode_body(h.b.get(cluster_key));
  const auto replies = sent<admit_reply>(h.b.handle(h.self, m));
  REQUIRE(replies.size() == 1);
  REQUIRE(replies[0].failure);
  CHECK(replies[0].failure->code == errc::conflict);
}

TEST_CASE("a member that is not accepted is told to wait and gets nothing", "[managed_cluster]") {
  hub_bench h;
  h.join();
  h.b.put_document(work_key("w"), work_doc("w"));
  auto fresh = make_managed_cluster("c1");
  h.b.start(fresh);
  h.self = fresh;
  const auto greeting = frames<welcome>(h.connect());
  REQUIRE(greeting.size() == 1);
  CHECK_FALSE(greeting[0].accepted);
  CHECK(frames<work_desired>(h.receive(sync_request{})).empty());
  h.receive(cluster_report{});
  CHECK(h.condition(names::joined).empty());
}

TEST_CASE("strangers are sent away: unknown cluster, another key", "[managed_cluster]") {
  hub_bench h;
  REQUIRE(frames<refused>(h.connect()).size() == 1);
  h.join();
  h.accept();
  REQUIRE(frames<refused>(h.connect(3, "hub-1", "other key")).size() == 1);
  CHECK_FALSE(h.self.peer);
}

TEST_CASE("a new work goes to the synced spoke with our finalizer on it, in the same batch", "[managed_cluster]") {
  hub_bench h;
  h.member();
  const auto out = h.write(work_key("w"), work_doc("w"));
  REQUIRE(frames<work_desired>(out).size() == 1);
  CHECK(frames<work_desired>(out)[0].gen == generation{1});
  CHECK(has_finalizer(h.b.get(work_key("w")), names::work_finalizer));
}

TEST_CASE("a work written while the spoke is away has no finalizer until it is sent", "[managed_cluster]") {
  hub_bench h;
  h.join();
  h.accept();
  h.write(work_key("w"), work_doc("w"));
  CHECK_FALSE(has_finalizer(h.b.get(work_key("w")), names::work_finalizer));
  h.connect();
  const auto out = h.receive(sync_request{});
  CHECK(frames<work_desired>(out).size() == 1);
  CHECK(frames<sync_done>(out).size() == 1);
  CHECK(has_finalizer(h.b.get(work_key("w")), names::work_finalizer));
}

TEST_CASE("a sync sends only what differs", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.write(work_key("same"), work_doc("same"));
  h.write(work_key("newer"), work_doc("newer", 2));
  h.write(work_key("missing"), work_doc("missing"));
  h.connect(3);
  const auto out = h.receive(sync_request{{{"same", "uid-same", generation{1}, false},
                                           {"newer", "uid-newer", generation{1}, false},
                                           {"stranger", "uid-x", generation{1}, false}}},
                             3);
  std::string names;
  for (const auto& w : frames<work_desired>(out)) names += w.name + " ";
  CHECK(names == "missing newer ");
  REQUIRE(frames<work_unknown>(out).size() == 1);
  CHECK(frames<work_unknown>(out)[0].name == "stranger");
}

TEST_CASE("a hub that another store's spoke calls does not disown its works", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.connect(3, "an older hub");
  CHECK(frames<work_unknown>(h.receive(sync_request{{{"theirs", "u", generation{1}, false}}}, 3)).empty());
}

TEST_CASE("after a restore equal generations say nothing: every work is sent", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.write(work_key("same"), work_doc("same"));
  h.connect(3, "before the restore");
  const sync_request sync{{{"same", "uid-same", generation{1}, false}}};
  CHECK(frames<work_desired>(h.receive(sync, 3)).size() == 1);
}

TEST_CASE("a status change of a user does not go to the spoke, a new generation does", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.write(work_key("w"), work_doc("w"));
  auto doc = h.b.get(work_key("w"));
  doc["metadata"].erase("resourceVersion");
  doc["status"] = {{"conditions", document::array()}};
  CHECK(frames<work_desired>(h.write(work_key("w"), doc)).empty());
  doc["metadata"]["generation"] = 2;
  CHECK(frames<work_desired>(h.write(work_key("w"), doc)).size() == 1);
}

TEST_CASE("a report becomes status, and is acknowledged in the unit that writes it", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.write(work_key("w"), work_doc("w"));
  const auto out =
      h.receive(work_report{.name = "w",
                            .uid = "uid-w",
                            .seq = 4,
                            .observed = generation{1},
                            .status = share(R"({"conditions":[{"type":"Applied","status":"True"}],"other":1})")});
  CHECK(out.writes.puts.size() == 1);
  CHECK(frames<report_ack>(out) == std::vector<report_ack>{{"w", "uid-w", 4}});
  const auto doc = h.b.get(work_key("w"));
  CHECK(condition_status(doc, "Applied") == "True");
  CHECK_FALSE(doc["status"].contains("other"));
}

TEST_CASE("stale, foreign and broken reports change nothing", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.write(work_key("w"), work_doc("w", 2));
  const auto report = [](const char* uid, std::int64_t gen, const char* status) {
    return work_report{.name = "w", .uid = uid, .seq = 1, .observed = generation{gen}, .status = share(status)};
  };
  for (const auto& r :
       {report("uid-w", 1, "{}"), report("other", 2, "{}"), report("uid-w", 3, "{}"), report("uid-w", 2, "nonsense"),
        report("uid-w", 2, "[]"), report("uid-w", 2, R"({"conditions":[1]})")}) {
    INFO(*r.status);
    CHECK(h.receive(r).writes.puts.empty());
  }
}

TEST_CASE("a deleted work is sent as deleting and vanishes when the spoke has finished", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.write(work_key("w"), work_doc("w"));
  auto doc = h.b.get(work_key("w"));
  doc["metadata"].erase("resourceVersion");
  doc["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  const auto sent_out = frames<work_desired>(h.write(work_key("w"), doc));
  REQUIRE(sent_out.size() == 1);
  CHECK(sent_out[0].deleting);
  const auto out = h.receive(work_finished{"w", "uid-w"});
  CHECK_FALSE(h.b.has(work_key("w")));
  CHECK(frames<work_unknown>(out).size() == 1);
}

TEST_CASE("an accepted cluster's report sets Joined, Available, version and capacity", "[managed_cluster]") {
  hub_bench h;
  h.member();
  const auto out = h.receive(cluster_report{.seq = 1,
                                            .available = true,
                                            .available_reason = "",
                                            .available_message = "",
                                            .kubernetes_version = "v1.33.0",
                                            .capacity = {{"cpu", "8"}},
                                            .allocatable = {{"cpu", "7"}}});
  CHECK(h.condition(names::joined) == "True");
  CHECK(h.condition(names::available) == "True");
  const auto doc = h.b.get(cluster_key);
  CHECK(string_at(doc, {"status", "version", "kubernetes"}) == "v1.33.0");
  CHECK(string_at(doc, {"status", "capacity", "cpu"}) == "8");
  CHECK(string_at(doc, {"status", "allocatable", "cpu"}) == "7");
  CHECK(frames<report_ack>(out).size() == 1);
}

TEST_CASE("without heartbeats Available turns Unknown after five lease periods and not before", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.receive(cluster_report{});
  h.b.now += std::chrono::seconds(299);
  h.b.handle(h.self, timer_fired{"grace"});
  CHECK(h.condition(names::available) == "True");
  h.b.now += std::chrono::seconds(1);
  h.b.handle(h.self, timer_fired{"grace"});
  CHECK(h.condition(names::available) == "Unknown");
  h.receive(heartbeat{});
  CHECK(h.condition(names::available) == "True");
}

TEST_CASE("heartbeats are kept in memory and show in the lease", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.b.now += std::chrono::seconds(60);
  const auto out = h.receive(heartbeat{});
  CHECK(out.writes.in_memory);
  CHECK(string_at(h.b.get(lease_key), {"spec", "renewTime"}) == to_rfc3339_micro(h.b.now));
}

TEST_CASE("deleting a cluster deletes its works first, then its access, then itself", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.write(work_key("w"), work_doc("w"));
  auto doc = h.b.get(cluster_key);
  doc["metadata"].erase("resourceVersion");
  doc["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  h.write(cluster_key, doc);
  const auto removal = h.b.handle(h.self, timer_fired{"removal"});
  REQUIRE(frames<work_desired>(removal).size() == 1);
  CHECK(frames<work_desired>(removal)[0].deleting);
  CHECK(h.b.has(cluster_key));
  h.receive(work_finished{"w", "uid-w"});
  h.b.handle(h.self, timer_fired{"removal"});
  CHECK_FALSE(h.b.has(cluster_key));
  CHECK_FALSE(h.b.has({names::cluster_roles, "", "open-cluster-management:managedcluster:c1"}));
  CHECK(h.b.has({names::namespaces, "", "c1"}));
}

TEST_CASE("an older connection's frames and end do not touch the newer one", "[managed_cluster]") {
  hub_bench h;
  h.member();
  h.connect(3);
  h.b.handle(h.self, session_closed{session_id{2}, {}});
  REQUIRE(h.self.peer);
  CHECK(h.self.peer->session == session_id{3});
  CHECK(h.receive(heartbeat{}, 2).writes.empty());
}
