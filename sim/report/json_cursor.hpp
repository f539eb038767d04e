#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "resources/document.hpp"

namespace wh::sim_report {

/// A place in a document that knows its path. The first complaint is kept and those after it are not: a reader can be
/// written straight down, and asks once at its end.
class json_cursor {
 public:
  json_cursor(const document& at, std::optional<error>& trouble) : at_(&at), trouble_(&trouble) {}

  /// A member that must be there.
  json_cursor member(std::string_view name) const;
  /// A member that may be absent or null.
  std::optional<json_cursor> find(std::string_view name) const;
  /// A list's items, at most `items_max`.
  std::vector<json_cursor> items(std::size_t items_max) const;
  /// An object's members by name, in the document's order.
  std::vector<std::pair<std::string, json_cursor>> members() const;

  std::string text() const;
  double number() const;
  /// A whole number of 0 or more.
  std::uint64_t count() const;
  bool is_null() const { return at_->is_null(); }

  /// A member's text; empty if it is absent.
  std::string text_or_empty(std::string_view name) const;
  std::optional<double> number_or_null() const;

  void complain(const std::string& why) const;
  /// For a complaint that itself begins with the name of a member.
  void complain_inside(const std::string& member_and_why) const;
  bool fine() const { return !*trouble_; }

 private:
  json_cursor(const document& at, std::string path, std::optional<error>& trouble)
      : at_(&at), path_(std::move(path)), trouble_(&trouble) {}
  json_cursor inside(const document& at, const std::string& step) const;

  const document* at_;
  std::string path_;
  std::optional<error>* trouble_;
};

}  // namespace wh::sim_report
