#include <catch2/catch.hpp>

#include <atomic>
#include <mutex>
#include <thread>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;

namespace {

/// Takes answers from any thread.
class shared_reply : public api_reply {
 public:
  void respond(api_response) override {}
  void start_stream(int, std::map<std::string, std::string>) override {}
  void write(shared_bytes chunk) override {
    std::lock_guard lock(mutex_);
    chunks_.push_back(std::move(chunk));
  }
  void finish() override {}
  std::size_t unsent() const override { return 0; }
  bool alive() const override { return true; }
  void on_done(std::function<void()>) override {}
  std::vector<shared_bytes> chunks() {
    std::lock_guard lock(mutex_);
    return chunks_;
  }

 private:
  std::mutex mutex_;
  std::vector<shared_bytes> chunks_;
};

}  // namespace

TEST_CASE("watches that start amid writes see each object once", "[apiserver][watch]") {
  constexpr int objects = 300;
  constexpr int watchers = 25;
  // A ring this small sends some of the watches through the store's log.
  api_fixture f(kind_set::hub, [](api_options& o) { o.watch_ring_events = 16; });
  f.make_namespace("n");
  std::thread writer([&] {
    for (int i = 0; i < objects; ++i) {
      api_request r;
      r.method = "POST";
      r.target = "/api/v1/namespaces/n/configmaps";
      r.body = document({{"metadata", {{"name", "c" + std::to_string(1000 + i)}}}}).dump();
      r.user = extras{}.user;
      f.server->handle(std::move(r), std::make_shared<shared_reply>());
    }
  });
  std::vector<std::shared_ptr<shared_reply>> replies;
  for (int i = 0; i < watchers; ++i) {
    auto reply = replies.emplace_back(std::make_shared<shared_reply>());
    api_request r;
    r.method = "GET";
    // Every other watch starts with a list of its own, the rest from the beginning of the log.
    r.target = std::string("/api/v1/configmaps?watch=1") + (i % 2 ? "&resourceVersion=1" : "");
    r.user = extras{}.user;
    f.server->handle(std::move(r), reply);
    std::this_thread::yield();
  }
  writer.join();
  for (const auto& reply : replies) {
    auto chunks = reply->chunks();
    REQUIRE(chunks.size() == objects);
    for (int i = 0; i < objects; ++i) {
      auto event = parse_json(*chunks[static_cast<std::size_t>(i)]);
      REQUIRE(event);
      REQUIRE((*event)["type"] == "ADDED");
      REQUIRE(name_of((*event)["object"]) == "c" + std::to_string(1000 + i));
    }
  }
}
