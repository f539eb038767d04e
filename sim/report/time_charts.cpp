#include "sim/report/time_charts.hpp"

#include <algorithm>
#include <cmath>

namespace wh::sim_report {
namespace {

using column = sample::value sample::*;
using values = std::vector<std::optional<double>>;

std::optional<double> finite(double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; }

/// Totals that shrink belong to a hub that started anew.
bool restarted(const sample& before, const sample& now) {
  for (const column total : {&sample::commits, &sample::batches, &sample::frames_in, &sample::frames_out})
    if (before.*total && now.*total && *(now.*total) < *(before.*total)) return true;
  return false;
}

/// Growth of a total from a row to the next. Unknown over a restart, for all totals: the store's revision does not
/// shrink then, but jumps over numbers that it had set aside.
std::optional<double> growth(const sample& before, const sample& now, column c) {
  if (restarted(before, now)) return std::nullopt;
  const auto& from = before.*c;
  const auto& to = now.*c;
  return from && to && *to >= *from ? std::optional(*to - *from) : std::nullopt;
}

values gauge(const run_results& run, column c) {
  values ys;
  for (const auto& s : run.samples) ys.push_back(s.*c);
  return ys;
}

/// How fast a total grew.
values rate(const run_results& run, column c) {
  values ys(std::min<std::size_t>(run.samples.size(), 1));
  for (std::size_t i = 1; i < run.samples.size(); ++i) {
    const auto& before = run.samples[i - 1];
    const auto& now = run.samples[i];
    const auto grown = growth(before, now, c);
    ys.push_back(grown && now.at_s > before.at_s ? finite(*grown / (now.at_s - before.at_s)) : std::nullopt);
  }
  return ys;
}

/// Growth of one total for each unit that another grew by.
values each(const run_results& run, column total, column units) {
  values ys(std::min<std::size_t>(run.samples.size(), 1));
  for (std::size_t i = 1; i < run.samples.size(); ++i) {
    const auto grown = growth(run.samples[i - 1], run.samples[i], total);
    const auto by = growth(run.samples[i - 1], run.samples[i], units);
    ys.push_back(grown && by && *by > 0 ? finite(*grown / *by) : std::nullopt);
  }
  return ys;
}

/// With few clusters the hub's own needs are all one would see.
constexpr double share_for_memory = 0.1;

values memory_per_cluster(const run_results& run) {
  const auto least = std::max(1.0, share_for_memory * static_cast<double>(run.info.clusters));
  values ys;
  for (const auto& s : run.samples) {
    const bool known = s.hub_rss_anon_bytes && s.members_connected && *s.members_connected >= least;
    ys.push_back(known ? finite(*s.hub_rss_anon_bytes / *s.members_connected) : std::nullopt);
  }
  return ys;
}

line_chart works_chart(const run_results& run) {
  return {.id = "works",
          .title = "Throughput: works",
          .about = "Works that clusters reported to the hub as applied.",
          .shown_as = quantity::per_second,
          .lines = {{"works reported", rate(run, &sample::works_reported)}}};
}

line_chart changes_chart(const run_results& run) {
  return {.id = "changes",
          .title = "Throughput: the hub's store",
          .about = "Objects written, heartbeats included, which stay in memory; and commits to disk.",
          .shown_as = quantity::per_second,
          .lines = {{"objects written", rate(run, &sample::store_revision)}, {"commits", rate(run, &sample::commits)}}};
}

line_chart cpu_chart(const run_results& run) {
  return {
      .id = "cpu",
      .title = "CPU, in cores",
      .about = "Processor cores kept busy by the hub, and by the harness that plays all clusters.",
      .shown_as = quantity::cores,
      .lines = {{"hub", gauge(run, &sample::hub_cpu_fraction)}, {"harness", gauge(run, &sample::sim_cpu_fraction)}}};
}

line_chart memory_chart(const run_results& run) {
  return {
      .id = "memory",
      .title = "Memory",
      .about = "What each program allocated, and pages of the hub's data file that the system keeps in memory for it.",
      .shown_as = quantity::bytes,
      .lines = {{"hub, allocated", gauge(run, &sample::hub_rss_anon_bytes)},
                {"hub, data file", gauge(run, &sample::hub_rss_file_bytes)},
                {"harness, allocated", gauge(run, &sample::sim_rss_anon_bytes)}}};
}

line_chart cluster_memory_chart(const run_results& run) {
  return {
      .id = "cluster-memory",
      .title = "Hub memory per cluster",
      .about = "What the hub allocated, divided by the clusters connected; shown while at least a tenth of them is.",
      .shown_as = quantity::bytes,
      .lines = {{"per cluster", memory_per_cluster(run)}}};
}

line_chart commit_size_chart(const run_results& run) {
  return {
      .id = "batches",
      .title = "Commit sizes",
      .about =
          "Batches of changes that reached the disk together in one commit. More under load: the disk is synced once "
          "for all of them.",
      .shown_as = quantity::count,
      .lines = {{"batches per commit", each(run, &sample::batches, &sample::commits)}}};
}

line_chart commit_time_chart(const run_results& run) {
  return {.id = "commit-times",
          .title = "Commit times",
          .about = "How long one commit took until it was safe on disk, on average over each sample.",
          .shown_as = quantity::seconds,
          .lines = {{"time per commit", each(run, &sample::commit_s, &sample::commits)}}};
}

line_chart mailbox_chart(const run_results& run) {
  return {.id = "mailboxes",
          .title = "Mailbox depths",
          .about = "Messages that waited for the hub's actors: in the fullest mailbox, and in all of them.",
          .shown_as = quantity::count,
          .lines = {{"fullest mailbox", gauge(run, &sample::mailbox_depth_max)},
                    {"all mailboxes", gauge(run, &sample::mailbox_depth_total)}}};
}

line_chart frames_chart(const run_results& run) {
  return {.id = "frames",
          .title = "Link frames",
          .about = "Messages on the links between hub and clusters, as the hub counts them.",
          .shown_as = quantity::per_second,
          .lines = {{"to the hub", rate(run, &sample::frames_in)}, {"from the hub", rate(run, &sample::frames_out)}}};
}

}  // namespace

std::vector<line_chart> charts_over_time(const run_results& run) {
  const line_chart connected{.id = "connected",
                             .title = "Clusters connected",
                             .about = "How many clusters had a link to the hub.",
                             .lines = {{"connected", gauge(run, &sample::members_connected)}}};
  const line_chart disk{.id = "disk",
                        .title = "Disk writes",
                        .about = "Bytes that the hub wrote to disk.",
                        .shown_as = quantity::bytes_per_second,
                        .lines = {{"written", rate(run, &sample::hub_disk_written_bytes)}}};
  std::vector<line_chart> charts = {connected,
                                    works_chart(run),
                                    changes_chart(run),
                                    cpu_chart(run),
                                    memory_chart(run),
                                    cluster_memory_chart(run),
                                    commit_size_chart(run),
                                    commit_time_chart(run),
                                    disk,
                                    mailbox_chart(run),
                                    frames_chart(run)};
  for (auto& chart : charts) {
    for (const auto& row : run.samples) chart.xs.push_back(row.at_s);
    chart.x_end = std::max(run.info.duration_s, chart.xs.empty() ? 0.0 : chart.xs.back());
    for (const auto& phase : run.phases) chart.bands.push_back({phase.name, phase.begins_s, phase.ends_s});
  }
  return charts;
}

line_chart cost_chart(const std::vector<cost_point>& costs) {
  line_chart chart{
      .id = "cost",
      .title = "Cost of a cluster",
      .about =
          "Hub memory in runs of different size. Growth since before the first cluster, shared out among all, has in it "
          "what the hub takes once: that weighs where clusters are few. Each one more: what the clusters beyond the next "
          "smaller run added, per cluster; a line that does not rise means that they cost the same however many there are.",
      .shown_as = quantity::bytes,
      .x_shown_as = quantity::count,
      .x_name = "clusters"};
  values shared_out;
  values each_more;
  cost_point before;
  for (const auto& point : costs) {
    chart.xs.push_back(point.clusters);
    shared_out.push_back(point.bytes_per_cluster);
    const double more = point.bytes_per_cluster * point.clusters - before.bytes_per_cluster * before.clusters;
    each_more.push_back(before.clusters > 0 ? std::optional(more / (point.clusters - before.clusters)) : std::nullopt);
    chart.x_end = std::max(chart.x_end, point.clusters);
    before = point;
  }
  chart.lines = {{"growth shared out", shared_out}, {"each one more", each_more}};
  return chart;
}

}  // namespace wh::sim_report
