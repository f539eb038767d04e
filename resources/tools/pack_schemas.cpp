// Turns the YAML files of resources/schemas/ into one C++ source of compact JSON strings, so that a node starts without
// reading YAML: pack_schemas <out.cpp> <in.yaml>...
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "resources/document.hpp"
#include "resources/internal/descriptions.hpp"
#include "resources/tools/column_texts.hpp"

namespace {

constexpr const char* delimiter = "wh~";

struct packed {
  std::map<std::string, std::string> definitions;
  std::map<std::string, std::string> names;  ///< of definitions that belong to a package
  std::map<std::string, std::string> kinds;
  std::map<std::string, std::string> descriptions;
  wh::document columns = wh::document::object();  ///< what computed columns show, by name
};

int give_up(const std::string& file, const std::string& why) {
  std::fprintf(stderr, "%s: %s\n", file.c_str(), why.c_str());
  return 1;
}

std::string key_of(const wh::document& kind) {
  return kind.value("group", "") + "/" + kind.value("version", "") + "/" + kind.value("kind", "");
}

/// The first described path that the definition does not have; empty when it has them all.
std::string misplaced(const packed& all, const std::string& name, const wh::document& texts) {
  const auto known = all.definitions.find(name);
  if (known == all.definitions.end() || !texts.is_object()) return ".";
  auto definition = wh::document::parse(known->second);
  for (const auto& [path, text] : texts.items()) {
    if (!text.is_string() || !wh::internal::describe(definition, path, text.get<std::string>())) return path;
  }
  return "";
}

/// Names the definitions of a file that belongs to a package. Empty, or what is wrong.
std::string name_definitions(packed& out, const wh::document& doc, const wh::document& definitions) {
  const auto others = doc.value("names", wh::document::object());
  for (const auto& [name, whole] : others.items()) {
    if (!definitions.contains(name)) return "names: there is no definition " + name;
    if (!whole.is_string()) return "names: that of " + name + " is no string";
  }
  const auto package = doc.find("package");
  if (package == doc.end()) return others.empty() ? "" : "names: without a package";
  if (!package->is_string()) return "package: is no string";
  for (const auto& [name, definition] : definitions.items()) {
    const auto whole = others.value(name, package->get<std::string>() + "." + name);
    for (const auto& [other, known] : out.names) {
      if (known == whole) return name + " and " + other + " are both " + whole;
    }
    out.names[name] = whole;
  }
  return "";
}

int read(const std::string& file, packed& out) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto documents = wh::parse_yaml(text);
  if (!documents) return give_up(file, documents.err().message);
  for (const auto& doc : *documents) {
    const auto definitions = doc.value("definitions", wh::document::object());
    for (const auto& [name, definition] : definitions.items()) {
      if (!out.definitions.emplace(name, definition.dump()).second)
        return give_up(file, "definition " + name + " is not the first");
    }
    if (const auto wrong = name_definitions(out, doc, definitions); !wrong.empty()) return give_up(file, wrong);
    for (const auto& kind : doc.value("kinds", wh::document::array())) {
      if (!out.kinds.emplace(key_of(kind), kind.dump()).second)
        return give_up(file, key_of(kind) + " is not the first");
    }
    const auto descriptions = doc.value("descriptions", wh::document::object());
    for (const auto& [name, texts] : descriptions.items()) {
      if (const auto wrong = misplaced(out, name, texts); !wrong.empty())
        return give_up(file, "descriptions: " + name + " has no place " + wrong + ", or its text is no string");
      if (!out.descriptions.emplace(name, texts.dump()).second)
        return give_up(file, "descriptions of " + name + " are not the first");
    }
    out.columns.update(doc.value("columns", wh::document::object()));
  }
  return 0;
}

/// Needs all files: kinds come before what describes their fields.
int describe_kinds(packed& all) {
  for (auto& [name, json] : all.kinds) {
    auto kind = wh::document::parse(json);
    const auto bare = wh::describe_columns(kind, {all.definitions, all.descriptions}, all.columns);
    if (!bare.empty()) return give_up(name, "columns: nothing says what " + bare + " shows");
    json = kind.dump();
  }
  return 0;
}

void write_table(std::ofstream& out, const char* name, const std::map<std::string, std::string>& entries) {
  out << "const std::vector<packed_text>& " << name << "() {\n  static const std::vector<packed_text> all = {\n";
  for (const auto& [key, json] : entries) {
    out << "    {\"" << key << "\", R\"" << delimiter << "(" << json << ")" << delimiter << "\"},\n";
  }
  out << "  };\n  return all;\n}\n\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return give_up("pack_schemas", "usage: pack_schemas <out.cpp> <in.yaml>...");
  packed all;
  for (int i = 2; i < argc; ++i) {
    if (const int failed = read(argv[i], all)) return failed;
  }
  if (const int failed = describe_kinds(all)) return failed;
  std::ofstream out(argv[1], std::ios::binary);
  out << "// Made from resources/schemas/ by resources/tools/pack_schemas.cpp.\n"
         "#include \"resources/internal/packed_schemas.hpp\"\n\nnamespace wh::internal {\n\n";
  write_table(out, "packed_definitions", all.definitions);
  write_table(out, "packed_names", all.names);
  write_table(out, "packed_kinds", all.kinds);
  write_table(out, "packed_descriptions", all.descriptions);
  out << "}  // namespace wh::internal\n";
  return out.good() ? 0 : give_up(argv[1], "cannot be written");
}
