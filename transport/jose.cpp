#include "transport/jose.hpp"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>

#include "transport/openssl.hpp"

namespace wh {

using namespace ossl;

namespace {

using signature_ptr = owned<ECDSA_SIG, ECDSA_SIG_free>;
using builder_ptr = owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using params_ptr = owned<OSSL_PARAM, OSSL_PARAM_free>;
using digest_ptr = owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using key_ctx_ptr = owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr std::size_t coordinate_bytes = 32;

const unsigned char* octets(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

bool verify_digest(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  ERR_clear_error();
  const digest_ptr ctx(EVP_MD_CTX_new());
  const bool good = ctx && EVP_DigestVerifyInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
                    EVP_DigestVerify(ctx.get(), octets(signature), signature.size(), octets(text), text.size()) == 1;
  ERR_clear_error();
  return good;
}

/// r and s side by side, as tokens carry them, in the DER that OpenSSL wants.
std::string to_der(std::string_view raw) {
  const signature_ptr sig(ECDSA_SIG_new());
  bignum_ptr r(BN_bin2bn(octets(raw), coordinate_bytes, nullptr));
  bignum_ptr s(BN_bin2bn(octets(raw.substr(coordinate_bytes)), coordinate_bytes, nullptr));
  if (!sig || !r || !s || ECDSA_SIG_set0(sig.get(), r.get(), s.get()) != 1) return {};
  (void)r.release();
  (void)s.release();
  unsigned char* der = nullptr;
  const int n = i2d_ECDSA_SIG(sig.get(), &der);
  if (n <= 0) return {};
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(n));
  OPENSSL_free(der);
  return out;
}

result<std::string> from_der(const std::string& der) {
  const unsigned char* at = octets(std::string_view(der));
  const signature_ptr sig(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string raw(2 * coordinate_bytes, '\0');
  if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig.get()), octets(raw), coordinate_bytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(sig.get()), octets(raw) + coordinate_bytes, coordinate_bytes) < 0)
    return failure(errc::internal, "cannot encode a token's signature");
  return raw;
}

class ec_key final : public token_key {
 public:
  explicit ec_key(pkey_ptr key) : key_(std::move(key)) {}
  std::string algorithm() const override { return "ES256"; }
  bool verify(std::string_view text, std::string_view signature) const override {
    return signature.size() == 2 * coordinate_bytes && verify_digest(key_.get(), text, to_der(signature));
  }

 private:
  pkey_ptr key_;
};

class rsa_key final : public token_key {
 public:
  explicit rsa_key(pkey_ptr key) : key_(std::move(key)) {}
  std::string algorithm() const override { return "RS256"; }
  bool verify(std::string_view text, std::string_view signature) const override {
    return verify_digest(key_.get(), text, signature);
  }

 private:
  pkey_ptr key_;
};

result<pkey_ptr> key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const params_ptr params(OSSL_PARAM_BLD_to_param(builder));
  const key_ctx_ptr ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
      EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return failure(errc::malformed, "not a public key");
  return pkey_ptr(key);
}

class signer final : public token_signer {
 public:
  signer(pkey_ptr key, std::shared_ptr<const token_key> check, std::string x, std::string y, std::string fingerprint)
      : key_(std::move(key)), check_(std::move(check)), x_(std::move(x)), y_(std::move(y)), print_(fingerprint) {}

  result<std::string> sign(std::string_view text) const override {
    ERR_clear_error();
    const digest_ptr ctx(EVP_MD_CTX_new());
    std::size_t n = 0;
    if (!ctx || EVP_DigestSignInit(ctx.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
        EVP_DigestSign(ctx.get(), nullptr, &n, octets(text), text.size()) != 1)
      return failure(errc::internal, "cannot sign a token");
    std::string der(n, '\0');
    if (EVP_DigestSign(ctx.get(), octets(der), &n, octets(text), text.size()) != 1)
      return failure(errc::internal, "cannot sign a token");
    der.resize(n);
    return from_der(der);
  }
  std::shared_ptr<const token_key> key() const override { return check_; }
  std::string x() const override { return x_; }
  std::string y() const override { return y_; }
  std::string fingerprint() const override { return print_; }

 private:
  pkey_ptr key_;
  std::shared_ptr<const token_key> check_;
  std::string x_, y_, print_;
};

result<std::string> coordinate(EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return failure(errc::malformed, "not a P-256 key");
  const bignum_ptr held(number);
  std::string out(coordinate_bytes, '\0');
  if (BN_bn2binpad(number, octets(out), coordinate_bytes) < 0) return failure(errc::malformed, "not a P-256 key");
  return out;
}

}  // namespace

result<std::shared_ptr<const token_key>> open_ec_token_key(std::string_view x, std::string_view y) {
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes)
    return fail(errc::malformed, "the coordinates of a P-256 key are 32 bytes each");
  ERR_clear_error();
  const std::string point = "\x04" + std::string(x) + std::string(y);
  const builder_ptr b(OSSL_PARAM_BLD_new());
  if (!b || OSSL_PARAM_BLD_push_utf8_string(b.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(b.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return failure(errc::internal, "cannot build a key");
  auto key = key_from("EC", b.get());
  if (!key) return key.err();
  return std::shared_ptr<const token_key>(std::make_shared<ec_key>(std::move(*key)));
}

result<std::shared_ptr<const token_key>> open_rsa_token_key(std::string_view modulus, std::string_view exponent) {
  if (modulus.size() < 256 || modulus.size() > 1024 + 1 || exponent.empty() || exponent.size() > 8)
    return fail(errc::malformed, "an RSA key has a modulus of 2048 to 8192 bits and a small exponent");
  ERR_clear_error();
  const bignum_ptr n(BN_bin2bn(octets(modulus), static_cast<int>(modulus.size()), nullptr));
  const bignum_ptr e(BN_bin2bn(octets(exponent), static_cast<int>(exponent.size()), nullptr));
  const builder_ptr b(OSSL_PARAM_BLD_new());
  if (!b || !n || !e || BN_num_bits(n.get()) < 2048 || !BN_is_odd(e.get()) || BN_is_one(e.get()) ||
      OSSL_PARAM_BLD_push_BN(b.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(b.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return fail(errc::malformed, "not an RSA key of at least 2048 bits");
  auto key = key_from("RSA", b.get());
  if (!key) return key.err();
  return std::shared_ptr<const token_key>(std::make_shared<rsa_key>(std::move(*key)));
}

result<std::shared_ptr<const token_signer>> open_token_signer(const std::string& key_pem) {
  auto key = read_private_key(key_pem);
  if (!key) return key.err();
  auto x = coordinate(key->get(), OSSL_PKEY_PARAM_EC_PUB_X);
  if (!x) return x.err();
  auto y = coordinate(key->get(), OSSL_PKEY_PARAM_EC_PUB_Y);
  if (!y) return y.err();
  auto check = open_ec_token_key(*x, *y);
  if (!check) return check.err();
  unsigned char* der = nullptr;
  const int n = i2d_PUBKEY(key->get(), &der);
  if (n <= 0) return failure(errc::internal, "cannot encode a public key");
  auto print = sha256_bytes({reinterpret_cast<char*>(der), static_cast<std::size_t>(n)});
  OPENSSL_free(der);
  return std::shared_ptr<const token_signer>(
      std::make_shared<signer>(std::move(*key), std::move(*check), std::move(*x), std::move(*y), std::move(print)));
}

std::string sha256_bytes(std::string_view bytes) {
  std::string out(32, '\0');
  unsigned int n = 32;
  EVP_Digest(bytes.data(), bytes.size(), octets(out), &n, EVP_sha256(), nullptr);
  return out;
}

}  // namespace wh
