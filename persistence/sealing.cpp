#include "persistence/sealing.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "base/encoding.hpp"

namespace wh {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t id_bytes = sizeof(key_ring::key_id);
static_assert(key_ring::overhead_bytes == id_bytes + nonce_bytes + tag_bytes);

const unsigned char* bytes_of(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }
unsigned char* bytes_of(char* p) { return reinterpret_cast<unsigned char*>(p); }

struct context_deleter {
  void operator()(EVP_CIPHER_CTX* c) const { EVP_CIPHER_CTX_free(c); }
};

/// One for each thread: making one costs more than sealing a small body.
EVP_CIPHER_CTX* cipher_context() {
  thread_local const std::unique_ptr<EVP_CIPHER_CTX, context_deleter> mine(EVP_CIPHER_CTX_new());
  return mine.get();
}

/// Fetched once: looking an algorithm up by name costs more than sealing a small body.
const EVP_CIPHER* cipher() {
  static const EVP_CIPHER* const gcm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  return gcm;
}

key_ring::key_id id_of(std::string_view key) {
  unsigned char digest[32];
  WH_ASSERT(EVP_Digest(key.data(), key.size(), digest, nullptr, EVP_sha256(), nullptr) == 1);
  key_ring::key_id id;
  std::memcpy(id.data(), digest, id.size());
  return id;
}

std::string hex_of(const key_ring::key_id& id) { return to_hex({id.data(), id.size()}); }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

result<std::shared_ptr<const key_ring>> key_ring::parse(std::string_view text, const std::string& origin) {
  std::shared_ptr<key_ring> ring(new key_ring());
  bool first = true;
  int number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    // The line itself is a secret: errors say where it is, not what it says.
    if (line == "plain") {
      first = false;
      continue;
    }
    auto bytes = line.starts_with("key:") ? from_base64(trimmed(line.substr(4)))
                                          : result<std::string>(fail(errc::invalid, "neither `key: …` nor `plain`"));
    if (bytes && bytes->size() != key_bytes)
      bytes = fail(errc::invalid, fmt::format("a key has {} bytes, this one {}", key_bytes, bytes->size()));
    if (!bytes) return fail(errc::invalid, fmt::format("{}:{}: {}", origin, number, bytes.err().message));
    if (first) ring->seals_ = true;
    first = false;
    ring->keys_.push_back({id_of(*bytes), *std::move(bytes)});
  }
  if (first) return fail(errc::invalid, origin + " has no entry: expected `key: BASE64` or `plain`");
  return std::shared_ptr<const key_ring>(std::move(ring));
}

key_ring::~key_ring() {
  for (key& k : keys_) OPENSSL_cleanse(k.bytes.data(), k.bytes.size());
}

std::string key_ring::primary() const { return seals_ ? hex_of(keys_.front().id) : "plain"; }

bool key_ring::is_current(std::string_view sealed) const {
  return seals_ && sealed.size() >= overhead_bytes &&
         std::memcmp(sealed.data(), keys_.front().id.data(), id_bytes) == 0;
}

bool key_ring::has(std::string_view hex_id) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const key& k) { return hex_of(k.id) == hex_id; });
}

result<std::string> key_ring::seal(std::string_view body, std::string_view context) const {
  WH_ASSERT(seals_);
  const key& k = keys_.front();
  std::string out(overhead_bytes + body.size(), '\0');
  char* const nonce = out.data() + id_bytes;
  char* const text = nonce + nonce_bytes;
  std::memcpy(out.data(), k.id.data(), id_bytes);
  // Random nonces: safe for some billions of bodies under one key (NIST SP 800-38D, section 8.3).
  int n = 0;
  EVP_CIPHER_CTX* c = cipher_context();
  const bool good = RAND_bytes(bytes_of(nonce), nonce_bytes) == 1 &&
                    EVP_EncryptInit_ex(c, cipher(), nullptr, bytes_of(k.bytes), bytes_of(nonce)) == 1 &&
                    EVP_EncryptUpdate(c, nullptr, &n, bytes_of(context), static_cast<int>(context.size())) == 1 &&
                    EVP_EncryptUpdate(c, bytes_of(text), &n, bytes_of(body), static_cast<int>(body.size())) == 1 &&
                    EVP_EncryptFinal_ex(c, bytes_of(text) + n, &n) == 1 &&
                    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, tag_bytes, text + body.size()) == 1;
  if (!good) return fail(errc::internal, "a secret could not be sealed");
  return out;
}

result<std::string> key_ring::open(std::string_view sealed, std::string_view context) const {
  if (sealed.size() < overhead_bytes) return fail(errc::corrupt, "a sealed body is too short");
  const auto k = std::find_if(keys_.begin(), keys_.end(), [&](const key& candidate) {
    return std::memcmp(candidate.id.data(), sealed.data(), id_bytes) == 0;
  });
  if (k == keys_.end())
    return fail(errc::unavailable,
                fmt::format("it is sealed with key {}, which the key file lacks", wh::sealed_with(sealed)));
  const std::string_view nonce = sealed.substr(id_bytes, nonce_bytes);
  const std::string_view text = sealed.substr(id_bytes + nonce_bytes, sealed.size() - overhead_bytes);
  std::string tag(sealed.substr(sealed.size() - tag_bytes));
  std::string out(text.size(), '\0');
  int n = 0;
  EVP_CIPHER_CTX* c = cipher_context();
  const bool good =
      EVP_DecryptInit_ex(c, cipher(), nullptr, bytes_of(k->bytes), bytes_of(nonce)) == 1 &&
      EVP_DecryptUpdate(c, nullptr, &n, bytes_of(context), static_cast<int>(context.size())) == 1 &&
      EVP_DecryptUpdate(c, bytes_of(out.data()), &n, bytes_of(text), static_cast<int>(text.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(c, bytes_of(out.data()) + n, &n) == 1;
  if (!good) return fail(errc::corrupt, "a sealed body is damaged, or was moved here from another object");
  return out;
}

std::string sealed_with(std::string_view sealed) {
  if (sealed.size() < key_ring::overhead_bytes) return {};
  return to_hex(sealed.substr(0, id_bytes));
}

std::string new_key_line() {
  std::string bytes(key_bytes, '\0');
  WH_ASSERT(RAND_bytes(bytes_of(bytes.data()), key_bytes) == 1);
  return "key: " + to_base64(bytes) + "\n";
}

}  // namespace wh
