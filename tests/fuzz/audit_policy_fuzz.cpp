// Audit policies: no text may crash the reader or the rules that come of it.
#include <cstdint>

#include "apiserver/audit/policy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = wh::audit_policy::parse(text);
  if (!policy) return 0;
  const wh::user_info user{"jane", {"dev"}};
  (void)policy->decide({user, "get", "apps", "deployments", "scale", "n", "x", "/apis/apps/v1", true});
  (void)policy->decide({user, "get", "", "", "", "", "", "/healthz", false});
  return 0;
}
