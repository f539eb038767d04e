#include "sim/process/process_sampler.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "sim/process/proc_text.hpp"

namespace wh {
namespace {

result<std::uint64_t> count_descriptors(const std::string& folder) {
  std::error_code failed;
  std::filesystem::directory_iterator entry(folder, failed);
  std::uint64_t n = 0;
  for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) ++n;
  if (failed) return fail(errc::io, "cannot read " + folder + ": " + failed.message());
  return n;
}

error about(const std::string& path, const error& why) { return fail(why.code, path + ": " + why.message); }

result<process_sample> sample(const std::string& folder, const sampling& what) {
  process_sample s;
  const auto status = read_kernel_file(folder + "status");
  if (!status) return status.err();
  const auto memory = parse_proc_status(*status);
  if (!memory) return about(folder + "status", memory.err());
  s.memory = *memory;
  const auto stat = read_kernel_file(folder + "stat");
  if (!stat) return stat.err();
  const auto cpu = parse_proc_stat(*stat, static_cast<double>(::sysconf(_SC_CLK_TCK)));
  if (!cpu) return about(folder + "stat", cpu.err());
  s.cpu = *cpu;
  if (const auto io = read_kernel_file(folder + "io"))
    if (const auto disk = parse_proc_io(*io)) s.disk = *disk;
  const auto open = count_descriptors(folder + "fd");
  if (!open) return open.err();
  s.open_descriptors = *open;
  if (!what.pss) return s;
  const auto rollup = read_kernel_file(folder + "smaps_rollup");
  if (!rollup) return rollup.err();
  const auto pss = parse_pss_bytes(*rollup);
  if (!pss) return about(folder + "smaps_rollup", pss.err());
  s.pss_bytes = *pss;
  return s;
}

}  // namespace

result<std::string> read_kernel_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    const int why = errno;
    return fail(why == ENOENT || why == ESRCH ? errc::not_found : errc::io,
                "cannot read " + path + ": " + std::strerror(why));
  }
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

result<proc_status> parse_proc_status(std::string_view text) {
  proc_status s;
  const auto threads = line_number(text, "Threads");
  if (!threads) return threads.err();
  s.threads = *threads;
  // A process that is ending has no memory any more, and no lines about it.
  if (!line_value(text, "RssAnon")) return s;
  const auto anon = line_number(text, "RssAnon");
  if (!anon) return anon.err();
  const auto file = line_number(text, "RssFile");
  if (!file) return file.err();
  s.rss_anon_bytes = *anon;
  s.rss_file_bytes = *file;
  return s;
}

result<proc_times> parse_proc_stat(std::string_view text, double ticks_per_second) {
  const auto bracket = text.rfind(')');
  if (bracket == std::string_view::npos) return fail(errc::corrupt, "no process name in brackets");
  std::istringstream rest{std::string(text.substr(bracket + 1))};
  std::vector<std::string> fields;
  for (std::string field; fields.size() < 13 && rest >> field;) fields.push_back(std::move(field));
  // The first field after the name is the third of proc(5); utime and stime are its 14th and 15th.
  const auto user = fields.size() == 13 ? whole_number(fields[11]) : std::nullopt;
  const auto system = fields.size() == 13 ? whole_number(fields[12]) : std::nullopt;
  if (!user || !system) return fail(errc::corrupt, "no utime and stime");
  return proc_times{.user_s = static_cast<double>(*user) / ticks_per_second,
                    .system_s = static_cast<double>(*system) / ticks_per_second};
}

result<proc_io> parse_proc_io(std::string_view text) {
  const auto in = line_number(text, "read_bytes");
  if (!in) return in.err();
  const auto out = line_number(text, "write_bytes");
  if (!out) return out.err();
  return proc_io{.read_bytes = *in, .write_bytes = *out};
}

result<std::uint64_t> parse_pss_bytes(std::string_view text) { return line_number(text, "Pss"); }

result<process_sample> sample_process(pid_t pid, const sampling& what) {
  return sample("/proc/" + std::to_string(pid) + "/", what);
}

result<process_sample> sample_self(const sampling& what) { return sample("/proc/self/", what); }

}  // namespace wh
