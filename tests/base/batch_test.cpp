#include "messages/batch.hpp"

#include <catch2/catch.hpp>

using namespace wh;

TEST_CASE("a key is shown with its namespace if it has one", "[messages][batch]") {
  REQUIRE(to_string(object_key{"configmaps", "default", "a"}) == "configmaps/default/a");
  REQUIRE(to_string(object_key{"nodes", "", "n1"}) == "nodes/n1");
}

TEST_CASE("a range contains what its resource, namespace and name say", "[messages][batch]") {
  const object_key key{"configmaps", "default", "a"};
  REQUIRE(key_range{"configmaps", "", ""}.contains(key));
  REQUIRE(key_range{"configmaps", "default", ""}.contains(key));
  REQUIRE(key_range{"configmaps", "default", "a"}.contains(key));
  REQUIRE(key_range{"configmaps", "", "a"}.contains(key));
  REQUIRE_FALSE(key_range{"configmaps", "other", ""}.contains(key));
  REQUIRE_FALSE(key_range{"configmaps", "default", "b"}.contains(key));
  REQUIRE_FALSE(key_range{"secrets", "", ""}.contains(key));
}

TEST_CASE("two puts are equal when their bodies are, wherever the bytes live", "[messages][batch]") {
  const object_key key{"configmaps", "default", "a"};
  REQUIRE(put{key, share("x")} == put{key, share("x")});
  REQUIRE_FALSE(put{key, share("x")} == put{key, share("y")});
  REQUIRE_FALSE(put{key, share("x")} == put{key, nullptr});
  REQUIRE_FALSE(put{key, share("x"), namespace_phase::active} == put{key, share("x"), namespace_phase::terminating});
}
