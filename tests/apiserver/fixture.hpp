#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/api.hpp"

namespace wh::test {

/// Keeps what a server answers.
class recorded_reply : public api_reply {
 public:
  void respond(api_response r) override {
    response = std::move(r);
    ++responses;
  }
  void start_stream(int status, std::map<std::string, std::string> headers) override {
    response.status = status;
    response.headers = std::move(headers);
    streaming = true;
  }
  void write(shared_bytes chunk) override { chunks.push_back(std::move(chunk)); }
  void finish() override { finished = true; }
  std::size_t unsent() const override { return unsent_bytes; }
  bool alive() const override { return !gone; }
  void on_done(std::function<void()> f) override { done = std::move(f); }

  /// The client closes its connection.
  void hang_up() {
    gone = true;
    if (done) done();
  }
  /// The events received since the last call.
  std::vector<document> events() {
    std::vector<document> out;
    for (; next < chunks.size(); ++next) out.push_back(*parse_json(*chunks[next]));
    return out;
  }
  /// The events since the last call as `ADDED c1`.
  std::vector<std::string> event_lines() {
    std::vector<std::string> out;
    for (const auto& e : events())
      out.push_back(std::string(string_at(e, {"type"})) + " " + std::string(name_of(e["object"])));
    return out;
  }

  api_response response;
  std::atomic<int> responses = 0;  ///< counted when the response is there to be read, from whatever thread
  bool streaming = false, finished = false, gone = false;
  std::size_t unsent_bytes = 0;
  std::vector<shared_bytes> chunks;
  std::size_t next = 0;
  std::function<void()> done;
};

/// Allows everything but what a test forbids.
class scripted_authorizer : public authorizer {
 public:
  bool allows(const access_question& q) const override { return !denies || !denies(q); }
  std::function<bool(const access_question&)> denies;
};

/// A timer that a test winds by hand.
class manual_timer {
 public:
  explicit manual_timer(instant start) : now_(start) {}
  instant now() const { return now_; }
  void after(duration d, std::function<void()> f) { due_.emplace(now_ + d, std::move(f)); }
  void advance(duration d);

 private:
  instant now_;
  std::multimap<instant, std::function<void()>> due_;
};

struct reply_body {
  int code = 0;
  std::map<std::string, std::string> headers;
  std::string text;
  document json;

  std::string message() const { return std::string(string_at(json, {"message"})); }
  std::string reason() const { return std::string(string_at(json, {"reason"})); }
};

/// Headers of a request beyond method, target and body.
struct extras {
  std::string accept = "application/json";
  std::string content_type = "application/json";
  user_info user{"admin", {"system:masters", "system:authenticated"}};
  std::string user_agent = {};
  bool owns_what_it_creates = true;
  std::string audit_id = {};
};

/// A server over a memory store.
class api_fixture {
 public:
  explicit api_fixture(kind_set set = kind_set::hub, std::function<void(api_options&)> adjust = {});

  reply_body call(const std::string& method, const std::string& target, const std::string& body = {},
                  const extras& e = {});
  reply_body get(const std::string& target, const std::string& accept = "application/json") {
    return call("GET", target, {}, {.accept = accept});
  }
  reply_body post(const std::string& target, const document& body) { return call("POST", target, body.dump()); }
  reply_body put(const std::string& target, const document& body) { return call("PUT", target, body.dump()); }
  reply_body del(const std::string& target, const document& options = document()) {
    return call("DELETE", target, options.is_null() ? "" : options.dump());
  }
  reply_body patch(const std::string& target, const document& body,
                   const std::string& type = "application/merge-patch+json") {
    return call("PATCH", target, body.dump(), {.content_type = type});
  }
  /// Server-side apply; `query` may add `&force=true` and the like.
  reply_body apply(const std::string& target, const std::string& manager, const std::string& yaml,
                   const std::string& query = {}) {
    return call("PATCH", target + "?fieldManager=" + manager + query, yaml,
                {.content_type = "application/apply-patch+yaml"});
  }
  std::shared_ptr<recorded_reply> watch(const std::string& target, const std::string& accept = "application/json");

  void make_namespace(const std::string& name);
  reply_body make_config_map(const std::string& ns, const std::string& name,
                             const document& labels = document::object());

  manual_timer timer{instant(std::chrono::seconds(1767323045))};
  std::unique_ptr<store> data = make_memory_store("test");
  kind_registry kinds;
  std::unique_ptr<write_gate> gate = make_store_gate(*data);
  scripted_authorizer access;
  std::unique_ptr<api_server> server;
};

/// A ManifestWork with one ConfigMap for each name.
document manifest_work(const std::string& name, const std::vector<std::string>& config_maps = {"cm"});

}  // namespace wh::test
