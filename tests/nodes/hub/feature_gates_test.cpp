#include "nodes/hub/feature_gates.hpp"

#include <catch2/catch.hpp>

using namespace wh;

TEST_CASE("feature gates are read as Kubernetes' flag", "[options]") {
  CHECK(parse_feature_gates("") == feature_gates{});
  CHECK(feature_gates{}.default_cluster_set);
  CHECK_FALSE(feature_gates{}.managed_cluster_auto_approval);
  const auto both = parse_feature_gates(" DefaultClusterSet=false , ManagedClusterAutoApproval=True,");
  REQUIRE(both);
  CHECK_FALSE(both->default_cluster_set);
  CHECK(both->managed_cluster_auto_approval);
  CHECK(parse_feature_gates("DefaultClusterSet=0,DefaultClusterSet=1") == feature_gates{});
  CHECK(parse_feature_gates("ResourceCleanup=true,ClusterProfile=false,ClusterImporter=F") == feature_gates{});
}

TEST_CASE("gates that are not understood are errors that name them", "[options]") {
  const auto [text, says] = GENERATE(table<const char*, const char*>({
      {"Clusterprofile=true", "unknown gate \"Clusterprofile\"; known are: DefaultClusterSet"},
      {"DefaultClusterSet", "\"DefaultClusterSet\" has no value"},
      {"DefaultClusterSet=", "DefaultClusterSet=\"\" is neither true nor false"},
      {"DefaultClusterSet=yes", "DefaultClusterSet=\"yes\" is neither true nor false"},
      {"=true", "unknown gate \"\""},
      {"ClusterProfile=true", "ClusterProfile=true: not in this release, it is always off"},
      {"ClusterImporter=true", "ClusterImporter=true: not in this release"},
      {"ResourceCleanup=false", "ResourceCleanup=false: not in this release, it is always on"},
  }));
  const auto gates = parse_feature_gates(text);
  REQUIRE_FALSE(gates);
  CHECK(gates.err().code == errc::invalid);
  CHECK_THAT(gates.err().message, Catch::Contains(says));
}
