#pragma once
#include <map>
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"
#include "nodes/ctl/import_kinds.hpp"

namespace wh::ctl {

struct import_options {
  std::string from = {};                   ///< kubeconfig of the source
  std::string context = {};                ///< in it; empty: the current one
  bool apply = false;                      ///< else a dry run
  bool overwrite = false;                  ///< change what is here and differs
  bool with_owned = false;                 ///< also works that a replica set or an add-on made
  std::vector<std::string> only = {};      ///< parts (see importable_parts); empty: all
  std::vector<std::string> clusters = {};  ///< only these, and only their works; empty: all
};

/// What became, or would become, of one object.
enum class import_action {
  create,     ///< it is not here
  same,       ///< it is here
  differs,    ///< it is here and says something else; nothing is done without --overwrite
  overwrite,  ///< it says something else, and is changed
  leave_out,  ///< it is not to be taken
  fail        ///< it cannot be taken
};

struct import_row {
  std::string kind;
  std::string ns;
  std::string name;
  import_action action = import_action::create;
  std::string reason = {};
};

/// All that an import found out and did.
struct import_report {
  std::vector<import_row> rows;
  std::vector<std::string> notes;     ///< what the source or this hub lacks
  std::vector<std::string> failures;  ///< what could not be read at all, and what ended the import early
  bool failed() const;
};

/// `whctl import`: reads clusters, sets, bindings, placements and works from another hub and creates them here, or says
/// what it would do. What is here already is never changed unless asked for, so that it can be run again after anything that
/// went wrong. exit_failure if something cannot be taken.
int import_hub(console& c, hub_client& source, const import_options& options);

/// The table and the sentences below it, or the same for programs.
void print_import(console& c, const import_report& report, const import_options& options, const std::string& source);

}  // namespace wh::ctl
