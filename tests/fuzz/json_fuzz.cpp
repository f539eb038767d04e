// Strict JSON: whatever is accepted must print and read back as itself, also through the stored form.
#include <cstdint>
#include <cstdlib>

#include "resources/document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto doc = wh::parse_json(text);
  if (!doc) return 0;
  const auto again = wh::parse_json(doc->dump());
  if (!again || *again != *doc) std::abort();
  if (!doc->is_object()) return 0;
  const auto body = wh::encode_body(*doc);
  const auto decoded = wh::decode_body(*body, wh::revision(1));
  const auto* metadata = wh::find_path(*doc, {"metadata"});
  if (metadata && !metadata->is_object()) return 0;
  if (!decoded || wh::document::parse(wh::render(*body, wh::revision(1))) != *decoded) std::abort();
  return 0;
}
