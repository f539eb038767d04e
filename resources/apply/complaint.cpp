#include <set>

#include "resources/apply/place.hpp"

namespace wh::apply {

namespace {

using value_type = schema::node::value_type;

constexpr std::size_t complaints_max = 20;
constexpr std::size_t shown_max = 100;

std::string shown(const document& v) {
  if (v.is_object()) return "a map";
  if (v.is_array()) return "a list";
  auto text = v.dump(-1, ' ', false, document::error_handler_t::replace);
  return text.size() > shown_max ? text.substr(0, shown_max) + "..." : text;
}

/// What a value should have been, or "".
std::string_view expectation(const schema::node& n, const document& v) {
  if (v.is_null()) return "";
  switch (n.type) {
    case value_type::object: return v.is_object() ? "" : "expected map";
    case value_type::array: return v.is_array() ? "" : "expected list";
    case value_type::string: return v.is_string() ? "" : "expected string";
    case value_type::integer:
    case value_type::number: return v.is_number() ? "" : "expected numeric (int or float)";
    case value_type::boolean: return v.is_boolean() ? "" : "expected boolean";
    case value_type::int_or_string: return v.is_primitive() ? "" : "expected any scalar";
    case value_type::any: break;
  }
  return "";
}

class checker {
 public:
  void check(const document& v, const place& at, const std::string& where) {
    if (full() || !at.node) return;
    if (const auto want = expectation(*at.node, v); !want.empty())
      return complain(where, std::string(want) + ", got " + shown(v));
    if (v.is_object()) check_members(v, at, where);
    if (v.is_array() && at.node->type == value_type::array) check_items(v, at, where);
  }

  std::string text() const {
    if (found_.size() == 1) return found_.front();
    std::string out;
    for (const auto& line : found_) out += (out.empty() ? "errors:\n  " : "\n  ") + line;
    return out;
  }

 private:
  bool full() const { return found_.size() >= complaints_max; }
  void complain(const std::string& where, const std::string& why) {
    if (!full()) found_.push_back(where.empty() ? why : where + ": " + why);
  }

  void check_members(const document& object, const place& at, const std::string& where) {
    for (const auto& [name, value] : object.items()) {
      if (at.allows(name)) check(value, at.member(name), where + "." + name);
      else complain(where + "." + name, "field not declared in schema");
    }
  }

  void check_items(const document& list, const place& at, const std::string& where) {
    std::set<path_element> seen;
    for (std::size_t i = 0; i < list.size() && !full(); ++i) {
      auto text = "[" + std::to_string(i) + "]";
      if (at.shape_of(list) == place::shape::list) {
        const auto e = at.element_of(list[i]);
        if (!e) {
          complain(where, "element " + std::to_string(i) + ": " + e.err().message);
          continue;
        }
        text = e->text();
        if (!seen.insert(*e).second) complain(where, "duplicate entries for key " + text);
      }
      check(list[i], at.item(), where + text);
    }
  }

  std::vector<std::string> found_;
};

}  // namespace

std::string complaint_about(const document& config, const place& at) {
  checker c;
  c.check(config, at, "");
  return c.text();
}

}  // namespace wh::apply
