#pragma once
#include <string>
#include <string_view>

#include "apiserver/status.hpp"

namespace wh {

/// What shape and encoding a client wants its answer in.
struct output_form {
  enum class shape_kind { object, table, partial };
  shape_kind shape = shape_kind::object;
  std::string meta_version = "v1";          ///< of meta.k8s.io, for tables and partial objects
  std::string include_object = "Metadata";  ///< of table rows: None, Metadata, Object
  bool columns = true;  ///< of tables: with their columns, which a watch tells in its first event only
  bool yaml = false;

  std::string content_type() const { return yaml ? "application/yaml" : "application/json"; }
  /// Tells apart the forms that one watch event can be rendered in.
  std::string cache_key() const;
};

/// Chooses by the Accept header, best q first, in the client's order; empty accepts JSON. 406 when nothing fits.
answer<output_form> negotiate(std::string_view accept, std::string_view include_object);

/// One media type of an Accept header.
struct media_range {
  std::string type;
  std::string as;
  std::string group;
  std::string version;
  double q = 1.0;
};
/// The ranges of an Accept header by preference; malformed ones are skipped.
std::vector<media_range> parse_accept(std::string_view accept);

/// How a request body is written.
enum class body_format { json, yaml, protobuf, json_patch, merge_patch, strategic_patch, apply_patch };

/// The format of a Content-Type. 415 for others, CBOR among them.
answer<body_format> format_of(std::string_view content_type);

}  // namespace wh
