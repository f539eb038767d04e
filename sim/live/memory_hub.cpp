#include "sim/live/memory_hub.hpp"

#include <mutex>

#include "nodes/common/logging.hpp"
#include "nodes/hub/hub.hpp"

namespace wh {
namespace {

/// The hub must not be what limits a run: how many clusters fit has been checked before.
constexpr std::size_t connections_max = 1'000'000;

class memory_hub final : public hub_process {
 public:
  memory_hub(const memory_hub_options& options, memory_network& net) {
    options_.data_dir = options.data_dir;
    options_.api_listen.port = 0;
    options_.listen_links = [&net](event_loop& loop, const host_port& at, const tls_config& tls,
                                   accept_handler on_accept) {
      return net.listen(loop, at, tls, {.connections_max = connections_max}, std::move(on_accept));
    };
  }

  result<void> begin() {
    if (auto ok = launch(); !ok) return ok;
    auto found = attach_hub(options_.data_dir + "/admin.kubeconfig");
    if (!found) return found.err();
    as_client_ = std::move(*found);
    return {};
  }

  const api_access& access() const override { return as_client_->access(); }
  const ctl::hub_facts& facts() const override { return as_client_->facts(); }
  std::optional<pid_t> pid() const override { return std::nullopt; }
  bool alive() const override {
    const std::lock_guard lock(mutex_);
    return hub_ != nullptr;
  }
  std::string why_dead() const override { return alive() ? "" : "it was stopped"; }
  result<void> kill9() override { return no_process("killed"); }
  result<void> pause() override { return no_process("paused"); }
  result<void> resume() override { return no_process("resumed"); }
  result<void> restart() override {
    if (auto ok = stop(); !ok) return ok;
    return launch();
  }
  result<void> stop() override {
    std::unique_ptr<hub> ending;
    const std::lock_guard operation(operation_);
    {
      const std::lock_guard lock(mutex_);
      ending = std::move(hub_);
    }
    if (ending) ending->stop();
    return {};
  }

 private:
  result<void> launch() {
    const std::lock_guard operation(operation_);
    auto started = hub::start(options_);
    if (!started) return started.err();
    const std::lock_guard lock(mutex_);
    hub_ = std::move(*started);
    // Found there again after a restart.
    options_.api_listen = hub_->api_address();
    return {};
  }

  static error no_process(const std::string& what) {
    return fail(errc::unsupported, "the hub shares the simulator's process (--transport memory) and cannot be " + what);
  }

  hub_options options_;
  std::unique_ptr<hub_process> as_client_;
  std::mutex operation_;      ///< held by whoever starts or stops the hub, while it does
  mutable std::mutex mutex_;  ///< guards what follows: looking must not wait for a restart
  std::unique_ptr<hub> hub_;
};

}  // namespace

result<std::unique_ptr<hub_process>> start_memory_hub(memory_hub_options options, memory_network& net) {
  if (auto ok = setup_logging({.file = options.log_file}, "hub"); !ok) return ok.err();
  auto made = std::make_unique<memory_hub>(options, net);
  if (auto ok = made->begin(); !ok) return ok.err();
  return std::unique_ptr<hub_process>(std::move(made));
}

}  // namespace wh
