#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "nodes/common/descriptors.hpp"
#include "nodes/common/logging.hpp"
#include "nodes/common/options.hpp"
#include "nodes/hub/hub.hpp"
#include "nodes/hub/hub_offline.hpp"
#include "nodes/parts/node_log.hpp"
#include "nodes/parts/store_commands.hpp"

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
  wh::add_link_options(program, o.link);
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
  program.add({.name = "feature-gates",
               .value = "NAME=BOOL,...",
               .help = "Optional behaviour to switch: DefaultClusterSet (on), ManagedClusterAutoApproval (off)",
               .group = "Registration"},
              o.feature_gates);
  program.add({.name = "certificate-life",
               .value = "DURATION",
               .help = "Life of client certificates that the hub signs",
               .group = "Limits"},
              o.certificate_life);
  program.add({.name = "event-ttl",
               .value = "DURATION",
               .help = "How long Events are kept after the last that was said in them",
               .group = "Limits"},
              o.event_life);
  program.add(
      {.name = "auto-approved-csr-users",
       .value = "USERS",
       .help = "Whose clusters are let in without a person, with feature gate ManagedClusterAutoApproval: a,b,c",
       .group = "Registration"},
      o.auto_approved_csr_users);
  program.add({.name = "cluster-auto-approval-users",
               .value = "USERS",
               .help = "The older name of --auto-approved-csr-users, which replaces it",
               .group = "Registration"},
              o.cluster_auto_approval_users);
  program.add(
      {.name = "store-quota", .value = "MIB", .help = "Where the store turns read-only, in MiB", .group = "Store"},
      o.store_quota_mib);
  program.add({.name = "history-age",
               .value = "DURATION",
               .help = "How long changes are kept for watches and lists; 0s: no limit by age",
               .group = "Store"},
              o.history_age);
  program.add({.name = "history-changes",
               .value = "N",
               .help = "How many changes are kept at most; 0: no limit by number",
               .group = "Store"},
              o.history_changes);
  wh::add_key_file_option(program, o.encryption_key_file);
  program.add({.name = "backup-dir",
               .value = "DIR",
               .help = "Folder for scheduled backups; none are made without it",
               .group = "Backups"},
              o.backup_dir);
  program.add({.name = "backup-interval",
               .value = "DURATION",
               .help = "How often a scheduled backup is made",
               .group = "Backups"},
              o.backup_interval);
  program.add({.name = "backup-keep", .value = "N", .help = "How many scheduled backups are kept", .group = "Backups"},
              o.backup_keep);
  wh::add_front_options(program, o.front);
  wh::add_access_options(program, o.access);
  wh::add_log_options(program, log);
}

/// Commands for a data folder that no hub runs on.
struct offline_options {
  std::vector<std::string> arguments;
  std::string backup;
  std::string format = "text";
};

void add_offline_commands(wh::command& program, const wh::hub_options& o, offline_options& more) {
  auto& verify = wh::add_verify_command(
      program, "Check a stopped hub's data folder, or a backup file, and change nothing", more.format, [&](bool json) {
        if (!more.backup.empty()) return wh::verify_backup(more.backup, o.encryption_key_file, o.data_dir, json);
        if (!o.data_dir.empty()) return wh::verify_hub(o.data_dir, o.encryption_key_file, json);
        std::fprintf(stderr, "wheelhouse-hub: verify needs --data-dir DIR or --backup FILE\n");
        return wh::exit_usage;
      });
  verify.add({.name = "backup", .value = "FILE", .help = "Check this backup instead of the data folder"}, more.backup);
  verify.may_lack("data-dir");
  auto& restore = program.subcommand("restore", "Make a data folder from a backup file");
  restore.arguments("FILE", more.arguments, 1, 1);
  restore.inherits({"data-dir", "encryption-key-file"});
  restore.footer(
      "The folder must be empty or absent. The restored hub has a new history: spokes notice, sync anew, and lose nothing.");
  restore.action([&] { return wh::restore_hub(more.arguments.front(), o.data_dir, o.encryption_key_file); });
  wh::add_new_key_command(program, o.encryption_key_file, o.data_dir);
}

int serve(const wh::hub_options& options, const wh::log_options& log) {
  if (auto ok = wh::setup_logging(log, "hub"); !ok) {
    std::fprintf(stderr, "wheelhouse-hub: %s\n", ok.err().message.c_str());
    return wh::exit_usage;
  }
  // Each spoke holds a connection. A hub that may not have as many still serves those that fit.
  if (auto raised = wh::raise_descriptor_limit(); !raised) wh::log_error("hub", raised.err().message);
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
  offline_options offline;
  add_offline_commands(program, options, offline);
  program.action([&] {
    if (auto ok = wh::validate(options); !ok) {
      std::fprintf(stderr, "wheelhouse-hub: %s\n", ok.err().message.c_str());
      return wh::exit_usage;
    }
    return serve(options, log);
  });
  return wh::run_command(program, argc, argv);
}
