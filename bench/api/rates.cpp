// Reads and durable writes a second, of the hub and of etcd on the same disk.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.hpp"
#include "bench/api/parts.hpp"

namespace wh::bench {
namespace {

/// One thing that is measured: requests of one kind, by one server.
struct contest {
  std::string operation;
  bool of_etcd = false;
  std::function<request(std::size_t connection, std::uint64_t n)> next;
};

std::string writer_name(std::size_t connection) { return fmt::format("writer-{}", connection); }

std::vector<contest> contests(const settings& s, std::uint64_t& serial) {
  const auto cluster = [](std::size_t c) { return std::string(clusters_path) + "/" + cluster_name(c); };
  std::vector<contest> all;
  all.push_back({"get", false, [=](std::size_t c, std::uint64_t) { return request{"GET", cluster(c)}; }});
  all.push_back(
      {"put", false, [&s, &serial](std::size_t c, std::uint64_t) {
         const auto name = writer_name(c);
         return request{"PUT", std::string(configs_path) + "/" + name, config_body(name, s.body_bytes, ++serial)};
       }});
  all.push_back({"patch", false, [=, &serial](std::size_t c, std::uint64_t) {
                   return request{"PATCH", cluster(c),
                                  fmt::format(R"({{"metadata":{{"labels":{{"bench":"{}"}}}}}})", ++serial),
                                  merge_patch_type};
                 }});
  all.push_back({"create", false, [&s, &serial](std::size_t, std::uint64_t) {
                   const auto n = ++serial;
                   return request{"POST", configs_path, config_body(fmt::format("made-{}", n), s.body_bytes, n)};
                 }});
  all.push_back({"etcd", true, [&s, &serial](std::size_t c, std::uint64_t) {
                   const auto name = writer_name(c);
                   return request{"POST", "/v3/kv/put",
                                  fmt::format(R"({{"key":"{}","value":"{}"}})", to_base64("/configmaps/" + name),
                                              to_base64(config_body(name, s.body_bytes, ++serial)))};
                 }});
  std::erase_if(all, [&s](const contest& c) {
    const auto& wanted = s.operations;
    return (c.of_etcd && s.etcd_program.empty()) ||
           std::find(wanted.begin(), wanted.end(), c.operation) == wanted.end();
  });
  return all;
}

bool wants_etcd(const settings& s) {
  return std::find(s.operations.begin(), s.operations.end(), "etcd") != s.operations.end();
}

result<void> make_objects(client_loop& loop, const endpoint& hub, const settings& s, std::size_t count) {
  if (auto ok = create_clusters(loop, hub, count); !ok) return ok;
  load_plan plan{.connections = 1, .requests = count, .next = [&s](std::size_t, std::uint64_t n) {
                   return request{"POST", configs_path, config_body(writer_name(n), s.body_bytes, 0)};
                 }};
  const auto made = run_sound_load(loop, hub, plan);
  return made ? result<void>() : made.err();
}

/// Medians over the rounds.
struct medians {
  std::vector<double> rate, p50, p99, cpu_us;
  void take(const load_result& r, double cpu_s) {
    cpu_us.push_back(cpu_s * 1e6 / static_cast<double>(r.answers));
    rate.push_back(r.per_second());
    p50.push_back(quantile(r.ms, 0.5));
    p99.push_back(quantile(r.ms, 0.99));
  }
};

result<std::vector<row>> run_rounds(client_loop& loop, const settings& s, const report& out, std::size_t connections,
                                    const bench_hub& hub, const bench_etcd* etcd, std::uint64_t& serial) {
  const auto all = contests(s, serial);
  const auto cpu_s = [&](const contest& c) {
    const auto sample = c.of_etcd ? etcd->sample() : hub.sample();
    return sample ? sample->cpu_s() : 0;
  };
  std::vector<medians> found(all.size());
  for (std::uint64_t round = 0; round < s.rounds; ++round)
    for (std::size_t i = 0; i < all.size(); ++i) {
      load_plan plan{.connections = connections, .warm_up = s.time / 10, .time = s.time, .next = all[i].next};
      const double before = cpu_s(all[i]);
      auto ran = run_sound_load(loop, all[i].of_etcd ? etcd->at() : hub.at(), plan);
      if (!ran) return fail(ran.err().code, all[i].operation + ": " + ran.err().message);
      out.say(fmt::format("rates: {} connections, round {} of {}, {}: {:.0f}/s", connections, round + 1, s.rounds,
                          all[i].operation, ran->per_second()));
      found[i].take(*ran, cpu_s(all[i]) - before);
    }
  const double etcd_rate = etcd != nullptr ? median(found.back().rate) : 0;
  std::vector<row> rows;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double rate = median(found[i].rate);
    const bool compared = etcd != nullptr && all[i].operation != "get";
    rows.push_back({{"server", all[i].of_etcd ? "etcd" : "hub"},
                    {"operation", all[i].of_etcd ? "put" : all[i].operation},
                    {"connections", connections},
                    {"per second", rate},
                    {"p50 ms", median(found[i].p50)},
                    {"p99 ms", median(found[i].p99)},
                    {"server us", median(found[i].cpu_us)},
                    {"of etcd's rate", compared ? row(rate / etcd_rate) : row(nullptr)}});
  }
  return rows;
}

}  // namespace

result<void> measure_rates(const settings& s, report& out) {
  out.say("rates: starting servers");
  const auto hub = bench_hub::start(s.folder + "/rates-hub", s.hub_program);
  if (!hub) return hub.err();
  std::unique_ptr<bench_etcd> etcd;
  if (!s.etcd_program.empty()) {
    auto started = bench_etcd::start(s.folder + "/rates-etcd", s.etcd_program);
    if (!started) return started.err();
    etcd = std::move(*started);
  }
  client_loop loop;
  std::size_t most = 1;
  for (const auto each : s.connections) most = std::max(most, each);
  if (auto ok = make_objects(loop, (*hub)->at(), s, most); !ok) return ok;
  std::uint64_t serial = 0;
  std::vector<row> rows;
  for (const auto each : s.connections) {
    auto found = run_rounds(loop, s, out, each, **hub, etcd.get(), serial);
    if (!found) return found.err();
    rows.insert(rows.end(), found->begin(), found->end());
  }
  const std::string left_out = etcd || !wants_etcd(s) ? "" : "; etcd was not found and is left out";
  out.add_table("rates",
                fmt::format("reads and durable writes, {} bytes of data, medians of {} rounds of {}{}", s.body_bytes,
                            s.rounds, human_duration(s.time), left_out),
                rows);
  return {};
}

}  // namespace wh::bench
