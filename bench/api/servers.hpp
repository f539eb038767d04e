#pragma once
#include <memory>
#include <string>

#include "bench/api/line.hpp"
#include "sim/process/child_process.hpp"
#include "sim/process/hub_process.hpp"
#include "sim/process/port_reservation.hpp"
#include "sim/process/process_sampler.hpp"

namespace wh::bench {

/// A hub of our own on an empty folder, which goes with it.
class bench_hub {
 public:
  /// `folder` is made, and must be on the disk to measure. `program` empty: found beside the benchmark's build.
  static result<std::unique_ptr<bench_hub>> start(const std::string& folder, const std::string& program);
  ~bench_hub();

  const endpoint& at() const { return at_; }
  result<process_sample> sample() const;

 private:
  std::string folder_;
  std::unique_ptr<hub_process> process_;
  endpoint at_;
};

/// An etcd of our own with one member, likewise. It syncs each write, as it always does.
class bench_etcd {
 public:
  static result<std::unique_ptr<bench_etcd>> start(const std::string& folder, const std::string& program);
  ~bench_etcd();

  const endpoint& at() const { return at_; }
  result<process_sample> sample() const { return sample_process(process_->pid()); }
  /// Where etcd is; empty: nowhere in PATH.
  static std::string find_program();

 private:
  std::string folder_;
  port_reservation client_, peer_;
  std::unique_ptr<child_process> process_;
  endpoint at_;

  bench_etcd(std::string folder, port_reservation client, port_reservation peer)
      : folder_(std::move(folder)), client_(std::move(client)), peer_(std::move(peer)) {}
};

}  // namespace wh::bench
