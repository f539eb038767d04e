#include "sim/live/work_board.hpp"

namespace wh {

void work_board::sent(const key& work) {
  const std::lock_guard lock(mutex_);
  entry& e = works_[work];
  if (!e.open) ++standing_.open;
  e.open = true;
  e.answered = false;
  e.since = clock::now();
}

void work_board::acknowledged(const key& work, generation wanted) {
  const std::lock_guard lock(mutex_);
  const auto it = works_.find(work);
  if (it == works_.end()) return;  // its cluster has left meanwhile
  entry& e = it->second;
  if (e.wanted.get() == 0) ++standing_.works;
  e.wanted = std::max(e.wanted, wanted);
  e.answered = true;
  if (e.open && e.up >= e.wanted) settle(e, true);
}

void work_board::refused(const key& work, const error& why) {
  const std::lock_guard lock(mutex_);
  const auto it = works_.find(work);
  if (it == works_.end()) return;
  if (it->second.open) standing_.last_problem = work.cluster + "/" + work.name + ": " + why.message;
  settle(it->second, false);
  if (it->second.wanted.get() == 0) works_.erase(it);
}

void work_board::removing(const key& work) {
  const std::lock_guard lock(mutex_);
  const auto it = works_.find(work);
  if (it == works_.end()) return;
  it->second.removed = true;
  if (!it->second.open) ++standing_.open;
  it->second.open = true;
  it->second.since = clock::now();
}

void work_board::forget_cluster(const std::string& cluster) {
  const std::lock_guard lock(mutex_);
  for (auto it = works_.lower_bound({cluster, ""}); it != works_.end() && it->first.cluster == cluster;) {
    if (it->second.open) --standing_.open;
    if (it->second.wanted.get() != 0) --standing_.works;
    it = works_.erase(it);
  }
  changed_.notify_all();
}

/// With the lock held.
void work_board::settle(entry& e, bool good) {
  if (!e.open) return;
  e.open = false;
  --standing_.open;
  if (good) {
    ++standing_.done;
    ++standing_.reports;
    times_.add(std::chrono::duration_cast<duration>(clock::now() - e.since));
  } else {
    ++standing_.failed;
  }
  changed_.notify_all();
}

void work_board::saw(const work_sight& sight) {
  const std::lock_guard lock(mutex_);
  const auto it = works_.find({sight.cluster, sight.name});
  if (it == works_.end()) return;
  entry& e = it->second;
  e.seen = !sight.deleted;
  if (sight.deleted) {
    if (!e.removed) return;  // missing() tells
    settle(e, true);
    if (e.wanted.get() != 0) --standing_.works;
    works_.erase(it);
    return;
  }
  const auto observed = std::min(sight.applied_observed, sight.available_observed);
  if (sight.up(observed)) e.up = std::max(e.up, observed);
  // The watch may be faster than the answer, which alone says what is to be waited for.
  if (e.open && !e.removed && e.answered && e.up >= e.wanted) settle(e, true);
}

void work_board::begin() {
  const std::lock_guard lock(mutex_);
  for (auto& [work, e] : works_) e.open = false;
  standing_.open = 0;
  standing_.done = standing_.failed = 0;
  standing_.last_problem.clear();
  times_ = {};
}

work_board::standing work_board::now() const {
  const std::lock_guard lock(mutex_);
  return standing_;
}

sim_report::latency_histogram work_board::take_times() {
  const std::lock_guard lock(mutex_);
  return std::exchange(times_, {});
}

void work_board::wait_change(duration d) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, d);
}

std::vector<std::string> work_board::missing(std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [work, e] : works_) {
    if (out.size() == most) break;
    if (e.removed || e.wanted.get() == 0) continue;
    if (!e.seen || e.up < e.wanted) out.push_back(work.cluster + "/" + work.name);
  }
  return out;
}

std::vector<std::pair<work_board::key, generation>> work_board::promised() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<key, generation>> out;
  for (const auto& [work, e] : works_)
    if (!e.removed && e.wanted.get() != 0) out.emplace_back(work, e.wanted);
  return out;
}

std::size_t work_board::wanted_on(const std::string& cluster) const {
  const std::lock_guard lock(mutex_);
  std::size_t n = 0;
  for (auto it = works_.lower_bound({cluster, ""}); it != works_.end() && it->first.cluster == cluster; ++it)
    n += !it->second.removed && it->second.wanted.get() != 0;
  return n;
}

}  // namespace wh
