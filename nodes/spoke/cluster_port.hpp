#pragma once
#include <functional>

#include "actors/actor.hpp"

namespace wh {

/// Posts an envelope to the spoke's actors.
using post_envelope = std::function<void(envelope)>;

/// How a spoke reaches the cluster that it manages (architecture, section 7). Thread-safe; answers may come before the call
/// that asked for them returns.
class cluster_port {
 public:
  virtual ~cluster_port() = default;
  /// cluster_call and cluster_watch from the spoke's actors; answered to the sender by cluster_reply and drifted.
  virtual void deliver(envelope e) = 0;
  /// Tells the agent what the cluster has (cluster_facts); the port does so again whenever that changes.
  virtual void report_facts() = 0;
  /// The spoke's actors have ended: nothing is posted from here on.
  virtual void stop(duration grace) = 0;
};

/// Opens the cluster of a spoke whose actors are reached by `post`.
using open_cluster_port = std::function<result<std::unique_ptr<cluster_port>>(post_envelope post)>;

}  // namespace wh
