#pragma once
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "nodes/ctl/console.hpp"
#include "resources/patch.hpp"

namespace wh::test {

/// A hub in a map: objects by path, with just enough REST for whctl. Time passes only when a command sleeps.
class fake_hub : public http_client {
 public:
  struct call {
    std::string method;
    std::string path;
    document body;
  };

  result<http_response> request(const std::string& method, const std::string& target,
                                const std::map<std::string, std::string>& headers, const std::string& body,
                                duration) override {
    last_headers = headers;
    if (!unreachable.empty()) return fail(errc::unavailable, unreachable);
    const auto path = target.substr(0, target.find('?'));
    last_query = target.size() > path.size() ? target.substr(path.size() + 1) : "";
    const auto parsed = body.empty() ? document() : document::parse(body);
    calls.push_back({.method = method, .path = path, .body = parsed});
    for (auto& [prefix, answer] : refusals)
      if ((method + " " + path).starts_with(prefix)) return status(answer.first, answer.second);
    return serve(method, path, parsed);
  }

  result<http_response> stream(const std::string& method, const std::string& target,
                               const std::map<std::string, std::string>&, const std::string&,
                               const std::function<bool(std::string_view)>& on_data, duration) override {
    if (!unreachable.empty()) return fail(errc::unavailable, unreachable);
    for (auto& [prefix, answer] : refusals)
      if ((method + " " + target).starts_with(prefix)) return status(answer.first, answer.second);
    for (std::size_t at = 0; at < streamed.size(); at += 7)
      if (!on_data(std::string_view(streamed).substr(at, 7))) break;
    return http_response{.status = 200, .headers = {}, .body = nullptr};
  }

  std::size_t count(const std::string& method) const {
    std::size_t n = 0;
    for (const auto& c : calls) n += c.method == method ? 1 : 0;
    return n;
  }

  std::map<std::string, document> objects;                                 ///< by path
  std::map<std::string, std::pair<int, std::string>> refusals;             ///< `METHOD prefix` to code and message
  std::function<void(fake_hub&, const std::string&, document&)> on_write;  ///< what the hub's actors would do
  std::set<std::string> kept;  ///< paths that a DELETE leaves, as finalizers do
  std::string unreachable;
  std::string streamed;  ///< what every streamed answer consists of
  std::vector<call> calls;
  std::map<std::string, std::string> last_headers;
  std::string last_query;

 private:
  static http_response json(int code, const document& doc) {
    return {.status = code, .headers = {}, .body = share(doc.dump())};
  }
  static http_response status(int code, const std::string& message) {
    const std::string reason = message.find("already exists") != std::string::npos ? "AlreadyExists" : "";
    return json(code,
                {{"kind", "Status"}, {"status", "Failure"}, {"message", message}, {"reason", reason}, {"code", code}});
  }
  http_response store(const std::string& path, document doc, int code) {
    if (last_query.find("dryRun=All") != std::string::npos) return json(code, doc);
    if (on_write) on_write(*this, path, doc);
    objects[path] = doc;
    return json(code, doc);
  }

  http_response serve(const std::string& method, const std::string& path, const document& body) {
    const auto it = objects.find(path);
    if (method == "POST") return create(path, body);
    if (method == "GET" && it == objects.end()) return list(path);
    if (it == objects.end() && !path.ends_with("/approval")) return status(404, path + " not found");
    if (method == "GET") return json(200, it->second);
    if (method == "PUT") return store(path.ends_with("/approval") ? path.substr(0, path.rfind('/')) : path, body, 200);
    if (method == "PATCH") return store(path, *apply_merge_patch(it->second, body), 200);
    if (!kept.contains(path)) objects.erase(it);
    return json(200, {{"kind", "Status"}, {"status", "Success"}});
  }

  http_response create(const std::string& path, const document& body) {
    auto doc = body;
    auto& metadata = doc.at("metadata");
    if (!metadata.contains("name")) metadata["name"] = metadata.at("generateName").get<std::string>() + "x";
    const auto whole = path + "/" + metadata.at("name").get<std::string>();
    if (objects.contains(whole)) return status(409, whole + " already exists");
    return store(whole, doc, 201);
  }

  /// Honours limit; the continue token is a number.
  http_response page_of(const document& items) const {
    const auto number = [&](const std::string& name, std::size_t fallback) {
      const auto at = ("&" + last_query).find("&" + name + "=");
      return at == std::string::npos ? fallback : std::stoul(last_query.substr(at + name.size() + 1));
    };
    const auto from = number("continue", 0);
    const auto to = std::min(items.size(), from + number("limit", items.size()));
    document some = document::array();
    for (auto i = from; i < to; ++i) some.push_back(items[i]);
    document metadata = document::object();
    if (to < items.size()) metadata["continue"] = std::to_string(to);
    return json(200, {{"items", some}, {"metadata", metadata}});
  }
  static bool namespaced(const std::string& path) { return path.find("/namespaces/") != std::string::npos; }

  http_response list(const std::string& path) {
    static const std::vector<std::string> collections = {
        "managedclusters",           "manifestworks", "certificatesigningrequests", "secrets", "managedclustersets",
        "managedclustersetbindings", "placements",    "manifestworkreplicasets"};
    const auto last = path.substr(path.rfind('/') + 1);
    if (std::find(collections.begin(), collections.end(), last) == collections.end())
      return status(404, path + " not found");
    document items = document::array();
    for (const auto& [at, doc] : objects)
      if (at.starts_with(path + "/") || (at.find("/" + last + "/") != std::string::npos && !namespaced(path)))
        items.push_back(doc);
    return page_of(items);
  }
};

/// A console on a fake hub, with what was printed.
struct ctl_fixture {
  fake_hub server;
  ctl::hub_client hub{server,
                      {.server = {.host = "127.0.0.1", .port = 6443},
                       .path_prefix = {},
                       .tls = {},
                       .token = {},
                       .ns = {},
                       .origin = "k.yaml"},
                      std::chrono::seconds(1)};
  std::ostringstream out;
  std::ostringstream err;
  instant clock{std::chrono::seconds(1'700'000'000)};
  std::function<void()> on_sleep;
  ctl::console console{.hub = hub,
                       .out = out,
                       .err = err,
                       .now = [this] { return clock; },
                       .sleep =
                           [this](duration d) {
                             clock += d;
                             if (on_sleep) on_sleep();
                           }};
};

}  // namespace wh::test
