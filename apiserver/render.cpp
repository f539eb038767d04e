#include "apiserver/render.hpp"

#include <algorithm>

#include "resources/conversion.hpp"
#include "resources/table.hpp"

namespace wh {

namespace {

constexpr std::string_view body_start = R"({"metadata":)";

/// Where the JSON object or array that starts at `from` ends (one past its bracket); npos when it does not.
std::size_t value_end(std::string_view text, std::size_t from) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

/// True if the body says `api_version` right behind its metadata, where encode_body() puts it. Within the metadata no
/// object is followed by this key, as keys are sorted; and quotes within strings are escaped.
bool stored_as(std::string_view body, const std::string& api_version) {
  constexpr std::string_view mark = R"(},"apiVersion":")";
  const auto at = body.find(mark);
  if (at == std::string_view::npos || !body.starts_with(body_start)) return false;
  const auto rest = body.substr(at + mark.size());
  return rest.starts_with(api_version) && rest.substr(api_version.size()).starts_with('"');
}

/// A stored body without metadata.managedFields. Quotes within strings are escaped, so what is found is a key. In an
/// object without managers it may be that of a manifest further down, which no selector or column looks at either.
std::string without_managers(std::string_view body) {
  constexpr std::string_view mark = R"("managedFields":[)";
  const auto at = body.find(mark);
  const auto end = at == std::string_view::npos ? at : value_end(body, at + mark.size() - 1);
  if (end == std::string_view::npos || at == 0) return std::string(body);
  const bool last = end < body.size() && body[end] != ',';
  const bool first = body[at - 1] != ',';
  // One comma goes with it: the one behind, or, if it is the last, the one before.
  const auto cut_from = last && !first ? at - 1 : at;
  const auto cut_to = last ? end : end + 1;
  return std::string(body.substr(0, cut_from)) += body.substr(cut_to);
}

/// A custom kind may have a column of them.
bool shows_managers(const kind_info& kind) {
  return kind.from_crd && std::any_of(kind.columns.begin(), kind.columns.end(), [](const table_column& c) {
           return c.json_path.find("managedFields") != std::string::npos;
         });
}

}  // namespace

std::string json_text(std::string_view text) { return dump_document(document(text)); }

std::string dump_document(const document& doc) { return doc.dump(-1, ' ', false, document::error_handler_t::replace); }

std::string_view metadata_text(std::string_view body) {
  if (!body.starts_with(body_start)) return {};
  auto end = value_end(body, body_start.size());
  if (end == std::string_view::npos) return {};
  return body.substr(body_start.size(), end - body_start.size());
}

result<document> object_document(const served_kind& kind, std::string_view body, revision rev) {
  auto doc = decode_body(body, rev);
  if (doc) convert(*doc, *kind.stored, *kind.asked);
  return doc;
}

result<document> object_for_view(const served_kind& kind, std::string_view body, revision rev) {
  if (shows_managers(*kind.asked)) return object_document(kind, body, rev);
  return object_document(kind, without_managers(body), rev);
}

std::string object_json(const served_kind& kind, std::string_view body, revision rev) {
  if (stored_as(body, kind.asked->api_version())) return render(body, rev);
  auto doc = object_document(kind, body, rev);
  return doc ? dump_document(*doc) : render(body, rev);
}

std::string partial_json(const output_form& form, const served_kind& kind, std::string_view body, revision rev) {
  // What one shape has as a field, another may have as an annotation.
  if (differs_in_shape(*kind.asked, *kind.stored)) {
    auto doc = object_document(kind, body, rev);
    document partial = {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/" + form.meta_version}};
    if (doc) partial["metadata"] = std::move((*doc)["metadata"]);
    return dump_document(partial);
  }
  auto metadata = metadata_text(body);
  // render() splices into whole bodies, so the cut-out metadata is made one.
  std::string whole = std::string(body_start) + (metadata.empty() ? "{}" : std::string(metadata)) + "}";
  std::string out = R"({"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/)" + form.meta_version + "\",";
  return out + render(whole, rev).substr(1);
}

std::string row_json(const output_form& form, const served_kind& kind, const document& view, std::string_view body,
                     revision rev, instant now) {
  std::string row = R"({"cells":)" + dump_document(table_cells(*kind.asked, view, now));
  if (form.include_object == "Object") row += R"(,"object":)" + object_json(kind, body, rev);
  else if (form.include_object != "None") row += R"(,"object":)" + partial_json(form, kind, body, rev);
  return row += '}';
}

std::string table_head(const output_form& form, const kind_info& kind, std::string_view metadata) {
  return R"({"kind":"Table","apiVersion":"meta.k8s.io/)" + form.meta_version + R"(","metadata":)" +
         std::string(metadata) + R"(,"columnDefinitions":)" + (form.columns ? table_columns(kind).dump() : "null") +
         R"(,"rows":[)";
}

std::string shaped_json(const output_form& form, const served_kind& kind, std::string_view body, revision rev,
                        instant now) {
  switch (form.shape) {
    case output_form::shape_kind::object: return object_json(kind, body, rev);
    case output_form::shape_kind::partial: return partial_json(form, kind, body, rev);
    case output_form::shape_kind::table: break;
  }
  auto view = object_for_view(kind, body, rev);
  std::string metadata = R"({"resourceVersion":")" + std::to_string(rev.get()) + R"("})";
  return table_head(form, *kind.asked, metadata) + (view ? row_json(form, kind, *view, body, rev, now) : "") + "]}";
}

}  // namespace wh
