#include "actors/mailbox.hpp"

#include <catch2/catch.hpp>

#include "tests/actors/runtime/test_actors.hpp"

using namespace wh;
using namespace wh::test;
using verdict = mailbox::verdict;

namespace {

shared_bytes bytes_of(const char* text) { return *text ? share(text) : nullptr; }

/// Empty body: removed; empty previous: created.
message changed(const char* name, const char* previous, const char* body) {
  static std::uint64_t rev = 0;
  ++rev;
  return object_changed{{.key = key_of(name),
                         .rev = revision{rev},
                         .body = bytes_of(body),
                         .previous = bytes_of(previous),
                         .previous_rev = revision{rev - 1}}};
}

message wanted(const char* uid, std::int64_t gen, const char* history = "hub-1") {
  return prescribe{{.name = "w", .uid = uid, .gen = generation{gen}, .deleting = false, .body = share("{}")}, history};
}

message held(const char* name, bool gone) {
  return work_held{.held = {name, "u", generation{1}, false}, .gone = gone, .reports_pending = false};
}

message reported(const char* name, std::uint64_t seq) {
  return report_ready{{.name = name, .uid = "u", .seq = seq, .observed = generation{1}, .status = share("{}")}};
}

/// A mailbox and the runtime's queue behind it.
struct box {
  verdict post(message body, bool from_actor = false, const address& from = port()) {
    envelope e{worker("w"), from, std::move(body)};
    const auto decided = subject.arrive(e, std::chrono::nanoseconds(++clock), from_actor,
                                        [this] { return ++asked, queue.size() >= max; });
    if (decided.what == verdict::queue) queue.emplace_back(std::move(e));
    if (decided.what == verdict::queue_number) queue.emplace_back(decided.ticket);
    return decided.what;
  }
  /// The next message to handle.
  mailbox::mail next() {
    auto first = std::move(queue.front());
    queue.erase(queue.begin());
    if (const auto* number = std::get_if<mailbox::number>(&first)) return subject.take(*number);
    return {std::get<envelope>(std::move(first)), {}};
  }
  template <class Message>
  Message next_as() {
    return std::get<Message>(next().what.body);
  }

  mailbox subject;
  std::vector<std::variant<envelope, mailbox::number>> queue;
  std::size_t max = 2;
  int clock = 0;
  int asked = 0;
};

}  // namespace

TEST_CASE("a full mailbox refuses requests and frames, and keeps answers and coalesced news", "[mailbox]") {
  box b;
  CHECK(b.post(admit_write{}) == verdict::queue);
  CHECK(b.post(spoke_frame{}) == verdict::queue);
  CHECK(b.post(admit_write{}) == verdict::full);
  CHECK(b.post(spoke_frame{}) == verdict::full);
  CHECK(b.post(hub_frame{}) == verdict::full);
  CHECK(b.post(join_asked{}) == verdict::full);
  const int asked = b.asked;
  CHECK(b.post(session_closed{}) == verdict::queue);
  CHECK(b.post(cluster_reply{}) == verdict::queue);
  CHECK(b.post(resend_report{}) == verdict::queue_number);
  CHECK(b.asked == asked);  // what is never refused pays for no question
}

TEST_CASE("from an actor only what is answered is refused", "[mailbox]") {
  box b;
  b.max = 0;
  CHECK(b.post(join_asked{}, true) == verdict::queue);
  CHECK(b.post(admit_write{}, true) == verdict::full);
  admit_write write;
  write.id = request_id{7};
  const envelope request{worker("to"), worker("from"), write};
  const auto answer = refusal_of(request, fail(errc::busy, "full"));
  REQUIRE(answer);
  CHECK(answer->to == worker("from"));
  CHECK(std::get<admit_reply>(answer->body).id == request_id{7});
  CHECK(std::get<admit_reply>(answer->body).failure->code == errc::busy);
  CHECK_FALSE(refusal_of({worker("to"), worker("from"), join_asked{}}, fail(errc::busy, "full")));
}

TEST_CASE("a newer change takes the place of the older one and keeps what was before both", "[mailbox]") {
  box b;
  CHECK(b.post(changed("x", "0", "1")) == verdict::queue_number);
  CHECK(b.post(changed("y", "", "a")) == verdict::queue_number);
  CHECK(b.post(session_closed{}) == verdict::queue);
  CHECK(b.post(changed("x", "1", "2")) == verdict::merged);
  CHECK(b.post(changed("x", "2", "3")) == verdict::merged);
  CHECK(b.post(changed("y", "a", "b")) == verdict::merged);
  CHECK(b.queue.size() == 3);
  const auto first = b.next();
  CHECK(first.posted == std::chrono::nanoseconds(1));
  const auto x = std::get<object_changed>(first.what.body).what;
  CHECK(*x.body == "3");
  CHECK(*x.previous == "0");
  CHECK(x.previous_rev < x.rev);
  const auto y = b.next_as<object_changed>().what;
  CHECK(*y.body == "b");
  CHECK_FALSE(y.previous);  // still a creation
  CHECK(b.subject.resting() == 0);
  CHECK(b.post(changed("x", "3", "4")) == verdict::queue_number);  // the older one is being handled
}

TEST_CASE("the end of an object's life is told apart from what came before and after", "[mailbox]") {
  box b;
  b.post(changed("x", "1", "2"));
  CHECK(b.post(changed("x", "2", "")) == verdict::queue_number);
  CHECK(b.post(changed("x", "", "other")) == verdict::queue_number);
  CHECK(b.post(changed("x", "other", "another")) == verdict::merged);
  CHECK(*b.next_as<object_changed>().what.body == "2");
  CHECK(*b.next_as<object_changed>().what.previous == "2");
  CHECK(*b.next_as<object_changed>().what.body == "another");
}

TEST_CASE("what a restored hub wants replaces what waits, whatever its generation", "[mailbox]") {
  box b;
  b.post(wanted("u", 3));
  CHECK(b.post(wanted("u", 1, "hub-2")) == verdict::merged);
  CHECK(b.next_as<prescribe>().desired.gen == generation{1});
}

TEST_CASE("a newer prescription replaces the older, but neither crosses a withdrawal", "[mailbox]") {
  box b;
  b.post(wanted("u", 2));
  CHECK(b.post(wanted("u", 3)) == verdict::merged);
  CHECK(b.post(wanted("u", 1)) == verdict::merged);  // a late one changes nothing
  CHECK(b.post(wanted("v", 1)) == verdict::queue_number);
  CHECK(b.post(withdraw{"v"}) == verdict::queue_number);
  CHECK(b.post(withdraw{"v"}) == verdict::merged);
  CHECK(b.post(wanted("v", 2)) == verdict::queue_number);
  CHECK(b.next_as<prescribe>().desired.gen == generation{3});
  CHECK(b.next_as<prescribe>().desired.uid == "v");
  CHECK(b.next_as<withdraw>().uid == "v");
  CHECK(b.next_as<prescribe>().desired.gen == generation{2});
}

TEST_CASE("what works tell their agent is one message a work", "[mailbox]") {
  box b;
  b.post(held("w1", false));
  b.post(held("w2", false));
  b.post(reported("w1", 4));
  CHECK(b.post(held("w1", true)) == verdict::merged);
  CHECK(b.post(reported("w1", 6)) == verdict::merged);
  CHECK(b.post(reported("w1", 5)) == verdict::merged);
  CHECK(b.post(finished_ready{{.name = "w1", .uid = "u"}}) == verdict::queue_number);
  CHECK(b.post(finished_ready{{.name = "w1", .uid = "u"}}) == verdict::merged);
  CHECK(b.next_as<work_held>().gone);
  CHECK_FALSE(b.next_as<work_held>().gone);
  CHECK(b.next_as<report_ready>().report.seq == 6);
}

TEST_CASE("acknowledgements, news and facts keep the newest", "[mailbox]") {
  box b;
  const cluster_object object{"v1", "ConfigMap", "default", "x"};
  b.post(report_acked{"u", 5});
  CHECK(b.post(report_acked{"u", 4}) == verdict::merged);
  CHECK(b.post(report_acked{"v", 1}) == verdict::queue_number);
  b.post(drifted{object, revision{3}});
  CHECK(b.post(drifted{object, revision{9}}) == verdict::merged);
  cluster_facts facts;
  b.post(facts);
  facts.healthy = false;
  CHECK(b.post(facts) == verdict::merged);
  b.post(resend_report{});
  CHECK(b.post(resend_report{}) == verdict::merged);
  CHECK(b.next_as<report_acked>().seq == 5);
  CHECK(b.next_as<report_acked>().uid == "v");
  CHECK(b.next_as<drifted>().rev == revision{9});
  CHECK_FALSE(b.next_as<cluster_facts>().healthy);
}

TEST_CASE("of two requests to leave the last counts, and a withdrawal by the hub takes none back", "[mailbox]") {
  box b;
  b.post(withdraw{.uid = "u", .keep = true, .at_once = true});
  CHECK(b.post(withdraw{.uid = "u"}) == verdict::merged);
  const auto kept = b.next_as<withdraw>();
  CHECK((kept.keep && kept.at_once));
  b.post(withdraw{.uid = "u", .keep = true, .at_once = true});
  CHECK(b.post(withdraw{.uid = "u", .keep = false, .at_once = true}) == verdict::merged);
  CHECK_FALSE(b.next_as<withdraw>().keep);
  b.post(withdraw{.uid = "u"});
  CHECK(b.post(withdraw{.uid = "u", .keep = false, .at_once = true}) == verdict::merged);
  CHECK(b.next_as<withdraw>().at_once);
}

TEST_CASE("messages of two senders are not one", "[mailbox]") {
  box b;
  b.post(resend_report{}, true, worker("a"));
  CHECK(b.post(resend_report{}, true, worker("b")) == verdict::queue_number);
  CHECK(b.post(resend_report{}, true, worker("a")) == verdict::merged);
}

TEST_CASE("any number of changes to a few objects needs a few places", "[mailbox]") {
  box b;
  for (int i = 0; i < 10'000; ++i) b.post(changed(i % 2 ? "x" : "y", "1", "2"));
  CHECK(b.queue.size() == 2);
  CHECK(b.subject.resting() == 2);
}
