#pragma once
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.hpp"
#include "nodes/common/kubeconfig.hpp"
#include "resources/document.hpp"
#include "sim/process/http_pool.hpp"
#include "sim/process/metrics_reader.hpp"

namespace wh {

struct admin_options {
  std::size_t connections_max = 8;
  std::size_t outstanding_max = 20000;
  duration timeout = std::chrono::seconds(30);  ///< of a request, from its sending to its whole answer
};

/// A hub's administrator, many requests at a time. Functions with a callback return at once; callbacks come on the
/// client's own thread, exactly once, and must not block. Functions without one wait, and must not be called from a
/// callback. A hub that is away makes requests fail (errc::unavailable, errc::timeout); the client serves again when it
/// is back. Any thread.
class admin_client {
 public:
  template <class T>
  using done = std::function<void(result<T>)>;

  explicit admin_client(api_access access, const admin_options& options = {});

  /// The answer's body as it came, of a 2xx answer; others become errors with the code and message of their Status.
  void send(const std::string& method, const std::string& path, const std::string& content_type, std::string body,
            done<shared_bytes> then);
  void get(const std::string& path, done<document> then);
  void create(const std::string& collection, const document& object, done<document> then);
  void merge_patch(const std::string& path, const document& patch, done<document> then);
  void remove(const std::string& path, done<document> then);
  /// A collection page by page; in the end the resourceVersion to watch from. `query` without leading `?`.
  void list(const std::string& path, const std::string& query, std::function<void(std::vector<document>)> on_page,
            done<std::string> then);

  result<document> get(const std::string& path);
  result<document> create(const std::string& collection, const document& object);
  result<document> replace(const std::string& path, const document& object);
  result<document> merge_patch(const std::string& path, const document& patch);
  result<document> remove(const std::string& path);
  result<std::vector<document>> list(const std::string& path, const std::string& query = {});
  /// Something that is no JSON: /readyz.
  result<std::string> text(const std::string& path);
  result<metrics> scrape();

  /// Makes a function with a callback wait. The wait has an end of its own, for safety's sake.
  template <class T>
  result<T> wait(const std::function<void(done<T>)>& start) const;

  const api_access& access() const { return access_; }
  const admin_options& options() const { return options_; }
  http_pool& pool() { return pool_; }

 private:
  void call(const std::string& method, const std::string& path, const std::string& content_type, std::string body,
            done<document> then);
  api_access access_;
  admin_options options_;
  http_pool pool_;
};

/// An answer as the pool gives it, as a body or an error.
result<shared_bytes> body_of_answer(const result<http_response>& answer);

template <class T>
result<T> admin_client::wait(const std::function<void(done<T>)>& start) const {
  WH_ASSERT(!pool_.on_own_thread());
  // Shared: the answer may come after we have given up.
  const auto promise = std::make_shared<std::promise<result<T>>>();
  auto answer = promise->get_future();
  start([promise](result<T> r) { promise->set_value(std::move(r)); });
  // A list takes several requests, each within the time limit.
  if (answer.wait_for(options_.timeout * 10) == std::future_status::ready) return answer.get();
  return fail(errc::timeout,
              "no answer of " + access_.server.text() + " within " + human_duration(options_.timeout * 10));
}

}  // namespace wh
