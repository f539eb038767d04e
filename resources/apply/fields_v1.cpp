// Field sets as managedFields holds them.
#include "resources/apply/field_set.hpp"

namespace wh::apply {

namespace {

constexpr const char* self = ".";

class reader {
 public:
  explicit reader(const field_set_limits& limits) : limits_(limits) {}

  /// Fills `out` with what is below one element. `itself`: the element is a member too.
  result<void> read(const document& fields, std::size_t depth, field_set& out, bool& itself) {
    if (!fields.is_object()) return fail(errc::malformed, "fieldsV1: must be an object");
    if (depth > limits_.depth_max)
      return fail(errc::too_large, "fieldsV1: nested deeper than " + std::to_string(limits_.depth_max));
    for (const auto& [text, below] : fields.items()) {
      if (text == self) {
        itself = true;
        continue;
      }
      auto e = path_element::parse(text);
      if (!e && e.err().code == errc::unsupported) continue;
      if (!e) return fail(e.err().code, "fieldsV1: " + e.err().message);
      if (++elements_ > limits_.elements_max)
        return fail(errc::too_large, "fieldsV1: more than " + std::to_string(limits_.elements_max) + " fields");
      field_set inner;
      bool member = false;
      if (auto ok = read(below, depth + 1, inner, member); !ok) return ok;
      if (member) out.members.push_back(*e);
      if (!inner.empty()) out.children.push_back({std::move(*e), std::move(inner)});
    }
    out.sort();
    // An element with nothing below it can only be there for itself.
    if (out.empty()) itself = true;
    return {};
  }

 private:
  field_set_limits limits_;
  std::size_t elements_ = 0;
};

std::string quoted(const std::string& text) {
  return document(text).dump(-1, ' ', false, document::error_handler_t::replace);
}

void write(const field_set& s, bool itself, std::string& out) {
  out += '{';
  bool first = true;
  const auto key = [&](const std::string& name) {
    if (!first) out += ',';
    first = false;
    out += quoted(name) + ':';
  };
  if (itself) key(self), out += "{}";
  auto m = s.members.begin();
  auto c = s.children.begin();
  while (m != s.members.end() || c != s.children.end()) {
    const int order = m == s.members.end() ? 1 : c == s.children.end() ? -1 : compare(*m, c->at);
    key((order <= 0 ? *m : c->at).wire_text());
    if (order < 0) out += "{}";
    else write(c->set, order == 0, out), ++c;
    if (order <= 0) ++m;
  }
  out += '}';
}

}  // namespace

result<field_set> parse_fields_v1(const document& fields, const field_set_limits& limits) {
  field_set out;
  bool itself = false;
  if (auto ok = reader(limits).read(fields, 0, out, itself); !ok) return ok.err();
  return out;
}

document fields_v1_of(const field_set& s) {
  document out = document::object();
  for (const auto& m : s.members) out[m.wire_text()] = document::object();
  for (const auto& c : s.children) {
    auto inner = fields_v1_of(c.set);
    if (s.has_member(c.at)) inner[self] = document::object();
    out[c.at.wire_text()] = std::move(inner);
  }
  return out;
}

std::string fields_v1_text(const field_set& s) {
  std::string out;
  write(s, false, out);
  return out;
}

}  // namespace wh::apply
