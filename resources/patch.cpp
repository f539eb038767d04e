#include "resources/patch.hpp"

#include <algorithm>
#include <string>

namespace wh {
namespace {

constexpr std::size_t operations_max = 10'000;
constexpr std::size_t copied_bytes_max = 8 * 1024 * 1024;  // by all `copy` operations together
constexpr int depth_max = 256;

std::size_t weight(const document& doc) {
  switch (doc.type()) {
    case document::value_t::string: return doc.get_ref<const std::string&>().size() + 2;
    case document::value_t::object: {
      std::size_t sum = 2;
      for (const auto& [key, value] : doc.items()) sum += key.size() + 4 + weight(value);
      return sum;
    }
    case document::value_t::array: {
      std::size_t sum = 2;
      for (const auto& value : doc) sum += 1 + weight(value);
      return sum;
    }
    default: return 4;
  }
}

int depth(const document& doc) {
  int deepest = 0;
  if (doc.is_structured()) {
    for (const auto& value : doc) deepest = std::max(deepest, depth(value));
  }
  return deepest + 1;
}

/// The library's exceptions end in the sentence that matters: `[json.exception.out_of_range.403] key 'x' not found`.
std::string reason(const std::exception& e) {
  const std::string_view text = e.what();
  const auto bracket = text.find("] ");
  return std::string(bracket == std::string_view::npos ? text : text.substr(bracket + 2));
}

error too_large(const std::string& why) { return fail(errc::too_large, "the JSON patch " + why); }

error operation_failed(std::size_t index, const std::string& why) {
  return fail(errc::invalid, "JSON patch operation " + std::to_string(index) + ": " + why);
}

std::string missing_member(const document& op) {
  if (!op.is_object()) return "must be an object";
  const auto verb = string_at(op, {"op"});
  if (verb.empty()) return "op is required";
  if (!op.contains("path") || !op["path"].is_string()) return "path is required";
  if ((verb == "add" || verb == "replace" || verb == "test") && !op.contains("value")) return "value is required";
  if ((verb == "move" || verb == "copy") && (!op.contains("from") || !op["from"].is_string()))
    return "from is required";
  return {};
}

bool moves_into_itself(const document& op) {
  if (string_at(op, {"op"}) != "move") return false;
  const auto from = string_at(op, {"from"});
  const auto path = string_at(op, {"path"});
  return path.size() > from.size() && path.starts_with(from) && path[from.size()] == '/';
}

/// Bytes that an operation duplicates: only `copy` can make a small patch grow a document without end.
std::size_t copied_bytes(const document& doc, const document& op) {
  if (string_at(op, {"op"}) != "copy") return 0;
  return weight(doc.at(document::json_pointer(std::string(string_at(op, {"from"})))));
}

}  // namespace

result<document> apply_merge_patch(const document& target, const document& patch) {
  auto out = target;
  out.merge_patch(patch);
  return out;
}

result<document> apply_json_patch(const document& target, const document& patch) {
  if (!patch.is_array()) return fail(errc::invalid, "a JSON patch must be a list of operations");
  if (patch.size() > operations_max) {
    return too_large("has more than " + std::to_string(operations_max) + " operations");
  }
  auto out = target;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < patch.size(); ++i) {
    if (auto problem = missing_member(patch[i]); !problem.empty()) return operation_failed(i, problem);
    if (moves_into_itself(patch[i])) return operation_failed(i, "cannot move a value into itself");
    try {
      copied += copied_bytes(out, patch[i]);
      if (copied > copied_bytes_max) return too_large("copies too much");
      // One at a time, so that an error can say which; in place, so that it costs no copy of the object.
      out.patch_inplace(document::array({patch[i]}));
    } catch (const document::exception& e) {
      return operation_failed(i, reason(e));
    }
  }
  if (depth(out) > depth_max) return too_large("nests too deep");
  return out;
}

}  // namespace wh
