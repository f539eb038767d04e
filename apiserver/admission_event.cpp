#include <fmt/format.h>

#include "apiserver/admission.hpp"

namespace wh {

namespace {

constexpr std::size_t note_max = 1024, name_max = 128;

void add(admission& a, field_error_type type, const char* field, std::string value, std::string why) {
  a.errors.push_back({type, field, std::move(value), std::move(why)});
}

/// An event lives with its object; those of objects without a namespace in the default one. Events with an eventTime,
/// which newer recorders make, may also be kept in kube-system, or elsewhere than their objects.
void check_place(admission& a, const char* object) {
  const auto about = string_at(a.object, {object, "namespace"});
  const auto ns = namespace_of(a.object);
  const bool newer = !string_at(a.object, {"eventTime"}).empty();
  if (about.empty() ? ns == "default" || (newer && ns == "kube-system") : newer || about == ns) return;
  add(a, field_error_type::invalid, fmt::format("{}.namespace", object).c_str(), go_quote(about),
      "does not match event.namespace");
}

void check_required(admission& a, const char* field, std::size_t bytes_max) {
  const auto text = string_at(a.object, {field});
  if (text.empty()) add(a, field_error_type::required, field, "", "");
  if (text.size() > bytes_max)
    add(a, field_error_type::invalid, field, go_quote(text), fmt::format("can have at most {} characters", bytes_max));
}

}  // namespace

answer<void> check_event(admission& a) {
  check_place(a, "involvedObject");
  return {};
}

answer<void> check_new_event(admission& a) {
  check_place(a, "regarding");
  if (!a.creates()) return {};
  if (string_at(a.object, {"eventTime"}).empty()) add(a, field_error_type::required, "eventTime", "", "");
  check_required(a, "reportingController", name_max);
  check_required(a, "reportingInstance", name_max);
  check_required(a, "action", name_max);
  check_required(a, "reason", name_max);
  const auto type = string_at(a.object, {"type"});
  if (type != "Normal" && type != "Warning")
    add(a, field_error_type::invalid, "type", go_quote(type), "has invalid value: Normal and Warning are supported");
  const auto note = string_at(a.object, {"note"});
  if (note.size() > note_max)
    add(a, field_error_type::invalid, "note", go_quote(note), "can have at most 1024 characters");
  return {};
}

}  // namespace wh
