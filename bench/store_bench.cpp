// What the store costs over bare LMDB: the same puts, on the same disk, in the same run.
//   store_bench [folder] [seconds per row]
//   store_bench row FOLDER SECONDS WRITERS BATCH BODY_BYTES     one row: puts/s, p50 and p99 in ms, for bench/etcd_bench
#include <fmt/format.h>
#include <lmdb.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/encoding.hpp"
#include "persistence/store.hpp"

using namespace wh;

namespace {

using clock_type = std::chrono::steady_clock;

std::size_t body_bytes = 1024;
constexpr int objects_per_writer = 1000;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

object_key key_of(int writer_index, int n) {
  return {"manifestworks.work.open-cluster-management.io", fmt::format("cluster-{:05}", writer_index),
          fmt::format("work-{:05}", n % objects_per_writer)};
}

struct rates {
  double batches = 0;
  double puts = 0;
  double group = 0;      ///< batches a commit
  double commit_ms = 0;  ///< of the writer's time, syncs included; the rest is handing over
  std::vector<double> latency_ms;
};

double percentile(std::vector<double>& samples, double p) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  return samples[static_cast<std::size_t>(p * static_cast<double>(samples.size() - 1))];
}

/// One writer that waits for each of its batches, as an actor whose sends are held does.
void write_until(store& s, int index, int batch_size, const std::atomic<bool>& stop, rates& out) {
  const shared_bytes body = share(std::string(body_bytes, 'x'));
  for (int n = 0; !stop; n += batch_size) {
    batch b;
    for (int i = 0; i < batch_size; ++i) b.puts.push_back({key_of(index, n + i), body, namespace_phase::active});
    std::promise<bool> done;
    const auto start = clock_type::now();
    s.submit(std::move(b), [&done](const result<commit>& r) { done.set_value(r.ok()); });
    if (!done.get_future().get()) std::abort();
    out.latency_ms.push_back(seconds_since(start) * 1000);
    out.batches += 1;
    out.puts += batch_size;
  }
}

rates run_store(const std::string& dir, int writers, int batch_size, double seconds) {
  std::filesystem::remove_all(dir);
  lmdb_options options;
  options.dir = dir;
  const auto opened = open_lmdb_store(options);
  if (!opened) {
    fmt::print(stderr, "{}\n", opened.err().message);
    std::exit(1);
  }
  std::atomic<bool> stop{false};
  std::vector<rates> each(static_cast<std::size_t>(writers));
  std::vector<std::thread> threads;
  const auto start = clock_type::now();
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] { write_until(**opened, w, batch_size, stop, each[static_cast<std::size_t>(w)]); });
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& t : threads) t.join();
  const double elapsed = seconds_since(start);
  rates total;
  for (rates& r : each) {
    total.batches += r.batches / elapsed;
    total.puts += r.puts / elapsed;
    total.latency_ms.insert(total.latency_ms.end(), r.latency_ms.begin(), r.latency_ms.end());
  }
  const store_figures f = (*opened)->figures();
  total.group = static_cast<double>(f.batches) / static_cast<double>(std::max<std::uint64_t>(f.commits, 1));
  total.commit_ms =
      static_cast<double>(f.commit_micros) / 1000 / static_cast<double>(std::max<std::uint64_t>(f.commits, 1));
  return total;
}

void check(int rc) {
  if (rc == 0) return;
  fmt::print(stderr, "lmdb: {}\n", mdb_strerror(rc));
  std::exit(1);
}

/// Bare LMDB, one thread, one table of current bodies, `puts_per_txn` puts in a transaction.
rates run_lmdb(const std::string& dir, int puts_per_txn, double seconds) {
  std::filesystem::remove_all(dir);
  std::filesystem::create_directories(dir);
  MDB_env* env = nullptr;
  check(mdb_env_create(&env));
  check(mdb_env_set_mapsize(env, std::size_t{1} << 34));
  check(mdb_env_open(env, dir.c_str(), 0, 0600));
  std::string body(body_bytes, 'x');
  rates out;
  const auto start = clock_type::now();
  for (int n = 0; seconds_since(start) < seconds;) {
    MDB_txn* txn = nullptr;
    MDB_dbi table = 0;
    check(mdb_txn_begin(env, nullptr, 0, &txn));
    check(mdb_dbi_open(txn, nullptr, 0, &table));
    for (int i = 0; i < puts_per_txn; ++i, ++n) {
      std::string key = to_string(key_of(i, n / std::max(puts_per_txn, 1)));
      MDB_val k{key.size(), key.data()};
      MDB_val v{body.size(), body.data()};
      check(mdb_put(txn, table, &k, &v, 0));
    }
    check(mdb_txn_commit(txn));
    out.batches += 1;
    out.puts += puts_per_txn;
  }
  const double elapsed = seconds_since(start);
  mdb_env_close(env);
  out.batches /= elapsed;
  out.puts /= elapsed;
  return out;
}

void measure_commits(const std::string& folder, double seconds) {
  fmt::print("{} byte bodies, every batch durable before its writer goes on\n\n", body_bytes);
  fmt::print("{:>8} {:>6} | {:>10} {:>10} {:>7} {:>10} {:>8} {:>8} | {:>18} {:>6}\n", "writers", "batch", "batches/s",
             "puts/s", "group", "commit ms", "p50 ms", "p99 ms", "bare LMDB puts/s", "share");
  for (const auto& [writers, batch_size] :
       std::vector<std::pair<int, int>>{{1, 1}, {1, 10}, {1, 100}, {8, 1}, {8, 10}, {64, 1}, {64, 10}, {256, 1}}) {
    rates s = run_store(folder + "/store", writers, batch_size, seconds);
    // The greatest group that can form: what all writers have in flight.
    const rates bare = run_lmdb(folder + "/bare", writers * batch_size, seconds);
    fmt::print("{:>8} {:>6} | {:>10.0f} {:>10.0f} {:>7.1f} {:>10.3f} {:>8.2f} {:>8.2f} | {:>18.0f} {:>5.0f}%\n",
               writers, batch_size, s.batches, s.puts, s.group, s.commit_ms, percentile(s.latency_ms, 0.5),
               percentile(s.latency_ms, 0.99), bare.puts, 100 * s.puts / bare.puts);
  }
}

double cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

/// The best of several runs in milliseconds of processor time, which a busy machine disturbs least.
template <class Run>
double best_ms(Run run) {
  double best = 1e9;
  for (int i = 0; i < 7; ++i) {
    const double start = cpu_ms();
    run();
    best = std::min(best, cpu_ms() - start);
  }
  return best;
}

void measure_reads(const std::string& folder) {
  std::filesystem::remove_all(folder + "/store");
  lmdb_options options;
  options.dir = folder + "/store";
  options.sync = false;
  const auto s = open_lmdb_store(options);
  const auto put_all = [&](int versions) {
    for (int v = 0; v < versions; ++v) {
      std::promise<void> done;
      for (int n = 0; n < 10000; ++n) {
        batch b;
        b.puts.push_back({key_of(n / 10, n), share(std::string(body_bytes, 'y')), namespace_phase::active});
        (*s)->submit(std::move(b), [&done, n](const result<commit>&) {
          if (n == 9999) done.set_value();
        });
      }
      done.get_future().get();
    }
  };
  const auto list_all = [&] {
    if ((*s)->list({"manifestworks.work.open-cluster-management.io", "", ""})->records.size() != 10000) std::abort();
  };
  const auto get_all = [&] {
    for (int n = 0; n < 10000; ++n)
      if (!*(*s)->get(key_of(n / 10, n))) std::abort();
  };
  put_all(1);
  fmt::print("\nprocessor time\n10000 objects, one version each: list {:.1f} ms, 10000 gets {:.1f} ms\n",
             best_ms(list_all), best_ms(get_all));
  put_all(9);
  fmt::print("10000 objects, ten versions each: list {:.1f} ms, 10000 gets {:.1f} ms\n", best_ms(list_all),
             best_ms(get_all));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 7 && std::string_view(argv[1]) == "row") {
    body_bytes = static_cast<std::size_t>(std::atoi(argv[6]));
    rates r = run_store(argv[2], std::atoi(argv[4]), std::atoi(argv[5]), std::atof(argv[3]));
    fmt::print("{:.1f} {:.3f} {:.3f}\n", r.puts, percentile(r.latency_ms, 0.5), percentile(r.latency_ms, 0.99));
    std::filesystem::remove_all(argv[2]);
    return 0;
  }
  if (argc > 1 && argv[1][0] == '-') {
    fmt::print("usage: store_bench [folder] [seconds per row]\n");
    return std::string_view(argv[1]) == "--help" ? 0 : 2;
  }
  const std::string folder = argc > 1 ? argv[1] : (std::filesystem::temp_directory_path() / "store_bench").string();
  const double seconds = argc > 2 ? std::atof(argv[2]) : 2.0;
  std::filesystem::create_directories(folder);
  measure_commits(folder, seconds);
  measure_reads(folder);
  std::filesystem::remove_all(folder + "/store");
  std::filesystem::remove_all(folder + "/bare");
  return 0;
}
