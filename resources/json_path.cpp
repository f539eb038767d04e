#include "resources/internal/json_path.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace wh::internal {
namespace {

constexpr std::size_t path_bytes_max = 4096;
constexpr std::size_t matches_max = 10'000;

bool is_name_end(char c) { return c == '.' || c == '[' || c == ']' || c == '}'; }

}  // namespace

class json_path_parser {
 public:
  explicit json_path_parser(std::string_view text) : text_(text) {}

  result<json_path> run() {
    json_path out;
    if (text_.size() > path_bytes_max) return fail(errc::invalid, "JSON path is too long");
    if (text_.starts_with('{') && text_.ends_with('}')) text_ = text_.substr(1, text_.size() - 2);
    if (text_.starts_with('$')) ++at_;
    while (at_ < text_.size() && !error_) {
      if (peek() == '[') {
        bracket(out.steps_);
      } else if (peek() == '.' || at_ == 0) {
        if (peek() == '.') ++at_;
        if (at_ < text_.size() && peek() != '[') dotted(out.steps_);
      } else {
        complain("expected . or [");
      }
    }
    if (error_) return fail(errc::invalid, "JSON path " + std::string(text_) + ": " + *error_);
    return out;
  }

 private:
  using step = json_path::step;

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool eat(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip_space() {
    while (peek() == ' ') ++at_;
  }
  void complain(std::string why) {
    if (!error_) error_ = std::move(why);
    at_ = text_.size();
  }

  std::string name() {
    std::string out;
    while (at_ < text_.size() && !is_name_end(peek())) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    if (out.empty()) complain("expected a name");
    return out;
  }

  void dotted(std::vector<step>& steps) {
    if (peek() == '*') {
      ++at_;
      steps.push_back({.how = step::what::all, .name = {}, .index = 0, .where = {}, .compare = {}, .value = {}});
      return;
    }
    step s;
    s.name = name();
    steps.push_back(std::move(s));
  }

  void bracket(std::vector<step>& steps) {
    ++at_;
    step s;
    if (eat("*")) {
      s.how = step::what::all;
    } else if (eat("?(")) {
      s.how = step::what::filter;
      filter(s);
      if (!eat(")")) complain("expected )");
    } else if (peek() == '\'' || peek() == '"') {
      s.name = quoted();
    } else {
      s.how = step::what::index;
      const auto* end = text_.data() + text_.size();
      const auto parsed = std::from_chars(text_.data() + at_, end, s.index);
      if (parsed.ec != std::errc()) return complain("expected an index, a quoted name, * or a filter");
      at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
    }
    if (!eat("]")) return complain("expected ]");
    steps.push_back(std::move(s));
  }

  std::string quoted() {
    const char quote = text_[at_++];
    std::string out;
    while (at_ < text_.size() && peek() != quote) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    if (!eat(std::string_view(&quote, 1))) complain("a quote is not closed");
    return out;
  }

  void filter(step& s) {
    skip_space();
    if (!eat("@")) return complain("a filter starts with @");
    while (!error_ && (peek() == '.' || peek() == '[')) {
      if (eat(".")) {
        s.where.push_back(filter_name());
      } else {
        ++at_;
        if (peek() != '\'' && peek() != '"') return complain("a filter's brackets hold a quoted name");
        s.where.push_back(quoted());
        if (!eat("]")) complain("expected ]");
      }
    }
    skip_space();
    for (std::string_view op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!eat(op)) continue;
      s.compare = op;
      break;
    }
    skip_space();
    if (!s.compare.empty()) literal(s);
    skip_space();
  }

  std::string filter_name() {
    std::string out;
    while (at_ < text_.size() && std::string_view(".[])=!<> ").find(peek()) == std::string_view::npos) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    if (out.empty()) complain("expected a name");
    return out;
  }

  void literal(step& s) {
    if (peek() == '"' || peek() == '\'') {
      s.value = quoted();
      return;
    }
    const auto end = text_.find_first_of(") ", at_);
    const auto word = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
    s.value = document::parse(word.begin(), word.end(), nullptr, false);
    if (s.value.is_discarded() || s.value.is_structured())
      return complain("a filter compares with text, number or boolean");
    at_ += word.size();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<std::string> error_;
};

result<json_path> json_path::parse(std::string_view text) { return json_path_parser(text).run(); }

bool json_path::holds(const step& filter, const document& entry) {
  const document* at = &entry;
  for (const auto& name : filter.where) {
    if (!at->is_object()) return false;
    const auto it = at->find(name);
    if (it == at->end()) return false;
    at = &*it;
  }
  if (filter.compare.empty()) return true;
  if (filter.compare == "==") return *at == filter.value;
  if (filter.compare == "!=") return *at != filter.value;
  const bool comparable =
      (at->is_number() && filter.value.is_number()) || (at->is_string() && filter.value.is_string());
  if (!comparable) return false;
  if (filter.compare == "<") return *at < filter.value;
  if (filter.compare == "<=") return *at <= filter.value;
  if (filter.compare == ">") return *at > filter.value;
  return *at >= filter.value;
}

void json_path::take(const step& s, const document& from, std::vector<const document*>& out) {
  switch (s.how) {
    case step::what::member:
      if (!from.is_object()) return;
      if (const auto it = from.find(s.name); it != from.end()) out.push_back(&*it);
      return;
    case step::what::index: {
      if (!from.is_array()) return;
      const auto size = static_cast<std::int64_t>(from.size());
      const auto i = s.index < 0 ? size + s.index : s.index;
      if (i >= 0 && i < size) out.push_back(&from[static_cast<std::size_t>(i)]);
      return;
    }
    case step::what::all:
    case step::what::filter:
      if (!from.is_structured()) return;
      for (const auto& entry : from) {
        if (out.size() >= matches_max) return;
        if (s.how == step::what::all || holds(s, entry)) out.push_back(&entry);
      }
      return;
  }
}

std::vector<const document*> json_path::match(const document& object) const {
  std::vector<const document*> found{&object};
  for (const auto& s : steps_) {
    std::vector<const document*> next;
    for (const auto* from : found) take(s, *from, next);
    found = std::move(next);
  }
  return found;
}

}  // namespace wh::internal
