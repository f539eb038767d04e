#include "sim/process/resource_watch.hpp"

#include <charconv>
#include <condition_variable>
#include <unordered_map>
#include <utility>

namespace wh {
namespace {

constexpr duration pause_min = std::chrono::milliseconds(50);
constexpr duration pause_max = std::chrono::seconds(1);
constexpr int watch_seconds = 3600;
constexpr std::size_t line_bytes_max = std::size_t{16} << 20;

std::uint64_t version_of(const document& object) {
  const auto text = string_at(object, {"metadata", "resourceVersion"});
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::string key_of(const document& object) {
  return std::string(namespace_of(object)) + "/" + std::string(name_of(object));
}

document last_sight(const std::string& key) {
  const auto slash = key.find('/');
  document metadata = {{"name", key.substr(slash + 1)}};
  if (slash > 0) metadata["namespace"] = key.substr(0, slash);
  return {{"metadata", std::move(metadata)}};
}

}  // namespace

/// On the pool's thread alone, but for figures_ and stopped_.
class resource_watch::core : public std::enable_shared_from_this<core> {
 public:
  core(admin_client& admin, watch_options options) : admin_(admin), options_(std::move(options)) {}

  void begin() {
    admin_.pool().post([self = shared_from_this()] { self->list(); });
  }
  void stop();
  watch_figures figures() const;
  result<void> wait_synced(duration timeout) const;

 private:
  struct seen {
    std::uint64_t version = 0;
    std::uint64_t list = 0;  ///< the list that showed it last
  };

  void list();
  void take_page(const std::vector<document>& page);
  void listed(const result<std::string>& version);
  void watch();
  void take_bytes(std::string_view bytes);
  void take_line(std::string_view line);
  void cut(const error& why);
  void later(void (core::*step)());
  void deliver(watch_change change, const document& object);
  void note(const std::string& problem);

  admin_client& admin_;
  watch_options options_;
  std::unordered_map<std::string, seen> known_;
  std::uint64_t list_number_ = 0;
  std::string version_;    ///< watch from here
  std::string half_line_;  ///< of the stream
  bool stale_ = false;     ///< the hub has said 410
  http_pool::stream_id stream_ = 0;
  duration pause_ = pause_min;
  mutable std::mutex mutex_;  ///< guards what follows; held while an event is delivered, so that stop() waits for it
  mutable std::condition_variable changed_;
  watch_figures figures_;
  bool stopped_ = false;
};

void resource_watch::core::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  admin_.pool().close_stream(stream_);
}

watch_figures resource_watch::core::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

result<void> resource_watch::core::wait_synced(duration timeout) const {
  std::unique_lock lock(mutex_);
  if (changed_.wait_for(lock, timeout, [this] { return figures_.synced; })) return {};
  return fail(errc::timeout, "no list of " + options_.path + " within " + human_duration(timeout) + ": " +
                                 (figures_.last_problem.empty() ? "no answer" : figures_.last_problem));
}

void resource_watch::core::list() {
  ++list_number_;
  stale_ = false;
  admin_.list(
      options_.path, options_.query, [self = shared_from_this()](const auto& page) { self->take_page(page); },
      [self = shared_from_this()](const auto& version) { self->listed(version); });
}

void resource_watch::core::take_page(const std::vector<document>& page) {
  for (const auto& object : page) {
    const auto version = version_of(object);
    const auto [entry, fresh] = known_.try_emplace(key_of(object));
    const bool changed = fresh || entry->second.version != version;
    entry->second = {.version = version, .list = list_number_};
    if (changed) deliver(fresh ? watch_change::added : watch_change::modified, object);
  }
}

void resource_watch::core::listed(const result<std::string>& version) {
  if (!version) {
    note(version.err().message);
    return later(&core::list);
  }
  for (auto it = known_.begin(); it != known_.end();) {
    if (it->second.list == list_number_) {
      ++it;
      continue;
    }
    const auto gone = last_sight(it->first);
    it = known_.erase(it);
    deliver(watch_change::deleted, gone);
  }
  version_ = *version;
  pause_ = pause_min;
  {
    const std::lock_guard lock(mutex_);
    ++figures_.lists;
    figures_.synced = true;
  }
  changed_.notify_all();
  watch();
}

void resource_watch::core::watch() {
  half_line_.clear();
  auto target = admin_.access().path_prefix + options_.path +
                "?watch=1&allowWatchBookmarks=true&resourceVersion=" + version_ +
                "&timeoutSeconds=" + std::to_string(watch_seconds);
  if (!options_.query.empty()) target += "&" + options_.query;
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  stream_ = admin_.pool().open_stream(
      {.target = std::move(target), .timeout = options_.silence_max},
      {.on_data = [self = shared_from_this()](std::string_view bytes) { self->take_bytes(bytes); },
       .on_end =
           [self = shared_from_this()](const result<http_response>& answer) {
             const auto body = body_of_answer(answer);
             self->cut(body ? fail(errc::unavailable, "the watch has ended") : body.err());
           }});
}

void resource_watch::core::take_bytes(std::string_view bytes) {
  pause_ = pause_min;
  while (true) {
    const auto end = bytes.find('\n');
    if (end == std::string_view::npos) break;
    if (half_line_.empty()) {
      take_line(bytes.substr(0, end));
    } else {
      half_line_ += bytes.substr(0, end);
      take_line(std::exchange(half_line_, {}));
    }
    bytes.remove_prefix(end + 1);
  }
  half_line_ += bytes;
  if (half_line_.size() <= line_bytes_max) return;
  note("an event of more than 16 MiB");
  admin_.pool().close_stream(stream_);
  later(&core::list);
}

void resource_watch::core::take_line(std::string_view line) {
  if (line.empty() || stale_) return;
  const auto event = parse_json(line, {.bytes_max = line_bytes_max});
  if (!event) return note("unreadable event: " + event.err().message);
  const auto type = string_at(*event, {"type"});
  const auto* object = find_path(*event, {"object"});
  if (!object) return note("an event without object");
  if (type == "ERROR") {
    stale_ = int_at(*object, {"code"}, 0) == 410;
    return note(std::string(string_at(*object, {"message"})));
  }
  const auto version = string_at(*object, {"metadata", "resourceVersion"});
  if (!version.empty()) version_ = version;
  if (type == "BOOKMARK") return;
  const auto key = key_of(*object);
  if (type == "DELETED") {
    known_.erase(key);
    return deliver(watch_change::deleted, *object);
  }
  const bool fresh = known_.insert_or_assign(key, seen{version_of(*object), list_number_}).second;
  deliver(fresh ? watch_change::added : watch_change::modified, *object);
}

void resource_watch::core::cut(const error& why) {
  // Had the hub said before why it would end, then that is what to tell.
  if (!stale_) note(why.message);
  if (why.code == errc::gone) stale_ = true;
  if (stale_) return later(&core::list);
  {
    const std::lock_guard lock(mutex_);
    ++figures_.resumed;
  }
  later(&core::watch);
}

/// Tries again after a pause, which grows until something is heard of the hub.
void resource_watch::core::later(void (core::*step)()) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
  }
  admin_.pool().after(pause_, [self = shared_from_this(), step] {
    {
      const std::lock_guard lock(self->mutex_);
      if (self->stopped_) return;
    }
    (*self.*step)();
  });
  pause_ = std::min(pause_ * 2, pause_max);
}

void resource_watch::core::deliver(watch_change change, const document& object) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  ++figures_.events;
  options_.on_event(change, object);
}

void resource_watch::core::note(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  figures_.last_problem = problem;
}

resource_watch::resource_watch(admin_client& admin, watch_options options)
    : core_(std::make_shared<core>(admin, std::move(options))) {
  core_->begin();
}

resource_watch::~resource_watch() { core_->stop(); }
watch_figures resource_watch::figures() const { return core_->figures(); }
result<void> resource_watch::wait_synced(duration timeout) const { return core_->wait_synced(timeout); }

}  // namespace wh
