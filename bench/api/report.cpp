#include "bench/api/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "nodes/common/files.hpp"

namespace wh::bench {
namespace {

std::string cell(const row& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return "-";
  if (!value.is_number_float()) return value.dump();
  const double n = value.get<double>();
  return n >= 1000 || n <= -1000 ? fmt::format("{:.0f}", n) : fmt::format("{:.2f}", n);
}

void print_table(const std::vector<row>& rows) {
  std::map<std::string, std::size_t> widths;
  for (const auto& each : rows)
    for (const auto& [name, value] : each.items())
      widths[name] = std::max({widths[name], name.size(), cell(value).size()});
  const auto print = [&](const row& each, bool names) {
    std::string text;
    // Words stand left, numbers right.
    for (const auto& [name, value] : each.items())
      text += value.is_string() ? fmt::format("{:<{}}  ", names ? name : cell(value), widths[name])
                                : fmt::format("{:>{}}  ", names ? name : cell(value), widths[name]);
    fmt::print("{}\n", text);
  };
  if (!rows.empty()) print(rows.front(), true);
  for (const auto& each : rows) print(each, false);
}

}  // namespace

void report::say(const std::string& progress) const { fmt::print(stderr, "{}\n", progress); }

void report::add_table(const std::string& part, const std::string& title, const std::vector<row>& rows) {
  fmt::print("\n{}\n", title);
  print_table(rows);
  std::fflush(stdout);
  parts_[part] = rows;
}

void report::add_goal(goal g) { goals_.push_back(std::move(g)); }

void report::print_goals() const {
  if (goals_.empty()) return;
  fmt::print("\ngoals\n");
  std::vector<row> rows;
  for (const auto& g : goals_)
    rows.push_back({{"what", g.what},
                    {"measured", g.measured},
                    {"at most", g.at_most},
                    {"unit", g.unit},
                    {"", g.met() ? "met" : "MISSED"}});
  print_table(rows);
}

result<void> report::write(const std::string& path, const row& settings) const {
  row out = {{"settings", settings}, {"parts", parts_}, {"goals", row::array()}};
  for (const auto& g : goals_)
    out["goals"].push_back(
        {{"what", g.what}, {"unit", g.unit}, {"atMost", g.at_most}, {"measured", g.measured}, {"met", g.met()}});
  return write_file_atomically(path, out.dump(2) + "\n", 0644);
}

}  // namespace wh::bench
