#include "apiserver/render.hpp"

#include "resources/table.hpp"

namespace wh {

namespace {

constexpr std::string_view body_start = R"({"metadata":)";

/// Where the JSON object that starts at `from` ends (one past its brace); npos when it does not.
std::size_t object_end(std::string_view text, std::size_t from) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// True if the body says `api_version` right behind its metadata, where encode_body() puts it.
bool stored_as(std::string_view body, const std::string& api_version) {
  auto metadata = metadata_text(body);
  if (metadata.empty()) return false;
  auto rest = body.substr(body_start.size() + metadata.size());
  return rest.starts_with(R"(,"apiVersion":")" + api_version + '"');
}

}  // namespace

std::string json_text(std::string_view text) { return dump_document(document(text)); }

std::string dump_document(const document& doc) { return doc.dump(-1, ' ', false, document::error_handler_t::replace); }

std::string_view metadata_text(std::string_view body) {
  if (!body.starts_with(body_start)) return {};
  auto end = object_end(body, body_start.size());
  if (end == std::string_view::npos) return {};
  return body.substr(body_start.size(), end - body_start.size());
}

result<document> object_document(const served_kind& kind, std::string_view body, revision rev) {
  auto doc = decode_body(body, rev);
  if (doc) (*doc)["apiVersion"] = kind.asked->api_version();
  return doc;
}

std::string object_json(const served_kind& kind, std::string_view body, revision rev) {
  if (stored_as(body, kind.asked->api_version())) return render(body, rev);
  auto doc = object_document(kind, body, rev);
  return doc ? dump_document(*doc) : render(body, rev);
}

std::string partial_json(const output_form& form, std::string_view body, revision rev) {
  auto metadata = metadata_text(body);
  // render() splices into whole bodies, so the cut-out metadata is made one.
  std::string whole = std::string(body_start) + (metadata.empty() ? "{}" : std::string(metadata)) + "}";
  std::string out = R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/)" + form.meta_version + "\",";
  return out + render(whole, rev).substr(1);
}

std::string row_json(const output_form& form, const kind_info& kind, const document& object, instant now) {
  return dump_document(table_row(kind, object, form.include_object, now));
}

std::string table_head(const output_form& form, const kind_info& kind, std::string_view metadata) {
  return R"({"kind":"Table","apiVersion":"meta.k8s.io/)" + form.meta_version + R"(","metadata":)" +
         std::string(metadata) + R"(,"columnDefinitions":)" + table_columns(kind).dump() + R"(,"rows":[)";
}

std::string shaped_json(const output_form& form, const served_kind& kind, std::string_view body, revision rev,
                        instant now) {
  switch (form.shape) {
    case output_form::shape_kind::object: return object_json(kind, body, rev);
    case output_form::shape_kind::partial: return partial_json(form, body, rev);
    case output_form::shape_kind::table: break;
  }
  auto doc = object_document(kind, body, rev);
  std::string metadata = R"({"resourceVersion":")" + std::to_string(rev.get()) + R"("})";
  return table_head(form, *kind.asked, metadata) + (doc ? row_json(form, *kind.asked, *doc, now) : "") + "]}";
}

}  // namespace wh
