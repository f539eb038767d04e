// The real programs as children of ours: started, killed, paused, brought back, and never left behind.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include "nodes/common/descriptors.hpp"
#include "nodes/common/files.hpp"
#include "sim/process/child_process.hpp"
#include "sim/process/port_reservation.hpp"
#include "sim/process/process_sampler.hpp"
#include "tests/sim/process_fixture.hpp"
#include "transport/net_address.hpp"

using namespace wh;
using namespace wh::testing;

TEST_CASE("a child's end is told by its exit code or its signal", "[process]") {
  scratch_folder folder;
  const auto run = [&](const char* script) {
    auto child =
        child_process::start({.program = "/bin/sh", .arguments = {"-c", script}, .log_file = folder.path + "/log"});
    REQUIRE(child);
    const auto end = (*child)->wait(patience);
    REQUIRE(end);
    CHECK_FALSE((*child)->send_signal(SIGTERM));
    return end->text();
  };
  CHECK(run("echo out; echo err >&2; exit 3") == "exit code 3");
  CHECK(run("kill -9 $$") == "SIGKILL");
  CHECK(last_lines(folder.path + "/log", 5) == "out\nerr");
}

TEST_CASE("a child inherits none of our descriptors", "[process]") {
  scratch_folder folder;
  const int leaked = ::open("/dev/null", O_RDONLY);
  auto child = child_process::start(
      {.program = "/bin/ls", .arguments = {"-m", "/proc/self/fd"}, .log_file = folder.path + "/log"});
  REQUIRE(child);
  REQUIRE((*child)->wait(patience));
  ::close(leaked);
  // 3 is what ls reads the folder with.
  CHECK(last_lines(folder.path + "/log", 1) == "0, 1, 2, 3");
}

TEST_CASE("a program that cannot be run is an error with its path", "[process]") {
  scratch_folder folder;
  const auto none = child_process::start({.program = "/no/such/program", .log_file = folder.path + "/log"});
  REQUIRE_FALSE(none);
  CHECK(none.err().message == "cannot run /no/such/program: No such file or directory");
  CHECK_FALSE(child_process::start({.program = "/bin/true", .log_file = folder.path + "/no/log"}));
}

TEST_CASE("a child outlives the thread that started it", "[process]") {
  scratch_folder folder;
  std::unique_ptr<child_process> child;
  std::thread([&] {
    auto started =
        child_process::start({.program = "/bin/sleep", .arguments = {"600"}, .log_file = folder.path + "/log"});
    if (started) child = std::move(*started);
  }).join();
  REQUIRE(child);
  // Had it died with the thread, then of SIGKILL.
  REQUIRE(child->send_signal(SIGTERM));
  const auto end = child->wait(patience);
  REQUIRE(end);
  CHECK(end->text() == "SIGTERM");
}

// Not a test: what the next one kills.
TEST_CASE("helper: waits for its end with a child of its own", "[.parent]") {
  auto child = child_process::start({.program = "/bin/sleep", .arguments = {"600"}, .log_file = "/dev/null"});
  REQUIRE(child);
  std::printf("child %d\n", (*child)->pid());
  std::fflush(stdout);
  (*child)->wait(std::chrono::minutes(10));
}

TEST_CASE("a child dies with us, even if we are killed", "[process]") {
  scratch_folder folder;
  const auto log = folder.path + "/log";
  auto parent = child_process::start(
      {.program = own_program_folder() + "process_test", .arguments = {"[.parent]"}, .log_file = log});
  REQUIRE(parent);
  pid_t orphan = 0;
  eventually([&] {
    std::ifstream in(log);
    std::string word;
    while (in >> word)
      if (word == "child") return static_cast<bool>(in >> orphan);
    return false;
  });
  REQUIRE(runs(orphan));
  REQUIRE((*parent)->send_signal(SIGKILL));
  eventually([&] { return !runs(orphan); });
}

TEST_CASE("the last lines of a log", "[process]") {
  scratch_folder folder;
  const auto path = folder.path + "/log";
  CHECK(last_lines(path, 3) == "");
  REQUIRE(write_file_atomically(path, "one\ntwo\nthree\n", 0600));
  CHECK(last_lines(path, 2) == "two\nthree");
  CHECK(last_lines(path, 9) == "one\ntwo\nthree");
  CHECK(last_lines(path, 9, 4) == "two\nthree");
  CHECK(last_lines(path, 9, 400) == "");
}

TEST_CASE("a reserved port can be listened on, and is nobody's port of origin", "[process]") {
  const auto reserved = port_reservation::take("127.0.0.1");
  REQUIRE(reserved);
  CHECK(reserved->at().port != 0);
  const auto dial_from_it = [&] {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const std::uint32_t range = (std::uint32_t{reserved->at().port} << 16) | reserved->at().port;
    constexpr int ip_local_port_range = 51;  // the headers of Debian 12 do not know it yet
    const bool known = ::setsockopt(fd, IPPROTO_IP, ip_local_port_range, &range, sizeof range) == 0;
    const auto to = resolve(reserved->at());
    REQUIRE(to);
    const bool connected = known && ::connect(fd, to->front().get(), to->front().size) == 0;
    ::close(fd);
    return connected;
  };
  // To itself, which would work were the port not reserved; kernels before 6.3 cannot be asked.
  CHECK_FALSE(dial_from_it());
  const auto listening = open_listening_socket(reserved->at());
  REQUIRE(listening);
  CHECK_FALSE(open_listening_socket(reserved->at()));
  ::close(*listening);
  // As after a hub's death.
  const auto again = open_listening_socket(reserved->at());
  REQUIRE(again);
  ::close(*again);
}

TEST_CASE("a hub serves until it is killed, and comes back at the same addresses", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access());
  CHECK(admin.text("/readyz").value() == "ok");
  const auto before = (*hub)->pid();
  const auto link = (*hub)->facts().link;
  REQUIRE(before);
  const auto sample = sample_process(*before);
  REQUIRE(sample);
  CHECK(sample->memory.rss_anon_bytes > 0);
  CHECK(sample->disk);

  REQUIRE((*hub)->kill9());
  CHECK_FALSE((*hub)->alive());
  CHECK((*hub)->why_dead().starts_with("SIGKILL; its last words in " + folder.path + "/hub.log:\n"));
  CHECK((*hub)->kill9().err().code == errc::not_found);
  CHECK(admin.get(ctl::clusters_path()).err().code == errc::unavailable);

  REQUIRE((*hub)->restart());
  CHECK((*hub)->alive());
  CHECK((*hub)->why_dead() == "");
  CHECK((*hub)->pid() != before);
  CHECK((*hub)->facts().link == link);
  CHECK(admin.text("/readyz").value() == "ok");
  CHECK(admin.get("/api/v1/namespaces/kube-public/configmaps/cluster-info").value()["data"]["hub-link"] == link);

  const auto last = *(*hub)->pid();
  REQUIRE((*hub)->stop());
  CHECK((*hub)->why_dead().starts_with("exit code 0; "));
  REQUIRE((*hub)->stop());
  REQUIRE((*hub)->restart());
  const auto newest = *(*hub)->pid();
  hub->reset();
  CHECK_FALSE(runs(last));
  CHECK_FALSE(runs(newest));
}

TEST_CASE("a hub raises its soft limit of open files by itself", "[process]") {
  scratch_folder folder;
  auto options = options_in(folder);
  // The shell lowers the limit for itself and then becomes the hub.
  const auto program = options.program;
  options.program = folder.path + "/modest-hub";
  REQUIRE(write_file_atomically(options.program, "#!/bin/sh\nulimit -Sn 64\nexec " + program + " \"$@\"\n", 0700));
  auto hub = start_hub(options);
  REQUIRE(hub);
  const auto limits = read_file("/proc/" + std::to_string(*(*hub)->pid()) + "/limits");
  const auto ours = read_descriptor_limits();
  REQUIRE(ours);
  REQUIRE(limits);
  const auto at = limits->find("Max open files");
  REQUIRE(at != std::string::npos);
  std::istringstream line(limits->substr(at + 14));
  std::uint64_t soft = 0, hard = 0;
  line >> soft >> hard;
  CHECK(soft == ours->hard);
  CHECK(hard == ours->hard);
}

TEST_CASE("a paused hub answers nobody, and goes on where it stood", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  admin_client admin((*hub)->access(), {.timeout = std::chrono::milliseconds(300)});
  REQUIRE((*hub)->pause());
  CHECK((*hub)->alive());
  const auto silent = admin.text("/readyz");
  REQUIRE_FALSE(silent);
  CHECK(silent.err().code == errc::timeout);
  REQUIRE((*hub)->resume());
  eventually([&] { return admin.text("/readyz").ok(); });
  REQUIRE((*hub)->pause());
  // Ends a stopped process too, in good order.
  CHECK((*hub)->stop());
}

TEST_CASE("a hub that cannot start tells its last words", "[process]") {
  scratch_folder folder;
  auto options = options_in(folder);
  SECTION("because its port is taken") {
    const auto taken = open_listening_socket({"127.0.0.1", 0});
    REQUIRE(taken);
    options.api_listen = bound_to(*taken, {"127.0.0.1", 0});
    const auto hub = start_hub(options);
    ::close(*taken);
    REQUIRE_FALSE(hub);
    CHECK(hub.err().code == errc::unavailable);
    CHECK_THAT(hub.err().message, Catch::StartsWith("the hub ended before it was ready (exit code 1); its last words"));
    CHECK_THAT(hub.err().message, Catch::Contains(options.api_listen.text()));
  }
  SECTION("because of a flag that it does not know") {
    options.flags = {"--no-such-flag"};
    const auto hub = start_hub(options);
    REQUIRE_FALSE(hub);
    CHECK_THAT(hub.err().message, Catch::Contains("no-such-flag"));
  }
  SECTION("because there is no such program") {
    options.program = folder.path + "/none";
    const auto hub = start_hub(options);
    REQUIRE_FALSE(hub);
    CHECK_THAT(hub.err().message, Catch::Contains("No such file"));
  }
  SECTION("because it never becomes ready") {
    options.program = folder.path + "/lazy-hub";
    REQUIRE(write_file_atomically(options.program, "#!/bin/sh\necho too tired\nexec sleep 600\n", 0700));
    options.ready_timeout = std::chrono::seconds(1);
    const auto hub = start_hub(options);
    REQUIRE_FALSE(hub);
    CHECK(hub.err().code == errc::timeout);
    CHECK_THAT(hub.err().message, Catch::Contains("it has not written hub.json") && Catch::EndsWith("too tired"));
  }
}

TEST_CASE("a hub that others run can be used, and not be touched", "[process]") {
  scratch_folder folder;
  auto hub = start_hub(options_in(folder));
  REQUIRE(hub);
  auto attached = attach_hub(folder.path + "/hub/admin.kubeconfig");
  REQUIRE(attached);
  CHECK((*attached)->facts().link == (*hub)->facts().link);
  CHECK((*attached)->facts().ca_pin == (*hub)->facts().ca_pin);
  CHECK_FALSE((*attached)->pid());
  for (const auto& refused : {(*attached)->kill9(), (*attached)->restart(), (*attached)->pause(), (*attached)->resume(),
                              (*attached)->stop()}) {
    REQUIRE_FALSE(refused);
    CHECK(refused.err().code == errc::unsupported);
  }
  CHECK_THAT((*attached)->restart().err().message, Catch::EndsWith("was not started here and cannot be restarted"));
  REQUIRE((*hub)->stop());
  CHECK_FALSE(attach_hub(folder.path + "/hub/admin.kubeconfig"));
  CHECK_FALSE(attach_hub(folder.path + "/none"));
}

TEST_CASE("nobody has to wait for a hub that does not come up", "[process]") {
  scratch_folder folder;
  auto options = options_in(folder);
  options.program = folder.path + "/sleeper";
  REQUIRE(write_file_atomically(options.program, "#!/bin/sh\nexec sleep 600\n", 0755).ok());
  int looks = 0;
  options.cancelled = [&] { return ++looks > 3; };
  const auto began = std::chrono::steady_clock::now();
  const auto hub = start_hub(options);
  REQUIRE_FALSE(hub);
  CHECK_THAT(hub.err().message, Catch::Contains("interrupted"));
  CHECK(std::chrono::steady_clock::now() - began < options.ready_timeout);
}
