#include "nodes/spoke/api_port.hpp"

#include <fmt/format.h>

#include <utility>

#include "apiserver/local_reply.hpp"
#include "resources/status_answer.hpp"

namespace wh {
namespace {

std::string collection_path(const kind_info& kind, const std::string& ns) {
  const std::string base = kind.group.empty() ? "/api/" + kind.version : "/apis/" + kind.group + "/" + kind.version;
  return kind.namespaced ? fmt::format("{}/namespaces/{}/{}", base, ns, kind.plural)
                         : fmt::format("{}/{}", base, kind.plural);
}

/// A manager's name in a query.
std::string encoded(const std::string& name) {
  std::string out;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (plain) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

api_request request_of(const cluster_call& m, const kind_info& kind) {
  api_request request;
  request.user = {"system:wheelhouse:spoke", {"system:masters"}};
  request.accept = "application/json";
  request.content_type = "application/json";
  request.user_agent = "wheelhouse-spoke";
  request.owns_what_it_creates = false;
  const std::string collection = collection_path(kind, m.object.ns);
  const std::string object = collection + "/" + m.object.name;
  if (m.body) request.body = *m.body;
  switch (m.verb) {
    case cluster_call::verb_kind::get: request.method = "GET", request.target = object; break;
    case cluster_call::verb_kind::create: request.method = "POST", request.target = collection; break;
    case cluster_call::verb_kind::replace: request.method = "PUT", request.target = object; break;
    case cluster_call::verb_kind::replace_status: request.method = "PUT", request.target = object + "/status"; break;
    case cluster_call::verb_kind::apply:
      request.method = "PATCH", request.content_type = "application/apply-patch+yaml";
      request.target = fmt::format("{}?fieldManager={}&force={}", object, encoded(m.manager), m.force);
      break;
    case cluster_call::verb_kind::remove:
      request.method = "DELETE", request.target = object;
      request.body = m.uid.empty() ? "" : document{{"preconditions", {{"uid", m.uid}}}}.dump();
      break;
  }
  return request;
}

/// A removed object's answer is either the object (finalizers hold it) or a Status: nothing is left.
bool is_status(const document& answer) { return kind_of(answer) == "Status"; }

cluster_reply reply_of(const cluster_call& m, const kind_info& kind, const api_response& response) {
  cluster_reply reply{
      .id = m.id, .failure = {}, .body = nullptr, .resource = kind.plural, .namespaced = kind.namespaced};
  const bool sound = response.status >= 200 && response.status < 300;
  if (sound && m.verb != cluster_call::verb_kind::remove) {
    reply.body = response.body;
    return reply;
  }
  const std::string body = response.body ? *response.body : "";
  if (!sound) {
    reply.failure = error_of_answer(response.status, body);
    return reply;
  }
  const auto answer = parse_json(body);
  if (answer && !is_status(*answer) && is_deleting(*answer)) reply.body = response.body;
  return reply;
}

}  // namespace

api_port::api_port(api_stack& cluster, const claim_gates& gates, post_envelope post)
    : cluster_(cluster), gates_(gates), post_(std::move(post)) {
  cluster_.data().subscribe(this);
}

api_port::~api_port() { cluster_.data().unsubscribe(this); }

kind_ptr api_port::kind_of_object(const cluster_object& o) const {
  const auto gv = split_api_version(o.api_version);
  return cluster_.kinds().find_kind(gv.group, gv.version, o.kind);
}

void api_port::deliver(envelope e) {
  if (const auto* m = std::get_if<cluster_call>(&e.body)) return call(*m, e.from);
  if (const auto* m = std::get_if<cluster_watch>(&e.body)) return watch(*m, e.from);
}

void api_port::call(const cluster_call& m, const address& from) {
  const auto answer = [post = post_, from](cluster_reply reply) {
    post({from, {actor_kind::cluster, ""}, std::move(reply)});
  };
  const auto kind = kind_of_object(m.object);
  if (!kind)
    return answer({.id = m.id,
                   .failure = error{errc::unsupported, fmt::format("the cluster knows no kind {} in version {}",
                                                                   m.object.kind, m.object.api_version)},
                   .body = nullptr,
                   .resource = "",
                   .namespaced = false});
  if (kind->namespaced && m.object.ns.empty())
    return answer({.id = m.id,
                   .failure = error{errc::not_found, "metadata.namespace is required"},
                   .body = nullptr,
                   .resource = kind->plural,
                   .namespaced = true});
  cluster_.api().handle(request_of(m, *kind),
                        std::make_shared<local_reply>(
                            [m, kind, answer](const api_response& response) { answer(reply_of(m, *kind, response)); }));
}

/// With the lock held.
void api_port::hang_on(const address& who, const cluster_object& object) {
  const auto kind = kind_of_object(object);
  if (!kind) {
    of_unknown_kind_[who].push_back(object);
    return;
  }
  const object_key key{kind->group_resource(), kind->namespaced ? object.ns : "", object.name};
  watchers_[key][who] = object;
  watched_by_[who].push_back(key);
}

void api_port::watch(const cluster_watch& m, const address& from) {
  std::lock_guard lock(mutex_);
  for (const auto& key : watched_by_[from]) {
    auto it = watchers_.find(key);
    if (it == watchers_.end()) continue;
    it->second.erase(from);
    if (it->second.empty()) watchers_.erase(it);
  }
  watched_by_.erase(from);
  of_unknown_kind_.erase(from);
  for (const auto& object : m.objects) hang_on(from, object);
}

/// With the lock held. The definition's own commit brings us here before any object of the kind can exist.
void api_port::resolve_later_kinds() {
  const auto version = cluster_.kinds().version();
  if (of_unknown_kind_.empty() || version == kinds_version_) return;
  kinds_version_ = version;
  const auto waiting = std::exchange(of_unknown_kind_, {});
  for (const auto& [who, objects] : waiting)
    for (const auto& object : objects) hang_on(who, object);
}

void api_port::on_committed(const std::vector<change>& changes) {
  bool facts_changed = false;
  std::vector<envelope> news;
  {
    std::lock_guard lock(mutex_);
    resolve_later_kinds();
    for (const auto& c : changes) {
      facts_changed |= concerns_facts(c.key.resource, gates_);
      const auto it = watchers_.find(c.key);
      if (it == watchers_.end()) continue;
      for (const auto& [who, object] : it->second)
        news.push_back({who, {actor_kind::cluster, ""}, drifted{object, c.rev}});
    }
  }
  for (auto& e : news) post_(std::move(e));
  if (facts_changed) report_facts();
}

void api_port::report_facts() {
  auto facts = read_facts(cluster_.data(), gates_);
  {
    std::lock_guard lock(mutex_);
    healthy_ = facts.healthy;
  }
  post_({{actor_kind::cluster_agent, ""}, {actor_kind::cluster, ""}, std::move(facts)});
}

void api_port::look_at_health() {
  const bool healthy = cluster_.data().health().writable;
  {
    std::lock_guard lock(mutex_);
    if (healthy == healthy_) return;
  }
  report_facts();
}

}  // namespace wh
