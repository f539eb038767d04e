// Works on their way to the spoke, and what comes back of them.
#include <fmt/format.h>

#include <algorithm>

#include "actors/hub/managed_cluster_detail.hpp"
#include "actors/hub/reported_status.hpp"
#include "actors/names.hpp"

namespace wh {

using namespace cluster_detail;

namespace {

/// What a sync is answered from: what the spoke holds, and which of it this store's own generations describe.
struct holdings {
  std::map<std::string, const held_work*> by_name;
  std::string greeting;  ///< the incarnation that hello named: of all that name none
  std::string ours;

  /// A hub that was restored from a backup counts generations that it gave out before: equal numbers say nothing.
  bool our_history(const held_work& h) const { return (h.history.empty() ? greeting : h.history) == ours; }
};

/// The spoke has what a restored hub forgot: it stays, until a user of this hub changes the work (admission.cpp).
bool is_newer_there(const managed_cluster::work_entry& entry, const held_work& held, const holdings& all) {
  return !entry.deleting && held.uid == entry.uid && !all.our_history(held) && held.gen > entry.gen;
}

void hold_back(managed_cluster& self, const std::string& name, generation newer, const context& ctx, outbox& out) {
  auto& entry = self.works.at(name);
  if (entry.behind == newer && entry.finalizer) return;
  auto work = draft::open(work_key(self, name), ctx);
  if (!work) return;
  work->doc()["metadata"]["annotations"][names::behind_annotation] = std::to_string(newer.get());
  add_finalizer(work->doc(), names::work_finalizer);
  work->save(out);
  entry.behind = newer;
  entry.finalizer = true;
}

void sync_work(managed_cluster& self, const std::string& name, const holdings& all, const context& ctx, outbox& out) {
  auto& entry = self.works.at(name);
  const auto it = all.by_name.find(name);
  const held_work* held = it == all.by_name.end() ? nullptr : it->second;
  if (!self.accepted && !entry.deleting) return;
  if (held && is_newer_there(entry, *held, all)) return hold_back(self, name, held->gen, ctx, out);
  const bool same = held && all.our_history(*held) && held->uid == entry.uid && held->gen == entry.gen &&
                    held->deleting == entry.deleting;
  if (same) return;
  // Nothing of it is out there, and what remains of it is another controller's business.
  if (entry.deleting && !entry.finalizer && !held) return;
  auto work = draft::open(work_key(self, name), ctx);
  if (!work) return;
  if (!entry.finalizer && !entry.deleting) {
    add_finalizer(work->doc(), names::work_finalizer);
    work->save(out);
    entry.finalizer = true;
  }
  send_work(self, work->doc(), out);
}

/// What the spoke holds of a history that this store lost, in words; empty: nothing.
std::string lost_history(const managed_cluster& self, const holdings& all) {
  constexpr std::size_t named_max = 10;
  std::vector<std::string> found;
  std::size_t count = 0;
  for (const auto& [name, held] : all.by_name) {
    const auto it = self.works.find(name);
    const bool unknown = it == self.works.end() && !held->deleting && !all.our_history(*held);
    const bool newer = it != self.works.end() && is_newer_there(it->second, *held, all);
    if (!unknown && !newer) continue;
    if (++count > named_max) continue;
    found.push_back(unknown ? fmt::format("{} (unknown here)", name)
                            : fmt::format("{} (generation {}, here {})", name, held->gen.get(), it->second.gen.get()));
  }
  if (count == 0) return {};
  return fmt::format(
      "This hub was restored and is behind the cluster, which keeps {} work{} of before: {}{}. A change of a work on this "
      "hub goes out; one that is unknown here is left alone until a work of its name is created.",
      count, count == 1 ? "" : "s", fmt::join(found, ", "), count > named_max ? ", …" : "");
}

void tell_behind(managed_cluster& self, const holdings& all, const context& ctx, outbox& out) {
  const auto lost = lost_history(self, all);
  if (!lost.empty()) out.log(note_level::warning, lost);
  change_cluster(self, ctx, out, [&](document& cluster) {
    if (lost.empty() && condition_status(cluster, names::hub_behind).empty()) return;
    set_condition(cluster["status"]["conditions"],
                  {.type = names::hub_behind,
                   .status = lost.empty() ? "False" : "True",
                   .reason = lost.empty() ? "InSync" : "RestoredFromBackup",
                   .message = lost.empty() ? "The hub knows all that the cluster holds." : lost},
                  ctx.now);
  });
}

}  // namespace

namespace cluster_detail {

bool in_cleanup(const managed_cluster& self) {
  return !self.accepted &&
         std::any_of(self.works.begin(), self.works.end(), [](const auto& w) { return w.second.finalizer; });
}
bool pushes(const managed_cluster& self) { return self.accepted && self.peer && self.peer->synced; }
bool pushes_removals(const managed_cluster& self) {
  return self.peer && self.peer->synced && (self.accepted || in_cleanup(self));
}

void send_work(const managed_cluster& self, const document& work, outbox& out) {
  document prescription = work;
  prescription.erase("status");
  prescription["metadata"].erase("managedFields");
  tell_spoke(self,
             work_desired{.name = std::string(name_of(work)),
                          .uid = std::string(uid_of(work)),
                          .gen = generation_of(work),
                          .deleting = is_deleting(work),
                          .body = encode_body(prescription)},
             out);
}

void handle_sync(managed_cluster& self, const sync_request& m, const context& ctx, outbox& out) {
  if (!self.accepted && !in_cleanup(self)) return;
  holdings all{.by_name = {}, .greeting = self.peer->hub_incarnation, .ours = ctx.data.store_incarnation()};
  for (const auto& h : m.works) all.by_name[h.name] = &h;
  std::vector<std::string> known;
  for (const auto& [name, entry] : self.works) known.push_back(name);
  for (const auto& name : known) sync_work(self, name, all, ctx, out);
  // A restored or replaced hub may simply have forgotten: only the store that gave it out may call a work unknown.
  for (const auto& [name, h] : all.by_name)
    if (self.accepted && !self.works.contains(name) && all.our_history(*h))
      tell_spoke(self, work_unknown{name, h->uid}, out);
  tell_spoke(self, sync_done{}, out);
  self.peer->synced = true;
  self.peer->hub_incarnation = ctx.data.store_incarnation();
  send_namespaces(self, ctx, out);
  tell_behind(self, all, ctx, out);
}

void handle_work_report(managed_cluster& self, const work_report& m, const context& ctx, outbox& out) {
  const auto it = self.works.find(m.name);
  const auto ack = [&] { tell_spoke(self, report_ack{m.name, m.uid, m.seq}, out); };
  // A report for another life of the name, or for an older generation, answers a question nobody asks any more.
  if (it == self.works.end() || it->second.uid != m.uid || m.observed < it->second.gen) return ack();
  if (!self.accepted && !it->second.deleting) return;
  if (m.observed > it->second.gen || !m.status) {
    if (m.observed == it->second.behind) return ack();
    out.log(note_level::warning, fmt::format("report for work {} claims generation {} of {}: ignored", m.name,
                                             m.observed.get(), it->second.gen.get()));
    return;
  }
  auto work = draft::open(work_key(self, m.name), ctx);
  if (!work) return ack();
  auto status = read_reported_status(*m.status, ctx.now);
  if (!status) {
    out.log(note_level::warning, fmt::format("report for work {} refused: {}", m.name, status.err().message));
    return ack();
  }
  work->doc()["status"] = std::move(*status);
  work->save(out);
  ack();
}

void handle_finished(managed_cluster& self, const work_finished& m, const context& ctx, outbox& out) {
  const auto it = self.works.find(m.name);
  if (it == self.works.end() || it->second.uid != m.uid) return tell_spoke(self, work_unknown{m.name, m.uid}, out);
  if (!it->second.deleting) return;
  auto work = draft::open(work_key(self, m.name), ctx);
  if (!work) return;
  remove_finalizer(work->doc(), names::work_finalizer);
  it->second.finalizer = false;
  work->save(out);
  if (work->released()) self.works.erase(it);
  tell_spoke(self, work_unknown{m.name, m.uid}, out);
  after_work_gone(self, out);
}

void after_work_gone(managed_cluster& self, outbox& out) {
  if (self.deleting) out.wake("removal", duration{0});
  else if (self.exists && !self.accepted) out.wake("access", duration{0});
}

}  // namespace cluster_detail

}  // namespace wh
