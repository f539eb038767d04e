#include "apiserver/watch.hpp"

#include <algorithm>

#include "apiserver/status.hpp"
#include "apiserver/watch_event.hpp"

namespace wh {

namespace {

constexpr std::size_t catch_up_events = 256;
constexpr std::size_t catch_up_log_events = 1000;
constexpr auto tick_every = std::chrono::seconds(1);
constexpr int ticks_per_bookmark = 60;

std::string bucket_of(std::string_view resource, std::string_view ns) {
  std::string out(resource);
  out += '/';
  return out += ns;
}

std::size_t weight_of(const change& c) {
  return sizeof(change) + c.key.resource.size() + c.key.name.size() + (c.body ? c.body->size() : 0) +
         (c.previous ? c.previous->size() : 0);
}

}  // namespace

struct watch_hub::watcher {
  std::uint64_t id = 0;
  watch_spec spec;
  std::size_t unsent_max = 0;

  /// False when the watch is over: the client has gone or lags too far behind.
  bool deliver(change_view& view) {
    auto text = view.line_for(spec);
    return !text || send(text);
  }
  bool send(const shared_bytes& text) {
    if (!spec.reply->alive()) return false;
    if (spec.reply->unsent() > unsent_max) {
      spec.reply->finish();
      return false;
    }
    spec.reply->write(text);
    spec.form.columns = false;
    return true;
  }
};

watch_hub::watch_hub(const api_options& options) : options_(options) {
  std::lock_guard lock(mutex_);
  dispatched_ = ring_floor_ = options_.data->subscribe(this);
}

watch_hub::~watch_hub() { stop(); }

void watch_hub::stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    for (auto& [bucket, watchers] : live_)
      for (auto& w : watchers) w->spec.reply->finish();
    live_.clear();
    buckets_.clear();
  }
  options_.data->unsubscribe(this);
}

std::size_t watch_hub::size() const {
  std::lock_guard lock(mutex_);
  return buckets_.size();
}

void watch_hub::on_committed(const std::vector<change>& changes) {
  std::lock_guard lock(mutex_);
  if (stopped_) return;
  sweep();
  for (const auto& c : changes) {
    dispatch(c);
    remember(c);
    dispatched_ = std::max(dispatched_, c.rev);
  }
}

void watch_hub::dispatch(const change& c) {
  std::optional<change_view> view;
  const std::string buckets[] = {bucket_of(c.key.resource, ""), bucket_of(c.key.resource, c.key.ns)};
  for (std::size_t i = 0; i < (c.key.ns.empty() ? 1U : 2U); ++i) {
    auto found = live_.find(buckets[i]);
    if (found == live_.end()) continue;
    if (!view) view.emplace(c, options_.now());
    std::erase_if(found->second, [&](const watcher_ptr& w) {
      // A watch may have started beyond the feed, from a list that read a commit before it was dispatched.
      if (c.rev <= w->spec.after || w->deliver(*view)) return false;
      buckets_.erase(w->id);
      return true;
    });
    if (found->second.empty()) live_.erase(found);
  }
}

void watch_hub::remember(const change& c) {
  ring_.push_back(std::make_shared<const change>(c));
  ring_bytes_ += weight_of(c);
  while (!ring_.empty() && (ring_.size() > options_.watch_ring_events || ring_bytes_ > options_.watch_ring_bytes)) {
    ring_floor_ = ring_.front()->rev;
    ring_bytes_ -= weight_of(*ring_.front());
    ring_.pop_front();
  }
}

void watch_hub::start(watch_spec spec) {
  auto w = std::make_shared<watcher>();
  w->spec = std::move(spec);
  w->unsent_max = options_.watch_unsent_max;
  while (true) {
    bool from_log = false;
    {
      std::lock_guard lock(mutex_);
      if (stopped_) break;
      sweep();
      if (w->spec.after >= dispatched_) return add_live(w);
      from_log = w->spec.after < ring_floor_;
    }
    if (!(from_log ? catch_up_from_log(*w) : catch_up(*w))) return;
  }
  w->spec.reply->finish();
}

bool watch_hub::catch_up(watcher& w) {
  std::vector<std::shared_ptr<const change>> due;
  {
    std::lock_guard lock(mutex_);
    auto it = std::upper_bound(ring_.begin(), ring_.end(), w.spec.after,
                               [](revision r, const auto& c) { return r < c->rev; });
    for (; it != ring_.end() && due.size() < catch_up_events; ++it) {
      if (w.spec.range.contains((*it)->key)) due.push_back(*it);
      w.spec.after = (*it)->rev;
    }
  }
  for (const auto& c : due) {
    change_view view(*c, options_.now());
    if (!w.deliver(view)) return false;
  }
  return true;
}

bool watch_hub::catch_up_from_log(watcher& w) {
  auto current = options_.data->window().current;
  auto changes = options_.data->changes_since(w.spec.after, catch_up_log_events);
  if (!changes) {
    w.send(error_event(status_document(expired("The resourceVersion for the provided watch is too old."))));
    w.spec.reply->finish();
    return false;
  }
  // A store that was opened anew skips the numbers that it had reserved: then nothing lies between.
  if (changes->empty()) w.spec.after = std::max(w.spec.after, current);
  for (const auto& c : *changes) {
    change_view view(c, options_.now());
    if (!w.deliver(view)) return false;
    w.spec.after = c.rev;
  }
  return true;
}

void watch_hub::add_live(const watcher_ptr& w) {
  w->id = next_id_++;
  auto bucket = bucket_of(w->spec.range.resource, w->spec.range.ns);
  live_[bucket].push_back(w);
  buckets_[w->id] = std::move(bucket);
  // May run at once; it takes only its own lock.
  w->spec.reply->on_done([dead = dead_, id = w->id] {
    std::lock_guard lock(dead->mutex);
    dead->ids.push_back(id);
  });
  arm();
}

void watch_hub::sweep() {
  std::vector<std::uint64_t> ids;
  {
    std::lock_guard lock(dead_->mutex);
    ids.swap(dead_->ids);
  }
  for (auto id : ids) remove(id);
}

void watch_hub::remove(std::uint64_t id) {
  auto bucket = buckets_.find(id);
  if (bucket == buckets_.end()) return;
  auto found = live_.find(bucket->second);
  std::erase_if(found->second, [&](const watcher_ptr& w) { return w->id == id; });
  if (found->second.empty()) live_.erase(found);
  buckets_.erase(bucket);
}

void watch_hub::arm() {
  if (armed_ || stopped_ || !options_.after || buckets_.empty()) return;
  armed_ = true;
  options_.after(tick_every, [self = weak_from_this()] {
    if (auto hub = self.lock()) hub->tick();
  });
}

void watch_hub::tick() {
  std::lock_guard lock(mutex_);
  armed_ = false;
  if (stopped_) return;
  sweep();
  auto now = options_.now();
  bool bookmark = ++ticks_ % ticks_per_bookmark == 0;
  std::vector<std::uint64_t> over;
  for (auto& [bucket, watchers] : live_) {
    for (auto& w : watchers) {
      bool ends = w->spec.deadline <= now;
      // The last word of a watch is a bookmark, so that its client resumes from now and not from its last event.
      if ((bookmark || ends) && w->spec.bookmarks)
        w->send(bookmark_event(w->spec, std::max(dispatched_, w->spec.after), false));
      if (ends) over.push_back(w->id), w->spec.reply->finish();
    }
  }
  for (auto id : over) remove(id);
  arm();
}

}  // namespace wh
