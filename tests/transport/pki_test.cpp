#include <catch2/catch.hpp>

#include "fixtures.hpp"
#include "transport/openssl.hpp"

using namespace wh;
using namespace wh::test;
using Catch::Contains;

namespace {

struct rdn {
  int nid;
  std::string value;
  int set = 0;  ///< 0: a new RDN; -1: joins the one before
};

/// A request whose subject make_csr() would not write.
std::string forge_csr(EVP_PKEY* key, const std::vector<rdn>& subject_entries, const EVP_MD* digest = EVP_sha256()) {
  const ossl::req_ptr req(X509_REQ_new());
  X509_NAME* name = X509_REQ_get_subject_name(req.get());
  const ossl::name_ptr forged(X509_NAME_dup(name));
  for (const auto& [nid, value, set] : subject_entries)
    X509_NAME_add_entry_by_NID(forged.get(), nid, V_ASN1_UTF8STRING,
                               reinterpret_cast<const unsigned char*>(value.data()), static_cast<int>(value.size()), -1,
                               set);
  X509_REQ_set_subject_name(req.get(), forged.get());
  X509_REQ_set_pubkey(req.get(), key);
  X509_REQ_sign(req.get(), key, digest);
  const ossl::bio_ptr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), req.get());
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(n)};
}

std::string forge_csr(const std::vector<rdn>& subject_entries) {
  const ossl::pkey_ptr key(EVP_EC_gen("P-256"));
  return forge_csr(key.get(), subject_entries);
}

void check_refused(const std::string& csr, const std::string& why) {
  const auto info = inspect_csr(csr);
  REQUIRE_FALSE(info.ok());
  CHECK_THAT(info.err().message, Contains(why));
}

}  // namespace

TEST_CASE("a CA certificate says that it is one", "[pki]") {
  const authority a("wheelhouse-ca");
  const auto info = inspect_certificate(a.ca.cert_pem);
  REQUIRE(info.ok());
  CHECK(info->is_ca);
  CHECK(info->subj.common_name == "wheelhouse-ca");
  CHECK_FALSE(info->client_auth);
  CHECK_FALSE(info->server_auth);
}

TEST_CASE("a leaf certificate carries its profile", "[pki]") {
  const authority a;
  leaf_profile profile;
  profile.subj = {"system:open-cluster-management:c1:agent", {"system:open-cluster-management:c1", "g,2"}};
  profile.client_auth = true;
  profile.not_before = instant(std::chrono::seconds(1'700'000'000));
  profile.not_after = instant(std::chrono::seconds(1'700'003'600));
  const auto leaf = a.issue(profile);
  const auto info = inspect_certificate(leaf.cert_pem);
  REQUIRE(info.ok());
  CHECK(info->subj == profile.subj);
  CHECK(info->not_before == profile.not_before);
  CHECK(info->not_after == profile.not_after);
  CHECK(info->client_auth);
  CHECK_FALSE(info->server_auth);
  CHECK_FALSE(info->is_ca);
  CHECK(info->serial_hex.size() >= 32);
  CHECK(key_matches(leaf.key_pem, leaf.cert_pem).value());
  CHECK_FALSE(key_matches(a.ca.key_pem, leaf.cert_pem).value());
}

TEST_CASE("user names longer than X.520's 64 characters work", "[pki]") {
  const authority a;
  const std::string name = "system:open-cluster-management:" + std::string(63, 'c') + ":agent";
  CHECK(inspect_certificate(a.client(name).cert_pem)->subj.common_name == name);
}

TEST_CASE("a leaf does not outlive its CA", "[pki]") {
  const authority a;
  leaf_profile profile;
  profile.subj.common_name = "x";
  profile.client_auth = true;
  profile.not_after = now() + hours(24 * 3650);
  CHECK(inspect_certificate(a.issue(profile).cert_pem)->not_after == inspect_certificate(a.ca.cert_pem)->not_after);
}

TEST_CASE("serial numbers differ", "[pki]") {
  const authority a;
  CHECK(inspect_certificate(a.client().cert_pem)->serial_hex != inspect_certificate(a.client().cert_pem)->serial_hex);
}

TEST_CASE("what a CA is asked to sign is checked", "[pki]") {
  const authority a;
  const auto key = generate_key().value();
  leaf_profile profile;
  profile.subj.common_name = "x";
  profile.server_auth = true;
  profile.not_before = now();
  profile.not_after = now() + hours(1);
  SECTION("good") { CHECK(issue_for_key(a.ca, key, profile).ok()); }
  SECTION("no name") {
    profile.subj.common_name.clear();
    CHECK_FALSE(issue_for_key(a.ca, key, profile).ok());
  }
  SECTION("NUL in the name") {
    profile.subj.common_name = std::string("a\0b", 3);
    CHECK_FALSE(issue_for_key(a.ca, key, profile).ok());
  }
  SECTION("no usage") {
    profile.server_auth = false;
    CHECK_FALSE(issue_for_key(a.ca, key, profile).ok());
  }
  SECTION("ends before it begins") {
    profile.not_after = profile.not_before;
    CHECK_FALSE(issue_for_key(a.ca, key, profile).ok());
  }
  SECTION("not a DNS name") {
    profile.dns_names = {"a,DNS:evil"};
    CHECK_FALSE(issue_for_key(a.ca, key, profile).ok());
  }
  SECTION("not an address") {
    profile.ip_addresses = {"1.2.3"};
    CHECK_FALSE(issue_for_key(a.ca, key, profile).ok());
  }
  SECTION("signer is no CA") {
    CHECK_THAT(issue_for_key(a.client(), key, profile).err().message, Contains("not a CA"));
  }
  SECTION("signer's key is another's") {
    CHECK_THAT(issue_for_key({key, a.ca.cert_pem}, key, profile).err().message,
               Contains("key is not the certificate's"));
  }
}

TEST_CASE("a signing request round trips", "[pki]") {
  const authority a;
  const auto key = generate_key().value();
  const subject subj{"system:open-cluster-management:c1:a1", {"g1", "g2"}};
  const auto csr = make_csr(key, subj);
  REQUIRE(csr.ok());
  const auto info = inspect_csr(*csr);
  REQUIRE(info.ok());
  CHECK(info->subj == subj);

  leaf_profile profile;
  profile.subj = info->subj;
  profile.client_auth = true;
  profile.not_before = now();
  profile.not_after = now() + hours(1);
  const auto cert = open_signer(a.ca).value()->issue(*check_csr(*csr).value(), profile);
  REQUIRE(cert.ok());
  CHECK(key_matches(key, *cert).value());
  CHECK(inspect_certificate(*cert)->public_key_sha256 == info->public_key_sha256);
}

TEST_CASE("subjects that two readers could read differently are refused", "[pki]") {
  check_refused(forge_csr({{NID_commonName, "good"}, {NID_commonName, "evil"}}), "more than one common name");
  check_refused(forge_csr({{NID_commonName, "good"}, {NID_commonName, "evil", -1}}), "common name");
  check_refused(forge_csr({{NID_organizationName, "g"}, {NID_commonName, "evil", -1}}), "multi-valued RDN");
  check_refused(forge_csr({{NID_commonName, std::string("good\0.evil", 10)}}), "NUL or control");
  check_refused(forge_csr({{NID_commonName, "good"}, {NID_organizationName, std::string("g\0x", 3)}}),
                "NUL or control");
  check_refused(forge_csr({{NID_commonName, "a\nb"}}), "NUL or control");
  check_refused(forge_csr({{NID_organizationName, "g"}}), "no common name");
}

TEST_CASE("groups in one multi-valued RDN, as Go writes them, are read", "[pki]") {
  const auto info =
      inspect_csr(forge_csr({{NID_organizationName, "g1"}, {NID_organizationName, "g2", -1}, {NID_commonName, "u"}}));
  REQUIRE(info.ok());
  CHECK(info->subj.common_name == "u");
  auto groups = info->subj.organizations;
  std::sort(groups.begin(), groups.end());
  CHECK(groups == std::vector<std::string>{"g1", "g2"});
}

TEST_CASE("weak keys and signatures are refused", "[pki]") {
  const ossl::pkey_ptr small(EVP_RSA_gen(1024));
  const ossl::pkey_ptr enough(EVP_RSA_gen(2048));
  const ossl::pkey_ptr odd_curve(EVP_EC_gen("P-224"));
  const ossl::pkey_ptr short_curve(EVP_EC_gen("P-192"));
  const ossl::pkey_ptr edwards(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const std::vector<rdn> name = {{NID_commonName, "x"}};
  check_refused(forge_csr(small.get(), name), "weaker than 2048");
  check_refused(forge_csr(odd_curve.get(), name), "curve secp224r1");
  check_refused(forge_csr(short_curve.get(), name), "curve prime192v1");
  check_refused(forge_csr(enough.get(), name, EVP_sha1()), "signature algorithm is too weak");
  CHECK(inspect_csr(forge_csr(enough.get(), name)).ok());
  CHECK(inspect_csr(forge_csr(edwards.get(), name, nullptr)).ok());
}

TEST_CASE("a request signed by another key is refused", "[pki]") {
  const ossl::pkey_ptr mine(EVP_EC_gen("P-256"));
  const ossl::pkey_ptr theirs(EVP_EC_gen("P-256"));
  const ossl::req_ptr req(X509_REQ_new());
  const ossl::name_ptr name = std::move(*ossl::write_subject({"x", {}}));
  X509_REQ_set_subject_name(req.get(), name.get());
  X509_REQ_set_pubkey(req.get(), theirs.get());
  X509_REQ_sign(req.get(), mine.get(), EVP_sha256());
  const ossl::bio_ptr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_REQ(bio.get(), req.get());
  char* data = nullptr;
  const long n = BIO_get_mem_data(bio.get(), &data);
  check_refused({data, static_cast<std::size_t>(n)}, "signature does not fit");
}

TEST_CASE("text that is no PEM is an error and no crash", "[pki]") {
  const std::string junk[] = {"",
                              "hello",
                              "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                              "-----BEGIN CERTIFICATE REQUEST-----\n\n-----END CERTIFICATE REQUEST-----\n",
                              std::string(2'000'000, 'x'),
                              "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n"};
  for (const auto& text : junk) {
    CHECK_FALSE(inspect_certificate(text).ok());
    CHECK_FALSE(inspect_csr(text).ok());
    CHECK_FALSE(ca_pin(text).ok());
    CHECK_FALSE(make_csr(text, {"x", {}}).ok());
    CHECK_FALSE(key_matches(text, text).ok());
  }
}

TEST_CASE("a truncated certificate is an error", "[pki]") {
  const auto pem = authority().ca.cert_pem;
  for (std::size_t n = 0; n < pem.size() - 2; n += 7) CHECK_FALSE(inspect_certificate(pem.substr(0, n)).ok());
}

TEST_CASE("the pin of a CA depends on its key alone", "[pki]") {
  const authority a;
  const auto renewed = make_ca_certificate(a.ca.key_pem, "renewed", now(), now() + hours(1));
  CHECK(ca_pin(*renewed).value() == a.pin());
  CHECK(a.pin().size() == 71);
  CHECK(a.pin() != authority().pin());
}

TEST_CASE("small cryptographic helpers", "[pki]") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(random_bytes(32).size() == 32);
  CHECK(random_bytes(32) != random_bytes(32));
  CHECK(equal_constant_time("token", "token"));
  CHECK_FALSE(equal_constant_time("token", "tokem"));
  CHECK_FALSE(equal_constant_time("token", "token2"));
  CHECK(equal_constant_time("", ""));
}
