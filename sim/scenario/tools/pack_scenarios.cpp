// Puts the files of sim/scenarios/ into a C++ source, comments included, so that the program can run and print them without
// being installed: pack_scenarios <out.cpp> <in.yaml>...
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr const char* delimiter = "wh~";

int give_up(const std::string& file, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", file.c_str(), why.c_str());
  return 1;
}

int write_entry(std::ofstream& out, const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.empty()) return give_up(file, "cannot be read, or is empty");
  if (text.find(std::string(")") + delimiter) != std::string::npos) return give_up(file, "holds the delimiter");
  out << "    {" << file.stem() << ", R\"" << delimiter << "(" << text << ")" << delimiter << "\"},\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return give_up("pack_scenarios", "usage: pack_scenarios <out.cpp> <in.yaml>...");
  std::vector<std::filesystem::path> files(argv + 2, argv + argc);
  std::sort(files.begin(), files.end());
  std::ofstream out(argv[1], std::ios::binary);
  out << "// Made from sim/scenarios/ by sim/scenario/tools/pack_scenarios.cpp.\n"
         "#include \"sim/scenario/internal/packed_scenarios.hpp\"\n\nnamespace wh::internal {\n\n"
         "const std::vector<builtin_scenario_info>& packed_scenarios() {\n"
         "  static const std::vector<builtin_scenario_info> all = {\n";
  for (const auto& file : files)
    if (const int failed = write_entry(out, file)) return failed;
  out << "  };\n  return all;\n}\n\n}  // namespace wh::internal\n";
  return out.good() ? 0 : give_up(argv[1], "cannot be written");
}
