// Events of events.k8s.io are those of the core group under newer names, as in Kubernetes; the core group's are stored.
#include <utility>

#include "resources/internal/conversions.hpp"

namespace wh::internal {
namespace {

constexpr std::pair<const char*, const char*> names[] = {{"involvedObject", "regarding"},
                                                         {"message", "note"},
                                                         {"reportingComponent", "reportingController"},
                                                         {"source", "deprecatedSource"},
                                                         {"firstTimestamp", "deprecatedFirstTimestamp"},
                                                         {"lastTimestamp", "deprecatedLastTimestamp"},
                                                         {"count", "deprecatedCount"}};

void rename(document& object, const char* from, const char* to) {
  const auto it = object.find(from);
  if (it == object.end()) return;
  auto value = std::move(*it);
  object.erase(it);
  object[to] = std::move(value);
}

}  // namespace

void event_from_core(document& object) {
  for (const auto& [core, newer] : names) rename(object, core, newer);
}

void event_to_core(document& object) {
  for (const auto& [core, newer] : names) rename(object, newer, core);
  if (!object.contains("involvedObject")) object["involvedObject"] = document::object();
}

}  // namespace wh::internal
