#pragma once
#include <cstddef>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "resources/document.hpp"

namespace wh::ctl {

/// Where a manifest was written, for messages: `web.yaml, document 2 (line 14)`.
struct manifest_source {
  std::string file;
  std::size_t document = 1;  ///< counts documents that are not empty
  std::size_t line = 1;      ///< of its first line that says something
  std::string text() const;
};

struct manifest {
  document object;
  manifest_source from;
};

/// Objects of a multi-document YAML (or JSON) text. A v1 List counts as its items. Every object must have apiVersion,
/// kind and metadata.name; errors name file, document and line.
result<std::vector<manifest>> parse_manifests(std::string_view text, const std::string& file);

/// Reads files, folders (their *.yaml, *.yml and *.json, by name, not those of folders below) and `-` for `in`. Refuses
/// the same object twice, naming both places.
result<std::vector<manifest>> load_manifests(const std::vector<std::string>& paths, std::istream& in);

/// A piece of a YAML stream between document markers, and the line it starts on. Cutting here rather than in the YAML
/// reader is what lets errors name document and line; a line that starts with `---` cannot be anything else in YAML.
struct yaml_piece {
  std::string_view text;
  std::size_t line = 1;
};
std::vector<yaml_piece> split_yaml(std::string_view text);

}  // namespace wh::ctl
