#include "nodes/ctl/output.hpp"

#include <catch2/catch.hpp>

#include "nodes/ctl/clusters.hpp"

using namespace wh;
using namespace wh::ctl;

namespace {

constexpr instant now{std::chrono::seconds(1'700'000'000)};

document with_condition(document doc, const char* type, const char* status, int observed = 0) {
  document condition = {{"type", type}, {"status", status}};
  if (observed) condition["observedGeneration"] = observed;
  doc["status"]["conditions"].push_back(condition);
  return doc;
}

document cluster(const char* name) {
  return {{"metadata",
           {{"name", name},
            {"creationTimestamp", to_rfc3339(now - std::chrono::minutes(5))},
            {"labels", {{"env", "prod"}, {"zone", "a"}}}}},
          {"spec", {{"hubAcceptsClient", true}}}};
}

}  // namespace

TEST_CASE("a table pads its columns and leaves no blanks at line ends", "[ctl]") {
  text_table table({"NAME", "STATE"});
  table.row({"a-long-name", "True"});
  table.row({"ü", "Unknown"});
  CHECK(table.render(false) == "NAME          STATE\na-long-name   True\nü             Unknown\n");
  CHECK(table.render(true) ==
        "NAME          STATE\na-long-name   \033[32mTrue\033[0m\nü             \033[33mUnknown\033[0m\n");
}

TEST_CASE("a table shows no control characters that came from elsewhere", "[ctl]") {
  text_table table({"NAME"});
  table.row({"a\033[2J\nb"});
  CHECK(table.render(false) == "NAME\na?[2J?b\n");
}

TEST_CASE("the clusters table shows acceptance, conditions, version, age and labels", "[ctl]") {
  auto c1 = with_condition(with_condition(cluster("c1"), "ManagedClusterJoined", "True"),
                           "ManagedClusterConditionAvailable", "Unknown");
  c1["status"]["version"]["kubernetes"] = "v1.33.0";
  auto c2 = cluster("c2");
  c2["spec"]["hubAcceptsClient"] = false;
  c2["metadata"].erase("labels");
  CHECK(clusters_table({c1, c2}, true, now).render(false) ==
        "NAME   HUB ACCEPTED   JOINED   AVAILABLE   VERSION   AGE   LABELS\n"
        "c1     True           True     Unknown     v1.33.0   5m    env=prod,zone=a\n"
        "c2     False          -        -           -         5m    <none>\n");
}

TEST_CASE("the works table says Pending while conditions answer an older generation", "[ctl]") {
  document work = {{"metadata", {{"name", "web"}, {"namespace", "c1"}, {"generation", 2}}},
                   {"spec", {{"workload", {{"manifests", {1, 2, 3}}}}}}};
  work = with_condition(with_condition(work, "Applied", "True", 1), "Available", "True", 2);
  CHECK(works_table({work}, now).render(false) ==
        "CLUSTER   NAME   APPLIED   AVAILABLE   MANIFESTS   AGE\n"
        "c1        web    Pending   True        3           <unknown>\n");
  work["metadata"]["deletionTimestamp"] = to_rfc3339(now);
  CHECK(works_table({work}, now).render(false).find("Deleting") != std::string::npos);
}

TEST_CASE("documents print as JSON and YAML with a final line break", "[ctl]") {
  CHECK(print_document({{"a", 1}}, output_format::yaml) == "a: 1\n");
  CHECK(print_document({{"a", 1}}, output_format::json) == "{\n    \"a\": 1\n}\n");
  const document owned = {{"metadata", {{"name", "x"}, {"managedFields", {{{"manager", "m"}}}}}}};
  CHECK(print_document(owned, output_format::yaml) == "metadata:\n  name: x\n");
  CHECK(print_document(list_document({owned}), output_format::yaml).find("managedFields") == std::string::npos);
  CHECK(list_document({{{"a", 1}}}).at("items").size() == 1);
}
