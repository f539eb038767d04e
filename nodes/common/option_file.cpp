#include "nodes/common/options.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "nodes/common/files.hpp"

namespace wh {
namespace {

std::string at(const std::string& path, const YAML::Mark& mark) {
  return mark.is_null() ? path : path + ":" + std::to_string(mark.line + 1);
}

/// A scalar, or a flat list of scalars.
result<std::vector<std::string>> values_of(const std::string& where, const std::string& key, const YAML::Node& node) {
  if (node.IsScalar()) return std::vector<std::string>{node.Scalar()};
  if (!node.IsSequence()) return fail(errc::invalid, where + ": " + key + ": must be a value or a list of values");
  std::vector<std::string> values;
  for (const auto& entry : node) {
    if (!entry.IsScalar()) return fail(errc::invalid, where + ": " + key + ": list entries must be plain values");
    values.push_back(entry.Scalar());
  }
  return values;
}

result<std::map<std::string, file_setting>> read_settings(const std::string& path, const YAML::Node& root,
                                                          const std::vector<std::string>& known) {
  std::map<std::string, file_setting> settings;
  if (root.IsNull()) return settings;
  if (!root.IsMap()) return fail(errc::invalid, at(path, root.Mark()) + ": expected `option: value` lines");
  for (const auto& entry : root) {
    const auto where = at(path, entry.first.Mark());
    if (!entry.first.IsScalar()) return fail(errc::invalid, where + ": a key must be an option's name");
    const auto key = entry.first.Scalar();
    if (std::find(known.begin(), known.end(), key) == known.end())
      return fail(errc::invalid, where + ": unknown option \"" + key + "\" (--help lists them)");
    if (settings.contains(key)) return fail(errc::invalid, where + ": \"" + key + "\" is set twice");
    auto values = values_of(where, key, entry.second);
    if (!values) return values.err();
    settings[key] = {.values = std::move(*values), .where = where};
  }
  return settings;
}

}  // namespace

result<std::map<std::string, file_setting>> read_option_file(const std::string& path,
                                                             const std::vector<std::string>& known) {
  const auto text = read_file(path, std::size_t{1} << 20);
  if (!text) return text.err();
  try {
    return read_settings(path, YAML::Load(*text), known);
  } catch (const YAML::Exception& e) {
    return fail(errc::malformed, at(path, e.mark) + ": not valid YAML: " + e.msg);
  }
}

}  // namespace wh
