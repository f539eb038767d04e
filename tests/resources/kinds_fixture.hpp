#pragma once
#include <catch2/catch.hpp>

#include "resources/kinds.hpp"

namespace wh::test {

using texts = std::vector<std::string>;

inline const kind_registry& served(kind_set set) {
  static const auto make = [](kind_set which) {
    auto registry = std::make_unique<kind_registry>();
    add_builtin_kinds(*registry, which);
    return registry;
  };
  static const auto hub = make(kind_set::hub), cluster = make(kind_set::cluster);
  return set == kind_set::hub ? *hub : *cluster;
}

/// What the server makes of a body before it is stored; whatever validation says is a failure.
inline document defaulted(kind_set set, const char* group, const char* version, const char* kind, const char* body) {
  const auto info = served(set).find_kind(group, version, kind);
  REQUIRE(info);
  auto doc = document::parse(body);
  info->structure->prune(doc);
  info->structure->apply_defaults(doc);
  for (const auto& e : info->structure->validate(doc)) FAIL_CHECK(e.text());
  return doc;
}

/// What validation says of a body.
inline std::vector<std::string> complaints(kind_set set, const char* group, const char* kind, const char* body,
                                           const char* version = "v1") {
  const auto info = served(set).find_kind(group, version, kind);
  REQUIRE(info);
  std::vector<std::string> out;
  for (const auto& e : info->structure->validate(document::parse(body))) out.push_back(e.text());
  return out;
}

}  // namespace wh::test
