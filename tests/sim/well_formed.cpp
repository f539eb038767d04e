#include "tests/sim/well_formed.hpp"

#include <cctype>
#include <set>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view doctype = "<!DOCTYPE html>\n";

struct tag {
  std::string name;
  bool closes = false;
  bool empty = false;  ///< `<x />`
};

class checker {
 public:
  explicit checker(std::string_view page) : rest_(page) {}

  std::string run() {
    if (!rest_.starts_with(doctype)) return "no doctype";
    rest_.remove_prefix(doctype.size());
    for (auto next = rest_.find('<'); next != std::string_view::npos; next = rest_.find('<')) {
      rest_.remove_prefix(next + 1);
      tag t;
      if (!read(t)) return "not a tag: <" + std::string(rest_.substr(0, 60));
      if (t.closes && (open_.empty() || open_.back() != t.name)) return "</" + t.name + "> closes another element";
      if (t.closes) open_.pop_back();
      if (!t.closes && !t.empty) open_.push_back(t.name);
    }
    if (!twice_.empty()) return "id " + twice_ + " twice";
    return open_.empty() ? "" : "<" + open_.back() + "> is never closed";
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string name() {
    std::size_t length = 0;
    while (length < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[length])) || rest_[length] == '-'))
      ++length;
    const std::string found(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return found;
  }

  bool read(tag& t) {
    t.closes = take('/');
    t.name = name();
    if (t.name.empty()) return false;
    std::set<std::string> seen;
    while (take(' ')) {
      if (take('/')) t.empty = true;
      if (t.empty) break;
      if (!read_attribute(seen)) return false;
    }
    return take('>');
  }

  bool read_attribute(std::set<std::string>& seen) {
    const auto key = name();
    if (key.empty() || !seen.insert(key).second || !take('=') || !take('"')) return false;
    const auto end = rest_.find_first_of("\"<>");
    if (end == std::string_view::npos || rest_[end] != '"') return false;
    if (const std::string value(rest_.substr(0, end)); key == "id" && !ids_.insert(value).second) twice_ = value;
    rest_.remove_prefix(end + 1);
    return true;
  }

  std::string_view rest_;
  std::vector<std::string> open_;
  std::set<std::string> ids_;
  std::string twice_;
};

}  // namespace

std::string complaint_about_page(const std::string& page) { return checker(page).run(); }
