#include <fmt/format.h>

#include <algorithm>

#include "apiserver/object_meta.hpp"
#include "apiserver/ownership.hpp"
#include "apiserver/prepare.hpp"
#include "apiserver/scale.hpp"
#include "apiserver/strategic_merge.hpp"
#include "apiserver/write.hpp"
#include "resources/conversion.hpp"
#include "resources/patch.hpp"

namespace wh {

namespace {

/// A PUT or PATCH under way; what it makes of an object is computed anew when the object changed meanwhile.
struct update_job {
  call_ptr call;
  write_options options;
  body_format format = body_format::json;
  document sent;  ///< the object of a PUT, or the patch
  int tries = conflict_tries;
};
using job_ptr = std::shared_ptr<update_job>;

void try_update(const job_ptr& job);

api_error patch_error(const api_call& call, const error& e) {
  if (e.code == errc::invalid)
    return {422,
            "Invalid",
            e.message,
            {{"name", call.path.name}, {"group", body_kind(call).group}, {"kind", body_kind(call).kind}}};
  return to_api_error(e, call.key());
}

/// What a PUT or patch makes of the endpoint's document: the object, or its Scale.
answer<document> make_next(const update_job& job, const document& old) {
  const auto& call = *job.call;
  const auto& kind = body_kind(call);
  result<document> next = fail(errc::internal, "not a patch");
  switch (job.format) {
    case body_format::json_patch: next = apply_json_patch(old, job.sent); break;
    case body_format::merge_patch: next = apply_merge_patch(old, job.sent); break;
    case body_format::strategic_patch: next = apply_strategic_merge(old, job.sent, *kind.structure); break;
    case body_format::apply_patch: return apply_to_object(call, job.options, &old, job.sent);
    default: return job.sent;
  }
  if (!next) return patch_error(call, next.err());
  if (!next->is_object()) return bad_request("the patch does not leave an object");
  if (auto ok = check_kind(kind, *next); !ok) return ok.err();
  return std::move(*next);
}

/// True for the renewal of a cluster's lease, which is kept in memory only (the store's fsyncs are worth more than it).
bool is_renewal(const object_key& key, const document& old, const document& next) {
  if (key.resource != "leases.coordination.k8s.io" || key.name != "managed-cluster-lease") return false;
  auto rest = [](document doc) {
    if (auto meta = doc.find("metadata"); meta != doc.end()) meta->erase("resourceVersion");
    if (auto spec = doc.find("spec"); spec != doc.end() && spec->is_object()) spec->erase("renewTime");
    return doc;
  };
  return rest(old) == rest(next);
}

write_proposal proposal_of(const update_job& job, const record& r, const document& old, const document& next,
                           const shared_bytes& body) {
  const auto& call = *job.call;
  write_proposal p;
  p.kind = call.kind.stored;
  p.subresource = call.path.subresource;
  p.key = r.key;
  p.old = r;
  p.user = call.request.user;
  p.proposed.preconditions.push_back(at_revision{r.key, r.rev});
  if (is_released(r.key, next)) {
    p.verb = write_proposal::verb_kind::remove;
    p.proposed.erases.push_back({r.key});
    return p;
  }
  p.verb = write_proposal::verb_kind::update;
  p.body = body;
  p.proposed.puts.push_back(put_of(r.key, next, body));
  p.proposed.in_memory = is_renewal(r.key, old, next);
  return p;
}

void finish(const job_ptr& job, const shared_bytes& body, const result<write_outcome>& outcome) {
  auto& call = *job->call;
  if (outcome) return call.respond_object(200, outcome->body ? *outcome->body : *body, outcome->rev);
  if (outcome.err().code == errc::conflict && job->tries > 0) return try_update(job);
  call.respond(to_api_error(outcome.err(), call.key()));
}

/// Kinds that a PUT may also create, as Kubernetes' strategies have it.
bool is_made_by_put(std::string_view resource) {
  static constexpr std::string_view all[] = {"clusterrolebindings.rbac.authorization.k8s.io",
                                             "clusterroles.rbac.authorization.k8s.io",
                                             "endpoints",
                                             "events",
                                             "events.events.k8s.io",
                                             "leases.coordination.k8s.io",
                                             "limitranges",
                                             "rolebindings.rbac.authorization.k8s.io",
                                             "roles.rbac.authorization.k8s.io",
                                             "services"};
  return std::find(std::begin(all), std::end(all), resource) != std::end(all);
}

/// How this write makes the object that is not there; null: it does not.
auto creator_of(const update_job& job) -> decltype(&create_by_apply) {
  const auto& call = *job.call;
  if (!call.path.subresource.empty()) return nullptr;
  if (job.options.applied) return create_by_apply;
  return call.request.method == "PUT" && is_made_by_put(call.resource()) ? create_by_update : nullptr;
}

void try_update(const job_ptr& job) {
  auto& call = *job->call;
  --job->tries;
  auto found = call.core->options.data->get(call.key());
  if (!found) return call.respond(to_api_error(found.err(), call.key()));
  if (!*found) {
    const auto make = creator_of(*job);
    if (!make) return call.respond(object_not_found(call.resource(), call.path.name));
    return make(job->call, job->options, job->sent, [job](const api_error& exists) {
      if (job->tries > 0) try_update(job);
      else job->call->respond(exists);
    });
  }
  const record& r = **found;
  auto old = decode_body(*r.body, r.rev);
  if (!old) return call.respond(to_api_error(old.err(), call.key()));
  const auto stored_old = differs_in_shape(*call.kind.stored, *call.kind.asked) ? *old : document();
  convert(*old, *call.kind.stored, *call.kind.asked);
  auto base = is_scale(call) ? scale_to_change(call, *old) : answer<document>(*old);
  if (!base) return call.respond(base.err());
  auto next = make_next(*job, *base);
  if (!next) return call.respond(next.err());
  next = prepare_update(call, job->options, *old, stored_old, std::move(*next));
  if (!next) return call.respond(next.err());
  auto stored = stored_form(*next, r.body->size());
  if (!stored) return call.respond(stored.err());
  const auto& body = *stored;
  bool changes_nothing = *body == *r.body && !is_released(r.key, *next);
  if (changes_nothing || job->options.dry_run) return call.respond_object(200, *body, r.rev);
  call.core->options.gate->submit(proposal_of(*job, r, *old, *next, body),
                                  [job, body](const result<write_outcome>& o) { finish(job, body, o); });
}

bool is_patch(body_format f) {
  return f == body_format::json_patch || f == body_format::merge_patch || f == body_format::strategic_patch;
}

answer<document> read_patch(const api_call& call, body_format format) {
  if (format == body_format::apply_patch) return read_configuration(call);
  bool strategic = format == body_format::strategic_patch;
  if (!is_patch(format) || (strategic && call.kind.asked->from_crd))
    return unsupported_media_type(
        fmt::format("the body of the request was in an unknown format - accepted media types include: "
                    "application/json-patch+json, application/merge-patch+json{}, application/apply-patch+yaml",
                    call.kind.asked->from_crd ? "" : ", application/strategic-merge-patch+json"));
  auto patch = parse_json(call.request.body);
  if (!patch && patch.err().code == errc::too_large) return to_api_error(patch.err(), call.key());
  if (!patch) return bad_request(patch.err().message);
  if (format == body_format::json_patch ? !patch->is_array() : !patch->is_object())
    return bad_request(format == body_format::json_patch ? "a JSON patch is a list of operations"
                                                         : "the patch must be an object");
  return std::move(*patch);
}

}  // namespace

void handle_update(const call_ptr& call) {
  auto options = parse_write_options(*call);
  if (!options) return call->respond(options.err());
  auto doc = read_object(*call);
  if (!doc) return call->respond(doc.err());
  if (auto name = string_at(*doc, {"metadata", "name"}); !name.empty() && name != call->path.name)
    return call->respond(name_mismatch(*call, name));
  try_update(std::make_shared<update_job>(update_job{call, *options, body_format::json, std::move(*doc)}));
}

void handle_patch(const call_ptr& call) {
  auto format = format_of(call->request.content_type);
  if (!format) return call->respond(format.err());
  auto options = parse_write_options(*call);
  if (!options) return call->respond(options.err());
  auto patch = read_patch(*call, *format);
  if (!patch) return call->respond(patch.err());
  try_update(std::make_shared<update_job>(update_job{call, *options, *format, std::move(*patch)}));
}

}  // namespace wh
