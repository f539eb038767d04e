#include <fmt/format.h>

#include "apiserver/admission.hpp"
#include "apiserver/body.hpp"
#include "apiserver/list_options.hpp"
#include "apiserver/prepare.hpp"
#include "apiserver/write.hpp"

namespace wh {

namespace {

/// What became of one deletion: the object as it is left or last was, and whether it is gone.
struct deleted {
  shared_bytes body;
  revision rev;
  bool gone = false;
};

struct delete_job {
  call_ptr call;
  delete_options options;
  object_key key;
  std::function<void(answer<deleted>)> done;
  int tries = conflict_tries;
};
using job_ptr = std::shared_ptr<delete_job>;

void try_delete(const job_ptr& job);

answer<void> check_preconditions(const delete_job& job, const document& doc) {
  const auto& o = job.options;
  auto differs = [&](const char* what, std::string_view asked, std::string_view is) {
    return object_conflict(
        job.key.resource, job.key.name,
        fmt::format("the {} in the precondition ({}) does not match the {} in record ({}). The object might "
                    "have been deleted and then recreated",
                    what, asked, what, is));
  };
  auto version = string_at(doc, {"metadata", "resourceVersion"});
  if (!o.uid.empty() && o.uid != uid_of(doc)) return differs("UID", o.uid, uid_of(doc));
  if (!o.resource_version.empty() && o.resource_version != version)
    return differs("ResourceVersion", o.resource_version, version);
  return {};
}

/// The garbage collector acts on these finalizers; the last deletion's policy counts.
void set_propagation(const delete_options& o, document& doc) {
  if (o.propagation.empty()) return;
  remove_finalizer(doc, "orphan");
  remove_finalizer(doc, "foregroundDeletion");
  if (o.propagation == "Orphan") add_finalizer(doc, "orphan");
  if (o.propagation == "Foreground") add_finalizer(doc, "foregroundDeletion");
}

/// Marks the object as being deleted. What the kind itself waits for is set here too.
void mark_deleting(const delete_job& job, document& doc, instant now) {
  if (!is_deleting(doc)) {
    auto& meta = doc["metadata"];
    meta["deletionTimestamp"] = to_rfc3339(now);
    meta["deletionGracePeriodSeconds"] = 0;
    if (meta.contains("generation")) meta["generation"] = generation_of(doc).get() + 1;
    if (job.key.resource == crd_resource && job.call->core->crds->governs(job.key.name)) begin_crd_deletion(doc, now);
  }
  set_propagation(job.options, doc);
  if (job.key.resource == "namespaces") doc["status"]["phase"] = "Terminating";
}

bool waits(const object_key& key, const document& doc) {
  const auto* finalizers = find_path(doc, {"metadata", "finalizers"});
  const auto* of_spec = key.resource == "namespaces" ? find_path(doc, {"spec", "finalizers"}) : nullptr;
  return (finalizers && !finalizers->empty()) || (of_spec && !of_spec->empty());
}

void submit(const job_ptr& job, const record& r, const document& doc, bool stays) {
  auto body = stays ? encode_body(doc) : r.body;
  bool changes_nothing = stays && *body == *r.body;
  if (changes_nothing || job->options.dry_run) return job->done(deleted{body, r.rev, !stays});
  write_proposal p;
  p.verb = write_proposal::verb_kind::remove;
  p.kind = job->call->kind.stored;
  p.key = r.key;
  p.old = r;
  p.user = job->call->request.user;
  p.proposed.preconditions.push_back(at_revision{r.key, r.rev});
  if (stays) {
    p.body = body;
    p.proposed.puts.push_back(put_of(r.key, doc, body));
  } else {
    p.proposed.erases.push_back({r.key});
  }
  job->call->core->options.gate->submit(std::move(p), [job, body, stays](const result<write_outcome>& o) {
    if (!o && o.err().code == errc::conflict && job->tries > 0) return try_delete(job);
    if (!o) return job->done(to_api_error(o.err(), job->key));
    job->done(deleted{o->body ? o->body : body, o->rev, !stays});
  });
}

void try_delete(const job_ptr& job) {
  --job->tries;
  auto found = job->call->core->options.data->get(job->key);
  if (!found) return job->done(to_api_error(found.err(), job->key));
  if (!*found) return job->done(object_not_found(job->key.resource, job->key.name));
  auto doc = decode_record(**found);
  if (!doc) return job->done(to_api_error(doc.err(), job->key));
  if (auto ok = check_preconditions(*job, *doc); !ok) return job->done(ok.err());
  if (auto ok = check_delete(*job->call, job->key); !ok) return job->done(ok.err());
  auto next = *doc;
  next["metadata"].erase("resourceVersion");
  mark_deleting(*job, next, job->call->core->now());
  submit(job, **found, next, waits(job->key, next));
}

document success_status(const kind_info& kind, const object_key& key, const shared_bytes& body) {
  auto doc = decode_body(*body);
  document details = {{"name", key.name}, {"kind", kind.plural}};
  if (!kind.group.empty()) details["group"] = kind.group;
  if (doc) details["uid"] = uid_of(*doc);
  return {{"kind", "Status"},
          {"apiVersion", "v1"},
          {"metadata", document::object()},
          {"status", "Success"},
          {"details", details}};
}

void answer_delete(const call_ptr& call, const answer<deleted>& d) {
  if (!d) return call->respond(d.err());
  if (d->gone) return call->respond(200, success_status(*call->kind.asked, call->key(), d->body));
  call->respond_object(200, *d->body, d->rev);
}

/// The deletions of a collection run side by side; the last one to end answers.
struct collection_run {
  call_ptr call;
  std::mutex mutex;
  std::map<object_key, deleted> removed;
  std::optional<api_error> failed;
  std::size_t left = 0;
  std::string continue_token;  ///< where the rest of a limited collection begins; empty: this was all
};

void answer_collection(collection_run& run) {
  auto& call = *run.call;
  if (run.failed) return call.respond(*run.failed);
  const auto& kind = *call.kind.asked;
  document metadata = {{"resourceVersion", std::to_string(call.core->options.data->window().current.get())}};
  if (!run.continue_token.empty()) metadata["continue"] = run.continue_token;
  std::string out = R"({"kind":")" + kind.list_kind + R"(","apiVersion":")" + kind.api_version() + R"(","metadata":)" +
                    dump_document(metadata) + R"(,"items":[)";
  bool first = true;
  for (const auto& [key, d] : run.removed) {
    if (!std::exchange(first, false)) out += ',';
    out += object_json(call.kind, *d.body, d.rev);
  }
  call.respond(200, out += "]}");
}

void one_done(const std::shared_ptr<collection_run>& run, const object_key& key, answer<deleted> d) {
  {
    std::lock_guard lock(run->mutex);
    if (d) run->removed.emplace(key, std::move(*d));
    else if (d.err().code != 404 && !run->failed) run->failed = d.err();
    if (--run->left > 0) return;
  }
  answer_collection(*run);
}

/// The objects of a collection that are to go, and where the next ones would begin.
struct chosen {
  std::vector<object_key> keys;
  std::string continue_token;
};

/// The first objects, up to the limit, that the selectors want.
answer<chosen> choose(api_call& call, const list_options& o) {
  chosen out;
  if (o.nothing) return out;
  continue_token from;
  std::optional<object_key> after;
  if (!o.continue_token.empty()) {
    auto token = parse_continue(o.continue_token);
    if (!token) return token.err();
    from = *token;
    after = object_key{o.range.resource, token->ns, token->name};
  }
  auto page = call.core->options.data->list(o.range, from.rev, after);
  if (!page) return to_api_error(page.err(), call.key());
  for (const auto& r : page->records) {
    if (!o.selects_all()) {
      auto doc = decode_body(*r.body);
      if (!doc || !o.labels.matches(*doc) || !o.fields.matches(*doc)) continue;
    }
    if (o.limit != 0 && out.keys.size() == o.limit) {
      out.continue_token = to_text({page->at, out.keys.back().ns, out.keys.back().name});
      break;
    }
    out.keys.push_back(r.key);
  }
  return out;
}

}  // namespace

void handle_delete(const call_ptr& call) {
  auto options = read_delete_options(*call);
  if (!options) return call->respond(options.err());
  try_delete(std::make_shared<delete_job>(
      delete_job{call, *options, call->key(), [call](const answer<deleted>& d) { answer_delete(call, d); }}));
}

void handle_delete_collection(const call_ptr& call) {
  auto options = read_delete_options(*call);
  if (!options) return call->respond(options.err());
  auto selection = parse_list_options(*call);
  if (!selection) return call->respond(selection.err());
  auto selected = choose(*call, *selection);
  if (!selected) return call->respond(selected.err());
  auto run = std::make_shared<collection_run>();
  run->call = call;
  run->left = selected->keys.size();
  run->continue_token = selected->continue_token;
  if (selected->keys.empty()) return answer_collection(*run);
  for (const auto& key : selected->keys)
    try_delete(std::make_shared<delete_job>(
        delete_job{call, *options, key, [run, key](answer<deleted> d) { one_done(run, key, std::move(d)); }}));
}

}  // namespace wh
