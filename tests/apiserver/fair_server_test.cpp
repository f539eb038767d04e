#include "apiserver/fair_server.hpp"

#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;

namespace {

/// Holds every request until it is let go; notes in which order they came.
class held_server final : public api_server {
 public:
  void handle(api_request request, std::shared_ptr<api_reply> reply) override {
    std::unique_lock lock(mutex_);
    order_.push_back(request.user.name + request.target);
    replies_.push_back(std::move(reply));
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void drain() override {}
  std::vector<request_count> counts() const override { return {}; }

  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// What has come, once `n` have; fewer if that takes too long.
  std::vector<std::string> order(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 20s, [&] { return order_.size() >= n; });
    return order_;
  }
  void answer(std::size_t i, bool stream = false) {
    std::shared_ptr<api_reply> reply;
    {
      const std::lock_guard lock(mutex_);
      reply = replies_.at(i);
    }
    if (stream) reply->start_stream(200, {});
    else reply->respond({});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> order_;
  std::vector<std::shared_ptr<api_reply>> replies_;
  bool open_ = false;
};

std::shared_ptr<recorded_reply> ask(api_server& s, const std::string& user, const std::string& target) {
  auto reply = std::make_shared<recorded_reply>();
  api_request r;
  r.method = "GET";
  r.target = target;
  r.user.name = user;
  s.handle(std::move(r), reply);
  return reply;
}

fair_limits one_thread() {
  fair_limits l;
  l.threads = 1;
  return l;
}

instant fixed_now() { return {}; }

}  // namespace

TEST_CASE("users take turns, however many requests one of them has", "[apiserver][fair]") {
  held_server behind;
  const auto front = make_fair_server(behind, one_thread(), fixed_now);
  ask(*front, "flood", "/0");
  REQUIRE(behind.order(1).size() == 1);
  for (int i = 1; i <= 100; ++i) ask(*front, "flood", "/" + std::to_string(i));
  ask(*front, "b", "/1");
  ask(*front, "b", "/2");
  ask(*front, "c", "/1");
  CHECK(front->figures().waiting == 103);
  behind.open();
  const auto order = behind.order(104);
  REQUIRE(order.size() == 104);
  // The first of the flood stood in line before b came.
  CHECK(std::vector<std::string>(order.begin() + 1, order.begin() + 7) ==
        std::vector<std::string>{"flood/1", "b/1", "c/1", "flood/2", "b/2", "flood/3"});
}

TEST_CASE("what a user has over the limit is refused, and others are not", "[apiserver][fair]") {
  held_server behind;
  auto limits = one_thread();
  limits.user_waiting_max = 3;
  const auto front = make_fair_server(behind, limits, fixed_now);
  ask(*front, "flood", "/0");
  REQUIRE(behind.order(1).size() == 1);
  std::vector<std::shared_ptr<recorded_reply>> replies;
  for (int i = 1; i <= 5; ++i) replies.push_back(ask(*front, "flood", "/" + std::to_string(i)));
  CHECK(replies[2]->responses == 0);
  for (const int refused : {3, 4}) {
    const auto& r = replies[static_cast<std::size_t>(refused)]->response;
    CHECK(r.status == 429);
    CHECK(r.headers.at("Retry-After") == "1");
    CHECK((*parse_json(*r.body))["reason"] == "TooManyRequests");
  }
  CHECK(ask(*front, "b", "/1")->responses == 0);
  CHECK(front->figures().refused[static_cast<std::size_t>(fair_refusal::queue_full)] == 2);
  behind.open();
  CHECK(behind.order(5).size() == 5);
}

TEST_CASE("no more run than may; a watch is done with when it streams", "[apiserver][fair]") {
  held_server behind;
  behind.open();
  auto limits = one_thread();
  limits.running_max = 3;
  limits.user_running_max = 2;
  const auto front = make_fair_server(behind, limits, fixed_now);
  for (int i = 0; i < 4; ++i) ask(*front, "a", "/" + std::to_string(i));
  ask(*front, "b", "/0");
  ask(*front, "b", "/1");
  REQUIRE(behind.order(3).size() == 3);
  CHECK(front->figures().running == 3);
  behind.answer(0, true);
  REQUIRE(behind.order(4).size() == 4);
  behind.answer(1);
  behind.answer(2);
  CHECK(behind.order(6).size() == 6);
}

TEST_CASE("a request whose client has gone, or that waited too long, is not begun", "[apiserver][fair]") {
  held_server behind;
  std::atomic<std::int64_t> seconds = 0;
  const auto front = make_fair_server(behind, one_thread(), [&] { return instant(std::chrono::seconds(seconds)); });
  ask(*front, "a", "/0");
  REQUIRE(behind.order(1).size() == 1);
  ask(*front, "a", "/gone")->hang_up();
  const auto late = ask(*front, "b", "/late");
  seconds = 16;
  ask(*front, "a", "/1");
  behind.open();
  CHECK(behind.order(2) == std::vector<std::string>{"a/0", "a/1"});
  CHECK(late->response.status == 429);
}

TEST_CASE("health checks wait for nobody", "[apiserver][fair]") {
  held_server behind;
  const auto front = make_fair_server(behind, one_thread(), fixed_now);
  ask(*front, "a", "/0");
  REQUIRE(behind.order(1).size() == 1);
  std::jthread probe([&] { ask(*front, "", "/livez?verbose"); });
  CHECK(behind.order(2).size() == 2);
  behind.open();
}

TEST_CASE("what waits when the server ends is told so", "[apiserver][fair]") {
  held_server behind;
  std::shared_ptr<recorded_reply> waiting;
  std::jthread opener;
  {
    const auto front = make_fair_server(behind, one_thread(), fixed_now);
    ask(*front, "a", "/0");
    REQUIRE(behind.order(1).size() == 1);
    waiting = ask(*front, "b", "/1");
    opener = std::jthread([&] {
      std::this_thread::sleep_for(20ms);
      behind.open();
    });
  }
  // Begun, if the first ended before the server did; else told. Never forgotten.
  const bool begun = behind.order(1).size() == 2;
  CHECK(begun != (waiting->responses == 1 && waiting->response.status == 503));
}

TEST_CASE("who does not read his answers gets no more of them than his share", "[apiserver][fair]") {
  struct large_server final : api_server {
    void handle(api_request, std::shared_ptr<api_reply> reply) override {
      reply->respond({200, {}, share(std::string(100'000, 'x'))});
    }
    void drain() override {}
    std::vector<request_count> counts() const override { return {}; }
  } behind;
  auto limits = one_thread();
  limits.user_unread_bytes_max = 150'000;
  const auto front = make_fair_server(behind, limits, fixed_now);
  const auto answered = [&](const std::string& user) {
    auto reply = ask(*front, user, "/big");
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (reply->responses == 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return reply;
  };
  const auto first = answered("greedy"), second = answered("greedy");
  CHECK(second->response.status == 200);
  const auto third = answered("greedy");
  CHECK(third->response.status == 429);
  CHECK(third->response.headers.at("Retry-After") == "1");
  CHECK(answered("modest")->response.status == 200);
  const auto figures = front->figures();
  CHECK(figures.unread_bytes == 300'000);
  CHECK(figures.users == 2);
  CHECK(figures.refused[static_cast<std::size_t>(fair_refusal::unread_answers)] == 1);
  first->hang_up();
  CHECK(answered("greedy")->response.status == 200);
}
