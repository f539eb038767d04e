#include <array>

#include "transport/http_answer.hpp"
#include "transport/http_response_reader.hpp"
#include "transport/tls_blocking.hpp"

namespace wh {
namespace {

using clock = std::chrono::steady_clock;

bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  for (const char c : text) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alphanumeric && marks.find(c) == std::string_view::npos) return false;
  }
  return !text.empty();
}

bool has_control(std::string_view text, bool space_too) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f || (space_too && (c == ' ' || c == '\t'))) return true;
  }
  return false;
}

struct outgoing {
  std::string bytes;
  bool head = false;
  bool repeatable = false;  ///< asking twice does no harm
};

result<outgoing> compose(const host_port& server, const std::string& method, const std::string& target,
                         const std::map<std::string, std::string>& headers, const std::string& body) {
  if (!is_token(method)) return fail(errc::invalid, "HTTP method '" + method + "' is not a token");
  if (target.empty() || has_control(target, true))
    return fail(errc::invalid, "HTTP target is empty or holds white space");
  std::string text = method + " " + target + " HTTP/1.1\r\n";
  bool host_given = false;
  for (const auto& [name, value] : headers) {
    const std::string key = lower_case(name);
    if (!is_token(name) || has_control(value, false))
      return fail(errc::invalid, "HTTP header '" + name + "' holds a character it may not");
    if (key == "content-length" || key == "transfer-encoding" || key == "connection") continue;
    host_given = host_given || key == "host";
    text += name + ": " + value + "\r\n";
  }
  if (!host_given) text += "host: " + server.text() + "\r\n";
  if (!body.empty() || method == "POST" || method == "PUT" || method == "PATCH")
    text += "content-length: " + std::to_string(body.size()) + "\r\n";
  const bool safe = method == "GET" || method == "HEAD" || method == "OPTIONS";
  return outgoing{text + "\r\n" + body, method == "HEAD", safe};
}

/// When an exchange must have moved on.
struct patience {
  duration span;
  bool from_last_byte;  ///< a stream: only silence counts
  clock::time_point begin = clock::now();
  clock::time_point deadline() const { return (from_last_byte ? clock::now() : begin) + span; }
};

class https_client final : public http_client {
 public:
  https_client(host_port server, const tls_config& tls) : server_(std::move(server)), tls_(context_for(server_, tls)) {}

  result<http_response> request(const std::string& method, const std::string& target,
                                const std::map<std::string, std::string>& headers, const std::string& body,
                                duration timeout) override {
    return run(method, target, headers, body, nullptr, {timeout, false});
  }

  result<http_response> stream(const std::string& method, const std::string& target,
                               const std::map<std::string, std::string>& headers, const std::string& body,
                               const std::function<bool(std::string_view)>& on_data, duration timeout) override {
    return run(method, target, headers, body, on_data, {timeout, true});
  }

 private:
  static result<tls_context_ptr> context_for(const host_port& server, tls_config config) {
    if (config.alpn.empty()) config.alpn = {"http/1.1"};
    return make_client_context(config, server.host);
  }

  result<http_response> run(const std::string& method, const std::string& target,
                            const std::map<std::string, std::string>& headers, const std::string& body,
                            const std::function<bool(std::string_view)>& on_data, const patience& wait) {
    if (!tls_) return tls_.err();
    const auto message = compose(server_, method, target, headers, body);
    if (!message) return message.err();
    if (connection_ && connection_->stale()) connection_.reset();
    for (bool retried = false;; retried = true) {
      const bool reused = connection_ != nullptr;
      if (!reused) {
        auto dialed = blocking_stream::dial(server_, *tls_, wait.deadline());
        if (!dialed) return dialed.err();
        connection_ = std::move(*dialed);
      }
      http_response_reader reader(message->head, on_data);
      auto done = exchange(*message, reader, wait);
      if (done && reader.keep_alive() && !write_failed_) return reader.take();
      connection_.reset();
      if (done) return reader.take();
      // The server may close an idle connection just as a request sets out: that one it has not seen. A request that
      // may be repeated is tried again in any case, once, unless the answer had begun or would be no other.
      const bool lost = done.err().code == errc::unavailable && !reader.begun();
      if (retried || !lost || !(reused || message->repeatable))
        return fail(done.err().code, server_.text() + ": " + done.err().message);
    }
  }

  result<void> exchange(const outgoing& message, http_response_reader& reader, const patience& wait) {
    // A server may answer (413, 401) and close before it has read all; its answer is still worth reading.
    const auto written = connection_->write(message.bytes, wait.deadline());
    write_failed_ = !written;
    if (write_failed_ && written.err().code == errc::timeout) return written;
    std::array<char, 16384> buffer{};
    while (!reader.complete() && !reader.stopped()) {
      const auto n = connection_->read(buffer.data(), buffer.size(), wait.deadline());
      if (!n) return n.err();
      if (*n == 0) return reader.end_of_input();
      if (auto ok = reader.append({buffer.data(), *n}); !ok) return ok;
    }
    return {};
  }

  host_port server_;
  result<tls_context_ptr> tls_;
  std::unique_ptr<blocking_stream> connection_;
  bool write_failed_ = false;  ///< in the last exchange
};

}  // namespace

std::unique_ptr<http_client> make_http_client(const host_port& server, const tls_config& tls) {
  return std::make_unique<https_client>(server, tls);
}

}  // namespace wh
