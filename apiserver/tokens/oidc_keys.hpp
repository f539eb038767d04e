#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "apiserver/tokens/jwt.hpp"

namespace wh {

/// GETs an https URL and returns the body of a 200. Blocks, but for no longer than `timeout` or so.
using oidc_fetch = std::function<result<std::string>(const std::string& url, duration timeout)>;

struct oidc_keys_options {
  std::string issuer;
  oidc_fetch fetch;
  duration fetch_timeout = std::chrono::seconds(3);
  duration retry_min = std::chrono::seconds(10);  ///< between two fetches, however many unknown keys are asked for
  duration refresh = std::chrono::hours(1);       ///< keys are fetched again by then in any case
  std::size_t waiting_max = 1024;
  std::function<void(const std::string&)> complain;  ///< told of failed fetches; may be absent
};

/// The keys of an OpenID Connect issuer, found by discovery and kept. A thread of its own fetches; a question about a
/// known key is answered at once, one about an unknown key when the next fetch ends, or at once when the last one is too
/// young to be repeated.
class oidc_keys {
 public:
  using key_ptr = std::shared_ptr<const token_key>;
  /// The candidates for a key id ("": all keys). errc::unavailable: the issuer cannot be asked.
  using completion = std::function<void(result<std::vector<key_ptr>>)>;

  explicit oidc_keys(oidc_keys_options options);
  ~oidc_keys();
  oidc_keys(const oidc_keys&) = delete;
  oidc_keys& operator=(const oidc_keys&) = delete;

  void find(const std::string& key_id, completion done);

 private:
  using clock = std::chrono::steady_clock;
  using key_map = std::multimap<std::string, key_ptr>;
  struct waiter {
    std::string key_id;
    completion done;
  };

  std::vector<key_ptr> candidates(const std::string& key_id) const;
  void run();
  result<key_map> fetch() const;
  void take(result<key_map> fetched);

  const oidc_keys_options options_;
  mutable std::mutex mutex_;
  std::condition_variable news_;
  key_map keys_;
  std::optional<error> failure_;  ///< of the last fetch
  std::optional<clock::time_point> fetched_at_;
  std::deque<waiter> waiting_;
  bool fetching_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace wh
