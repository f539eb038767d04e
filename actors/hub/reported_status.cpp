#include "actors/hub/reported_status.hpp"

#include <algorithm>
#include <initializer_list>

namespace wh {
namespace {

/// metav1.Condition's own limits.
constexpr std::size_t reason_max = 1024;
constexpr std::size_t message_max = 32768;

void copy_text(const document& from, document& to, const char* key) {
  const auto it = from.find(key);
  if (it != from.end() && it->is_string()) to[key] = *it;
}

void copy_number(const document& from, document& to, const char* key) {
  const auto it = from.find(key);
  if (it == from.end()) return;
  // The API's integers are 64 bits with a sign.
  const bool fits = it->is_number_integer() && (!it->is_number_unsigned() || it->get<std::uint64_t>() <= INT64_MAX);
  if (fits) to[key] = *it;
}

const document* list_in(const document& of, const char* key) {
  const auto it = of.find(key);
  return it != of.end() && it->is_array() ? &*it : nullptr;
}

bool is_condition(const document& c) {
  return c.is_object() && !string_at(c, {"type"}).empty() && !string_at(c, {"status"}).empty();
}

document clean_conditions(const document& list, instant now) {
  document out = document::array();
  for (const auto& c : list) {
    if (!is_condition(c)) continue;
    document clean = document::object();
    for (const auto* key : {"type", "status"}) copy_text(c, clean, key);
    clean["reason"] = string_at(c, {"reason"}).size() <= reason_max ? string_at(c, {"reason"}) : "TooLong";
    const auto message = string_at(c, {"message"});
    clean["message"] = message.size() <= message_max ? message : "(a message too long to be kept)";
    const auto since = string_at(c, {"lastTransitionTime"});
    clean["lastTransitionTime"] = parse_rfc3339(since) ? std::string(since) : to_rfc3339(now);
    copy_number(c, clean, "observedGeneration");
    out.push_back(std::move(clean));
  }
  return out;
}

document clean_meta(const document& meta) {
  document out = document::object();
  copy_number(meta, out, "ordinal");
  for (const auto* key : {"group", "version", "kind", "resource", "name", "namespace"}) copy_text(meta, out, key);
  return out;
}

document clean_feedback(const document& feedback) {
  document values = document::array();
  const auto* said = list_in(feedback, "values");
  for (const auto& v : said ? *said : document::array()) {
    const auto field = v.is_object() ? v.find("fieldValue") : v.end();
    if (!v.is_object() || string_at(v, {"name"}).empty() || field == v.end() || !field->is_object()) continue;
    document value = document::object();
    for (const auto* key : {"type", "string", "jsonRaw"}) copy_text(*field, value, key);
    copy_number(*field, value, "integer");
    if (const auto it = field->find("boolean"); it != field->end() && it->is_boolean()) value["boolean"] = *it;
    values.push_back({{"name", v["name"]}, {"fieldValue", std::move(value)}});
  }
  return document{{"values", std::move(values)}};
}

document clean_manifests(const document& list, instant now) {
  document out = document::array();
  for (const auto& m : list) {
    if (!m.is_object()) continue;
    document clean = document::object();
    if (const auto it = m.find("resourceMeta"); it != m.end() && it->is_object())
      clean["resourceMeta"] = clean_meta(*it);
    if (const auto* conditions = list_in(m, "conditions")) clean["conditions"] = clean_conditions(*conditions, now);
    if (const auto it = m.find("statusFeedback"); it != m.end() && it->is_object())
      clean["statusFeedback"] = it->empty() ? *it : clean_feedback(*it);
    out.push_back(std::move(clean));
  }
  return out;
}

}  // namespace

result<document> read_reported_status(std::string_view json, instant now) {
  auto status = parse_json(json);
  if (!status) return status;
  if (!status->is_object()) return fail(errc::invalid, "status is not an object");
  document clean = document::object();
  if (const auto conditions = status->find("conditions"); conditions != status->end()) {
    if (!conditions->is_array() || !std::all_of(conditions->begin(), conditions->end(), is_condition))
      return fail(errc::invalid, "status.conditions is not a list of conditions");
    clean["conditions"] = clean_conditions(*conditions, now);
  }
  if (const auto resources = status->find("resourceStatus"); resources != status->end()) {
    if (!resources->is_object()) return fail(errc::invalid, "status.resourceStatus is not an object");
    clean["resourceStatus"] = document::object();
    if (const auto* manifests = list_in(*resources, "manifests"))
      clean["resourceStatus"]["manifests"] = clean_manifests(*manifests, now);
  }
  return clean;
}

}  // namespace wh
