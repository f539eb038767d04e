#include <fmt/format.h>

#include <algorithm>

#include "apiserver/access/denial.hpp"
#include "apiserver/access/impersonation.hpp"
#include "apiserver/access/token_endpoints.hpp"
#include "apiserver/core.hpp"
#include "apiserver/list_options.hpp"
#include "apiserver/nonresource.hpp"
#include "apiserver/read.hpp"
#include "apiserver/reviews.hpp"
#include "apiserver/write.hpp"

namespace wh {

namespace {

using handler = void (*)(const call_ptr&);

/// What a method means on a collection, an object or a subresource.
struct route {
  const char* verb = nullptr;  ///< null: the method is not allowed
  handler serve = nullptr;
};

bool asks_watch(const api_call& call) {
  auto watch = bool_param(call.target, "watch");
  return watch && *watch;
}

route route_collection(const api_call& call) {
  const auto& m = call.request.method;
  bool addressable = !call.kind.asked->namespaced || !call.path.ns.empty();
  if (m == "GET") return asks_watch(call) ? route{"watch", handle_watch} : route{"list", handle_list};
  if (m == "POST" && addressable) return {"create", handle_create};
  if (m == "DELETE" && addressable) return {"deletecollection", handle_delete_collection};
  return {};
}

route route_object(const api_call& call) {
  const auto& m = call.request.method;
  bool main = call.path.subresource.empty();
  if (call.path.subresource == "token")
    return m == "POST" && call.core->options.issuer ? route{"create", handle_token_request} : route{};
  if (m == "GET") return main && asks_watch(call) ? route{"watch", handle_watch} : route{"get", handle_get};
  if (m == "PUT") return {"update", handle_update};
  if (m == "PATCH" && call.path.subresource != "finalize") return {"patch", handle_patch};
  if (m == "DELETE" && main) return {"delete", handle_delete};
  return {};
}

/// True if the request may go on; otherwise it has been answered.
bool authorize(const call_ptr& call, const access_question& q) {
  if (call->core->options.access->allows(q)) return true;
  call->respond(denial(q));
  return false;
}

std::string lower(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

void serve_non_resource(const call_ptr& call) {
  call->verb = lower(call->request.method);
  call->counted_as = call->target.segments.empty() ? "/" : "/" + call->target.segments.front();
  if (!is_open_path(*call) && !authorize(call, question_of(*call))) return;
  if (call->request.method == "GET" && serve_issuer_documents(call)) return;
  if (!handle_non_resource(call)) {
    call->counted_as = "other";  // a path of the client's invention must not become a metric of its own
    call->respond(path_not_found());
  }
}

const virtual_resource* find_virtual(const resource_path& p) {
  for (const auto& v : virtual_resources())
    if (v.group == p.group && v.version == p.version && v.plural == p.resource) return &v;
  return nullptr;
}

void serve_virtual(const call_ptr& call, const virtual_resource& resource) {
  call->verb = "create";
  call->counted_as = resource.plural + "." + resource.group;
  if (resource.namespaced != !call->path.ns.empty() || !call->path.name.empty()) return call->respond(path_not_found());
  if (call->request.method != "POST") return call->respond(method_not_allowed());
  if (!authorize(call, question_of(*call))) return;
  handle_review(call, resource);
}

bool has_subresource(const kind_info& kind, const std::string& sub) {
  auto all = subresources_of(kind);
  return std::find(all.begin(), all.end(), sub) != all.end();
}

/// Fills in the kind; false: the path names nothing that is served.
bool find_kind(api_call& call) {
  const auto& p = call.path;
  auto kind = call.core->options.kinds->find(p.group, p.version, p.resource);
  if (!kind || (!kind->namespaced && !p.ns.empty())) return false;
  if (kind->namespaced && p.ns.empty() && !p.name.empty()) return false;
  if (!p.subresource.empty() && !has_subresource(*kind, p.subresource)) return false;
  call.counted_as = kind->group_resource();
  call.kind.stored = call.core->options.kinds->find_resource(kind->storage_resource());
  if (!call.kind.stored) call.kind.stored = kind;
  call.kind.asked = std::move(kind);
  return true;
}

void serve_resource(const call_ptr& call) {
  call->verb = lower(call->request.method);
  call->counted_as = "other";
  if (const auto* v = find_virtual(call->path)) return serve_virtual(call, *v);
  if (!find_kind(*call)) return call->respond(path_not_found());
  auto r = call->path.name.empty() ? route_collection(*call) : route_object(*call);
  if (!r.verb) return call->respond(method_not_allowed());
  call->verb = r.verb;
  if (!authorize(call, question_of(*call))) return;
  auto form = negotiate(call->request.accept, call->target.param("includeObject"));
  if (!form) return call->respond(form.err());
  call->form = std::move(*form);
  r.serve(call);
}

/// Paths that a load balancer may ask without showing who it is.
bool is_public(std::string_view target) {
  auto path = target.substr(0, target.find('?'));
  for (std::string_view open : {"/healthz", "/livez", "/readyz", "/version"})
    if (path == open || (path.starts_with(open) && path.substr(open.size()) == "/")) return true;
  return false;
}

void refuse_stranger(const call_ptr& call, const std::string& why = {}) {
  // Methods of a stranger's invention must not become metrics of their own.
  static const std::vector<std::string> known = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
  const auto& method = call->request.method;
  call->verb = std::find(known.begin(), known.end(), method) == known.end() ? "other" : lower(method);
  call->counted_as = "other";
  auto answer = unauthorized();
  if (!why.empty()) answer.message = why;
  call->respond(std::move(answer));
}

void serve_request(const call_ptr& call) {
  auto target = parse_target(call->request.target);
  if (!target) {
    call->counted_as = "other";
    return call->respond(target.err());
  }
  call->target = std::move(*target);
  auto path = parse_resource_path(call->target.segments);
  if (path && !path->resource.empty()) call->path = std::move(*path);
  if (call->request.as)
    if (auto ok = impersonate(*call); !ok) {
      call->verb = lower(call->request.method);
      call->counted_as = "other";
      return call->respond(ok.err());
    }
  if (call->path.resource.empty()) return serve_non_resource(call);
  if (call->core->draining) return call->respond(unavailable("the server is shutting down"));
  serve_resource(call);
}

/// Who shows a token is whom the token speaks for, or nobody: a wrong one is never taken for none.
void check_token(const call_ptr& call) {
  auto token = std::exchange(call->request.bearer_token, {});
  if (!call->core->options.tokens) return refuse_stranger(call);
  call->core->options.tokens->authenticate(token, {}, [call](result<token_identity> who) {
    if (!who && who.err().code == errc::unavailable) {
      call->counted_as = "other";
      return call->respond(unavailable(who.err().message));
    }
    if (!who) return refuse_stranger(call);
    call->request.user = std::move(who->user);
    serve_request(call);
  });
}

/// The client's own name for the request in the audit log, if it is fit for a header, or a fresh one.
std::string audit_id_of(const api_call& call) {
  const auto& id = call.request.audit_id;
  const bool fit =
      !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return fit ? id : call.core->new_uid();
}

class server final : public api_server {
 public:
  explicit server(const api_options& options) : core_(std::make_shared<server_core>(options)) {}
  ~server() override { core_->stop(); }

  void handle(api_request request, std::shared_ptr<api_reply> reply) override {
    auto call = std::make_shared<api_call>();
    call->core = core_;
    call->request = std::move(request);
    call->reply = std::move(reply);
    call->started = core_->now();
    if (core_->options.audit) call->audit_id = audit_id_of(*call);
    if (!call->request.distrusted.empty()) return refuse_stranger(call, call->request.distrusted);
    if (!call->request.user.name.empty()) return serve_request(call);
    if (!call->request.bearer_token.empty()) return check_token(call);
    call->request.user = {"system:anonymous", {"system:unauthenticated"}};
    if (call->request.demands_identity && !is_public(call->request.target)) return refuse_stranger(call);
    serve_request(call);
  }

  void drain() override {
    core_->draining = true;
    core_->watches->stop();
  }

  std::vector<request_count> counts() const override { return core_->counters.all(); }

 private:
  std::shared_ptr<server_core> core_;
};

}  // namespace

std::unique_ptr<api_server> make_api_server(const api_options& options) { return std::make_unique<server>(options); }

}  // namespace wh
