#pragma once
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "nodes/parts/secret_keys.hpp"
#include "persistence/verify.hpp"

namespace wh {

/// One store to verify: a folder in use by nobody, or a data file by itself.
struct data_check_target {
  std::string label;  ///< `store`, `agent`, `cluster`
  std::string dir;
  std::string file;
};

struct data_check_result {
  std::string label;
  std::string where;
  verify_report report;
  std::vector<std::string> notes;  ///< worth knowing, nothing wrong
};

/// Verifies a store, and that its objects are what their keys say: JSON, with that name and namespace, a uid of their own,
/// and owners that exist (those that do not are a note: the garbage collector has not come by yet).
result<data_check_result> check_data(const data_check_target& target, const std::shared_ptr<const key_ring>& keys);

/// For people, or (`json`) one document for programs. Returns the exit code: 0 when all is sound, else 1.
int print_data_checks(std::ostream& out, const std::vector<data_check_result>& results, bool json);

/// verify DIR for a node's stores: keys, checks, output; complains on `err` with `program` in front.
int run_data_checks(const std::string& program, const std::vector<data_check_target>& targets,
                    const std::string& key_option, const std::string& data_dir, bool json);

}  // namespace wh
