#include "resources/internal/pattern.hpp"

#include <algorithm>

#include "resources/internal/utf8.hpp"

namespace wh::internal {
namespace {

/// Between two characters; 0 stands for the outside of the text.
struct gap {
  char32_t before = 0, after = 0;
  bool at_start = false, at_end = false;

  bool word_boundary() const { return is_word_character(before) != is_word_character(after); }
};

}  // namespace

/// The instructions that are waiting for the next character: a set with an order, cleared without touching memory.
class pattern::states {
 public:
  explicit states(const pattern& p) : pattern_(&p), marks_(p.program_.size(), 0) {}

  const std::vector<std::uint32_t>& waiting() const { return waiting_; }
  bool matched() const { return matched_; }

  void clear() {
    waiting_.clear();
    ++round_;
  }

  /// Follows everything that needs no character.
  void add(std::uint32_t start, const gap& here) {
    pending_.assign(1, start);
    while (!pending_.empty()) {
      const auto at = pending_.back();
      pending_.pop_back();
      if (marks_[at] == round_) continue;
      marks_[at] = round_;
      step(at, here);
    }
  }

 private:
  void step(std::uint32_t at, const gap& here) {
    const auto& i = pattern_->program_[at];
    bool passes = true;
    switch (i.code) {
      case op::match: matched_ = true; return;
      case op::ranges: waiting_.push_back(at); return;
      case op::split: pending_.push_back(i.other); break;
      case op::jump: break;
      case op::text_start: passes = here.at_start; break;
      case op::text_end: passes = here.at_end; break;
      case op::line_start: passes = here.at_start || here.before == U'\n'; break;
      case op::line_end: passes = here.at_end || here.after == U'\n'; break;
      case op::word: passes = here.word_boundary(); break;
      case op::not_word: passes = !here.word_boundary(); break;
    }
    if (passes) pending_.push_back(i.next);
  }

  const pattern* pattern_;
  std::vector<std::uint32_t> marks_, waiting_, pending_;
  std::uint32_t round_ = 1;
  bool matched_ = false;
};

bool pattern::accepts(std::uint32_t set, char32_t c) const {
  const auto& ranges = sets_[set];
  return std::any_of(ranges.begin(), ranges.end(), [c](const character_range& r) { return c >= r.low && c <= r.high; });
}

bool pattern::search(std::string_view text) const {
  states now(*this), next(*this);
  gap here{.at_start = true, .at_end = text.empty()};
  std::size_t at = 0;
  while (true) {
    std::size_t following = at;
    here.after = here.at_end ? 0 : next_code_point(text, following);
    // A match may begin anywhere, so the start is added at each place.
    now.add(0, here);
    // The waiting ones were found by what precedes this gap; now they meet the character after it.
    if (now.matched()) return true;
    if (here.at_end) return false;
    next.clear();
    at = following;
    gap beyond{.before = here.after, .at_start = false, .at_end = at == text.size()};
    std::size_t peek = at;
    beyond.after = beyond.at_end ? 0 : next_code_point(text, peek);
    for (const auto i : now.waiting()) {
      if (accepts(program_[i].other, here.after)) next.add(program_[i].next, beyond);
    }
    if (next.matched()) return true;
    std::swap(now, next);
    here = beyond;
  }
}

}  // namespace wh::internal
