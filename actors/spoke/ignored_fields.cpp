#include "actors/spoke/ignored_fields.hpp"

#include "base/encoding.hpp"
#include "resources/patch.hpp"

namespace wh {

namespace {

constexpr const char* hash_annotation = "open-cluster-management.io/config-spec-hash";

error unreadable(const char* what, std::string_view text) {
  return fail(errc::invalid, std::string("serverSideApply.ignoreFields: ") + what + " \"" + std::string(text) + "\"");
}

/// The members that a JSON path of names leads through: `.spec.replicas`, `$.metadata['a.b']`, `{.spec}`.
result<std::vector<std::string>> steps_of(std::string_view text) {
  const auto whole = text;
  if (text.starts_with('{') && text.ends_with('}')) text = text.substr(1, text.size() - 2);
  if (text.starts_with('$')) text.remove_prefix(1);
  std::vector<std::string> out;
  while (!text.empty()) {
    if (text.starts_with("['")) {
      const auto end = text.find("']");
      if (end == std::string_view::npos)
        return unreadable("only names of fields are supported in the JSON path", whole);
      out.emplace_back(text.substr(2, end - 2));
      text.remove_prefix(end + 2);
      continue;
    }
    if (text.starts_with('.')) text.remove_prefix(1);
    else if (!out.empty()) return unreadable("only names of fields are supported in the JSON path", whole);
    const auto name = text.substr(0, text.find_first_of(".["));
    if (name.empty() || name.find_first_of("]*?@()'\" ") != std::string_view::npos)
      return unreadable("only names of fields are supported in the JSON path", whole);
    out.emplace_back(name);
    text.remove_prefix(name.size());
  }
  if (out.empty()) return unreadable("nothing is named by the JSON path", whole);
  return out;
}

result<void> drop_path(document& config, std::string_view text) {
  const auto steps = steps_of(text);
  if (!steps) return steps.err();
  document* at = &config;
  for (std::size_t i = 0; i < steps->size(); ++i) {
    if (!at->is_object()) return {};
    const auto it = at->find((*steps)[i]);
    if (it == at->end()) return {};
    if (i + 1 < steps->size()) at = &*it;
    else at->erase(it);
  }
  return {};
}

result<void> drop_pointer(document& config, std::string_view text) {
  if (!text.starts_with('/')) return unreadable("a JSON pointer must start with a slash:", text);
  auto rest = apply_json_patch(config, document::array({{{"op", "remove"}, {"path", text}}}));
  if (rest) config = std::move(*rest);
  return {};
}

using drop_function = result<void> (*)(document&, std::string_view);

result<void> drop_all(document& config, const document& rule, const char* field, drop_function drop) {
  const auto* list = find_path(rule, {field});
  if (!list || !list->is_array()) return {};
  for (const auto& text : *list) {
    if (!text.is_string()) continue;
    if (auto ok = drop(config, text.get_ref<const std::string&>()); !ok) return ok;
  }
  return {};
}

result<void> refuse_jq(document&, std::string_view text) {
  return unreadable("jq expressions are not supported by this agent:", text);
}

}  // namespace

result<ignoring_form> ignoring(const document& config, const document& rules) {
  ignoring_form out{config, config, ""};
  for (const auto& rule : rules) {
    // What cannot be read is told, even where it would change nothing.
    document nowhere = config;
    auto& target = string_at(rule, {"condition"}) == "OnSpokeChange" ? nowhere : out.later;
    if (auto ok = drop_all(target, rule, "jsonPaths", drop_path); !ok) return ok.err();
    if (auto ok = drop_all(target, rule, "jsonPointers", drop_pointer); !ok) return ok.err();
    if (auto ok = drop_all(target, rule, "jqPathExpressions", refuse_jq); !ok) return ok.err();
  }
  std::string bytes;
  append_be64(bytes, fnv1a(out.later.dump()));
  out.hash = to_hex(bytes);
  for (auto* form : {&out.first, &out.later}) {
    auto& annotations = (*form)["metadata"]["annotations"];
    if (!annotations.is_object()) annotations = document::object();
    annotations[hash_annotation] = out.hash;
  }
  return out;
}

bool has_applied(const document& live, const ignoring_form& form) {
  return annotation_of(live, hash_annotation) == form.hash;
}

}  // namespace wh
