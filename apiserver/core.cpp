#include "apiserver/core.hpp"

#include "apiserver/audit/audit_call.hpp"
#include "apiserver/scale.hpp"
#include "base/assert.hpp"

namespace wh {

namespace {

std::map<std::string, std::string> headers_of(const api_call& call, std::string content_type) {
  std::map<std::string, std::string> out{{"Content-Type", std::move(content_type)},
                                         {"Cache-Control", "no-cache, private"}};
  if (!call.audit_id.empty()) out["Audit-Id"] = call.audit_id;
  return out;
}

}  // namespace

void request_counters::count(const std::string& verb, const std::string& resource, int code, duration took) {
  std::lock_guard lock(mutex_);
  auto& [n, micros] = counts_[{verb, resource, code}];
  ++n;
  micros += static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
}

std::vector<api_server::request_count> request_counters::all() const {
  std::lock_guard lock(mutex_);
  std::vector<api_server::request_count> out;
  for (const auto& [key, value] : counts_) {
    const auto& [verb, resource, code] = key;
    out.push_back({verb, resource, code, value.first, value.second});
  }
  return out;
}

server_core::server_core(const api_options& o)
    : options(o), discovery(*o.kinds), openapi(*o.kinds, o.server_version), rng_(o.seed) {
  WH_ASSERT(o.data && o.kinds && o.gate && o.access && o.now);
  crds = std::make_shared<crd_keeper>(options);
  crds->load();
  watches = std::make_shared<watch_hub>(options);
  aggregator = std::make_shared<role_aggregator>(*options.data);
  aggregator->load();
}

void server_core::stop() {
  draining = true;
  watches->stop();
  crds->stop();
  aggregator->stop();
}

std::string server_core::new_uid() {
  std::lock_guard lock(rng_mutex_);
  return random_uuid(rng_);
}

std::string server_core::new_suffix() {
  std::lock_guard lock(rng_mutex_);
  return random_suffix(rng_, 5);
}

void api_call::count(int code) { core->counters.count(verb, counted_as, code, core->now() - started); }

void api_call::respond(int code, std::string json) {
  if (form.yaml)
    if (auto doc = parse_json(json)) return respond_text(code, to_yaml(*doc), "application/yaml");
  respond_text(code, std::move(json), "application/json");
}

void api_call::respond_text(int code, std::string text, std::string content_type) {
  count(code);
  audit_answer(*this, code, text, nullptr);
  api_response r{code, headers_of(*this, std::move(content_type)), share(std::move(text))};
  std::string warned;
  for (const auto& w : warnings) warned += (warned.empty() ? "299 - " : ", 299 - ") + go_quote(w);
  if (!warned.empty()) r.headers["Warning"] = warned;
  reply->respond(std::move(r));
}

void api_call::respond_object(int code, std::string_view body, revision rev) {
  if (is_scale(*this)) return respond_scale(*this, code, body, rev);
  respond(code, shaped_json(form, kind, body, rev, core->now()));
}

void api_call::respond(const api_error& e) {
  form = {};  // a Status is never shown as a table
  count(e.code);
  audit_answer(*this, e.code, {}, &e);
  api_response r{e.code, headers_of(*this, "application/json"), share(dump_document(status_document(e)))};
  if (const auto* seconds = find_path(e.details, {"retryAfterSeconds"}); seconds && seconds->is_number())
    r.headers["Retry-After"] = seconds->dump();
  reply->respond(std::move(r));
}

void api_call::start_stream() {
  count(200);
  audit_stream(*this);
  reply->start_stream(200, headers_of(*this, "application/json"));
}

}  // namespace wh
