#include "apiserver/read.hpp"

#include <charconv>

#include "apiserver/list_options.hpp"

namespace wh {

namespace {

constexpr std::size_t filtered_page = 500;

/// A list under way: what was asked, and where in which revision it stands.
struct list_run {
  api_call& call;
  const list_options& options;
  revision at;  ///< 0: now
  std::optional<object_key> after;
  std::string items;  ///< the objects' JSON, comma-separated
  std::size_t count = 0;
  bool more = false;
};

api_error gone_error(const list_run& run) {
  if (run.options.continue_token.empty()) return expired("The provided resourceVersion for the list is too old.");
  return expired(
      "The provided continue parameter is too old to display a consistent list result. You can start a new list "
      "without the continue parameter, or use the continue token in this response to retrieve the remainder of the results."
      " Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
      "deleted between the time the first chunk was returned and now may show up in the list.");
}

/// Works out the revision to read at, and the key to go on after.
answer<void> position(list_run& run) {
  const auto& o = run.options;
  auto current = run.call.core->options.data->window().current;
  if (!o.continue_token.empty()) {
    if (o.rev && o.rev->get() != 0)
      return bad_request("specifying resource version is not allowed when using continue");
    auto token = parse_continue(o.continue_token);
    if (!token) return token.err();
    run.at = token->rev;
    run.after = object_key{o.range.resource, token->ns, token->name};
    return {};
  }
  if (!o.rev || o.rev->get() == 0) return {};
  if (*o.rev > current) return too_new(*o.rev, current);
  bool exact =
      o.match == list_options::match_kind::exact || (o.match == list_options::match_kind::unset && o.limit > 0);
  if (exact) run.at = *o.rev;
  return {};
}

/// Adds one object to the answer if the selectors want it.
void take(list_run& run, const record& r) {
  auto& call = run.call;
  bool is_table = call.form.shape == output_form::shape_kind::table;
  std::string text;
  if (run.options.selects_all() && !is_table) {
    text = shaped_json(call.form, call.kind, *r.body, r.rev, {});
  } else {
    auto view = object_for_view(call.kind, *r.body, r.rev);
    if (!view || !run.options.labels.matches(*view) || !run.options.fields.matches(*view)) return;
    text = is_table ? row_json(call.form, call.kind, *view, *r.body, r.rev, call.core->now())
                    : shaped_json(call.form, call.kind, *r.body, r.rev, {});
  }
  if (run.count++ > 0) run.items += ',';
  run.items += text;
}

/// Room for the objects and what comes around them: growing to many megabytes by doubling copies them several times.
void make_room(list_run& run, const std::vector<record>& records) {
  constexpr std::size_t head_bytes = 4096;
  constexpr std::size_t added_bytes = 48;  // a resourceVersion and a comma
  std::size_t bytes = run.items.size() + head_bytes;
  for (const auto& r : records) bytes += r.body->size() + added_bytes;
  run.items.reserve(bytes);
}

/// Reads pages until the limit is reached or nothing is left.
result<void> read_pages(list_run& run) {
  const auto& o = run.options;
  while (true) {
    std::size_t want = o.limit == 0 ? 0 : o.limit - run.count;
    if (want != 0 && !o.selects_all()) want = std::max(want, filtered_page);
    auto page = run.call.core->options.data->list(o.range, run.at, run.after, want);
    if (!page) return page.err();
    run.at = page->at;
    run.more = page->more;
    make_room(run, page->records);
    for (std::size_t i = 0; i < page->records.size(); ++i) {
      take(run, page->records[i]);
      run.after = page->records[i].key;
      if (o.limit != 0 && run.count == o.limit) {
        run.more = run.more || i + 1 < page->records.size();
        return {};
      }
    }
    if (!page->more || page->records.empty()) return {};
  }
}

std::string list_metadata(const list_run& run) {
  document m = {{"resourceVersion", std::to_string(run.at.get())}};
  if (!run.more || !run.after) return dump_document(m);
  m["continue"] = to_text({run.at, run.after->ns, run.after->name});
  // As Kubernetes: with a selector nobody knows without reading all of them. What is compacted meanwhile is not told.
  const auto& target = run.call.target;
  if (target.param("labelSelector").empty() && target.param("fieldSelector").empty())
    if (auto left = run.call.core->options.data->count(run.options.range, run.at, run.after); left && *left > 0)
      m["remainingItemCount"] = *left;
  return dump_document(m);
}

std::string list_head(const list_run& run) {
  const auto& form = run.call.form;
  const auto& kind = *run.call.kind.asked;
  auto metadata = list_metadata(run);
  if (form.shape == output_form::shape_kind::table) return table_head(form, kind, metadata);
  bool partial = form.shape == output_form::shape_kind::partial;
  std::string out = R"({"kind":")" + (partial ? "PartialObjectMetadataList" : kind.list_kind);
  out += R"(","apiVersion":")" + (partial ? "meta.k8s.io/" + form.meta_version : kind.api_version());
  return out + R"(","metadata":)" + metadata + R"(,"items":[)";
}

void answer_list(api_call& call, const list_options& options) {
  list_run run{call, options, {}, {}, {}, 0, false};
  if (auto ok = position(run); !ok) return call.respond(ok.err());
  if (options.nothing) {
    run.at = call.core->options.data->window().current;
    return call.respond(200, list_head(run) + "]}");
  }
  if (auto ok = read_pages(run); !ok) {
    if (ok.err().code != errc::gone) return call.respond(to_api_error(ok.err(), call.key()));
    auto body = status_document(gone_error(run));
    // A token without a revision goes on from the newest state: inconsistent, and said to be.
    if (run.after) body["metadata"]["continue"] = to_text({{}, run.after->ns, run.after->name});
    return call.respond(410, body);
  }
  run.items.insert(0, list_head(run));
  run.items += "]}";
  call.respond(200, std::move(run.items));
}

// --- watch -----------------------------------------------------------------------------------------------------------

watch_spec spec_of(api_call& call, const list_options& o) {
  watch_spec spec;
  spec.range = o.range;
  spec.labels = o.labels;
  spec.fields = o.fields;
  spec.kind = call.kind;
  spec.form = call.form;
  spec.bookmarks = o.bookmarks;
  spec.reply = call.reply;
  // Kubernetes' own default is half an hour to an hour; without an end, watches would gather on one server for ever.
  auto seconds = o.timeout_seconds > 0 ? o.timeout_seconds : 1800;
  spec.deadline = call.core->now() + std::chrono::seconds(seconds);
  return spec;
}

/// Sends what exists as ADDED events. The watch goes on from the revision of this state.
answer<void> send_initial_state(api_call& call, const list_options& o, watch_spec& spec) {
  auto page = call.core->options.data->list(o.range);
  if (!page) return to_api_error(page.err(), call.key());
  call.start_stream();
  for (const auto& r : page->records) {
    if (!spec.selects_all()) {
      auto doc = decode_body(*r.body);
      if (!doc || !selected(spec, *doc)) continue;
    }
    spec.reply->write(initial_event(spec, *r.body, r.rev, call.core->now()));
    spec.form.columns = false;
  }
  spec.after = page->at;
  if (o.initial_events && o.bookmarks) {
    spec.reply->write(bookmark_event(spec, spec.after, true));
    spec.form.columns = false;
  }
  return {};
}

}  // namespace

void handle_get(const call_ptr& call) {
  auto found = call->core->options.data->get(call->key());
  if (!found) return call->respond(to_api_error(found.err(), call->key()));
  if (!*found) return call->respond(object_not_found(call->resource(), call->path.name));
  if (auto text = call->target.param("resourceVersion"); !text.empty() && text != "0") {
    std::uint64_t asked = 0;
    std::from_chars(text.data(), text.data() + text.size(), asked);
    auto current = call->core->options.data->window().current;
    if (revision(asked) > current) return call->respond(too_new(revision(asked), current));
  }
  call->respond_object(200, *(**found).body, (**found).rev);
}

void handle_list(const call_ptr& call) {
  auto options = parse_list_options(*call);
  if (!options) return call->respond(options.err());
  answer_list(*call, *options);
}

void handle_watch(const call_ptr& call) {
  auto options = parse_list_options(*call);
  if (!options) return call->respond(options.err());
  if (call->form.yaml) return call->respond(not_acceptable());
  auto spec = spec_of(*call, *options);
  auto current = call->core->options.data->window().current;
  if (options->rev && *options->rev > current) return call->respond(too_new(*options->rev, current));
  bool initial = options->initial_events_set ? options->initial_events : !options->rev || options->rev->get() == 0;
  if (options->nothing) {
    // Nothing can ever match; the watch still has to stay open until its time is up.
    spec.range.name = "/";
    spec.after = current;
    call->start_stream();
  } else if (initial) {
    if (auto ok = send_initial_state(*call, *options, spec); !ok) return call->respond(ok.err());
  } else {
    spec.after = options->rev && options->rev->get() != 0 ? *options->rev : current;
    call->start_stream();
  }
  spec.reply = call->reply;  // the stream's beginning may have put an audited one in its place
  call->core->watches->start(std::move(spec));
}

}  // namespace wh
