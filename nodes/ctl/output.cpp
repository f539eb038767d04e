#include "nodes/ctl/output.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace wh::ctl {
namespace {

/// Characters on screen: UTF-8 continuation bytes take no place.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string_view colour_of(std::string_view cell) {
  if (cell == "True") return "\033[32m";
  if (cell == "False") return "\033[31m";
  if (cell == "Unknown" || cell == "Pending") return "\033[33m";
  return {};
}

std::string painted(const std::string& cell, bool colour) {
  const auto code = colour ? colour_of(cell) : std::string_view();
  return code.empty() ? cell : std::string(code) + cell + "\033[0m";
}

void hide_owners(document& object) {
  if (!object.is_object()) return;
  if (auto meta = object.find("metadata"); meta != object.end() && meta->is_object()) meta->erase("managedFields");
}

}  // namespace

std::string printable(std::string text, bool keep_lines) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters, too: c2 80 to c2 9f.
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) text.replace(i, 2, "?");
    else if ((byte < 0x20 || byte == 0x7f) && !(keep_lines && byte == '\n')) text[i] = '?';
  }
  return text;
}

void text_table::row(std::vector<std::string> cells) {
  WH_ASSERT(cells.size() == headers_.size());
  for (auto& cell : cells) cell = printable(std::move(cell));
  rows_.push_back(std::move(cells));
}

std::string text_table::render(bool colour) const {
  std::vector<std::size_t> widths;
  for (const auto& header : headers_) widths.push_back(width_of(header));
  for (const auto& cells : rows_)
    for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], width_of(cells[i]));
  std::string out;
  const auto add_line = [&](const std::vector<std::string>& cells, bool paint) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      out += painted(cells[i], paint);
      if (i + 1 < cells.size()) out += std::string(widths[i] - width_of(cells[i]) + 3, ' ');
    }
    out += '\n';
  };
  add_line(headers_, false);
  for (const auto& cells : rows_) add_line(cells, colour);
  return out;
}

std::string print_document(document doc, output_format format) {
  hide_owners(doc);
  if (auto items = doc.is_object() ? doc.find("items") : doc.end(); items != doc.end() && items->is_array())
    for (auto& item : *items) hide_owners(item);
  auto text = format == output_format::yaml ? to_yaml(doc) : doc.dump(4);
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

document list_document(std::vector<document> items) {
  return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", document(std::move(items))}};
}

std::string age_of(const document& doc, instant now) {
  const auto created = parse_rfc3339(string_at(doc, {"metadata", "creationTimestamp"}));
  if (!created) return "<unknown>";
  return human_duration(std::max(now - *created, duration::zero()));
}

std::string labels_text(const document& doc) {
  std::string text;
  if (const auto* labels = find_path(doc, {"metadata", "labels"}); labels && labels->is_object()) {
    for (const auto& [key, value] : labels->items())
      text += (text.empty() ? "" : ",") + key + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text.empty() ? "<none>" : text;
}

std::string condition_cell(const document& doc, std::string_view type) {
  const auto* conditions = find_path(doc, {"status", "conditions"});
  const auto* found = conditions ? find_condition(*conditions, type) : nullptr;
  if (!found) return "-";
  const auto observed = int_at(*found, {"observedGeneration"}, 0);
  if (observed != 0 && observed < generation_of(doc).get()) return "Pending";
  return std::string(string_at(*found, {"status"}));
}

}  // namespace wh::ctl
