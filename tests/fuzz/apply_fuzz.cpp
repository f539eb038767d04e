// Server-side apply on anything: a line each with a user's schema, an object, the owners in its managedFields, and the
// configurations of two managers. Whatever is accepted must settle: the same again changes nothing.
#include <cstdint>
#include <cstdlib>

#include "resources/apply/last_applied.hpp"
#include "resources/kinds.hpp"
#include "tests/fuzz/json_lines.hpp"

namespace {

using namespace wh;

void must(bool holds) {
  if (!holds) std::abort();
}

/// The schema of a kind with this openAPIV3Schema, or null.
std::shared_ptr<const schema> schema_of(const document& openapi) {
  const document crd = {
      {"metadata", {{"name", "things.fuzz.example"}}},
      {"spec",
       {{"group", "fuzz.example"},
        {"scope", "Namespaced"},
        {"names", {{"plural", "things"}, {"kind", "Thing"}}},
        {"versions",
         {{{"name", "v1"}, {"served", true}, {"storage", true}, {"schema", {{"openAPIV3Schema", openapi}}}}}}}}};
  const auto kinds = kinds_of_crd(crd);
  return kinds ? kinds->front().structure : nullptr;
}

void check_owners(const apply::managers& owners) {
  const auto read = apply::parse_managers(apply::managed_fields_of(owners));
  must(read.ok());
  must(apply::managed_fields_of(*read) == apply::managed_fields_of(owners));
  for (const auto& [id, o] : owners) {
    must(!o.fields.empty());
    must(apply::parse_fields_v1(document::parse(apply::fields_v1_text(o.fields))).ok());
    must(apply::difference_of(apply::leaves_of(o.fields), o.fields).empty());
    must(apply::union_of(o.fields, o.fields) == o.fields);
    must(apply::intersection_of(o.fields, o.fields) == o.fields);
    must(apply::without(o.fields, o.fields).empty());
  }
}

/// Applies by force and once more without; leaves the object as it is then.
void apply_twice(document& object, apply::managers& owners, const document& config, const char* manager,
                 const apply::write_scope& scope) {
  auto first = apply::apply_after_client_side(object, config, owners, manager, true, scope);
  if (!first) return;
  must(first->conflicts.empty());
  check_owners(first->owners);
  auto again = apply::apply_after_client_side(first->object, config, first->owners, manager, false, scope);
  must(again.ok());
  must(again->conflicts.empty());
  must(again->object == first->object);
  must(apply::same_but_for_times(apply::managed_fields_of(again->owners), apply::managed_fields_of(first->owners)));
  object = std::move(again->object);
  owners = std::move(again->owners);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::json_lines lines(data, size);
  const auto openapi = lines.next();
  const auto structure = openapi ? schema_of(*openapi) : nullptr;
  if (!structure) return 0;
  auto object = lines.next();
  if (!object || !object->is_object()) return 0;
  structure->prune(*object);
  structure->apply_defaults(*object);
  if (!structure->validate(*object).empty()) return 0;
  const auto list = lines.next();
  auto owners = list ? apply::parse_managers(*list) : result<apply::managers>(apply::managers());
  apply::managers owned = owners ? *owners : apply::managers();
  apply::write_scope scope;
  scope.structure = structure.get();
  scope.api_version = "fuzz.example/v1";
  scope.ignored = {"status"};
  scope.now = instant(std::chrono::seconds(1));
  owned = apply::track_update(nullptr, *object, owned, "maker", scope);
  check_owners(owned);
  for (const char* manager : {"kubectl", "other", "kubectl"}) {
    const auto config = lines.next();
    if (!config || !config->is_object()) return 0;
    const auto before = *object;
    apply_twice(*object, owned, *config, manager, scope);
    scope.now += std::chrono::seconds(1);
    owned = apply::track_update(*object, before, owned, "back", scope);
    check_owners(owned);
    owned = apply::track_update(before, *object, owned, "again", scope);
    check_owners(owned);
  }
  return 0;
}
