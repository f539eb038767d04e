#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/report/compare.hpp"
#include "sim/report/numbers.hpp"

namespace wh::sim_report {
namespace {

constexpr std::size_t columns = 5;
using cells = std::array<std::string, columns>;

/// Characters on screen: UTF-8 continuation bytes take no place.
std::size_t width_of(std::string_view content) {
  return static_cast<std::size_t>(std::count_if(content.begin(), content.end(),
                                                [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Names come from files: no control character of theirs may reach the terminal.
std::string harmless(std::string content) {
  for (auto& c : content)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return content;
}

std::string ratio_text(const compared_row& row) {
  const auto ratio = ratio_of(row);
  return ratio ? fmt::format("{:.{}f}x", *ratio, *ratio < 10 ? 2 : 0) : "-";
}

std::string mark_of(trend c) {
  switch (c) {
    case trend::better: return "+ better";
    case trend::worse: return "! worse";
    case trend::same: return "=";
    case trend::unknown: break;
  }
  return "";
}

std::string_view colour_of(trend c) {
  if (c == trend::better) return "\033[32m";
  if (c == trend::worse) return "\033[31m";
  return {};
}

std::string value_text(const compared_row& row, std::optional<double> value) {
  if (!value) return "-";
  return show(*value * row.scale, row.shown_as);
}

cells cells_of(const compared_row& row) {
  return {harmless(row.name), value_text(row, row.a), value_text(row, row.b), ratio_text(row), mark_of(trend_of(row))};
}

/// The name is left, numbers are right, so that digits stand below each other.
std::string line_of(const cells& c, const std::array<std::size_t, columns>& widths, std::string_view colour) {
  std::string out = c[0] + std::string(widths[0] - width_of(c[0]), ' ');
  for (std::size_t i = 1; i < columns - 1; ++i) out += std::string(widths[i] - width_of(c[i]) + 3, ' ') + c[i];
  if (!c.back().empty()) out += "   " + (colour.empty() ? c.back() : std::string(colour) + c.back() + "\033[0m");
  return out + "\n";
}

std::string summary_of(const comparison& both) {
  const auto count = [&](trend wanted) {
    return std::count_if(both.rows.begin(), both.rows.end(),
                         [&](const compared_row& row) { return trend_of(row) == wanted; });
  };
  return fmt::format("\n{} better, {} worse, {} within {:.0f} %, {} in one run only\n", count(trend::better),
                     count(trend::worse), count(trend::same), same_within * 100, count(trend::unknown));
}

}  // namespace

std::string render(const comparison& both, bool colour) {
  std::string out;
  for (const auto& [name, value] : both.same)
    out += (out.empty() ? "both: " : ", ") + harmless(name) + " " + (value.empty() ? "-" : harmless(value));
  if (!out.empty()) out += "\n";
  if (!both.not_alike.empty()) out += "NOT ALIKE, so figures below may differ for these reasons (A | B):\n";
  for (const auto& difference : both.not_alike) out += "  " + harmless(difference) + "\n";
  std::array<std::size_t, columns> widths{};
  const cells head = {"FIGURE", "A", "B", "B/A", ""};
  const auto widen = [&](const cells& c) {
    for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], width_of(c[i]));
  };
  widen(head);
  for (const auto& row : both.rows) widen(cells_of(row));
  out += "\n" + line_of(head, widths, {});
  for (const auto& row : both.rows)
    out += line_of(cells_of(row), widths, colour ? colour_of(trend_of(row)) : std::string_view());
  return out + summary_of(both);
}

}  // namespace wh::sim_report
