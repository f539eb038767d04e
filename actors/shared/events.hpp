#pragma once
#include <string>

#include "actors/actor.hpp"
#include "resources/document.hpp"

namespace wh {

/// What `kubectl describe` and `kubectl get events` show of an actor's doings.
struct event_note {
  std::string reason;   ///< CamelCase; with the object's uid it names the Event
  std::string message;  ///< a sentence
  bool warning = false;
  std::string action;  ///< what was done; empty: the reason
};

/// Puts an Event about `regarding` into namespace `ns`. One object for each reason: what happens again counts up, so that
/// a restless object leaves as many Events as it has reasons. `component` is the reporter's name.
void record_event(const document& regarding, const std::string& ns, const std::string& component,
                  const event_note& what, const context& ctx, outbox& out);

}  // namespace wh
