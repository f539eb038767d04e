#pragma once
#include <vector>

#include "resources/kinds.hpp"

namespace wh {

/// A row's cells by the kind's columns: NAME first, AGE as kubectl prints it.
document table_cells(const kind_info& kind, const document& object, instant now);
/// One meta.k8s.io/v1 Table row for an object: its cells, and
/// `object` as PartialObjectMetadata (include "Metadata"), whole object ("Object") or nothing ("None").
document table_row(const kind_info& kind, const document& object, std::string_view include_object, instant now);
/// columnDefinitions of a kind.
document table_columns(const kind_info& kind);
/// Evaluates a printer column's JSON path (the subset that CRDs use); null when nothing is there.
document eval_json_path(const document& object, std::string_view path);

}  // namespace wh
