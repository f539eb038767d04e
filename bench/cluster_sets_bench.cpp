// What cluster sets cost with 10,000 clusters and 100 sets: one change of a cluster, one of a set, a start of the hub.
#include <chrono>
#include <cstdio>

#include "actors/hub/cluster_sets.hpp"
#include "actors/names.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
using namespace wh;

constexpr int cluster_count = 10000;
constexpr int set_count = 100;

/// A table of objects in memory; keys are not needed.
class table final : public reader, public crypto_port {
 public:
  std::map<object_key, record> objects;

  void put(const object_key& key, const document& doc) { objects[key] = {key, revision{++last_}, encode_body(doc)}; }
  std::optional<seen> read(const object_key& key) const override {
    const auto it = objects.find(key);
    if (it == objects.end()) return std::nullopt;
    return seen{it->second.body, it->second.rev, false};
  }
  std::vector<record> list(const key_range& range) const override {
    std::vector<record> out;
    for (const auto& [key, r] : objects)
      if (range.contains(key)) out.push_back(r);
    return out;
  }
  std::vector<record> list_namespace(const std::string&) const override { return {}; }
  std::string store_incarnation() const override { return "bench"; }

  std::string sha256_hex(std::string_view) const override { return {}; }
  bool equal_secret(std::string_view, std::string_view) const override { return false; }
  result<std::string> new_key() override { return std::string(); }
  result<std::string> make_csr(const std::string&, const std::string&, const std::vector<std::string>&) override {
    return std::string();
  }
  result<csr_facts> inspect_csr(const std::string&) const override { return csr_facts{}; }
  result<cert_facts> inspect_certificate(const std::string&) const override { return cert_facts{}; }
  result<std::string> sign_client(const std::string&, instant, instant) override { return std::string(); }
  std::string ca_pem() const override { return {}; }

 private:
  std::uint64_t last_ = 0;
};

std::string numbered(const char* prefix, int n) { return prefix + std::to_string(n); }

/// As a spoke of a dozen nodes leaves it: some 3 KiB, most of it status.
document cluster(int n, const std::string& env) {
  document doc = {{"apiVersion", "cluster.open-cluster-management.io/v1"},
                  {"kind", "ManagedCluster"},
                  {"metadata",
                   {{"name", numbered("c", n)},
                    {"uid", "8c1d7a36-3f0e-4d57-9a53-0d7d2a6f0b11"},
                    {"generation", 3},
                    {"labels", {{cluster_set_label, numbered("set", n % set_count)}, {"env", env}, {"cloud", "any"}}}}},
                  {"spec", {{"hubAcceptsClient", true}, {"leaseDurationSeconds", 60}}}};
  for (int i = 0; i < 20; ++i) doc["status"]["capacity"][numbered("example.com/resource-", i)] = "1000";
  for (const char* type : {"HubAcceptedManagedCluster", "ManagedClusterJoined", "ManagedClusterConditionAvailable"})
    doc["status"]["conditions"].push_back({{"type", type},
                                           {"status", "True"},
                                           {"reason", "Because"},
                                           {"message", std::string(100, 'm')},
                                           {"lastTransitionTime", "2026-01-01T00:00:00Z"}});
  for (int i = 0; i < 20; ++i)
    doc["status"]["clusterClaims"].push_back({{"name", numbered("claim-", i)}, {"value", std::string(40, 'v')}});
  return doc;
}

document set(int n) {
  document doc = {{"apiVersion", "cluster.open-cluster-management.io/v1beta2"},
                  {"kind", "ManagedClusterSet"},
                  {"metadata", {{"name", numbered("set", n)}, {"generation", 1}}},
                  {"spec", {{"clusterSelector", {{"selectorType", "ExclusiveClusterSetLabel"}}}}}};
  if (n % 2 == 1)
    doc["spec"]["clusterSelector"] = {{"selectorType", "LabelSelector"},
                                      {"labelSelector", {{"matchLabels", {{"env", numbered("env", n)}}}}}};
  return doc;
}

struct workshop {
  table data;
  cluster_sets sets;
  rng random{1};
  address self{actor_kind::cluster_sets, ""}, from;

  context ctx() { return {instant(std::chrono::seconds(1767225600)), self, from, random, data, data}; }
  static object_key cluster_key(int n) { return {names::managed_clusters, "", numbered("c", n)}; }
  static object_key set_key(int n) { return {names::cluster_sets, "", numbered("set", n)}; }

  void tell(const object_key& key, const document& doc) {
    const auto previous = data.objects.at(key).body;
    data.put(key, doc);
    change c{key, revision{1}, data.objects.at(key).body, previous, {}, false};
    outbox out;
    if (concerns_cluster_sets(c)) on(sets, object_changed{std::move(c)}, ctx(), out);
  }
};

template <class Work>
void measure(const char* what, int rounds, Work&& work) {
  const auto start = clock_type::now();
  for (int i = 0; i < rounds; ++i) work(i);
  const std::chrono::duration<double, std::micro> took = clock_type::now() - start;
  std::printf("%-52s %10.1f us\n", what, took.count() / rounds);
}

}  // namespace

int main() {
  workshop w;
  for (int i = 0; i < cluster_count; ++i) w.data.put(workshop::cluster_key(i), cluster(i, numbered("env", i % 7)));
  for (int i = 0; i < set_count; ++i) w.data.put(workshop::set_key(i), set(i));
  std::printf("%d clusters of %zu bytes, %d sets, half of them by labels\n", cluster_count,
              w.data.objects.at(workshop::cluster_key(1)).body->size(), set_count);
  measure("start: restore from the store", 1, [&](int) {
    outbox out;
    restore(w.sets, w.ctx(), out);
  });
  std::vector<document> next;
  for (int i = 0; i < 1000; ++i) next.push_back(cluster(i, numbered("env", i % 7)));
  for (auto& doc : next) doc["status"]["capacity"]["example.com/resource-3"] = "999";
  std::vector<change> reports;
  for (int i = 0; i < 1000; ++i)
    reports.push_back({workshop::cluster_key(i), revision{1}, encode_body(next[static_cast<std::size_t>(i)]),
                       w.data.objects.at(workshop::cluster_key(i)).body, revision{}, false});
  int concerned = 0;
  measure("a cluster's status changed (feed: not concerned)", 1000,
          [&](int i) { concerned += concerns_cluster_sets(reports[static_cast<std::size_t>(i)]) ? 1 : 0; });
  if (concerned != 0) std::printf("inconsistent: %d reports concern the sets\n", concerned);
  for (int i = 0; i < 1000; ++i)
    next[static_cast<std::size_t>(i)]["metadata"]["labels"]["env"] = numbered("env", i % 9);
  measure("a cluster's labels changed, with the decoding", 1000,
          [&](int i) { w.tell(workshop::cluster_key(i), next[static_cast<std::size_t>(i)]); });
  measure("  of that, reading a cluster's JSON", 1000,
          [&](int i) { (void)decode_body(*w.data.objects.at(workshop::cluster_key(i)).body); });
  measure("a set's selector changed", 100, [&](int i) {
    auto doc = set(1);
    doc["spec"]["clusterSelector"]["labelSelector"]["matchLabels"]["env"] = numbered("env", i % 7);
    w.tell(workshop::set_key(1), doc);
  });
  measure("a set's namespaces changed, and its 10,000 members told", 10, [&](int i) {
    auto doc = set(1);
    doc["spec"]["clusterSelector"]["labelSelector"] = document::object();
    doc["spec"]["managedNamespaces"] = document::array({{{"name", numbered("n", i)}}});
    w.tell(workshop::set_key(1), doc);
    outbox out;
    on(w.sets, timer_fired{"settle"}, w.ctx(), out);
    if (out.sends.size() != cluster_count) std::printf("inconsistent: %zu told\n", out.sends.size());
  });
}
