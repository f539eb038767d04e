#pragma once
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "resources/document.hpp"

namespace wh::test {

/// Runs one actor's handlers by hand on a map that stands for the store: what a handler writes is durable at once.
class bench_top final : public reader, public crypto_port {
 public:
  instant now = instant(std::chrono::seconds(1767225600));
  std::map<object_key, record> objects;
  crypto_port* crypto = nullptr;  ///< instead of the readable fakes here, where certificates must have lives

  // reader
  std::optional<seen> read(const object_key& key) const override;
  std::vector<record> list(const key_range& range) const override;
  std::vector<record> list_namespace(const std::string& ns) const override;
  std::string store_incarnation() const override { return incarnation; }
  std::string incarnation = "hub-1";

  // crypto_port: readable fakes
  std::string sha256_hex(std::string_view bytes) const override { return "sha-of-" + std::string(bytes); }
  bool equal_secret(std::string_view a, std::string_view b) const override { return a == b; }
  result<std::string> new_key() override { return std::string("key"); }
  result<std::string> make_csr(const std::string& key, const std::string& cn,
                               const std::vector<std::string>& orgs) override;
  result<csr_facts> inspect_csr(const std::string& csr) const override;
  result<cert_facts> inspect_certificate(const std::string& cert) const override;
  result<std::string> sign_client(const std::string& csr, instant, instant) override { return "cert" + csr.substr(3); }
  std::string ca_pem() const override { return "ca"; }

  /// Stores a document as if an earlier commit had.
  void put_document(const object_key& key, const document& doc);
  /// The stored document; fails the test when absent.
  document get(const object_key& key) const;
  bool has(const object_key& key) const { return objects.contains(key); }

  template <class State, class Message>
  outbox handle(State& state, const Message& m, address from = {}) {
    outbox out;
    const context ctx{now, {}, std::move(from), random_, *this, crypto ? *crypto : *this};
    on(state, m, ctx, out);
    commit_batch(out.writes);
    return out;
  }
  template <class State>
  outbox start(State& state) {
    outbox out;
    const context ctx{now, {}, {}, random_, *this, crypto ? *crypto : *this};
    restore(state, ctx, out);
    commit_batch(out.writes);
    return out;
  }

 private:
  void commit_batch(const batch& b);
  rng random_{7};
  std::uint64_t revision_ = 100;
};

/// The messages of one type in an outbox, in order.
template <class Message>
std::vector<Message> sent(const outbox& out) {
  std::vector<Message> found;
  for (const auto& s : out.sends)
    if (const auto* m = std::get_if<Message>(&s.body)) found.push_back(*m);
  return found;
}

/// The frames of one type that an outbox sends to the spoke or to the hub.
template <class Frame>
std::vector<Frame> frames(const outbox& out) {
  std::vector<Frame> found;
  const auto take = [&](const auto& frame) {
    if constexpr (std::is_same_v<std::decay_t<decltype(frame)>, Frame>) found.push_back(frame);
  };
  for (const auto& s : out.sends) {
    if (const auto* m = std::get_if<send_to_spoke>(&s.body)) std::visit(take, m->frame);
    if (const auto* m = std::get_if<send_to_hub>(&s.body)) std::visit(take, m->frame);
  }
  return found;
}

/// A csr in the fake notation: csr|CN|org;org|key digest.
std::string fake_csr(const std::string& cn, const std::string& orgs, const std::string& key);
std::string cluster_csr(const std::string& cluster, const std::string& agent = "a1", const std::string& key = "key");

}  // namespace wh::test
