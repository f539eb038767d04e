#include <fmt/format.h>

#include <algorithm>

#include "resources/internal/names.hpp"
#include "resources/selector.hpp"

namespace wh {
namespace {

using op = label_requirement::op;

struct operator_row {
  std::string_view name;
  op how;
  bool with_values;
};
constexpr operator_row operators[] = {{"In", op::in, true},
                                      {"NotIn", op::not_in, true},
                                      {"Exists", op::exists, false},
                                      {"DoesNotExist", op::does_not_exist, false}};

result<void> check_names(const label_requirement& r, const std::string& where) {
  if (auto why = internal::check_qualified_name(r.key))
    return fail(errc::invalid, fmt::format("{}: key \"{}\": {}", where, r.key, *why));
  for (const auto& value : r.values)
    if (auto why = internal::check_label_value(value))
      return fail(errc::invalid, fmt::format("{}: value \"{}\": {}", where, value, *why));
  return {};
}

result<label_requirement> read_expression(const document& e, const std::string& where) {
  const auto name = string_at(e, {"operator"});
  const auto* row =
      std::find_if(std::begin(operators), std::end(operators), [&](const auto& o) { return o.name == name; });
  if (row == std::end(operators))
    return fail(errc::invalid, fmt::format("{}: \"{}\" is not a valid label selector operator", where, name));
  label_requirement r{std::string(string_at(e, {"key"})), row->how, texts_at(e, {"values"})};
  if (row->with_values && r.values.empty())
    return fail(errc::invalid, fmt::format("{}: values must be given when the operator is {}", where, name));
  if (!row->with_values && !r.values.empty())
    return fail(errc::invalid, fmt::format("{}: values must not be given when the operator is {}", where, name));
  if (auto ok = check_names(r, where); !ok) return ok.err();
  return r;
}

}  // namespace

label_map label_map_of(const document& object) {
  label_map out;
  const auto* labels = find_path(object, {"metadata", "labels"});
  if (!labels || !labels->is_object()) return out;
  for (const auto& [key, value] : labels->items())
    if (value.is_string()) out.emplace(key, value.get_ref<const std::string&>());
  return out;
}

result<label_selector> read_selector_object(const document& selector) {
  label_selector out;
  if (const auto* labels = find_path(selector, {"matchLabels"}); labels && labels->is_object())
    for (const auto& [key, value] : labels->items()) {
      label_requirement r{key, op::in, {value.is_string() ? value.get<std::string>() : std::string()}};
      if (auto ok = check_names(r, "matchLabels"); !ok) return ok.err();
      out.requirements.push_back(std::move(r));
    }
  const auto* list = find_path(selector, {"matchExpressions"});
  for (std::size_t i = 0; list && list->is_array() && i < list->size(); ++i) {
    auto r = read_expression((*list)[i], fmt::format("matchExpressions[{}]", i));
    if (!r) return r.err();
    out.requirements.push_back(std::move(*r));
  }
  return out;
}

}  // namespace wh
