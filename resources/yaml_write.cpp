#include <algorithm>

#include "resources/document.hpp"
#include "resources/internal/yaml_scalar.hpp"

namespace wh {
namespace {

constexpr auto replace_bad_utf8 = document::error_handler_t::replace;

std::string quoted(const std::string& text) {
  auto out = document(text).dump(-1, ' ', false, replace_bad_utf8);
  // JSON lets this one stand as it is, YAML does not.
  for (auto at = out.find('\x7f'); at != std::string::npos; at = out.find('\x7f', at)) out.replace(at, 1, "\\u007f");
  return out;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Words that older YAML readers take for booleans: quoted, so that no reader is misled.
bool is_old_boolean(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  constexpr std::string_view words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"};
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

// Some readers know more kinds of numbers (1_000, 12:30:45) and dates than the core schema does.
bool looks_like_number_or_date(const std::string& text) {
  return std::string_view("0123456789+-.").find(text.front()) != std::string_view::npos &&
         text.find_first_not_of("0123456789+-.:_abcdefxABCDEFTZ ") == std::string::npos;
}

/// Plain style is used for texts whose reading is beyond doubt, not for all that YAML would allow.
bool is_plain(const std::string& text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
  if (std::string_view("-?:,[]{}#&*!|>'\"%@`=<~").find(text.front()) != std::string_view::npos) return false;
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return is_control(c) || static_cast<unsigned char>(c) >= 0x80; })) {
    return false;
  }
  if (text.starts_with("...")) return false;  // would end the document
  if (text.find(": ") != std::string::npos || text.find(" #") != std::string::npos) return false;
  if (text.find_first_of("[]{},") != std::string::npos) return false;
  if (is_old_boolean(text) || looks_like_number_or_date(text)) return false;
  const auto value = internal::resolve_plain_scalar(text);
  return value && value->is_string();
}

/// Literal blocks (`|`) keep several lines readable; only where every byte survives.
bool is_literal(const std::string& text) {
  if (text.find('\n') == std::string::npos || text.front() == ' ' || text.front() == '\n' || text.front() == '\t')
    return false;
  if (std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\n'; })) return false;
  // U+0085, U+2028, U+2029 and the byte order mark are breaks or marks to some readers.
  for (const char* odd : {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"}) {
    if (text.find(odd) != std::string::npos) return false;
  }
  return text.find(" \n") == std::string::npos && text.back() != ' ' && !text.ends_with("\n\n");
}

class yaml_writer {
 public:
  std::string out;

  /// Writes what follows `key:` or `-`; collections start on the next line at `indent`.
  void value(const document& doc, std::size_t indent, bool after_dash) {
    if (doc.is_object() && !doc.empty()) return members(doc, indent, after_dash);
    if (doc.is_array() && !doc.empty()) return entries(doc, indent, after_dash);
    if (!out.empty()) out += ' ';
    scalar(doc, indent);
    out += '\n';
  }

  void members(const document& doc, std::size_t indent, bool inline_first) {
    if (!inline_first && !out.empty()) out += '\n';
    bool first = inline_first;
    for (const auto& [key, member] : doc.items()) {
      if (first) {
        out += ' ';
      } else {
        out.append(indent, ' ');
      }
      first = false;
      out += is_plain(key) ? key : quoted(key);
      out += ':';
      // Lists are not indented under their key: kubectl's layout.
      value(member, member.is_array() ? indent : indent + 2, false);
    }
  }

  void entries(const document& doc, std::size_t indent, bool inline_first) {
    if (!inline_first && !out.empty()) out += '\n';
    bool first = inline_first;
    for (const auto& entry : doc) {
      if (first) {
        out += ' ';
      } else {
        out.append(indent, ' ');
      }
      first = false;
      out += '-';
      value(entry, indent + 2, true);
    }
  }

 private:
  void scalar(const document& doc, std::size_t indent) {
    if (!doc.is_string()) {
      out += doc.dump();
      return;
    }
    const auto& text = doc.get_ref<const std::string&>();
    if (is_plain(text)) {
      out += text;
    } else if (is_literal(text)) {
      literal(text, indent);
    } else {
      out += quoted(text);
    }
  }

  void literal(std::string_view text, std::size_t indent) {
    const bool ends_line = text.ends_with('\n');
    out += ends_line ? "|" : "|-";
    if (ends_line) text.remove_suffix(1);
    while (true) {
      const auto end = text.find('\n');
      out += '\n';
      if (end != 0) out.append(std::max<std::size_t>(indent, 2), ' ');
      out += text.substr(0, end);
      if (end == std::string_view::npos) break;
      text.remove_prefix(end + 1);
    }
  }
};

}  // namespace

std::string to_yaml(const document& doc) {
  yaml_writer writer;
  if (doc.is_object() && !doc.empty()) {
    writer.members(doc, 0, false);
  } else if (doc.is_array() && !doc.empty()) {
    writer.entries(doc, 0, false);
  } else {
    writer.value(doc, 0, false);
  }
  return std::move(writer.out);
}

}  // namespace wh
