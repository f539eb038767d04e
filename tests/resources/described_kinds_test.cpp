// Whatever kubectl explain can show of the built-in kinds has words.
#include <catch2/catch.hpp>

#include "resources/kinds.hpp"

using namespace wh;

namespace {

/// Places of schemas that nobody described, by path.
struct gaps {
  std::vector<std::string> first;  ///< at most ten, so that a failure can be read
  std::size_t count = 0;

  void add(const std::string& path) {
    if (++count <= 10) first.push_back(path);
  }
};

void look_for_gaps(const document& at, const std::string& path, gaps& out) {
  for (const char* inner : {"items", "additionalProperties"})
    if (const auto it = at.find(inner); it != at.end() && it->is_object()) look_for_gaps(*it, path, out);
  const auto members = at.find("properties");
  if (members == at.end()) return;
  for (const auto& [name, member] : members->items()) {
    const auto below = path + "." + name;
    if (member.value("description", "").empty()) out.add(below);
    look_for_gaps(member, below, out);
  }
}

/// What the server says of every kind alike: apiserver/openapi_schemas.hpp.
bool is_said_by_server(const std::string& name) { return name == "apiVersion" || name == "kind" || name == "metadata"; }

void look_for_gaps(const kind_info& kind, gaps& out) {
  const auto& schema = kind.structure->openapi();
  if (schema.value("description", "").empty()) out.add(kind.kind);
  for (const auto& [name, member] : schema["properties"].items()) {
    if (is_said_by_server(name)) continue;
    const auto path = kind.kind + "." + name;
    if (member.value("description", "").empty()) out.add(path);
    look_for_gaps(member, path, out);
  }
}

gaps gaps_of(kind_set set) {
  kind_registry kinds;
  add_builtin_kinds(kinds, set);
  gaps out;
  for (const auto& kind : kinds.all()) look_for_gaps(*kind, out);
  return out;
}

}  // namespace

TEST_CASE("every field of the hub's kinds says what it means", "[kinds]") {
  const auto missing = gaps_of(kind_set::hub);
  INFO(missing.count << " fields have no description");
  CHECK(missing.first == std::vector<std::string>{});
}

TEST_CASE("every field of a cluster's kinds says what it means", "[kinds]") {
  const auto missing = gaps_of(kind_set::cluster);
  INFO(missing.count << " fields have no description");
  CHECK(missing.first == std::vector<std::string>{});
}

TEST_CASE("bodies that are asked with say what they mean", "[kinds]") {
  gaps missing;
  for (const char* kind : {"TokenRequest", "TokenReview", "SelfSubjectReview"})
    look_for_gaps(*find_request_kind("authentication.k8s.io", "v1", kind), missing);
  for (const char* kind :
       {"SubjectAccessReview", "SelfSubjectAccessReview", "LocalSubjectAccessReview", "SelfSubjectRulesReview"})
    look_for_gaps(*find_request_kind("authorization.k8s.io", "v1", kind), missing);
  look_for_gaps(*find_request_kind("autoscaling", "v1", "Scale"), missing);
  look_for_gaps(*find_request_kind("policy", "v1", "Eviction"), missing);
  look_for_gaps(*find_request_kind("", "v1", "Binding"), missing);
  INFO(missing.count << " fields have no description");
  CHECK(missing.first == std::vector<std::string>{});
}
