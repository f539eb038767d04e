// Objects of a foreign hub and what credential plug-ins print: whatever they are, they are taken or refused. The first byte
// says which kind.
#include <cstdint>

#include "base/assert.hpp"
#include "nodes/common/credential_plugin.hpp"
#include "nodes/ctl/import_kinds.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto& kinds = wh::ctl::imported_kinds();
  if (data[0] < '0' || data[0] >= '0' + kinds.size()) {
    (void)wh::read_exec_credential(text, "client.authentication.k8s.io/v1");
    return 0;
  }
  const auto object = wh::parse_json(text);
  if (!object) return 0;
  const auto& kind = kinds[data[0] - '0'];
  (void)wh::ctl::reason_to_leave_out(kind, *object, {});
  (void)wh::ctl::what_is_lost(kind, *object, {});
  const auto taken = wh::ctl::portable(kind, *object);
  // What was taken once is taken as it is the second time, and makes no difference to itself.
  WH_ASSERT(wh::ctl::portable(kind, taken) == taken);
  WH_ASSERT(wh::ctl::differences(kind, taken, taken).empty());
  (void)wh::ctl::overwritten(kind, taken, wh::ctl::portable(kind, taken));
  return 0;
}
