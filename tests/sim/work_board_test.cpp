#include <catch2/catch.hpp>

#include "sim/live/work_board.hpp"

using namespace wh;

namespace {

const work_board::key one{"c1", "w"};
const work_board::key two{"c2", "w"};

work_sight up(const work_board::key& work, generation at) {
  work_sight s;
  s.cluster = work.cluster;
  s.name = work.name;
  s.wanted = at;
  s.applied = s.available = condition_state::true_;
  s.applied_observed = s.available_observed = at;
  return s;
}

}  // namespace

TEST_CASE("a work that a phase gave up is not waited for by the next, and is still promised", "[sim][work_board]") {
  work_board board;
  for (const auto& work : {one, two}) {
    board.sent(work);
    board.acknowledged(work, generation(1));
  }
  board.saw(up(one, generation(1)));
  CHECK(board.now().open == 1);
  board.begin();
  CHECK(board.now().open == 0);
  CHECK(board.missing(10) == std::vector<std::string>{"c2/w"});
  CHECK(board.promised().size() == 2);

  // What comes late is the late phase's, not this one's.
  board.saw(up(two, generation(1)));
  CHECK(board.now().done == 0);
  CHECK(board.missing(10).empty());
}

TEST_CASE("a refusal that comes after its phase was given up counts in no other", "[sim][work_board]") {
  work_board board;
  board.sent(one);
  board.begin();
  board.refused(one, fail(errc::timeout, "late"));
  CHECK(board.now().failed == 0);
  CHECK(board.now().last_problem.empty());
  CHECK(board.promised().empty());
}

TEST_CASE("a change is not done by news of the generation before it", "[sim][work_board]") {
  work_board board;
  board.sent(one);
  board.acknowledged(one, generation(1));
  board.saw(up(one, generation(1)));
  REQUIRE(board.now().done == 1);

  // The change shows in the watch before its request is answered, with the status of the generation before.
  board.sent(one);
  auto sight = up(one, generation(1));
  sight.wanted = generation(2);
  board.saw(sight);
  CHECK(board.now().open == 1);
  board.acknowledged(one, generation(2));
  CHECK(board.now().open == 1);
  board.saw(up(one, generation(2)));
  CHECK(board.now().open == 0);
  CHECK(board.now().done == 2);
}

TEST_CASE("a work that is up before its request is answered is done with the answer", "[sim][work_board]") {
  work_board board;
  board.sent(one);
  board.saw(up(one, generation(1)));
  CHECK(board.now().open == 1);
  board.acknowledged(one, generation(1));
  CHECK(board.now().open == 0);
}
