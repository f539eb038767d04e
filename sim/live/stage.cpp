#include "sim/live/stage.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <thread>

#include "nodes/parts/clock.hpp"
#include "sim/live/hub_clock.hpp"
#include "sim/live/memory_hub.hpp"
#include "sim/scenario/cluster_profile.hpp"
#include "transport/link_live.hpp"

namespace wh {

using sim_report::phase_result;

namespace {

constexpr duration poll = std::chrono::milliseconds(50);
constexpr duration request_timeout_max = std::chrono::minutes(2);
constexpr duration watch_wait_max = std::chrono::seconds(30);

/// Sources are spread over many addresses, so that no one of them runs out of ports.
std::string source_of(std::size_t spoke) {
  return fmt::format("127.{}.{}.{}", 1 + spoke / 20000, spoke / 200 % 100, 1 + spoke % 200);
}

fake_cluster_options cluster_of(const scenario& plan, const cluster_profile& profile, const kind_registry& kinds,
                                event_loop& loop) {
  fake_cluster_options o;
  o.kinds = &kinds;
  o.timers = live_link_timers(loop);
  o.now = wall_clock;
  o.seed = profile.seed;
  o.delay_min = o.delay_max = profile.object_delay;
  o.failure_rate = plan.fleet.behaviour.failure_rate;
  o.never_ready_rate = plan.fleet.behaviour.stuck_rate;
  o.facts.kubernetes_version = "v1.33.0";
  o.facts.capacity = profile.capacity;
  o.facts.allocatable = profile.allocatable;
  return o;
}

}  // namespace

void cluster_roll::saw(const cluster_sight& sight) {
  const std::lock_guard lock(mutex_);
  if (sight.deleted) deleted_.insert(sight.name);
  else deleted_.erase(sight.name);
}

bool cluster_roll::deleted(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  return deleted_.contains(name);
}

stage::stage(const live_options& o, const live_listener& l, const std::atomic<bool>& s)
    : options(o), tell(l), stop(s), random(o.seed), spokes(static_cast<std::size_t>(o.clusters)) {}

stage::~stage() {
  // Nothing that comes now is of use: nobody shall wait for a hub that does not answer.
  if (admin) admin->pool().abandon();
  if (interrupter.joinable()) {
    interrupter.request_stop();
    interrupter.join();
  }
  samples.reset();
  yes.reset();
  // Callbacks of the network must not find half a fleet.
  if (loop) loop->stop();
  fleet.reset();
  watch_works.reset();
  watch_clusters.reset();
  admin.reset();
  hub.reset();
  if (!data_dir.empty() && !options.keep_data) {
    std::error_code ignored;
    std::filesystem::remove_all(data_dir, ignored);
  }
}

result<std::unique_ptr<hub_process>> stage::make_hub() {
  if (!options.kubeconfig.empty()) return attach_hub(options.kubeconfig);
  data_dir = options.out_dir + "/hub-data";
  const std::string log_file = options.out_dir + "/hub.log";
  if (options.transport == sim_report::link_transport::memory) return start_memory_hub({data_dir, log_file}, net);
  hub_process_options o;
  o.program = options.hub_program;
  o.data_dir = data_dir;
  o.log_file = log_file;
  o.flags = options.hub_flags;
  o.cancelled = [this] { return stop.load(); };
  return start_hub(std::move(o));
}

result<void> stage::await(const std::function<result<void>(duration)>& ready) const {
  result<void> last;
  const auto until = clock::now() + std::min(watch_wait_max, options.patience);
  do last = ready(std::chrono::milliseconds(500));
  while (!last && clock::now() < until && !stop);
  return last;
}

result<void> stage::check_prefix_is_free() {
  const std::string prefix = options.plan.fleet.prefix + "-";
  const auto there = admin->list("/apis/cluster.open-cluster-management.io/v1/managedclusters");
  if (!there) return there.err();
  for (const auto& cluster : *there)
    if (name_of(cluster).starts_with(prefix))
      return fail(errc::already_exists, fmt::format("the hub has a cluster {} already, so this run cannot call its own "
                                                    "clusters {}…; give it another --prefix",
                                                    name_of(cluster), prefix));
  return {};
}

result<void> stage::open_watches() {
  watch_clusters = std::make_unique<fleet_watch>(*admin, [this](const cluster_sight& c) { roll.saw(c); });
  watch_works = std::make_unique<work_watch>(*admin, [this](const work_sight& w) { works.saw(w); });
  yes = std::make_unique<approver>(*admin, approver_options{.prefix = options.plan.fleet.prefix + "-"});
  if (auto ok = await([this](duration d) { return watch_clusters->wait_synced(d); }); !ok) return ok;
  if (auto ok = await([this](duration d) { return watch_works->wait_synced(d); }); !ok) return ok;
  return await([this](duration d) { return yes->wait_watching(d); });
}

result<void> stage::open() {
  auto made = make_hub();
  if (!made) return made.err();
  hub = std::move(*made);
  const auto pid = hub->pid();
  if (pid || options.transport == sim_report::link_transport::memory)
    if (const auto seen = pid ? sample_process(*pid) : sample_self())
      rss_empty = static_cast<double>(seen->memory.rss_anon_bytes);
  admin = std::make_unique<admin_client>(
      hub->access(), admin_options{.outstanding_max = 1'000'000,
                                   .timeout = std::min<duration>(options.patience, request_timeout_max)});
  interrupter = std::jthread([this](const std::stop_token& over) {
    while (!over.stop_requested() && !stop) std::this_thread::sleep_for(poll);
    if (stop) admin->pool().abandon();
  });
  if (!options.kubeconfig.empty())
    if (auto ok = check_prefix_is_free(); !ok) return ok;
  const auto token = make_bootstrap_token(*admin);
  if (!token) return token.err();
  token_id = token->id;
  if (auto ok = open_watches(); !ok) return ok;
  open_fleet(token->id + "." + token->secret);
  samples = std::make_unique<sampler>(*hub, *admin, works, start);
  return {};
}

void stage::open_fleet(const std::string& token) {
  add_builtin_kinds(kinds, kind_set::cluster);
  data = make_memory_store(random_uuid(random));
  loop = std::make_unique<event_loop>(1);
  fake_fleet_options o;
  o.loop = loop.get();
  if (options.transport == sim_report::link_transport::memory) o.dial = net.dialer(*loop);
  o.threads = make_live_threads(options.threads);
  o.data = data.get();
  o.crypto = &crypto;
  o.observer = &spokes;
  std::vector<fake_spoke_options> all;
  all.reserve(size());
  // From a loopback address no hub elsewhere can be dialled.
  const bool here = hub->facts().link.starts_with("127.");
  for (std::size_t i = 0; i < size(); ++i) {
    const auto profile = profile_of(options.plan, options.seed, static_cast<int>(i));
    all.push_back({.settings = {profile.name, hub->facts().link, hub->facts().ca_pin, token},
                   .seed = profile.seed,
                   .source_address = here ? source_of(i) : "",
                   .latency = profile.latency,
                   .cluster = cluster_of(options.plan, profile, kinds, *loop)});
  }
  fleet = std::make_unique<fake_fleet>(std::move(o), std::move(all));
}

bool stage::fit(phase_result& phase) {
  if (stop) return false;
  if (fatal) return false;
  if (!hub_expected || hub->alive()) return true;
  phase.problems.push_back("the hub has died: " + hub->why_dead());
  fatal = true;
  return false;
}

void stage::show(const phase_result& phase, double done, double wanted) {
  if (tell.progress)
    tell.progress(
        {phase.name, phase_number, options.plan.phases.size(), done, wanted, phase.unit, seconds() - phase.begins_s});
}

bool stage::wait(phase_result& phase, const awaited& what) {
  double best = what.done();
  auto since = clock::now();
  while (fit(phase)) {
    const double done = what.done();
    show(phase, done, what.wanted);
    if (done >= what.wanted) return true;
    if (done > best) {
      best = done;
      since = clock::now();
    }
    if (clock::now() - since > options.patience) {
      phase.problems.push_back(fmt::format("given up: {:.0f} of {:.0f} {}, and nothing more for {}", done, what.wanted,
                                           phase.unit, human_duration(options.patience)));
      return false;
    }
    std::this_thread::sleep_for(poll);
  }
  return false;
}

bool stage::sleep(phase_result& phase, duration d, const std::string& unit) {
  const auto began = clock::now();
  const double wanted = std::chrono::duration<double>(d).count();
  while (fit(phase)) {
    const double passed = std::chrono::duration<double>(clock::now() - began).count();
    if (tell.progress)
      tell.progress({phase.name, phase_number, options.plan.phases.size(), std::min(passed, wanted), wanted, unit,
                     seconds() - phase.begins_s});
    if (passed >= wanted) return true;
    std::this_thread::sleep_for(
        std::min<duration>(poll, d - std::chrono::duration_cast<duration>(clock::now() - began)));
  }
  return false;
}

phase_result run_phase(stage& s, const phase_spec& what) {
  const auto reported_before = read_hub_clock(*s.admin);
  ++s.phase_number;
  s.works.begin();
  (void)s.spokes.take_times();
  const double begins = s.seconds();
  auto done = std::visit([&](const auto& phase) { return run(s, phase); }, what.what);
  done.begins_s = begins;
  if (done.ends_s == 0) done.ends_s = s.seconds();
  if (!s.stop && !s.fatal) done.hub = passed_between(reported_before, read_hub_clock(*s.admin));
  return done;
}

}  // namespace wh
