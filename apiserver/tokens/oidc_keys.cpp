#include "apiserver/tokens/oidc_keys.hpp"

namespace wh {

namespace {

constexpr std::size_t keys_max = 100;

result<document> parse_answer(const std::string& text, const std::string& url) {
  auto doc = parse_json(text, {.depth_max = 16, .bytes_max = 1024 * 1024, .yaml_nodes_max = 0});
  if (!doc || !doc->is_object()) return fail(errc::malformed, url + ": the answer is no JSON object");
  return doc;
}

}  // namespace

oidc_keys::oidc_keys(oidc_keys_options options) : options_(std::move(options)) {
  thread_ = std::thread([this] { run(); });
}

oidc_keys::~oidc_keys() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  news_.notify_all();
  thread_.join();
  for (auto& w : waiting_) w.done(fail(errc::unavailable, "the server is shutting down"));
}

std::vector<oidc_keys::key_ptr> oidc_keys::candidates(const std::string& key_id) const {
  std::vector<key_ptr> out;
  for (const auto& [id, key] : keys_)
    if (key_id.empty() || id == key_id) out.push_back(key);
  return out;
}

void oidc_keys::find(const std::string& key_id, completion done) {
  std::unique_lock lock(mutex_);
  auto found = candidates(key_id);
  if (!found.empty()) {
    lock.unlock();
    return done(std::move(found));
  }
  const bool fresh = fetched_at_ && clock::now() - *fetched_at_ < options_.retry_min && !fetching_;
  if (!fresh && waiting_.size() < options_.waiting_max) {
    waiting_.push_back({key_id, std::move(done)});
    lock.unlock();
    return news_.notify_all();
  }
  auto answer = failure_ ? result<std::vector<key_ptr>>(*failure_)
                         : fail(errc::unauthorized, "the issuer has no key that the token names");
  lock.unlock();
  done(std::move(answer));
}

void oidc_keys::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    fetching_ = true;
    lock.unlock();
    auto fetched = fetch();
    lock.lock();
    fetching_ = false;
    fetched_at_ = clock::now();
    auto due = std::move(waiting_);
    waiting_.clear();
    if (!fetched && options_.complain) options_.complain(fetched.err().message);
    take(std::move(fetched));
    std::vector<std::pair<waiter, result<std::vector<key_ptr>>>> answers;
    for (auto& w : due) {
      auto found = candidates(w.key_id);
      if (!found.empty()) answers.emplace_back(std::move(w), std::move(found));
      else if (failure_) answers.emplace_back(std::move(w), *failure_);
      else answers.emplace_back(std::move(w), fail(errc::unauthorized, "the issuer has no key that the token names"));
    }
    lock.unlock();
    for (auto& [w, answer] : answers) w.done(std::move(answer));
    lock.lock();
    news_.wait_for(lock, options_.refresh, [&] { return stopping_ || !waiting_.empty(); });
  }
}

/// With the lock held. Old keys stay good while the issuer cannot be reached.
void oidc_keys::take(result<key_map> fetched) {
  if (fetched) {
    keys_ = std::move(*fetched);
    failure_.reset();
  } else {
    failure_ = fail(errc::unavailable, "the token's issuer cannot be asked for its keys now");
  }
}

result<oidc_keys::key_map> oidc_keys::fetch() const {
  const auto base = options_.issuer.ends_with('/') ? options_.issuer : options_.issuer + "/";
  const auto about = base + ".well-known/openid-configuration";
  auto text = options_.fetch(about, options_.fetch_timeout);
  if (!text) return text.err();
  auto discovery = parse_answer(*text, about);
  if (!discovery) return discovery.err();
  if (string_at(*discovery, {"issuer"}) != options_.issuer)
    return fail(errc::invalid, about + ": it speaks for another issuer than " + options_.issuer);
  const std::string where(string_at(*discovery, {"jwks_uri"}));
  if (!where.starts_with("https://")) return fail(errc::invalid, about + ": jwks_uri is no https URL");
  auto set_text = options_.fetch(where, options_.fetch_timeout);
  if (!set_text) return set_text.err();
  auto set = parse_answer(*set_text, where);
  if (!set) return set.err();
  key_map out;
  if (const auto* list = find_path(*set, {"keys"}); list && list->is_array())
    for (const auto& jwk : *list) {
      if (out.size() >= keys_max) break;
      // Keys of other kinds stand beside ours; they are no mistake.
      if (auto key = read_jwk(jwk)) out.emplace(std::string(string_at(jwk, {"kid"})), std::move(*key));
    }
  if (out.empty()) return fail(errc::invalid, where + ": it holds no key for RS256 or ES256");
  return out;
}

}  // namespace wh
