#include "apiserver/https_front.hpp"

#include <algorithm>

#include "apiserver/gzip.hpp"
#include "apiserver/status.hpp"

namespace wh {

namespace {

class exchange_reply final : public api_reply {
 public:
  exchange_reply(std::shared_ptr<http_exchange> exchange, bool may_compress)
      : exchange_(std::move(exchange)), may_compress_(may_compress) {}

  void respond(api_response r) override {
    if (may_compress_ && r.body && r.body->size() >= gzip_from_bytes) compress(r);
    exchange_->send({r.status, std::move(r.headers), std::move(r.body)});
  }
  void start_stream(int status, std::map<std::string, std::string> headers) override {
    exchange_->start(status, std::move(headers));
  }
  void write(shared_bytes chunk) override { exchange_->write_chunk(std::move(chunk)); }
  void finish() override { exchange_->end(); }
  std::size_t unsent() const override { return exchange_->unsent(); }
  bool alive() const override { return exchange_->alive(); }
  void on_done(std::function<void()> f) override { exchange_->on_done(std::move(f)); }

 private:
  static void compress(api_response& r) {
    auto small = gzip(*r.body);
    if (!small) return;
    r.body = share(std::move(*small));
    r.headers["Content-Encoding"] = "gzip";
    r.headers["Vary"] = "Accept-Encoding";
  }

  std::shared_ptr<http_exchange> exchange_;
  bool may_compress_;
};

std::string header(const http_request& r, const char* name) {
  auto it = r.headers.find(name);
  return it == r.headers.end() ? std::string() : it->second;
}

/// Paths that a load balancer may ask without a certificate.
bool is_public(std::string_view target) {
  auto path = target.substr(0, target.find('?'));
  for (std::string_view open : {"/healthz", "/livez", "/readyz", "/version"})
    if (path == open || (path.starts_with(open) && path.substr(open.size()) == "/")) return true;
  return false;
}

user_info user_of(const peer_identity& peer) {
  if (!peer.has_certificate || peer.subj.common_name.empty()) return {"system:anonymous", {"system:unauthenticated"}};
  user_info user{peer.subj.common_name, peer.subj.organizations};
  if (std::find(user.groups.begin(), user.groups.end(), "system:authenticated") == user.groups.end())
    user.groups.push_back("system:authenticated");
  return user;
}

bool impersonates(const http_request& r) {
  auto it = r.headers.lower_bound("impersonate-");
  return it != r.headers.end() && it->first.starts_with("impersonate-");
}

std::string status_text(int code, const std::string& reason, const std::string& message) {
  return status_document(api_error{code, reason, message, nullptr})
      .dump(-1, ' ', false, document::error_handler_t::replace);
}

void serve(api_server& api, http_request request, std::shared_ptr<http_exchange> exchange) {
  api_request r;
  r.user = user_of(request.peer);
  if (r.user.name == "system:anonymous" && !is_public(request.target)) {
    exchange->send(
        {401, {{"Content-Type", "application/json"}}, share(status_text(401, "Unauthorized", "Unauthorized"))});
    return;
  }
  if (impersonates(request)) {
    // Ignoring the headers would run the request with rights that its sender meant to put aside.
    auto text = status_text(403, "Forbidden", "impersonation is not supported by this server");
    exchange->send({403, {{"Content-Type", "application/json"}}, share(std::move(text))});
    return;
  }
  r.accept = header(request, "accept");
  r.content_type = header(request, "content-type");
  r.user_agent = header(request, "user-agent");
  r.method = std::move(request.method);
  r.target = std::move(request.target);
  r.body = std::move(request.body);
  const bool may_compress = accepts_gzip(header(request, "accept-encoding"));
  api.handle(std::move(r), std::make_shared<exchange_reply>(std::move(exchange), may_compress));
}

const char* reason_of(int status) {
  switch (status) {
    case 413: return "RequestEntityTooLarge";
    case 429: return "TooManyRequests";
    case 503: return "ServiceUnavailable";
    default: return "BadRequest";
  }
}

}  // namespace

result<std::unique_ptr<http_server>> serve_api(event_loop& loop, const host_port& at, const tls_config& tls,
                                               const http_limits& limits, api_server& api) {
  auto config = tls;
  config.request_client_cert = true;
  return listen_https(
      loop, at, config, limits,
      [&api](http_request request, std::shared_ptr<http_exchange> exchange) {
        serve(api, std::move(request), std::move(exchange));
      },
      [](int status, const std::string& message) { return status_text(status, reason_of(status), message); });
}

}  // namespace wh
