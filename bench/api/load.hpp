#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/api/line.hpp"

namespace wh::bench {

struct request {
  std::string method = "GET";
  std::string target;
  std::string body = {};
  std::string content_type = "application/json";
};

/// Requests over `connections` connections, each sending the next one as soon as it has its answer.
struct load_plan {
  std::size_t connections = 1;
  clock::duration warm_up = std::chrono::milliseconds(200);
  clock::duration time = std::chrono::seconds(2);  ///< measured after the warm-up
  std::uint64_t requests = 0;                      ///< not zero: so many, however long they take; all are measured
  std::function<request(std::size_t connection, std::uint64_t n)> next;  ///< `n` counts over all connections
};

struct load_result {
  double seconds = 0;
  std::uint64_t answers = 0;  ///< all of them, the warm-up's included
  std::vector<double> ms;     ///< of each answer, from its request's sending; sorted
  std::uint64_t failures = 0;
  std::string first_failure = {};
  double per_second() const { return seconds > 0 ? static_cast<double>(ms.size()) / seconds : 0; }
};

/// Runs it; an error when the connections cannot be made or the server ends one. Answers other than 2xx are failures.
result<load_result> run_load(client_loop& loop, const endpoint& to, const load_plan& plan);

/// The value below which `share` of the sorted values lie; 0 of none.
double quantile(const std::vector<double>& sorted, double share);
double median(std::vector<double> values);

double ms_between(clock::time_point from, clock::time_point to);

}  // namespace wh::bench
