#pragma once
#include <memory>
#include <string>

#include "actors/actor.hpp"

namespace wh {

/// Sends an actor's notes to the node's log, under the component `actors`.
void log_note(const address& who, const note& n);

/// `ready: api https://…` and the like, under the component given.
void log_info(const std::string& component, const std::string& text);
void log_warning(const std::string& component, const std::string& text);
void log_error(const std::string& component, const std::string& text);

}  // namespace wh
