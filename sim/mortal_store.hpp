#pragma once
#include <functional>
#include <memory>
#include <string>

#include "persistence/store.hpp"
#include "sim/crash_points.hpp"

namespace wh {

/// A mortal store is a node's view of a disk that survives it. Each batch passes two points: before it is applied, when a death loses it,
/// and when it is durable but neither the feed nor its writer has heard of it. To a dead node the store answers
/// errc::unavailable at once: no caller waits for ever, and what it makes of the answer has no effect any more.
struct mortal_options {
  crash_points* points = nullptr;
  std::string node;
  std::string what;  ///< tells two stores of one node apart
  /// Applies a request's batch a little later, as the runtime does with those of actors, or never, if the node dies before.
  std::function<void(std::function<void()> apply)> later;
};

/// `disk` must be a memory store and outlive the view.
std::unique_ptr<store> make_mortal_store(store& disk, mortal_options options);

}  // namespace wh
