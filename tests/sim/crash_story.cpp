#include "tests/sim/crash_story.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "actors/names.hpp"

namespace wh::testing {
namespace {

constexpr const char* clusters_path = "/apis/cluster.open-cluster-management.io/v1/managedclusters";
constexpr const char* csrs_path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
constexpr const char* secrets_path = "/api/v1/namespaces/kube-system/secrets";

/// A namespace with a Secret in it, and at first a ConfigMap elsewhere.
document manifests_of_version(int version) {
  const auto text = std::to_string(version);
  document all = document::array({{{"apiVersion", "v1"},
                                   {"kind", "Secret"},
                                   {"metadata", {{"name", "key"}, {"namespace", "app"}}},
                                   {"data", {{"version", version == 1 ? "MQ==" : "Mg=="}}}},
                                  {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "app"}}}}});
  if (version == 1)
    all.push_back({{"apiVersion", "v1"},
                   {"kind", "ConfigMap"},
                   {"metadata", {{"name", "settings"}, {"namespace", "default"}}},
                   {"data", {{"version", text}}}});
  return all;
}

std::string status_text(const document& object) {
  const document* status = find_path(object, {"status"});
  return status ? status->dump() : "no status";
}

std::set<object_key> keys_of(const disk_watcher& disk) {
  std::set<object_key> keys;
  // Namespaces get their default ServiceAccount by themselves, a moment after they are made.
  for (const auto& [key, doc] : disk.objects())
    if (key.resource != names::service_accounts) keys.insert(key);
  return keys;
}

fleet_options fleet_of(const crash_options& o, crash_points& points, std::string& failed_handler) {
  return {.seed = o.seed,
          .clusters = o.clusters,
          .faults = {},
          .commit_delay_max = std::chrono::milliseconds(2),
          .crashes = &points,
          .restart_after = std::chrono::seconds(1),
          .log = [&failed_handler](const std::string& node, const address& who, const note& line) {
            if (std::getenv("WH_TRACE")) fmt::print("          {}:{} says: {}\n", node, to_string(who), line.text);
            const bool bug = line.text.find("handler failed") != std::string::npos ||
                             line.text.find("cannot restore itself") != std::string::npos;
            if (bug && failed_handler.empty()) failed_handler = node + ": " + to_string(who) + ": " + line.text;
          }};
}

}  // namespace

crash_story::crash_story(const crash_options& options)
    : options_(options),
      points_(options.plan),
      fleet_(fleet_of(options, points_, failed_handler_)),
      user_(fleet_),
      random_(options.seed ^ 0x75736572),
      hub_(fleet_.hub_store()) {
  // WH_TRACE=1 shows every delivery and every line that a node logs.
  if (std::getenv("WH_TRACE")) fleet_.world().on_trace([](const std::string& line) { std::puts(line.c_str()); });
  for (int i = 0; i < options.clusters; ++i) {
    auto& c = *clusters_.emplace_back(std::make_unique<managed>());
    const auto name = fleet::cluster_name(i);
    c.agent = std::make_unique<agent_watcher>(fleet_.agent_store(i), name, c.wanted, hub_);
    c.objects = std::make_unique<objects_watcher>(fleet_.cluster_store(i), name, c.wanted, *c.agent);
    hub_.clusters[name] = {&c.wanted, c.objects.get()};
  }
}

std::string crash_story::run() {
  try {
    join();
    make_works();
    change_works();
    if (!options_.straight) remove_works();
    if (options_.again) make_works_again();
    detach();
    rest();
  } catch (const broken_promise& e) {
    return e.what();
  }
  return {};
}

std::string crash_story::work_path(int i) const {
  return "/apis/work.open-cluster-management.io/v1/namespaces/" + fleet::cluster_name(i) + "/manifestworks";
}

void crash_story::check_watchers() const {
  const auto check = [](const std::string& problem) {
    if (!problem.empty()) throw broken_promise(problem);
  };
  check(failed_handler_);
  check(hub_.problem());
  for (const auto& c : clusters_) {
    check(c->agent->problem());
    check(c->objects->problem());
  }
  for (int i = 0; i < options_.clusters; ++i)
    if (!fleet_.gave_up(i).empty()) throw broken_promise(fleet::cluster_name(i) + " gave up: " + fleet_.gave_up(i));
}

/// Everybody is given time to agree, and does.
void crash_story::agree(const std::string& what, const std::function<std::string()>& obstacle) {
  user_.wait(what, [&] {
    check_watchers();
    return obstacle();
  });
}

void crash_story::join() {
  fleet_.start_hub();
  // As many uses as clusters: a join that is interrupted must not use the token up.
  auto token = fleet_.bootstrap_token(std::chrono::hours(1));
  token["stringData"]["uses-remaining"] = std::to_string(options_.clusters);
  user_.create(secrets_path, token);
  hub_own_ = keys_of(hub_);
  for (int i = 0; i < options_.clusters; ++i) fleet_.start_spoke(i);
  for (int i = 0; i < options_.clusters; ++i) join_one(i);
}

void crash_story::join_one(int i) {
  const auto name = fleet::cluster_name(i);
  const auto asked = [&] {
    return user_.list(fmt::format("{}?labelSelector={}%3D{}", csrs_path, names::cluster_name_label, name));
  };
  agree(name + " asks for a certificate",
        [&] { return asked().empty() ? std::string("the hub shows no request") : std::string(); });
  fleet_.world().advance(std::chrono::seconds(1));
  const auto requests = asked();
  if (requests.size() != 1) throw broken_promise(fmt::format("{} asked {} times", name, requests.size()));

  auto& wanted = clusters_[static_cast<std::size_t>(i)]->wanted;
  wanted.approved = true;
  user_.change(
      fmt::format("{}/{}", csrs_path, name_of(requests[0])),
      [&](document& csr) {
        return set_condition(csr["status"]["conditions"],
                             {.type = "Approved", .status = "True", .reason = "Test", .message = "approved"},
                             fleet_.world().now());
      },
      "/approval");
  wanted.accepted = true;
  const std::string path = fmt::format("{}/{}", clusters_path, name);
  user_.change(path,
               [](document& cluster) { return !std::exchange(cluster["spec"]["hubAcceptsClient"], true).get<bool>(); });
  agree(name + " joins", [&]() -> std::string {
    const auto cluster = user_.look(path);
    const bool there =
        condition_status(cluster, names::joined) == "True" && condition_status(cluster, names::available) == "True";
    return there ? "" : "the hub shows " + status_text(cluster);
  });
}

/// A hasty user goes on within moments, at a point of the spokes' work that the seed chooses.
void crash_story::pause_like_the_user(const std::function<void()>& otherwise) {
  if (options_.hasty) return fleet_.world().advance(std::chrono::microseconds(random_.below(20'000)));
  otherwise();
}

void crash_story::make_works() {
  for (int i = 0; i < options_.clusters; ++i) {
    auto& c = *clusters_[static_cast<std::size_t>(i)];
    if (c.own.empty()) c.own = keys_of(*c.objects);
    c.wanted.versions.push_back(manifests_of_version(1));
    user_.create(work_path(i), {{"apiVersion", "work.open-cluster-management.io/v1"},
                                {"kind", "ManifestWork"},
                                {"metadata", {{"name", "w"}, {"namespace", fleet::cluster_name(i)}}},
                                {"spec", {{"workload", {{"manifests", c.wanted.versions.back()}}}}}});
  }
  for (int i = 0; i < options_.clusters; ++i) pause_like_the_user([&] { wait_for_report(i); });
}

void crash_story::change_works() {
  for (int i = 0; i < options_.clusters; ++i) {
    auto& versions = clusters_[static_cast<std::size_t>(i)]->wanted.versions;
    versions.push_back(manifests_of_version(2));
    user_.change(work_path(i) + "/w", [&](document& work) {
      return std::exchange(work["spec"]["workload"]["manifests"], versions.back()) != versions.back();
    });
  }
  for (int i = 0; i < options_.clusters; ++i) pause_like_the_user([&] { wait_for_report(i); });
}

void crash_story::wait_for_report(int i) {
  agree("the work is applied and reported", [&]() -> std::string {
    const auto work = user_.look(work_path(i) + "/w");
    const document* conditions = find_path(work, {"status", "conditions"});
    const document* applied = conditions ? find_condition(*conditions, "Applied") : nullptr;
    if (!applied || string_at(*applied, {"status"}) != "True" ||
        int_at(*applied, {"observedGeneration"}, 0) != generation_of(work).get())
      return "the hub shows " + status_text(work);
    return objects_problem(i);
  });
}

/// The cluster holds what it held before, the newest version's objects as written, and the work's anchor.
std::string crash_story::objects_problem(int i) const {
  const auto& c = *clusters_[static_cast<std::size_t>(i)];
  auto expected = c.own;
  for (const auto& manifest : c.wanted.versions.back()) {
    const auto key = key_of_manifest(manifest);
    const auto* live = c.objects->find(key);
    if (!live) return to_string(key) + " is missing";
    if (!has_fields(*live, manifest)) return to_string(key) + " is not as written";
    expected.insert(key);
  }
  std::size_t anchors = 0;
  for (const auto& key : keys_of(*c.objects)) {
    if (key.resource == "appliedmanifestworks.work.open-cluster-management.io") ++anchors;
    else if (!expected.contains(key)) return to_string(key) + " is nobody's";
  }
  return anchors == 1 ? "" : fmt::format("there are {} AppliedManifestWorks", anchors);
}

/// Nothing of a work is left on the spoke.
std::string crash_story::remains_problem(int i) const {
  const auto& c = *clusters_[static_cast<std::size_t>(i)];
  for (const auto& [key, doc] : c.agent->objects())
    if (key.resource != names::identities) return "the agent still has " + to_string(key);
  if (c.agent->objects().size() != 1) return "the agent has no identity";
  for (const auto& key : keys_of(*c.objects))
    if (!c.own.contains(key)) return "the cluster still has " + to_string(key);
  return keys_of(*c.objects) == c.own ? "" : "the cluster lost something of its own";
}

void crash_story::remove_works() {
  for (int i = 0; i < options_.clusters; ++i) {
    clusters_[static_cast<std::size_t>(i)]->wanted.work_removed = true;
    user_.remove(work_path(i) + "/w");
  }
  for (int i = 0; i < options_.clusters; ++i)
    pause_like_the_user([&] {
      agree("the work is removed", [&]() -> std::string {
        if (!user_.look(work_path(i) + "/w").is_null()) return "the hub still shows it";
        return remains_problem(i);
      });
    });
}

/// As soon as the hub has let the old work go, of which the spoke may not know yet.
void crash_story::make_works_again() {
  for (int i = 0; i < options_.clusters; ++i) {
    agree("the work is gone",
          [&]() -> std::string { return user_.look(work_path(i) + "/w").is_null() ? "" : "the hub still shows it"; });
    auto& wanted = clusters_[static_cast<std::size_t>(i)]->wanted;
    wanted.first_version = wanted.versions.size();
    wanted.work_removed = false;
  }
  make_works();
  remove_works();
}

void crash_story::detach() {
  for (int i = 0; i < options_.clusters; ++i) {
    auto& wanted = clusters_[static_cast<std::size_t>(i)]->wanted;
    wanted.work_removed = wanted.detached = true;
    user_.remove(fmt::format("{}/{}", clusters_path, fleet::cluster_name(i)));
  }
  for (int i = 0; i < options_.clusters; ++i)
    agree("the cluster is detached", [&]() -> std::string {
      if (!user_.look(fmt::format("{}/{}", clusters_path, fleet::cluster_name(i))).is_null())
        return "the hub still shows it";
      return remains_problem(i);
    });
}

/// What may stay on the hub when its clusters are gone, as in OCM: of a cluster its namespace with its ServiceAccount, the
/// lease in it, Events, and the request with its certificate; and the sets that are always there.
std::string crash_story::hub_remains_problem() const {
  for (const auto& [key, doc] : hub_.objects()) {
    const bool stays = key.resource == names::namespaces || key.resource == names::service_accounts ||
                       key.resource == names::leases || key.resource == names::csrs ||
                       key.resource == names::events || key.resource == names::cluster_sets;
    if (!hub_own_.contains(key) && !stays) return "the hub still has " + to_string(key);
  }
  for (const auto& key : hub_own_)
    if (!hub_.find(key)) return "the hub lost " + to_string(key);
  return {};
}

/// After all is done nothing may move or be left: the spokes' calls are refused and no session stays.
void crash_story::rest() {
  fleet_.world().advance(std::chrono::seconds(40));
  agree("all is quiet", [&]() -> std::string {
    if (!fleet_.hub_up()) return "the hub is down";
    if (fleet_.hub_links().sessions != 0) return fmt::format("{} sessions are left", fleet_.hub_links().sessions);
    return hub_remains_problem();
  });
  check_watchers();
  const auto check = [](const std::string& problem) {
    if (!problem.empty()) throw broken_promise(problem);
  };
  check(hub_.history_problem());
  for (int i = 0; i < options_.clusters; ++i) {
    check(clusters_[static_cast<std::size_t>(i)]->agent->history_problem());
    check(clusters_[static_cast<std::size_t>(i)]->objects->history_problem());
    check(remains_problem(i));
  }
}

}  // namespace wh::testing
