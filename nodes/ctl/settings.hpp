#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "nodes/ctl/accept.hpp"
#include "nodes/ctl/backup.hpp"
#include "nodes/ctl/clusters.hpp"
#include "nodes/ctl/commands.hpp"
#include "nodes/ctl/detach.hpp"
#include "nodes/ctl/import.hpp"
#include "nodes/ctl/join_token.hpp"
#include "nodes/ctl/tokens.hpp"
#include "nodes/ctl/user.hpp"
#include "nodes/ctl/work.hpp"

namespace wh::ctl {

inline constexpr std::size_t arguments_max = 10000;

/// Everything that flags can set, with its defaults.
struct settings {
  std::string kubeconfig;
  std::string format = "table";
  duration request_timeout = std::chrono::seconds(30);
  token_options token;
  std::uint64_t token_uses = 0;
  accept_options accept;
  detach_options detach;
  import_options takeover;
  revoke_token_options revoke;
  get_options get;
  work_options work;
  delete_work_options removal;
  backup_options backup;
  create_user_options user;
  bool client_only = false;
  std::vector<std::string> arguments;
};

/// Prints a sentence about the command line or the way to the hub; returns `exit_code`.
int complain(const ctl_streams& streams, const std::string& what, int exit_code);

output_format format_of(const std::string& name);

/// Finds the hub and hands a console to the command.
int with_hub(const settings& s, const ctl_streams& streams, const std::function<int(console&)>& run);

// What adds the commands, by what they are about. `s` and `streams` must outlive the parsing.
void add_get(command& whctl, settings& s, const ctl_streams& streams);
void add_membership(command& whctl, settings& s, const ctl_streams& streams);
void add_create(command& whctl, settings& s, const ctl_streams& streams);
void add_delete(command& whctl, settings& s, const ctl_streams& streams);
void add_import(command& whctl, settings& s, const ctl_streams& streams);
void add_upkeep(command& whctl, settings& s, const ctl_streams& streams);

}  // namespace wh::ctl
