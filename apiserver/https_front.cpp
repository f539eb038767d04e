#include "apiserver/https_front.hpp"

#include <algorithm>
#include <cctype>

#include "apiserver/gzip.hpp"
#include "apiserver/path.hpp"
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

user_info user_of(const peer_identity& peer) {
  if (!peer.has_certificate || peer.subj.common_name.empty()) return {};
  user_info user{peer.subj.common_name, peer.subj.organizations};
  if (std::find(user.groups.begin(), user.groups.end(), "system:authenticated") == user.groups.end())
    user.groups.push_back("system:authenticated");
  return user;
}

/// `Authorization: Bearer TOKEN`; "" for every other scheme.
std::string bearer_token(const http_request& r) {
  const auto text = header(r, "authorization");
  constexpr std::string_view scheme = "bearer ";
  if (text.size() <= scheme.size()) return {};
  for (std::size_t i = 0; i < scheme.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(text[i])) != scheme[i]) return {};
  const auto start = text.find_first_not_of(' ', scheme.size());
  return start == std::string::npos ? std::string() : text.substr(start);
}

/// A header that came several times: one value a line, as the request reader keeps those of impersonation.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// The Impersonate headers. Ignoring one would run the request with rights that its sender meant to put aside, so every
/// name that begins so counts.
std::optional<user_info> impersonated(const http_request& r) {
  constexpr std::string_view prefix = "impersonate-", extra = "impersonate-extra-";
  std::optional<user_info> as;
  for (auto it = r.headers.lower_bound(std::string(prefix)); it != r.headers.end() && it->first.starts_with(prefix);
       ++it) {
    if (!as) as.emplace();
    if (it->first == "impersonate-user") as->name = it->second;
    else if (it->first == "impersonate-uid") as->uid = it->second;
    else if (it->first == "impersonate-group") as->groups = lines_of(it->second);
    else if (it->first.starts_with(extra))
      as->extra[percent_decode(it->first.substr(extra.size()), false).value_or(it->first)] = lines_of(it->second);
  }
  return as;
}

std::string status_text(int code, const std::string& reason, const std::string& message) {
  return status_document(api_error{code, reason, message, nullptr})
      .dump(-1, ' ', false, document::error_handler_t::replace);
}

void serve(api_server& api, const certificate_check& check, http_request request,
           std::shared_ptr<http_exchange> exchange) {
  api_request r;
  r.user = user_of(request.peer);
  if (const auto ok = check ? check(request.peer) : result<void>(); !ok) r.distrusted = ok.err().message;
  r.bearer_token = bearer_token(request);
  r.as = impersonated(request);
  r.source = request.peer.remote_address;
  r.audit_id = header(request, "audit-id");
  r.demands_identity = true;
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
                                               const http_limits& limits, api_server& api, certificate_check check) {
  auto config = tls;
  config.request_client_cert = true;
  return listen_https(
      loop, at, config, limits,
      [&api, check = std::move(check)](http_request request, std::shared_ptr<http_exchange> exchange) {
        serve(api, check, std::move(request), std::move(exchange));
      },
      [](int status, const std::string& message) { return status_text(status, reason_of(status), message); });
}

}  // namespace wh
