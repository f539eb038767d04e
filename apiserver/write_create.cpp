#include <fmt/format.h>

#include "apiserver/access/denial.hpp"
#include "apiserver/object_meta.hpp"
#include "apiserver/ownership.hpp"
#include "apiserver/prepare.hpp"
#include "apiserver/write.hpp"

namespace wh {

namespace {

constexpr int name_tries = 8;  // for generated names, as Kubernetes

struct create_job {
  call_ptr call;
  write_options options;
  document wanted;
  int tries = name_tries;
  std::function<void(const api_error&)> exists = {};  ///< told in the client's stead that the name is taken
};
using job_ptr = std::shared_ptr<create_job>;

void try_create(const job_ptr& job);

/// Why a create into this namespace fails; nullopt if it should not.
std::optional<api_error> namespace_problem(const api_call& call, std::string_view name) {
  if (call.path.ns.empty()) return std::nullopt;
  auto found = call.core->options.data->get({"namespaces", "", call.path.ns});
  if (!found) return to_api_error(found.err(), {"namespaces", "", call.path.ns});
  if (!*found) return object_not_found("namespaces", call.path.ns);
  auto ns = decode_record(**found);
  if (!ns || !is_deleting(*ns)) return std::nullopt;
  auto e = forbidden_error(
      call.resource(), name,
      fmt::format("unable to create new content in namespace {} because it is being terminated", call.path.ns));
  e.details["causes"] = document::array({{{"reason", "NamespaceTerminating"},
                                          {"message", fmt::format("namespace {} is being terminated", call.path.ns)},
                                          {"field", "metadata.namespace"}}});
  return e;
}

void finish(const job_ptr& job, const object_key& key, const shared_bytes& body, const result<write_outcome>& outcome) {
  auto& call = *job->call;
  if (outcome) return call.respond_object(201, outcome->body ? *outcome->body : *body, outcome->rev);
  const auto& e = outcome.err();
  if (e.code == errc::already_exists && name_of(job->wanted).empty() && job->tries > 0) return try_create(job);
  if (e.code == errc::already_exists && job->exists) return job->exists(to_api_error(e, key));
  if (e.code == errc::not_found || e.code == errc::forbidden)
    if (auto problem = namespace_problem(call, key.name)) return call.respond(*problem);
  call.respond(to_api_error(e, key));
}

void dry_run(api_call& call, const object_key& key, const shared_bytes& body) {
  if (auto problem = namespace_problem(call, key.name)) return call.respond(*problem);
  auto found = call.core->options.data->get(key);
  if (!found) return call.respond(to_api_error(found.err(), key));
  if (*found) return call.respond(object_exists(key.resource, key.name));
  call.respond_object(201, *body, {});
}

void try_create(const job_ptr& job) {
  auto& call = *job->call;
  --job->tries;
  auto doc = prepare_create(call, job->options, job->wanted);
  if (!doc) return call.respond(doc.err());
  object_key key{call.kind.stored->group_resource(), call.path.ns, std::string(name_of(*doc))};
  auto stored = stored_form(*doc, 0);
  if (!stored) return call.respond(stored.err());
  const auto& body = *stored;
  if (job->options.dry_run) return dry_run(call, key, body);
  write_proposal p;
  p.verb = write_proposal::verb_kind::create;
  p.kind = call.kind.stored;
  p.key = key;
  p.body = body;
  p.user = call.request.user;
  p.proposed.preconditions.push_back(absent{key});
  if (!key.ns.empty()) p.proposed.preconditions.push_back(namespace_active{key.ns});
  p.proposed.puts.push_back(put_of(key, *doc, body));
  call.core->options.gate->submit(std::move(p),
                                  [job, key, body](const result<write_outcome>& o) { finish(job, key, body, o); });
}

/// Refuses new objects of a kind that is going away.
answer<void> check_kind_stays(const api_call& call) {
  if (!call.core->crds->is_terminating(call.resource())) return {};
  auto e = method_not_allowed();
  e.message = "create not allowed while custom resource definition is terminating";
  return e;
}

/// Who may patch an object may not therefore make one.
answer<void> check_may_create(const api_call& call) {
  const auto& p = call.path;
  access_question q{call.request.user, "create", p.group, p.resource, "", p.ns, p.name, {}};
  if (call.core->options.access->allows(q)) return {};
  return denial(q);
}

/// Makes an object under the path's name, which nothing had a moment ago.
void create_missing(const call_ptr& call, const write_options& options, document wanted,
                    std::function<void(const api_error&)> exists) {
  auto& meta = wanted["metadata"];
  if (!meta.is_object()) meta = document::object();
  meta.erase("resourceVersion");
  if (name_of(wanted).empty()) meta["name"] = call->path.name;
  if (name_of(wanted) != call->path.name) return call->respond(name_mismatch(*call, name_of(wanted)));
  try_create(std::make_shared<create_job>(create_job{call, options, std::move(wanted), 1, std::move(exists)}));
}

}  // namespace

void create_by_apply(const call_ptr& call, const write_options& options, document configuration,
                     std::function<void(const api_error&)> exists) {
  if (auto ok = check_may_create(*call); !ok) return call->respond(ok.err());
  if (auto ok = check_kind_stays(*call); !ok) return call->respond(ok.err());
  if (const auto uid = uid_of(configuration); !uid.empty())
    return call->respond(object_conflict(
        call->resource(), call->path.name,
        fmt::format("uid mismatch: the provided object specified uid {}, and no existing object was found", uid)));
  auto wanted = apply_to_object(*call, options, nullptr, configuration);
  if (!wanted) return call->respond(wanted.err());
  create_missing(call, options, std::move(*wanted), std::move(exists));
}

void create_by_update(const call_ptr& call, const write_options& options, document object,
                      std::function<void(const api_error&)> exists) {
  if (auto ok = check_may_create(*call); !ok) return call->respond(ok.err());
  if (const auto uid = uid_of(object); !uid.empty())
    return call->respond(
        object_conflict(call->resource(), call->path.name,
                        fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: ", uid)));
  create_missing(call, options, std::move(object), std::move(exists));
}

void handle_create(const call_ptr& call) {
  if (auto ok = check_kind_stays(*call); !ok) return call->respond(ok.err());
  auto options = parse_write_options(*call);
  if (!options) return call->respond(options.err());
  auto doc = read_object(*call);
  if (!doc) return call->respond(doc.err());
  try_create(std::make_shared<create_job>(create_job{call, *options, std::move(*doc)}));
}

}  // namespace wh
