#include "actors/shared/removal.hpp"

namespace wh {
namespace {

void write(const record& r, shared_bytes body, const owner_lookup& owners, const context& ctx, outbox& out) {
  batch change;
  change.preconditions.push_back(at_revision{r.key, r.rev});
  if (body) change.puts.push_back({r.key, body, {}});
  else change.erases.push_back({r.key});
  if (const auto owner = owners(r.key)) {
    out.send(*owner, admit_write{.id = request_id{ctx.random.next()},
                                 .verb = body ? admit_write::verb_kind::update : admit_write::verb_kind::remove,
                                 .key = r.key,
                                 .old_rev = r.rev,
                                 .body = std::move(body),
                                 .user = to_string(ctx.self),
                                 .proposed = std::move(change)});
    return;
  }
  for (auto& p : change.preconditions) out.writes.preconditions.push_back(std::move(p));
  for (auto& p : change.puts) out.writes.puts.push_back(std::move(p));
  for (auto& e : change.erases) out.writes.erases.push_back(std::move(e));
}

}  // namespace

void delete_object(const record& r, const document& doc, const owner_lookup& owners, const context& ctx, outbox& out) {
  const document* finalizers = find_path(doc, {"metadata", "finalizers"});
  if (!finalizers || finalizers->empty()) return write(r, nullptr, owners, ctx, out);
  if (is_deleting(doc)) return;
  document marked = doc;
  marked["metadata"]["deletionTimestamp"] = to_rfc3339(ctx.now);
  marked["metadata"]["deletionGracePeriodSeconds"] = 0;
  write(r, encode_body(marked), owners, ctx, out);
}

void replace_object(const record& r, const document& changed, const owner_lookup& owners, const context& ctx,
                    outbox& out) {
  write(r, encode_body(changed), owners, ctx, out);
}

}  // namespace wh
