// Scenario files of the live scale run: what ships is right, what is wrong is said completely, and fleets are reproducible.
#include "sim/scenario/scenario.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <catch2/catch.hpp>
#include <set>

#include "base/random.hpp"
#include "nodes/common/files.hpp"
#include "resources/quantity.hpp"
#include "sim/scenario/cluster_profile.hpp"
#include "sim/scenario/internal/line_finder.hpp"

using namespace wh;
using namespace std::chrono_literals;

namespace {

constexpr const char* head = "name: x\n";
constexpr const char* tail = "phases: [join]\n";

std::string refusal(const std::string& yaml) {
  const auto read = read_scenario(yaml, "s.yaml");
  return read ? "" : read.err().message;
}

scenario builtin(std::string_view name) {
  auto read = builtin_scenario(name);
  if (!read) FAIL(read.err().message);
  return *read;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// The fenced YAML blocks of a page that are whole scenarios.
std::vector<std::string> scenarios_in(const std::string& page) {
  std::vector<std::string> out;
  bool inside = false;
  for (const auto& line : lines_of(page)) {
    if (line.starts_with("```")) {
      inside = line == "```yaml";
      if (inside) out.emplace_back();
    } else if (inside) {
      out.back() += line + "\n";
    }
  }
  std::erase_if(out, [](const auto& block) { return !block.starts_with("name:"); });
  return out;
}

struct mistake {
  std::string yaml;
  std::string message;
};

/// A shipped file after a few accidents.
std::string damaged_scenario(rng& r) {
  const std::string_view bits[] = {"{",  "}", "[",    "]",  ":",     ": ", "- ",       "\n", "\"",   "'",  "#", "&a ",
                                   "*a", "|", "<<: ", "-1", "1e999", "~",  "\xc3\xbc", "\t", "join", "0s", "{}"};
  const auto& all = list_builtin_scenarios();
  std::string text(all[r.below(all.size())].text);
  for (auto edits = 1 + r.below(4); edits > 0; --edits) {
    const auto at = r.below(text.size());
    switch (r.below(4)) {
      case 0: text.erase(at, 1 + r.below(20)); break;
      case 1: text.insert(at, bits[r.below(std::size(bits))]); break;
      case 2: text[at] = static_cast<char>(r.below(256)); break;
      default: text.insert(at, text.substr(r.below(text.size()), r.below(60)));
    }
  }
  return text;
}

/// Checks the lines found for a document's keys against yaml-cpp's marks; how many there were.
int compare_lines(const internal::line_map& lines, const document& doc, const YAML::Node& node) {
  int compared = 0;
  if (doc.is_array() && node.IsSequence()) {
    for (std::size_t i = 0; i < doc.size(); ++i) compared += compare_lines(lines, doc[i], node[i]);
  }
  if (!doc.is_object() || !node.IsMap()) return compared;
  for (const auto& entry : node) {
    const auto value = entry.first.IsScalar() ? doc.find(entry.first.Scalar()) : doc.end();
    if (value == doc.end()) continue;
    compared += compare_lines(lines, *value, entry.second);
    const auto found = lines.find(&*value);
    if (found == lines.end()) continue;
    INFO(entry.first.Scalar());
    CHECK(found->second == static_cast<std::size_t>(entry.first.Mark().line) + 1);
    ++compared;
  }
  return compared;
}

int compared_lines(const std::string& text) {
  const auto docs = parse_yaml(text);
  if (!docs || docs->size() != 1) return 0;
  const auto lines = internal::find_lines(text, docs->front());
  return compare_lines(lines, docs->front(), YAML::Load(text));
}

}  // namespace

TEST_CASE("every shipped scenario reads, from its file and from the program", "[scenario]") {
  std::set<std::string_view> names;
  for (const auto& info : list_builtin_scenarios()) {
    INFO(info.name);
    names.insert(info.name);
    const auto path = fmt::format("../../sim/scenarios/{}.yaml", info.name);
    const auto from_file = read_scenario_file(path);
    if (!from_file) FAIL(from_file.err().message);
    CHECK(from_file->name == info.name);
    CHECK_FALSE(from_file->description.empty());
    CHECK(builtin(info.name) == *from_file);
    CHECK(*read_file(path) == info.text);
  }
  CHECK(names == std::set<std::string_view>{"default", "edge", "idle", "small"});
}

TEST_CASE("the default scenario has every kind of phase and leaves a run of four minutes time to work", "[scenario]") {
  const auto s = builtin("default");
  std::set<phase_kind> kinds;
  for (const auto& phase : s.phases) kinds.insert(phase.kind());
  CHECK(kinds.size() == phase_names.size());
  CHECK(scripted_time(s, 1000) <= 90s);
  CHECK(scripted_time(builtin("small"), 200) <= 15s);
}

TEST_CASE("a built-in scenario that is not there is answered with those that are", "[scenario]") {
  const auto read = builtin_scenario("smal");
  REQUIRE_FALSE(read.ok());
  CHECK(read.err().code == errc::not_found);
  CHECK(read.err().message ==
        "there is no built-in scenario \"smal\"; did you mean small? (there are default, edge, idle, small)");
}

TEST_CASE("what is left out has its default", "[scenario]") {
  const auto s = read_scenario("name: x\nphases: [join, steady, {fan_out: }, update: , {churn: {}}]", "s.yaml");
  if (!s) FAIL(s.err().message);
  CHECK(s->seed == 1);
  CHECK_FALSE(s->clusters);
  CHECK(s->fleet == fleet_spec{});
  const std::vector<phase_spec> expected = {
      {join_phase{}}, {steady_phase{}}, {fan_out_phase{}}, {update_phase{}}, {churn_phase{}}};
  CHECK(s->phases == expected);
}

TEST_CASE("every field arrives where it belongs", "[scenario]") {
  const auto s = read_scenario(R"(
name: all
description: text
seed: 18446744073709551615
clusters: 12
fleet:
  prefix: c
  lease: 90s
  regions:
    - {name: a, share: 2, labels: {k: v}, latency: {min: 1ms, max: 1.5s},
       capacities: [{weight: 4, cpu: 1500m, memory: 1Gi, jitter: 0.25}]}
    - {name: b, latency: 7ms}
  labels: {env: {prod: 3, staging: 0}, all: same}
  claims: {id.k8s.io: {one: 1}}
  behaviour: {available_after: 2s, failure_rate: 5%, stuck_rate: 0.125}
phases:
  - join: {rate: 12.5, at_once: 3}
  - steady: {for: 1h, probes: 0.5}
  - fan_out: {works: 2, bytes: 3Ki}
  - update: {bytes: 100}
  - burst: {clusters: 4, works: 5, bytes: 6k}
  - churn: {share: 7%, for: 8s}
  - storm: {downtime: 9s}
  - restart: {signal: term, downtime: 10s}
  - pause: {for: 11s}
  - evict: {share: 1}
)",
                               "s.yaml");
  if (!s) FAIL(s.err().message);
  scenario e{.name = "all", .description = "text", .seed = UINT64_MAX, .clusters = 12, .fleet = {}, .phases = {}};
  e.fleet.prefix = "c";
  e.fleet.lease = 90s;
  e.fleet.regions = {{.name = "a",
                      .share = 2,
                      .labels = {{"k", "v"}},
                      .latency = {1ms, 1500ms},
                      .capacities = {{.weight = 4, .cpu_milli = 1500, .memory_bytes = 1 << 30, .jitter = 0.25}}},
                     {.name = "b", .share = 1, .latency = {7ms, 7ms}}};
  e.fleet.labels = {{"all", {{"same", 1}}}, {"env", {{"prod", 3}, {"staging", 0}}}};
  e.fleet.claims = {{"id.k8s.io", {{"one", 1}}}};
  e.fleet.behaviour = {.available_after = {2s, 2s}, .failure_rate = 0.05, .stuck_rate = 0.125};
  e.phases = {{join_phase{12.5, 3}},     {steady_phase{1h, 0.5}},
              {fan_out_phase{2, 3072}},  {update_phase{100}},
              {burst_phase{4, 5, 6000}}, {churn_phase{0.07, 8s}},
              {storm_phase{9s}},         {restart_phase{stop_signal::term, 10s}},
              {pause_phase{11s}},        {evict_phase{1}}};
  CHECK(s->fleet == e.fleet);
  CHECK(s->phases == e.phases);
  CHECK(*s == e);
}

TEST_CASE("mistakes of a whole file are named", "[scenario]") {
  const std::vector<mistake> table = {
      {"", "s.yaml: a file is one scenario, this has nothing in it"},
      {"a: 1\n---\nb: 1\n", "s.yaml: a file is one scenario, this has several documents"},
      {"- join\n", "s.yaml: must be a mapping, not a list"},
      {"{}", "s.yaml: name is missing\ns.yaml: phases is missing"},
      {"name: x\nphases: [\n", "s.yaml: YAML line 3, column 1: "},
      {"name: x\nname: y\n", "s.yaml: YAML line 2, column 1: duplicate key \"name\""},
      {"name: Big Fleet\nphases: [join]\n",
       "s.yaml:1: name: must be a name of a-z, 0-9 and - (not at the ends), at most 63 long, not \"Big Fleet\""},
      {"name: x\nseed: -1\nphases: [join]\n", "s.yaml:2: seed: must be between 0 and 18446744073709551615, not -1"},
      {"name: x\nclusters: 100001\nphases: [join]\n", "s.yaml:2: clusters: must be between 1 and 100000, not 100001"},
      {"name: x\nclusters: many\nphases: [join]\n", "s.yaml:2: clusters: must be a whole number, not \"many\""},
      {"name: x\nclusters: 1e3\nphases: [join]\n", "s.yaml:2: clusters: must be a whole number, not 1000.0"},
      {"name: x\nflet: {}\nphases: [join]\n", "s.yaml:2: flet: unknown field; did you mean fleet?"},
      {"name: x\nqqqqqqqq: {}\nphases: [join]\n",
       "s.yaml:2: qqqqqqqq: unknown field (known are name, description, seed, clusters, fleet, phases)"},
      {"name: x\ndescription: [a]\nphases: [join]\n", "s.yaml:2: description: must be text, not a list"},
  };
  for (const auto& m : table) {
    INFO(m.yaml);
    const auto got = refusal(m.yaml);
    // What the YAML library says behind its position is its own.
    if (m.message.ends_with(": ")) {
      CHECK(got.starts_with(m.message));
    } else {
      CHECK(got == m.message);
    }
  }
}

TEST_CASE("mistakes in the fleet are named with line and path", "[scenario]") {
  const std::vector<mistake> table = {
      {"fleet: 3", ":2: fleet: must be a mapping, not 3"},
      {"fleet: {prefix: -x}",
       ":2: fleet.prefix: must be a name of a-z, 0-9 and - (not at the ends), at most 50 long, not \"-x\""},
      {"fleet: {lease: 60}", ":2: fleet.lease: must be a duration with its unit, such as 300ms or 45s, not 60"},
      {"fleet: {lease: 500ms}", ":2: fleet.lease: must be between 1s and 1h, not 500ms"},
      {"fleet: {lease: 1500ms}", ":2: fleet.lease: must be whole seconds"},
      {"fleet: {lease: 1 minute}",
       ":2: fleet.lease: \"1 minute\" is not a duration: a unit is missing or unknown (write it like 300ms, 45s, 5m or "
       "2h30m)"},
      {"fleet: {regions: []}", ":2: fleet.regions: must not be empty"},
      {"fleet: {regions: {a: 1}}", ":2: fleet.regions: must be a list, not a mapping"},
      {"fleet:\n  regions:\n    - name: a\n    - name: b\n    - name: a",
       ":6: fleet.regions[2]: region a is there already, at fleet.regions[0]"},
      {"fleet:\n  regions:\n  - share: 1", ":4: fleet.regions[0]: name is missing"},
      {"fleet: {regions: [{name: a, share: 0}]}", ":2: fleet.regions: needs a region with a share above 0"},
      {"fleet: {regions: [{name: a, share: 0.5}]}", ":2: fleet.regions[0].share: must be a whole number, not 0.5"},
      {"fleet: {regions: [{name: a, labels: {a b: c}}]}",
       ":2: fleet.regions[0].labels.\"a b\": is no label that Kubernetes takes: name part must consist of "},
      {"fleet: {regions: [{name: a, labels: {n: 1}}]}",
       ":2: fleet.regions[0].labels.n: must be text (in quotes if it looks like a number), not 1"},
      {"fleet: {regions: [{name: a, latency: {min: 2s, max: 1s}}]}",
       ":2: fleet.regions[0].latency: min (2s) is above max (1s)"},
      {"fleet: {regions: [{name: a, latency: {min: 2s}}]}", ":2: fleet.regions[0].latency: max is missing"},
      {"fleet: {regions: [{name: a, latency: 11s}]}",
       ":2: fleet.regions[0].latency: must be between 0s and 10s, not 11s"},
      {"fleet: {regions: [{name: a, capacities: []}]}", ":2: fleet.regions[0].capacities: must not be empty"},
      {"fleet: {regions: [{name: a, capacities: [{cpu: 4, memory: lots}]}]}",
       ":2: fleet.regions[0].capacities[0].memory: must be a quantity such as 64Gi or 1Ki, not \"lots\""},
      {"fleet: {regions: [{name: a, capacities: [{cpu: 4, memory: 1Mi}]}]}",
       ":2: fleet.regions[0].capacities[0].memory: must be between 64Mi and 1024Ti, not \"1Mi\""},
      {"fleet: {regions: [{name: a, capacities: [{cpu: 10m, memory: 1Gi}]}]}",
       ":2: fleet.regions[0].capacities[0].cpu: must be between 100m and 1000000, not \"10m\""},
      {"fleet: {regions: [{name: a, capacities: [{memory: 1Gi}]}]}",
       ":2: fleet.regions[0].capacities[0]: cpu is missing"},
      {"fleet: {regions: [{name: a, capacities: [{cpu: 4, memory: 1Gi, weight: 0}]}]}",
       ":2: fleet.regions[0].capacities: needs an entry with a weight above 0"},
      {"fleet: {regions: [{name: a, capacities: [{cpu: 4, memory: 1Gi, jitter: 95%}]}]}",
       ":2: fleet.regions[0].capacities[0].jitter: must be between 0 and 0.9, not \"95%\""},
      {"fleet: {labels: {env: {}}}", ":2: fleet.labels.env: needs a value with a weight above 0"},
      {"fleet: {labels: {env: {prod: 0}}}", ":2: fleet.labels.env: needs a value with a weight above 0"},
      {"fleet: {labels: {env: {prod: -3}}}", ":2: fleet.labels.env.prod: must be between 0 and 1000000, not -3"},
      {"fleet: {labels: {env: [prod]}}",
       ":2: fleet.labels.env: must be text, or values with weights such as {prod: 3, staging: 1}, not a list"},
      {"fleet:\n  regions: [{name: a, labels: {env: x}}]\n  labels: {env: y}",
       ":2: fleet: label env comes from region a as well as from fleet.labels"},
      {"fleet: {claims: {id: {\"\": 1}}}", ":2: fleet.claims.id.\"\": a claim's value has 1 to 1024 bytes"},
      {"fleet: {behaviour: {failure_rate: 1.5}}", ":2: fleet.behaviour.failure_rate: must be between 0 and 1, not 1.5"},
      {"fleet: {behaviour: {failure_rate: often}}",
       ":2: fleet.behaviour.failure_rate: must be a share such as 0.05 or 5%, not \"often\""},
      {"fleet: {behavior: {}}", ":2: fleet.behavior: unknown field; did you mean behaviour?"},
      {"fleet: {behaviour: {available: 1s}}",
       ":2: fleet.behaviour.available: unknown field (known are available_after, failure_rate, stuck_rate)"},
  };
  for (const auto& m : table) {
    INFO(m.yaml);
    const auto got = refusal(head + m.yaml + "\n" + tail);
    if (m.message.ends_with(" ")) {
      CHECK(got.starts_with("s.yaml" + m.message));
    } else {
      CHECK(got == "s.yaml" + m.message);
    }
  }
}

TEST_CASE("mistakes in phases are named with line and path", "[scenario]") {
  const std::string all = "(phases are join, steady, fan_out, update, burst, churn, storm, restart, pause, evict)";
  const std::vector<mistake> table = {
      {"[]", ":2: phases: must not be empty"},
      {"join", ":2: phases: must be a list, not \"join\""},
      {"[jion]", ":2: phases[0]: unknown phase \"jion\"; did you mean join? " + all},
      {"[join, {fanout: {works: 2}}]", ":2: phases[1]: unknown phase \"fanout\"; did you mean fan_out? " + all},
      {"[join, dance]", ":2: phases[1]: unknown phase \"dance\" " + all},
      {"[join, 3]", ":2: phases[1]: must be a phase and its settings, such as `steady: {for: 30s}`, not 3"},
      {"\n- join:\n- steady:\n  for: 30s",
       ":4: phases[1]: holds 2 entries where one phase belongs: indent a phase's settings below it, or give each phase a "
       "dash of its own"},
      {"\n- join\n- steady: 30s", ":4: phases[1].steady: must be a mapping, not \"30s\""},
      {"\n- join\n- steady:\n    fro: 30s", ":5: phases[1].steady.fro: unknown field; did you mean for?"},
      {"[join: {rate: -1}]", ":2: phases[0].join.rate: must be between 0 and 10000, not -1"},
      {"[join: {rate: .nan}]", ""},
      {"[join: {at_once: 0}]", ":2: phases[0].join.at_once: must be between 1 and 10000, not 0"},
      {"[join, steady: {for: 0s}]", ":2: phases[1].steady.for: must be between 100ms and 24h, not 0s"},
      {"[join, steady: {probes: fast}]", ":2: phases[1].steady.probes: must be a number, not \"fast\""},
      {"[join, fan_out: {bytes: 1Mi}]", ":2: phases[1].fan_out.bytes: must be between 0 and 480Ki, not \"1Mi\""},
      {"[join, fan_out: {works: 99999999999999999999}]", ""},
      {"[join, burst: {clusters: 0}]", ":2: phases[1].burst.clusters: must be between 1 and 100000, not 0"},
      {"[join, churn: {share: 101%}]", ":2: phases[1].churn.share: must be between 0 and 1, not \"101%\""},
      {"[join, storm: {downtime: 2h}]", ":2: phases[1].storm.downtime: must be between 0s and 1h, not 2h"},
      {"[join, restart: {signal: hup}]", ":2: phases[1].restart.signal: must be kill or term, not \"hup\""},
      // An order that cannot work.
      {"\n- steady\n- fan_out\n- join",
       ":3: phases[0]: there are no clusters before they join: move steady behind a join phase"},
      {"\n- join\n- join", ":4: phases[1]: the fleet has joined already, at phases[0]"},
      {"\n- join\n- update\n- fan_out", ":4: phases[1]: there are no works to update: put a fan_out before it"},
      {"\n- join\n- evict: {share: 100%}\n- steady",
       ":5: phases[2]: no cluster is left after phases[1], which evicts all of them"},
  };
  for (const auto& m : table) {
    INFO(m.yaml);
    const auto got = refusal(std::string(head) + "phases: " + m.yaml + "\n");
    if (m.message.empty()) {
      CHECK_FALSE(got.empty());
    } else {
      CHECK(got == "s.yaml" + m.message);
    }
  }
}

TEST_CASE("all mistakes of a file are told at once, in the order of its lines, twenty at most", "[scenario]") {
  std::string yaml = "phases:\n- join: {rate: x}\nname: X\nfleet:\n  labels:\n";
  for (int i = 0; i < 30; ++i) yaml += fmt::format("    l{:02}: 3\n", i);
  const auto lines = lines_of(refusal(yaml));
  REQUIRE(lines.size() == scenario_limits::mistakes_max + 1);
  CHECK(lines[0] == "s.yaml:2: phases[0].join.rate: must be a number, not \"x\"");
  CHECK(lines[1].starts_with("s.yaml:3: name: "));
  for (std::size_t i = 2; i < 20; ++i) CHECK(lines[i].starts_with(fmt::format("s.yaml:{}: fleet.labels.l", i + 4)));
  CHECK(lines[20] == "s.yaml: 12 more mistakes");
}

TEST_CASE("a file that cannot be read is named", "[scenario]") {
  const auto read = read_scenario_file("no-such-file.yaml");
  REQUIRE_FALSE(read.ok());
  CHECK(read.err().code == errc::not_found);
  CHECK(read.err().message.find("no-such-file.yaml") != std::string::npos);
  CHECK(refusal(std::string(scenario_limits::file_bytes_max + 1, ' ')).find("over the limit") != std::string::npos);
}

TEST_CASE("lines are found in whatever style YAML is written, and left out rather than wrong", "[scenario]") {
  // The mistake is always the field `oops`.
  const std::vector<std::pair<std::string, std::string>> table = {
      {"name: x\nphases:\n  -   join:\n        oops: 1\n", ":4"},
      {"name: x\nphases:\n-\n  join:\n    \"oops\": 1\n", ":5"},
      {"# note\n---\nname: x # oops\n\nphases: [join:\n  {rate: 1,\n   oops: 1}]\n", ":7"},
      {"{name: x,\n phases: [join, {steady: {'for': 3s, # }\n  oops: 1}}]}\n", ":3"},
      {"{\"name\": \"x\",\n \"phases\": [\"join\", {\"steady\":{\"for\":\"3s\",\n  \"oops\":1}}]}\n", ":3"},
      {"name: x\ndescription: |\n  oops: 1\n  - a\n\n  b: c\nphases: [join]\noops: 1\n", ":8"},
      {"name: x\ndescription: one\n  two\n  - three\nphases: [join]\noops: 1\n", ":6"},
      {"name: x\ndescription: \"one\n\n  oops: two \\\" three\"\nphases: [join]\noops: 1\n", ":6"},
      {"name: x\ndescription: 'it''s\n  : so'\nphases: [join]\noops: 1\n", ":5"},
      {"name: x\nphases:\n- join\n- &p !!map\n  steady:\n    oops: 1\n", ":6"},
      {"name: x\nphases:\n- join # not: a key\n- steady: {for: 3s # nor: this\n  , oops: 1}\n", ":5"},
      {"name: x\r\nphases:\r\n- join:\r\n    oops: 1\r\n", ":4"},
      {"name: x\nphases: [join: {}, ? steady : {oops: 1}]\n", ""},
      {"name: x\nphases: [join: &j {at_once: 5},\n churn, {steady: {<<: {for: 3s},\n  oops: 1}}]\n", ":4"},
      // What an alias brings has no line of its own; the place that it is brought to has.
      {"name: x\nfleet: {regions: [{name: a, capacities: &c [{cpu: 1, memory: 1Gi}]},\n {name: b, capacities: *c,\n oops: "
       "1}]}\nphases: [join]",
       ":4"},
  };
  for (const auto& [yaml, line] : table) {
    INFO(yaml);
    const auto got = refusal(yaml);
    CHECK(got.starts_with("s.yaml" + line + ": "));
    CHECK(got.find("oops: unknown field") != std::string::npos);
    CHECK(lines_of(got).size() == 1);
  }
}

TEST_CASE("the examples of the manual are scenarios", "[scenario]") {
  const auto page = read_file("../../docs/scenarios.md");
  REQUIRE(page.ok());
  const auto examples = scenarios_in(*page);
  CHECK(examples.size() >= 3);
  for (const auto& example : examples) {
    INFO(example);
    CHECK(refusal(example) == "");
  }
}

TEST_CASE("the same seed and number give the same cluster, whoever was asked for before", "[scenario]") {
  const auto s = builtin("edge");
  std::vector<cluster_profile> upwards;
  for (int i = 0; i < 300; ++i) upwards.push_back(profile_of(s, 5, i));
  for (int i = 299; i >= 0; --i) CHECK(profile_of(s, 5, i) == upwards[static_cast<std::size_t>(i)]);
  std::set<std::uint64_t> seeds;
  int same_elsewhere = 0;
  for (int i = 0; i < 300; ++i) {
    seeds.insert(upwards[static_cast<std::size_t>(i)].seed);
    if (profile_of(s, 6, i).capacity == upwards[static_cast<std::size_t>(i)].capacity) ++same_elsewhere;
  }
  CHECK(seeds.size() == 300);
  CHECK(same_elsewhere < 100);
}

TEST_CASE("a known cluster stays what it is from version to version", "[scenario]") {
  const auto c = profile_of(builtin("default"), 1, 7);
  CHECK(c.name == "sim-00007");
  CHECK(fmt::format("{} {} {} {} {}", c.region, c.capacity.at("cpu"), c.capacity.at("memory"),
                    c.labels.at("environment"), c.latency.count()) == "eu-central 17 66453Mi staging 10011");
  CHECK(profile_of(builtin("default"), 1, scenario_limits::clusters_max - 1).name == "sim-99999");
}

TEST_CASE("a label more moves no cluster elsewhere", "[scenario]") {
  const auto before = builtin("default");
  auto after = before;
  after.fleet.labels.push_back({"new", {{"a", 1}, {"b", 1}}});
  for (int i = 0; i < 200; ++i) {
    auto changed = profile_of(after, 1, i);
    CHECK(changed.labels.erase("new") == 1);
    CHECK(changed == profile_of(before, 1, i));
  }
}

TEST_CASE("weights, ranges and jitter are kept", "[scenario]") {
  const auto s = builtin("default");
  constexpr int n = 20'000;
  std::map<std::string, int> regions, environments, tiers;
  std::set<std::string> names, sizes;
  for (int i = 0; i < n; ++i) {
    const auto c = profile_of(s, 1, i);
    ++regions[c.region];
    ++environments[c.labels.at("environment")];
    ++tiers[c.labels.at("tier")];
    names.insert(c.name);
    CHECK(c.labels.at("made-by") == "wheelhouse-sim");
    CHECK(c.claims.size() == 2);
    CHECK((c.object_delay >= 50ms && c.object_delay <= 500ms));
    if (c.region != "us-east") continue;
    CHECK(c.labels.at("continent") == "america");
    CHECK((c.latency >= 40ms && c.latency <= 60ms));
    const auto cpu = *parse_quantity_milli(c.capacity.at("cpu"));
    const auto memory = *parse_quantity_milli(c.capacity.at("memory")) / 1000;
    CHECK((cpu >= 28'000 && cpu <= 35'200 && cpu % 1000 == 0));
    CHECK((memory >= (115LL << 30) && memory <= (141LL << 30)));
    CHECK(*parse_quantity_milli(c.allocatable.at("cpu")) < cpu);
    CHECK(*parse_quantity_milli(c.allocatable.at("memory")) / 1000 < memory);
    sizes.insert(c.capacity.at("memory"));
  }
  const auto share = [&](int count) { return static_cast<double>(count) / n; };
  CHECK(share(regions["eu-central"]) == Approx(0.5).margin(0.02));
  CHECK(share(regions["us-east"]) == Approx(0.3).margin(0.02));
  CHECK(share(regions["ap-south"]) == Approx(0.2).margin(0.02));
  CHECK(share(environments["prod"]) == Approx(0.75).margin(0.02));
  CHECK(share(tiers["gold"]) == Approx(0.1).margin(0.02));
  CHECK(share(tiers["bronze"]) == Approx(0.6).margin(0.02));
  CHECK(names.size() == n);
  CHECK(sizes.size() > 100);
}

TEST_CASE("a weight of nought is never drawn", "[scenario]") {
  scenario s;
  s.fleet.labels = {{"x", {{"never", 0}, {"always", 1}, {"neither", 0}}}};
  for (int i = 0; i < 500; ++i) CHECK(profile_of(s, 3, i).labels.at("x") == "always");
}

TEST_CASE("the greatest numbers that a file may hold overflow nothing", "[scenario]") {
  const auto s = read_scenario(
      "name: x\nphases: [join: {rate: 1e-300}]\nfleet: {prefix: a, regions: [{name: a, share: 1000000, latency: {min: 0s, "
      "max: 10s}, capacities: [{cpu: 1000000, memory: 1024Ti, jitter: 90%}]}]}",
      "s.yaml");
  if (!s) FAIL(s.err().message);
  for (int i = 0; i < 500; ++i) {
    const auto c = profile_of(*s, UINT64_MAX, scenario_limits::clusters_max - 1 - i);
    const auto memory = *parse_quantity_milli(c.capacity.at("memory")) / 1000;
    CHECK((memory > (100LL << 40) && memory <= (1946LL << 40)));
    CHECK(*parse_quantity_milli(c.allocatable.at("memory")) > 0);
  }
  CHECK(scripted_time(*s, scenario_limits::clusters_max) > 24h);
}

TEST_CASE("files that are damaged at random are read or refused, never more than that", "[scenario]") {
  rng r(20261123);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    const auto read = read_scenario(damaged_scenario(r), "s.yaml");
    if (read) {
      CHECK_FALSE(profile_of(*read, 1, round).name.empty());
    } else {
      ++refused;
      CHECK(read.err().message.starts_with("s.yaml"));
    }
  }
  CHECK(refused > 1000);
  CHECK(refused < 4000);
}

TEST_CASE("lines that are found are those that the YAML library sees", "[scenario]") {
  for (const auto& info : list_builtin_scenarios()) {
    INFO(info.name);
    CHECK(compared_lines(std::string(info.text)) > 10);
  }
  rng r(1);
  int compared = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto text = damaged_scenario(r);
    INFO(text);
    compared += compared_lines(text);
  }
  CHECK(compared > 10'000);
}

TEST_CASE("a prefix of the command line obeys the rules of one in a file", "[scenario]") {
  auto s = builtin_scenario("small");
  REQUIRE(s.ok());
  REQUIRE(set_prefix(*s, "left-1").ok());
  CHECK(s->fleet.prefix == "left-1");
  for (const std::string bad : {"", "-a", "a-", "Upper", "a_b", "a.b"}) CHECK_FALSE(set_prefix(*s, bad).ok());
  CHECK_FALSE(set_prefix(*s, std::string(51, 'a')).ok());
  CHECK(s->fleet.prefix == "left-1");
}
