#include "apiserver/nonresource.hpp"

#include <fmt/format.h>

#include "apiserver/audit/audit_call.hpp"

namespace wh {

namespace {

bool is_health(const std::string& first) { return first == "healthz" || first == "livez" || first == "readyz"; }

void health(api_call& call) {
  const auto& which = call.target.segments.front();
  std::vector<std::string> lines = {"[+]ping ok"};
  bool good = true;
  if (which != "livez") {
    auto store = call.core->options.data->health();
    lines.push_back(store.writable ? "[+]store ok" : "[-]store failed: " + store.reason);
    auto ready = call.core->options.ready && which == "readyz" ? call.core->options.ready() : result<void>();
    lines.push_back(ready ? "[+]ready ok" : "[-]ready failed: " + ready.err().message);
    bool draining = call.core->draining;
    if (which == "readyz") lines.push_back(draining ? "[-]shutdown failed: the server is draining" : "[+]shutdown ok");
    good = store.writable && ready && !(draining && which == "readyz");
  }
  if (good && !call.target.has("verbose")) return call.respond_text(200, "ok", "text/plain; charset=utf-8");
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  text += fmt::format("{} check {}\n", which, good ? "passed" : "failed");
  call.respond_text(good ? 200 : 503, std::move(text), "text/plain; charset=utf-8");
}

void version(api_call& call) {
  const auto& text = call.core->options.server_version;
  auto first = text.find('.');
  auto second = first == std::string::npos ? first : text.find('.', first + 1);
  bool full = first != std::string::npos && second != std::string::npos && text.starts_with('v');
  call.respond(200, document({{"major", full ? text.substr(1, first - 1) : ""},
                              {"minor", full ? text.substr(first + 1, second - first - 1) : ""},
                              {"gitVersion", text},
                              {"gitCommit", ""},
                              {"gitTreeState", "clean"},
                              {"buildDate", "1970-01-01T00:00:00Z"},
                              {"goVersion", ""},
                              {"compiler", ""},
                              {"platform", "linux/amd64"}}));
}

/// The aggregated discovery version that the client prefers to plain discovery; empty: it does not.
std::string aggregated_version(std::string_view accept) {
  for (const auto& r : parse_accept(accept)) {
    if (r.type != "application/json" && r.type != "*/*" && r.type != "application/*") continue;
    if (r.as.empty()) return {};
    if (r.as == "APIGroupDiscoveryList" && r.group == "apidiscovery.k8s.io" &&
        (r.version == "v2" || r.version == "v2beta1"))
      return r.version;
  }
  return {};
}

bool accepts_json(std::string_view accept) {
  if (accept.empty()) return true;
  for (const auto& r : parse_accept(accept)) {
    bool json = r.type == "application/json" || r.type == "*/*" || r.type == "application/*";
    if (json && r.as.empty()) return true;
  }
  return false;
}

void discovery(api_call& call) {
  const auto& s = call.target.segments;
  bool core = s[0] == "api";
  auto& cache = call.core->discovery;
  if (s.size() == 1) {
    if (auto v = aggregated_version(call.request.accept); !v.empty())
      return call.respond_text(200, cache.aggregated(core, v),
                               "application/json;g=apidiscovery.k8s.io;v=" + v + ";as=APIGroupDiscoveryList");
  }
  if (!accepts_json(call.request.accept)) return call.respond(not_acceptable());
  std::string text;
  if (s.size() == 1) text = core ? cache.core_versions() : cache.groups();
  else if (core) text = cache.resources("", s[1]);
  else if (s.size() == 2) text = cache.group(s[1]);
  else text = cache.resources(s[1], s[2]);
  if (text.empty()) return call.respond(path_not_found());
  call.respond(200, std::move(text));
}

void openapi(api_call& call) {
  const auto& s = call.target.segments;
  auto& cache = call.core->openapi;
  const auto& accept = call.request.accept;
  if (s.size() == 2 && s[1] == "v2") {
    if (accept.find("proto-openapi.spec.v2") != std::string::npos)
      return call.respond_text(200, cache.v2_protobuf(), "application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    if (!accepts_json(accept)) return call.respond(not_acceptable());
    return call.respond(200, cache.v2_json());
  }
  if (s.size() < 2 || s[1] != "v3") return call.respond(path_not_found());
  if (!accepts_json(accept)) return call.respond(not_acceptable());
  std::string path;
  for (std::size_t i = 2; i < s.size(); ++i) path += (path.empty() ? "" : "/") + s[i];
  auto text = path.empty() ? cache.index() : cache.group_version(path);
  if (text.empty()) return call.respond(path_not_found());
  call.respond(200, std::move(text));
}

bool is_discovery(const std::vector<std::string>& s) {
  return (s[0] == "api" && s.size() <= 2) || (s[0] == "apis" && s.size() <= 3);
}

}  // namespace

bool is_open_path(const api_call& call) {
  const auto& s = call.target.segments;
  return !s.empty() && is_health(s[0]);
}

bool handle_non_resource(const call_ptr& call) {
  const auto& s = call->target.segments;
  if (const auto extension = call->core->options.extensions.find(call->target.path);
      extension != call->core->options.extensions.end()) {
    if (call->request.method != "GET") call->respond(method_not_allowed());
    else audit_stream(*call), extension->second(call->reply);
    return true;
  }
  void (*serve)(api_call&) = nullptr;
  if (s.empty())
    serve = [](api_call& c) {
      c.respond(200, document({{"paths",
                                {"/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3",
                                 "/readyz", "/version"}}}));
    };
  else if (is_health(s[0]) && s.size() == 1) serve = health;
  else if (is_discovery(s)) serve = discovery;
  else if (s[0] == "openapi") serve = openapi;
  else if (s[0] == "version" && s.size() == 1) serve = version;
  else if (s[0] == "metrics" && s.size() == 1 && call->core->options.metrics)
    serve = [](api_call& c) {
      c.respond_text(200, c.core->options.metrics(), "text/plain; version=0.0.4; charset=utf-8");
    };
  if (!serve) return false;
  if (call->request.method != "GET" && call->request.method != "HEAD") call->respond(method_not_allowed());
  else serve(*call);
  return true;
}

}  // namespace wh
