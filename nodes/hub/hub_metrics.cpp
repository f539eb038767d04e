#include "nodes/hub/hub_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "nodes/hub/order_book.hpp"

namespace wh {
namespace {

void add_gauge(prometheus::Registry& registry, const char* name, const char* help, double value) {
  prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({}).Set(value);
}

/// Sums by kind of actor: ten thousand clusters must not become ten thousand time series.
struct kind_sums {
  double actors = 0, messages = 0, dropped = 0, coalesced = 0, refused = 0, restarts = 0, reloads = 0, depth = 0,
         quarantined = 0, handler_s = 0, waiting_s = 0;
};

void add_actors(prometheus::Registry& registry, const actor_runtime& runtime) {
  std::map<std::string, kind_sums> sums;
  for (const auto& c : runtime.counters()) {
    auto& s = sums[to_string(address{c.who.kind, ""})];
    s.actors += 1;
    s.messages += static_cast<double>(c.messages);
    s.dropped += static_cast<double>(c.dropped + c.unhandled);
    s.coalesced += static_cast<double>(c.coalesced);
    s.refused += static_cast<double>(c.refused);
    s.restarts += static_cast<double>(c.restarts);
    s.reloads += static_cast<double>(c.reloads);
    s.depth += c.depth;
    s.quarantined += c.quarantined ? 1 : 0;
    s.handler_s += static_cast<double>(c.handler_micros) / 1e6;
    s.waiting_s += static_cast<double>(c.mailbox_micros) / 1e6;
  }
  const auto family = [&](const char* name, const char* help, double kind_sums::*field) {
    auto& f = prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    for (const auto& [kind, s] : sums) f.Add({{"kind", kind}}).Set(s.*field);
  };
  family("wheelhouse_actors", "Actors alive", &kind_sums::actors);
  family("wheelhouse_actor_messages_total", "Messages handled", &kind_sums::messages);
  family("wheelhouse_actor_dropped_total", "Messages dropped or not understood", &kind_sums::dropped);
  family("wheelhouse_actor_coalesced_total", "Messages merged with one that waited", &kind_sums::coalesced);
  family("wheelhouse_actor_refused_total", "Messages refused because the mailbox was full", &kind_sums::refused);
  family("wheelhouse_actor_restarts_total", "Restarts after a failed handler", &kind_sums::restarts);
  family("wheelhouse_actor_reloads_total", "Reloads after a failed precondition", &kind_sums::reloads);
  family("wheelhouse_actor_mailbox_depth", "Messages waiting", &kind_sums::depth);
  family("wheelhouse_actor_quarantined", "Actors in quarantine", &kind_sums::quarantined);
  family("wheelhouse_actor_handler_seconds_total", "Time in handlers", &kind_sums::handler_s);
  family("wheelhouse_actor_mailbox_seconds_total", "Time that messages waited", &kind_sums::waiting_s);
}

void add_requests(prometheus::Registry& registry, const api_server& api) {
  auto& count =
      prometheus::BuildCounter().Name("wheelhouse_api_requests_total").Help("API requests answered").Register(registry);
  auto& time = prometheus::BuildCounter()
                   .Name("wheelhouse_api_request_seconds_total")
                   .Help("Time in API requests")
                   .Register(registry);
  for (const auto& c : api.counts()) {
    const prometheus::Labels labels = {{"verb", c.verb}, {"resource", c.resource}, {"code", std::to_string(c.code)}};
    count.Add(labels).Increment(static_cast<double>(c.count));
    time.Add(labels).Increment(static_cast<double>(c.micros) / 1e6);
  }
}

/// Sums over all users: their names would be labels without bound.
void add_front(prometheus::Registry& registry, const fair_figures& f) {
  auto& now = prometheus::BuildGauge()
                  .Name("wheelhouse_api_front_requests")
                  .Help("API requests that run or wait for their turn")
                  .Register(registry);
  now.Add({{"state", "running"}}).Set(static_cast<double>(f.running));
  now.Add({{"state", "waiting"}}).Set(static_cast<double>(f.waiting));
  auto& refused = prometheus::BuildCounter()
                      .Name("wheelhouse_api_front_refused_total")
                      .Help("API requests answered 429, by the limit that their user was over")
                      .Register(registry);
  for (std::size_t i = 0; i < fair_refusals; ++i)
    refused.Add({{"reason", std::string(to_string(static_cast<fair_refusal>(i)))}})
        .Increment(static_cast<double>(f.refused[i]));
  add_gauge(registry, "wheelhouse_api_front_users", "Users with requests that run or wait, or answers to read",
            static_cast<double>(f.users));
  add_gauge(registry, "wheelhouse_api_front_waiting_bytes", "Bodies of the requests that wait",
            static_cast<double>(f.waiting_bytes));
  add_gauge(registry, "wheelhouse_api_front_unread_bytes", "Large answers that clients have yet to read",
            static_cast<double>(f.unread_bytes));
}

void add_store(prometheus::Registry& registry, const store_figures& f) {
  add_gauge(registry, "wheelhouse_store_file_bytes", "High-water mark of the data file",
            static_cast<double>(f.file_bytes));
  add_gauge(registry, "wheelhouse_store_quota_bytes", "Where the store turns read-only",
            static_cast<double>(f.quota_bytes));
  add_gauge(registry, "wheelhouse_store_history_changes", "Changes kept for watches and lists",
            static_cast<double>(f.history));
  add_gauge(registry, "wheelhouse_store_queued_batches", "Batches waiting for the writer",
            static_cast<double>(f.queued));
  add_gauge(registry, "wheelhouse_store_commits_total", "Group commits", static_cast<double>(f.commits));
  add_gauge(registry, "wheelhouse_store_batches_total", "Batches in them", static_cast<double>(f.batches));
  add_gauge(registry, "wheelhouse_store_commit_seconds_total", "Time in group commits, syncs included",
            static_cast<double>(f.commit_micros) / 1e6);
  add_gauge(registry, "wheelhouse_store_secrets_sealed", "1 if secrets are encrypted at rest",
            f.sealing == "plain" ? 0 : 1);
  add_gauge(registry, "wheelhouse_store_resealing", "1 while secrets are being sealed with a new key",
            f.resealing ? 1 : 0);
}

void add_links(prometheus::Registry& registry, const hub_link_figures& link) {
  add_gauge(registry, "wheelhouse_link_members", "Spokes connected", static_cast<double>(link.members));
  add_gauge(registry, "wheelhouse_link_applicants", "Spokes waiting to be let in",
            static_cast<double>(link.applicants));
  add_gauge(registry, "wheelhouse_link_frames_in_total", "Frames received", static_cast<double>(link.frames_in));
  add_gauge(registry, "wheelhouse_link_frames_out_total", "Frames sent", static_cast<double>(link.frames_out));
  prometheus::BuildHistogram()
      .Name("wheelhouse_work_report_seconds")
      .Help("From sending a work's generation to its spoke until the first report of it is durable")
      .Register(registry)
      .Add({}, prometheus::Histogram::BucketBoundaries(time_buckets::bounds_s.begin(), time_buckets::bounds_s.end()))
      .ObserveMultiple(link.report_counts, link.report_seconds);
}

}  // namespace

std::string hub_metrics(const store& data, const actor_runtime& runtime, const api_server& api,
                        const fair_figures& front, const hub_link_figures& link, const backup_figures& backups,
                        const audit_log* audit) {
  prometheus::Registry registry;
  const auto window = data.window();
  add_gauge(registry, "wheelhouse_store_revision", "Newest durable revision",
            static_cast<double>(window.current.get()));
  add_gauge(registry, "wheelhouse_store_compacted_revision", "Oldest revision that can no longer be read",
            static_cast<double>(window.compacted.get()));
  add_gauge(registry, "wheelhouse_store_writable", "1 unless the store is read-only", data.health().writable ? 1 : 0);
  add_store(registry, data.figures());
  if (backups.last_success)
    add_gauge(registry, "wheelhouse_backup_last_success_timestamp_seconds", "When the last scheduled backup was made",
              static_cast<double>(backups.last_success->time_since_epoch().count()) / 1e6);
  add_gauge(registry, "wheelhouse_backup_failures_total", "Scheduled backups that failed since the start",
            static_cast<double>(backups.failures));
  if (audit) {
    add_gauge(registry, "wheelhouse_audit_events_total", "Audit events written", static_cast<double>(audit->written()));
    add_gauge(registry, "wheelhouse_audit_events_dropped_total", "Audit events lost: the disk was too slow or refused",
              static_cast<double>(audit->dropped()));
  }
  add_links(registry, link);
  add_actors(registry, runtime);
  add_requests(registry, api);
  add_front(registry, front);
  return prometheus::TextSerializer().Serialize(registry.Collect());
}

}  // namespace wh
