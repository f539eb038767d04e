#include "actors/spoke/namespace_keeper.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"

namespace wh {
namespace {

const object_key stored_key{names::managed_namespaces, "", "hub"};
const address cluster{actor_kind::cluster, ""};
constexpr const char* field_manager = "wheelhouse-registration";

cluster_object object_of(const std::string& name) { return {"v1", "Namespace", "", name}; }
std::string label_of_hub(const namespace_keeper::id& id) { return cluster_set_label_prefix + id.hub_hash; }

/// The name becomes part of a path, so it is looked at before it is used.
std::string problem_of(const namespace_keeper::id& id) {
  const auto sound = [](const std::string& text) {
    return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  };
  if (!sound(id.hub_hash)) return "the hub's hash is not a label's name";
  if (!sound(id.name)) return "the name is not a namespace's name: at most 63 characters of a-z, 0-9 and '-'";
  return {};
}

void save(const namespace_keeper& self, outbox& out) {
  if (self.entries.empty()) return out.remove(stored_key);
  document list = document::array();
  for (const auto& [id, e] : self.entries)
    list.push_back({{"hubHash", id.hub_hash}, {"name", id.name}, {"wanted", e.wanted}});
  out.store(stored_key, encode_body({{"apiVersion", "wheelhouse.io/v1"},
                                     {"kind", "ManagedNamespaces"},
                                     {"metadata", {{"name", "hub"}}},
                                     {"namespaces", std::move(list)}}));
}

void watch(const namespace_keeper& self, outbox& out) {
  cluster_watch wanted;
  for (const auto& [id, e] : self.entries)
    if (e.wanted && problem_of(id).empty()) wanted.objects.push_back(object_of(id.name));
  out.send(cluster, std::move(wanted));
}

void call(namespace_keeper& self, namespace_keeper::step step, cluster_call request, outbox& out) {
  step.call = request.id = request_id{self.next_call++};
  self.under_way = std::move(step);
  out.send(cluster, std::move(request));
}

void make(namespace_keeper& self, const namespace_keeper::id& id, outbox& out) {
  const document wanted = {{"apiVersion", "v1"},
                           {"kind", "Namespace"},
                           {"metadata", {{"name", id.name}, {"labels", {{label_of_hub(id), "true"}}}}}};
  call(self, {.of = id, .call = {}, .wanted = true, .looking = false},
       {.id = {},
        .verb = cluster_call::verb_kind::apply,
        .object = object_of(id.name),
        .body = share(wanted.dump()),
        .uid = {},
        .manager = field_manager,
        .force = true},
       out);
}

void look(namespace_keeper& self, const namespace_keeper::id& id, outbox& out) {
  call(self, {.of = id, .call = {}, .wanted = false, .looking = true},
       {.id = {}, .verb = cluster_call::verb_kind::get, .object = object_of(id.name), .body = nullptr, .uid = {}}, out);
}

/// The next namespace that is due. Names that cannot be are settled on the spot. True: an outcome changed.
bool go_on(namespace_keeper& self, outbox& out) {
  bool changed = false;
  while (!self.under_way && !self.due.empty()) {
    const auto id = *self.due.begin();
    self.due.erase(self.due.begin());
    const auto it = self.entries.find(id);
    if (it == self.entries.end()) continue;
    if (auto problem = problem_of(id); !problem.empty()) {
      if (it->second.wanted) it->second.outcome = std::move(problem);
      else self.entries.erase(it), save(self, out);
      changed = true;
      continue;
    }
    if (it->second.wanted) make(self, id, out);
    else look(self, id, out);
  }
  return changed;
}

bool settle(namespace_keeper& self, const namespace_keeper::id& id, std::string outcome, outbox& out) {
  auto& e = self.entries.at(id);
  if (!outcome.empty()) out.wake(namespaces_timer, namespaces_retry);
  if (e.outcome == outcome) return false;
  if (!outcome.empty())
    out.log(note_level::warning, fmt::format("managed namespace {} could not be applied: {}", id.name, outcome));
  e.outcome = std::move(outcome);
  return true;
}

bool settle_wanted(namespace_keeper& self, const namespace_keeper::id& id, const cluster_reply& m, outbox& out) {
  if (m.failure) return settle(self, id, m.failure->message, out);
  const auto live = m.body ? parse_json(*m.body) : result<document>(document::object());
  const bool ending = live && is_deleting(*live);
  return settle(self, id, ending ? "the namespace is being deleted" : "", out);
}

void drop(namespace_keeper& self, const namespace_keeper::id& id, outbox& out) {
  self.entries.erase(id);
  save(self, out);
}

/// The label of a namespace that nobody wants any more.
void release(namespace_keeper& self, const namespace_keeper::step& step, const cluster_reply& m, outbox& out) {
  if (m.failure && m.failure->code == errc::not_found) return drop(self, step.of, out);
  if (m.failure) {
    out.wake(namespaces_timer, namespaces_retry);
    return out.log(note_level::warning, fmt::format("the label of namespace {} could not be set to false: {}",
                                                    step.of.name, m.failure->message));
  }
  if (!step.looking) return drop(self, step.of, out);
  auto live = parse_json(m.body ? *m.body : "");
  if (!live || label_of(*live, label_of_hub(step.of)) != "true") return drop(self, step.of, out);
  (*live)["metadata"]["labels"][label_of_hub(step.of)] = "false";
  call(self, {.of = step.of, .call = {}, .wanted = false, .looking = false},
       {.id = {},
        .verb = cluster_call::verb_kind::replace,
        .object = object_of(step.of.name),
        .body = share(live->dump()),
        .uid = {}},
       out);
}

}  // namespace

void restore(namespace_keeper& self, const context& ctx, outbox& out) {
  self.next_call = ctx.random.next() >> 1;
  const auto stored = ctx.data.read(stored_key);
  if (!stored) return;
  const auto doc = decode_stored(stored_key, stored->body);
  const document* list = find_path(doc, {"namespaces"});
  if (!list || !list->is_array()) return;
  for (const auto& e : *list) {
    const namespace_keeper::id id{std::string(string_at(e, {"hubHash"})), std::string(string_at(e, {"name"}))};
    self.entries[id].wanted = bool_at(e, {"wanted"}, true);
    self.due.insert(id);
  }
  watch(self, out);
  go_on(self, out);
}

void want(namespace_keeper& self, const managed_namespaces& m, outbox& out) {
  bool changed = false;
  for (auto& [id, e] : self.entries) {
    const bool wanted = id.hub_hash == m.hub_hash && m.namespaces.contains(id.name);
    if (e.wanted == wanted) continue;
    e = {.wanted = wanted, .outcome = {}};
    self.due.insert(id);
    changed = true;
  }
  for (const auto& [name, sets] : m.namespaces) {
    if (!self.entries.try_emplace({m.hub_hash, name}).second) continue;
    self.due.insert({m.hub_hash, name});
    changed = true;
  }
  if (!changed) return;
  save(self, out);
  watch(self, out);
  go_on(self, out);
}

void retry(namespace_keeper& self, outbox& out) {
  for (const auto& [id, e] : self.entries)
    if (!e.wanted || (e.outcome && !e.outcome->empty())) self.due.insert(id);
  go_on(self, out);
}

void on_drift(namespace_keeper& self, const drifted& m, outbox& out) {
  for (const auto& [id, e] : self.entries)
    if (e.wanted && id.name == m.object.name) self.due.insert(id);
  go_on(self, out);
}

bool on_reply(namespace_keeper& self, const cluster_reply& m, outbox& out) {
  if (!self.under_way || m.id != self.under_way->call) return false;
  const auto step = *std::exchange(self.under_way, std::nullopt);
  const auto it = self.entries.find(step.of);
  bool changed = false;
  if (it != self.entries.end() && it->second.wanted != step.wanted) self.due.insert(step.of);  // the hub thought again
  else if (it != self.entries.end() && step.wanted) changed = settle_wanted(self, step.of, m, out);
  else if (it != self.entries.end()) release(self, step, m, out);
  return go_on(self, out) || changed;
}

bool is_settled(const namespace_keeper& self) { return !self.under_way && self.due.empty(); }

std::map<std::string, std::string> outcomes(const namespace_keeper& self) {
  std::map<std::string, std::string> found;
  for (const auto& [id, e] : self.entries)
    if (e.wanted && e.outcome) found[id.name] = *e.outcome;
  return found;
}

void forget(namespace_keeper& self, outbox& out) {
  out.remove(stored_key);
  self.entries.clear();
  self.due.clear();
  self.under_way.reset();
}

}  // namespace wh
