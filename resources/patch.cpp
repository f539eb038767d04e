#include "resources/patch.hpp"

#include <algorithm>
#include <string>

namespace wh {
namespace {

struct extent {
  std::size_t bytes = 4;  ///< about as many as its JSON text has
  std::size_t depth = 1;
};

extent extent_of(const document& doc) {
  if (doc.is_string()) return {doc.get_ref<const std::string&>().size() + 2, 1};
  if (!doc.is_structured()) return {};
  extent out{2, 1};
  for (auto it = doc.begin(); it != doc.end(); ++it) {
    const auto part = extent_of(*it);
    out.bytes += part.bytes + (doc.is_object() ? it.key().size() + 4 : 1);
    out.depth = std::max(out.depth, part.depth + 1);
  }
  return out;
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

document::json_pointer pointer_at(const document& op, const char* member) {
  return document::json_pointer(std::string(string_at(op, {member})));
}

/// What the operations so far have cost, and how deep the document may be by now. A small patch can ask for much: `copy`
/// doubles a document, `move` copies what it moves, a list's first element shifts all others, and each operation may
/// nest the document deeper than code that recurses through it can follow.
struct expenses {
  std::size_t copied = 0, shifted = 0, depth = 0;

  void count(const document& doc, const document& op);
  /// Why the patch ends here, before the operation is done; null if it may go on.
  const char* excess(const patch_limits& limits) const {
    if (copied > limits.copied_bytes_max) return "copies too much";
    if (shifted > limits.shifted_max) return "shifts too many list elements";
    if (depth > limits.depth_max) return "nests too deep";
    return nullptr;
  }

 private:
  void count_shift(const document& doc, const document::json_pointer& at);
  void count_depth(const std::string& path, std::size_t below) {
    depth = std::max(depth, static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) + below);
  }
};

void expenses::count_shift(const document& doc, const document::json_pointer& at) {
  if (at.empty()) return;
  const auto parent = at.parent_pointer();
  if (doc.contains(parent) && doc.at(parent).is_array()) shifted += doc.at(parent).size();
}

void expenses::count(const document& doc, const document& op) {
  const auto verb = string_at(op, {"op"});
  const std::string path(string_at(op, {"path"}));
  if (verb == "add" || verb == "remove" || verb == "move" || verb == "copy")
    count_shift(doc, document::json_pointer(path));
  if (verb == "add" || verb == "replace") count_depth(path, extent_of(op["value"]).depth);
  if (verb != "move" && verb != "copy") return;
  const auto from = pointer_at(op, "from");
  const auto what = extent_of(doc.at(from));
  copied += what.bytes;
  count_depth(path, what.depth);
  if (verb == "move") count_shift(doc, from);
}

/// What `add` would put a member into although it can have none: the library would let it pass.
std::string childless_parent(const document& doc, const document& op) {
  const auto verb = string_at(op, {"op"});
  const auto path = pointer_at(op, "path");
  if ((verb != "add" && verb != "move" && verb != "copy") || path.empty()) return {};
  const auto& parent = doc.at(path.parent_pointer());
  return parent.is_structured() ? "" : std::string("cannot add a member to a ") + parent.type_name();
}

}  // namespace

result<document> apply_merge_patch(const document& target, const document& patch) {
  auto out = target;
  out.merge_patch(patch);
  return out;
}

result<document> apply_json_patch(const document& target, const document& patch, const patch_limits& limits) {
  if (!patch.is_array()) return fail(errc::invalid, "a JSON patch must be a list of operations");
  if (patch.size() > limits.operations_max) {
    return too_large("has more than " + std::to_string(limits.operations_max) + " operations");
  }
  auto out = target;
  expenses cost;
  cost.depth = extent_of(out).depth;
  for (std::size_t i = 0; i < patch.size(); ++i) {
    const auto& op = patch[i];
    if (auto problem = missing_member(op); !problem.empty()) return operation_failed(i, problem);
    if (moves_into_itself(op)) return operation_failed(i, "cannot move a value into itself");
    try {
      cost.count(out, op);
      if (const auto* why = cost.excess(limits)) return too_large(why);
      if (auto problem = childless_parent(out, op); !problem.empty()) return operation_failed(i, problem);
      // One at a time, so that an error can say which; in place, so that it costs no copy of the object.
      out.patch_inplace(document::array({op}));
    } catch (const document::exception& e) {
      return operation_failed(i, reason(e));
    }
  }
  return out;
}

}  // namespace wh
