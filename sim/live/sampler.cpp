#include "sim/live/sampler.hpp"

#include <unistd.h>

#include <algorithm>

namespace wh {

using sim_report::sample;

sampler::sampler(hub_process& hub, admin_client& admin, const work_board& works, clock::time_point start)
    : hub_(hub), admin_(admin), works_(works), start_(start), thread_([this] { run(); }) {}

sampler::~sampler() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

std::vector<sample> sampler::samples() const {
  const std::lock_guard lock(mutex_);
  return samples_;
}

void sampler::run() {
  auto next = clock::now();
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    sample s = look();
    lock.lock();
    samples_.push_back(s);
    next = std::max(next + std::chrono::seconds(1), clock::now());
    wake_.wait_until(lock, next, [this] { return ending_; });
  }
}

sample sampler::look() {
  sample s;
  s.at_s = std::chrono::duration<double>(clock::now() - start_).count();
  add_processes(s, s.at_s);
  if (!sparing_) add_metrics(s);
  s.works_reported = static_cast<double>(works_.now().reports);
  return s;
}

/// Of one core, since the last look; nothing at the first one, nor across a restart.
std::optional<double> sampler::rate(seen_cpu& before, double at, double cpu_s, pid_t pid) const {
  const seen_cpu last = std::exchange(before, {at, cpu_s, pid});
  if (last.pid != pid || at <= last.at) return std::nullopt;
  return std::max(0.0, (cpu_s - last.cpu_s) / (at - last.at));
}

void sampler::add_processes(sample& s, double at) {
  if (const auto own = sample_self()) {
    s.sim_rss_anon_bytes = static_cast<double>(own->memory.rss_anon_bytes);
    s.sim_cpu_fraction = rate(own_cpu_, at, own->cpu_s(), ::getpid());
  }
  const auto pid = hub_.pid();
  if (!pid) return;
  const auto hub = sample_process(*pid);
  if (!hub) return;
  s.hub_rss_anon_bytes = static_cast<double>(hub->memory.rss_anon_bytes);
  s.hub_rss_file_bytes = static_cast<double>(hub->memory.rss_file_bytes);
  if (hub->disk) s.hub_disk_written_bytes = static_cast<double>(hub->disk->write_bytes);
  s.hub_cpu_fraction = rate(hub_cpu_, at, hub->cpu_s(), *pid);
}

void sampler::add_metrics(sample& s) {
  const auto m = admin_.scrape();
  if (!m) return;
  s.members_connected = m->value("wheelhouse_link_members");
  s.store_revision = m->value("wheelhouse_store_revision");
  s.commits = m->value("wheelhouse_store_commits_total");
  s.commit_s = m->value("wheelhouse_store_commit_seconds_total");
  s.batches = m->value("wheelhouse_store_batches_total");
  s.frames_in = m->value("wheelhouse_link_frames_in_total");
  s.frames_out = m->value("wheelhouse_link_frames_out_total");
  s.mailbox_depth_total = m->sum("wheelhouse_actor_mailbox_depth");
  double deepest = 0;
  for (const auto& [kind, depth] : m->sums_by("wheelhouse_actor_mailbox_depth", "kind"))
    deepest = std::max(deepest, depth);
  s.mailbox_depth_max = deepest;
}

}  // namespace wh
