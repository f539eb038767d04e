// Whatever kubectl explain can show of the built-in kinds has words.
#include <catch2/catch.hpp>
#include <set>

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

/// What the server says of every kind alike: apiserver/openapi_schemas.hpp.
bool is_said_by_server(const std::string& name) { return name == "apiVersion" || name == "kind" || name == "metadata"; }

/// Visits a kind's schema and, once each, the definitions that it refers to.
class gap_finder {
 public:
  explicit gap_finder(gaps& out) : out_(out) {}

  void below(const document& at, const std::string& path) {
    for (const char* inner : {"items", "additionalProperties"})
      if (const auto it = at.find(inner); it != at.end() && it->is_object()) below(*it, path);
    if (const auto name = referred(at); !name.empty()) return definition(name);
    const auto members = at.find("properties");
    if (members == at.end()) return;
    const bool is_kind = members->contains("apiVersion") && members->contains("metadata");
    for (const auto& [name, member] : members->items())
      if (!is_kind || !is_said_by_server(name)) field(member, path + "." + name);
  }

  void field(const document& at, const std::string& path) {
    if (at.value("description", "").empty()) out_.add(path);
    below(at, path);
  }

 private:
  static std::string referred(const document& at) {
    const auto all = at.find("allOf");
    const auto& where = all == at.end() ? at : all->front();
    const auto target = where.value("$ref", "");
    return target.starts_with(prefix) ? target.substr(prefix.size()) : "";
  }

  void definition(const std::string& name) {
    if (!seen_.insert(name).second) return;
    const auto schema = builtin_definition(name);
    REQUIRE(schema.is_object());
    field(schema, name);
  }

  static inline const std::string prefix = "#/components/schemas/";
  gaps& out_;
  std::set<std::string> seen_;
};

void look_for_gaps(const kind_info& kind, gaps& out) { gap_finder(out).field(kind.structure->openapi(), kind.kind); }

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
