#include "nodes/hub/feature_gates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace wh {
namespace {

/// A gate that can be switched, or one that OCM has and that is stuck here at `fixed`.
struct gate_row {
  std::string_view name;
  bool feature_gates::*value;
  bool fixed;
};
constexpr gate_row gates[] = {
    {"DefaultClusterSet", &feature_gates::default_cluster_set, true},
    {"ManagedClusterAutoApproval", &feature_gates::managed_cluster_auto_approval, false},
    {"ResourceCleanup", nullptr, true},
    {"ClusterImporter", nullptr, false},
    {"ClusterProfile", nullptr, false},
    {"V1beta1CSRAPICompatibility", nullptr, false},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The spellings that Kubernetes' flags take.
std::optional<bool> parse_bool(std::string_view text) {
  constexpr std::string_view yes[] = {"true", "True", "TRUE", "t", "T", "1"};
  constexpr std::string_view no[] = {"false", "False", "FALSE", "f", "F", "0"};
  if (std::find(std::begin(yes), std::end(yes), text) != std::end(yes)) return true;
  if (std::find(std::begin(no), std::end(no), text) != std::end(no)) return false;
  return std::nullopt;
}

std::string known_gates() {
  std::string out;
  for (const auto& g : gates)
    if (g.value) out += (out.empty() ? "" : ", ") + std::string(g.name);
  return out;
}

result<void> set_gate(feature_gates& out, std::string_view name, std::string_view value) {
  const auto* gate = std::find_if(std::begin(gates), std::end(gates), [&](const auto& g) { return g.name == name; });
  if (gate == std::end(gates))
    return fail(errc::invalid, fmt::format("feature-gates: unknown gate \"{}\"; known are: {}", name, known_gates()));
  const auto on = parse_bool(value);
  if (!on) return fail(errc::invalid, fmt::format("feature-gates: {}=\"{}\" is neither true nor false", name, value));
  if (gate->value) out.*gate->value = *on;
  else if (*on != gate->fixed)
    return fail(errc::invalid, fmt::format("feature-gates: {}={}: not in this release, it is always {}", name, *on,
                                           gate->fixed ? "on" : "off"));
  return {};
}

}  // namespace

result<feature_gates> parse_feature_gates(std::string_view text) {
  feature_gates out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto entry = trim(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (entry.empty()) continue;
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos)
      return fail(errc::invalid, fmt::format("feature-gates: \"{}\" has no value: NAME=true or NAME=false", entry));
    if (auto ok = set_gate(out, trim(entry.substr(0, equals)), trim(entry.substr(equals + 1))); !ok) return ok.err();
  }
  return out;
}

}  // namespace wh
