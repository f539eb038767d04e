#include "nodes/ctl/manifests.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>

#include "nodes/common/files.hpp"

namespace wh::ctl {
namespace {

namespace fs = std::filesystem;

bool is_marker(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

bool says_nothing(std::string_view line) {
  const auto start = line.find_first_not_of(" \t\r");
  return start == std::string_view::npos || line[start] == '#' || is_marker(line);
}

/// The line, counted from the start of the file, on which a piece's contents begin.
std::size_t first_line(const yaml_piece& piece) {
  std::size_t line = piece.line;
  for (std::size_t at = 0; at < piece.text.size(); ++line) {
    const auto end = std::min(piece.text.find('\n', at), piece.text.size());
    if (!says_nothing(piece.text.substr(at, end - at))) return line;
    at = end + 1;
  }
  return piece.line;
}

bool is_list(const document& doc) {
  return string_at(doc, {"apiVersion"}) == "v1" && string_at(doc, {"kind"}) == "List";
}

result<void> check_object(const document& doc, const std::string& where) {
  if (!doc.is_object()) return fail(errc::invalid, where + ": expected an object with apiVersion, kind and metadata");
  if (string_at(doc, {"apiVersion"}).empty()) return fail(errc::invalid, where + ": apiVersion is missing");
  if (string_at(doc, {"kind"}).empty()) return fail(errc::invalid, where + ": kind is missing");
  if (!name_of(doc).empty()) return {};
  const auto kind = std::string(string_at(doc, {"kind"}));
  if (!string_at(doc, {"metadata", "generateName"}).empty())
    return fail(errc::invalid,
                where + ": " + kind + " has generateName, but a work needs fixed names: set metadata.name");
  return fail(errc::invalid, where + ": " + kind + " has no metadata.name");
}

result<void> add_objects(document doc, const manifest_source& from, std::vector<manifest>& out) {
  if (!is_list(doc)) {
    if (auto checked = check_object(doc, from.text()); !checked) return checked;
    out.push_back({.object = std::move(doc), .from = from});
    return {};
  }
  const auto* items = find_path(doc, {"items"});
  if (!items || !items->is_array()) return fail(errc::invalid, from.text() + ": List without items");
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (auto checked = check_object((*items)[i], from.text() + ", items[" + std::to_string(i) + "]"); !checked)
      return checked;
    out.push_back({.object = (*items)[i], .from = from});
  }
  return {};
}

result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code why;
  if (!fs::is_directory(path, why)) return std::vector<std::string>{path};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path, why)) {
    const auto ending = entry.path().extension();
    if (entry.is_regular_file() && (ending == ".yaml" || ending == ".yml" || ending == ".json"))
      files.push_back(entry.path().string());
  }
  if (why) return fail(errc::io, "cannot read folder " + path + ": " + why.message());
  if (files.empty()) return fail(errc::not_found, "folder " + path + " has no .yaml, .yml or .json file");
  std::sort(files.begin(), files.end());
  return files;
}

result<std::vector<manifest>> load_one(const std::string& path, std::istream& in) {
  if (path == "-") {
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    return parse_manifests(text, "standard input");
  }
  const auto files = files_of(path);
  if (!files) return files.err();
  std::vector<manifest> all;
  for (const auto& file : *files) {
    const auto text = read_file(file);
    if (!text) return text.err();
    auto part = parse_manifests(*text, file);
    if (!part) return part;
    std::move(part->begin(), part->end(), std::back_inserter(all));
  }
  return all;
}

result<void> check_unique(const std::vector<manifest>& manifests) {
  std::map<std::string, const manifest*> seen;
  for (const auto& m : manifests) {
    const auto ns = namespace_of(m.object);
    const auto label = std::string(kind_of(m.object)) + " " + (ns.empty() ? "" : std::string(ns) + "/") +
                       std::string(name_of(m.object));
    const auto [first, fresh] = seen.emplace(std::string(api_version(m.object)) + " " + label, &m);
    if (!fresh)
      return fail(errc::invalid,
                  m.from.text() + ": " + label + " is there twice: first in " + first->second->from.text());
  }
  return {};
}

}  // namespace

std::string manifest_source::text() const {
  return file + ", document " + std::to_string(document) + " (line " + std::to_string(line) + ")";
}

std::vector<yaml_piece> split_yaml(std::string_view text) {
  std::vector<yaml_piece> pieces;
  std::size_t piece_start = 0;
  std::size_t piece_line = 1;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size(); ++line) {
    const auto end = std::min(text.find('\n', at), text.size());
    if (is_marker(text.substr(at, end - at)) && at > piece_start) {
      pieces.push_back({.text = text.substr(piece_start, at - piece_start), .line = piece_line});
      piece_start = at;
      piece_line = line;
    }
    at = end + 1;
  }
  if (piece_start < text.size()) pieces.push_back({.text = text.substr(piece_start), .line = piece_line});
  return pieces;
}

result<std::vector<manifest>> parse_manifests(std::string_view text, const std::string& file) {
  std::vector<manifest> manifests;
  std::size_t number = 0;
  for (const auto& piece : split_yaml(text)) {
    // The empty lines in front make the reader's own line numbers those of the file.
    auto docs =
        parse_yaml(std::string(piece.line - 1, '\n') + std::string(piece.text), {.bytes_max = std::size_t{64} << 20});
    const manifest_source here{.file = file, .document = number + 1, .line = first_line(piece)};
    if (!docs) return fail(docs.err().code, here.text() + ": " + docs.err().message);
    for (auto& doc : *docs) {
      const manifest_source from{.file = file, .document = ++number, .line = here.line};
      if (auto added = add_objects(std::move(doc), from, manifests); !added) return added.err();
    }
  }
  if (manifests.empty()) return fail(errc::invalid, file + " has no objects");
  return manifests;
}

result<std::vector<manifest>> load_manifests(const std::vector<std::string>& paths, std::istream& in) {
  std::vector<manifest> all;
  for (const auto& path : paths) {
    auto part = load_one(path, in);
    if (!part) return part;
    std::move(part->begin(), part->end(), std::back_inserter(all));
  }
  if (auto unique = check_unique(all); !unique) return unique.err();
  return all;
}

}  // namespace wh::ctl
