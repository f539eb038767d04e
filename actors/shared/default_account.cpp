#include "actors/shared/default_account.hpp"

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"

namespace wh {

namespace {

constexpr const char* account_name = "default";

/// Of the namespace's uid and the time, so that the order in which namespaces are looked at does not show. One that is
/// made anew later is another one.
std::string uid_for(const document& space, const context& ctx) {
  return uid_from(std::string(uid_of(space)) + "/" + account_name + "/" + to_rfc3339_micro(ctx.now), ctx);
}

}  // namespace

void ensure_default_account(const std::string& ns, const context& ctx, outbox& out) {
  const object_key key{names::service_accounts, ns, account_name};
  if (ctx.data.read(key)) return;
  const auto space = draft::open({names::namespaces, "", ns}, ctx);
  if (!space || is_deleting(space->doc())) return;
  document doc = new_object(ctx, "v1", "ServiceAccount", ns, account_name);
  doc["metadata"].erase("generation");
  doc["metadata"]["uid"] = uid_for(space->doc(), ctx);
  out.writes.preconditions.push_back(absent{key});
  out.writes.preconditions.push_back(namespace_active{ns});
  out.store(key, encode_body(doc));
}

bool concerns_default_account(const change& c) {
  return c.key.resource == names::service_accounts && c.key.name == account_name && !c.body;
}

}  // namespace wh
