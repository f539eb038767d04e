#include "resources/apply/path.hpp"

#include <charconv>

namespace wh::apply {

namespace {

/// What stands in an element is a scalar or nearly one.
constexpr parse_limits element_limits{.depth_max = 16, .bytes_max = 64 * 1024, .yaml_nodes_max = 1};

std::string json_of(const document& value) { return value.dump(-1, ' ', false, document::error_handler_t::replace); }

/// Go's encoder spells these out, because its output may end up in a web page.
std::string go_json(const document& value) {
  std::string out;
  for (const char c : json_of(value)) {
    if (c == '<') out += "\\u003c";
    else if (c == '>') out += "\\u003e";
    else if (c == '&') out += "\\u0026";
    else out += c;
  }
  return out;
}

int sign(auto a, auto b) { return a < b ? -1 : b < a ? 1 : 0; }

int rank(const document& v) {
  if (v.is_number()) return 0;
  if (v.is_string()) return 1;
  if (v.is_boolean()) return 2;
  if (v.is_array()) return 3;
  return v.is_object() ? 4 : 5;
}

int compare_numbers(const document& a, const document& b) {
  if (a.is_number_float() || b.is_number_float()) return sign(a.get<double>(), b.get<double>());
  const bool huge_a = a.is_number_unsigned() && a.get<std::uint64_t>() > INT64_MAX;
  const bool huge_b = b.is_number_unsigned() && b.get<std::uint64_t>() > INT64_MAX;
  if (huge_a || huge_b)
    return huge_a && huge_b ? sign(a.get<std::uint64_t>(), b.get<std::uint64_t>()) : huge_a ? 1 : -1;
  return sign(a.get<std::int64_t>(), b.get<std::int64_t>());
}

int compare_values(const document& a, const document& b);

int compare_lists(const document& a, const document& b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
    if (const int c = compare_values(a[i], b[i]); c != 0) return c;
  return sign(a.size(), b.size());
}

int compare_fields(const document& a, const document& b) {
  auto i = a.begin(), j = b.begin();
  for (; i != a.end() && j != b.end(); ++i, ++j) {
    if (const int c = i.key().compare(j.key()); c != 0) return c;
    if (const int c = compare_values(*i, *j); c != 0) return c;
  }
  return sign(a.size(), b.size());
}

int compare_values(const document& a, const document& b) {
  if (const int c = sign(rank(a), rank(b)); c != 0) return c;
  if (a.is_number()) return compare_numbers(a, b);
  if (a.is_string()) return a.get_ref<const std::string&>().compare(b.get_ref<const std::string&>());
  if (a.is_boolean()) return sign(a.get<bool>(), b.get<bool>());
  if (a.is_array()) return compare_lists(a, b);
  return a.is_object() ? compare_fields(a, b) : 0;
}

result<path_element> parse_index(std::string_view text) {
  std::int64_t i = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), i);
  if (ec != std::errc{} || end != text.data() + text.size()) return fail(errc::malformed, "i: must be a number");
  return path_element{path_element::kind_type::index, "", i};
}

}  // namespace

path_element path_element::field(std::string name) { return {kind_type::field, std::move(name), nullptr}; }
path_element path_element::key(document fields) { return {kind_type::key, "", std::move(fields)}; }
path_element path_element::item(document value) { return {kind_type::value, "", std::move(value)}; }

result<path_element> path_element::parse(std::string_view text) {
  if (text.size() < 2 || text[1] != ':')
    return fail(errc::malformed, "a field must start with f:, k:, v: or i:, found " + json_of(std::string(text)));
  const auto rest = text.substr(2);
  switch (text[0]) {
    case 'f': return field(std::string(rest));
    case 'i': return parse_index(rest);
    case 'v':
    case 'k': break;
    default: return fail(errc::unsupported, "unknown kind of path element " + json_of(std::string(text.substr(0, 2))));
  }
  auto value = parse_json(rest, element_limits);
  if (!value) return fail(errc::malformed, std::string(text.substr(0, 2)) + " " + value.err().message);
  if (text[0] == 'v') return item(std::move(*value));
  if (!value->is_object()) return fail(errc::malformed, "k: must be followed by an object");
  return key(std::move(*value));
}

std::string path_element::wire_text() const {
  switch (kind) {
    case kind_type::field: return "f:" + name;
    case kind_type::key: return "k:" + go_json(value);
    case kind_type::value: return "v:" + go_json(value);
    case kind_type::index: break;
  }
  return "i:" + json_of(value);
}

std::string path_element::text() const {
  switch (kind) {
    case kind_type::field: return "." + name;
    case kind_type::value: return "[=" + json_of(value) + "]";
    case kind_type::index: return "[" + json_of(value) + "]";
    case kind_type::key: break;
  }
  std::string out;
  for (const auto& [field_name, field_value] : value.items())
    out += (out.empty() ? "[" : ",") + field_name + "=" + json_of(field_value);
  return out + "]";
}

int compare(const path_element& a, const path_element& b) {
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.kind == path_element::kind_type::field) return a.name.compare(b.name);
  return compare_values(a.value, b.value);
}

std::string text_of(const path& p) {
  std::string out;
  for (const auto& e : p) out += e.text();
  return out;
}

}  // namespace wh::apply
