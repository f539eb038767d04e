#include "sim/report/json_cursor.hpp"

namespace wh::sim_report {
namespace {

const document& nothing() {
  static const document none;
  return none;
}

}  // namespace

json_cursor json_cursor::inside(const document& at, const std::string& step) const {
  const bool dotted = !path_.empty() && !step.starts_with('[');
  return {at, path_ + (dotted ? "." : "") + step, *trouble_};
}

void json_cursor::complain(const std::string& why) const {
  if (fine()) *trouble_ = fail(errc::corrupt, (path_.empty() ? "the document" : path_) + ": " + why);
}

void json_cursor::complain_inside(const std::string& member_and_why) const {
  if (fine()) *trouble_ = fail(errc::corrupt, path_ + "." + member_and_why);
}

json_cursor json_cursor::member(std::string_view name) const {
  if (auto found = find(name)) return *found;
  auto missing = inside(nothing(), std::string(name));
  missing.complain("is missing");
  return missing;
}

std::optional<json_cursor> json_cursor::find(std::string_view name) const {
  if (!at_->is_object()) {
    complain("must be an object, not " + std::string(at_->type_name()));
    return std::nullopt;
  }
  const auto found = at_->find(name);
  if (found == at_->end() || found->is_null()) return std::nullopt;
  return inside(*found, std::string(name));
}

std::vector<json_cursor> json_cursor::items(std::size_t items_max) const {
  std::vector<json_cursor> list;
  if (!at_->is_array()) {
    complain("must be a list, not " + std::string(at_->type_name()));
    return list;
  }
  if (at_->size() > items_max) {
    complain("has " + std::to_string(at_->size()) + " items, more than " + std::to_string(items_max));
    return list;
  }
  list.reserve(at_->size());
  for (std::size_t i = 0; i < at_->size(); ++i) list.push_back(inside((*at_)[i], "[" + std::to_string(i) + "]"));
  return list;
}

std::vector<std::pair<std::string, json_cursor>> json_cursor::members() const {
  std::vector<std::pair<std::string, json_cursor>> list;
  if (!at_->is_object()) complain("must be an object, not " + std::string(at_->type_name()));
  if (!at_->is_object()) return list;
  for (const auto& [name, value] : at_->items()) list.emplace_back(name, inside(value, name));
  return list;
}

std::string json_cursor::text() const {
  if (at_->is_string()) return at_->get<std::string>();
  complain("must be text, not " + std::string(at_->type_name()));
  return {};
}

double json_cursor::number() const {
  if (at_->is_number()) return at_->get<double>();
  complain("must be a number, not " + std::string(at_->type_name()));
  return 0;
}

std::uint64_t json_cursor::count() const {
  // Documents made by a program hold small counts as signed numbers, those read from text as unsigned ones.
  if (at_->is_number_unsigned() || (at_->is_number_integer() && at_->get<std::int64_t>() >= 0))
    return at_->get<std::uint64_t>();
  complain("must be a whole number of 0 or more");
  return 0;
}

std::string json_cursor::text_or_empty(std::string_view name) const {
  const auto found = find(name);
  return found ? found->text() : std::string();
}

std::optional<double> json_cursor::number_or_null() const {
  if (is_null()) return std::nullopt;
  return number();
}

}  // namespace wh::sim_report
