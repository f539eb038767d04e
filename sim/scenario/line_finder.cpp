#include "sim/scenario/internal/line_finder.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace wh::internal {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

class line_finder {
 public:
  line_finder(std::string_view text, const document& doc) : text_(text), root_(&doc) {}

  line_map run() {
    while (at_ < text_.size() && !lost_) take_line();
    if (lost_) lines_.clear();
    return std::move(lines_);
  }

 private:
  /// A block collection that is open. Null node: of a part that has no lines.
  struct level {
    std::size_t column;
    bool is_list;
    const document* node;
    std::size_t next = 0;             ///< list: index of the next entry
    const document* value = nullptr;  ///< what the last key or dash stands before
  };

  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n'; }
  bool ends_word(std::size_t ahead) const { return is_blank(peek(ahead)) || peek(ahead) == '\n'; }
  bool at_comment() const { return peek() == '#' && at_ > 0 && is_blank(text_[at_ - 1]); }
  std::size_t column() const { return at_ - line_start_; }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  void skip_line() {
    at_ = std::min(text_.find('\n', at_), text_.size());
    step();
  }
  /// One character on, counting lines.
  void step() {
    if (at_ >= text_.size()) return;
    if (text_[at_++] != '\n') return;
    ++line_;
    line_start_ = at_;
  }

  void take_line() {
    skip_blanks();
    const bool marker = column() == 0 && (text_.substr(at_, 3) == "---" || text_.substr(at_, 3) == "...");
    if (peek() == '\n' || peek() == '#' || peek() == '%' || marker) return skip_line();
    // The rest of a text that began on an earlier line.
    if (text_column_ && column() > *text_column_) return skip_line();
    text_column_.reset();
    while (peek() == '-' && ends_word(1)) {
      open_entry();
      ++at_;
      skip_blanks();
    }
    take_key_or_value();
  }

  void open_entry() {
    const auto here = column();
    while (!levels_.empty() && levels_.back().column > here) levels_.pop_back();
    if (levels_.empty() || !levels_.back().is_list || levels_.back().column != here)
      levels_.push_back({.column = here, .is_list = true, .node = pending()});
    auto& list = levels_.back();
    list.value = list.node ? entry_of(*list.node, list.next) : nullptr;
    ++list.next;
    note(list.value);
  }

  void take_key_or_value() {
    if (peek() == '\n' || peek() == '#') return skip_line();
    const auto here = column();
    const auto start = at_;
    const auto key = peek() == '{' || peek() == '[' ? std::nullopt : take_key();
    if (!key) {
      at_ = start;
      return take_value(pending(), levels_.empty() ? 0 : levels_.back().column);
    }
    open_key(here, *key);
    skip_blanks();
    take_value(levels_.back().value, here);
  }

  void open_key(std::size_t here, const std::string& key) {
    const auto inside = [&](const level& l) { return l.column > here || (l.column == here && l.is_list); };
    while (!levels_.empty() && inside(levels_.back())) levels_.pop_back();
    if (levels_.empty() || levels_.back().column != here)
      levels_.push_back({.column = here, .is_list = false, .node = pending()});
    auto& map = levels_.back();
    map.value = map.node ? member_of(*map.node, key) : nullptr;
    note(map.value);
  }

  /// What the innermost key or dash stands before; the document itself at the start.
  const document* pending() const { return levels_.empty() ? root_ : levels_.back().value; }

  /// A key of this line with its colon, or nothing and anywhere.
  std::optional<std::string> take_key() {
    std::string key;
    if (peek() == '"' || peek() == '\'') {
      key = take_quoted();
      skip_blanks();
    } else {
      const auto start = at_;
      while (peek() != '\n' && !(peek() == ':' && ends_word(1)) && !at_comment()) ++at_;
      key = std::string(text_.substr(start, at_ - start));
      while (!key.empty() && is_blank(key.back())) key.pop_back();
    }
    if (peek() != ':') return std::nullopt;
    ++at_;
    return key;
  }

  /// A value that begins on this line; the text of its later lines is indented deeper than `owner`.
  void take_value(const document* node, std::size_t owner) {
    skip_properties();
    if (peek() == '{' || peek() == '[') {
      take_flow(node, 0);
      return skip_line();
    }
    if (peek() == '\n' || peek() == '#') return skip_line();
    if (peek() == '"' || peek() == '\'') {
      take_quoted();
    } else {
      text_column_ = owner;
    }
    skip_line();
  }

  /// Tags and anchors say nothing about lines.
  void skip_properties() {
    while (peek() == '&' || peek() == '!') {
      while (!ends_word(0)) ++at_;
      skip_blanks();
    }
  }

  /// Past a quoted text. One with escapes names no key that could be found.
  std::string take_quoted() {
    const char quote = peek();
    const bool escapes = quote == '"';
    const auto start = at_ + 1;
    step();
    while (at_ < text_.size()) {
      const bool doubled = !escapes && peek() == quote && peek(1) == quote;
      if (peek() == quote && !doubled) break;
      if (doubled || (escapes && peek() == '\\')) step();
      step();
    }
    const auto text = text_.substr(std::min(start, text_.size()), at_ - std::min(start, at_));
    step();
    return std::string(text);
  }

  void take_flow(const document* node, int depth) {
    if (depth > depth_max) return give_up();
    const bool is_list = peek() == '[';
    const char end = is_list ? ']' : '}';
    step();
    for (std::size_t i = 0; !lost_; ++i) {
      skip_space();
      if (at_ >= text_.size()) return give_up();
      if (peek() == end) return step();
      take_flow_entry(node, is_list, i, depth);
      skip_space();
      if (peek() == ',') step();
    }
  }

  void take_flow_entry(const document* node, bool is_list, std::size_t i, int depth) {
    const auto before = at_;
    const document* value = node;
    if (is_list) {
      value = node ? entry_of(*node, i) : nullptr;
      note(value);
    } else {
      value = take_flow_key(node);
    }
    skip_properties();
    if (peek() == '{' || peek() == '[') {
      take_flow(value, depth + 1);
    } else if (is_list && value && value->is_object() && peek() != '*') {
      // A list may hold single pairs without braces: [join: {rate: 5}].
      take_flow_entry(value, false, 0, depth);
    } else {
      take_flow_scalar();
    }
    if (at_ == before) give_up();
  }

  /// A key and its colon; what stands behind them belongs to the value returned.
  const document* take_flow_key(const document* node) {
    const auto line = line_;
    const auto key = take_flow_scalar();
    const auto* value = node ? member_of(*node, key) : nullptr;
    if (value) lines_[value] = line;
    skip_space();
    if (peek() == ':') step();
    skip_space();
    return value;
  }

  std::string take_flow_scalar() {
    if (peek() == '"' || peek() == '\'') return take_quoted();
    const auto start = at_;
    const auto ends = [&] {
      const char c = peek();
      return c == ',' || c == '}' || c == ']' || c == '{' || c == '[' || c == '\n' ||
             (c == ':' && (ends_word(1) || peek(1) == ',' || peek(1) == '}' || peek(1) == ']'));
    };
    while (at_ < text_.size() && !ends() && !at_comment()) ++at_;
    auto text = text_.substr(start, at_ - start);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return std::string(text);
  }

  /// Blanks, line ends and comments.
  void skip_space() {
    while (at_ < text_.size() && (is_blank(peek()) || peek() == '\n' || peek() == '#')) {
      if (peek() == '#') {
        skip_line();
      } else {
        step();
      }
    }
  }

  const document* member_of(const document& map, const std::string& key) {
    if (map.is_object()) {
      if (const auto it = map.find(key); it != map.end()) return &*it;
    }
    // A merge brings members that are written elsewhere, and an escape spells the key differently.
    if (key != "<<" && key.find('\\') == std::string::npos) give_up();
    return nullptr;
  }
  const document* entry_of(const document& list, std::size_t i) {
    if (list.is_array() && i < list.size()) return &list[i];
    give_up();
    return nullptr;
  }

  void note(const document* node) {
    if (node) lines_[node] = line_;
  }
  void give_up() { lost_ = true; }

  static constexpr int depth_max = 200;

  std::string_view text_;
  const document* root_;
  line_map lines_;
  std::vector<level> levels_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
  std::optional<std::size_t> text_column_;  ///< inside a text that belongs to a key or dash at this column
  bool lost_ = false;
};

}  // namespace

line_map find_lines(std::string_view text, const document& doc) { return line_finder(text, doc).run(); }

}  // namespace wh::internal
