// What a round found, as ManifestWork status (work spec, section 5), and the work's durable state.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "actors/names.hpp"
#include "actors/spoke/work_detail.hpp"
#include "base/encoding.hpp"

namespace wh::work_detail {
namespace {

/// The manifest conditions of the last status, so that transition times carry over.
document previous_conditions(const document& status, const document& meta) {
  const document* list = find_path(status, {"resourceStatus", "manifests"});
  if (!list || !list->is_array()) return document::array();
  for (const auto& entry : *list) {
    const document* old = find_path(entry, {"resourceMeta"});
    if (!old) continue;
    const auto same = [&](const char* field) { return string_at(*old, {field}) == string_at(meta, {field}); };
    const document* conditions = find_path(entry, {"conditions"});
    if (conditions && same("group") && same("kind") && same("namespace") && same("name")) return *conditions;
  }
  return document::array();
}

/// lastTransitionTime moves with a new generation even if the status stays (spec 5).
void set_fresh(document& conditions, const condition& c, instant now) {
  const document* old = find_condition(conditions, c.type);
  if (old && c.observed && int_at(*old, {"observedGeneration"}, 0) != c.observed->get())
    remove_condition(conditions, c.type);
  set_condition(conditions, c, now);
}

document resource_meta(const manifest& m, const std::string& resource) {
  const auto gv = split_api_version(m.object.api_version);
  return {{"ordinal", m.ordinal}, {"group", gv.group},     {"version", gv.version},   {"kind", m.object.kind},
          {"resource", resource}, {"name", m.object.name}, {"namespace", m.object.ns}};
}

condition available_condition(const work::outcome& o, generation gen) {
  if (o.unknown)
    return {"Available", "Unknown", "FetchingResourceFailed", "Failed to fetch resource: " + o.failure, gen};
  if (o.exists) return {"Available", "True", "ResourceAvailable", "Resource is available", gen};
  return {"Available", "False", "ResourceNotAvailable", "Resource is not available", gen};
}

document manifest_status(const work& self, const manifest& m, const work::outcome& o, instant now) {
  document meta = resource_meta(m, o.resource);
  document conditions = previous_conditions(self.status, meta);
  if (o.failure.empty())
    set_fresh(conditions, {"Applied", "True", "AppliedManifestComplete", "Apply manifest complete", self.gen}, now);
  else set_fresh(conditions, {"Applied", "False", o.reason, "Failed to apply manifest: " + o.failure, self.gen}, now);
  set_condition(conditions, available_condition(o, self.gen), now);
  return {
      {"resourceMeta", std::move(meta)}, {"conditions", std::move(conditions)}, {"statusFeedback", document::object()}};
}

condition work_available(const work& self) {
  const auto& all = self.now.outcomes;
  const auto unknown = std::count_if(all.begin(), all.end(), [](const auto& o) { return o.unknown; });
  const auto missing = std::count_if(all.begin(), all.end(), [](const auto& o) { return !o.unknown && !o.exists; });
  if (missing > 0)
    return {"Available", "False", "ResourcesNotAvailable",
            fmt::format("{} of {} resources are not available", missing, all.size()), self.gen};
  if (unknown > 0 || all.empty())
    return {"Available", "Unknown", "ResourcesStatusUnknown",
            fmt::format("{} of {} resources have unknown status", unknown, all.size()), self.gen};
  return {"Available", "True", "ResourcesAvailable", "All resources are available", self.gen};
}

/// While objects are being removed the last status stays true but for the Deleting condition.
document deleting_status(const work& self, instant now) {
  document status = self.status;
  auto& conditions = status["conditions"];
  const auto left = self.applied.size();
  set_condition(conditions,
                {"Deleting", "True", "WorkDeleting", fmt::format("{} objects are still to be removed", left), self.gen},
                now);
  return status;
}

}  // namespace

document status_of_round(const work& self, const context& ctx) {
  if (self.now.everything) return deleting_status(self, ctx.now);
  document status = document::object();
  const document* old = find_path(self.status, {"conditions"});
  auto& conditions = status["conditions"] = old ? *old : document::array();
  const bool applied =
      std::all_of(self.now.outcomes.begin(), self.now.outcomes.end(), [](const auto& o) { return o.failure.empty(); });
  set_fresh(conditions,
            applied
                ? condition{"Applied", "True", "AppliedManifestWorkComplete", "Apply manifest work complete", self.gen}
                : condition{"Applied", "False", "AppliedManifestWorkFailed", "Failed to apply manifest work", self.gen},
            ctx.now);
  set_condition(conditions, work_available(self), ctx.now);
  // By ordinal, as the user listed them.
  std::vector<std::size_t> order(self.now.manifests.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return self.now.manifests[a].ordinal < self.now.manifests[b].ordinal; });
  auto& manifests = status["resourceStatus"]["manifests"] = document::array();
  for (const auto i : order)
    manifests.push_back(manifest_status(self, self.now.manifests[i], self.now.outcomes[i], ctx.now));
  return status;
}

void save_state(work& self, outbox& out) {
  document applied = document::array();
  for (const auto& a : self.applied)
    applied.push_back({{"apiVersion", a.object.api_version},
                       {"kind", a.object.kind},
                       {"namespace", a.object.ns},
                       {"name", a.object.name},
                       {"resource", a.resource},
                       {"uid", a.uid}});
  document doc = {{"apiVersion", "wheelhouse.io/v1"},
                  {"kind", "WorkState"},
                  {"metadata", {{"name", self.name}}},
                  {"hubHistory", self.history},
                  {"applied", std::move(applied)},
                  {"status", self.status},
                  {"reportSeq", self.report_seq},
                  {"reportAcked", self.report_acked},
                  {"reportedGeneration", self.reported_gen.get()},
                  {"anchorUid", self.anchor.uid},
                  {"finished", self.finished}};
  if (self.evict_at) doc["evictAt"] = to_rfc3339(*self.evict_at);
  if (self.leaving) doc["leaving"] = {{"keep", self.keep}};
  auto body = encode_body(doc);
  const auto digest = fnv1a(*body);
  if (digest == self.saved_digest) return;
  self.saved_digest = digest;
  out.store({names::work_states, "", self.name}, std::move(body));
}

void load_state(work& self, const document& doc) {
  self.applied.clear();
  if (const document* applied = find_path(doc, {"applied"}); applied && applied->is_array()) {
    for (const auto& a : *applied) {
      const auto text = [&](const char* field) { return std::string(string_at(a, {field})); };
      self.applied.push_back(
          {{text("apiVersion"), text("kind"), text("namespace"), text("name")}, text("resource"), text("uid")});
    }
  }
  if (const document* status = find_path(doc, {"status"}); status && status->is_object()) self.status = *status;
  self.history = string_at(doc, {"hubHistory"});
  self.report_seq = static_cast<std::uint64_t>(int_at(doc, {"reportSeq"}, 0));
  self.report_acked = static_cast<std::uint64_t>(int_at(doc, {"reportAcked"}, 0));
  self.reported_gen = generation{int_at(doc, {"reportedGeneration"}, 0)};
  self.anchor = {self.hub_hash + "-" + self.name, std::string(string_at(doc, {"anchorUid"}))};
  self.finished = bool_at(doc, {"finished"}, false);
  if (auto at = parse_rfc3339(string_at(doc, {"evictAt"})); at) self.evict_at = *at;
  self.leaving = find_path(doc, {"leaving"}) != nullptr;
  self.keep = bool_at(doc, {"leaving", "keep"}, false);
}

revision revision_of(const document& object) {
  const auto text = string_at(object, {"metadata", "resourceVersion"});
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? revision{value} : revision{};
}

}  // namespace wh::work_detail
