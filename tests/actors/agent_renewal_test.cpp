// The life of the spoke's certificate: renewed in time, at every crash; got anew when it is too late.
#include "agent_bench.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Matchers::Contains;

namespace {

/// In sync, and at a moment when less than a fifth of the certificate's life is left.
struct due_bench : agent_bench {
  due_bench() {
    sync();
    pass(certificate_life * 81 / 100);
  }
  std::string ask() { return frames<renew_request>(fire("certificate")).at(0).csr_pem; }
  /// Dials, is welcomed, and asks again; the request.
  std::vector<renew_request> reconnect() {
    connect();
    return frames<renew_request>(receive(accepted()));
  }
};

}  // namespace

TEST_CASE("the renewal is drawn once, between 25 % and 20 % of the life left", "[agent][renewal]") {
  std::set<instant> drawn;
  for (int i = 0; i < 50; ++i) {
    agent_bench a;
    a.restart();
    for (int n = 0; n < i; ++n) a.give(dial_failed{{errc::unavailable, "another draw"}});
    a.connect();
    const auto from = a.b.now;
    a.receive(join_certificate{a.signed_for(a.self.csr_pem), "ca"});
    REQUIRE(a.self.renew_at);
    CHECK(*a.self.renew_at > from + certificate_life * 75 / 100);
    CHECK(*a.self.renew_at <= from + certificate_life * 80 / 100);
    drawn.insert(*a.self.renew_at);
    const auto before = *a.self.renew_at;
    a.restart();
    CHECK(*a.self.renew_at == before);
    a.fire("certificate");
    CHECK(*a.self.renew_at == before);
  }
  CHECK(drawn.size() > 40);
}

TEST_CASE("nothing is asked for before it is time, and looked at in short steps", "[agent][renewal]") {
  agent_bench a;
  a.sync();
  a.pass(certificate_life * 74 / 100);
  const auto out = a.fire("certificate");
  CHECK(frames<renew_request>(out).empty());
  CHECK(armed(out, "certificate") <= std::chrono::hours(1));
  CHECK_FALSE(find_path(a.identity(), {"next"}));
}

TEST_CASE("the next key is durable before its request leaves, and then the current one", "[agent][renewal]") {
  due_bench a;
  const auto old_key = a.self.key_pem;
  const auto out = a.fire("certificate");
  REQUIRE(frames<renew_request>(out).size() == 1);
  // One unit: the batch is durable before its sends are released.
  REQUIRE(out.writes.puts.size() == 1);
  CHECK(string_at(a.identity(), {"next", "csr"}) == frames<renew_request>(out)[0].csr_pem);
  CHECK(string_at(a.identity(), {"key"}) == old_key);
  CHECK(a.self.next_key_pem != old_key);
  const auto next_key = a.self.next_key_pem;
  const auto taken = a.receive(join_certificate{a.signed_for(a.self.next_csr_pem), "ca"});
  REQUIRE(taken.writes.puts.size() == 1);
  CHECK(string_at(a.identity(), {"key"}) == next_key);
  CHECK_FALSE(find_path(a.identity(), {"next"}));
  CHECK(a.identity().dump().find(old_key) == std::string::npos);
  REQUIRE(sent<dial_hub>(taken).size() == 1);
  CHECK(sent<dial_hub>(taken)[0].key_pem == next_key);
  CHECK(sent<dial_hub>(taken)[0].cert_pem == a.self.cert_pem);
  CHECK_THAT(logged(taken), Contains("renewed, valid until"));
  for (const auto* o : {&out, &taken}) {
    CHECK_THAT(logged(*o, note_level::debug), !Contains(old_key) && !Contains(next_key));
  }
}

TEST_CASE("a crash at any step of a renewal goes on with the same request", "[agent][renewal]") {
  due_bench a;
  SECTION("before anything was stored") {
    a.restart();
    CHECK(a.reconnect().size() == 1);
  }
  SECTION("stored, and perhaps sent") {
    const auto csr = a.ask();
    a.restart();
    const auto again = a.reconnect();
    REQUIRE(again.size() == 1);
    CHECK(again[0].csr_pem == csr);
    a.restart();
    CHECK(a.reconnect().at(0).csr_pem == csr);
  }
  SECTION("the certificate came, and was not stored") {
    const auto csr = a.ask();
    const auto before = a.b.objects;
    const auto cert = a.signed_for(csr);
    a.receive(join_certificate{cert, "ca"});
    a.b.objects = before;
    a.restart();
    CHECK(a.reconnect().at(0).csr_pem == csr);
    a.receive(join_certificate{cert, "ca"});
    CHECK(string_at(a.identity(), {"certificate"}) == cert);
  }
  SECTION("the certificate is stored") {
    const auto cert = a.signed_for(a.ask());
    a.receive(join_certificate{cert, "ca"});
    const auto out = a.restart();
    CHECK(sent<dial_hub>(out).at(0).cert_pem == cert);
    CHECK(a.reconnect().empty());
  }
  SECTION("the connection breaks while the request is under way") {
    const auto csr = a.ask();
    a.lose();
    CHECK(a.reconnect().at(0).csr_pem == csr);
  }
}

TEST_CASE("a renewal is refused once clearly, and asked for again no sooner than after five minutes",
          "[agent][renewal]") {
  due_bench a;
  const auto csr = a.ask();
  const auto refusal = a.receive(renewal_refused{"the cluster is not accepted"});
  CHECK_THAT(logged(refusal, note_level::warning), Contains("not accepted") && Contains("works until"));
  CHECK(frames<renew_request>(a.fire("certificate")).empty());
  a.lose();
  CHECK(a.reconnect().empty());
  a.pass(std::chrono::minutes(4));
  CHECK(frames<renew_request>(a.fire("certificate")).empty());
  a.pass(std::chrono::minutes(1));
  CHECK(a.ask() == csr);
  const renewal_refused again{"the cluster is not accepted"};
  a.receive(again);
  a.pass(std::chrono::minutes(6));
  CHECK(a.ask() == csr);
  CHECK(logged(a.receive(again), note_level::warning).empty());
}

TEST_CASE("a request that nobody answers is not repeated every moment", "[agent][renewal]") {
  due_bench a;
  a.ask();
  CHECK(frames<renew_request>(a.fire("certificate")).empty());
  CHECK(frames<renew_request>(a.receive(a.accepted())).empty());
  a.pass(std::chrono::minutes(6));
  CHECK(frames<renew_request>(a.fire("certificate")).size() == 1);
}

TEST_CASE("a hub of level 0 is sent no new frame, and the spoke says what that means", "[agent][renewal]") {
  due_bench a;
  a.lose();
  a.connect();
  auto old = a.accepted();
  old.level = 0;
  const auto out = a.receive(old);
  CHECK(frames<renew_request>(out).empty());
  CHECK_THAT(logged(out, note_level::warning), Contains("too old"));
}

TEST_CASE("a certificate that was not asked for, is for another key or has expired is not taken", "[agent][renewal]") {
  agent_bench fresh;
  fresh.sync();
  const auto mine = fresh.self.cert_pem;
  CHECK_THAT(logged(fresh.receive(join_certificate{fresh.signed_for(fresh.self.csr_pem), "ca"}), note_level::error),
             Contains("not asked for"));
  CHECK(fresh.self.cert_pem == mine);
  due_bench a;
  const auto csr = a.ask();
  const auto before = a.self.cert_pem;
  CHECK_THAT(logged(a.receive(join_certificate{a.signed_for(a.self.csr_pem), "ca"}), note_level::error),
             Contains("not for this spoke's key"));
  CHECK_THAT(logged(a.receive(join_certificate{"rubbish", "ca"}), note_level::error), Contains("does not parse"));
  const auto late = a.receive(join_certificate{a.signed_for(csr, -std::chrono::hours(1)), "ca"});
  CHECK_THAT(logged(late, note_level::error), Contains("expired at") && Contains("clock"));
  CHECK(a.self.cert_pem == before);
  // What this request is answered with is of no use: the next one has a key of its own.
  a.pass(std::chrono::minutes(6));
  CHECK(a.ask() != csr);
}

TEST_CASE("an expired certificate is replaced by joining again with the token", "[agent][renewal]") {
  agent_bench a;
  a.sync();
  a.hold("w");
  a.lose();
  a.pass(certificate_life + std::chrono::hours(1));
  const auto out = a.restart();
  const auto call = sent<dial_hub>(out).at(0);
  CHECK(call.cert_pem.empty());
  CHECK(call.key_pem.empty());
  CHECK(call.ca_pin == "sha256:pin");
  CHECK_THAT(logged(out), Contains("expired at") && Contains("whctl get token --cluster-name c1") &&
                              Contains("wheelhouse-spoke") && Contains("--token") && Contains("whctl accept c1"));
  const auto asked = frames<join_request>(a.connect());
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].token == "id.secret");
  CHECK(asked[0].csr_pem == a.self.next_csr_pem);
  // Refused: the token has expired too. The process goes on, at a slow pace, with the same request.
  const auto no = a.receive(
      refused{.code = errc::unauthorized, .message = "the token has expired", .retry_after = {}, .final = true});
  CHECK(sent<give_up>(no).empty());
  CHECK_THAT(logged(no, note_level::error), Contains("the token has expired") && Contains("whctl get token"));
  CHECK(armed(a.lose(), "dial") >= std::chrono::seconds(30));
  CHECK(sent<dial_hub>(a.fire("dial")).at(0).cert_pem.empty());
  CHECK(frames<join_request>(a.connect()).at(0).csr_pem == asked[0].csr_pem);
  const auto cert = a.signed_for(asked[0].csr_pem);
  CHECK(sent<dial_hub>(a.receive(join_certificate{cert, "ca"})).at(0).cert_pem == cert);
}

TEST_CASE("a certificate that expires during a session ends it, and a member joins again", "[agent][renewal]") {
  agent_bench a;
  a.sync();
  a.pass(certificate_life);
  const auto out = a.fire("certificate");
  CHECK(sent<close_session>(out).size() == 1);
  CHECK(sent<dial_hub>(out).at(0).cert_pem.empty());
}

TEST_CASE("a clock that was wrong does not cost a good certificate", "[agent][renewal]") {
  agent_bench a;
  a.sync();
  const auto cert = a.self.cert_pem;
  a.lose();
  a.pass(certificate_life * 2);
  CHECK(sent<dial_hub>(a.fire("dial")).at(0).cert_pem.empty());
  a.pass(-certificate_life * 2);
  CHECK(sent<dial_hub>(a.fire("dial")).at(0).cert_pem == cert);
}

TEST_CASE("a hub that knows the certificate no more is joined again with a new token only", "[agent][renewal]") {
  agent_bench a;
  a.sync();
  const refused superseded{.code = errc::forbidden, .message = "superseded", .retry_after = {}, .final = true};
  const auto no = a.receive(superseded);
  CHECK(sent<give_up>(no).empty());
  CHECK_THAT(logged(no, note_level::error), Contains("superseded") && Contains("kept as it is") &&
                                                Contains("whctl get token") && Contains("whctl accept c1"));
  a.lose();
  CHECK_FALSE(sent<dial_hub>(a.fire("dial")).at(0).cert_pem.empty());
  CHECK(logged(a.receive(superseded), note_level::warning).empty());

  a.options.token = "new.secret";
  a.restart();
  a.connect();
  CHECK_THAT(logged(a.receive(superseded)), Contains("joining again"));
  a.lose();
  const auto again = sent<dial_hub>(a.fire("dial")).at(0);
  CHECK(again.cert_pem.empty());
  const auto asked = frames<join_request>(a.connect());
  CHECK(asked.at(0).token == "new.secret");
  // If that is refused too, the certificate has its turn: a person may have changed the hub's mind either way.
  a.receive(refused{.code = errc::unauthorized, .message = "no such token", .retry_after = {}, .final = true});
  a.lose();
  CHECK_FALSE(sent<dial_hub>(a.fire("dial")).at(0).cert_pem.empty());
  a.connect();
  a.receive(superseded);
  a.lose();
  a.fire("dial");
  CHECK(frames<join_request>(a.connect()).at(0).csr_pem == asked[0].csr_pem);
  a.receive(join_certificate{a.signed_for(asked[0].csr_pem), "ca"});
  // The token is used now.
  a.connect();
  a.receive(superseded);
  a.lose();
  CHECK_FALSE(sent<dial_hub>(a.fire("dial")).at(0).cert_pem.empty());
}
