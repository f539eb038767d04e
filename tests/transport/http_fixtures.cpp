#include "http_fixtures.hpp"

#include <stdexcept>

namespace wh::test {

web::web(http_limits limits, bool request_client_cert, unsigned threads) : loop(threads) {
  auto made = listen_https(
      loop, {"127.0.0.1", 0}, ca.server_config(request_client_cert), limits,
      [this](http_request request, std::shared_ptr<http_exchange> answer) { handle(std::move(request), answer); },
      [](int status, const std::string& message) {
        return R"({"code":)" + std::to_string(status) + R"(,"message":")" + message + "\"}";
      });
  if (!made) throw std::runtime_error(made.err().message);
  server = std::move(*made);
}

web::~web() = default;

tls_config web::client_config() const { return ca.client_config(); }

std::string web::talk(std::string_view bytes) const {
  raw_tls client(at(), client_config());
  client.send(bytes);
  return client.read_to_end();
}

void web::handle(http_request request, const std::shared_ptr<http_exchange>& answer) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (path == "/drop") return;
  if (path == "/throw") throw std::runtime_error("oops");
  if (path == "/hang" || path == "/watch") {
    answer->on_done([this] { done.set(true); });
    if (path == "/hang") return held.set(answer);
    answer->start(200, {{"content-type", "application/json"}});
    answer->write_chunk(share("begin\n"));
    return watch.set(answer);
  }
  if (path == "/stream") {
    answer->start(200, {});
    for (const char* chunk : {"one\n", "", "two\n", "three\n"}) answer->write_chunk(share(chunk));
    return answer->end();
  }
  if (path == "/large") ++larges;
  if (path == "/large")
    return answer->send({.status = 200, .headers = {}, .body = share(std::string(8 * 1024 * 1024, 'L'))});
  std::string text = request.method + " " + request.target + "\nuser=" + request.peer.subj.common_name + "\n";
  for (const auto& [name, value] : request.headers)
    if (name.starts_with("x-")) text += name + "=" + value + "\n";
  answer->send({.status = 200, .headers = {{"content-type", "text/plain"}}, .body = share(text + request.body)});
}

int count(std::string_view text, std::string_view what) {
  int n = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

}  // namespace wh::test
