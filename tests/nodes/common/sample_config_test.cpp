#include <yaml-cpp/yaml.h>

#include <catch2/catch.hpp>
#include <set>

#include "nodes/common/files.hpp"
#include "nodes/common/options.hpp"

using namespace wh;

namespace {

/// Every `key: value` line of a sample, commented out or not: a sample explains an option by a `#key: value` line.
std::string uncommented(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    if (line.starts_with('#') && !line.starts_with("# ") && line.size() > 1) line.erase(0, 1);
    out += line + "\n";
    at = end + 1;
  }
  return out;
}

std::set<std::string> keys_of(const YAML::Node& node) {
  std::set<std::string> keys;
  for (const auto& entry : node) keys.insert(entry.first.Scalar());
  return keys;
}

}  // namespace

TEST_CASE("the sample configuration files are valid and explain the flags of the programs", "[options]") {
  struct sample {
    std::string file;
    std::vector<std::string> documented;
  };
  const auto s = GENERATE(values<sample>({
      {"hub.yaml",
       {"data-dir", "api-listen", "link-listen", "api-advertise", "link-advertise", "tls-san", "manifest-limit",
        "certificate-life", "feature-gates", "log-level", "log-format"}},
      {"spoke.yaml",
       {"data-dir", "cluster-name", "hub", "hub-proxy", "hub-proxy-credentials-file", "token", "ca-pin", "cluster",
        "cluster-listen", "log-level", "log-format"}},
  }));
  const auto text = read_file(std::string(WH_SOURCE_DIR) + "/examples/" + s.file);
  REQUIRE(text);
  const auto keys = keys_of(YAML::Load(uncommented(*text)));
  for (const auto& name : s.documented) {
    INFO(s.file << " should explain " << name);
    CHECK(keys.contains(name));
  }
  const auto read = read_option_file(std::string(WH_SOURCE_DIR) + "/examples/" + s.file, s.documented);
  if (!read) FAIL(read.err().message);
}
