#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/actor.hpp"

/// Small actors and ports for the tests of cells and runtimes.
namespace wh::test {

/// A crypto port for actors that use none of it.
class no_crypto final : public crypto_port {
 public:
  std::string sha256_hex(std::string_view) const override { return {}; }
  bool equal_secret(std::string_view a, std::string_view b) const override { return a == b; }
  result<std::string> new_key() override { return none(); }
  result<std::string> make_csr(const std::string&, const std::string&, const std::vector<std::string>&) override {
    return none();
  }
  result<csr_facts> inspect_csr(const std::string&) const override { return none(); }
  result<cert_facts> inspect_certificate(const std::string&) const override { return none(); }
  result<std::string> sign_client(const std::string&, instant, instant) override { return none(); }
  std::string ca_pem() const override { return {}; }

 private:
  static error none() { return fail(errc::unsupported, "no cryptography in this test"); }
};

/// An actor whose handlers are the test's lambdas. `handles` false: it knows no message.
struct scripted final : actor_logic {
  using restore_fn = std::function<void(const context&, outbox&)>;
  using handler_fn = std::function<void(const message&, const context&, outbox&)>;
  scripted(restore_fn r, handler_fn h) : on_restart(std::move(r)), on_message(std::move(h)) {}
  void restart(const context& ctx, outbox& out) override {
    if (on_restart) on_restart(ctx, out);
  }
  bool handle(const message& m, const context& ctx, outbox& out) override {
    if (!on_message) return false;
    on_message(m, ctx, out);
    return true;
  }
  restore_fn on_restart;
  handler_fn on_message;
};

// A message of the real protocol, one that mailboxes always keep, stands for "do something": what is up to the test.
inline message text(std::string word) { return dial_failed{fail(errc::internal, std::move(word))}; }
inline std::string word_of(const message& m) {
  const auto* w = std::get_if<dial_failed>(&m);
  return w ? w->why.message : std::string(name_of(m));
}

inline address worker(std::string name) { return {actor_kind::work, std::move(name)}; }
inline address port(std::string name = {}) { return {actor_kind::cluster, std::move(name)}; }
inline object_key key_of(std::string name) { return {"configmaps", "default", std::move(name)}; }

}  // namespace wh::test
