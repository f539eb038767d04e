#pragma once
#include <cstdint>
#include <string>

#include "base/strong_id.hpp"

namespace wh {

/// The store's global counter and every object's resourceVersion. 0 is "none"; the first commit gets 1 or more.
using revision = strong_id<struct revision_tag, std::uint64_t>;

/// metadata.generation: counts changes of what is wanted (spec), never of what is reported (status).
using generation = strong_id<struct generation_tag, std::int64_t>;

/// One life of an actor's in-memory state; a restart or reload takes the next one.
using incarnation = strong_id<struct incarnation_tag, std::uint64_t>;

/// One life of a link connection on this node; never reused while the process lives.
using session_id = strong_id<struct session_id_tag, std::uint64_t>;

/// A managed cluster's name, which is also its namespace on the hub.
using cluster_id = strong_id<struct cluster_id_tag, std::string>;

/// Matches an answer to its question; unique within the asking node's life.
using request_id = strong_id<struct request_id_tag, std::uint64_t>;

}  // namespace wh
