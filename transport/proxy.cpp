#include "transport/proxy.hpp"

#include <algorithm>
#include <cerrno>

#include "base/encoding.hpp"

namespace wh {
namespace {

constexpr std::size_t credentials_bytes_max = 4096;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(errc::malformed, "a % in user or password is not followed by two hex digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

/// Bytes from outside, as they may stand in a log line.
std::string quoted(std::string_view bytes) {
  constexpr std::size_t shown_max = 60;
  std::string out = "'";
  for (const char c : bytes.substr(0, shown_max)) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out + (bytes.size() > shown_max ? "...'" : "'");
}

connect_answer refused(std::string why) {
  return {connect_answer::state::refused, fail(errc::unavailable, std::move(why))};
}

connect_answer judge_status(int status, std::string_view reason) {
  if (status >= 200 && status < 300) return {connect_answer::state::opened, {}};
  std::string said = std::to_string(status);
  if (!reason.empty()) said += " " + quoted(reason);
  if (status == 407)
    return refused("the proxy wants a user and password, or others than these (" + said +
                   "): see --hub-proxy-credentials-file");
  if (status == 403) return refused("the proxy does not allow a tunnel to the hub (" + said + ")");
  return refused("the proxy answers " + said);
}

bool digit(char c) { return c >= '0' && c <= '9'; }

/// `HTTP/1.1 200 reason`
connect_answer judge_status_line(std::string_view line) {
  const bool http = line.starts_with("HTTP/1.") && line.size() >= 12 && digit(line[7]) && line[8] == ' ' &&
                    digit(line[9]) && digit(line[10]) && digit(line[11]) && (line.size() == 12 || line[12] == ' ');
  if (!http) return refused("no HTTP proxy is there, it answers " + quoted(line));
  const int status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return judge_status(status, line.size() > 13 ? line.substr(13) : std::string_view());
}

/// As far as anything has come, it might become a status line.
bool begins_like_http(std::string_view head) {
  constexpr std::string_view start = "HTTP/1.";
  return head.substr(0, start.size()) == start.substr(0, head.size());
}

}  // namespace

std::string proxy_config::text() const { return (tls ? "https://" : "http://") + at.text(); }

result<void> check_proxy_credentials(std::string_view credentials) {
  const auto wrong = [](const char* why) { return fail(errc::invalid, std::string("proxy credentials: ") + why); };
  if (credentials.size() > credentials_bytes_max) return wrong("longer than 4096 bytes");
  const auto colon = credentials.find(':');
  if (colon == std::string_view::npos) return wrong("must be user:password");
  if (colon == 0) return wrong("no user before the colon");
  for (const char c : credentials)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return wrong("must not contain control characters");
  return {};
}

result<proxy_config> parse_proxy_url(std::string_view url) {
  const auto wrong = [](const std::string& why) {
    return fail(errc::malformed, "not http://host:port or https://host:port: " + why);
  };
  proxy_config proxy;
  if (url.starts_with("https://")) proxy.tls = true;
  else if (!url.starts_with("http://")) return wrong("it begins otherwise");
  std::string_view rest = url.substr(proxy.tls ? 8 : 7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  // The last one: a password may hold a raw @.
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    auto plain = percent_decoded(rest.substr(0, at));
    if (!plain) return wrong(plain.err().message);
    if (auto ok = check_proxy_credentials(*plain); !ok) return wrong(ok.err().message);
    proxy.credentials = *std::move(plain);
    rest.remove_prefix(at + 1);
  }
  if (rest.find_first_of("/?#") != std::string_view::npos) return wrong("nothing may follow the port");
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos;
  auto at = parse_host_port(has_port ? std::string(rest) : std::string(rest) + (proxy.tls ? ":443" : ":80"));
  if (!at) return at.err();
  if (at->port == 0) return wrong("port 0");
  proxy.at = *std::move(at);
  return proxy;
}

connect_answer read_connect_answer(std::string_view head) {
  const auto line_end = head.find('\n');
  if (line_end == std::string_view::npos) {
    // What does not begin so need not end either: a mail server's greeting, say, or TLS.
    if (!begins_like_http(head)) return refused("no HTTP proxy is there, it answers " + quoted(head));
    if (head.size() > connect_answer_bytes_max) return refused("the proxy's answer is longer than 16 KiB");
    return {};
  }
  std::string_view line = head.substr(0, line_end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto verdict = judge_status_line(line);
  // A refusal is known by its first line; the page that may follow is for people.
  if (verdict.is == connect_answer::state::refused) return verdict;
  auto end = head.find("\n\r\n");
  std::size_t past = end == std::string_view::npos ? 0 : end + 3;
  if (const auto bare = head.find("\n\n"); bare < end) past = bare + 2;
  if (past == 0) {
    if (head.size() > connect_answer_bytes_max) return refused("the proxy's answer is longer than 16 KiB");
    return {};
  }
  // On the link the spoke speaks first.
  if (past != head.size()) return refused("the proxy sent more than its answer");
  return verdict;
}

connect_exchange::connect_exchange(const proxy_config& proxy, const host_port& to) {
  const auto target = to.text();
  request_ = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy.credentials.empty()) request_ += "Proxy-Authorization: Basic " + to_base64(proxy.credentials) + "\r\n";
  request_ += "\r\n";
}

io_status connect_exchange::fail_with(std::string why) {
  failure_ = fail(errc::unavailable, std::move(why));
  return io_status::failed;
}

io_status connect_exchange::step(byte_stream& over) {
  const auto would_block = [] { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; };
  while (sent_ < request_.size()) {
    const auto n = over.send(request_.data() + sent_, request_.size() - sent_);
    if (n < 0 && would_block()) return io_status::want_write;
    if (n <= 0) return fail_with(errno_text(errno) + " while asking the proxy");
    sent_ += static_cast<std::size_t>(n);
  }
  while (true) {
    std::array<char, 2048> piece;
    const auto n = over.receive(piece.data(), piece.size());
    if (n < 0 && would_block()) return io_status::want_read;
    if (n < 0) return fail_with(errno_text(errno) + " while waiting for the proxy's answer");
    if (n == 0) return fail_with("the proxy closed the connection without an answer");
    head_.append(piece.data(), static_cast<std::size_t>(n));
    auto answer = read_connect_answer(head_);
    if (answer.is == connect_answer::state::opened) return io_status::done;
    if (answer.is == connect_answer::state::refused) return fail_with(std::move(answer.why.message));
  }
}

}  // namespace wh
