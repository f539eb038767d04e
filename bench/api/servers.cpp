#include "bench/api/servers.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "bench/api/load.hpp"
#include "nodes/common/files.hpp"

namespace wh::bench {
namespace {

constexpr auto etcd_start_limit = std::chrono::seconds(20);

result<void> fresh_folder(const std::string& folder) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return make_folder(folder, 0700);
}

std::string common_headers(const host_port& at) { return "host: " + at.text() + "\r\nuser-agent: api_bench\r\n"; }

result<void> await_etcd(const endpoint& at) {
  client_loop loop;
  const auto until = clock::now() + etcd_start_limit;
  load_plan plan{.requests = 1, .next = [](std::size_t, std::uint64_t) { return request{.target = "/health"}; }};
  error last = fail(errc::timeout, "");
  while (clock::now() < until && !interrupted) {
    const auto answer = run_load(loop, at, plan);
    if (answer && answer->failures == 0) return {};
    last = answer ? fail(errc::unavailable, answer->first_failure) : answer.err();
    loop.run_for(std::chrono::milliseconds(100));
  }
  return fail(last.code, "etcd was not ready in time: " + last.message);
}

}  // namespace

result<std::unique_ptr<bench_hub>> bench_hub::start(const std::string& folder, const std::string& program) {
  if (auto ok = fresh_folder(folder); !ok) return ok.err();
  auto made = std::make_unique<bench_hub>();
  made->folder_ = folder;
  hub_process_options o;
  // Benchmarks are built into a folder beside that of the programs.
  o.program = program.empty() ? own_program_folder() + "../bin/wheelhouse-hub" : program;
  o.data_dir = folder + "/hub-data";
  o.cancelled = [] { return interrupted.load(); };
  auto process = start_hub(o);
  if (!process) return process.err();
  made->process_ = std::move(*process);
  const auto& access = made->process_->access();
  auto config = access.tls;
  config.alpn = {"http/1.1"};
  auto tls = make_client_context(config, access.server.host);
  if (!tls) return tls.err();
  made->at_ = {access.server, std::move(*tls), common_headers(access.server)};
  return made;
}

bench_hub::~bench_hub() {
  if (process_) static_cast<void>(process_->kill9());
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

result<process_sample> bench_hub::sample() const {
  const auto pid = process_->pid();
  if (!pid) return fail(errc::not_found, "the hub has ended: " + process_->why_dead());
  return sample_process(*pid);
}

std::string bench_etcd::find_program() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (::access((folder + "/etcd").c_str(), X_OK) == 0) return folder + "/etcd";
  return {};
}

result<std::unique_ptr<bench_etcd>> bench_etcd::start(const std::string& folder, const std::string& program) {
  if (auto ok = fresh_folder(folder); !ok) return ok.err();
  auto client = port_reservation::take("127.0.0.1");
  if (!client) return client.err();
  auto peer = port_reservation::take("127.0.0.1");
  if (!peer) return peer.err();
  std::unique_ptr<bench_etcd> made(new bench_etcd(folder, std::move(*client), std::move(*peer)));
  const auto client_url = "http://" + made->client_.at().text(), peer_url = "http://" + made->peer_.at().text();
  auto process = child_process::start(
      {.program = program,
       .arguments = {"--data-dir", folder + "/etcd-data", "--listen-client-urls", client_url, "--advertise-client-urls",
                     client_url, "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
                     "--initial-cluster", "default=" + peer_url, "--log-level", "error", "--quota-backend-bytes",
                     "8589934592"},
       .log_file = folder + "/etcd.log"});
  if (!process) return process.err();
  made->process_ = std::move(*process);
  made->at_ = {made->client_.at(), nullptr, common_headers(made->client_.at())};
  if (auto ready = await_etcd(made->at_); !ready)
    return fail(ready.err().code, ready.err().message + "\n" + last_lines(folder + "/etcd.log", 5));
  return made;
}

bench_etcd::~bench_etcd() {
  process_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace wh::bench
