#include <algorithm>

#include "base/time.hpp"
#include "resources/internal/default_rules.hpp"
#include "resources/schema_node.hpp"

namespace wh {
namespace {

using node = schema::node;

constexpr int depth_max = 200;

/// Null where the schema has no use for it is the same as absent.
bool is_meaningless_null(const node& rule, const document& value) {
  return value.is_null() && !rule.nullable && (rule.drop_null || rule.default_value);
}

void drop_nulls(const node& rule, document& object) {
  for (auto it = object.begin(); it != object.end();) {
    const auto* member = rule.member(it.key());
    it = member && is_meaningless_null(*member, *it) ? object.erase(it) : std::next(it);
  }
}

bool is_zero(const document& value) {
  return value == "" || (value.is_number() && value == 0) || (value.is_boolean() && !value.get<bool>());
}

void fill(const node& rule, document& value, int depth) {
  if (!rule.has_defaults || depth > depth_max) return;
  if (value.is_array() && rule.items) {
    for (auto& entry : value) fill(*rule.items, entry, depth + 1);
  }
  if (!value.is_object()) return;
  drop_nulls(rule, value);
  for (const auto& property : rule.properties) {
    const auto& schema = *property.schema;
    if (!schema.has_defaults) continue;
    auto it = value.find(property.name);
    if (it == value.end()) {
      if (!schema.default_value) continue;
      it = value.emplace(property.name, *schema.default_value).first;
    } else if (property.zero_is_absent && schema.default_value && is_zero(*it)) {
      *it = *schema.default_value;
    }
    fill(schema, *it, depth + 1);
  }
  if (rule.additional && rule.additional->has_defaults) {
    for (auto it = value.begin(); it != value.end(); ++it) {
      if (!rule.find_property(it.key())) fill(*rule.additional, *it, depth + 1);
    }
  }
  if (!rule.default_rule.empty()) internal::apply_default_rule(rule.default_rule, value);
}

/// Times of Kubernetes' own kinds are kept in UTC, whatever zone a client wrote them in; what is no time stays for
/// validation to see.
void write_time_in_utc(const node& rule, document& value) {
  if (!value.is_string()) return;
  const bool micro = rule.wire == node::wire_type::micro_time;
  const auto time = parse_rfc3339(value.get_ref<const std::string&>());
  if (time) value = micro ? to_rfc3339_micro(*time) : to_rfc3339(*time);
}

class pruner {
 public:
  std::vector<std::string> dropped;

  void prune(const node& rule, document& value, const std::string& path, int depth) {
    if (depth > depth_max) return;
    if (rule.wire == node::wire_type::time || rule.wire == node::wire_type::micro_time) write_time_in_utc(rule, value);
    if (value.is_array() && rule.items) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        prune(*rule.items, value[i], path + "[" + std::to_string(i) + "]", depth + 1);
      }
    }
    if (!value.is_object() || rule.type == node::value_type::any) return;
    for (auto it = value.begin(); it != value.end();) {
      const auto* known = rule.member(it.key());
      const auto at = path.empty() ? it.key() : path + "." + it.key();
      if (known && known->drop_null && it->is_null()) {
        it = value.erase(it);
      } else if (known) {
        prune(*known, *it, at, depth + 1);
        ++it;
      } else if (rule.preserve_unknown) {
        ++it;
      } else {
        dropped.push_back(at);
        it = value.erase(it);
      }
    }
  }
};

}  // namespace

void schema::apply_defaults(document& doc) const { fill(*root_, doc, 0); }

std::vector<std::string> schema::prune(document& doc) const {
  pruner p;
  p.prune(*root_, doc, "", 0);
  return std::move(p.dropped);
}

}  // namespace wh
