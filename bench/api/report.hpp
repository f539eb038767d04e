#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace wh::bench {

/// One line of a table: values by column, in the order in which they are shown.
using row = nlohmann::ordered_json;

/// A figure against its goal, which it must not exceed.
struct goal {
  std::string what;
  std::string unit;
  double at_most = 0;
  double measured = 0;
  bool met() const { return measured <= at_most; }
};

/// What a run found: tables for people on stdout, and all of it as JSON.
class report {
 public:
  void say(const std::string& progress) const;  ///< on stderr
  /// Prints a table and keeps it. The rows have the same columns.
  void add_table(const std::string& part, const std::string& title, const std::vector<row>& rows);
  void add_goal(goal g);
  void print_goals() const;
  result<void> write(const std::string& path, const row& settings) const;

 private:
  row parts_ = row::object();
  std::vector<goal> goals_;
};

}  // namespace wh::bench
