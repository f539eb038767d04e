#include "apiserver/path.hpp"

#include <fmt/format.h>

#include "base/encoding.hpp"

namespace wh {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// One decoded segment, or why the request is refused.
answer<std::string> decode_segment(std::string_view raw) {
  auto text = percent_decode(raw, false);
  if (!text) return bad_request(fmt::format("the path segment {} has a broken percent escape", go_quote(raw)));
  if (text->find('\0') != std::string::npos || !is_utf8(*text))
    return bad_request("the path holds bytes that no name can have");
  if (text->find('/') != std::string::npos) return bad_request("a path segment may not contain an encoded slash");
  if (*text == "." || *text == "..") return bad_request(fmt::format("invalid path segment {}", go_quote(*text)));
  return std::move(*text);
}

answer<void> parse_query(std::string_view text, request_target& out) {
  while (!text.empty()) {
    auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    auto eq = pair.find('=');
    auto key = percent_decode(pair.substr(0, eq), true);
    auto value = percent_decode(eq == std::string_view::npos ? std::string_view{} : pair.substr(eq + 1), true);
    if (!key || !value || !is_utf8(*key) || !is_utf8(*value)) return bad_request("the query string is malformed");
    out.query.emplace(std::move(*key), std::move(*value));
  }
  return {};
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      int hi = hex_digit(text[i + 1]);
      int lo = hex_digit(text[i + 2]);
      if (hi < 0 || lo < 0) return std::nullopt;
      out += static_cast<char>(hi * 16 + lo);
      i += 2;
    } else {
      out += plus && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string_view request_target::param(std::string_view name) const {
  auto it = query.find(name);
  return it == query.end() ? std::string_view{} : std::string_view{it->second};
}

answer<request_target> parse_target(std::string_view target) {
  request_target out;
  target = target.substr(0, target.find('#'));
  auto question = target.find('?');
  auto path = target.substr(0, question);
  if (path.empty() || path.front() != '/') return bad_request("the request target must start with a slash");
  if (question != std::string_view::npos)
    if (auto ok = parse_query(target.substr(question + 1), out); !ok) return ok.err();
  auto rest = path.substr(1);
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  for (bool more = !rest.empty(); more;) {
    auto slash = rest.find('/');
    auto segment = decode_segment(rest.substr(0, slash));
    if (!segment) return segment.err();
    if (segment->empty()) return path_not_found();
    out.path += '/' + *segment;
    out.segments.push_back(std::move(*segment));
    more = slash != std::string_view::npos;
    if (more) rest.remove_prefix(slash + 1);
  }
  if (out.path.empty()) out.path = "/";
  return out;
}

std::optional<resource_path> parse_resource_path(const std::vector<std::string>& s) {
  resource_path out;
  std::size_t at = 0;
  if (s.size() >= 2 && s[0] == "api") {
    out.version = s[1];
    at = 2;
  } else if (s.size() >= 3 && s[0] == "apis") {
    out.group = s[1];
    out.version = s[2];
    at = 3;
  } else {
    return std::nullopt;
  }
  auto left = s.size() - at;
  bool of_namespace = left >= 3 && s[at] == "namespaces" &&
                      !(left == 3 && out.group.empty() && (s[at + 2] == "status" || s[at + 2] == "finalize"));
  if (of_namespace) {
    out.ns = s[at + 1];
    at += 2;
    left -= 2;
  }
  if (left > 3) return std::nullopt;
  if (left > 0) out.resource = s[at];
  if (left > 1) out.name = s[at + 1];
  if (left > 2) out.subresource = s[at + 2];
  return out;
}

answer<bool> bool_param(const request_target& target, std::string_view name) {
  auto v = target.param(name);
  if (v.empty()) return target.has(name) && name == "watch";  // `?watch` alone means watch, as in Kubernetes
  if (v == "1" || v == "t" || v == "T" || v == "true" || v == "TRUE" || v == "True") return true;
  if (v == "0" || v == "f" || v == "F" || v == "false" || v == "FALSE" || v == "False") return false;
  return bad_request(fmt::format("strconv.ParseBool: parsing {}: invalid syntax", go_quote(v)));
}

}  // namespace wh
