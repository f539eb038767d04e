#include "sim/report/report_parts.hpp"

#include <algorithm>

#include "sim/report/numbers.hpp"

namespace wh::sim_report {
namespace {

constexpr std::size_t problems_shown = 20;  ///< the others are folded away

/// `2026-09-21 13:33 UTC`
std::string day_and_time(instant t) {
  auto shown = to_rfc3339(t).substr(0, 16);
  if (shown.size() > 10) shown[10] = ' ';
  return shown + " UTC";
}

/// A number that stays on one line with its unit.
std::string unbroken(const std::string& shown) {
  std::string out;
  for (const char c : shown) out += c == ' ' ? "\u00a0" : std::string(1, c);
  return out;
}

std::string phases_in_words(const std::vector<phase_result>& phases) {
  std::string names;
  for (const auto& phase : phases) names += (names.empty() ? "" : ", ") + phase.name;
  return names;
}

/// `1 problem`, `2 problems`
std::string counted(std::size_t count, const std::string& noun) {
  return show_count(count) + " " + noun + (count == 1 ? "" : "s");
}

std::size_t problems_of(const run_results& run) {
  auto count = run.problems.size();
  for (const auto& phase : run.phases) count += phase.problems.size();
  return count;
}

std::string limit_text(const headline_field& field, const goal& g) {
  return std::string("goal: ") + (g.wanted == direction::at_least ? "at least " : "at most ") + show(field, g.limit);
}

/// How a goal came out. Words and shapes say it as well as colours.
markup badge(verdict v) {
  if (v == verdict::met) return element("span", {{"class", "badge met"}}, text("✓ met"));
  if (v == verdict::missed) return element("span", {{"class", "badge missed"}}, text("✗ missed"));
  return element("span", {{"class", "badge"}}, text("not measured"));
}

markup tile(const run_results& run, const headline_field& field) {
  const auto& value = run.head.*field.member;
  const auto v = judge(run, field);
  auto inside = element("h3", field.title);
  inside += element("p", {{"class", "value"}}, text(value ? show(field, *value) : "not measured"));
  if (const auto found = run.goals.find(field.name); found != run.goals.end())
    inside += element("p", {{"class", "goal"}}, (value ? badge(v) : markup{}) + text(limit_text(field, found->second)));
  inside += element("p", {{"class", "soft"}}, text(field.about));
  const auto* css = v == verdict::met      ? "tile met"
                    : v == verdict::missed ? "tile missed"
                    : value                ? "tile"
                                           : "tile empty";
  return element("li", {{"class", css}}, inside);
}

std::string goals_in_words(const run_results& run) {
  std::size_t met = 0, missed = 0, open = 0;
  for (const auto& field : headline_fields()) {
    const auto v = judge(run, field);
    met += v == verdict::met;
    missed += v == verdict::missed;
    open += v == verdict::not_run && run.goals.count(field.name) > 0;
  }
  if (met + missed + open == 0) return "This run had no goals. ";
  auto words = std::to_string(met) + " of " + counted(met + missed + open, "goal") + " met";
  if (missed > 0) words += ", " + std::to_string(missed) + " missed";
  if (open > 0) words += ", " + std::to_string(open) + " not measured";
  return words + ". ";
}

markup list_of(const std::vector<std::string>& lines) {
  markup items;
  for (const auto& l : lines) items += element("li", l);
  return element("ul", items);
}

markup pairs_table(const std::string& caption, const std::vector<setting>& pairs) {
  markup rows;
  for (const auto& [name, value] : pairs)
    rows += element("tr", element("th", {{"scope", "row"}}, text(name)) + element("td", value.empty() ? "-" : value));
  return element("table", {{"class", "pairs"}}, element("caption", caption) + element("tbody", rows));
}

}  // namespace

markup introduction(const run_results& run) {
  const auto& info = run.info;
  const std::string links = info.transport == link_transport::tcp ? "over TCP" : "within one process";
  const std::string hub =
      info.hub == hub_origin::started ? "a hub started for this run" : "a hub that was running already";
  auto page = element("h1", "Scale run: " + info.scenario);
  page += element("p", {{"class", "soft"}},
                  text(day_and_time(info.started_at) + " · Wheelhouse " + info.software_version +
                       (info.git_commit.empty() ? "" : " (" + info.git_commit + ")")));
  page += element(
      "p", {{"class", "lead"}},
      text("Wheelhouse runs many Kubernetes-style clusters from one hub: each cluster dials the hub, fetches what it "
           "should run, applies it and reports back. In this run a harness played " +
           counted(info.clusters, "cluster") + " against " + hub + ", linked " + links + ", for " +
           unbroken(show(info.duration_s, quantity::seconds)) +
           (run.phases.empty() ? "." : ", in these phases: " + phases_in_words(run.phases) + ".")));
  auto verdicts = text(goals_in_words(run));
  const auto problems = problems_of(run);
  if (problems == 0) verdicts += text("No problems were noted.");
  else
    verdicts +=
        element("a", {{"href", "#problems"}}, text(counted(problems, "problem") + (problems == 1 ? " was" : " were"))) +
        text(" noted.");
  return element("header", page + element("p", {{"class", "verdict"}}, verdicts));
}

markup headline_tiles(const run_results& run) {
  markup tiles;
  for (const auto& field : headline_fields()) tiles += tile(run, field);
  return element("ul", {{"class", "tiles"}}, tiles);
}

markup problem_list(const run_results& run) {
  auto lines = run.problems;
  for (const auto& phase : run.phases)
    for (const auto& problem : phase.problems) lines.push_back(phase.name + ": " + problem);
  if (lines.empty()) return element("p", "None were noted.");
  const auto shown = std::min(lines.size(), problems_shown);
  const auto middle = lines.begin() + static_cast<std::ptrdiff_t>(shown);
  auto list = list_of({lines.begin(), middle});
  if (middle != lines.end())
    list += element("details",
                    element("summary", show_count(lines.size() - shown) + " more") + list_of({middle, lines.end()}));
  return list;
}

markup figure_table(const run_results& run) {
  markup rows;
  for (const auto& phase : run.phases)
    for (const auto& f : phase.figures)
      rows += element("tr", element("td", phase.name) + element("th", {{"scope", "row"}}, text(f.name)) +
                                element("td", {{"class", "number"}}, text(show(f))));
  if (rows.code.empty()) return {};
  const auto head = element("tr", element("th", {{"scope", "col"}}, text("Phase")) +
                                      element("th", {{"scope", "col"}}, text("Figure")) +
                                      element("th", {{"scope", "col"}, {"class", "number"}}, text("Value")));
  return element("div", {{"class", "wide"}},
                 element("table", element("caption", "What only single phases measure") + element("thead", head) +
                                      element("tbody", rows)));
}

markup configuration_tables(const run_results& run) {
  const auto& info = run.info;
  std::vector<setting> settings = {{"scenario", info.scenario},
                                   {"seed", std::to_string(info.seed)},
                                   {"clusters", show_count(info.clusters)},
                                   {"transport", info.transport == link_transport::tcp ? "tcp" : "memory"},
                                   {"hub", info.hub == hub_origin::started ? "started by the harness" : "attached to"},
                                   {"fsync", info.fsync_mode},
                                   {"version", info.software_version},
                                   {"commit", info.git_commit}};
  settings.insert(settings.end(), info.configuration.begin(), info.configuration.end());
  const auto& m = info.machine;
  const std::vector<setting> machine = {{"CPU", m.cpu_model},
                                        {"cores", show_count(m.cores)},
                                        {"memory", show(static_cast<double>(m.memory_bytes), quantity::bytes)},
                                        {"kernel", m.kernel},
                                        {"open files allowed", show_count(m.fd_limit)}};
  return element("div", {{"class", "columns"}},
                 pairs_table("Configuration", settings) + pairs_table("Machine", machine));
}

markup glossary() {
  const std::pair<const char*, const char*> words[] = {
      {"hub", "The program that records what every cluster should be. One for all clusters."},
      {"cluster",
       "A Kubernetes-style cluster. On each runs a spoke, which speaks with the hub; here the harness plays them."},
      {"work", "A set of objects that a cluster shall have (ManifestWork)."},
      {"fan-out", "Asking many clusters for something at the same time."},
      {"client clock",
       "Measured by the harness, from its request to what it saw in the end, network and waiting included."},
      {"hub clock", "The difference of two times that the hub wrote down itself."},
      {"p50, p90, p99", "50, 90 or 99 of 100 units took no longer than this. Off by at most 1 % of the value."},
      {"commit",
       "One write of the hub's store that is safe on disk when it is done. Several batches of changes share one."},
      {"allocated memory",
       "RssAnon of the process in Linux: what it asked for and holds, without files mapped into memory."},
      {"frame", "One message on the link between hub and cluster."},
      {"mailbox", "The queue of messages in front of one actor, a part of the hub with its own state."},
  };
  markup list;
  for (const auto& [word, meaning] : words) list += element("dt", word) + element("dd", meaning);
  return element("dl", list);
}

}  // namespace wh::sim_report
