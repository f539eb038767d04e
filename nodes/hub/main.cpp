#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "nodes/common/logging.hpp"
#include "nodes/common/options.hpp"
#include "nodes/hub/hub.hpp"
#include "nodes/parts/node_log.hpp"

namespace {

void add_options(wh::command& program, wh::hub_options& o, wh::log_options& log) {
  program.add({.name = "data-dir", .value = "DIR", .help = "Folder for everything the hub keeps", .required = true},
              o.data_dir);
  program.add({.name = "api-listen",
               .value = "HOST:PORT",
               .help = "Where kubectl and other API clients connect; port 0: any free",
               .group = "Network"},
              o.api_listen);
  program.add({.name = "link-listen",
               .value = "HOST:PORT",
               .help = "Where spokes connect; port 0: any free",
               .group = "Network"},
              o.link_listen);
  program.add({.name = "api-advertise",
               .value = "HOST:PORT",
               .help = "API address told to clients, if another than api-listen",
               .group = "Network"},
              o.api_advertise);
  program.add({.name = "link-advertise",
               .value = "HOST:PORT",
               .help = "Address told to spokes, if another than link-listen",
               .group = "Network"},
              o.link_advertise);
  program.add({.name = "tls-san",
               .value = "NAME",
               .help = "Further names or addresses in the server certificate",
               .group = "Network"},
              o.tls_san);
  program.add({.name = "manifest-limit",
               .value = "KIB",
               .help = "Largest sum of manifests in one ManifestWork, in KiB",
               .group = "Limits"},
              o.manifest_limit_kib);
  program.add({.name = "certificate-life",
               .value = "DURATION",
               .help = "Life of client certificates that the hub signs",
               .group = "Limits"},
              o.certificate_life);
  wh::add_log_options(program, log);
}

int serve(const wh::hub_options& options, const wh::log_options& log) {
  if (auto ok = wh::setup_logging(log, "hub"); !ok) {
    std::fprintf(stderr, "wheelhouse-hub: %s\n", ok.err().message.c_str());
    return wh::exit_usage;
  }
  auto started = wh::hub::start(options);
  if (!started) {
    wh::log_error("hub", started.err().message);
    return 1;
  }
  auto& hub = **started;
  std::mutex mutex;
  std::condition_variable ended;
  bool end = false;
  hub.loop().on_terminate([&](int) {
    std::lock_guard lock(mutex);
    end = true;
    ended.notify_all();
  });
  wh::log_info("hub", "ready: api https://" + hub.api_address().text() + ", link " + hub.link_address().text());
  std::unique_lock lock(mutex);
  ended.wait(lock, [&] { return end; });
  lock.unlock();
  wh::log_info("hub", "stopping");
  hub.stop();
  wh::log_info("hub", "stopped");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  wh::hub_options options;
  wh::log_options log;
  wh::command program("wheelhouse-hub", "The hub: keeps what every cluster should be, and what it is.");
  add_options(program, options, log);
  program.action([&] {
    if (auto ok = wh::validate(options); !ok) {
      std::fprintf(stderr, "wheelhouse-hub: %s\n", ok.err().message.c_str());
      return wh::exit_usage;
    }
    return serve(options, log);
  });
  return wh::run_command(program, argc, argv);
}
