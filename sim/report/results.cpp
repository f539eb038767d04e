#include "sim/report/results.hpp"

namespace wh::sim_report {

const std::vector<sample_column>& sample_columns() {
  static const std::vector<sample_column> columns = {
      {"hub_cpu_fraction", &sample::hub_cpu_fraction},
      {"sim_cpu_fraction", &sample::sim_cpu_fraction},
      {"hub_rss_anon_bytes", &sample::hub_rss_anon_bytes},
      {"hub_rss_file_bytes", &sample::hub_rss_file_bytes},
      {"sim_rss_anon_bytes", &sample::sim_rss_anon_bytes},
      {"hub_disk_written_bytes", &sample::hub_disk_written_bytes},
      {"members_connected", &sample::members_connected},
      {"store_revision", &sample::store_revision},
      {"commits", &sample::commits},
      {"commit_s", &sample::commit_s},
      {"batches", &sample::batches},
      {"mailbox_depth_max", &sample::mailbox_depth_max},
      {"mailbox_depth_total", &sample::mailbox_depth_total},
      {"frames_in", &sample::frames_in},
      {"frames_out", &sample::frames_out},
      {"works_reported", &sample::works_reported},
  };
  return columns;
}

const std::vector<headline_field>& headline_fields() {
  using h = headline;
  using q = quantity;
  constexpr auto more = direction::at_least;
  constexpr auto less = direction::at_most;
  static const std::vector<headline_field> fields = {
      {"join_per_s", "Joins", "clusters that joined the hub, per second", &h::join_per_s, q::per_second, 1, more},
      {"fanout_p50_s", "Fan-out, median",
       "half of the works were reported as applied within this time of being asked for", &h::fanout_p50_s, q::seconds,
       1, less},
      {"fanout_p99_s", "Fan-out, 99 %", "99 of 100 works were reported as applied within this time of being asked for",
       &h::fanout_p99_s, q::seconds, 1, less},
      {"fanout_all_s", "Fan-out, all", "from the first work asked for until every cluster had reported its own",
       &h::fanout_all_s, q::seconds, 1, less},
      {"work_roundtrip_p99_ms", "Single work, 99 %",
       "one work asked for on a quiet system until it is reported as applied", &h::work_roundtrip_p99_ms, q::seconds,
       1e-3, less},
      {"restart_to_sync_s", "After a hub restart",
       "until every cluster was connected and in agreement with the hub again", &h::restart_to_sync_s, q::seconds, 1,
       less},
      {"storm_to_sync_s", "After all links broke",
       "until every cluster was connected and in agreement with the hub again", &h::storm_to_sync_s, q::seconds, 1,
       less},
      {"hub_rss_anon_bytes_per_cluster", "Hub memory per cluster",
       "memory that the hub allocated (RssAnon), divided by the clusters connected", &h::hub_rss_anon_bytes_per_cluster,
       q::bytes, 1, less},
      {"idle_cpu_fraction", "Hub CPU when idle", "cores busy while every cluster is connected and nothing is asked for",
       &h::idle_cpu_fraction, q::cores, 1, less},
      {"idle_disk_writes", "Disk writes when idle", "times the hub wrote to disk in the whole idle phase",
       &h::idle_disk_writes, q::count, 1, less},
      {"lost", "Lost", "works, reports or clusters that were acknowledged and later missing", &h::lost, q::count, 1,
       less},
  };
  return fields;
}

verdict judge(const run_results& run, const headline_field& field) {
  const auto found = run.goals.find(field.name);
  const auto& value = run.head.*field.member;
  if (!value) return verdict::not_run;
  if (found == run.goals.end()) return verdict::no_goal;
  const auto& [limit, wanted] = found->second;
  const bool kept = wanted == direction::at_least ? *value >= limit : *value <= limit;
  return kept ? verdict::met : verdict::missed;
}

std::optional<double> rate_of(const phase_result& phase) {
  const auto took = phase.ends_s - phase.begins_s;
  if (took <= 0 || phase.wanted + phase.done == 0) return std::nullopt;
  return static_cast<double>(phase.done) / took;
}

}  // namespace wh::sim_report
