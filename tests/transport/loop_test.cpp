#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <thread>

#include "fixtures.hpp"
#include "transport/net_loop.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;

TEST_CASE("host and port", "[net]") {
  CHECK(parse_host_port("hub.example:6443").value() == host_port{"hub.example", 6443});
  CHECK(parse_host_port("[::1]:80").value() == host_port{"::1", 80});
  CHECK(host_port{"::1", 80}.text() == "[::1]:80");
  CHECK(host_port{"10.0.0.1", 1}.text() == "10.0.0.1:1");
  for (const char* text : {"", "hub", "hub:", ":1", "hub:65536", "hub:-1", "hub:1x", "::1:80", "[::1:80", "::1]:80",
                           "a b:1", "u@h:1", "[]:1"})
    CHECK_FALSE(parse_host_port(text).ok());
}

TEST_CASE("the loop runs what is posted and what is due", "[net]") {
  event_loop loop(2);
  awaited<int> posted;
  awaited<int> due;
  awaited<int> never;
  const auto cancelled = loop.after(1h, [&] { never.set(1); });
  loop.after(1ms, [&] { due.set(2); });
  loop.post([&] { posted.set(1); });
  CHECK(posted.get() == 1);
  CHECK(due.get() == 2);
  loop.cancel(cancelled);
  loop.cancel(cancelled);
  loop.cancel(12345);
  loop.stop();
  CHECK(never.times() == 0);
}

TEST_CASE("a cancelled timer does not run even when it is due", "[net]") {
  event_loop loop(1);
  awaited<int> ran;
  awaited<int> end;
  loop.post([&] {
    // Both are due before the loop looks at either; the first takes the second back.
    const auto second = std::make_shared<std::uint64_t>(0);
    loop.after(1ms, [&loop, second] { loop.cancel(*second); });
    *second = loop.after(2ms, [&] { ran.set(1); });
    std::this_thread::sleep_for(10ms);
    loop.after(20ms, [&] { end.set(1); });
  });
  CHECK(end.get() == 1);
  CHECK(ran.times() == 0);
}

TEST_CASE("what is posted behind lets others pass, and all of it runs in order", "[net]") {
  event_loop loop(1);
  awaited<int> end;
  std::vector<int> ran;
  int ran_before_the_other = -1;
  loop.post([&] {
    auto& core = *loop.internals().core;
    for (int i = 0; i < 1000; ++i)
      core.post_behind([&, i] {
        ran.push_back(i);
        // From another thread as it were: something that somebody waits for comes in meanwhile.
        if (i == 0) loop.post([&] { ran_before_the_other = static_cast<int>(ran.size()); });
        if (i == 999) end.set(1);
      });
  });
  CHECK(end.get() == 1);
  CHECK(ran_before_the_other > 0);
  CHECK(ran_before_the_other < 50);
  CHECK(std::is_sorted(ran.begin(), ran.end()));
  CHECK(ran.size() == 1000);
}

TEST_CASE("what is posted behind is dropped with the loop", "[net]") {
  const auto held = std::make_shared<int>(1);
  {
    event_loop loop(1);
    awaited<int> begun;
    loop.post([&] {
      for (int i = 0; i < 1000; ++i) loop.internals().core->post_behind([held] {});
      begun.set(1);
      loop.stop();
    });
    CHECK(begun.get() == 1);
    loop.stop();
    loop.internals().core->post_behind([held] {});
    CHECK(held.use_count() == 1);
  }
}

TEST_CASE("a handler that throws does not end the loop", "[net]") {
  event_loop loop(1);
  awaited<int> after;
  loop.post([] { throw std::runtime_error("oops"); });
  loop.post([&] { after.set(1); });
  CHECK(after.get() == 1);
}

TEST_CASE("stopping drops what is pending, also from a handler, and is final", "[net]") {
  auto token = std::make_shared<int>(7);
  {
    event_loop loop(2);
    awaited<int> stopped;
    loop.after(1h, [token] {});
    loop.post([&] {
      loop.stop();
      stopped.set(1);
    });
    CHECK(stopped.get() == 1);
    loop.stop();
    loop.stop();
    loop.post([token] { FAIL("ran after the stop"); });
    CHECK(loop.after(0ms, [token] {}) == 0);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("a loop that has stopped, or forgot a timer, keeps nothing of what it was to run", "[net]") {
  event_loop loop(1);
  auto held = std::make_shared<int>();
  const auto cancelled = loop.after(1h, [held] {});
  loop.after(1h, [held] {});
  CHECK(held.use_count() == 3);
  loop.cancel(cancelled);
  CHECK(held.use_count() == 2);
  loop.stop();
  CHECK(held.use_count() == 1);
}

TEST_CASE("a termination signal is told once", "[net]") {
  event_loop loop(1);
  awaited<int> got;
  loop.on_terminate([&](int signal) { got.set(signal); });
  std::raise(SIGTERM);
  CHECK(got.get() == SIGTERM);
}

TEST_CASE("a closed gate lets nobody pass and has waited for those inside", "[net]") {
  call_gate gate;
  awaited<bool> inside;
  awaited<bool> leave;
  std::atomic<bool> left = false;
  std::thread caller([&] {
    gate.pass([&] {
      inside.set(true);
      leave.get();
      left = true;
    });
  });
  inside.get();
  std::thread opener([&] { leave.set(true); });
  gate.close();
  CHECK(left);
  CHECK_FALSE(gate.pass([] {}));
  caller.join();
  opener.join();
}

TEST_CASE("a gate can be closed from within", "[net]") {
  call_gate gate;
  CHECK(gate.pass([&] { gate.close(); }));
  CHECK_FALSE(gate.pass([] {}));
}
