#include "actors/shared/namespace_lifecycle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/names.hpp"
#include "actors/shared/default_account.hpp"
#include "actors/shared/objects.hpp"
#include "actors/shared/removal.hpp"

namespace wh {
namespace {

constexpr duration pass_first = std::chrono::milliseconds(20);
constexpr duration pass_cap = std::chrono::seconds(5);

void pass_later(namespace_lifecycle& self, const std::string& ns, outbox& out) {
  const int passes = self.terminating[ns]++;
  out.wake(ns, std::min(pass_cap, pass_first * (1 << std::min(passes, 10))));
}

/// One look at a terminating namespace: delete what is left, or the namespace itself.
void pass(namespace_lifecycle& self, const std::string& ns, const context& ctx, outbox& out) {
  const object_key key{names::namespaces, "", ns};
  auto space = draft::open(key, ctx);
  if (!space || !is_deleting(space->doc())) {
    self.terminating.erase(ns);
    return;
  }
  const auto left = ctx.data.list_namespace(ns);
  for (const auto& r : left) delete_object(r, decode_stored(r.key, r.body), self.owners, ctx, out);
  const document* finalizers = find_path(space->doc(), {"metadata", "finalizers"});
  if (left.empty() && (!finalizers || finalizers->empty()) && !space->in_flight()) {
    out.writes.preconditions.push_back(at_revision{key, space->rev()});
    out.remove(key);
    out.log(note_level::info, fmt::format("namespace {} is removed", ns));
    self.terminating.erase(ns);
    return;
  }
  pass_later(self, ns, out);
}

}  // namespace

void restore(namespace_lifecycle& self, const context& ctx, outbox& out) {
  for (const auto& r : ctx.data.list({names::namespaces, "", ""})) {
    if (is_deleting(decode_stored(r.key, r.body))) pass_later(self, r.key.name, out);
    else ensure_default_account(r.key.name, ctx, out);
  }
}

void on(namespace_lifecycle& self, const object_changed& m, const context& ctx, outbox& out) {
  if (concerns_default_account(m.what)) return ensure_default_account(m.what.key.ns, ctx, out);
  if (m.what.key.resource != names::namespaces || !m.what.body || self.terminating.contains(m.what.key.name)) return;
  if (is_deleting(decode_stored(m.what.key, m.what.body))) pass_later(self, m.what.key.name, out);
  else ensure_default_account(m.what.key.name, ctx, out);
}

void on(namespace_lifecycle& self, const timer_fired& m, const context& ctx, outbox& out) {
  pass(self, m.name, ctx, out);
}

void on(namespace_lifecycle&, const admit_reply&, const context&, outbox&) {}  // the next pass sees what came of it

}  // namespace wh
