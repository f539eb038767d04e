#include "fixture.hpp"

#include <catch2/catch.hpp>

namespace wh::test {

void manual_timer::advance(duration d) {
  auto until = now_ + d;
  while (!due_.empty() && due_.begin()->first <= until) {
    auto first = due_.extract(due_.begin());
    now_ = std::max(now_, first.key());
    first.mapped()();
  }
  now_ = until;
}

api_fixture::api_fixture(kind_set set, std::function<void(api_options&)> adjust) {
  add_builtin_kinds(kinds, set);
  api_options o;
  o.data = data.get();
  o.kinds = &kinds;
  o.gate = gate.get();
  o.access = &access;
  o.now = [this] { return timer.now(); };
  o.after = [this](duration d, std::function<void()> f) { timer.after(d, std::move(f)); };
  o.seed = 7;
  if (adjust) adjust(o);
  server = make_api_server(o);
}

reply_body api_fixture::call(const std::string& method, const std::string& target, const std::string& body,
                             const extras& e) {
  auto reply = std::make_shared<recorded_reply>();
  api_request r;
  r.method = method;
  r.target = target;
  r.body = body;
  r.accept = e.accept;
  r.content_type = e.content_type;
  r.user = e.user;
  r.user_agent = e.user_agent;
  r.owns_what_it_creates = e.owns_what_it_creates;
  r.audit_id = e.audit_id;
  server->handle(std::move(r), reply);
  REQUIRE(reply->responses == 1);
  reply_body out{reply->response.status, reply->response.headers, *reply->response.body, {}};
  if (auto doc = parse_json(out.text)) out.json = std::move(*doc);
  INFO(method << " " << target << " -> " << out.code << " " << out.text);
  return out;
}

std::shared_ptr<recorded_reply> api_fixture::watch(const std::string& target, const std::string& accept) {
  auto reply = std::make_shared<recorded_reply>();
  api_request r;
  r.method = "GET";
  r.target = target;
  r.accept = accept;
  r.user = extras{}.user;
  server->handle(std::move(r), reply);
  return reply;
}

void api_fixture::make_namespace(const std::string& name) {
  REQUIRE(post("/api/v1/namespaces", {{"metadata", {{"name", name}}}}).code == 201);
}

reply_body api_fixture::make_config_map(const std::string& ns, const std::string& name, const document& labels) {
  return post("/api/v1/namespaces/" + ns + "/configmaps",
              {{"metadata", {{"name", name}, {"labels", labels}}}, {"data", {{"k", "v"}}}});
}

document manifest_work(const std::string& name, const std::vector<std::string>& config_maps) {
  document manifests = document::array();
  for (const auto& cm : config_maps)
    manifests.push_back({{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata", {{"name", cm}, {"namespace", "default"}}},
                         {"data", {{"k", "v"}}}});
  return {{"apiVersion", "work.open-cluster-management.io/v1"},
          {"kind", "ManifestWork"},
          {"metadata", {{"name", name}}},
          {"spec", {{"workload", {{"manifests", manifests}}}}}};
}

}  // namespace wh::test
