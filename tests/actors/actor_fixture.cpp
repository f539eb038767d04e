#include "actor_fixture.hpp"

namespace wh::test {

std::optional<seen> bench_top::read(const object_key& key) const {
  const auto it = objects.find(key);
  if (it == objects.end()) return std::nullopt;
  return seen{it->second.body, it->second.rev, false};
}

std::vector<record> bench_top::list(const key_range& range) const {
  std::vector<record> all;
  for (const auto& [key, r] : objects)
    if (range.contains(key)) all.push_back(r);
  return all;
}

std::vector<record> bench_top::list_namespace(const std::string& ns) const {
  std::vector<record> all;
  for (const auto& [key, r] : objects)
    if (key.ns == ns) all.push_back(r);
  return all;
}

namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == at) parts.emplace_back();
    else parts.back() += c;
  }
  return parts;
}

}  // namespace

std::string fake_csr(const std::string& cn, const std::string& orgs, const std::string& key) {
  return "csr|" + cn + "|" + orgs + "|" + key + "-digest-0123456789";
}

std::string cluster_csr(const std::string& cluster, const std::string& agent, const std::string& key) {
  const std::string group = "system:open-cluster-management:" + cluster;
  return fake_csr(group + ":" + agent, group + ";system:open-cluster-management:managed-clusters", key);
}

result<std::string> bench_top::make_csr(const std::string& key, const std::string& cn,
                                        const std::vector<std::string>& orgs) {
  std::string joined;
  for (const auto& o : orgs) joined += (joined.empty() ? "" : ";") + o;
  return fake_csr(cn, joined, key);
}

result<crypto_port::csr_facts> bench_top::inspect_csr(const std::string& csr) const {
  const auto parts = split(csr, '|');
  if (parts.size() != 4 || parts[0] != "csr") return fail(errc::malformed, "not a csr");
  return csr_facts{parts[1], split(parts[2], ';'), parts[3]};
}

result<crypto_port::cert_facts> bench_top::inspect_certificate(const std::string& cert) const {
  const auto parts = split(cert, '|');
  if (parts.size() != 4 || parts[0] != "cert") return fail(errc::malformed, "not a certificate");
  return cert_facts{parts[1], parts[3], now, now + std::chrono::hours(1)};
}

void bench_top::put_document(const object_key& key, const document& doc) {
  objects[key] = {key, revision{++revision_}, encode_body(doc)};
}

document bench_top::get(const object_key& key) const {
  const auto it = objects.find(key);
  REQUIRE(it != objects.end());
  return decode_record(it->second).value();
}

void bench_top::commit_batch(const batch& b) {
  for (const auto& p : b.preconditions) {
    if (const auto* at = std::get_if<at_revision>(&p)) {
      REQUIRE(objects.contains(at->key));
      REQUIRE(objects.at(at->key).rev == at->rev);
    }
    if (const auto* no = std::get_if<absent>(&p)) REQUIRE_FALSE(objects.contains(no->key));
  }
  for (const auto& p : b.puts) objects[p.key] = {p.key, revision{++revision_}, p.body};
  for (const auto& e : b.erases) objects.erase(e.key);
}

}  // namespace wh::test
