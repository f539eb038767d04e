// What the harness reads: the kernel's files, a hub's metrics, and whether a run fits.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "sim/process/machine.hpp"
#include "sim/process/metrics_reader.hpp"
#include "sim/process/process_sampler.hpp"

using namespace wh;

TEST_CASE("the memory and threads of a process are read from its status", "[process]") {
  const auto s = parse_proc_status(
      "Name:\twheelhouse-hub\nVmRSS:\t  300 kB\nRssAnon:\t     100 kB\nRssFile:\t     200 kB\nThreads:\t17\n");
  REQUIRE(s);
  CHECK(s->rss_anon_bytes == 102400);
  CHECK(s->rss_file_bytes == 204800);
  CHECK(s->threads == 17);
}

TEST_CASE("a process that is ending has no memory lines and counts as empty", "[process]") {
  const auto s = parse_proc_status("Name:\tx\nState:\tZ (zombie)\nThreads:\t1");
  REQUIRE(s);
  CHECK(s->rss_anon_bytes == 0);
}

TEST_CASE("an odd status is an error that names the line", "[process]") {
  CHECK(parse_proc_status("").err().message == "no line Threads");
  const auto odd = parse_proc_status("Threads:\t1\nRssAnon:\t-5 kB\nRssFile: 1 kB\n");
  REQUIRE_FALSE(odd);
  CHECK(odd.err().message == "RssAnon is \"-5 kB\", which is no number");
  CHECK_FALSE(parse_proc_status("Threads:\t1\nRssAnon:\t99999999999999999999 kB\nRssFile: 1 kB\n"));
  CHECK_FALSE(parse_proc_status("Threads:\t1\nRssAnon:\t18446744073709551615 kB\nRssFile: 1 kB\n"));
}

TEST_CASE("processor times are found behind any process name", "[process]") {
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 17\n";
  for (const char* name : {"7 (hub)", "7 (a) (b 1 2 3)", "7 (new\nline)"}) {
    const auto t = parse_proc_stat(name + rest, 100);
    REQUIRE(t);
    CHECK(t->user_s == Approx(2.5));
    CHECK(t->system_s == Approx(0.5));
  }
  CHECK_FALSE(parse_proc_stat("7 hub S 1", 100));
  CHECK_FALSE(parse_proc_stat("7 (hub) S 1 2 3", 100));
  CHECK_FALSE(parse_proc_stat("7 (hub) S 1 2 3 4 5 6 7 8 9 10 x 50 0", 100));
}

TEST_CASE("disk bytes and proportional memory are read", "[process]") {
  const auto io = parse_proc_io("rchar: 9\nwchar: 8\nread_bytes: 4096\nwrite_bytes: 8192\ncancelled_write_bytes: 1\n");
  REQUIRE(io);
  CHECK(io->read_bytes == 4096);
  CHECK(io->write_bytes == 8192);
  CHECK_FALSE(parse_proc_io("read_bytes: 1\n"));
  CHECK(parse_pss_bytes("00400000-7fff [rollup]\nRss:  40 kB\nPss:  30 kB\nPss_Anon: 1 kB\n").value() == 30720);
  CHECK_FALSE(parse_pss_bytes("Rss: 40 kB\n"));
}

TEST_CASE("our own process can be sampled, one that is not there cannot", "[process]") {
  const auto self = sample_self({.pss = true});
  REQUIRE(self);
  CHECK(self->memory.rss_anon_bytes > 0);
  CHECK(self->memory.threads >= 1);
  CHECK(self->open_descriptors >= 3);
  CHECK(self->pss_bytes.value_or(0) > 0);
  CHECK(sample_process(::getpid()).ok());
  const auto none = sample_process(999999999);
  REQUIRE_FALSE(none);
  CHECK(none.err().code == errc::not_found);
}

TEST_CASE("metrics are read with labels, escapes, times and odd numbers", "[process]") {
  const auto m = parse_metrics(
      "# HELP a text {b} 1\n# TYPE a gauge\na 3\n"
      "b{kind=\"work\",code=\"200\"} 1.5e3 1700000000\nb{kind=\"work\",code=\"500\"} 2\nb{kind=\"x\"} 4\n"
      "\n  c { q = \"say \\\"hi\\\\\\n}\" , } +Inf\nd NaN\ne{} 7");
  REQUIRE(m);
  CHECK(m->value("a") == 3);
  CHECK(m->value("b", {{"kind", "work"}, {"code", "200"}}) == 1500);
  CHECK(m->value("b") == std::nullopt);
  CHECK(m->value("nothing") == std::nullopt);
  CHECK(m->sum("b") == 1506);
  CHECK(m->sum("b", {{"kind", "work"}}) == 1502);
  CHECK(m->sum("b", {{"kind", "y"}}) == 0);
  CHECK(m->sums_by("b", "kind") == std::map<std::string, double>{{"work", 1502}, {"x", 4}});
  CHECK(m->sums_by("b", "code", {{"kind", "x"}}).empty());
  CHECK(m->value("c", {{"q", "say \"hi\\\n}"}}).value() == HUGE_VAL);
  CHECK(std::isnan(m->value("d").value()));
  CHECK(m->value("e") == 7);
}

TEST_CASE("what is no metric is an error with its line", "[process]") {
  for (const char* text :
       {"a 1\nb", "a 1\nb{x=\"1\" 2", "a 1\nb{x=1} 2", "a 1\nb{x=\"1} 2", "a 1\nb x", "a 1\n{x=\"1\"} 2",
        "a 1\nb{x=\"1\"}", "a 1\nb{=\"1\"} 2", "a 1\nb{x=\"1\"y=\"2\"} 2", "a 1\nb{x=\"\\"}) {
    const auto m = parse_metrics(text);
    INFO(text);
    REQUIRE_FALSE(m);
    CHECK(m.err().message.find("line 2") != std::string::npos);
  }
  CHECK(parse_metrics("").value().families.empty());
}

TEST_CASE("a histogram is read as counts between its bounds", "[process]") {
  const auto m = parse_metrics(
      "t_bucket{le=\"0.1\"} 3\nt_bucket{le=\"2\"} 3\nt_bucket{le=\"10\"} 7\nt_bucket{le=\"+Inf\"} 8\nt_sum 9\nt_count 8\n");
  REQUIRE(m.ok());
  const auto all = m->buckets("t");
  REQUIRE(all.size() == 4);
  CHECK(all.at(0.1) == 3);
  CHECK(all.at(2) == 0);
  CHECK(all.at(10) == 4);
  CHECK(all.rbegin()->second == 1);
  CHECK(m->buckets("u").empty());
}

TEST_CASE("the machine is described", "[process]") {
  CHECK(parse_cpu_model("processor\t: 0\nmodel name\t: Fast CPU @ 3: GHz\nprocessor\t: 1\nmodel name\t: Other\n") ==
        "Fast CPU @ 3: GHz");
  CHECK(parse_cpu_model("processor: 0\n") == "unknown");
  const auto memory = parse_meminfo("MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:   500 kB\n");
  REQUIRE(memory);
  CHECK(memory->available_bytes == 512000);
  CHECK_FALSE(parse_meminfo("MemTotal: 1000 kB\n"));
  CHECK(parse_port_range("32768\t60999\n").value() == 28232);
  for (const char* odd : {"", "5", "9 1", "1 70000", "a b"}) CHECK_FALSE(parse_port_range(odd));
  const auto here = read_machine();
  REQUIRE(here);
  CHECK(here->cores > 0);
  CHECK(here->memory_bytes >= here->memory_available_bytes);
  CHECK(here->kernel.starts_with("Linux "));
  CHECK(here->ports > 1000);
}

namespace {

machine small_machine() {
  return {.cores = 2,
          .memory_bytes = std::uint64_t{4} << 30,
          .memory_available_bytes = std::uint64_t{2} << 30,
          .descriptors = {.soft = 1024, .hard = 4096},
          .ports = 28232};
}

}  // namespace

TEST_CASE("a run that fits is let through", "[process]") {
  CHECK(check_capacity({.clusters = 3840, .simulator_bytes_per_cluster = 65536, .hub_bytes_per_cluster = 65536},
                       small_machine()));
}

TEST_CASE("a run that does not fit is told everything that stands in its way, with numbers", "[process]") {
  const auto refused = check_capacity(
      {.clusters = 40000, .simulator_bytes_per_cluster = 65536, .hub_bytes_per_cluster = 131072}, small_machine());
  REQUIRE_FALSE(refused);
  CHECK(refused.err().code == errc::too_large);
  CHECK(
      refused.err().message ==
      "40000 clusters do not fit on this machine: each process needs 40256 open files (one a cluster and 256 more), and "
      "the hard limit is 4096 (ulimit -Hn); each cluster dials from a port of its own, and there are 28232 "
      "(/proc/sys/net/ipv4/ip_local_port_range); the hub accepts at most 15000 links; memory for about 7756 MiB is "
      "needed (64 KiB a cluster here, 128 KiB in the hub, 256 MiB more), and 2048 MiB are available");
}

TEST_CASE("clusters without connections need no descriptors, and a hub elsewhere no memory here", "[process]") {
  CHECK(check_capacity({.clusters = 20000, .transport = cluster_transport::none, .simulator_bytes_per_cluster = 65536},
                       small_machine()));
  const capacity_need hub_here{
      .clusters = 3000, .simulator_bytes_per_cluster = 65536, .hub_bytes_per_cluster = 1 << 20};
  CHECK_FALSE(check_capacity(hub_here, small_machine()));
  auto hub_elsewhere = hub_here;
  hub_elsewhere.own_hub = false;
  CHECK(check_capacity(hub_elsewhere, small_machine()));
}

TEST_CASE("checking raises our own soft limit of open files to the hard one", "[process]") {
  REQUIRE(check_capacity({.clusters = 1}));
  const auto limits = read_descriptor_limits();
  REQUIRE(limits);
  CHECK(limits->soft == limits->hard);
}
