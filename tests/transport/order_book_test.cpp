#include "nodes/hub/order_book.hpp"

#include <catch2/catch.hpp>

using namespace wh;
using namespace std::chrono_literals;

namespace {

work_desired order(std::uint64_t gen, bool deleting = false) {
  return {.name = "w", .uid = "u", .gen = generation(gen), .deleting = deleting, .body = {}};
}
work_report report(std::uint64_t seq, std::uint64_t gen) {
  return {.name = "w", .uid = "u", .seq = seq, .observed = generation(gen), .status = {}};
}
report_ack ack(std::uint64_t seq) { return {.work = "w", .uid = "u", .seq = seq}; }

}  // namespace

TEST_CASE("an order is timed until the first report of its generation is acknowledged", "[order_book]") {
  order_book book;
  CHECK_FALSE(book.on_sent(order(2), 10s));
  book.on_received(report(4, 1));
  CHECK_FALSE(book.on_sent(ack(4), 11s));
  book.on_received(report(5, 2));
  book.on_received(report(6, 2));
  CHECK_FALSE(book.on_sent(ack(4), 12s));
  CHECK(book.on_sent(ack(5), 13s) == duration(3s));
  CHECK_FALSE(book.on_sent(ack(6), 14s));
  CHECK(book.open() == 0);
}

TEST_CASE("a later generation begins anew, and a deletion ends the waiting", "[order_book]") {
  order_book book;
  (void)book.on_sent(order(1), 10s);
  book.on_received(report(1, 1));
  (void)book.on_sent(order(2), 20s);
  CHECK_FALSE(book.on_sent(ack(1), 21s));
  book.on_received(report(2, 2));
  CHECK(book.on_sent(ack(2), 22s) == duration(2s));

  (void)book.on_sent(order(3), 30s);
  (void)book.on_sent(order(4, true), 31s);
  CHECK(book.open() == 0);
  (void)book.on_sent(order(5), 40s);
  (void)book.on_sent(work_unknown{"w", "u"}, 41s);
  CHECK(book.open() == 0);
}

TEST_CASE("durations are counted under the next bound", "[order_book]") {
  time_buckets times;
  for (const duration d : {duration(-1s), duration(1ms), duration(1001us), duration(100s), duration(101s)})
    times.add(d);
  const auto counts = times.counts();
  REQUIRE(counts.size() == time_buckets::bounds_s.size() + 1);
  CHECK(counts[0] == 2);
  CHECK(counts[1] == 1);
  CHECK(counts[counts.size() - 2] == 1);
  CHECK(counts.back() == 1);
  CHECK(times.sum_s() == Approx(201.002001));
}
