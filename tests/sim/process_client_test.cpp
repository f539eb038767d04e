// An administrator at a hub that answers slowly, breaks off, and forgets.
#include <atomic>
#include <catch2/catch.hpp>
#include <future>

#include "tests/sim/process_fixture.hpp"
#include "tests/transport/fixtures.hpp"

using namespace wh;
using namespace wh::testing;

namespace {

using reply_ptr = std::shared_ptr<http_exchange>;

/// A server that says what the test wants. It holds all exchanges: one that is let go of answers by itself.
struct scripted_server {
  explicit scripted_server(std::function<void(const http_request&, const reply_ptr&)> script) {
    auto handler = [this, script = std::move(script)](const http_request& request, reply_ptr reply) {
      script(request, reply);
      const std::lock_guard lock(mutex);
      held.push_back(std::move(reply));
    };
    auto listening = listen_https(loop, {"127.0.0.1", 0}, ca.server_config(false), {}, std::move(handler),
                                  [](int, const std::string& why) { return why; });
    REQUIRE(listening);
    server = std::move(*listening);
  }
  api_access access() const {
    api_access a;
    a.server = server->local();
    a.tls = ca.client_config();
    return a;
  }

  wh::test::authority ca;
  std::mutex mutex;
  std::vector<reply_ptr> held;
  event_loop loop{2};
  std::unique_ptr<http_server> server;
};

void answer(const reply_ptr& reply, int status, const document& body) {
  reply->send({.status = status, .headers = {}, .body = share(body.dump())});
}

document config_map(const std::string& name, const std::string& version) {
  return {{"metadata", {{"name", name}, {"namespace", "n"}, {"resourceVersion", version}}}};
}

document listing(const std::vector<document>& items, const std::string& version) {
  return {{"metadata", {{"resourceVersion", version}}}, {"items", items}};
}

std::string event_line(const char* type, const document& object) {
  return document{{"type", type}, {"object", object}}.dump() + "\n";
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("a request that is not answered in time fails, and so does one that waits behind it", "[process]") {
  scripted_server server([](const http_request&, const reply_ptr&) {});
  admin_client admin(server.access(), {.connections_max = 1, .timeout = std::chrono::milliseconds(200)});
  std::promise<error> first, second;
  admin.get("/a", [&](result<document> r) { first.set_value(r.err()); });
  admin.get("/b", [&](result<document> r) { second.set_value(r.err()); });
  CHECK(first.get_future().get().code == errc::timeout);
  CHECK(second.get_future().get().code == errc::timeout);
}

TEST_CASE("requests beyond the bound are refused at once", "[process]") {
  scripted_server server([](const http_request&, const reply_ptr&) {});
  std::atomic<int> busy = 0, ended = 0;
  {
    admin_client admin(server.access(), {.outstanding_max = 3, .timeout = patience});
    for (int i = 0; i < 5; ++i)
      admin.get("/a", [&](const result<document>& r) { ++(r.err().code == errc::busy ? busy : ended); });
    eventually([&] { return busy == 2; });
    CHECK(ended == 0);
  }
  // The others are answered when the client goes.
  CHECK(ended == 3);
}

TEST_CASE("a connection that breaks fails its request and is replaced", "[process]") {
  std::atomic<int> asked = 0;
  scripted_server server([&](const http_request&, const reply_ptr& reply) {
    if (++asked == 1) reply->abort();
    else answer(reply, 200, {{"n", asked.load()}});
  });
  admin_client admin(server.access());
  const auto broken = admin.get("/a");
  REQUIRE_FALSE(broken);
  CHECK(broken.err().code == errc::unavailable);
  CHECK(admin.get("/a").value() == document{{"n", 2}});
}

TEST_CASE("a status that is no success is an error with its message", "[process]") {
  scripted_server server([](const http_request&, const reply_ptr& reply) {
    answer(reply, 409, {{"reason", "AlreadyExists"}, {"message", "it is there"}});
  });
  admin_client admin(server.access());
  CHECK(admin.get("/a").err() == fail(errc::already_exists, "it is there"));
}

TEST_CASE("nobody listening is an error, not a wait", "[process]") {
  api_access access;
  {
    scripted_server server([](const http_request&, const reply_ptr&) {});
    access = server.access();
  }
  admin_client admin(access, {.timeout = patience});
  const auto refused = admin.get("/a");
  REQUIRE_FALSE(refused);
  CHECK(refused.err().code == errc::unavailable);
}

TEST_CASE("a watch that is cut goes on where it was", "[process]") {
  std::mutex mutex;
  strings watches;
  scripted_server server([&](const http_request& request, const reply_ptr& reply) {
    if (request.target.find("watch=1") == std::string::npos)
      return answer(reply, 200, listing({config_map("a", "1"), config_map("b", "2")}, "5"));
    const std::lock_guard lock(mutex);
    const auto at = request.target.find("resourceVersion=") + 16;
    watches.push_back(request.target.substr(at, request.target.find('&', at) - at));
    reply->start(200, {});
    if (watches.size() == 1) {
      const auto line = event_line("MODIFIED", config_map("a", "6"));
      // Lines come in pieces.
      reply->write_chunk(share(line.substr(0, 20)));
      reply->write_chunk(share(line.substr(20) + event_line("BOOKMARK", config_map("", "7"))));
      reply->end();
    } else {
      reply->write_chunk(share(event_line("DELETED", config_map("b", "8"))));
      reply->write_chunk(share(event_line("ADDED", config_map("c", "9"))));
    }
  });
  admin_client admin(server.access());
  notebook book;
  resource_watch watch(admin, book.options("/things"));
  REQUIRE(watch.wait_synced(patience));
  eventually([&] { return watch.figures().events == 5; });
  CHECK(book.all() == strings{"+a@1", "+b@2", "~a@6", "-b", "+c@9"});
  CHECK(watch.figures().resumed == 1);
  CHECK(watch.figures().lists == 1);
  const std::lock_guard lock(mutex);
  CHECK(watches == strings{"5", "7"});
}

TEST_CASE("a hub that has forgotten is listed anew, and what went unseen is reported", "[process]") {
  std::atomic<int> lists = 0, watches = 0;
  const bool as_event = GENERATE(true, false);
  scripted_server server([&](const http_request& request, const reply_ptr& reply) {
    if (request.target.find("watch=1") == std::string::npos) {
      if (++lists == 1) return answer(reply, 200, listing({config_map("a", "1"), config_map("b", "2")}, "5"));
      return answer(reply, 200, listing({config_map("b", "2"), config_map("c", "9")}, "10"));
    }
    if (++watches > 1) return reply->start(200, {});
    const document gone = {{"code", 410}, {"message", "too old"}};
    if (!as_event) return answer(reply, 410, gone);
    reply->start(200, {});
    reply->write_chunk(share(event_line("ERROR", gone)));
    reply->end();
  });
  admin_client admin(server.access());
  notebook book;
  resource_watch watch(admin, book.options("/things"));
  eventually([&] { return watch.figures().lists == 2; });
  CHECK(book.all() == strings{"+a@1", "+b@2", "+c@9", "-a"});
  CHECK(watch.figures().last_problem == "too old");
}

TEST_CASE("a list comes page by page", "[process]") {
  scripted_server server([](const http_request& request, const reply_ptr& reply) {
    const bool second = request.target.find("&continue=more%3D") != std::string::npos;
    auto page = listing({config_map(second ? "b" : "a", "1")}, "5");
    if (!second) page["metadata"]["continue"] = "more=";
    answer(reply, 200, page);
  });
  admin_client admin(server.access());
  const auto all = admin.list("/things");
  REQUIRE(all);
  REQUIRE(all->size() == 2);
  CHECK(name_of(all->back()) == "b");
}

TEST_CASE("an abandoned pool fails what waits, what streams and what comes later, at once", "[sim][process]") {
  scripted_server silent([](const http_request&, const reply_ptr&) {});
  http_pool pool({.server = silent.access().server, .tls = silent.access().tls, .connections_max = 2});
  std::promise<void> all_failed;
  std::atomic<int> failed = 0;
  const auto count = [&](const result<http_response>& r) {
    if (!r && r.err().code == errc::unavailable && ++failed == 11) all_failed.set_value();
  };
  // Two are under way, eight wait.
  for (int i = 0; i < 10; ++i) pool.send({.target = "/slow", .timeout = wh::testing::patience}, count);
  pool.open_stream({.target = "/watch", .timeout = wh::testing::patience},
                   {.on_data = [](std::string_view) {}, .on_end = count});
  const auto all_came = [&] {
    const std::lock_guard lock(silent.mutex);
    return silent.held.size() == 3;
  };
  eventually(all_came);
  pool.abandon();
  CHECK(all_failed.get_future().wait_for(wh::testing::patience / 2) == std::future_status::ready);
  std::promise<bool> later;
  pool.send({.target = "/slow", .timeout = wh::testing::patience},
            [&](const result<http_response>& r) { later.set_value(r.ok()); });
  auto answer = later.get_future();
  REQUIRE(answer.wait_for(wh::testing::patience / 2) == std::future_status::ready);
  CHECK_FALSE(answer.get());
}
