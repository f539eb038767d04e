#pragma once
#include <string>
#include <string_view>

#include "apiserver/negotiate.hpp"
#include "resources/kinds.hpp"

namespace wh {

/// The version of a kind that the client asked for, and the one that is stored.
struct served_kind {
  kind_ptr asked;
  kind_ptr stored;
};

/// The `metadata` object of a stored body, cut out without parsing; empty when the body is not in stored form.
std::string_view metadata_text(std::string_view body);

/// An object's JSON in the asked version. Spliced from the stored text; parsed and converted only when the versions differ.
std::string object_json(const served_kind& kind, std::string_view body, revision rev);

/// An object as document in the asked version.
result<document> object_document(const served_kind& kind, std::string_view body, revision rev);

/// What selectors and columns look at: the same without metadata.managedFields, unless a column shows them. Those fields are half of many an object,
/// and parsing them half the time.
result<document> object_for_view(const served_kind& kind, std::string_view body, revision rev);

/// `{"kind":"PartialObjectMetadata",…}` from a stored body, without parsing it unless the asked version has another shape.
std::string partial_json(const output_form& form, const served_kind& kind, std::string_view body, revision rev);

/// A Table row's JSON. The cells are those of `view`, the object_for_view() of the body; the object is cut from the body.
std::string row_json(const output_form& form, const served_kind& kind, const document& view, std::string_view body,
                     revision rev, instant now);

/// Everything of a Table up to and including `"rows":[`; `metadata` is the list's metadata as JSON.
std::string table_head(const output_form& form, const kind_info& kind, std::string_view metadata);

/// One object in the shape that was asked for.
std::string shaped_json(const output_form& form, const served_kind& kind, std::string_view body, revision rev,
                        instant now);

/// A JSON string literal.
std::string json_text(std::string_view text);

/// Text of a document that came from outside: broken UTF-8 is replaced, never thrown at.
std::string dump_document(const document& doc);

}  // namespace wh
