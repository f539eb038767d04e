#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "access_fixture.hpp"
#include "apiserver/audit/audit_log.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// Keeps what would be written.
class kept_trail final : public audit_trail {
 public:
  audit_decision decide(const audit_subject& s) const override { return policy.decide(s); }
  bool records_denials() const override { return policy.records_denials(); }
  void record(audit_record r) override { events.push_back(*parse_json(audit_line(r))); }

  audit_policy policy = audit_policy::standard();
  std::vector<document> events;
};

struct audit_fixture {
  ~audit_fixture() { f.server.reset(); }
  kept_trail trail;
  access_fixture f{[this](api_options& o) { o.audit = &trail; }};
};

audit_policy policy_of(const std::string& text) {
  auto p = audit_policy::parse("apiVersion: audit.k8s.io/v1\nkind: Policy\n" + text);
  INFO((p ? "" : p.err().message));
  REQUIRE(p);
  return *p;
}

audit_level level(const audit_policy& p, const char* verb, const char* group, const char* resource, const char* ns = "",
                  const char* name = "", const char* sub = "", const char* user = "u") {
  const user_info who{user, {"g"}};
  return p.decide({who, verb, group, resource, sub, ns, name, "/x", true}).level;
}

audit_level path_level(const audit_policy& p, const char* path) {
  const user_info who{"u", {}};
  return p.decide({who, "get", "", "", "", "", "", path, false}).level;
}

std::string folder() {
  char name[] = "/tmp/wh-audit-XXXXXX";
  return ::mkdtemp(name);
}

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

}  // namespace

TEST_CASE("writes, reads of Secrets and refusals are recorded by default", "[apiserver][audit]") {
  audit_fixture a;
  a.f.make_namespace("n");
  a.trail.events.clear();
  a.f.make_config_map("n", "c");
  REQUIRE(a.trail.events.size() == 1);
  const auto& e = a.trail.events[0];
  CHECK(e["kind"] == "Event");
  CHECK(e["apiVersion"] == "audit.k8s.io/v1");
  CHECK(e["level"] == "Metadata");
  CHECK(e["stage"] == "ResponseComplete");
  CHECK(e["verb"] == "create");
  CHECK(e["requestURI"] == "/api/v1/namespaces/n/configmaps");
  CHECK(e["user"]["username"] == "admin");
  CHECK(e["objectRef"] == document({{"resource", "configmaps"}, {"namespace", "n"}, {"apiVersion", "v1"}}));
  CHECK(e["responseStatus"]["code"] == 201);
  CHECK_FALSE(e.contains("requestObject"));
  a.f.get("/api/v1/namespaces/n/configmaps");
  a.f.get("/readyz");
  a.f.get("/apis");
  CHECK(a.trail.events.size() == 1);
  a.f.get("/api/v1/namespaces/n/secrets");
  CHECK(a.trail.events.size() == 2);
  a.f.as("eve", "GET", "/api/v1/namespaces/n/configmaps");
  REQUIRE(a.trail.events.size() == 3);
  CHECK(a.trail.events[2]["responseStatus"]["reason"] == "Forbidden");
  CHECK(a.trail.events[2]["annotations"]["authorization.k8s.io/decision"] == "forbid");
  a.f.post("/apis/coordination.k8s.io/v1/namespaces/n/leases", {{"metadata", {{"name", "l"}}}});
  CHECK(a.trail.events.size() == 3);
}

TEST_CASE("bodies are recorded when asked for, and never those of Secrets and tokens", "[apiserver][audit]") {
  audit_fixture a;
  a.f.make_namespace("n");
  a.trail.policy = policy_of("rules: [{level: RequestResponse}]");
  a.trail.events.clear();
  a.f.make_config_map("n", "c");
  CHECK(a.trail.events.back()["requestObject"]["data"]["k"] == "v");
  CHECK(a.trail.events.back()["responseObject"]["metadata"]["name"] == "c");
  a.f.patch("/api/v1/namespaces/n/configmaps/c", {{"data", {{"k", "w"}}}});
  CHECK(a.trail.events.back()["requestObject"] == document({{"data", {{"k", "w"}}}}));
  a.f.post("/api/v1/namespaces/n/secrets", {{"metadata", {{"name", "s"}}}, {"stringData", {{"p", "hunter2"}}}});
  a.f.patch("/api/v1/namespaces/n/secrets/s", {{"stringData", {{"p", "hunter2"}}}});
  a.f.post("/api/v1/namespaces/n/secrets", {{"metadata", {{"name", "t"}}}, {"data", {{"p", "hunter2"}}}});
  a.f.get("/api/v1/namespaces/n/secrets/s");
  auto work = manifest_work("w");
  work["spec"]["workload"]["manifests"].push_back({{"apiVersion", "v1"},
                                                   {"kind", "Secret"},
                                                   {"metadata", {{"name", "x"}, {"namespace", "default"}}},
                                                   {"stringData", {{"p", "hunter2"}}}});
  REQUIRE(a.f.post("/apis/work.open-cluster-management.io/v1/namespaces/n/manifestworks", work).code == 201);
  a.f.post("/apis/authentication.k8s.io/v1/tokenreviews", {{"spec", {{"token", "hunter2"}}}});
  for (const auto& e : a.trail.events)
    CHECK_THAT(e.dump(), !Catch::Contains("hunter2") && !Catch::Contains("aHVudGVy"));
}

TEST_CASE("the client may name its request in the log, and every answer says how it is called there",
          "[apiserver][audit]") {
  audit_fixture a;
  a.trail.policy = policy_of("rules: [{level: Metadata}]");
  const auto named = a.f.call("GET", "/api/v1/configmaps", {}, {.audit_id = "ticket-7"});
  CHECK(named.headers.at("Audit-Id") == "ticket-7");
  CHECK(a.trail.events.back()["auditID"] == "ticket-7");
  for (const auto& unfit : {std::string(), std::string(65, 'x'), std::string("a b"), std::string("a\r\nb")}) {
    const auto r = a.f.call("GET", "/api/v1/namespaces/n/configmaps/none", {}, {.audit_id = unfit});
    CHECK(r.code == 404);
    CHECK(r.headers.at("Audit-Id").size() == 36);
    CHECK(a.trail.events.back()["auditID"] == r.headers.at("Audit-Id"));
  }
  CHECK(a.f.watch("/api/v1/configmaps?watch=1")->response.headers.at("Audit-Id").size() == 36);
}

TEST_CASE("an event says which binding allowed the request", "[apiserver][audit]") {
  audit_fixture a;
  a.f.grant("ann", document::array({policy({""}, {"configmaps"}, {"create"})}));
  const document body = {{"metadata", {{"name", "c"}}}};
  a.f.make_namespace("n");
  REQUIRE(a.f.as("ann", "POST", "/api/v1/namespaces/n/configmaps", body).code == 201);
  CHECK(a.trail.events.back()["annotations"] ==
        document({{"authorization.k8s.io/decision", "allow"},
                  {"authorization.k8s.io/reason",
                   "RBAC: allowed by ClusterRoleBinding \"of-ann\" of ClusterRole \"of-ann\" to User \"ann\""}}));
  REQUIRE(a.f.as("ann", "GET", "/api/v1/namespaces/n/configmaps").code == 403);
  CHECK(a.trail.events.back()["annotations"] ==
        document({{"authorization.k8s.io/decision", "forbid"}, {"authorization.k8s.io/reason", ""}}));
}

TEST_CASE("stages and managed fields are left out for the file or for a rule", "[apiserver][audit]") {
  audit_fixture a;
  a.f.make_namespace("n");
  a.trail.policy = policy_of(R"(
omitStages: [ResponseStarted]
omitManagedFields: true
rules:
- {level: None, verbs: [get]}
- {level: Metadata, omitStages: [ResponseComplete], resources: [{group: "", resources: [secrets]}]}
- {level: RequestResponse, omitManagedFields: false, resources: [{group: "", resources: [serviceaccounts]}]}
- {level: RequestResponse}
)");
  a.trail.events.clear();
  const document body = {{"metadata", {{"name", "c"}, {"labels", {{"a", "b"}}}}}};
  a.f.post("/api/v1/namespaces/n/secrets", body);
  a.f.watch("/api/v1/configmaps?watch=1")->hang_up();
  CHECK(a.trail.events.empty());
  a.f.post("/api/v1/namespaces/n/configmaps", body);
  CHECK_FALSE(a.trail.events.back()["responseObject"]["metadata"].contains("managedFields"));
  a.f.post("/api/v1/namespaces/n/serviceaccounts", body);
  CHECK(a.trail.events.back()["responseObject"]["metadata"].contains("managedFields"));
}

TEST_CASE("a watch is told of when it begins and when it ends", "[apiserver][audit]") {
  audit_fixture a;
  a.trail.policy = policy_of("rules: [{level: Metadata}]");
  a.trail.events.clear();
  {
    auto watch = a.f.watch("/api/v1/configmaps?watch=1");
    REQUIRE(a.trail.events.size() == 1);
    CHECK(a.trail.events[0]["stage"] == "ResponseStarted");
    watch->hang_up();
    a.f.make_namespace("n");  // the next change lets dead watches go
    a.f.make_config_map("n", "c");
  }
  std::vector<document> of_watch;
  for (const auto& e : a.trail.events)
    if (e["verb"] == "watch") of_watch.push_back(e);
  REQUIRE(of_watch.size() == 2);
  CHECK(of_watch[1]["stage"] == "ResponseComplete");
  CHECK(of_watch[1]["auditID"] == of_watch[0]["auditID"]);
}

TEST_CASE("the first rule that matches decides", "[apiserver][audit]") {
  const auto p = policy_of(R"(
rules:
- {level: None, users: [system:quiet]}
- {level: None, nonResourceURLs: [/healthz*, /version]}
- {level: Request, namespaces: [prod], verbs: [delete]}
- {level: Metadata, resources: [{group: "", resources: [secrets, pods/log, services/*]}]}
- {level: RequestResponse, resources: [{group: apps, resources: ["*/scale"]}, {group: batch}]}
- {level: Metadata, resources: [{group: "", resources: [configmaps], resourceNames: [a]}]}
)");
  CHECK(level(p, "get", "", "secrets", "n", "s", "", "system:quiet") == audit_level::none);
  CHECK(level(p, "get", "", "secrets") == audit_level::metadata);
  CHECK(level(p, "delete", "", "secrets", "prod") == audit_level::request);
  CHECK(level(p, "get", "", "pods", "n", "p") == audit_level::none);
  CHECK(level(p, "get", "", "pods", "n", "p", "log") == audit_level::metadata);
  CHECK(level(p, "get", "", "services", "n", "p") == audit_level::none);
  CHECK(level(p, "get", "", "services", "n", "p", "proxy") == audit_level::metadata);
  CHECK(level(p, "update", "apps", "deployments", "n", "p", "scale") == audit_level::request_response);
  CHECK(level(p, "update", "apps", "deployments", "n", "p") == audit_level::none);
  CHECK(level(p, "get", "batch", "jobs") == audit_level::request_response);
  CHECK(level(p, "get", "", "configmaps", "n", "a") == audit_level::metadata);
  CHECK(level(p, "get", "", "configmaps", "n", "b") == audit_level::none);
  CHECK(path_level(p, "/healthz/etcd") == audit_level::none);
  CHECK(path_level(policy_of("rules: [{level: Metadata, nonResourceURLs: [/a*]}]"), "/abc") == audit_level::metadata);
  CHECK(p.records_denials());
  CHECK_FALSE(policy_of("denials: None\nrules: [{level: Metadata}]").records_denials());
}

TEST_CASE("a policy that is not understood is refused with its place", "[apiserver][audit]") {
  struct row {
    const char* text;
    const char* message;
  };
  const row rows[] = {
      {"", "audit policy: file: must hold one object"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nomitManagedFields: maybe\nrules: [{level: None}]",
       "audit policy: omitManagedFields: must be true or false"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, omitManagedFields: 1}]",
       "audit policy: rules[0].omitManagedFields: must be true or false"},
      {"kind: Policy", "audit policy: file: must be of apiVersion audit.k8s.io/v1 and kind Policy"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy", "audit policy: rules: at least one rule is required"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: All}]",
       "audit policy: rules[0].level: must be one of None, Metadata, Request, RequestResponse"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{verbs: [get]}]",
       "audit policy: rules[0].level: is required"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, verb: [get]}]",
       "audit policy: rules[0].verb: unknown field"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, verbs: get}]",
       "audit policy: rules[0].verbs: must be a list"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: None, resources: [{groups: a}]}]",
       "audit policy: rules[0].resources[0].groups: unknown field"},
      {"apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [Never]\nrules: [{level: None}]",
       "audit policy: omitStages: unknown stage \"Never\""},
  };
  for (const auto& r : rows) {
    INFO(r.text);
    auto p = audit_policy::parse(r.text);
    REQUIRE_FALSE(p);
    CHECK(p.err().message == r.message);
  }
}

TEST_CASE("the log is put aside when it is large, and old ones go", "[apiserver][audit]") {
  const auto dir = folder();
  instant now{std::chrono::seconds(1767323045)};
  audit_log_options o;
  o.file = dir + "/audit.log";
  o.limits = {2000, 3};
  o.now = [&] { return now += std::chrono::seconds(1); };
  {
    rotated_file file(o.file, o.limits);
    const std::string line(999, 'x');
    for (int i = 0; i < 20; ++i) REQUIRE(file.append(line + "\n", o.now()));
  }
  std::size_t files = 0;
  for (const auto& f : std::filesystem::directory_iterator(dir)) {
    ++files;
    CHECK(std::filesystem::file_size(f) == 2000);
    CHECK((std::filesystem::status(f).permissions() & std::filesystem::perms::others_read) ==
          std::filesystem::perms::none);
  }
  CHECK(files == 4);
  std::filesystem::remove_all(dir);
}

TEST_CASE("requests never wait for the log: what does not fit is dropped and said", "[apiserver][audit]") {
  const auto dir = folder();
  audit_log_options o;
  o.file = dir + "/audit.log";
  o.queue_max = 100;
  o.now = [] { return instant(std::chrono::seconds(1767323045)); };
  std::string complaint;
  o.complain = [&](const std::string& text) { complaint = text; };
  auto log = *audit_log::open(std::move(o));
  audit_record r;
  r.verb = "create";
  for (int i = 0; i < 100000; ++i) log->record(r);
  log->stop();
  log->record(r);
  CHECK(log->written() + log->dropped() == 100001);
  CHECK(log->written() == lines_of(dir + "/audit.log").size());
  CHECK(parse_json(lines_of(dir + "/audit.log").back()));
  if (log->dropped() > 1) CHECK_THAT(complaint, Catch::Contains("audit events were lost"));
  std::filesystem::remove_all(dir);
  audit_log_options nowhere;
  nowhere.file = "/nonexistent/audit.log";
  CHECK_THAT(audit_log::open(std::move(nowhere)).err().message, Catch::Contains("/nonexistent/audit.log: cannot open"));
}
