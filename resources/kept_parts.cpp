#include "resources/internal/kept_parts.hpp"

namespace wh::internal {
namespace {

constexpr std::size_t kept_bytes_max = 64 * 1024;

document* member_of(document& object, const char* part, const char* member) {
  if (!object.is_object()) return nullptr;
  const auto holder = object.find(part);
  if (holder == object.end() || !holder->is_object()) return nullptr;
  const auto it = holder->find(member);
  return it == holder->end() ? nullptr : &*it;
}

}  // namespace

document& annotations_to_change(document& object) {
  auto& meta = object["metadata"];
  if (!meta.is_object()) meta = document::object();
  auto& annotations = meta["annotations"];
  if (!annotations.is_object()) annotations = document::object();
  return annotations;
}

kept_parts kept_parts::take(document& object, const char* annotation) {
  kept_parts out;
  const auto* text = member_of(object, "metadata", "annotations");
  const auto found = text && text->is_object() ? text->find(annotation) : document::const_iterator();
  if (!text || !text->is_object() || found == text->end()) return out;
  if (found->is_string())
    if (auto parsed = parse_json(found->get_ref<const std::string&>()); parsed && parsed->is_object())
      out.parts_ = std::move(*parsed);
  auto& meta = object["metadata"];
  meta["annotations"].erase(annotation);
  if (meta["annotations"].empty()) meta.erase("annotations");
  return out;
}

void kept_parts::put(document& object, const char* annotation) const {
  if (parts_.empty()) return;
  auto text = parts_.dump(-1, ' ', false, document::error_handler_t::replace);
  if (text.size() > kept_bytes_max) return;
  annotations_to_change(object)[annotation] = std::move(text);
}

const document* kept_parts::find(const char* part, const char* member) const {
  return find_path(parts_, {part, member});
}

void kept_parts::keep(const char* part, const char* member, document what) { parts_[part][member] = std::move(what); }

void kept_parts::set_aside(document& object, const char* part, const char* member) {
  auto* value = member_of(object, part, member);
  if (!value) return;
  keep(part, member, std::move(*value));
  object[part].erase(member);
}

void kept_parts::bring_back(document& object, const char* part, const char* member) const {
  const auto* value = find(part, member);
  if (!value) return;
  if (auto& holder = object[part]; holder.is_null() || holder.is_object()) holder[member] = *value;
}

void convert_entries(document& object, const char* part, const char* list, const entry_conversion& there,
                     const entry_conversion& back, const kept_parts& former, kept_parts& lost) {
  auto* entries = member_of(object, part, list);
  if (!entries || !entries->is_array()) return;
  document kept = document::object();
  for (std::size_t i = 0; i < entries->size(); ++i) {
    auto& entry = (*entries)[i];
    const auto key = std::to_string(i);
    const auto* originals = former.find(part, list);
    const auto* original = originals ? find_path(*originals, {key}) : nullptr;
    auto next = original && back(*original) == entry ? *original : there(entry);
    if (back(next) != entry) kept[key] = std::move(entry);
    entry = std::move(next);
  }
  if (!kept.empty()) lost.keep(part, list, std::move(kept));
}

}  // namespace wh::internal
