#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

#include "nodes/common/files.hpp"
#include "nodes/common/options.hpp"
#include "nodes/parts/clock.hpp"
#include "sim/live/live_run.hpp"
#include "sim/live/terminal.hpp"
#include "sim/report/compare.hpp"
#include "sim/report/report_html.hpp"
#include "sim/report/results_file.hpp"

namespace {

std::atomic<bool> stop_wanted{false};

void on_signal(int) {
  // The second time the user means it: the hub ends with us (PR_SET_PDEATHSIG).
  if (stop_wanted.exchange(true)) ::_exit(130);
}

void heed_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  // A terminal that is closed ends the run properly, but for who asked to survive that (nohup).
  struct sigaction before {};
  ::sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

struct live_flags {
  std::string scenario = "default";
  std::uint64_t clusters = 0;
  std::uint64_t seed = 0;
  std::string out;
  std::string kubeconfig;
  std::string hub_program;
  std::string transport = "tcp";
  std::vector<std::string> hub_flags;
  std::uint64_t threads = 1;
  std::string prefix;
  wh::duration patience = wh::live_options{}.patience;
  bool keep_data = false;
  bool quiet = false;
};

int complain(const std::string& what) {
  std::fprintf(stderr, "wheelhouse-sim: %s\n", what.c_str());
  return wh::exit_usage;
}

wh::result<wh::scenario> find_scenario(const std::string& name) {
  for (const auto& each : wh::list_builtin_scenarios())
    if (each.name == name) return wh::builtin_scenario(name);
  if (name.find('/') == std::string::npos && name.find('.') == std::string::npos && !wh::file_exists(name))
    return wh::builtin_scenario(name);
  return wh::read_scenario_file(name);
}

/// 0: all done and nothing lost; 1: the run itself failed or found something.
int verdict_of(const wh::sim_report::run_results& r) {
  bool bad = !r.problems.empty() || r.head.lost.value_or(1) > 0;
  for (const auto& phase : r.phases) bad |= phase.failed > 0 || !phase.problems.empty();
  return bad ? 1 : 0;
}

/// What makes no sense together; empty if all does.
std::string contradiction(const live_flags& flags) {
  if (flags.patience < std::chrono::seconds(1)) return "--patience: at least 1s";
  if (flags.kubeconfig.empty()) return "";
  for (const auto& [name, given] : {std::pair("--hub-program", !flags.hub_program.empty()),
                                    {"--hub-flag", !flags.hub_flags.empty()},
                                    {"--keep-data", flags.keep_data}})
    if (given) return fmt::format("{} is of a hub that is started, and --kubeconfig names one that runs", name);
  return "";
}

int run_live(const live_flags& flags) {
  if (const auto wrong = contradiction(flags); !wrong.empty()) return complain(wrong);
  auto plan = find_scenario(flags.scenario);
  if (!plan) return complain("--scenario: " + plan.err().message);
  wh::live_options o;
  o.plan = std::move(*plan);
  o.clusters = flags.clusters != 0 ? static_cast<int>(std::min<std::uint64_t>(flags.clusters, 1'000'000))
                                   : o.plan.clusters.value_or(100);
  if (o.clusters > wh::scenario_limits::clusters_max)
    return complain(fmt::format("--clusters: at most {}", wh::scenario_limits::clusters_max));
  if (!flags.prefix.empty()) {
    if (auto ok = wh::set_prefix(o.plan, flags.prefix); !ok) return complain("--prefix: " + ok.err().message);
  }
  o.patience = flags.patience;
  o.seed = flags.seed != 0 ? flags.seed : o.plan.seed;
  o.out_dir = flags.out;
  o.kubeconfig = flags.kubeconfig;
  o.hub_program = flags.hub_program;
  o.hub_flags = flags.hub_flags;
  o.keep_data = flags.keep_data;
  o.threads = static_cast<unsigned>(std::clamp<std::uint64_t>(flags.threads, 1, 64));
  if (flags.transport == "memory") {
    if (!o.kubeconfig.empty() || !o.hub_program.empty() || !o.hub_flags.empty())
      return complain(
          "--transport memory: the hub runs in this process, so --kubeconfig, --hub-program and --hub-flag do not apply");
    o.transport = wh::sim_report::link_transport::memory;
  }
  heed_signals();
  wh::terminal screen(flags.quiet);
  const auto done = wh::run_live(o, screen.listener(), stop_wanted);
  screen.finish();
  if (!done) {
    std::fprintf(stderr, "wheelhouse-sim: %s\n", done.err().message.c_str());
    return stop_wanted ? 130 : 1;
  }
  screen.conclude(*done, o.out_dir);
  return verdict_of(*done);
}

int run_compare(const std::vector<std::string>& runs, const std::string& format) {
  if (format == "json") {
    const auto doc = wh::sim_report::compare_json(runs[0], runs[1]);
    if (!doc) return complain(doc.err().message);
    std::puts(doc->dump(2).c_str());
    return 0;
  }
  const auto text = wh::sim_report::compare_text(runs[0], runs[1], ::isatty(STDOUT_FILENO) == 1);
  if (!text) return complain(text.err().message);
  std::fputs(text->c_str(), stdout);
  return 0;
}

/// Draws the last run's page again, with what a cluster cost in all of them.
int draw_again(const std::vector<std::string>& folders) {
  std::vector<wh::sim_report::run_results> runs;
  for (const auto& folder : folders) {
    auto run = wh::sim_report::read_results(folder);
    if (!run) return complain(run.err().message);
    runs.push_back(std::move(*run));
  }
  const auto costs = wh::sim_report::costs_of(runs);
  if (auto ok = wh::sim_report::write_report(folders.back(), runs.back(), costs); !ok)
    return complain(ok.err().message);
  fmt::print("{}/{}\n", folders.back(), wh::sim_report::report_file_name);
  return 0;
}

int show_scenarios(const std::vector<std::string>& names) {
  if (names.empty()) {
    for (const auto& each : wh::list_builtin_scenarios()) {
      const auto s = wh::builtin_scenario(each.name);
      fmt::print("{:<10} {}\n", each.name, s ? s->description : s.err().message);
    }
    return 0;
  }
  for (const auto& each : wh::list_builtin_scenarios())
    if (each.name == names[0]) {
      std::fwrite(each.text.data(), 1, each.text.size(), stdout);
      return 0;
    }
  return complain(wh::builtin_scenario(names[0]).err().message);
}

void add_live(wh::command& program, live_flags& f) {
  auto& live = program.subcommand("live", "Run a real hub and thousands of fake clusters against it");
  live.add({.name = "clusters", .value = "N", .help = "How many clusters; 0: as many as the scenario says"},
           f.clusters);
  live.add(
      {.name = "out", .value = "DIR", .help = "Folder for report.html, results.json and hub.log", .required = true},
      f.out);
  live.add({.name = "scenario",
            .value = "NAME|FILE",
            .help = "What happens (wheelhouse-sim scenarios lists the built-in ones)"},
           f.scenario);
  live.add({.name = "seed", .value = "N", .help = "Draws the fleet and its luck; 0: the scenario's"}, f.seed);
  live.add(
      {.name = "prefix", .value = "NAME", .help = "Clusters are called NAME-00000 and so on; default: the scenario's"},
      f.prefix);
  live.add({.name = "patience",
            .value = "DURATION",
            .help = "A phase in which nothing more happens for so long is given up"},
           f.patience);
  live.add({.name = "kubeconfig",
            .value = "FILE",
            .help = "Use the hub that this administrator's kubeconfig names; else one is started",
            .group = "Hub"},
           f.kubeconfig);
  live.add({.name = "hub-program",
            .value = "FILE",
            .help = "The hub to start; default: wheelhouse-hub beside this program",
            .group = "Hub"},
           f.hub_program);
  live.add({.name = "hub-flag",
            .value = "FLAG",
            .help = "A further flag for the hub, such as --hub-flag=--history-age=10m; repeatable",
            .group = "Hub"},
           f.hub_flags);
  live.add(
      {.name = "transport",
       .value = "HOW",
       .help =
           "What carries the links: tcp; or memory, for more clusters than there are descriptors and ports: the hub "
           "then runs in this process",
       .group = "Hub",
       .choices = {"tcp", "memory"}},
      f.transport);
  live.add({.name = "keep-data", .help = "Leave the hub's data folder in DIR/hub-data", .group = "Hub"}, f.keep_data);
  live.add({.name = "threads", .value = "N", .help = "Threads that run the fake spokes' actors"}, f.threads);
  live.add({.name = "quiet", .help = "No progress, only the result"}, f.quiet);
  live.footer(
      "Exit code: 0 all went well; 1 something failed or was lost, the report says what; 2 the command "
      "line or the scenario is wrong; 130 interrupted.");
  live.action([&f] { return run_live(f); });
}

}  // namespace

int main(int argc, char** argv) {
  wh::command program("wheelhouse-sim", "Simulates fleets of clusters against a hub, and measures it.");
  live_flags live;
  add_live(program, live);
  std::vector<std::string> runs;
  std::string format = "text";
  auto& compare = program.subcommand("compare", "Show two runs side by side");
  compare.arguments("RUN-FOLDER", runs, 2, 2);
  compare.add(
      {.name = "output", .value = "FORMAT", .help = "How to print it", .letter = 'o', .choices = {"text", "json"}},
      format);
  compare.action([&] { return run_compare(runs, format); });
  std::vector<std::string> folders;
  auto& report = program.subcommand(
      "report", "Draw the last folder's report.html again, with what a cluster costs in runs of several sizes");
  report.arguments("RUN-FOLDER", folders, 1, 100);
  report.action([&] { return draw_again(folders); });
  std::vector<std::string> names;
  auto& scenarios = program.subcommand("scenarios", "List the built-in scenarios, or print one to start from");
  scenarios.arguments("NAME", names, 0, 1);
  scenarios.action([&] { return show_scenarios(names); });
  return wh::run_command(program, argc, argv);
}
