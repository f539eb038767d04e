// A work's rounds: the anchor, and each manifest in order.
#include <fmt/format.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/spoke/ignored_fields.hpp"
#include "actors/spoke/work_detail.hpp"
#include "base/encoding.hpp"

namespace wh::work_detail {
namespace {

using step = work::step_kind;

/// Remembers every manifest before the first is applied.
void remember_intent(work& self, outbox& out) {
  bool changed = false;
  for (const auto& m : self.now.manifests) {
    if (find_applied(self, m.object)) continue;
    self.applied.push_back({m.object, "", ""});
    changed = true;
  }
  if (changed) save_state(self, out);
}

/// Asked before the first look at an object: what happens to it from then on is either seen by that look or told.
void watch_objects(work& self, outbox& out) {
  std::vector<cluster_object> objects = {anchor_object(self)};
  for (const auto& a : self.applied) objects.push_back(a.object);
  if (objects == self.watched) return;
  self.watched = objects;
  out.send({actor_kind::cluster, ""}, cluster_watch{std::move(objects)});
}

void create_anchor(work& self, outbox& out) {
  const auto object = anchor_object(self);
  document anchor = {
      {"apiVersion", object.api_version},
      {"kind", object.kind},
      {"metadata", {{"name", object.name}, {"finalizers", {names::applied_work_finalizer}}}},
      {"spec", {{"hubHash", self.hub_hash}, {"agentID", self.agent_id}, {"manifestWorkName", self.name}}}};
  if (const document* labels = find_path(self.prescription, {"metadata", "labels"}))
    anchor["metadata"]["labels"] = *labels;
  call(self, step::anchor_create,
       {.id = {}, .verb = cluster_call::verb_kind::create, .object = object, .body = share(anchor.dump()), .uid = {}},
       out);
}

const manifest& current(const work& self) { return self.now.manifests[self.now.at]; }
work::outcome& current_outcome(work& self) { return self.now.outcomes[self.now.at]; }

void finish_manifest(work& self, const context& ctx, outbox& out) {
  ++self.now.at;
  self.now.conflicts = 0;
  apply_next(self, ctx, out);
}

void fail_manifest(work& self, std::string why, const context& ctx, outbox& out) {
  current_outcome(self).failure = std::move(why);
  self.now.failed = true;
  finish_manifest(self, ctx, out);
}

resource_identifier current_identifier(const work& self, const std::string& resource) {
  return identifier_of(current(self).object, resource);
}

/// Everything that the object as wanted depends on.
std::size_t fingerprint(const work& self, const resource_identifier& id) {
  auto how = self.anchor.uid + (is_orphaned(self.prescription, id) ? "-" : "+");
  if (strategy_for(self.prescription, id) == update_strategy::server_side_apply) {
    const auto options = apply_options_for(self.prescription, id);
    how += options.manager + (options.force ? "!" : "?") + options.ignored.dump();
  }
  return fnv1a(current(self).body.dump(), fnv1a(how));
}

/// The cluster has (or now got) the object as wanted.
void settle(work& self, const document& live, const std::string& resource) {
  const auto& m = current(self);
  auto& result = current_outcome(self);
  result.exists = true;
  result.resource = resource;
  const revision rev = revision_of(live);
  auto& known = self.known[m.object];
  known = std::max(known, rev);
  self.settled[m.object] = {fingerprint(self, current_identifier(self, resource)), rev};
  if (auto* a = find_applied(self, m.object)) {
    a->object.api_version = m.object.api_version;
    a->resource = resource;
    a->uid = uid_of(live);
  }
}

void write(work& self, cluster_call::verb_kind verb, const document& body, outbox& out) {
  self.now.applying = false;
  call(self, step::apply_write,
       {.id = {}, .verb = verb, .object = current(self).object, .body = share(body.dump()), .uid = {}}, out);
}

void send_apply(work& self, const apply_options& options, const document& config, outbox& out) {
  self.now.applying = true;
  call(self, step::apply_write,
       {.id = {},
        .verb = cluster_call::verb_kind::apply,
        .object = current(self).object,
        .body = share(config.dump()),
        .uid = {},
        .manager = options.manager,
        .force = options.force},
       out);
}

/// The object is applied as wanted; its owner's reference may not be.
void finish_applied(work& self, const document& live, const std::string& resource, const context& ctx, outbox& out) {
  // The reference is not for the work to apply: another work of the same manager would take it away again.
  const bool owned = !is_orphaned(self.prescription, current_identifier(self, resource));
  if (auto wanted = owned_form(live, self.anchor, owned))
    return write(self, cluster_call::verb_kind::replace, *wanted, out);
  settle(self, live, resource);
  finish_manifest(self, ctx, out);
}

/// `live` is null when the object is not there.
void server_side_apply(work& self, const document* live, const std::string& resource, const context& ctx, outbox& out) {
  const auto options = apply_options_for(self.prescription, current_identifier(self, resource));
  const auto config = applied_form(current(self).body);
  if (options.ignored.is_null()) return send_apply(self, options, config, out);
  const auto form = ignoring(config, options.ignored);
  if (!form) {
    current_outcome(self).reason = "AppliedManifestSSAIgnoreFieldError";
    current_outcome(self).exists = live != nullptr;
    return fail_manifest(self, form.err().message, ctx, out);
  }
  if (live && has_applied(*live, *form)) return finish_applied(self, *live, resource, ctx, out);
  send_apply(self, options, live ? form->later : form->first, out);
}

void create_missing(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  const auto id = current_identifier(self, m.resource);
  const auto strategy = strategy_for(self.prescription, id);
  current_outcome(self).resource = m.resource;
  if (strategy == update_strategy::read_only) return finish_manifest(self, ctx, out);
  if (m.namespaced && current(self).object.ns.empty())
    return fail_manifest(
        self, fmt::format("{} is namespaced: metadata.namespace is required", current(self).object.kind), ctx, out);
  if (strategy == update_strategy::server_side_apply) return server_side_apply(self, nullptr, m.resource, ctx, out);
  write(self, cluster_call::verb_kind::create,
        created_form(current(self).body, self.anchor, !is_orphaned(self.prescription, id)), out);
}

void reconcile_present(work& self, const document& live, const std::string& resource, const context& ctx, outbox& out) {
  const auto& m = current(self);
  const auto id = current_identifier(self, resource);
  const auto strategy = strategy_for(self.prescription, id);
  const bool owned = !is_orphaned(self.prescription, id);
  const auto cached = self.settled.find(m.object);
  const bool unchanged = cached != self.settled.end() && revision_of(live) != revision{} &&
                         cached->second == std::pair{fingerprint(self, id), revision_of(live)};
  current_outcome(self).resource = resource;
  if (!unchanged && strategy == update_strategy::server_side_apply)
    return server_side_apply(self, &live, resource, ctx, out);
  std::optional<document> wanted;
  if (!unchanged && strategy == update_strategy::update) wanted = updated_form(m.body, live, self.anchor, owned);
  if (!unchanged && strategy == update_strategy::create_only) wanted = owned_form(live, self.anchor, owned);
  if (wanted) return write(self, cluster_call::verb_kind::replace, *wanted, out);
  settle(self, live, resource);
  finish_manifest(self, ctx, out);
}

void handle_live(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  if (!m.failure) {
    auto live = parse_json(*m.body);
    if (!live) return fail_manifest(self, "the cluster's answer does not parse: " + live.err().message, ctx, out);
    return reconcile_present(self, *live, m.resource, ctx, out);
  }
  if (m.failure->code == errc::not_found) return create_missing(self, m, ctx, out);
  if (m.failure->code == errc::unsupported) self.now.unidentified = true;
  current_outcome(self).unknown = true;
  fail_manifest(self, m.failure->message, ctx, out);
}

/// Others own fields of the manifest: nothing to hurry for. The object's next change, or the resync, tries again.
void report_contest(work& self, std::string why, const context& ctx, outbox& out) {
  current_outcome(self).failure = std::move(why);
  current_outcome(self).exists = true;
  finish_manifest(self, ctx, out);
}

void handle_written(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  const bool applied = self.now.applying;
  if (m.failure && applied && m.failure->code == errc::conflict)
    return report_contest(self, m.failure->message, ctx, out);
  if (m.failure) {
    const bool raced = m.failure->code == errc::conflict || m.failure->code == errc::already_exists ||
                       m.failure->code == errc::not_found;
    // A missing namespace is not_found too, and stays so: look again a few times, then say it.
    if (raced && ++self.now.conflicts < conflicts_max)
      return get_object(self, step::apply_get, current(self).object, out);
    return fail_manifest(self, m.failure->message, ctx, out);
  }
  auto live = parse_json(*m.body);
  if (!live) return fail_manifest(self, "the cluster's answer does not parse: " + live.err().message, ctx, out);
  const std::string resource = m.resource.empty() ? current_outcome(self).resource : m.resource;
  if (applied) return finish_applied(self, *live, resource, ctx, out);
  settle(self, *live, resource);
  finish_manifest(self, ctx, out);
}

void begin_body(work& self, const context& ctx, outbox& out) {
  if (self.now.everything) return begin_removals(self, ctx, out);
  apply_next(self, ctx, out);
}

duration retry_delay(int failures) { return std::min(retry_cap, retry_base * (1 << std::min(failures - 1, 10))); }

}  // namespace

void begin_round(work& self, const context& ctx, outbox& out) {
  if (!self.held || self.finished) return;
  if (self.now.step != step::idle) {
    self.again = true;
    return;
  }
  self.again = false;
  self.now = {};
  out.cancel("reconcile");
  self.now.everything = self.deleting || self.leaving || (self.evict_at && ctx.now >= *self.evict_at);
  if (!self.now.everything) {
    self.now.manifests = manifests_of(self.prescription);
    self.now.outcomes.resize(self.now.manifests.size());
    remember_intent(self, out);
  }
  watch_objects(self, out);
  get_object(self, step::anchor_get, anchor_object(self), out);
}

void handle_anchor(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  if (m.failure && m.failure->code == errc::not_found && self.now.step == step::anchor_get) {
    if (self.now.everything) return begin_removals(self, ctx, out);
    return create_anchor(self, out);
  }
  if (m.failure) {
    out.log(note_level::warning, fmt::format("work {}: {}", self.name, m.failure->message));
    self.now.failed = true;
    for (auto& o : self.now.outcomes) {
      o.failure = m.failure->message;
      o.unknown = true;
    }
    return end_round(self, ctx, out);
  }
  auto anchor = parse_json(*m.body);
  if (!anchor) throw std::runtime_error("AppliedManifestWork does not parse: " + anchor.err().message);
  self.anchor = {self.hub_hash + "-" + self.name, std::string(uid_of(*anchor))};
  auto& known = self.known[anchor_object(self)];
  known = std::max(known, revision_of(*anchor));
  // Somebody deleted the anchor: its objects go with it, and the next round makes all anew (work spec, section 10).
  if (is_deleting(*anchor) && !self.now.everything) {
    self.now.everything = true;
    self.again = true;
  }
  self.now.anchor = std::move(*anchor);
  begin_body(self, ctx, out);
}

void apply_next(work& self, const context& ctx, outbox& out) {
  // A newer prescription does not wait for the rest of an older one.
  if (self.again || self.now.at >= self.now.manifests.size()) {
    if (self.again) return end_round(self, ctx, out);
    return begin_removals(self, ctx, out);
  }
  const auto& m = current(self);
  if (m.object.kind.empty() || m.object.name.empty()) {
    self.now.unidentified = true;
    return fail_manifest(self, "the manifest has no kind or no name", ctx, out);
  }
  get_object(self, step::apply_get, m.object, out);
}

void handle_apply(work& self, const cluster_reply& m, const context& ctx, outbox& out) {
  if (self.now.step == step::apply_get) return handle_live(self, m, ctx, out);
  handle_written(self, m, ctx, out);
}

void end_round(work& self, const context& ctx, outbox& out) {
  const bool restart = self.again;
  self.now.step = step::idle;
  if (!restart) report(self, status_of_round(self, ctx), out);
  save_state(self, out);
  if (self.report_seq > self.report_acked) tell_agent(self, out);
  const bool failed = self.now.failed;
  const bool waits = self.now.waits;
  self.now = {};
  if (restart) return begin_round(self, ctx, out);
  self.failures = failed ? self.failures + 1 : 0;
  if (failed) return out.wake("reconcile", retry_delay(self.failures));
  if (waits) return out.wake("reconcile", std::chrono::seconds(1));
  const bool news = std::any_of(self.rumoured.begin(), self.rumoured.end(),
                                [&](const auto& r) { return r.second > self.known[r.first]; });
  if (news) return out.wake("reconcile", drift_delay);
  out.wake("resync", duration{static_cast<duration::rep>(static_cast<double>(resync_period.count()) *
                                                         (1.0 + ctx.random.unit() / 2))});
}

}  // namespace wh::work_detail
