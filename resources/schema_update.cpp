#include "resources/internal/shown_value.hpp"
#include "resources/schema_node.hpp"

namespace wh {
namespace {

using node = schema::node;
using internal::shown_value;

/// Compares what a rule calls immutable, everywhere the two versions have a common place.
class update_checker {
 public:
  std::vector<field_error> errors;

  void check(const node& rule, const document& before, const document& after, const std::string& path) {
    if (!before.is_object() || !after.is_object()) return;
    for (const auto& property : rule.properties) {
      const auto was = before.find(property.name);
      if (was == before.end()) continue;
      const auto is = after.find(property.name);
      const document now = is == after.end() ? document() : *is;
      const auto at = path.empty() ? property.name : path + "." + property.name;
      if (property.schema->immutable) {
        if (*was != now) errors.push_back({field_error_type::invalid, at, shown_value(now), "field is immutable"});
      } else {
        check(*property.schema, *was, now, at);
      }
    }
  }
};

}  // namespace

std::vector<field_error> schema::validate_update(const document& before, const document& after) const {
  update_checker checker;
  checker.check(*root_, before, after, "");
  return std::move(checker.errors);
}

}  // namespace wh
