#pragma once
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/api.hpp"
#include "transport/jose.hpp"

namespace wh {

/// The store's resource for the keys that sign tokens. No kind has this name, and no CustomResourceDefinition can take
/// it, so the API never shows it; nodes seal it like Secrets.
inline constexpr const char* signing_keys_resource = "~signing-keys";

/// The keys of a server's tokens: the first signs, all are believed. Kept in the store, so backups hold them; made when
/// the first token is asked for. To rotate, put a new key in front. Thread-safe.
class signing_keys : public feed_listener {
 public:
  signing_keys(store& data, std::function<instant()> now);
  ~signing_keys() override;
  void on_committed(const std::vector<change>& changes) override;

  /// The key that signs; made and stored when there is none.
  result<std::shared_ptr<const token_signer>> current();
  /// A key by its id; null when it is none of ours.
  std::shared_ptr<const token_signer> find(std::string_view id) const;
  std::vector<std::shared_ptr<const token_signer>> all() const;

 private:
  void load(const shared_bytes& body);
  result<void> create();

  store& data_;
  std::function<instant()> now_;
  mutable std::shared_mutex mutex_;
  std::vector<std::shared_ptr<const token_signer>> keys_;
};

}  // namespace wh
