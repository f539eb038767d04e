#pragma once
#include <memory>
#include <string>

#include "persistence/store.hpp"
#include "sim/crash_points.hpp"

namespace wh {

/// A node's view of a disk that survives it. Each batch passes two points: before it is applied, when a death loses it,
/// and when it is durable but neither the feed nor its writer has heard of it. To a dead node the store answers
/// errc::unavailable at once: no caller waits for ever, and what it makes of the answer has no effect any more.
/// `disk` must be a memory store and outlive the view, as must `points`. `what` tells two stores of one node apart.
std::unique_ptr<store> make_mortal_store(store& disk, crash_points& points, std::string node, std::string what);

}  // namespace wh
