#include "sim/live/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "sim/report/numbers.hpp"
#include "sim/report/report_html.hpp"

namespace wh {

using namespace sim_report;

namespace {

constexpr std::size_t bar_width = 28;

std::string bar_of(double share) {
  const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * bar_width);
  std::string bar(filled, '#');
  return bar + std::string(bar_width - filled, '.');
}

std::string eta_of(const live_progress& p) {
  if (p.done <= 0 || p.done >= p.wanted || p.seconds < 1) return "";
  return fmt::format(", {:.0f} s left", p.seconds * (p.wanted - p.done) / p.done);
}

const char* word_of(verdict v) {
  switch (v) {
    case verdict::met: return "met";
    case verdict::missed: return "MISSED";
    case verdict::not_run: return "-";
    default: return "";
  }
}

std::string goal_of(const run_results& r, const headline_field& f) {
  const auto it = r.goals.find(f.name);
  if (it == r.goals.end()) return "";
  return fmt::format("{} {}", it->second.wanted == direction::at_least ? ">=" : "<=", show(f, it->second.limit));
}

}  // namespace

terminal::terminal(bool quiet)
    : quiet_(quiet), live_(::isatty(STDERR_FILENO) == 1), colour_(::isatty(STDOUT_FILENO) == 1) {}

void terminal::line(const std::string& text) {
  finish();
  if (!quiet_) std::fprintf(stderr, "%s\n", text.c_str());
}

live_listener terminal::listener() {
  return {.say = [this](const std::string& text) { line(text); },
          .progress = [this](const live_progress& p) { show(p); },
          .phase_done = [this](const phase_result& p) { show_phase(p); }};
}

void terminal::show(const live_progress& p) {
  const auto now = clock::now();
  if (quiet_ || now - shown_ < (live_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000))) return;
  shown_ = now;
  const double share = p.wanted > 0 ? p.done / p.wanted : 0;
  const double rate = p.seconds > 0 ? p.done / p.seconds : 0;
  const std::string text = fmt::format("{:>2}/{} {:<8} [{}] {:.0f}/{:.0f} {}, {:.0f}/s{}", p.number, p.phases, p.phase,
                                       bar_of(share), p.done, p.wanted, p.unit, rate, eta_of(p));
  if (live_) std::fprintf(stderr, "\r\033[K%s", text.c_str());
  else std::fprintf(stderr, "%s\n", text.c_str());
  std::fflush(stderr);
  bar_ = live_;
}

void terminal::finish() {
  if (bar_) std::fputs("\r\033[K", stderr);
  bar_ = false;
}

void terminal::show_phase(const phase_result& p) {
  std::string text = fmt::format("{:<8} {:>7} of {:>7} {:<12} {:>8.2f} s", p.name, show_count(p.done),
                                 show_count(p.wanted), p.unit, p.ends_s - p.begins_s);
  if (!p.client.empty())
    text += fmt::format("   p50 {}  p99 {}  max {}", sim_report::show(p.client.percentile(50)),
                        sim_report::show(p.client.percentile(99)), sim_report::show(p.client.max()));
  line(text);
  if (!p.skipped.empty()) line("         not done: " + p.skipped);
  for (const auto& problem : p.problems) line("         problem: " + problem);
}

void terminal::conclude(const run_results& r, const std::string& folder) {
  fmt::print("\n");
  for (const auto& f : headline_fields()) {
    const auto& value = r.head.*(f.member);
    const auto v = judge(r, f);
    const char* colour = !colour_ ? "" : v == verdict::met ? "\033[32m" : v == verdict::missed ? "\033[31m" : "";
    fmt::print("{:<32} {:>14}  {:<14} {}{}{}\n", f.name, value ? sim_report::show(f, *value) : "-", goal_of(r, f),
               colour, word_of(v), colour_ ? "\033[0m" : "");
  }
  for (const auto& problem : r.problems) fmt::print("problem: {}\n", problem);
  fmt::print("\nreport: {}/{}\n", folder, report_file_name);
}

}  // namespace wh
