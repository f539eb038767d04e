#include "sim/process/admin_client.hpp"

#include <utility>

#include "nodes/common/version.hpp"
#include "nodes/ctl/hub_client.hpp"
#include "resources/status_answer.hpp"

namespace wh {
namespace {

constexpr std::size_t page_size = 500;
constexpr std::size_t answer_bytes_max = std::size_t{256} << 20;

http_pool_options pool_options(const api_access& access, const admin_options& options) {
  http_pool_options o{.server = access.server, .tls = access.tls};
  o.headers = {{"accept", "application/json"}, {"user-agent", "wheelhouse-sim/" + std::string(software_version())}};
  if (!access.token.empty()) o.headers["authorization"] = "Bearer " + access.token;
  o.connections_max = options.connections_max;
  o.outstanding_max = options.outstanding_max;
  o.dial_timeout = options.timeout;
  return o;
}

result<document> parse_answer(const result<shared_bytes>& body) {
  if (!body) return body.err();
  return parse_json(**body, {.bytes_max = answer_bytes_max});
}

/// A list under way.
struct page_run : std::enable_shared_from_this<page_run> {
  admin_client* admin = nullptr;
  std::string path;
  std::string query;
  std::function<void(std::vector<document>)> on_page;
  admin_client::done<std::string> then;

  void ask(const std::string& token) {
    auto target = path + "?limit=" + std::to_string(page_size);
    if (!query.empty()) target += "&" + query;
    if (!token.empty()) target += "&continue=" + ctl::percent_encode(token);
    admin->get(target, [self = shared_from_this()](result<document> page) { self->take(std::move(page)); });
  }

  void take(result<document> page) {
    if (!page) return then(page.err());
    std::vector<document> items;
    if (const auto it = page->find("items"); it != page->end() && it->is_array())
      for (auto& item : *it) items.push_back(std::move(item));
    on_page(std::move(items));
    const std::string token(string_at(*page, {"metadata", "continue"}));
    if (!token.empty()) return ask(token);
    then(std::string(string_at(*page, {"metadata", "resourceVersion"})));
  }
};

}  // namespace

result<shared_bytes> body_of_answer(const result<http_response>& answer) {
  if (!answer) return answer.err();
  const auto body = answer->body ? answer->body : share("");
  if (answer->status >= 200 && answer->status <= 299) return body;
  return error_of_answer(answer->status, *body);
}

admin_client::admin_client(api_access access, const admin_options& options)
    : access_(std::move(access)), options_(options), pool_(pool_options(access_, options)) {}

void admin_client::send(const std::string& method, const std::string& path, const std::string& content_type,
                        std::string body, done<shared_bytes> then) {
  pool_.send({.method = method,
              .target = access_.path_prefix + path,
              .content_type = content_type,
              .body = std::move(body),
              .timeout = options_.timeout},
             [then = std::move(then)](const result<http_response>& answer) { then(body_of_answer(answer)); });
}

void admin_client::call(const std::string& method, const std::string& path, const std::string& content_type,
                        std::string body, done<document> then) {
  send(method, path, content_type, std::move(body),
       [then = std::move(then)](const result<shared_bytes>& answer) { then(parse_answer(answer)); });
}

void admin_client::get(const std::string& path, done<document> then) { call("GET", path, "", "", std::move(then)); }

void admin_client::create(const std::string& collection, const document& object, done<document> then) {
  call("POST", collection, "application/json", object.dump(), std::move(then));
}

void admin_client::merge_patch(const std::string& path, const document& patch, done<document> then) {
  call("PATCH", path, "application/merge-patch+json", patch.dump(), std::move(then));
}

void admin_client::remove(const std::string& path, done<document> then) {
  call("DELETE", path, "", "", std::move(then));
}

void admin_client::list(const std::string& path, const std::string& query,
                        std::function<void(std::vector<document>)> on_page, done<std::string> then) {
  auto run = std::make_shared<page_run>();
  run->admin = this;
  run->path = path;
  run->query = query;
  run->on_page = std::move(on_page);
  run->then = std::move(then);
  run->ask("");
}

result<document> admin_client::get(const std::string& path) {
  return wait<document>([&](auto then) { get(path, std::move(then)); });
}

result<document> admin_client::create(const std::string& collection, const document& object) {
  return wait<document>([&](auto then) { create(collection, object, std::move(then)); });
}

result<document> admin_client::replace(const std::string& path, const document& object) {
  return wait<document>([&](auto then) { call("PUT", path, "application/json", object.dump(), std::move(then)); });
}

result<document> admin_client::merge_patch(const std::string& path, const document& patch) {
  return wait<document>([&](auto then) { merge_patch(path, patch, std::move(then)); });
}

result<document> admin_client::remove(const std::string& path) {
  return wait<document>([&](auto then) { remove(path, std::move(then)); });
}

result<std::vector<document>> admin_client::list(const std::string& path, const std::string& query) {
  const auto all = std::make_shared<std::vector<document>>();
  const auto take = [all](std::vector<document> page) {
    for (auto& item : page) all->push_back(std::move(item));
  };
  const auto listed = wait<std::string>([&](auto then) { list(path, query, take, std::move(then)); });
  if (!listed) return listed.err();
  return std::move(*all);
}

result<std::string> admin_client::text(const std::string& path) {
  const auto body = wait<shared_bytes>([&](auto then) { send("GET", path, "", "", std::move(then)); });
  if (!body) return body.err();
  return **body;
}

result<metrics> admin_client::scrape() {
  const auto page = text("/metrics");
  if (!page) return page.err();
  return parse_metrics(*page);
}

}  // namespace wh
