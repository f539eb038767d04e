// Which of the hub's addresses a spoke dials next.
#include "tests/transport/link_playground.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

struct travelling_spoke {
  explicit travelling_spoke(playground& p) : at(p) {
    auto over = p.network.dialer("c1");
    host = std::make_unique<spoke_link_host>(spoke_link_options{
        .post = [this](envelope e) { return actors.post(std::move(e)); },
        .timers = p.clock.timers(),
        .dial =
            [this, over](const host_port& to, const tls_config& tls, duration timeout, accept_handler on_connected,
                         std::function<void(const error&)> on_failed) {
              dialled += to.host;
              if (dead.find(to.host) == std::string::npos)
                return over(to, tls, timeout, std::move(on_connected), std::move(on_failed));
              at.clock.timers().after(1s, [on_failed] { on_failed(fail(errc::unavailable, "nobody there")); });
            },
        .hubs = {{"a", 1}, {"b", 1}, {"c", 1}},
        .limits = {},
        .log = {}});
  }
  void dial(const std::string& cert = "c1:a") {
    host->deliver({{actor_kind::dialer, ""},
                   {actor_kind::cluster_agent, ""},
                   dial_hub{"key", cert, "ca", "", greeting_of("c1")}});
    at.clock.advance(10s);
  }

  playground& at;
  fake_actors actors;
  std::string dead;     ///< addresses where nobody is
  std::string dialled;  ///< in order
  std::unique_ptr<spoke_link_host> host;
};

}  // namespace

TEST_CASE("addresses that fail are followed by the others at once, and by one failure", "[transport][hosts]") {
  playground p;
  travelling_spoke spoke(p);
  spoke.dead = "ab";
  spoke.dial();
  CHECK(spoke.dialled == "abc");
  CHECK(spoke.actors.all<hub_connected>().size() == 1);
  CHECK(spoke.actors.all<dial_failed>().empty());
  spoke.dead = "abc";
  spoke.dial();
  CHECK(spoke.dialled == "abccab");
  CHECK(spoke.actors.all<dial_failed>().size() == 1);
}

TEST_CASE("after a session that brought nothing but a refusal the next address is dialled", "[transport][hosts]") {
  playground p;
  travelling_spoke spoke(p);
  spoke.dial("user");  // no spoke's certificate: refused
  CHECK(spoke.actors.all<session_closed>().size() == 1);
  spoke.dial();
  CHECK(spoke.dialled == "ab");
  p.network.cut("c1");
  p.clock.advance(1s);
  spoke.dial();
  CHECK(spoke.dialled == "abc");
}

TEST_CASE("a hub that has spoken is dialled again after its link broke", "[transport][hosts]") {
  playground p;
  travelling_spoke spoke(p);
  spoke.dial();
  p.answer(p.actors.all<spoke_connected>()[0].session, sync_done{revision(1)}, "c1");
  p.clock.advance(1s);
  p.network.cut("c1");
  p.clock.advance(1s);
  spoke.dial();
  CHECK(spoke.dialled == "aa");
}
