// The hub's API through its real binary and real TLS connections; docs/scale.md tells what came of it.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>

#include "bench/api/parts.hpp"
#include "nodes/common/descriptors.hpp"
#include "nodes/common/files.hpp"
#include "nodes/common/options.hpp"

namespace wh::bench {

row settings::as_json() const {
  return {{"connections", connections},
          {"rounds", rounds},
          {"timeMs", std::chrono::duration_cast<std::chrono::milliseconds>(time).count()},
          {"bodyBytes", body_bytes},
          {"clusters", clusters},
          {"repeats", repeats},
          {"watches", watches},
          {"changes", changes},
          {"idleWatches", idle_watches},
          {"etcd", !etcd_program.empty()}};
}

namespace {

struct flags {
  settings s;
  std::vector<std::string> parts = {"rates", "lists", "watches", "idle"};
  std::vector<std::string> connections = {"1", "16", "256"};
  std::string json;
};

void add_flags(command& program, flags& f) {
  program.add({.name = "parts", .value = "LIST", .help = "What to measure: rates, lists, watches, idle"}, f.parts);
  program.add({.name = "json", .value = "FILE", .help = "Write the figures there, too"}, f.json);
  program.add({.name = "folder", .value = "DIR", .help = "On the disk to measure; default: the temporary folder"},
              f.s.folder);
  program.add({.name = "hub-program", .value = "FILE", .help = "The hub; default: that of this build"},
              f.s.hub_program);
  program.add({.name = "rounds", .value = "N", .help = "Of each rate; medians count", .group = "Rates"}, f.s.rounds);
  program.add({.name = "time", .value = "DURATION", .help = "Of one rate in one round", .group = "Rates"}, f.s.time);
  program.add({.name = "connections", .value = "LIST", .help = "So many at once", .group = "Rates"}, f.connections);
  program.add({.name = "body", .value = "BYTES", .help = "Data of an object that is written", .group = "Rates"},
              f.s.body_bytes);
  program.add(
      {.name = "operations", .value = "LIST", .help = "Of them: get, put, patch, create, etcd", .group = "Rates"},
      f.s.operations);
  program.add({.name = "shapes", .value = "LIST", .help = "Of lists: objects, table", .group = "Lists"}, f.s.shapes);
  program.add({.name = "clusters", .value = "N", .help = "ManagedClusters in a list", .group = "Lists"}, f.s.clusters);
  program.add({.name = "repeats", .value = "N", .help = "Lists of each shape; medians count", .group = "Lists"},
              f.s.repeats);
  program.add({.name = "watches", .value = "N", .help = "Open at once", .group = "Watches"}, f.s.watches);
  program.add({.name = "changes", .value = "N", .help = "Writes that they see, one a second", .group = "Watches"},
              f.s.changes);
  program.add({.name = "idle-watches", .value = "N", .help = "Open while objects are read", .group = "Watches"},
              f.s.idle_watches);
}

result<void> check(flags& f) {
  f.s.connections.clear();
  for (const auto& text : f.connections) {
    std::size_t n = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), n);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || n == 0 || n > 1000)
      return fail(errc::invalid, "--connections: '" + text + "' is not between 1 and 1000");
    f.s.connections.push_back(n);
  }
  for (const auto& [name, value] : {std::pair{"rounds", f.s.rounds},
                                    {"clusters", f.s.clusters},
                                    {"repeats", f.s.repeats},
                                    {"watches", f.s.watches},
                                    {"changes", f.s.changes},
                                    {"idle-watches", f.s.idle_watches}})
    if (value == 0) return fail(errc::invalid, fmt::format("--{} must be at least 1", name));
  for (const auto& each : f.s.operations)
    if (each != "get" && each != "put" && each != "patch" && each != "create" && each != "etcd")
      return fail(errc::invalid, "--operations: there is no '" + each + "', only get, put, patch, create and etcd");
  for (const auto& each : f.s.shapes)
    if (each != "objects" && each != "table")
      return fail(errc::invalid, "--shapes: there is no '" + each + "', only objects and table");
  if (f.s.body_bytes > 500 * 1024) return fail(errc::invalid, "--body must be at most 512000");
  if (f.s.time < std::chrono::milliseconds(100)) return fail(errc::invalid, "--time must be at least 100ms");
  const auto limits = raise_descriptor_limit();
  if (!limits) return limits.err();
  if (std::max(f.s.watches, f.s.idle_watches) + 256 > limits->soft)
    return fail(errc::invalid, fmt::format("{} watches need as many open files, and {} are allowed (ulimit -Hn)",
                                           std::max(f.s.watches, f.s.idle_watches), limits->soft));
  return {};
}

struct part {
  result<void> (*measure)(const settings&, report&);
};

result<part> find_part(const std::string& name) {
  if (name == "rates") return part{measure_rates};
  if (name == "lists") return part{measure_lists};
  if (name == "watches") return part{measure_watches};
  if (name == "idle") return part{measure_idle_watches};
  return fail(errc::invalid, "--parts: there is no '" + name + "', only rates, lists, watches and idle");
}

bool wants(const settings& s, const char* operation) {
  return std::find(s.operations.begin(), s.operations.end(), operation) != s.operations.end();
}

int complain(const error& why, int code) {
  fmt::print(stderr, "api_bench: {}\n", why.message);
  return code;
}

int measure(flags& f) {
  std::vector<part> parts;
  for (const auto& name : f.parts) {
    const auto found = find_part(name);
    if (!found) return complain(found.err(), exit_usage);
    parts.push_back(*found);
  }
  if (auto ok = check(f); !ok) return complain(ok.err(), exit_usage);
  const auto base = f.s.folder.empty() ? std::filesystem::temp_directory_path().string() : f.s.folder;
  f.s.folder = fmt::format("{}/api_bench-{}", base, ::getpid());
  if (auto ok = make_folder(f.s.folder, 0700); !ok) return complain(ok.err(), exit_usage);
  if (wants(f.s, "etcd")) f.s.etcd_program = bench_etcd::find_program();
  report out;
  // Whether it can be written is found out now, and not after minutes of work.
  result<void> ran = f.json.empty() ? result<void>() : out.write(f.json, f.s.as_json());
  for (const auto& each : parts)
    if (ran) ran = each.measure(f.s, out);
  std::error_code ignored;
  std::filesystem::remove_all(f.s.folder, ignored);
  if (interrupted) return complain(fail(errc::unavailable, "interrupted"), 130);
  if (!ran) return complain(ran.err(), 1);
  out.print_goals();
  if (f.json.empty()) return 0;
  const auto written = out.write(f.json, f.s.as_json());
  return written ? 0 : complain(written.err(), 1);
}

}  // namespace
}  // namespace wh::bench

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, [](int) { wh::bench::interrupted = true; });
  wh::bench::flags f;
  wh::command program("api_bench", "Measures the hub's API: rates against etcd, lists, watches");
  wh::bench::add_flags(program, f);
  program.action([&] { return wh::bench::measure(f); });
  return wh::run_command(program, argc, argv);
}
