// What a change costs when many watch it: 10,000 readers of the committed feed through the API's watches.
//   watch_bench [readers] [changes]
#include <fmt/format.h>
#include <time.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/api.hpp"

using namespace wh;

namespace {

double cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

double wall_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

/// A client that takes everything at once.
class reader final : public api_reply {
 public:
  explicit reader(std::atomic<std::uint64_t>& events) : events_(events) {}
  void respond(api_response) override { std::abort(); }
  void start_stream(int, std::map<std::string, std::string>) override {}
  void write(shared_bytes chunk) override {
    bytes_ += chunk->size();
    events_.fetch_add(1, std::memory_order_relaxed);
  }
  void finish() override {}
  std::size_t unsent() const override { return 0; }
  bool alive() const override { return true; }
  void on_done(std::function<void()>) override {}

 private:
  std::atomic<std::uint64_t>& events_;
  std::uint64_t bytes_ = 0;
};

class everything final : public authorizer {
 public:
  bool allows(const access_question&) const override { return true; }
};

void put(store& s, int n) {
  std::promise<void> done;
  batch b;
  const std::string name = "c" + std::to_string(n % 100);
  b.puts.push_back(
      {{"configmaps", "default", name},
       share(R"({"metadata":{"name":")" + name + R"(","namespace":"default"},"apiVersion":"v1","data":{"value":")" +
             std::string(1000, 'x') + R"("},"kind":"ConfigMap"})"),
       namespace_phase::active});
  s.submit(std::move(b), [&](const result<commit>& r) {
    if (!r) std::abort();
    done.set_value();
  });
  done.get_future().get();
}

void measure(std::size_t readers, int changes) {
  const std::string dir = (std::filesystem::temp_directory_path() / "watch_bench").string();
  std::filesystem::remove_all(dir);
  lmdb_options options;
  options.dir = dir;
  const auto data = *open_lmdb_store(options);
  kind_registry kinds;
  add_builtin_kinds(kinds, kind_set::hub);
  everything access;
  const auto gate = make_store_gate(*data);
  api_options o;
  o.data = data.get();
  o.kinds = &kinds;
  o.gate = gate.get();
  o.access = &access;
  o.now = [] { return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()); };
  const auto server = make_api_server(o);
  std::atomic<std::uint64_t> events{0};
  for (std::size_t i = 0; i < readers; ++i) {
    api_request r;
    r.method = "GET";
    r.target =
        "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=" + std::to_string(data->window().current.get());
    r.user = {"bench", {"system:masters"}};
    server->handle(std::move(r), std::make_shared<reader>(events));
  }
  const double wall = wall_ms();
  const double cpu = cpu_ms();
  for (int n = 0; n < changes; ++n) put(*data, n);
  const std::uint64_t wanted = static_cast<std::uint64_t>(changes) * readers;
  while (events < wanted) {
    timespec pause{0, 100'000};
    ::nanosleep(&pause, nullptr);
  }
  const double took = wall_ms() - wall;
  const double used = cpu_ms() - cpu;
  fmt::print("{:>8} {:>8} | {:>10.2f} {:>12.3f} {:>12.0f}\n", readers, changes, took / changes, used / changes,
             readers == 0 ? 0.0 : used / static_cast<double>(wanted) * 1e6);
  server->drain();
  std::filesystem::remove_all(dir);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t readers = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  const int changes = argc > 2 ? std::atoi(argv[2]) : 200;
  fmt::print("{:>8} {:>8} | {:>10} {:>12} {:>12}\n", "readers", "changes", "ms/change", "cpu ms/change", "ns/event");
  for (const std::size_t n : {std::size_t{0}, readers / 100, readers / 10, readers}) measure(n, changes);
  return 0;
}
