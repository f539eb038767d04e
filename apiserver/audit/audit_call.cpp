#include "apiserver/audit/audit_call.hpp"

#include "apiserver/access/denial.hpp"
#include "apiserver/audit/audit.hpp"
#include "apiserver/body.hpp"
#include "apiserver/core.hpp"

namespace wh {

namespace {

/// Larger bodies are left out: a line of the log is not the place for them.
constexpr std::size_t body_bytes_max = 256 * 1024;

/// Tells of the end of a stream when nobody holds it any more.
class audited_stream final : public api_reply {
 public:
  audited_stream(std::shared_ptr<api_reply> inner, std::shared_ptr<server_core> core, audit_record record)
      : inner_(std::move(inner)), core_(std::move(core)), record_(std::move(record)) {}
  ~audited_stream() override {
    record_.stage = "ResponseComplete";
    record_.at = core_->now();
    core_->options.audit->record(std::move(record_));
  }
  void respond(api_response r) override { inner_->respond(std::move(r)); }
  void start_stream(int status, std::map<std::string, std::string> headers) override {
    inner_->start_stream(status, std::move(headers));
  }
  void write(shared_bytes chunk) override { inner_->write(std::move(chunk)); }
  void finish() override { inner_->finish(); }
  std::size_t unsent() const override { return inner_->unsent(); }
  bool alive() const override { return inner_->alive(); }
  void on_done(std::function<void()> f) override { inner_->on_done(std::move(f)); }

 private:
  std::shared_ptr<api_reply> inner_;
  std::shared_ptr<server_core> core_;
  audit_record record_;
};

audit_decision decide(const api_call& call, int code) {
  const auto* trail = call.core->options.audit;
  if (!trail) return {};
  const auto& p = call.path;
  const auto& user = call.impersonator ? *call.impersonator : call.request.user;
  auto decision = trail->decide(
      {user, call.verb, p.group, p.resource, p.subresource, p.ns, p.name, call.target.path, !p.resource.empty()});
  if (decision.level == audit_level::none && (code == 401 || code == 403) && trail->records_denials())
    decision = {.level = audit_level::metadata};
  return decision;
}

bool is_secret_path(const resource_path& p) {
  return (p.group.empty() && (p.resource == "secrets" || p.subresource == "token")) || p.resource == "tokenreviews";
}

document request_object(const api_call& call) {
  const auto& r = call.request;
  if (r.body.empty() || r.body.size() > body_bytes_max) return nullptr;
  if (r.method == "PATCH") {
    auto patch = parse_json(r.body);
    return patch ? std::move(*patch) : document();
  }
  auto doc = read_plain_object(call);
  return doc ? std::move(*doc) : document();
}

audit_record record_of(api_call& call, audit_level level, int code) {
  audit_record r;
  const auto& q = call.request;
  const auto& p = call.path;
  r.level = level;
  r.id = call.audit_id;
  r.uri = q.target;
  r.verb = call.verb;
  r.user = call.impersonator ? *call.impersonator : q.user;
  if (call.impersonator) r.impersonated = q.user;
  r.source = q.source;
  r.agent = q.user_agent;
  r.group = p.group;
  r.version = p.version;
  r.resource = p.resource;
  r.subresource = p.subresource;
  r.ns = p.ns;
  r.name = p.name;
  r.code = code;
  if (code != 401 && code != 403) r.granted_by = call.core->options.access->reason(question_of(call));
  r.received = call.started;
  r.at = call.core->now();
  return r;
}

void drop_managed_fields(document& doc) {
  if (!doc.is_object()) return;
  if (auto meta = doc.find("metadata"); meta != doc.end() && meta->is_object()) meta->erase("managedFields");
  if (auto items = doc.find("items"); items != doc.end() && items->is_array())
    for (auto& item : *items) drop_managed_fields(item);
}

/// Bodies as far as the level asks for them and none of them tells a secret.
void add_bodies(const api_call& call, std::string_view body, bool managed_fields, audit_record& r) {
  if (r.level < audit_level::request || is_secret_path(call.path)) return;
  auto sent = request_object(call);
  auto answered = body.size() <= body_bytes_max ? parse_json(body) : result<document>(document());
  if (!answered) answered = document();
  if (tells_secrets(sent) || tells_secrets(*answered)) return;
  if (!managed_fields) drop_managed_fields(sent), drop_managed_fields(*answered);
  r.request_object = std::move(sent);
  if (r.level == audit_level::request_response) r.response_object = std::move(*answered);
}

}  // namespace

void audit_answer(api_call& call, int code, std::string_view body, const api_error* failure) {
  const auto decision = decide(call, code);
  if (decision.level == audit_level::none || !decision.tells_end) return;
  auto r = record_of(call, decision.level, code);
  if (failure) {
    r.reason = failure->reason;
    // What is wrong with a Secret may quote it.
    if (!is_secret_path(call.path) || code == 403 || code == 404 || code == 409) r.message = failure->message;
  }
  add_bodies(call, body, decision.managed_fields, r);
  call.core->options.audit->record(std::move(r));
}

void audit_stream(api_call& call) {
  const auto decision = decide(call, 200);
  if (decision.level == audit_level::none) return;
  auto r = record_of(call, decision.level, 200);
  r.stage = "ResponseStarted";
  if (decision.tells_start) call.core->options.audit->record(r);
  if (!decision.tells_end) return;
  call.reply = std::make_shared<audited_stream>(call.reply, call.core, std::move(r));
}

}  // namespace wh
