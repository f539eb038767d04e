// Who may speak for a cluster: certificates, their succession, revocation, and two machines with one identity.
#include <algorithm>

#include "hub_bench.hpp"

using namespace wh;
using namespace wh::test;

namespace {

struct identity_bench : hub_bench {
  instant at(std::int64_t days) const { return instant(std::chrono::hours(24 * (20000 + days))); }

  /// A connection with a certificate of that key, issued on that day, by that run of a spoke.
  outbox show(std::uint64_t session, const std::string& key, std::int64_t issued,
              const std::string& instance = "run-1") {
    spoke_connected m{.session = session_id{session},
                      .greeting = {.protocol = 1,
                                   .software = "test",
                                   .cluster = "c1",
                                   .agent = "a1",
                                   .hub_incarnation = "hub-1",
                                   .level = 1,
                                   .instance = instance},
                      .key_sha256 = key + "-digest-0123456789",
                      .not_before = at(issued),
                      .not_after = at(issued + 100),
                      .remote = "10.0.0." + std::to_string(session) + ":1"};
    return b.handle(self, m);
  }
  bool connected(std::uint64_t session) const { return self.peer && self.peer->session == session_id{session}; }
  std::string message_of(const char* type) {
    const auto doc = b.get(cluster_key);
    const auto* c = find_condition(doc["status"]["conditions"], type);
    return c ? std::string(string_at(*c, {"message"})) : std::string();
  }
  /// The session that the outbox ends with a reason, and the reason.
  std::vector<std::pair<std::string, std::string>> sent_away(const outbox& out) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& s : out.sends)
      if (const auto* m = std::get_if<send_to_spoke>(&s.body); m && m->then_close)
        if (const auto* r = std::get_if<refused>(&m->frame)) all.emplace_back(s.to.name, r->message);
    return all;
  }
};

}  // namespace

TEST_CASE("the newest certificate of an identity wins, and older ones are refused", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10);
  REQUIRE(h.connected(2));

  SECTION("a newer one takes over, and the older session is told why") {
    const auto away = h.sent_away(h.show(3, "next", 50));
    REQUIRE(away.size() == 1);
    CHECK(away[0].first == "2");
    CHECK(away[0].second.find("superseded") != std::string::npos);
    CHECK(h.connected(3));
    // The replayed certificate of before.
    const auto replayed = h.sent_away(h.show(4, "key", 10));
    REQUIRE(replayed.size() == 1);
    CHECK(replayed[0].first == "4");
    CHECK(replayed[0].second.find("superseded") != std::string::npos);
    CHECK(h.connected(3));
  }
  SECTION("one of the same day with another key is not newer") {
    CHECK(h.sent_away(h.show(3, "next", 10)).size() == 1);
    CHECK(h.connected(2));
  }
  SECTION("what was recorded survives the hub") {
    h.show(3, "next", 50);
    auto fresh = make_managed_cluster("c1");
    h.b.start(fresh);
    h.self = fresh;
    CHECK(h.sent_away(h.show(4, "key", 10)).size() == 1);
    h.show(5, "next", 50);
    CHECK(h.connected(5));
  }
  SECTION("a hub from an old backup knows the older one, and learns") {
    // The document says "key", day 10: as it does here; the spoke has rotated meanwhile.
    h.show(3, "rotated-after-the-backup", 70);
    CHECK(h.connected(3));
    CHECK(h.message_of(names::certificate_rotated).find("valid from") != std::string::npos);
  }
}

TEST_CASE("a revoked key is refused, its session ends, and the next key takes the name",
          "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10);
  const auto out = h.edit([](document& doc) {
    auto& owner = doc["metadata"]["annotations"][names::key_annotation];
    owner = names::revoked_prefix + owner.get<std::string>();
  });
  REQUIRE(h.sent_away(out).size() == 1);
  CHECK_FALSE(h.self.peer);
  CHECK(h.sent_away(h.show(3, "key", 10))[0].second.find("revoked") != std::string::npos);
  CHECK(frames<refused>(h.join("key"))[0].message.find("revoked") != std::string::npos);
  CHECK(frames<join_pending>(h.join("another")).size() == 1);
  // The new owner of the name; the revoked certificate is not newer than what was seen of it.
  CHECK(h.sent_away(h.show(4, "key", 10)).size() == 1);
  h.show(5, "another", 30);
  CHECK(h.connected(5));
}

TEST_CASE("a name whose certificate has run out can be asked for by another key, and is given by a person",
          "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.b.now = h.at(20);
  h.show(2, "key", 10);
  h.b.now = h.at(109);
  CHECK(frames<refused>(h.join("another"))[0].message.find("taken") != std::string::npos);
  h.b.now = h.at(110);
  CHECK(frames<join_pending>(h.join("another")).size() == 1);
  // Asking is not having: the owner of before may ask, too.
  CHECK(annotation_of(h.b.get(cluster_key), names::key_annotation) == key_digest);
  CHECK(frames<join_pending>(h.join("key")).size() == 1);
  h.show(5, "another", 110);
  CHECK(h.connected(5));
  CHECK(h.sent_away(h.show(6, "key", 10)).size() == 1);
}

TEST_CASE("a certificate that was handed out and never shown runs out, too", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  const object_key key{names::csrs, "", "c1-key-digest"};
  auto csr = h.b.get(key);
  csr["status"]["certificate"] = to_base64(std::string("cert|cn|o|") + key_digest);  // of an hour
  h.b.put_document(key, csr);
  h.tell(key);
  CHECK(frames<refused>(h.join("another")).size() == 1);
  h.b.now += std::chrono::hours(1);
  CHECK(frames<join_pending>(h.join("another")).size() == 1);
  // The next key got its certificate, and the answer was lost: it may ask again.
  const object_key next{names::csrs, "", "c1-another-di"};
  auto second = h.b.get(next);
  second["status"]["certificate"] = to_base64("cert|cn|o|another-digest-0123456789");
  h.b.put_document(next, second);
  h.tell(next);
  CHECK(frames<join_certificate>(h.join("another")).size() == 1);
}

TEST_CASE("a session ends with its certificate", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.b.now = h.at(20);
  const auto out = h.show(2, "key", 10);
  const auto armed =
      std::find_if(out.timers.begin(), out.timers.end(), [](const auto& t) { return t.name == "certificate"; });
  REQUIRE(armed != out.timers.end());
  CHECK(*armed->after == std::chrono::hours(24 * 90));
  CHECK(h.sent_away(h.fire("certificate"))[0].second.find("expired") != std::string::npos);
  CHECK_FALSE(h.self.peer);
}

TEST_CASE("two machines with one identity: the first stays, the second is told, the hub says so",
          "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10, "run-1");
  const auto duel = h.show(3, "key", 10, "run-2");
  REQUIRE(sent<probe_session>(duel).size() == 1);
  CHECK(h.connected(2));

  SECTION("the first one answers") {
    const auto out = h.fire("duel");
    REQUIRE(h.sent_away(out).size() == 1);
    CHECK(h.sent_away(out)[0].first == "3");
    const auto refusal = frames<refused>(out)[0];
    CHECK_FALSE(refusal.final);
    CHECK(refusal.retry_after >= std::chrono::minutes(1));
    CHECK(h.connected(2));
    CHECK(h.condition(names::duplicate_identity) == "True");
    CHECK(h.message_of(names::duplicate_identity).find("10.0.0.3") != std::string::npos);
    h.fire("duplicate");
    CHECK(h.condition(names::duplicate_identity) == "False");
  }
  SECTION("the first one is gone: a machine that came back after a power cut") {
    h.b.handle(h.self, session_closed{session_id{2}, {}});
    CHECK(h.connected(3));
    CHECK(h.condition(names::duplicate_identity).empty());
    CHECK(h.condition(names::link_connected) == "True");
  }
  SECTION("the second one gives up first") {
    h.b.handle(h.self, session_closed{session_id{3}, {}});
    CHECK(h.sent_away(h.fire("duel")).empty());
    CHECK(h.connected(2));
  }
  SECTION("a third one replaces the second as the challenger") {
    const auto away = h.sent_away(h.show(4, "key", 10, "run-3"));
    REQUIRE(away.size() == 1);
    CHECK(away[0].first == "3");
  }
}

TEST_CASE("the same run that connects again takes its own place at once", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10);
  const auto out = h.show(3, "key", 10);
  CHECK(sent<probe_session>(out).empty());
  CHECK(sent<close_session>(out).size() == 1);
  CHECK(h.connected(3));
}

TEST_CASE("a renewal asks in the session's own name and is answered there", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10);
  const object_key next{names::csrs, "", "c1-next-diges"};

  h.receive(renew_request{cluster_csr("c1", "a1", "next")});
  const auto csr = h.b.get(next);
  CHECK(string_at(csr, {"spec", "username"}) == names::cluster_user("c1", "a1"));
  auto signed_csr = csr;
  signed_csr["status"]["certificate"] = to_base64("cert|x|y|next");
  h.b.put_document(next, signed_csr);
  const auto out = h.tell(next);
  REQUIRE(frames<join_certificate>(out).size() == 1);
  CHECK(frames<join_certificate>(out)[0].cert_pem == "cert|x|y|next");
  CHECK(h.self.peer);

  // Asked again after a crash: the same request, answered at once.
  const auto objects = h.b.objects.size();
  CHECK(frames<join_certificate>(h.receive(renew_request{cluster_csr("c1", "a1", "next")})).size() == 1);
  CHECK(h.b.objects.size() == objects);
}

TEST_CASE("a renewal for anybody else, or of a cluster that is not accepted, is refused",
          "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10);
  const auto refused_for = [&](const std::string& csr) {
    return frames<renewal_refused>(h.receive(renew_request{csr})).size() == 1 && h.self.peer;
  };
  CHECK(refused_for("nonsense"));
  CHECK(refused_for(cluster_csr("c10", "a1", "next")));
  CHECK(refused_for(cluster_csr("c1", "a2", "next")));
  CHECK(refused_for(fake_csr(names::cluster_user("c1", "a1"), names::cluster_group("c1") + ";system:masters", "next")));
  CHECK(h.condition(names::certificate_rotated) == "False");
  h.accept(false);
  CHECK(refused_for(cluster_csr("c1", "a1", "next")));
  CHECK_FALSE(h.b.has({names::csrs, "", "c1-next-diges"}));
}

TEST_CASE("a spoke cannot fill the store with requests", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10);
  int refusals = 0;
  for (int i = 0; i < 30; ++i) {
    std::string key = "k";
    key += std::to_string(1000000 + i);
    refusals +=
        static_cast<int>(frames<renewal_refused>(h.receive(renew_request{cluster_csr("c1", "a1", key)})).size());
  }
  CHECK(refusals == 20);
  h.b.now += std::chrono::hours(1);
  CHECK(frames<renewal_refused>(h.receive(renew_request{cluster_csr("c1", "a1", "later")})).empty());
}

TEST_CASE("a cluster that leaves gives up its key and its name", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  h.accept();
  h.show(2, "key", 10);
  h.receive(sync_request{});
  h.write(work_key("w"), work_doc("w"));
  h.receive(leaving{true});
  CHECK_FALSE(h.self.peer);
  CHECK(h.condition(names::link_connected) == "False");
  CHECK(h.message_of(names::link_connected).find("left") != std::string::npos);
  CHECK(h.sent_away(h.show(3, "key", 10)).size() == 1);
  // Nobody will say that its works are gone.
  auto doc = h.b.get(work_key("w"));
  doc["metadata"].erase("resourceVersion");
  doc["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  h.write(work_key("w"), doc);
  h.fire("leftovers");
  CHECK_FALSE(h.b.has(work_key("w")));
  CHECK(frames<join_pending>(h.join("another")).size() == 1);
  CHECK_FALSE(h.self.abandoned);
}

TEST_CASE("a spent certificate's request is made anew for the key that owns the name", "[managed_cluster][identity]") {
  identity_bench h;
  h.join();
  const object_key key{names::csrs, "", "c1-key-digest"};
  auto csr = h.b.get(key);
  const auto uid = std::string(uid_of(csr));
  csr["status"]["certificate"] = to_base64("cert|cn|o|key");
  h.b.put_document(key, csr);
  CHECK(frames<join_certificate>(h.join()).size() == 1);
  csr["status"]["certificate"] = to_base64("expired");
  h.b.put_document(key, csr);
  CHECK(frames<join_pending>(h.join()).size() == 1);
  CHECK(uid_of(h.b.get(key)) != uid);
}

TEST_CASE("a name that an agent over REST has joined under is not given to a spoke", "[managed_cluster][identity]") {
  identity_bench h;
  document cluster = {{"apiVersion", "cluster.open-cluster-management.io/v1"},
                      {"kind", "ManagedCluster"},
                      {"metadata", {{"name", "c1"}, {"uid", "u"}, {"generation", 1}}},
                      {"spec", {{"hubAcceptsClient", true}}}};
  SECTION("it has joined") {
    cluster["status"]["conditions"] = document::array({{{"type", names::joined}, {"status", "True"}}});
    h.write(cluster_key, cluster);
    const auto away = h.sent_away(h.join());
    REQUIRE(away.size() == 1);
    CHECK(away[0].second.find("taken by an agent that works over REST") != std::string::npos);
    CHECK(annotation_of(h.b.get(cluster_key), names::key_annotation).empty());
  }
  SECTION("an administrator has made it, and nobody has joined") {
    h.write(cluster_key, cluster);
    CHECK(h.sent_away(h.join()).empty());
    CHECK_FALSE(annotation_of(h.b.get(cluster_key), names::key_annotation).empty());
  }
}

TEST_CASE("a request of another key under the name that ours will have is put aside", "[managed_cluster][identity]") {
  identity_bench h;
  const object_key key{names::csrs, "", "c1-key-digest"};
  const auto csr = [&](const std::string& pem) {
    return document{
        {"metadata", {{"name", key.name}, {"uid", "other"}}},
        {"spec", {{"request", to_base64(pem)}, {"signerName", names::client_signer}, {"username", "somebody"}}},
        {"status", {{"conditions", {{{"type", "Denied"}, {"status", "True"}}}}}}};
  };
  SECTION("another key") {
    h.b.put_document(key, csr(cluster_csr("c1", "a1", "other")));
    CHECK(h.sent_away(h.join()).empty());
    CHECK(string_at(h.b.get(key), {"spec", "username"}) == "system:bootstrap:id");
  }
  SECTION("the same key: what was decided about it stays decided") {
    h.b.put_document(key, csr(cluster_csr("c1", "a1", "key")));
    CHECK(h.sent_away(h.join()).size() == 1);
    CHECK(string_at(h.b.get(key), {"spec", "username"}) == "somebody");
  }
}
