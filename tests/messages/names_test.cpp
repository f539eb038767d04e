#include <catch2/catch.hpp>
#include <set>

#include "messages/actor_messages.hpp"

using namespace wh;

namespace {

template <std::size_t... Index>
std::set<std::string_view> message_names(std::index_sequence<Index...>) {
  return {name_of(message(std::in_place_index<Index>))...};
}

std::vector<actor_kind> kinds() {
  std::vector<actor_kind> known;
  for (int number = 0; number < 256; ++number)
    if (const auto kind = static_cast<actor_kind>(number); to_string(address{kind, ""}) != "unknown")
      known.push_back(kind);
  return known;
}

}  // namespace

TEST_CASE("every message has a name of its own", "[messages]") {
  constexpr auto count = std::variant_size_v<message>;
  CHECK(message_names(std::make_index_sequence<count>()).size() == count);
}

// The store ties batches to their writer by this text: two actors that share one would fail each other's batches.
TEST_CASE("no two addresses read alike", "[messages]") {
  CHECK(kinds().size() == 14);
  const std::string names[] = {"", "a", "b", "a/b", "work", "/", " "};
  std::set<std::string> texts;
  for (const auto kind : kinds())
    for (const auto& name : names) texts.insert(to_string(address{kind, name}));
  CHECK(texts.size() == kinds().size() * std::size(names));
  CHECK(to_string(address{actor_kind::managed_cluster, "c1"}) == "managed_cluster/c1");
  CHECK(to_string(session_address(session_id{7})) == "session/7");
}
