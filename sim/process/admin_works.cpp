#include "sim/process/admin_works.hpp"

#include <utility>

#include "base/encoding.hpp"
#include "base/random.hpp"
#include "nodes/ctl/hub_client.hpp"
#include "nodes/parts/clock.hpp"

namespace wh {
namespace {

constexpr const char* secrets_path = "/api/v1/namespaces/kube-system/secrets";

/// The generation of the object in an answer.
admin_client::done<document> telling_generation(admin_client::done<generation> then) {
  return [then = std::move(then)](const result<document>& answer) {
    if (answer) then(generation_of(*answer));
    else then(answer.err());
  };
}

std::string payload(const std::string& name, std::size_t bytes, std::uint64_t edition) {
  rng random(fnv1a(name, edition));
  std::string text;
  text.reserve(bytes + 16);
  while (text.size() < bytes) {
    std::string eight;
    append_be64(eight, random.next());
    text += to_hex(eight);
  }
  text.resize(bytes);
  return text;
}

condition_state state_of(std::string_view status) {
  if (status == "True") return condition_state::true_;
  if (status == "False") return condition_state::false_;
  return status.empty() ? condition_state::absent : condition_state::unknown;
}

void read_condition(const document& object, std::string_view type, condition_state& state, generation* observed) {
  const auto* conditions = find_path(object, {"status", "conditions"});
  const auto* found = conditions ? find_condition(*conditions, type) : nullptr;
  if (!found) return;
  state = state_of(string_at(*found, {"status"}));
  if (observed) *observed = generation(int_at(*found, {"observedGeneration"}, 0));
}

}  // namespace

result<ctl::join_token> make_bootstrap_token(admin_client& admin, std::optional<std::uint64_t> uses, duration ttl) {
  auto token = ctl::make_join_token();
  const auto stored = admin.create(secrets_path, ctl::token_secret(token, {.ttl = ttl, .uses = uses}, wall_clock()));
  if (!stored) return stored.err();
  return token;
}

document payload_work(const std::string& name, std::size_t payload_bytes, std::uint64_t edition) {
  const document map = {
      {"apiVersion", "v1"},
      {"kind", "ConfigMap"},
      {"metadata", {{"name", name}, {"namespace", "default"}}},
      {"data", {{"edition", std::to_string(edition)}, {"payload", payload(name, payload_bytes, edition)}}}};
  return {{"apiVersion", "work.open-cluster-management.io/v1"},
          {"kind", "ManifestWork"},
          {"metadata", {{"name", name}}},
          {"spec", {{"workload", {{"manifests", document::array({map})}}}}}};
}

void create_work(admin_client& admin, const std::string& cluster, const std::string& name, std::size_t payload_bytes,
                 admin_client::done<generation> then) {
  admin.create(ctl::works_path(cluster), payload_work(name, payload_bytes, 1), telling_generation(std::move(then)));
}

void update_work(admin_client& admin, const std::string& cluster, const std::string& name, std::size_t payload_bytes,
                 std::uint64_t edition, admin_client::done<generation> then) {
  document patch;
  patch["spec"] = std::move(payload_work(name, payload_bytes, edition)["spec"]);
  admin.merge_patch(ctl::works_path(cluster, name), patch, telling_generation(std::move(then)));
}

void delete_work(admin_client& admin, const std::string& cluster, const std::string& name,
                 admin_client::done<generation> then) {
  admin.remove(ctl::works_path(cluster, name), telling_generation(std::move(then)));
}

result<generation> create_work(admin_client& admin, const std::string& cluster, const std::string& name,
                               std::size_t payload_bytes) {
  return admin.wait<generation>([&](auto then) { create_work(admin, cluster, name, payload_bytes, std::move(then)); });
}

result<generation> update_work(admin_client& admin, const std::string& cluster, const std::string& name,
                               std::size_t payload_bytes, std::uint64_t edition) {
  return admin.wait<generation>(
      [&](auto then) { update_work(admin, cluster, name, payload_bytes, edition, std::move(then)); });
}

result<generation> delete_work(admin_client& admin, const std::string& cluster, const std::string& name) {
  return admin.wait<generation>([&](auto then) { delete_work(admin, cluster, name, std::move(then)); });
}

bool work_sight::up(generation at_least) const {
  return !deleted && applied == condition_state::true_ && available == condition_state::true_ &&
         applied_observed >= at_least && available_observed >= at_least;
}

work_sight sight_of_work(const document& work) {
  work_sight s;
  s.cluster = namespace_of(work);
  s.name = name_of(work);
  s.wanted = generation_of(work);
  s.deleting = is_deleting(work);
  read_condition(work, "Applied", s.applied, &s.applied_observed);
  read_condition(work, "Available", s.available, &s.available_observed);
  return s;
}

work_watch::work_watch(admin_client& admin, std::function<void(const work_sight&)> on_change)
    : watch_(admin, {.path = ctl::works_path(""),
                     .on_event = [tell = std::move(on_change)](watch_change change, const document& work) {
                       auto sight = sight_of_work(work);
                       sight.deleted = change == watch_change::deleted;
                       tell(sight);
                     }}) {}

cluster_sight sight_of_cluster(const document& cluster) {
  cluster_sight s;
  s.name = name_of(cluster);
  s.accepted = bool_at(cluster, {"spec", "hubAcceptsClient"}, false);
  s.joined = condition_status(cluster, "ManagedClusterJoined") == "True";
  read_condition(cluster, "ManagedClusterConditionAvailable", s.available, nullptr);
  return s;
}

fleet_watch::fleet_watch(admin_client& admin, std::function<void(const cluster_sight&)> on_change)
    : watch_(admin, {.path = ctl::clusters_path(),
                     .on_event = [tell = std::move(on_change)](watch_change change, const document& cluster) {
                       auto sight = sight_of_cluster(cluster);
                       sight.deleted = change == watch_change::deleted;
                       tell(sight);
                     }}) {}

}  // namespace wh
