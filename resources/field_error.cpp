#include "resources/internal/shown_value.hpp"
#include "resources/schema.hpp"

namespace wh {
namespace {

std::string_view words(field_error_type type) {
  switch (type) {
    case field_error_type::required: return "Required value";
    case field_error_type::invalid:
    case field_error_type::type_invalid: return "Invalid value";
    case field_error_type::not_supported: return "Unsupported value";
    case field_error_type::forbidden: return "Forbidden";
    case field_error_type::too_long: return "Too long";
    case field_error_type::too_many: return "Too many";
    case field_error_type::duplicate: return "Duplicate value";
  }
  return "Invalid value";
}

bool shows_value(field_error_type type) {
  return type != field_error_type::required && type != field_error_type::forbidden &&
         type != field_error_type::too_long;
}

}  // namespace

std::string field_error::text() const {
  std::string out = field.empty() ? "" : field + ": ";
  out += words(type);
  if (shows_value(type) && !value.empty()) out += ": " + value;
  if (!detail.empty()) out += ": " + detail;
  return out;
}

namespace internal {

std::string shown_value(const document& value) {
  constexpr std::size_t bytes_max = 256;
  auto text = value.dump(-1, ' ', false, document::error_handler_t::replace);
  return text.size() > bytes_max ? text.substr(0, bytes_max) + "..." : text;
}

}  // namespace internal

}  // namespace wh
