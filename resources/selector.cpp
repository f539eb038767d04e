#include "resources/selector.hpp"

#include <algorithm>

#include "resources/internal/names.hpp"

namespace wh {
namespace {

constexpr std::size_t selector_bytes_max = 64 * 1024;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Cuts a selector into words and the punctuation `, ( ) = == != ! < >`.
class scanner {
 public:
  explicit scanner(std::string_view text) : text_(text) {}

  std::string_view peek() {
    const auto before = at_;
    const auto token = next();
    at_ = before;
    return token;
  }

  /// The next token; empty at the end.
  std::string_view next() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ == text_.size()) return {};
    const auto start = at_;
    if (is_punctuation(text_[at_])) {
      at_ += text_.substr(at_).starts_with("==") || text_.substr(at_).starts_with("!=") ? 2 : 1;
    } else {
      while (at_ < text_.size() && !is_space(text_[at_]) && !is_punctuation(text_[at_])) ++at_;
    }
    return text_.substr(start, at_ - start);
  }

  static bool is_word(std::string_view token) { return !token.empty() && !is_punctuation(token.front()); }

 private:
  static bool is_punctuation(char c) { return std::string_view(",()=!<>").find(c) != std::string_view::npos; }

  std::string_view text_;
  std::size_t at_ = 0;
};

error bad_selector(std::string_view text, const std::string& why) {
  return fail(errc::malformed, "unable to parse selector \"" + std::string(text) + "\": " + why);
}

std::string shown(std::string_view token) {
  return token.empty() ? std::string("the end") : "\"" + std::string(token) + "\"";
}

std::optional<std::string> bad_values(const label_requirement& r) {
  for (const auto& value : r.values) {
    if (auto why = internal::check_label_value(value)) return "\"" + value + "\": " + *why;
  }
  return std::nullopt;
}

/// Reads `(a,b,c)`; an empty list entry is the empty value, as in Kubernetes.
std::optional<std::string> read_list(scanner& in, std::vector<std::string>& out) {
  if (const auto token = in.next(); token != "(") return "found " + shown(token) + ", expected \"(\"";
  if (in.peek() == ")") {
    in.next();
    out.emplace_back();
    return std::nullopt;
  }
  while (true) {
    out.emplace_back(scanner::is_word(in.peek()) ? in.next() : std::string_view());
    const auto token = in.next();
    if (token == ")") break;
    if (token != ",") return "found " + shown(token) + ", expected \",\" or \")\"";
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return std::nullopt;
}

std::optional<std::string> read_requirement(scanner& in, label_requirement& out) {
  using op = label_requirement::op;
  const bool negated = in.peek() == "!";
  if (negated) in.next();
  const auto key = in.next();
  if (!scanner::is_word(key)) return "found " + shown(key) + ", expected a label key";
  out.key = key;
  if (auto why = internal::check_qualified_name(key)) return "key " + shown(key) + ": " + *why;
  const auto token = in.peek();
  if (negated || token.empty() || token == ",") {
    out.how = negated ? op::does_not_exist : op::exists;
    return std::nullopt;
  }
  in.next();
  if (token == "in" || token == "notin") {
    out.how = token == "in" ? op::in : op::not_in;
    if (auto why = read_list(in, out.values)) return why;
  } else if (token == "=" || token == "==" || token == "!=") {
    out.how = token == "!=" ? op::not_in : op::in;
    out.values.emplace_back(scanner::is_word(in.peek()) ? in.next() : std::string_view());
  } else {
    return "found " + shown(token) + ", expected in, notin, =, ==, !=";
  }
  return bad_values(out);
}

/// `value` is null when there is no such label.
bool holds(const label_requirement& r, const std::string* value) {
  using op = label_requirement::op;
  const auto listed = [&] { return std::find(r.values.begin(), r.values.end(), *value) != r.values.end(); };
  switch (r.how) {
    case op::exists: return value != nullptr;
    case op::does_not_exist: return value == nullptr;
    case op::in: return value && listed();
    case op::not_in: return !value || !listed();
  }
  return false;
}

const std::string* label_in(const document* labels, const std::string& key) {
  if (!labels || !labels->is_object()) return nullptr;
  const auto it = labels->find(key);
  return it != labels->end() && it->is_string() ? &it->get_ref<const std::string&>() : nullptr;
}

/// Undoes the backslashes of a field selector's value.
std::optional<std::string> unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      if (++i == text.size() || std::string_view("\\,=").find(text[i]) == std::string_view::npos) return std::nullopt;
    } else if (text[i] == '=') {
      return std::nullopt;
    }
    out += text[i];
  }
  return out;
}

/// The next term up to an unescaped comma; `rest` keeps what follows it.
std::string_view cut_term(std::string_view& rest) {
  std::size_t end = 0;
  while (end < rest.size() && rest[end] != ',') end += rest[end] == '\\' ? 2 : 1;
  end = std::min(end, rest.size());
  const auto term = rest.substr(0, end);
  rest = end < rest.size() ? rest.substr(end + 1) : std::string_view();
  return term;
}

std::string value_at(const document& object, std::string_view path) {
  const document* at = &object;
  while (!path.empty()) {
    const auto dot = path.find('.');
    if (!at->is_object()) return {};
    const auto it = at->find(path.substr(0, dot));
    if (it == at->end()) return {};
    at = &*it;
    path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  }
  if (at->is_string()) return at->get<std::string>();
  return at->is_primitive() && !at->is_null() ? at->dump() : std::string();
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool label_selector::matches(const document& object) const {
  const auto* labels = find_path(object, {"metadata", "labels"});
  return std::all_of(requirements.begin(), requirements.end(),
                     [&](const auto& r) { return holds(r, label_in(labels, r.key)); });
}

bool label_selector::matches(const label_map& labels) const {
  return std::all_of(requirements.begin(), requirements.end(), [&](const auto& r) {
    const auto it = labels.find(r.key);
    return holds(r, it == labels.end() ? nullptr : &it->second);
  });
}

result<label_selector> parse_label_selector(std::string_view text) {
  label_selector out;
  if (text.size() > selector_bytes_max) return fail(errc::too_large, "the label selector is too long");
  scanner in(text);
  if (in.peek().empty()) return out;
  while (true) {
    auto& requirement = out.requirements.emplace_back();
    if (auto why = read_requirement(in, requirement)) return bad_selector(text, *why);
    const auto token = in.next();
    if (token.empty()) return out;
    if (token != ",") return bad_selector(text, "found " + shown(token) + ", expected \",\"");
  }
}

bool field_selector::matches(const document& object) const {
  return std::all_of(requirements.begin(), requirements.end(),
                     [&](const auto& r) { return (value_at(object, r.path) == r.value) == r.equal; });
}

std::string field_selector::name() const {
  const auto it = std::find_if(requirements.begin(), requirements.end(),
                               [](const auto& r) { return r.equal && r.path == "metadata.name"; });
  return it == requirements.end() ? std::string() : it->value;
}

result<field_selector> parse_field_selector(std::string_view text) {
  field_selector out;
  if (text.size() > selector_bytes_max) return fail(errc::too_large, "the field selector is too long");
  auto rest = text;
  while (!rest.empty()) {
    const auto term = cut_term(rest);
    if (trim(term).empty()) continue;
    const auto equals = term.find('=');
    if (equals == std::string_view::npos || equals == 0) return bad_selector(text, "expected path=value in each term");
    const bool negated = term[equals - 1] == '!';
    const auto value_start = equals + (!negated && term.substr(equals).starts_with("==") ? 2 : 1);
    auto value = unescape(term.substr(value_start));
    if (!value) return bad_selector(text, "a value escapes only \\\\ \\, \\=");
    const auto path = trim(term.substr(0, equals - (negated ? 1 : 0)));
    if (path.empty()) return bad_selector(text, "a term has no path");
    out.requirements.push_back({.path = std::string(path), .equal = !negated, .value = std::move(*value)});
  }
  return out;
}

}  // namespace wh
