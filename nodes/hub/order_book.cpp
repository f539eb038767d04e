#include "nodes/hub/order_book.hpp"

#include <algorithm>

namespace wh {

void time_buckets::add(duration d) {
  const auto micros = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(d).count());
  const auto at = std::lower_bound(bounds_s.begin(), bounds_s.end(), static_cast<double>(micros) / 1e6);
  ++counts_[static_cast<std::size_t>(at - bounds_s.begin())];
  micros_ += static_cast<std::uint64_t>(micros);
}

std::vector<double> time_buckets::counts() const {
  std::vector<double> out;
  for (const auto& each : counts_) out.push_back(static_cast<double>(each.load()));
  return out;
}

std::optional<duration> order_book::on_sent(const frame_to_spoke& frame, duration now) {
  if (const auto* work = std::get_if<work_desired>(&frame)) {
    if (work->deleting) orders_.erase(work->name);
    else orders_[work->name] = {.gen = work->gen, .since = now};
  } else if (const auto* unknown = std::get_if<work_unknown>(&frame)) {
    orders_.erase(unknown->name);
  } else if (const auto* ack = std::get_if<report_ack>(&frame)) {
    const auto it = orders_.find(ack->work);
    if (it == orders_.end() || it->second.report == 0 || ack->seq < it->second.report) return std::nullopt;
    const auto took = now - it->second.since;
    orders_.erase(it);
    return took;
  }
  return std::nullopt;
}

void order_book::on_received(const frame_to_hub& frame) {
  const auto* report = std::get_if<work_report>(&frame);
  if (report == nullptr) return;
  const auto it = orders_.find(report->name);
  if (it != orders_.end() && it->second.report == 0 && report->observed == it->second.gen)
    it->second.report = report->seq;
}

}  // namespace wh
