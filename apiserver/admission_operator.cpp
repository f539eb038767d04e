#include "apiserver/admission.hpp"

namespace wh {

answer<void> check_klusterlet(admission& a) {
  constexpr auto shortest = std::chrono::seconds(5);
  constexpr auto longest = std::chrono::hours(1);
  const auto text = string_at(a.object, {"spec", "workConfiguration", "statusSyncInterval"});
  if (text.empty()) return {};
  // The schema has seen to its form, but not to how long it is.
  const auto interval = parse_duration(text);
  if (!interval || *interval < shortest || *interval > longest)
    a.errors.push_back({field_error_type::invalid, "spec.workConfiguration.statusSyncInterval", go_quote(text),
                        "must be between 5s and 1h"});
  return {};
}

}  // namespace wh
