#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "sim/process/admin_client.hpp"

namespace wh {

enum class watch_change { added, modified, deleted };

/// What an informer has gone through.
struct watch_figures {
  std::uint64_t events = 0;   ///< delivered
  std::uint64_t lists = 0;    ///< complete ones: the first, and one after each 410
  std::uint64_t resumed = 0;  ///< watches begun anew where the last one was cut
  bool synced = false;        ///< the first list has been delivered
  std::string last_problem;   ///< why the watch was cut, or could not be begun, last
};

struct watch_options {
  std::string path;        ///< of the collection
  std::string query = {};  ///< selectors
  /// On the client's thread; must not block. Of an object that went unseen while a list was due, only name and namespace
  /// are known when it is reported as deleted.
  std::function<void(watch_change, const document&)> on_event;
  duration silence_max = std::chrono::seconds(150);  ///< hubs send a bookmark each minute
};

/// A collection, kept in sight through cuts of the connection and restarts of the hub.
///
///   listing ──complete──► watching ──cut, ended──► (pause) ──► watching from the last resourceVersion
///      ▲  └─failed─► (pause) ─┘ │
///      └────────────────────────┴── 410: the hub no longer knows what has changed since
///
/// Each object's newest version is delivered at least once, and so is the end of each object that was delivered.
class resource_watch {
 public:
  resource_watch(admin_client& admin, watch_options options);
  /// No event is delivered after this. Not from on_event.
  ~resource_watch();
  resource_watch(const resource_watch&) = delete;
  resource_watch& operator=(const resource_watch&) = delete;

  watch_figures figures() const;
  /// Waits until the first list has been delivered; the error says why it has not been.
  result<void> wait_synced(duration timeout) const;

 private:
  class core;
  std::shared_ptr<core> core_;
};

}  // namespace wh
