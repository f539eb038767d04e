// Many watches on one resource: how late they hear of a change, and what each takes of the hub's memory.
#include <fmt/format.h>

#include <algorithm>

#include "bench/api/crowd.hpp"
#include "bench/api/parts.hpp"

namespace wh::bench {
namespace {

constexpr double latency_goal_ms = 250;
constexpr double memory_goal_kib = 8;
constexpr double read_goal_ms = 5;
constexpr auto change_limit = std::chrono::seconds(30);

/// Bookmarks and all, as an informer watches.
const std::string watch_target = std::string(clusters_path) + "?watch=1&allowWatchBookmarks=true&resourceVersion=";

/// Writes one change a second and notes when the watchers hear of it.
class changes final : public line_user {
 public:
  changes(client_loop& loop, const endpoint& hub, crowd& watchers)
      : loop_(loop), watchers_(watchers), writer_(loop, hub, *this, 0) {
    watchers_.on_event = [this](std::size_t, std::string_view text) { heard(text); };
    writer_.dial();
  }
  ~changes() override { watchers_.on_event = nullptr; }

  result<void> write(std::uint64_t n) {
    mark_ = fmt::format(R"("bench":"change-{}")", n);
    heard_ = 0;
    answered_ = {};
    if (!loop_.run([this] { return open_ || broken_; }, change_limit)) return fail(errc::timeout, "no connection");
    loop_.run_for(next_ - clock::now());
    next_ = clock::now() + std::chrono::seconds(1);
    writer_.send("PATCH", std::string(clusters_path) + "/" + cluster_name(0),
                 fmt::format(R"({{"metadata":{{"labels":{{{}}}}}}})", mark_), merge_patch_type);
    const auto over = [this] {
      return broken_ || watchers_.broken() || (heard_ == watchers_.size() && answered_ != clock::time_point());
    };
    if (!loop_.run(over, change_limit))
      return fail(errc::timeout, fmt::format("change {}: {} of {} watches heard of it", n, heard_, watchers_.size()));
    if (broken_) return *broken_;
    if (watchers_.broken()) return *watchers_.broken();
    answers_ms.push_back(ms_between(writer_.sent_at(), answered_));
    last_ms.push_back(heard_ms.back());
    return {};
  }

  void on_open(line&) override { open_ = true; }
  void on_answer(line& l) override {
    answered_ = clock::now();
    if (l.status() != 200) broken_ = fail(errc::unavailable, fmt::format("the write was answered {}", l.status()));
  }
  void on_end(line&, const error& why) override { broken_ = why; }

  std::vector<double> heard_ms;    ///< of every event, from the write's sending
  std::vector<double> answers_ms;  ///< of every write
  std::vector<double> last_ms;     ///< of every write, until the last watch had it

 private:
  void heard(std::string_view text) {
    if (text.find(mark_) == std::string_view::npos) return;  // a bookmark
    ++heard_;
    heard_ms.push_back(ms_between(writer_.sent_at(), clock::now()));
  }

  client_loop& loop_;
  crowd& watchers_;
  line writer_;
  std::string mark_;
  bool open_ = false;
  std::size_t heard_ = 0;
  clock::time_point answered_;
  clock::time_point next_;  ///< when the next change is due
  std::optional<error> broken_;
};

/// One request, and nothing else goes on.
class single_request final : public line_user {
 public:
  result<std::string> get(client_loop& loop, const endpoint& to, const std::string& target) {
    line l(loop, to, *this, 0);
    target_ = target;
    l.dial();
    loop.run([this] { return done_; }, change_limit);
    if (!done_ || broken_) return broken_ ? *broken_ : fail(errc::timeout, "no answer in time");
    return body_;
  }
  void on_open(line& l) override { l.send("GET", target_); }
  void on_body(line&, std::string_view piece) override { body_ += piece; }
  void on_answer(line&) override { done_ = true; }
  void on_end(line&, const error& why) override {
    broken_ = why;
    done_ = true;
  }

 private:
  std::string target_, body_;
  bool done_ = false;
  std::optional<error> broken_;
};

/// The resourceVersion to watch from.
result<std::string> current_revision(client_loop& loop, const endpoint& hub) {
  const auto list = single_request().get(loop, hub, std::string(clusters_path) + "?limit=1");
  if (!list) return list.err();
  constexpr std::string_view mark = "\"resourceVersion\":\"";
  const auto at = list->find(mark);
  if (at == std::string::npos) return fail(errc::invalid, "a list without resourceVersion: " + list->substr(0, 200));
  const auto begin = at + mark.size();
  return list->substr(begin, list->find('"', begin) - begin);
}

/// The hub's memory, once what `watches` of them have begun has ended.
result<double> settled_memory(client_loop& loop, const bench_hub& hub, std::uint64_t watches) {
  loop.run_for(std::min<clock::duration>(std::chrono::milliseconds(watches), std::chrono::seconds(1)));
  const auto sample = hub.sample();
  if (!sample) return sample.err();
  return static_cast<double>(sample->memory.rss_anon_bytes);
}

row latency_row(const std::string& what, std::vector<double> ms) {
  std::sort(ms.begin(), ms.end());
  return {{"what", what},
          {"p50 ms", quantile(ms, 0.5)},
          {"p99 ms", quantile(ms, 0.99)},
          {"most ms", ms.empty() ? 0 : ms.back()}};
}

row memory_row(const std::string& what, double now, double before, double count) {
  return {{"what", what}, {"MiB", now / 1048576}, {"KiB each", (now - before) / 1024 / count}};
}

}  // namespace

result<void> measure_watches(const settings& s, report& out) {
  out.say("watches: starting the hub");
  const auto hub = bench_hub::start(s.folder + "/watches-hub", s.hub_program);
  if (!hub) return hub.err();
  client_loop loop;
  const auto& at = (*hub)->at();
  if (auto ok = create_clusters(loop, at, 1); !ok) return ok;
  const auto empty = settled_memory(loop, **hub, s.watches);
  if (!empty) return empty.err();
  out.say(fmt::format("watches: {} connections", s.watches));
  crowd watchers(loop, at);
  if (auto ok = watchers.gather(s.watches, std::string(clusters_path) + "/" + cluster_name(0)); !ok) return ok;
  const auto idle = settled_memory(loop, **hub, s.watches);
  if (!idle) return idle.err();
  const auto from = current_revision(loop, at);
  if (!from) return from.err();
  out.say("watches: all of them watch");
  if (auto ok = watchers.watch(watch_target + *from); !ok) return ok;
  const auto watching = settled_memory(loop, **hub, s.watches);
  if (!watching) return watching.err();
  const auto cpu_before = (*hub)->sample();
  changes writes(loop, at, watchers);
  for (std::uint64_t n = 0; n < s.changes; ++n) {
    if (auto ok = writes.write(n); !ok) return ok;
    out.say(
        fmt::format("watches: change {} of {}: all had it after {:.1f} ms", n + 1, s.changes, writes.last_ms.back()));
  }
  const auto cpu_after = (*hub)->sample();
  const auto used = settled_memory(loop, **hub, s.watches);
  if (!used) return used.err();
  if (!cpu_before || !cpu_after) return fail(errc::unavailable, "the hub's processor time cannot be read");

  const auto count = static_cast<double>(s.watches);
  auto heard = latency_row("from the write's sending to a watch's receipt", writes.heard_ms);
  out.add_goal({"a change to its watches, p99", "ms", latency_goal_ms, heard["p99 ms"]});
  out.add_goal({"memory of a watch beyond its connection", "KiB", memory_goal_kib,
                (std::max(*watching, *used) - *idle) / 1024 / count});
  out.add_table("watches", fmt::format("{} watches of one resource, {} writes, one a second", s.watches, s.changes),
                {std::move(heard), latency_row("until the last watch has it", writes.last_ms),
                 latency_row("until the write is answered", writes.answers_ms)});
  out.add_table("watchMemory", fmt::format("memory of the hub (heap and stacks)"),
                {memory_row("no connections", *empty, *empty, count),
                 memory_row("connections, each answered once", *idle, *empty, count),
                 memory_row("and all of them watching", *watching, *idle, count),
                 memory_row("and after the writes", *used, *idle, count)});
  out.add_table("watchProcessor", "processor of the hub",
                {{{"what", "a change for one watch"},
                  {"us", (cpu_after->cpu_s() - cpu_before->cpu_s()) * 1e6 / count / static_cast<double>(s.changes)}}});
  return {};
}

result<void> measure_idle_watches(const settings& s, report& out) {
  out.say("idle: starting the hub");
  const auto hub = bench_hub::start(s.folder + "/idle-hub", s.hub_program);
  if (!hub) return hub.err();
  client_loop loop;
  const auto& at = (*hub)->at();
  if (auto ok = create_clusters(loop, at, 1); !ok) return ok;
  const auto path = std::string(clusters_path) + "/" + cluster_name(0);
  std::vector<row> rows;
  const auto read = [&](const std::string& what, std::size_t connections) -> result<double> {
    load_plan plan{.connections = connections, .time = s.time, .next = [&](std::size_t, std::uint64_t) {
                     return request{"GET", path};
                   }};
    auto ran = run_sound_load(loop, at, plan);
    if (!ran) return ran.err();
    out.say(fmt::format("idle: {}, {} readers: {:.0f}/s", what, connections, ran->per_second()));
    rows.push_back({{"what", what},
                    {"readers", connections},
                    {"per second", ran->per_second()},
                    {"p50 ms", quantile(ran->ms, 0.5)},
                    {"p99 ms", quantile(ran->ms, 0.99)}});
    return quantile(ran->ms, 0.99);
  };
  crowd watchers(loop, at);
  for (const bool watching : {false, true}) {
    if (watching) {
      const auto from = current_revision(loop, at);
      if (!from) return from.err();
      if (auto ok = watchers.gather(s.idle_watches, path); !ok) return ok;
      if (auto ok = watchers.watch(watch_target + *from); !ok) return ok;
    }
    for (const std::size_t readers : {1, 16}) {
      const auto p99 = read(watching ? fmt::format("{} idle watches", s.idle_watches) : "no watches", readers);
      if (!p99) return p99.err();
      if (watching)
        out.add_goal({fmt::format("a read under idle watches, p99, {} readers", readers), "ms", read_goal_ms, *p99});
    }
  }
  if (watchers.broken()) return *watchers.broken();
  out.add_table("idle", "reads of one object while watches are open and nothing changes", rows);
  return {};
}

}  // namespace wh::bench
