#include "nodes/common/options.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "nodes/common/files.hpp"
#include "nodes/common/version.hpp"
#include "tests/nodes/common/temporary_folder.hpp"

using namespace wh;
using namespace std::chrono_literals;
using Catch::Matchers::Contains;

namespace {

/// A program with one option of each type, and what became of one parsing of it.
struct fixture {
  std::string data_dir;
  std::string level = "info";
  bool sync = true;
  bool quiet = false;
  std::uint64_t limit = 7;
  duration lease = 60s;
  std::optional<duration> wait;
  host_port listen{.host = "127.0.0.1", .port = 6443};
  std::vector<std::string> sans;
  std::string token;
  std::map<std::string, std::string> environment;
  std::ostringstream out;
  std::ostringstream err;

  command make() {
    command program("wheelhouse-hub", "The hub.");
    program.add({.name = "data-dir", .value = "DIR", .help = "Folder", .letter = 'd', .required = true}, data_dir);
    program.add({.name = "log-level", .value = "LEVEL", .choices = {"info", "debug"}}, level);
    program.add({.name = "sync"}, sync);
    program.add({.name = "quiet"}, quiet);
    program.add({.name = "limit", .value = "N"}, limit);
    program.add({.name = "lease", .value = "DURATION", .group = "Link"}, lease);
    program.add({.name = "wait", .value = "DURATION"}, wait);
    program.add({.name = "api-listen", .value = "H:P"}, listen);
    program.add({.name = "tls-san", .value = "NAME"}, sans);
    program.add({.name = "token", .value = "T", .secret = true, .choices = {"abc"}}, token);
    return program;
  }

  parse_surroundings around() {
    return {.variable = [this](const std::string& name) -> std::optional<std::string> {
              const auto it = environment.find(name);
              return it == environment.end() ? std::nullopt : std::optional(it->second);
            },
            .out = &out,
            .err = &err};
  }

  std::optional<int> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "wheelhouse-hub");
    auto program = make();
    return parse_options(program, static_cast<int>(arguments.size()), arguments.data(), around());
  }
};

std::string written(const test::temporary_folder& folder, const std::string& text) {
  const auto path = folder.file("hub.yaml");
  REQUIRE(write_file_atomically(path, text, 0600));
  return path;
}

}  // namespace

TEST_CASE("defaults stand when nothing is given", "[options]") {
  fixture f;
  REQUIRE(f.parse({"--data-dir", "/d"}) == std::nullopt);
  CHECK(f.data_dir == "/d");
  CHECK(f.level == "info");
  CHECK(f.sync);
  CHECK(f.limit == 7);
  CHECK(f.lease == 60s);
  CHECK(f.wait == std::nullopt);
  CHECK(f.listen.port == 6443);
}

TEST_CASE("flags set options of every type", "[options]") {
  fixture f;
  REQUIRE(f.parse({"-d", "/d", "--log-level=debug", "--sync=false", "--quiet", "--limit", "9", "--lease", "2m30s",
                   "--wait", "5s", "--api-listen", "[::1]:0", "--tls-san", "a,b", "--tls-san", "c"}) == std::nullopt);
  CHECK(f.level == "debug");
  CHECK_FALSE(f.sync);
  CHECK(f.quiet);
  CHECK(f.limit == 9);
  CHECK(f.lease == 150s);
  CHECK(f.wait == duration(5s));
  CHECK(f.listen.port == 0);
  CHECK(f.sans == std::vector<std::string>{"a", "b", "c"});
}

TEST_CASE("a flag beats the variable, the variable the file, the file the default", "[options]") {
  const test::temporary_folder folder;
  const auto path =
      written(folder, "data-dir: /file\nlimit: 1\nlease: 10s\nlog-level: debug\ntls-san: [x, y]\nsync: false\n");
  fixture f;
  f.environment = {{"WHEELHOUSE_HUB_LIMIT", "2"}, {"WHEELHOUSE_HUB_LEASE", "20s"}, {"WHEELHOUSE_HUB_CONFIG", path}};
  REQUIRE(f.parse({"--lease", "30s"}) == std::nullopt);
  CHECK(f.data_dir == "/file");
  CHECK(f.level == "debug");
  CHECK(f.limit == 2);
  CHECK(f.lease == 30s);
  CHECK(f.sans == std::vector<std::string>{"x", "y"});
  CHECK_FALSE(f.sync);
}

TEST_CASE("an empty variable counts as absent", "[options]") {
  fixture f;
  f.environment = {{"WHEELHOUSE_HUB_DATA_DIR", ""}};
  CHECK(f.parse({}) == exit_usage);
  CHECK_THAT(f.err.str(), Contains("--data-dir DIR is required (or WHEELHOUSE_HUB_DATA_DIR, or data-dir"));
}

TEST_CASE("mistakes are one line that names where the value came from, and exit 2", "[options]") {
  struct sample {
    std::vector<const char*> arguments;
    std::string message;
  };
  const auto s = GENERATE(values<sample>({
      {{"--data-dir", "/d", "--lease", "soon"},
       "--lease: must be a duration such as 45s, 5m or 2h30m, but is \"soon\""},
      {{"--data-dir", "/d", "--lease", "30"}, "--lease: must be a duration"},
      {{"--data-dir", "/d", "--api-listen", "localhost"}, "--api-listen: must be HOST:PORT"},
      {{"--data-dir", "/d", "--limit", "-1"}, "--limit: must be a whole number"},
      {{"--data-dir", "/d", "--log-level", "loud"}, "--log-level: must be one of info,debug, but is \"loud\""},
      {{"--data-dir", "/d", "--data-dri", "x"}, "unknown flag --data-dri; did you mean --data-dir?"},
      {{"--data-dir", "/d", "extra"}, "unexpected argument \"extra\""},
      {{"--data-dir"}, "--data-dir"},
  }));
  fixture f;
  CHECK(f.parse(s.arguments) == exit_usage);
  CHECK_THAT(f.err.str(), Contains(s.message));
  CHECK(f.err.str().starts_with("wheelhouse-hub: "));
  CHECK(f.err.str().find('\n') == f.err.str().size() - 1);
}

TEST_CASE("a wrong variable is named", "[options]") {
  fixture f;
  f.environment = {{"WHEELHOUSE_HUB_QUIET", "maybe"}};
  CHECK(f.parse({"--data-dir", "/d"}) == exit_usage);
  CHECK_THAT(f.err.str(), Contains("WHEELHOUSE_HUB_QUIET: is a switch: true or false, but is \"maybe\""));
}

TEST_CASE("a secret value is not repeated in an error", "[options]") {
  fixture f;
  CHECK(f.parse({"--data-dir", "/d", "--token", "hunter2"}) == exit_usage);
  CHECK_THAT(f.err.str(), !Contains("hunter2"));
}

TEST_CASE("a broken configuration file is refused with file and line", "[options]") {
  struct sample {
    std::string text;
    std::string message;
  };
  const auto s = GENERATE(values<sample>({
      {"limit: 1\n\ndata_dir: /d\n", "hub.yaml:3: unknown option \"data_dir\""},
      {"limit: 1\nlimit: 2\n", "hub.yaml:2: \"limit\" is set twice"},
      {"limit: {a: 1}\n", "hub.yaml:1: limit: must be a value or a list of values"},
      {"limit:\n", "hub.yaml:1: limit: must be a value"},
      {"- limit\n", "hub.yaml:1: expected `option: value` lines"},
      {"limit: [1\n", "not valid YAML"},
      {"limit: many\n", "hub.yaml:1: limit: must be a whole number of 0 or more, but is \"many\""},
      {"config: other.yaml\n", "hub.yaml:1: unknown option \"config\""},
  }));
  const test::temporary_folder folder;
  const auto path = written(folder, s.text);
  fixture f;
  CHECK(f.parse({"--data-dir", "/d", "--config", path.c_str()}) == exit_usage);
  CHECK_THAT(f.err.str(), Contains(s.message));
  CHECK(f.err.str().find('\n') == f.err.str().size() - 1);
}

TEST_CASE("an absent configuration file is an error, an empty one is not", "[options]") {
  const test::temporary_folder folder;
  fixture absent;
  CHECK(absent.parse({"--data-dir", "/d", "--config", folder.file("none").c_str()}) == exit_usage);
  CHECK_THAT(absent.err.str(), Contains("No such file"));
  fixture empty;
  const auto path = written(folder, "# nothing yet\n");
  CHECK(empty.parse({"--data-dir", "/d", "--config", path.c_str()}) == std::nullopt);
}

TEST_CASE("--help and --version need nothing else and exit 0", "[options]") {
  fixture help;
  CHECK(help.parse({"--help"}) == 0);
  CHECK_THAT(help.out.str(), Contains("Usage: wheelhouse-hub [flags]") && Contains("-d, --data-dir DIR") &&
                                 Contains("Link:") && Contains("(default 1m)") && Contains("WHEELHOUSE_HUB_DATA_DIR"));
  CHECK(help.err.str().empty());
  fixture version;
  CHECK(version.parse({"--version"}) == 0);
  CHECK(version.out.str() == "wheelhouse-hub " + std::string(software_version()) + "\n");
}

TEST_CASE("commands below a program share its flags, before and after their names", "[options]") {
  std::string file;
  bool wide = false;
  std::vector<std::string> names;
  std::ostringstream out;
  std::ostringstream err;
  const auto run = [&](std::vector<const char*> arguments) {
    names.clear();
    wide = false;
    command program("whctl", "Controls.");
    program.add({.name = "kubeconfig", .value = "FILE"}, file);
    auto& get = program.subcommand("get", "Show");
    get.subcommand("token", "Token").action([] { return 7; });
    auto& accept = program.subcommand("accept", "Accept");
    accept.arguments("NAME...", names, 1, 3);
    accept.add({.name = "wide"}, wide);
    accept.action([] { return 5; });
    arguments.insert(arguments.begin(), "whctl");
    return run_command(
        program, static_cast<int>(arguments.size()), arguments.data(),
        {.variable = [](const std::string&) { return std::optional<std::string>(); }, .out = &out, .err = &err});
  };
  CHECK(run({"--kubeconfig", "a", "accept", "c1", "--wide", "c2"}) == 5);
  CHECK(file == "a");
  CHECK(wide);
  CHECK(names == std::vector<std::string>{"c1", "c2"});
  CHECK(run({"accept", "--kubeconfig", "b", "get"}) == 5);
  CHECK(file == "b");
  CHECK(names == std::vector<std::string>{"get"});
  CHECK(run({"get", "token", "--kubeconfig=c"}) == 7);
  CHECK(file == "c");
  CHECK(run({"accept"}) == exit_usage);
  CHECK(run({"accept", "1", "2", "3", "4"}) == exit_usage);
  CHECK(run({"gte", "token"}) == exit_usage);
  CHECK_THAT(err.str(), Contains("unknown command \"gte\"; did you mean get?"));
  err.str("");
  CHECK(run({"get"}) == exit_usage);
  CHECK_THAT(err.str(), Contains("Usage: whctl get COMMAND"));
  CHECK(run({"get", "token", "--help"}) == 0);
  CHECK_THAT(out.str(), Contains("Usage: whctl get token [flags]") && Contains("--kubeconfig FILE"));
}

TEST_CASE("a command may take only some of its program's flags", "[options]") {
  fixture f;
  const auto run = [&](std::vector<const char*> arguments) {
    auto program = f.make();
    program.action([] { return 3; });
    auto& verify = program.subcommand("verify", "Check");
    verify.inherits({"data-dir"});
    verify.action([] { return 4; });
    auto& look = program.subcommand("look", "Look");
    look.may_lack("data-dir");
    look.action([] { return 6; });
    arguments.insert(arguments.begin(), "wheelhouse-hub");
    return run_command(program, static_cast<int>(arguments.size()), arguments.data(), f.around());
  };
  CHECK(run({"--data-dir", "d"}) == 3);
  CHECK(run({"verify", "--data-dir", "e"}) == 4);
  CHECK(f.data_dir == "e");
  CHECK(run({"verify"}) == exit_usage);  // what is required stays so
  CHECK(run({"look"}) == 6);             // unless the command can do without
  CHECK(run({"verify", "--data-dir", "e", "--limit", "1"}) == exit_usage);
  CHECK_THAT(f.err.str(), Contains("unknown flag --limit"));
  CHECK(run({"--limit", "1", "verify", "--data-dir", "e"}) == exit_usage);
  CHECK_THAT(f.err.str(), Contains("verify does not take --limit"));
  // A variable for the program does not disturb its commands.
  f.environment["WHEELHOUSE_HUB_LIMIT"] = "much";
  CHECK(run({"verify", "--data-dir", "e"}) == 4);
  CHECK(run({"verify", "--help"}) == 0);
  CHECK_THAT(f.out.str(), Contains("--data-dir DIR") && !Contains("--limit") && Contains("--config FILE"));
  f.out.str("");
  CHECK(run({"--help"}) == 0);
  CHECK_THAT(f.out.str(), Contains("Usage: wheelhouse-hub [COMMAND] [flags]"));
}
