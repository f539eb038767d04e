#include "resources/document.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace wh {
namespace {

// Stored bodies start so; render() and decode_body() rely on it.
constexpr std::string_view body_prefix = R"({"metadata":{)";

// Invalid UTF-8 can only come from a bug of ours; replacing it keeps the store readable.
std::string dump(const document& doc) { return doc.dump(-1, ' ', false, document::error_handler_t::replace); }

const document* member(const document& doc, std::string_view key) {
  if (!doc.is_object()) return nullptr;
  const auto it = doc.find(key);
  return it == doc.end() ? nullptr : &*it;
}

std::string_view as_text(const document* value) {
  return value && value->is_string() ? std::string_view(value->get_ref<const std::string&>()) : std::string_view();
}

document* finalizers_of(document& doc) {
  if (!doc.is_object()) return nullptr;
  const auto metadata = doc.find("metadata");
  if (metadata == doc.end() || !metadata->is_object()) return nullptr;
  const auto list = metadata->find("finalizers");
  return list == metadata->end() || !list->is_array() ? nullptr : &*list;
}

}  // namespace

shared_bytes encode_body(const document& doc) {
  WH_ASSERT(doc.is_object());
  const auto* metadata = member(doc, "metadata");
  std::string out = R"({"metadata":)";
  if (!metadata || !metadata->is_object()) {
    out += "{}";
  } else if (metadata->contains("resourceVersion")) {
    auto copy = *metadata;
    copy.erase("resourceVersion");
    out += dump(copy);
  } else {
    out += dump(*metadata);
  }
  for (const auto& [key, value] : doc.items()) {
    if (key == "metadata") continue;
    out += ',';
    out += dump(key);
    out += ':';
    out += dump(value);
  }
  out += '}';
  return share(std::move(out));
}

result<document> decode_body(std::string_view body, revision rev) {
  auto doc = document::parse(body.begin(), body.end(), nullptr, false);
  if (!doc.is_object()) return fail(errc::corrupt, "a stored object is not a JSON object");
  if (rev.get() != 0) doc["metadata"]["resourceVersion"] = std::to_string(rev.get());
  return doc;
}

result<document> decode_record(const record& r) {
  if (!r.body) return fail(errc::corrupt, to_string(r.key) + " has no body");
  auto doc = decode_body(*r.body, r.rev);
  if (!doc) return fail(doc.err().code, to_string(r.key) + ": " + doc.err().message);
  return doc;
}

std::string render(std::string_view body, revision rev) {
  if (rev.get() == 0 || !body.starts_with(body_prefix)) return std::string(body);
  const auto rest = body.substr(body_prefix.size());
  const auto number = std::to_string(rev.get());
  std::string out;
  out.reserve(body.size() + number.size() + 24);
  out += body_prefix;
  out += R"("resourceVersion":")";
  out += number;
  out += rest.starts_with('}') ? "\"" : "\",";
  out += rest;
  return out;
}

const document* find_path(const document& doc, std::initializer_list<std::string_view> path) {
  const document* at = &doc;
  for (auto key : path) {
    at = member(*at, key);
    if (!at) return nullptr;
  }
  return at;
}

std::string_view string_at(const document& doc, std::initializer_list<std::string_view> path) {
  return as_text(find_path(doc, path));
}

std::vector<std::string> texts_at(const document& doc, std::initializer_list<std::string_view> path) {
  std::vector<std::string> out;
  const auto* list = find_path(doc, path);
  if (!list || !list->is_array()) return out;
  for (const auto& entry : *list) {
    if (entry.is_string()) out.push_back(entry.get<std::string>());
  }
  return out;
}

std::int64_t int_at(const document& doc, std::initializer_list<std::string_view> path, std::int64_t fallback) {
  const auto* value = find_path(doc, path);
  return value && value->is_number_integer() ? value->get<std::int64_t>() : fallback;
}

bool bool_at(const document& doc, std::initializer_list<std::string_view> path, bool fallback) {
  const auto* value = find_path(doc, path);
  return value && value->is_boolean() ? value->get<bool>() : fallback;
}

std::string_view api_version(const document& doc) { return string_at(doc, {"apiVersion"}); }
std::string_view kind_of(const document& doc) { return string_at(doc, {"kind"}); }
std::string_view name_of(const document& doc) { return string_at(doc, {"metadata", "name"}); }
std::string_view namespace_of(const document& doc) { return string_at(doc, {"metadata", "namespace"}); }
std::string_view uid_of(const document& doc) { return string_at(doc, {"metadata", "uid"}); }
generation generation_of(const document& doc) { return generation(int_at(doc, {"metadata", "generation"}, 0)); }
bool is_deleting(const document& doc) { return !string_at(doc, {"metadata", "deletionTimestamp"}).empty(); }

std::string_view label_of(const document& doc, std::string_view key) {
  return string_at(doc, {"metadata", "labels", key});
}

std::string_view annotation_of(const document& doc, std::string_view key) {
  return string_at(doc, {"metadata", "annotations", key});
}

bool has_finalizer(const document& doc, std::string_view finalizer) {
  const auto* list = find_path(doc, {"metadata", "finalizers"});
  return list && list->is_array() &&
         std::any_of(list->begin(), list->end(), [&](const document& f) { return as_text(&f) == finalizer; });
}

void add_finalizer(document& doc, std::string_view finalizer) {
  if (has_finalizer(doc, finalizer)) return;
  auto& list = doc["metadata"]["finalizers"];
  if (!list.is_array()) list = document::array();
  list.push_back(std::string(finalizer));
}

void remove_finalizer(document& doc, std::string_view finalizer) {
  auto* list = finalizers_of(doc);
  if (!list) return;
  auto& entries = list->get_ref<document::array_t&>();
  std::erase_if(entries, [&](const document& f) { return as_text(&f) == finalizer; });
  if (entries.empty()) doc["metadata"].erase("finalizers");
}

group_version split_api_version(std::string_view api_version) {
  const auto slash = api_version.find('/');
  if (slash == std::string_view::npos) return {.group = "", .version = std::string(api_version)};
  return {.group = std::string(api_version.substr(0, slash)), .version = std::string(api_version.substr(slash + 1))};
}

}  // namespace wh
