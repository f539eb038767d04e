// Handshakes of links per second, full and resumed, both ends in this process; in turns, so that a busy machine slows both.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>

#include "transport/net.hpp"

using namespace wh;

namespace {

constexpr int rounds = 5;
constexpr int handshakes = 1000;
constexpr int at_once = 32;

template <class T>
T must(result<T> r) {
  if (r) return *std::move(r);
  fmt::print(stderr, "handshake_bench: {}\n", r.err().message);
  std::exit(1);
}

instant now() { return std::chrono::time_point_cast<instant::duration>(std::chrono::system_clock::now()); }

key_and_cert issue(const key_and_cert& ca, bool server) {
  leaf_profile profile;
  profile.subj.common_name = server ? "hub" : "spoke";
  profile.server_auth = server;
  profile.client_auth = !server;
  profile.ip_addresses = {"127.0.0.1"};
  profile.not_before = now() - std::chrono::hours(1);
  profile.not_after = now() + std::chrono::hours(24);
  const auto key = must(generate_key());
  return {key, must(issue_for_key(ca, key, profile))};
}

/// The hub greets with a byte, so that the ticket is read; the spoke then closes.
struct greeted : connection_handler {
  explicit greeted(std::function<void()> f) : then(std::move(f)) {}
  void on_bytes(std::string_view) override {
    if (link) std::exchange(link, nullptr)->close();
  }
  void on_closed(const error&) override {
    link.reset();
    if (then) then();
  }
  std::shared_ptr<connection> link;
  std::function<void()> then;
};

struct figure {
  double per_second = 0;
  double cpu_us = 0;  ///< of both ends, for one handshake and its goodbye
  int resumed = 0;
};

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// Dials until enough have ended, `at_once` under way.
class round_of_dials {
 public:
  round_of_dials(event_loop& loop, const host_port& to, tls_config tls) : loop_(loop), to_(to), tls_(std::move(tls)) {}

  figure run(int count) {
    left_ = count;
    const auto began = std::chrono::steady_clock::now();
    const double cpu = cpu_seconds();
    for (int i = 0; i < std::min(at_once, count); ++i) dial();
    std::unique_lock lock(mutex_);
    all_.wait(lock, [&] { return ended_ == count; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    return {count / took.count(), (cpu_seconds() - cpu) / count * 1e6, resumed_};
  }

 private:
  void dial() {
    if (left_-- <= 0) return;
    dial_link(
        loop_, to_, tls_, std::chrono::seconds(30),
        [this](std::shared_ptr<connection> link) {
          if (link->peer().resumed) ++resumed_;
          auto handler = std::make_shared<greeted>([this] { end(); });
          handler->link = std::move(link);
          return handler;
        },
        [](const error& why) {
          fmt::print(stderr, "handshake_bench: {}\n", why.message);
          std::exit(1);
        });
  }
  void end() {
    dial();
    const std::lock_guard lock(mutex_);
    ++ended_;
    all_.notify_all();
  }

  event_loop& loop_;
  const host_port to_;
  const tls_config tls_;
  std::atomic<int> left_ = 0, resumed_ = 0;
  std::mutex mutex_;
  std::condition_variable all_;
  int ended_ = 0;
};

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of[of.size() / 2];
}

void print(const char* what, const std::vector<figure>& all) {
  std::vector<double> rates, cpu;
  for (const auto& each : all) {
    rates.push_back(each.per_second);
    cpu.push_back(each.cpu_us);
  }
  fmt::print("{:8} {:>8.0f} /s  {:>7.0f} us of processor, both ends\n", what, median(rates), median(cpu));
}

}  // namespace

int main() {
  const auto ca_key = must(generate_key());
  const key_and_cert ca{ca_key, must(make_ca_certificate(ca_key, "bench", now() - std::chrono::hours(1),
                                                         now() + std::chrono::hours(48)))};
  tls_config server;
  server.identity = issue(ca, true);
  server.chain_pem = server.trusted_ca_pem = ca.cert_pem;
  server.request_client_cert = true;
  tls_config client;
  client.identity = issue(ca, false);
  client.trusted_ca_pem = ca.cert_pem;

  event_loop at_hub(1), at_spoke(1);
  const accept_handler greet = [](std::shared_ptr<connection> link) {
    auto handler = std::make_shared<greeted>(nullptr);
    link->write("x");
    return handler;
  };
  const auto listen = [&](duration ticket_life) {
    return must(listen_link(at_hub, {"127.0.0.1", 0}, server, {.ticket_life = ticket_life}, greet));
  };
  const auto without = listen(duration::zero());
  const auto with = listen(std::chrono::hours(1));
  round_of_dials(at_spoke, with->local(), client).run(1);

  std::vector<figure> full, resumed;
  for (int i = 0; i < rounds; ++i) {
    full.push_back(round_of_dials(at_spoke, without->local(), client).run(handshakes));
    resumed.push_back(round_of_dials(at_spoke, with->local(), client).run(handshakes));
    if (full.back().resumed != 0 || resumed.back().resumed != handshakes) {
      fmt::print(stderr, "handshake_bench: {} of {} were resumed\n", resumed.back().resumed, handshakes);
      return 1;
    }
  }
  print("full", full);
  print("resumed", resumed);
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) ratios.push_back(resumed[i].cpu_us / full[i].cpu_us);
  fmt::print("resumed costs {:.2f} of full\n", median(ratios));
}
