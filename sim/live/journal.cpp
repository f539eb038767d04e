#include "sim/live/journal.hpp"

namespace wh {

void journal::expect(std::size_t spoke) {
  const std::lock_guard lock(mutex_);
  auto& s = spokes_[spoke];
  if (s.dismissed) return;
  if (!s.expected) ++standing_.expected;
  if (s.synced) --standing_.synced;
  s.expected = true;
  s.synced = false;
  s.asked = clock::now();
}

std::size_t journal::expect_all() {
  std::size_t n = 0;
  for (std::size_t i = 0; i < spokes_.size(); ++i) {
    {
      const std::lock_guard lock(mutex_);
      if (!spokes_[i].known || spokes_[i].dismissed) continue;
    }
    expect(i);
    ++n;
  }
  return n;
}

void journal::dismiss(std::size_t spoke) {
  const std::lock_guard lock(mutex_);
  auto& s = spokes_[spoke];
  if (s.dismissed) return;
  if (s.expected) --standing_.expected;
  if (s.synced) --standing_.synced;
  s = {.asked = s.asked, .expected = false, .synced = false, .known = s.known, .dismissed = true};
}

journal::standing journal::now() const {
  const std::lock_guard lock(mutex_);
  return standing_;
}

bool journal::synced(std::size_t spoke) const {
  const std::lock_guard lock(mutex_);
  return spokes_[spoke].synced;
}

sim_report::latency_histogram journal::take_times() {
  const std::lock_guard lock(mutex_);
  return std::exchange(times_, {});
}

void journal::wait_change(duration d) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, d);
}

void journal::on_synced(std::size_t spoke) {
  const std::lock_guard lock(mutex_);
  auto& s = spokes_[spoke];
  if (s.dismissed || s.synced) return;
  s.synced = s.known = true;
  ++standing_.synced;
  if (s.expected) {
    --standing_.expected;
    s.expected = false;
    times_.add(std::chrono::duration_cast<duration>(clock::now() - s.asked));
  }
  changed_.notify_all();
}

void journal::on_disconnected(std::size_t spoke) {
  const std::lock_guard lock(mutex_);
  auto& s = spokes_[spoke];
  if (!s.known) return;  // a joining spoke dials twice by design
  ++standing_.disconnects;
  if (!s.synced || s.dismissed) return;
  s.synced = false;
  --standing_.synced;
  changed_.notify_all();
}

void journal::on_report_acked(std::size_t, const std::string&, std::uint64_t) {
  const std::lock_guard lock(mutex_);
  ++standing_.reports_acked;
}

void journal::on_gave_up(std::size_t, const std::string& why) {
  const std::lock_guard lock(mutex_);
  ++standing_.gave_up;
  standing_.last_give_up = why;
  changed_.notify_all();
}

}  // namespace wh
