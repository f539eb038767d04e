#pragma once
#include <map>
#include <optional>
#include <string>

#include "apiserver/watch.hpp"

namespace wh {

/// One change as the watchers see it: parsed at most once, and rendered at most once for each type and form.
class change_view {
 public:
  change_view(const change& c, instant now) : change_(c), now_(now) {}
  /// The event line for a watcher, or null when the change is none of its business.
  shared_bytes line_for(const watch_spec& spec);

 private:
  const document* current();
  const document* previous();

  const change& change_;
  instant now_;
  std::optional<document> current_;
  std::optional<document> previous_;
  std::map<std::string, shared_bytes> lines_;
};

}  // namespace wh
