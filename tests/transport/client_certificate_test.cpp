// Client certificates that the hub's own CA signed, and that are no spoke's all the same.
#include <catch2/catch.hpp>

#include <mutex>
#include <thread>

#include "fixtures.hpp"
#include "transport/openssl.hpp"
#include "transport/refused_client.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Contains;

namespace {

using extensions = std::vector<std::pair<int, const char*>>;

std::string pem_of(EVP_PKEY* key) {
  const ossl::bio_ptr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(n)};
}

/// What a CA would never sign for Wheelhouse, signed by it.
key_and_cert forge(const authority& by, const ossl::pkey_ptr& key, const extensions& with) {
  const auto ca_key = std::move(*ossl::read_private_key(by.ca.key_pem));
  const auto ca_cert = std::move(*ossl::read_certificate(by.ca.cert_pem));
  const auto name = std::move(*ossl::write_subject({"spoke-1", {"spokes"}}));
  const ossl::x509_ptr cert(X509_new());
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), 7);
  X509_set_subject_name(cert.get(), name.get());
  X509_set_issuer_name(cert.get(), X509_get_subject_name(ca_cert.get()));
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 3600);
  X509_set_pubkey(cert.get(), key.get());
  X509V3_CTX context;
  X509V3_set_ctx(&context, ca_cert.get(), cert.get(), nullptr, nullptr, 0);
  for (const auto& [nid, value] : with) {
    const ossl::owned<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    X509_add_ext(cert.get(), extension.get(), -1);
  }
  X509_sign(cert.get(), ca_key.get(), EVP_sha256());
  return {pem_of(key.get()), *ossl::write_certificate(cert.get())};
}

const extensions client_usage = {{NID_basic_constraints, "critical,CA:FALSE"},
                                 {NID_key_usage, "critical,digitalSignature"},
                                 {NID_ext_key_usage, "clientAuth"}};

/// How the hub answers: with an alert, or with a word to whoever it takes for one with this certificate.
std::string answer_to(const authority& ca, const key_and_cert& identity) {
  event_loop loop(1);
  listener server(loop, ca.server_config());
  auto config = ca.client_config();
  config.identity = identity;
  const auto made = dial(loop, server.at(), config);
  if (made.failure) return made.failure->message;
  while (server.last.times() == 0 && made.end.seen->closed.times() == 0) std::this_thread::yield();
  if (made.end.seen->closed.times() > 0) return made.end.seen->closed.get()->message;
  return (*server.last.get())->peer().has_certificate ? "welcome" : "who are you";
}

}  // namespace

TEST_CASE("client certificates with a spoke's extensions and a strong key are taken", "[link][trust]") {
  const authority ca;
  CHECK(answer_to(ca, forge(ca, ossl::pkey_ptr(EVP_EC_gen("P-256")), client_usage)) == "welcome");
  CHECK(answer_to(ca, forge(ca, ossl::pkey_ptr(EVP_EC_gen("P-384")), client_usage)) == "welcome");
  CHECK(answer_to(ca, forge(ca, ossl::pkey_ptr(EVP_RSA_gen(2048)), client_usage)) == "welcome");
}

TEST_CASE("client certificates with wrong extensions are refused at the handshake", "[link][trust]") {
  const authority ca;
  const auto key = [] { return ossl::pkey_ptr(EVP_EC_gen("P-256")); };
  const extensions a_ca = {{NID_basic_constraints, "critical,CA:TRUE"},
                           {NID_key_usage, "critical,digitalSignature,keyCertSign"},
                           {NID_ext_key_usage, "clientAuth"}};
  const extensions no_usage = {{NID_basic_constraints, "critical,CA:FALSE"}};
  const extensions server_only = {{NID_ext_key_usage, "serverAuth"}};
  const extensions any_usage = {{NID_ext_key_usage, "anyExtendedKeyUsage"}};
  const extensions cannot_sign = {{NID_key_usage, "critical,keyEncipherment"}, {NID_ext_key_usage, "clientAuth"}};
  const extensions unknown_critical = {{NID_ext_key_usage, "clientAuth"}, {NID_inhibit_any_policy, "critical,0"}};
  for (const auto& wrong : {a_ca, no_usage, server_only, any_usage, cannot_sign, extensions{}})
    CHECK_THAT(answer_to(ca, forge(ca, key(), wrong)), Contains("alert"));
  // Not wrong: a constraint on policies that nobody asks about.
  CHECK(answer_to(ca, forge(ca, key(), unknown_critical)) == "welcome");
}

TEST_CASE("the CA itself is no client", "[link][trust]") {
  const authority ca;
  CHECK_THAT(answer_to(ca, ca.ca), Contains("alert"));
}

TEST_CASE("client certificates with weak keys are refused at the handshake", "[link][trust]") {
  const authority ca;
  // Where TLS 1.3 has no signature for a key, this side does not even show it.
  for (const char* curve : {"P-192", "P-224", "secp256k1"})
    CHECK(answer_to(ca, forge(ca, ossl::pkey_ptr(EVP_EC_gen(curve)), client_usage)) != "welcome");
  CHECK(answer_to(ca, forge(ca, ossl::pkey_ptr(EVP_RSA_gen(1024)), client_usage)) != "welcome");
}

TEST_CASE("a client whose clock is a day behind believes a server whose certificate began before", "[link][trust]") {
  const authority ca;
  leaf_profile profile;
  profile.subj.common_name = "hub";
  profile.server_auth = true;
  profile.ip_addresses = {"127.0.0.1"};
  // The client's clock cannot be set back here, so the server's certificate is moved forward instead: what is 25 hours old
  // to the hub is an hour old to a spoke a day behind; what is 5 minutes old has not begun.
  profile.not_after = now() + hours(24 * 365);
  const auto met = [&](duration began_ago) {
    profile.not_before = now() + hours(24) - began_ago;
    auto config = ca.server_config();
    config.identity = ca.issue(profile);
    event_loop loop(1);
    const listener server(loop, config);
    const auto made = dial(loop, server.at(), ca.client_config());
    return made.failure ? made.failure->message : "connected";
  };
  CHECK(met(hours(25)) == "connected");
  CHECK_THAT(met(std::chrono::minutes(5)), Contains("not yet valid before 20"));
}

TEST_CASE("whoever watches a loop is told of the clients that it refuses, and of no others", "[link][trust]") {
  const authority ca, other;
  event_loop loop(1);
  std::mutex mutex;
  std::vector<refused_client> told;
  watch_refused_clients(loop, [&](const refused_client& c) {
    const std::lock_guard lock(mutex);
    told.push_back(c);
  });
  listener server(loop, ca.server_config());
  auto config = ca.client_config();
  config.identity = forge(other, std::move(*ossl::read_private_key(*generate_key())), client_usage);
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return told.size();
  };
  static_cast<void>(dial(loop, server.at(), config));
  for (int i = 0; i < 500 && count() == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(count() == 1);
  CHECK(told[0].claimed == subject{"spoke-1", {"spokes"}});
  CHECK_THAT(told[0].remote, Contains("127.0.0.1:"));
  CHECK_THAT(told[0].why, Contains("client's certificate"));
  config.identity = {};
  static_cast<void>(dial(loop, server.at(), config));
  CHECK(count() == 1);
}
