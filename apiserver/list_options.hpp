#pragma once
#include <optional>
#include <string>

#include "apiserver/core.hpp"
#include "resources/selector.hpp"

namespace wh {

/// ListOptions of a list, watch or deletecollection, checked.
struct list_options {
  enum class match_kind { unset, not_older_than, exact };
  label_selector labels;
  field_selector fields;  ///< without metadata.name and metadata.namespace equalities, which are in `range`
  key_range range;
  bool nothing = false;  ///< the selectors contradict the path: no object can match
  std::size_t limit = 0;
  std::string continue_token;
  std::optional<revision> rev;  ///< resourceVersion, when given
  match_kind match = match_kind::unset;
  bool watch = false;
  bool bookmarks = false;
  bool initial_events = false;
  bool initial_events_set = false;
  std::int64_t timeout_seconds = 0;

  bool selects_all() const { return labels.empty() && fields.empty(); }
};

answer<list_options> parse_list_options(const api_call& call);

/// Where a limited list goes on: the revision it is read at (0: now, after the old one was compacted) and the last key
/// seen.
struct continue_token {
  revision rev;
  std::string ns;
  std::string name;
};
std::string to_text(const continue_token& token);
answer<continue_token> parse_continue(const std::string& text);

}  // namespace wh
