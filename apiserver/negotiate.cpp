#include "apiserver/negotiate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace wh {

namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

media_range parse_range(std::string_view text) {
  media_range out;
  auto semi = text.find(';');
  out.type = lower(trim(text.substr(0, semi)));
  while (semi != std::string_view::npos) {
    text.remove_prefix(semi + 1);
    semi = text.find(';');
    auto param = trim(text.substr(0, semi));
    auto eq = param.find('=');
    if (eq == std::string_view::npos) continue;
    auto key = lower(trim(param.substr(0, eq)));
    std::string value(trim(param.substr(eq + 1)));
    if (key == "as") out.as = value;
    else if (key == "g") out.group = value;
    else if (key == "v") out.version = value;
    else if (key == "q") out.q = std::strtod(value.c_str(), nullptr);
  }
  return out;
}

/// True if the range's `as` is one that objects and lists can be shown in; fills the form.
bool shape_for(const media_range& r, output_form& form) {
  if (r.as.empty()) return true;
  if (r.group != "meta.k8s.io" || (r.version != "v1" && r.version != "v1beta1")) return false;
  form.meta_version = r.version;
  if (r.as == "Table") form.shape = output_form::shape_kind::table;
  else if (r.as == "PartialObjectMetadata" || r.as == "PartialObjectMetadataList")
    form.shape = output_form::shape_kind::partial;
  else return false;
  return true;
}

}  // namespace

std::string output_form::cache_key() const {
  switch (shape) {
    case shape_kind::object: return "o";
    case shape_kind::partial: return "p" + meta_version;
    case shape_kind::table: return (columns ? "T" : "t") + meta_version + include_object;
  }
  return {};
}

std::vector<media_range> parse_accept(std::string_view accept) {
  std::vector<media_range> out;
  while (!accept.empty()) {
    auto part = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), part.size() + 1));
    auto range = parse_range(part);
    if (!range.type.empty() && range.q > 0) out.push_back(std::move(range));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.q > b.q; });
  return out;
}

answer<output_form> negotiate(std::string_view accept, std::string_view include_object) {
  output_form plain;
  if (!include_object.empty()) {
    if (include_object != "None" && include_object != "Metadata" && include_object != "Object")
      return bad_request(fmt::format("unrecognized includeObject value: {}", go_quote(include_object)));
    plain.include_object = include_object;
  }
  if (trim(accept).empty()) return plain;
  for (const auto& range : parse_accept(accept)) {
    output_form form = plain;
    bool json = range.type == "application/json" || range.type == "*/*" || range.type == "application/*";
    form.yaml = range.type == "application/yaml";
    if ((json || form.yaml) && shape_for(range, form)) return form;
  }
  return not_acceptable();
}

answer<body_format> format_of(std::string_view content_type) {
  auto type = lower(trim(content_type.substr(0, content_type.find(';'))));
  // None at all means JSON; parameters without a type mean nothing.
  if (content_type.empty() || type == "application/json" || type == "*/*") return body_format::json;
  if (type == "application/yaml" || type == "text/yaml") return body_format::yaml;
  if (type == "application/vnd.kubernetes.protobuf") return body_format::protobuf;
  if (type == "application/json-patch+json") return body_format::json_patch;
  if (type == "application/merge-patch+json") return body_format::merge_patch;
  if (type == "application/strategic-merge-patch+json") return body_format::strategic_patch;
  if (type == "application/apply-patch+yaml") return body_format::apply_patch;
  return unsupported_media_type(
      "the body of the request was in an unknown format - accepted media types include: application/json, "
      "application/yaml, application/vnd.kubernetes.protobuf");
}

}  // namespace wh
