#include "apiserver/tokens/signing_keys.hpp"

#include <future>

#include "apiserver/tokens/jwt.hpp"
#include "base/encoding.hpp"
#include "transport/pki.hpp"

namespace wh {

namespace {

constexpr auto store_timeout = std::chrono::seconds(10);

object_key record_key() { return {signing_keys_resource, "", "service-accounts"}; }

}  // namespace

signing_keys::signing_keys(store& data, std::function<instant()> now) : data_(data), now_(std::move(now)) {
  data_.subscribe(this);
  auto stored = data_.get(record_key());
  if (stored && *stored) load((*stored)->body);
}

signing_keys::~signing_keys() { data_.unsubscribe(this); }

void signing_keys::on_committed(const std::vector<change>& changes) {
  for (const auto& c : changes)
    if (c.key.resource == signing_keys_resource) load(c.body);
}

void signing_keys::load(const shared_bytes& body) {
  std::vector<std::shared_ptr<const token_signer>> keys;
  auto doc = body ? decode_body(*body) : result<document>(document::object());
  if (doc)
    if (const auto* list = find_path(*doc, {"keys"}); list && list->is_array())
      for (const auto& k : *list)
        if (auto signer = open_token_signer(std::string(string_at(k, {"key"})))) keys.push_back(std::move(*signer));
  std::unique_lock lock(mutex_);
  keys_ = std::move(keys);
}

result<void> signing_keys::create() {
  auto pem = generate_key();
  if (!pem) return pem.err();
  const auto now = to_rfc3339(now_());
  // Metadata as every object's: a check of the store looks at it.
  const document doc = {
      {"metadata", {{"name", record_key().name}, {"uid", to_hex(random_bytes(16))}, {"creationTimestamp", now}}},
      {"keys", document::array({document{{"key", *pem}, {"created", now}}})}};
  batch b;
  b.preconditions.push_back(absent{record_key()});
  b.puts.push_back({record_key(), encode_body(doc), {}});
  auto done = std::make_shared<std::promise<result<commit>>>();
  auto outcome = done->get_future();
  data_.submit(std::move(b), [done](result<commit> c) { done->set_value(std::move(c)); });
  if (outcome.wait_for(store_timeout) != std::future_status::ready)
    return fail(errc::unavailable, "the store takes too long to keep a new signing key");
  auto committed = outcome.get();
  if (committed) return {};
  // Somebody else was first: his key is ours, too.
  auto code = committed.err().code;
  if (code == errc::already_exists || code == errc::conflict) return {};
  return committed.err();
}

result<std::shared_ptr<const token_signer>> signing_keys::current() {
  {
    std::shared_lock lock(mutex_);
    if (!keys_.empty()) return keys_.front();
  }
  if (auto ok = create(); !ok) return ok.err();
  auto stored = data_.get(record_key());
  if (!stored) return stored.err();
  if (*stored) load((*stored)->body);
  std::shared_lock lock(mutex_);
  if (keys_.empty()) return fail(errc::corrupt, "the stored signing keys cannot be read");
  return keys_.front();
}

std::shared_ptr<const token_signer> signing_keys::find(std::string_view id) const {
  std::shared_lock lock(mutex_);
  for (const auto& k : keys_)
    if (key_id_of(*k) == id) return k;
  return nullptr;
}

std::vector<std::shared_ptr<const token_signer>> signing_keys::all() const {
  std::shared_lock lock(mutex_);
  return keys_;
}

}  // namespace wh
