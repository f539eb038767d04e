#include <algorithm>
#include <optional>

#include "resources/internal/pattern.hpp"
#include "resources/internal/utf8.hpp"

namespace wh::internal {
namespace {

constexpr std::size_t program_max = 20'000;  // instructions, after repeats are unfolded
constexpr int repeat_max = 1000;             // as in Go
constexpr int nesting_max = 200;
constexpr char32_t last_code_point = 0x10ffff;

}  // namespace

/// Recursive descent over the expression; emits Thompson's construction. The input is code points.
class pattern_compiler {
 public:
  using op = pattern::op;
  using ranges = character_ranges;

  explicit pattern_compiler(std::string_view expression) {
    for (std::size_t at = 0; at < expression.size();) text_.push_back(next_code_point(expression, at));
  }

  result<pattern> run() {
    const auto all = alternation(0);
    if (at_ < text_.size()) complain("unexpected )");
    patch(all.out, emit(op::match));
    if (error_) return fail(errc::invalid, "error parsing regexp: " + *error_);
    // Instruction 0 starts the search, so that no start needs storing.
    out_.program_[0].next = all.start;
    return std::move(out_);
  }

 private:
  /// Places whose `next` (or, negative side, `other`) is still open.
  struct hole {
    std::uint32_t at;
    bool other;
  };
  struct fragment {
    std::uint32_t start = 0;
    std::vector<hole> out;
  };
  struct flags {
    bool ignore_case = false, multi_line = false, dot_all = false;
  };

  void complain(std::string why) {
    if (!error_) error_ = std::move(why);
    at_ = text_.size();
  }

  bool more() const { return at_ < text_.size() && !error_; }
  char32_t peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0; }
  bool eat(char32_t c) {
    if (!more() || peek() != c) return false;
    ++at_;
    return true;
  }
  bool eat(std::u32string_view word) {
    const auto rest = std::u32string_view(text_).substr(std::min(at_, text_.size()));
    if (!rest.starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::uint32_t emit(op code, std::uint32_t next = 0, std::uint32_t other = 0) {
    if (out_.program_.size() >= program_max) {
      complain("expression too large");
      return 0;
    }
    out_.program_.push_back({code, next, other});
    return static_cast<std::uint32_t>(out_.program_.size() - 1);
  }

  void patch(const std::vector<hole>& holes, std::uint32_t target) {
    for (const auto& h : holes) (h.other ? out_.program_[h.at].other : out_.program_[h.at].next) = target;
  }

  fragment single(op code, std::uint32_t other = 0) {
    const auto at = emit(code, 0, other);
    return {at, {{at, false}}};
  }

  fragment one_of(ranges set) {
    if (flags_.ignore_case) add_other_case(set);
    out_.sets_.push_back(std::move(set));
    return single(op::ranges, static_cast<std::uint32_t>(out_.sets_.size() - 1));
  }

  fragment alternation(int depth) {
    if (depth > nesting_max) complain("expression nests too deeply");
    auto left = sequence(depth);
    while (eat(U'|')) {
      const auto right = sequence(depth);
      const auto split = emit(op::split, left.start, right.start);
      left.start = split;
      left.out.insert(left.out.end(), right.out.begin(), right.out.end());
    }
    return left;
  }

  fragment sequence(int depth) {
    fragment all = single(op::jump);
    while (more() && peek() != U'|' && peek() != U')') {
      const auto next = repeated(depth);
      patch(all.out, next.start);
      all.out = next.out;
    }
    return all;
  }

  fragment repeated(int depth) {
    const auto from = at_;
    auto part = atom(depth);
    const auto until = at_;
    int low = 0, high = 0;
    bool any = false;
    while (more() && read_repeat(low, high)) {
      if (any) {
        complain("invalid nested repetition operator");
        break;
      }
      any = true;
      part = repeat(part, low, high, from, until, depth);
      eat(U'?');  // Laziness changes what is captured, never whether there is a match.
    }
    return part;
  }

  /// Reads `* + ? {n} {n,} {n,m}`; high -1 is unbounded. A `{` that is no repeat is a literal.
  bool read_repeat(int& low, int& high) {
    if (eat(U'*')) return low = 0, high = -1, true;
    if (eat(U'+')) return low = 1, high = -1, true;
    if (eat(U'?')) return low = 0, high = 1, true;
    if (peek() != U'{') return false;
    const auto back = at_++;
    const auto first = number();
    std::optional<int> second = first;
    if (first && eat(U',')) second = peek() == U'}' ? std::optional<int>(-1) : number();
    if (!first || !second || !eat(U'}')) {
      at_ = back;
      return false;
    }
    if (*first > repeat_max || *second > repeat_max || (*second >= 0 && *second < *first)) {
      complain("invalid repeat count");
    }
    low = *first;
    high = *second;
    return true;
  }

  std::optional<int> number() {
    int value = 0;
    bool any = false;
    while (peek() >= U'0' && peek() <= U'9' && value <= repeat_max * 10) {
      value = value * 10 + static_cast<int>(text_[at_++] - U'0');
      any = true;
    }
    return any ? std::optional<int>(value) : std::nullopt;
  }

  /// The part's copies come from reading its text again: simpler than cloning a graph.
  fragment again(std::size_t from, std::size_t until, int depth) {
    const auto back = at_;
    at_ = from;
    auto part = atom(depth);
    if (!error_ && at_ != until) complain("invalid repetition");
    if (!error_) at_ = back;
    return part;
  }

  fragment repeat(fragment part, int low, int high, std::size_t from, std::size_t until, int depth) {
    fragment all = single(op::jump);
    bool used = false;
    const auto copy = [&] {
      if (!used) return used = true, part;
      return again(from, until, depth);
    };
    for (int i = 0; i < low && !error_; ++i) {
      const auto next = copy();
      patch(all.out, next.start);
      all.out = next.out;
    }
    if (high < 0) {
      const auto body = copy();
      const auto split = emit(op::split, body.start);
      patch(body.out, split);
      patch(all.out, split);
      all.out = {{split, true}};
    }
    std::vector<hole> exits;
    for (int i = low; i < high && !error_; ++i) {
      const auto body = copy();
      const auto split = emit(op::split, body.start);
      patch(all.out, split);
      exits.push_back({split, true});
      all.out = body.out;
    }
    all.out.insert(all.out.end(), exits.begin(), exits.end());
    return all;
  }

  fragment atom(int depth) {
    const auto c = text_[at_++];
    switch (c) {
      case U'(': return group(depth);
      case U'[': return one_of(char_class());
      case U'.': return one_of(flags_.dot_all ? ranges{{0, last_code_point}} : negated({{U'\n', U'\n'}}));
      case U'^': return single(flags_.multi_line ? op::line_start : op::text_start);
      case U'$': return single(flags_.multi_line ? op::line_end : op::text_end);
      case U'\\': return escape();
      case U'*':
      case U'+':
      case U'?': complain("missing argument to repetition operator"); return {};
      default: return one_of({{c, c}});
    }
  }

  fragment group(int depth) {
    const auto outer = flags_;
    if (eat(U'?')) {
      if (eat(U"P<") || eat(U'<')) {
        if (peek() == U'=' || peek() == U'!') complain("look-behind is not supported");
        while (more() && !eat(U'>')) ++at_;
      } else if (!read_flags()) {
        return single(op::jump);  // `(?i)` lasts to the end of the enclosing group
      }
    }
    auto inner = alternation(depth + 1);
    if (!eat(U')')) complain("missing closing )");
    flags_ = outer;
    return inner;
  }

  /// Reads `i-s:`; false after `)`, when the flags apply to what follows.
  bool read_flags() {
    bool on = true;
    while (more()) {
      const auto c = text_[at_++];
      if (c == U':') return true;
      if (c == U')') return false;
      switch (c) {
        case U'-': on = false; break;
        case U'i': flags_.ignore_case = on; break;
        case U'm': flags_.multi_line = on; break;
        case U's': flags_.dot_all = on; break;
        case U'U': break;
        default: complain("invalid or unsupported group syntax");
      }
    }
    complain("missing closing )");
    return true;
  }

  fragment escape() {
    if (!more()) {
      complain("trailing backslash at end of expression");
      return {};
    }
    switch (peek()) {
      case U'A': ++at_; return single(op::text_start);
      case U'z': ++at_; return single(op::text_end);
      case U'b': ++at_; return single(op::word);
      case U'B': ++at_; return single(op::not_word);
      default: break;
    }
    if (auto set = named_class(peek())) return ++at_, one_of(std::move(*set));
    const auto c = escaped_character();
    return one_of({{c, c}});
  }

  char32_t escaped_character() {
    const auto c = text_[at_++];
    switch (c) {
      case U'n': return U'\n';
      case U't': return U'\t';
      case U'r': return U'\r';
      case U'f': return U'\f';
      case U'v': return U'\v';
      case U'a': return U'\a';
      case U'0': return 0;
      case U'x': return hex_character();
      default: break;
    }
    if (is_word_character(c) && c != U'_') complain("invalid or unsupported escape sequence");
    return c;
  }

  char32_t hex_character() {
    const bool braces = eat(U'{');
    char32_t value = 0;
    int digits = 0;
    while (more() && digits < (braces ? 6 : 2)) {
      const auto c = peek() | 0x20;
      if (peek() >= U'0' && peek() <= U'9') {
        value = value * 16 + (peek() - U'0');
      } else if (c >= U'a' && c <= U'f') {
        value = value * 16 + (c - U'a' + 10);
      } else {
        break;
      }
      ++digits;
      ++at_;
    }
    if (digits == 0 || (!braces && digits != 2) || (braces && !eat(U'}')) || value > last_code_point) {
      complain("invalid escape sequence");
    }
    return value;
  }

  ranges char_class() {
    ranges set;
    const bool inverted = eat(U'^');
    bool first = true;
    while (more() && (first || peek() != U']')) {
      first = false;
      if (peek() == U'[' && peek(1) == U':') {
        posix_class(set);
        continue;
      }
      if (peek() == U'\\' && at_ + 1 < text_.size()) {
        if (auto named = named_class(peek(1))) {
          at_ += 2;
          set.insert(set.end(), named->begin(), named->end());
          continue;
        }
      }
      const auto low = class_character();
      auto high = low;
      if (peek() == U'-' && at_ + 1 < text_.size() && peek(1) != U']') {
        ++at_;
        high = class_character();
      }
      if (high < low) complain("invalid character class range");
      set.push_back({low, high});
    }
    if (!eat(U']')) complain("missing closing ]");
    if (!inverted) return set;
    if (flags_.ignore_case) add_other_case(set);
    return negated(std::move(set));
  }

  char32_t class_character() {
    if (!more()) return 0;
    if (peek() != U'\\') return text_[at_++];
    ++at_;
    if (!more()) {
      complain("trailing backslash at end of expression");
      return 0;
    }
    return escaped_character();
  }

  void posix_class(ranges& set) {
    for (const auto& [name, members] : posix_classes()) {
      if (eat(name)) return void(set.insert(set.end(), members.begin(), members.end()));
    }
    complain("invalid character class");
  }

  std::u32string text_;
  std::size_t at_ = 0;
  flags flags_;
  std::optional<std::string> error_;
  pattern out_ = start_with_jump();

  static pattern start_with_jump() {
    pattern p;
    p.program_.push_back({op::jump, 0, 0});
    return p;
  }
};

result<pattern> pattern::compile(std::string_view expression) { return pattern_compiler(expression).run(); }

}  // namespace wh::internal
