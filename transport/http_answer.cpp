#include "transport/http_answer.hpp"

#include <fmt/format.h>

#include "transport/beast.hpp"

namespace wh {
namespace {

bool is_framing(std::string_view name) {
  return name == "content-length" || name == "transfer-encoding" || name == "connection";
}

void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool bodiless(int status) { return status == 204 || status == 304 || status / 100 == 1; }

std::string chunk_head(std::size_t n) { return fmt::format("{:x}\r\n", n); }

std::string answer_head(int status, const std::map<std::string, std::string>& headers, body_framing framing,
                        std::size_t length, const answer_form& form) {
  const auto reason = beast_http::obsolete_reason(beast_http::int_to_status(static_cast<unsigned>(status)));
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", status, std::string_view(reason.data(), reason.size()));
  for (const auto& [name, value] : headers) {
    if (is_framing(lower_case(name))) continue;
    append_clean(head, name);
    head += ": ";
    append_clean(head, value);
    head += "\r\n";
  }
  if (framing == body_framing::chunked) head += "transfer-encoding: chunked\r\n";
  if (framing == body_framing::sized && !bodiless(status)) head += fmt::format("content-length: {}\r\n", length);
  if (!form.keep_alive) head += "connection: close\r\n";
  else if (form.http10) head += "connection: keep-alive\r\n";
  head += "\r\n";
  return head;
}

}  // namespace wh
