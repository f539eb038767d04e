#include "sim/process/hub_process.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>

#include "nodes/common/files.hpp"
#include "nodes/ctl/hub_client.hpp"
#include "sim/process/child_process.hpp"
#include "sim/process/port_reservation.hpp"

namespace wh {
namespace {

using clock = std::chrono::steady_clock;

constexpr auto ready_poll = std::chrono::milliseconds(20);
constexpr auto stop_poll = std::chrono::milliseconds(100);
constexpr duration request_timeout = std::chrono::seconds(10);
constexpr std::size_t log_lines = 12;
constexpr std::uint64_t log_bytes_max = 16384;
constexpr const char* cluster_info_path = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

std::uint64_t size_of_file(const std::string& path) {
  std::error_code absent;
  const auto size = std::filesystem::file_size(path, absent);
  return absent ? 0 : size;
}

result<void> ask_ready(http_client& http, const api_access& access, duration timeout) {
  const auto answer = http.request("GET", access.path_prefix + "/readyz", {}, {}, timeout);
  if (!answer) return answer.err();
  if (answer->status == 200) return {};
  return fail(errc::unavailable, "/readyz answers " + std::to_string(answer->status) + ": " + *answer->body);
}

result<ctl::hub_facts> ask_facts(http_client& http, const api_access& access) {
  ctl::hub_client hub(http, access, request_timeout);
  const auto info = hub.get(cluster_info_path);
  if (!info) return info.err();
  return ctl::read_hub_facts(*info);
}

class own_hub final : public hub_process {
 public:
  explicit own_hub(hub_process_options options) : options_(std::move(options)) {}

  result<void> begin();

  const api_access& access() const override { return access_; }
  const ctl::hub_facts& facts() const override { return facts_; }
  std::optional<pid_t> pid() const override;
  bool alive() const override;
  std::string why_dead() const override;
  result<void> kill9() override;
  result<void> restart() override;
  result<void> pause() override { return signal_it(SIGSTOP); }
  result<void> resume() override { return signal_it(SIGCONT); }
  result<void> stop() override;

 private:
  result<void> reserve_ports();
  result<void> launch();
  result<void> await_ready(const child_process& child);
  /// One look at a hub that is starting. True: it is ready; false: look again.
  result<bool> look(clock::time_point deadline, std::string& last_problem);
  result<void> signal_it(int signal);
  result<void> stop_locked();
  bool cancelled() const { return options_.cancelled && options_.cancelled(); }
  /// Waits for its end, as long as somebody wants that.
  bool ends_in_time(const child_process& child) const;
  std::shared_ptr<child_process> child() const;
  std::string last_words() const;

  hub_process_options options_;
  std::vector<port_reservation> ports_;
  api_access access_;
  ctl::hub_facts facts_;
  std::mutex operation_;      ///< held by whoever changes the process, while it does
  mutable std::mutex mutex_;  ///< guards what follows: looking must not wait for a restart
  std::shared_ptr<child_process> child_;
  std::uint64_t log_start_ = 0;  ///< where this process's log begins
};

result<void> own_hub::reserve_ports() {
  for (auto* at : {&options_.api_listen, &options_.link_listen}) {
    if (at->port != 0) continue;
    auto taken = port_reservation::take(at->host);
    if (!taken) return taken.err();
    *at = taken->at();
    ports_.push_back(std::move(*taken));
  }
  return {};
}

result<void> own_hub::begin() {
  if (options_.program.empty()) options_.program = own_program_folder() + "wheelhouse-hub";
  if (options_.log_file.empty()) options_.log_file = path_beside(options_.data_dir, "hub.log");
  if (auto ok = reserve_ports(); !ok) return ok;
  const std::lock_guard lock(operation_);
  return launch();
}

std::shared_ptr<child_process> own_hub::child() const {
  const std::lock_guard lock(mutex_);
  return child_;
}

std::string own_hub::last_words() const {
  std::unique_lock lock(mutex_);
  const auto from = log_start_;
  lock.unlock();
  const auto tail = last_lines(options_.log_file, log_lines, from);
  return tail.empty() ? "it wrote nothing to its log" : "its last words in " + options_.log_file + ":\n" + tail;
}

result<void> own_hub::launch() {
  // What an earlier process left there would be taken for this one's.
  std::remove((options_.data_dir + "/hub.json").c_str());
  const auto log_start = size_of_file(options_.log_file);
  child_options o{.program = options_.program,
                  .arguments = {"--data-dir", options_.data_dir, "--api-listen", options_.api_listen.text(),
                                "--link-listen", options_.link_listen.text()},
                  .log_file = options_.log_file};
  o.arguments.insert(o.arguments.end(), options_.flags.begin(), options_.flags.end());
  auto started = child_process::start(o);
  if (!started) return started.err();
  const std::shared_ptr<child_process> fresh = std::move(*started);
  {
    const std::lock_guard lock(mutex_);
    child_ = fresh;
    log_start_ = log_start;
  }
  auto ready = await_ready(*fresh);
  // A hub that never became ready is no hub: why_dead() then tells of this kill.
  if (!ready && fresh->send_signal(SIGKILL)) fresh->wait(options_.stop_timeout);
  return ready;
}

result<void> own_hub::await_ready(const child_process& child) {
  const auto deadline = clock::now() + options_.ready_timeout;
  std::string last_problem = "it has not written hub.json";
  while (clock::now() < deadline) {
    if (const auto end = child.wait(ready_poll))
      return fail(errc::unavailable, "the hub ended before it was ready (" + end->text() + "); " + last_words());
    if (cancelled()) return fail(errc::unavailable, "interrupted while the hub was starting");
    const auto ready = look(deadline, last_problem);
    if (!ready) return ready.err();
    if (*ready) return {};
  }
  return fail(errc::timeout, "the hub was not ready within " + human_duration(options_.ready_timeout) + ": " +
                                 last_problem + "; " + last_words());
}

result<bool> own_hub::look(clock::time_point deadline, std::string& last_problem) {
  if (!file_exists(options_.data_dir + "/hub.json")) return false;
  auto access = read_kubeconfig(options_.data_dir + "/admin.kubeconfig");
  if (!access) return access.err();
  const auto http = make_http_client(access->server, access->tls);
  const auto left = std::chrono::duration_cast<duration>(deadline - clock::now());
  if (auto ready = ask_ready(*http, *access, std::min(left, request_timeout)); !ready) {
    last_problem = ready.err().message;
    return false;
  }
  // Callers hold references to both; a restart at the same addresses with the same CA changes neither.
  if (!facts_.link.empty()) return true;
  auto facts = ask_facts(*http, *access);
  if (!facts) return facts.err();
  access_ = std::move(*access);
  facts_ = std::move(*facts);
  return true;
}

std::optional<pid_t> own_hub::pid() const {
  const auto now = child();
  if (!now || now->ended()) return std::nullopt;
  return now->pid();
}

bool own_hub::alive() const { return pid().has_value(); }

std::string own_hub::why_dead() const {
  const auto now = child();
  const auto end = now ? now->ended() : std::nullopt;
  return end ? end->text() + "; " + last_words() : "";
}

result<void> own_hub::kill9() {
  const std::lock_guard lock(operation_);
  const auto now = child();
  if (auto sent = now->send_signal(SIGKILL); !sent) return sent;
  if (!now->wait(options_.stop_timeout)) return fail(errc::timeout, "the hub survives SIGKILL");
  return {};
}

result<void> own_hub::restart() {
  const std::lock_guard lock(operation_);
  if (auto stopped = stop_locked(); !stopped) return stopped;
  return launch();
}

result<void> own_hub::signal_it(int signal) {
  const std::lock_guard lock(operation_);
  return child()->send_signal(signal);
}

result<void> own_hub::stop() {
  const std::lock_guard lock(operation_);
  return stop_locked();
}

bool own_hub::ends_in_time(const child_process& child) const {
  const auto deadline = clock::now() + options_.stop_timeout;
  while (clock::now() < deadline && !cancelled())
    if (child.wait(stop_poll)) return true;
  return false;
}

result<void> own_hub::stop_locked() {
  const auto now = child();
  // It may end between any two of the following, which is what we want.
  if (!now->send_signal(SIGTERM) || !now->send_signal(SIGCONT)) return {};
  if (ends_in_time(*now)) return {};
  static_cast<void>(now->send_signal(SIGKILL));
  now->wait(options_.stop_timeout);
  return fail(errc::timeout, "the hub did not stop within " + human_duration(options_.stop_timeout) +
                                 " of SIGTERM and was killed; " + last_words());
}

class attached_hub final : public hub_process {
 public:
  attached_hub(api_access access, ctl::hub_facts facts) : access_(std::move(access)), facts_(std::move(facts)) {}

  const api_access& access() const override { return access_; }
  const ctl::hub_facts& facts() const override { return facts_; }
  std::optional<pid_t> pid() const override { return std::nullopt; }
  bool alive() const override { return true; }
  std::string why_dead() const override { return ""; }
  result<void> kill9() override { return not_ours("killed"); }
  result<void> restart() override { return not_ours("restarted"); }
  result<void> pause() override { return not_ours("paused"); }
  result<void> resume() override { return not_ours("resumed"); }
  result<void> stop() override { return not_ours("stopped"); }

 private:
  result<void> not_ours(const std::string& what) const {
    return fail(errc::unsupported, "the hub at " + access_.server.text() + " (from " + access_.origin +
                                       ") was not started here and cannot be " + what);
  }

  api_access access_;
  ctl::hub_facts facts_;
};

}  // namespace

result<std::unique_ptr<hub_process>> start_hub(hub_process_options options) {
  auto made = std::make_unique<own_hub>(std::move(options));
  if (auto ok = made->begin(); !ok) return ok.err();
  return std::unique_ptr<hub_process>(std::move(made));
}

result<std::unique_ptr<hub_process>> attach_hub(const std::string& kubeconfig) {
  auto access = read_kubeconfig(kubeconfig);
  if (!access) return access.err();
  const auto http = make_http_client(access->server, access->tls);
  auto facts = ask_facts(*http, *access);
  if (!facts) return facts.err();
  return std::unique_ptr<hub_process>(std::make_unique<attached_hub>(std::move(*access), std::move(*facts)));
}

std::string last_lines(const std::string& path, std::size_t lines, std::uint64_t from) {
  std::ifstream file(path, std::ios::binary);
  const auto size = size_of_file(path);
  from = std::max(from, size - std::min(size, log_bytes_max));
  if (!file || from >= size) return "";
  std::string text(size - from, '\0');
  file.seekg(static_cast<std::streamoff>(from));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  while (text.ends_with('\n')) text.pop_back();
  std::size_t begin = text.size();
  for (std::size_t n = 0; n < lines && begin != std::string::npos; ++n)
    begin = begin == 0 ? std::string::npos : text.rfind('\n', begin - 1);
  return begin == std::string::npos ? text : text.substr(begin + 1);
}

}  // namespace wh
