#pragma once
#include "actor_fixture.hpp"
#include "actors/hub/managed_cluster.hpp"
#include "actors/names.hpp"
#include "base/encoding.hpp"

/// A managed_cluster by hand: what spokes, users and time do to it.
namespace wh::test {

inline const object_key cluster_key{names::managed_clusters, "", "c1"};
inline const object_key lease_key{names::leases, "c1", names::cluster_lease};
inline constexpr const char* key_digest = "key-digest-0123456789";

inline object_key work_key(const std::string& name) { return {names::manifest_works, "c1", name}; }

inline document work_doc(const std::string& name, std::int64_t gen = 1) {
  return {{"apiVersion", "work.open-cluster-management.io/v1"},
          {"kind", "ManifestWork"},
          {"metadata", {{"name", name}, {"namespace", "c1"}, {"uid", "uid-" + name}, {"generation", gen}}},
          {"spec", {{"workload", {{"manifests", document::array()}}}}}};
}

struct hub_bench {
  bench_top b;
  managed_cluster self = make_managed_cluster("c1");

  outbox join(const std::string& key = "key") {
    return b.handle(self,
                    join_asked{.session = session_id{1},
                               .cluster = "c1",
                               .agent = "a1",
                               .request = {.token = "id.s", .csr_pem = cluster_csr("c1", "a1", key), .annotations = {}},
                               .remote = "r"});
  }
  /// A write as the API server proposes it.
  outbox write(const object_key& key, const document& doc) {
    admit_write m;
    m.id = request_id{5};
    m.key = key;
    m.body = encode_body(doc);
    const auto now = b.read(key);
    m.verb = now ? admit_write::verb_kind::update : admit_write::verb_kind::create;
    m.old_rev = now ? now->rev : revision{};
    m.proposed.puts.push_back({key, m.body, {}});
    return b.handle(self, m, {actor_kind::api, ""});
  }
  /// A user changes the ManagedCluster.
  template <class Change>
  outbox edit(Change change) {
    auto doc = b.get(cluster_key);
    doc["metadata"].erase("resourceVersion");
    change(doc);
    return write(cluster_key, doc);
  }
  outbox accept(bool yes = true) {
    return edit([&](document& doc) { doc["spec"]["hubAcceptsClient"] = yes; });
  }
  outbox fire(const std::string& timer) { return b.handle(self, timer_fired{timer}); }
  outbox tell(const object_key& key) {
    const auto now = b.read(key);
    return b.handle(self, object_changed{{.key = key,
                                          .rev = now ? now->rev : revision{},
                                          .body = now ? now->body : nullptr,
                                          .previous = {},
                                          .previous_rev = {}}});
  }
  outbox connect(std::uint64_t session = 2, const std::string& incarnation = "hub-1",
                 const std::string& key = key_digest) {
    return b.handle(
        self,
        spoke_connected{
            .session = session_id{session},
            .greeting = {.protocol = 1, .software = "", .cluster = "c1", .agent = "a1", .hub_incarnation = incarnation},
            .key_sha256 = key,
            .remote = "r"});
  }
  template <class Frame>
  outbox receive(Frame f, std::uint64_t session = 2) {
    return b.handle(self, spoke_frame{session_id{session}, f});
  }
  /// Joined, accepted, connected, in sync.
  void member() {
    join();
    accept();
    connect();
    receive(sync_request{});
  }
  std::string condition(const char* type) { return std::string(condition_status(b.get(cluster_key), type)); }
};

}  // namespace wh::test
