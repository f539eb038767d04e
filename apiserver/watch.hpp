#pragma once
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "apiserver/api.hpp"
#include "apiserver/render.hpp"
#include "resources/selector.hpp"

namespace wh {

/// What one client watches.
struct watch_spec {
  key_range range;
  label_selector labels;
  field_selector fields;  ///< without what `range` says already
  served_kind kind;
  output_form form;
  revision after;  ///< events with a higher revision are due
  bool bookmarks = false;
  instant deadline = instant::max();
  std::shared_ptr<api_reply> reply;

  bool selects_all() const { return labels.empty() && fields.empty(); }
};

/// True if the object passes both selectors.
bool selected(const watch_spec& spec, const document& object);

/// `{"type":"ADDED","object":…}\n` of an object that is part of the initial state.
shared_bytes initial_event(const watch_spec& spec, std::string_view body, revision rev, instant now);
/// A BOOKMARK at a revision; `initial_end` marks the end of the initial events of a streaming list.
shared_bytes bookmark_event(const watch_spec& spec, revision rev, bool initial_end);
shared_bytes error_event(const document& status);

/// Serves watches from the store's feed.
///
/// A watch is in one of two states. While it *catches up*, the thread that started it reads what lies between its
/// revision and the newest dispatched one: from the ring, or from the store's log when the ring does not reach back so
/// far. Once it has caught up, which is seen and acted upon under the lock that also orders dispatching, it is *live*:
/// the writer thread delivers to it. So each event reaches it from exactly one side, and none falls in between.
class watch_hub : public feed_listener, public std::enable_shared_from_this<watch_hub> {
 public:
  explicit watch_hub(const api_options& options);
  ~watch_hub() override;
  watch_hub(const watch_hub&) = delete;
  watch_hub& operator=(const watch_hub&) = delete;

  void on_committed(const std::vector<change>& changes) override;
  /// Delivers events from `spec.after` on until the client goes, lags too far behind or the deadline passes. The stream
  /// has been started by the caller.
  void start(watch_spec spec);
  /// Ends every watch and accepts no more.
  void stop();
  std::size_t size() const;

 private:
  struct watcher;
  using watcher_ptr = std::shared_ptr<watcher>;

  bool catch_up(watcher& w);
  bool catch_up_from_log(watcher& w);
  void add_live(const watcher_ptr& w);
  void remember(const change& c);
  void dispatch(const change& c);
  void sweep();
  void remove(std::uint64_t id);
  void arm();
  void tick();

  const api_options& options_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const change>> ring_;
  std::size_t ring_bytes_ = 0;
  revision ring_floor_;                                             ///< every change after this is in the ring
  revision dispatched_;                                             ///< the newest change that live watchers have seen
  std::unordered_map<std::string, std::vector<watcher_ptr>> live_;  ///< by resource and namespace
  std::unordered_map<std::uint64_t, std::string> buckets_;          ///< watcher id to its bucket
  std::uint64_t next_id_ = 1;
  bool stopped_ = false;
  bool armed_ = false;
  int ticks_ = 0;

  /// Ids of watchers whose clients have gone; told from any thread, even from within a write, hence its own lock.
  struct graveyard {
    std::mutex mutex;
    std::vector<std::uint64_t> ids;
  };
  std::shared_ptr<graveyard> dead_ = std::make_shared<graveyard>();
};

}  // namespace wh
