#include "sim/report/markup.hpp"

#include "base/encoding.hpp"

namespace wh::sim_report {
namespace {

std::string escaped(std::string_view content) {
  const bool sound = is_utf8(content);
  std::string out;
  out.reserve(content.size());
  for (const char c : content) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n':
      case '\t': out += c; break;
      default: out += byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !sound) ? '?' : c;
    }
  }
  return out;
}

}  // namespace

markup text(std::string_view content) { return {escaped(content)}; }

markup element(std::string_view name, const attributes& with, const markup& inside) {
  std::string code = "<" + std::string(name);
  for (const auto& [key, value] : with) code += " " + std::string(key) + "=\"" + escaped(value) + "\"";
  return {code + ">" + inside.code + "</" + std::string(name) + ">"};
}

}  // namespace wh::sim_report
