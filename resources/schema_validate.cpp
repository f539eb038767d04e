#include <algorithm>
#include <cmath>
#include <set>

#include "resources/internal/formats.hpp"
#include "resources/internal/pattern.hpp"
#include "resources/internal/shown_value.hpp"
#include "resources/internal/utf8.hpp"
#include "resources/schema_node.hpp"

namespace wh {
namespace {

using node = schema::node;
using value_type = node::value_type;
using internal::shown_value;

constexpr std::size_t pattern_text_max = 64 * 1024;
constexpr int depth_max = 200;

std::string number_text(double value) {
  if (std::floor(value) == value && std::abs(value) < 1e15) return std::to_string(static_cast<std::int64_t>(value));
  return document(value).dump();
}

const char* expected_name(value_type type) {
  switch (type) {
    case value_type::object: return "object";
    case value_type::array: return "array";
    case value_type::string: return "string";
    case value_type::integer: return "integer";
    case value_type::number: return "number";
    case value_type::boolean: return "boolean";
    case value_type::int_or_string: return "integer,string";
    case value_type::any: break;
  }
  return "any";
}

bool is_whole(const document& value) {
  return value.is_number_integer() ||
         (value.is_number_float() && std::floor(value.get<double>()) == value.get<double>());
}

const char* actual_name(const document& value) {
  switch (value.type()) {
    case document::value_t::object: return "object";
    case document::value_t::array: return "array";
    case document::value_t::string: return "string";
    case document::value_t::boolean: return "boolean";
    case document::value_t::null: return "null";
    default: return is_whole(value) ? "integer" : "number";
  }
}

bool has_type(const document& value, value_type type) {
  switch (type) {
    case value_type::any: return true;
    case value_type::object: return value.is_object();
    case value_type::array: return value.is_array();
    case value_type::string: return value.is_string();
    case value_type::integer: return value.is_number() && is_whole(value);
    case value_type::number: return value.is_number();
    case value_type::boolean: return value.is_boolean();
    case value_type::int_or_string: return value.is_string() || (value.is_number() && is_whole(value));
  }
  return false;
}

/// Walks a document along its schema and collects complaints.
class validator {
 public:
  validator(schema::wording words, std::size_t max) : words_(words), max_(max) {}

  std::vector<field_error> errors;

  void check(const node& rule, const document& value, const std::string& path, int depth = 0) {
    if (full()) return;
    if (depth > depth_max) return add(field_error_type::invalid, path, "", "nested too deeply");
    if (value.is_null() && (rule.nullable || rule.drop_null)) return;
    if (!has_type(value, rule.type) && !is_decimal(rule, value)) return add_type_error(rule, value, path);
    check_enum(rule, value, path);
    if (value.is_string()) check_text(rule, value.get_ref<const std::string&>(), path);
    if (value.is_number()) check_number(rule, value, path);
    if (!rule.format.empty() && !internal::obeys_format(value, rule.format)) {
      add(field_error_type::type_invalid, path, shown_value(value),
          path + " in body must be of type " + rule.format + ": " + shown_value(value));
    }
    if (value.is_array()) check_list(rule, value, path, depth);
    if (value.is_object()) check_object(rule, value, path, depth);
    check_combinations(rule, value, path, depth);
  }

 private:
  /// `cpu: 0.5`. In custom resources, and OCM's kinds, whose schemas can only say integer or string, it is an error.
  bool is_decimal(const node& rule, const document& value) const {
    return words_ == schema::wording::kubernetes && rule.wire == node::wire_type::quantity && value.is_number();
  }

  bool full() const { return errors.size() >= max_; }

  void add(field_error_type type, std::string path, std::string value, std::string detail) {
    if (!full()) errors.push_back({type, std::move(path), std::move(value), std::move(detail)});
  }

  /// `<path> in body <sentence>`, the form of OpenAPI's complaints.
  void add_body(const std::string& path, const document& value, const std::string& sentence) {
    add(field_error_type::invalid, path, shown_value(value), path + " in body " + sentence);
  }

  void add_type_error(const node& rule, const document& value, const std::string& path) {
    const auto actual = std::string("\"") + actual_name(value) + "\"";
    add(field_error_type::type_invalid, path, actual,
        path + " in body must be of type " + expected_name(rule.type) + ": " + actual);
  }

  void check_enum(const node& rule, const document& value, const std::string& path) {
    if (rule.enum_values.empty()) return;
    if (std::find(rule.enum_values.begin(), rule.enum_values.end(), value) != rule.enum_values.end()) return;
    std::string supported;
    for (const auto& entry : rule.enum_values) supported += (supported.empty() ? "" : ", ") + shown_value(entry);
    add(field_error_type::not_supported, path, shown_value(value), "supported values: " + supported);
  }

  void check_text(const node& rule, const std::string& text, const std::string& path) {
    if (rule.min_length || rule.max_length) {
      const auto length = internal::count_code_points(text);
      if (rule.max_length && length > *rule.max_length) {
        add(field_error_type::too_long, path, "",
            "may not be more than " + std::to_string(*rule.max_length) + " bytes");
      }
      if (rule.min_length && length < *rule.min_length) {
        add_body(path, text, "should be at least " + std::to_string(*rule.min_length) + " chars long");
      }
    }
    if (!rule.pattern) return;
    if (text.size() > pattern_text_max) {
      add_body(path, text, "is too long to be matched with '" + rule.pattern_text + "'");
    } else if (!rule.pattern->search(text)) {
      add_body(path, text, "should match '" + rule.pattern_text + "'");
    }
  }

  void check_number(const node& rule, const document& value, const std::string& path) {
    const double number = value.get<double>();
    const bool low = rule.minimum && (rule.exclusive_minimum ? number <= *rule.minimum : number < *rule.minimum);
    const bool high = rule.maximum && (rule.exclusive_maximum ? number >= *rule.maximum : number > *rule.maximum);
    if ((low || high) && words_ == schema::wording::kubernetes)
      add(field_error_type::invalid, path, shown_value(value), out_of_range(rule, low));
    else if (low || high) add_body(path, value, "should be " + (low ? above(rule) : below(rule)));
    if (rule.multiple_of && *rule.multiple_of > 0) {
      const double times = number / *rule.multiple_of;
      if (std::abs(times - std::round(times)) > 1e-9) {
        add_body(path, value, "should be a multiple of " + number_text(*rule.multiple_of));
      }
    }
  }

  static std::string above(const node& rule) {
    return (rule.exclusive_minimum ? "greater than " : "greater than or equal to ") + number_text(*rule.minimum);
  }
  static std::string below(const node& rule) {
    return (rule.exclusive_maximum ? "less than " : "less than or equal to ") + number_text(*rule.maximum);
  }
  static std::string out_of_range(const node& rule, bool low) {
    if (rule.minimum && rule.maximum)
      return "must be between " + number_text(*rule.minimum) + " and " + number_text(*rule.maximum) + ", inclusive";
    if (low && *rule.minimum == 1) return "must be greater than 0";
    return "must be " + (low ? above(rule) : below(rule));
  }

  void check_list(const node& rule, const document& list, const std::string& path, int depth) {
    if (rule.max_items && list.size() > *rule.max_items) {
      add(field_error_type::too_many, path, std::to_string(list.size()),
          "must have at most " + std::to_string(*rule.max_items) + " items");
    }
    if (rule.min_items && list.size() < *rule.min_items) {
      add(field_error_type::invalid, path, std::to_string(list.size()),
          path + " in body should have at least " + std::to_string(*rule.min_items) + " items");
    }
    if (rule.items) {
      for (std::size_t i = 0; i < list.size() && !full(); ++i) {
        check(*rule.items, list[i], path + "[" + std::to_string(i) + "]", depth + 1);
      }
    }
    check_duplicates(rule, list, path);
  }

  void check_duplicates(const node& rule, const document& list, const std::string& path) {
    if (rule.list == node::list_type::atomic || rule.allow_duplicates) return;
    std::set<document> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto key = rule.list == node::list_type::set ? list[i] : key_of(rule, list[i]);
      if (key.is_null()) continue;
      if (!seen.insert(key).second) {
        add(field_error_type::duplicate, path + "[" + std::to_string(i) + "]", shown_value(key), "");
      }
    }
  }

  static document key_of(const node& rule, const document& entry) {
    if (!entry.is_object()) return nullptr;
    auto key = document::object();
    for (const auto& name : rule.map_keys) {
      if (const auto it = entry.find(name); it != entry.end()) key[name] = *it;
    }
    return key;
  }

  void check_object(const node& rule, const document& object, const std::string& path, int depth) {
    const auto child = [&](const std::string& name) { return path.empty() ? name : path + "." + name; };
    for (const auto& name : rule.required) {
      const auto it = object.find(name);
      const auto* known = rule.find_property(name);
      const bool absent = it == object.end() || (it->is_null() && known && known->drop_null);
      if (absent) add(field_error_type::required, child(name), "", "");
    }
    if (rule.max_properties && object.size() > *rule.max_properties) {
      add(field_error_type::too_many, path, std::to_string(object.size()),
          "must have at most " + std::to_string(*rule.max_properties) + " items");
    }
    if (rule.min_properties && object.size() < *rule.min_properties) {
      add(field_error_type::invalid, path, std::to_string(object.size()),
          path + " in body should have at least " + std::to_string(*rule.min_properties) + " properties");
    }
    for (const auto& [name, value] : object.items()) {
      if (full()) return;
      if (const auto* known = rule.find_property(name)) {
        check(*known, value, child(name), depth + 1);
      } else if (rule.additional) {
        check(*rule.additional, value, child(name), depth + 1);
      }
    }
  }

  bool passes(const node& rule, const document& value, int depth) const {
    validator trial(words_, 1);
    trial.check(rule, value, "", depth + 1);
    return trial.errors.empty();
  }

  void check_combinations(const node& rule, const document& value, const std::string& path, int depth) {
    const auto passing = [&](const std::vector<node::ptr>& rules) {
      return std::count_if(rules.begin(), rules.end(), [&](const auto& r) { return passes(*r, value, depth); });
    };
    if (!rule.all_of.empty()) {
      for (const auto& each : rule.all_of) check(*each, value, path, depth + 1);
    }
    if (!rule.any_of.empty() && passing(rule.any_of) == 0) {
      add_body(path, value, "must validate at least one schema (anyOf)");
    }
    if (!rule.one_of.empty()) {
      const auto n = passing(rule.one_of);
      if (n != 1) {
        add_body(path, value,
                 "must validate one and only one schema (oneOf). Found " +
                     (n == 0 ? std::string("none") : std::to_string(n)) + " valid");
      }
    }
    if (rule.none_of && passes(*rule.none_of, value, depth)) {
      add_body(path, value, "must not validate the schema (not)");
    }
  }

  schema::wording words_;
  std::size_t max_;
};

}  // namespace

std::vector<field_error> schema::validate(const document& doc, std::size_t max) const {
  validator v(words_, max);
  v.check(*root_, doc, "");
  return std::move(v.errors);
}

}  // namespace wh
