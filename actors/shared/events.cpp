#include "actors/shared/events.hpp"

#include <fmt/format.h>

#include "actors/names.hpp"
#include "actors/shared/objects.hpp"
#include "base/encoding.hpp"

namespace wh {
namespace {

document reference_to(const document& regarding) {
  document ref = {{"apiVersion", api_version(regarding)},
                  {"kind", kind_of(regarding)},
                  {"name", name_of(regarding)},
                  {"uid", uid_of(regarding)}};
  if (const auto ns = namespace_of(regarding); !ns.empty()) ref["namespace"] = ns;
  return ref;
}

document new_event(const document& regarding, const object_key& key, const std::string& component,
                   const event_note& what, const context& ctx) {
  document event = new_object(ctx, "v1", "Event", key.ns, key.name);
  event["metadata"].erase("generation");
  event["involvedObject"] = reference_to(regarding);
  event["type"] = what.warning ? "Warning" : "Normal";
  event["reason"] = what.reason;
  event["action"] = what.action.empty() ? what.reason : what.action;
  event["firstTimestamp"] = to_rfc3339(ctx.now);
  event["source"] = {{"component", component}};
  event["reportingComponent"] = component;
  event["reportingInstance"] = component;
  return event;
}

}  // namespace

void record_event(const document& regarding, const std::string& ns, const std::string& component,
                  const event_note& what, const context& ctx, outbox& out) {
  const auto id = fnv1a(std::string(uid_of(regarding)) + "/" + what.reason);
  const object_key key{names::events, ns, fmt::format("{}.{:016x}", name_of(regarding), id)};
  auto known = draft::open(key, ctx);
  document event = known ? known->doc() : new_event(regarding, key, component, what, ctx);
  event["message"] = what.message;
  event["count"] = int_at(event, {"count"}, 0) + 1;
  event["lastTimestamp"] = to_rfc3339(ctx.now);
  out.store(key, encode_body(event));
}

}  // namespace wh
