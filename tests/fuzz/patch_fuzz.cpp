// The three kinds of patch on anything: a line each with a user's schema, an object and a patch. What a patch makes of the
// object stays within bounds, and what is said twice is done once.
#include <cstdint>
#include <cstdlib>

#include "apiserver/strategic_merge.hpp"
#include "resources/kinds.hpp"
#include "resources/patch.hpp"
#include "tests/fuzz/json_lines.hpp"

namespace {

using namespace wh;

// Small, so that patches reach them quickly.
constexpr patch_limits limits = {
    .operations_max = 100, .copied_bytes_max = 64 * 1024, .shifted_max = 10'000, .depth_max = 140};
constexpr std::size_t growth_max = 10 * limits.copied_bytes_max;  // numbers may print longer than they are counted

void must(bool holds) {
  if (!holds) std::abort();
}

/// The schema of a kind with this openAPIV3Schema, or one that knows nothing.
std::shared_ptr<const schema> schema_of(const result<document>& openapi) {
  if (!openapi) return schema::anything();
  auto structure = schema::compile(*openapi);
  return structure ? *structure : schema::anything();
}

std::size_t depth_of(const document& doc) {
  std::size_t deepest = 0;
  if (doc.is_structured())
    for (const auto& part : doc) deepest = std::max(deepest, depth_of(part));
  return deepest + 1;
}

/// A null among an object's members, which a merge patch takes for a removal.
bool removes(const document& doc) {
  if (!doc.is_object()) return false;
  for (const auto& part : doc)
    if (part.is_null() || removes(part)) return true;
  return false;
}

bool has_directive(const document& doc) {
  if (!doc.is_structured()) return false;
  for (auto it = doc.begin(); it != doc.end(); ++it)
    if ((doc.is_object() && it.key().starts_with('$')) || has_directive(*it)) return true;
  return false;
}

std::string text_of(const document& doc) { return doc.dump(-1, ' ', false, document::error_handler_t::replace); }

void check_merge(const document& target, const document& patch) {
  const auto out = apply_merge_patch(target, patch);
  must(out.ok());
  must(*apply_merge_patch(*out, patch) == *out);
  must(depth_of(*out) <= std::max(depth_of(target), depth_of(patch)));
  if (!removes(target)) must(*apply_merge_patch(target, target) == target);
  if (patch.is_object()) must(!patch.empty() || !target.is_object() || *out == target);
  else must(*out == patch);
}

void check_json(const document& target, const document& patch) {
  const auto out = apply_json_patch(target, patch, limits);
  if (!out) {
    must(out.err().code == errc::invalid || out.err().code == errc::too_large);
    must(!out.err().message.empty());
    return;
  }
  must(depth_of(*out) <= limits.depth_max + 1);
  must(text_of(*out).size() <= text_of(target).size() + text_of(patch).size() + growth_max);
  must(*apply_json_patch(target, patch, limits) == *out);
  must(*apply_json_patch(*out, document::array({{{"op", "test"}, {"path", ""}, {"value", *out}}})) == *out);
  const auto difference = document::diff(target, *out);
  if (difference.size() > limits.operations_max) return;
  if (const auto there = apply_json_patch(target, difference)) must(*there == *out);
}

void check_strategic(const document& target, const document& patch, const schema& structure) {
  const auto out = apply_strategic_merge(target, patch, structure);
  if (!out) return must(out.err().code == errc::malformed);
  must(out->is_object());
  must(depth_of(*out) <= std::max(depth_of(target), depth_of(patch)));
  if (!has_directive(patch)) must(*apply_strategic_merge(*out, patch, structure) == *out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::json_lines lines(data, size);
  const auto structure = schema_of(lines.next());
  const auto target = lines.next();
  if (!target) return 0;
  for (auto patch = lines.next(); patch; patch = lines.next()) {
    check_merge(*target, *patch);
    check_json(*target, *patch);
    if (target->is_object()) check_strategic(*target, *patch, *structure);
  }
  return 0;
}
