#include <algorithm>
#include <iterator>

#include "resources/document.hpp"
#include "resources/internal/text_position.hpp"

namespace wh {
namespace {

/// Feeds the library's lexer and knows how far it has read, because its events carry no position.
class counting_iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  counting_iterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  counting_iterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const counting_iterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

/// Builds the document event by event and refuses what the library would let pass: duplicate keys, deep nesting,
/// integers that only fit a double.
class strict_builder : public nlohmann::json_sax<document> {
 public:
  /// `duplicates` null: they are refused.
  strict_builder(document& root, std::size_t depth_max, std::vector<std::string>* duplicates)
      : root_(root), depth_max_(depth_max), duplicates_(duplicates) {}

  /// What was refused; empty while everything is fine.
  std::string complaint;
  std::size_t complaint_length = 0;  ///< bytes of the offending token before the read position

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary values are not JSON", 0); }

  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == std::string::npos) return refuse("integer " + text + " does not fit 64 bits", 0);
    return add(value);
  }

  bool start_object(std::size_t) override { return open(document::object()); }
  bool start_array(std::size_t) override { return open(document::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto [it, fresh] = stack_.back()->get_ref<document::object_t&>().try_emplace(name);
    if (!fresh && !duplicates_) return refuse("duplicate key \"" + name + "\"", name.size() + 2);
    if (duplicates_) {
      names_.resize(stack_.size());
      names_.back() = name;
      if (!fresh && duplicates_->size() < duplicates_max) duplicates_->push_back(path());
    }
    slot_ = &it->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& ex) override {
    // `[json.exception.parse_error.101] parse error at line 1, column 2: what went wrong`
    std::string_view text = ex.what();
    text.remove_prefix(std::min(text.find("] ") + 2, text.size()));
    if (text.starts_with("parse error")) text.remove_prefix(std::min(text.find(": ") + 2, text.size()));
    complaint = text;
    complaint_length = 1;
    return false;
  }

 private:
  bool refuse(std::string why, std::size_t token_length) {
    complaint = std::move(why);
    complaint_length = token_length;
    return false;
  }

  /// Where the last key is.
  std::string path() const {
    std::string out;
    for (std::size_t i = 0; i < stack_.size(); ++i) {
      if (stack_[i]->is_array()) out += "[" + std::to_string(stack_[i]->size() - 1) + "]";
      else out += (out.empty() ? "" : ".") + names_[i];
    }
    return out;
  }

  document* place(document value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (stack_.back()->is_array()) return &stack_.back()->get_ref<document::array_t&>().emplace_back(std::move(value));
    *slot_ = std::move(value);
    return slot_;
  }

  bool add(document value) {
    place(std::move(value));
    return true;
  }

  bool open(document container) {
    if (stack_.size() >= depth_max_) return refuse("nested deeper than " + std::to_string(depth_max_), 1);
    stack_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    stack_.pop_back();
    return true;
  }

  document& root_;
  std::size_t depth_max_;
  std::vector<document*> stack_;
  document* slot_ = nullptr;
  static constexpr std::size_t duplicates_max = 100;
  std::vector<std::string>* duplicates_;
  std::vector<std::string> names_;  ///< the key under way of each object on the stack
};

result<document> parse(std::string_view text, std::vector<std::string>* duplicates, const parse_limits& limits) {
  if (text.size() > limits.bytes_max) {
    return fail(errc::too_large, "JSON of " + std::to_string(text.size()) + " bytes is over the limit of " +
                                     std::to_string(limits.bytes_max));
  }
  document root;
  strict_builder builder(root, limits.depth_max, duplicates);
  const char* reached = text.data();
  const char* end = text.data() + text.size();
  if (document::sax_parse(counting_iterator(text.data(), &reached), counting_iterator(end, &reached), &builder)) {
    return root;
  }
  const auto offset = static_cast<std::size_t>(reached - text.data());
  const auto at = internal::position_of(text, offset - std::min(offset, builder.complaint_length));
  return fail(errc::malformed, "JSON line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " +
                                   builder.complaint);
}

}  // namespace

result<document> parse_json(std::string_view text, const parse_limits& limits) { return parse(text, nullptr, limits); }

result<document> parse_json_with_duplicates(std::string_view text, std::vector<std::string>& duplicates,
                                            const parse_limits& limits) {
  return parse(text, &duplicates, limits);
}

}  // namespace wh
