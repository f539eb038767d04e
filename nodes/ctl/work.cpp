#include "nodes/ctl/work.hpp"

#include <algorithm>
#include <ostream>

#include "nodes/ctl/resource_names.hpp"

namespace wh::ctl {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(200);

document manifest_config(const manifest& m, const std::vector<manifest>& all, const std::string& strategy) {
  const auto& object = m.object;
  document identifier = {{"group", split_api_version(api_version(object)).group},
                         {"resource", resource_of(object, all)},
                         {"name", std::string(name_of(object))}};
  if (!namespace_of(object).empty()) identifier["namespace"] = std::string(namespace_of(object));
  return {{"resourceIdentifier", std::move(identifier)}, {"updateStrategy", {{"type", strategy}}}};
}

document whole_work(const std::string& cluster, const work_options& options, const document& spec) {
  return {{"apiVersion", "work.open-cluster-management.io/v1"},
          {"kind", "ManifestWork"},
          {"metadata", {{"name", options.name}, {"namespace", cluster}}},
          {"spec", spec}};
}

/// A work on one cluster as the hub has it after this run, and what this run did to it.
struct written_work {
  std::string cluster;
  std::string verb;
  document object;
};

error explain(const error& e, const std::string& cluster, const work_options& options) {
  if (e.code == errc::already_exists)
    return fail(e.code, "the work exists already; change it with --update, or delete it first: whctl delete work " +
                            options.name + " --clusters " + cluster);
  if (e.code == errc::not_found && e.message.find("namespaces") != std::string::npos)
    return fail(e.code, "no accepted cluster of this name; whctl get clusters lists them");
  return e;
}

result<written_work> update_one(console& c, const std::string& cluster, const document& before,
                                const work_options& options, const document& spec) {
  auto changed = c.hub.merge_patch(works_path(cluster, options.name), {{"spec", spec}});
  if (!changed) return changed.err();
  const bool same = generation_of(*changed) == generation_of(before);
  return written_work{.cluster = cluster, .verb = same ? "unchanged" : "updated", .object = std::move(*changed)};
}

result<written_work> write_one(console& c, const std::string& cluster, const work_options& options,
                               const document& spec) {
  if (options.update) {
    auto before = c.hub.find(works_path(cluster, options.name));
    if (!before) return before.err();
    if (*before) return update_one(c, cluster, **before, options, spec);
  }
  auto created = c.hub.create(works_path(cluster), whole_work(cluster, options, spec));
  if (!created) return explain(created.err(), cluster, options);
  return written_work{.cluster = cluster, .verb = "created", .object = std::move(*created)};
}

bool is_up(const document& work) {
  return condition_cell(work, "Applied") == "True" && condition_cell(work, "Available") == "True";
}

/// Why a work is not up, from the conditions of its manifests and its own.
std::string trouble_of(const document& work) {
  if (const auto* manifests = find_path(work, {"status", "resourceStatus", "manifests"});
      manifests && manifests->is_array()) {
    for (const auto& m : *manifests) {
      const auto* conditions = find_path(m, {"conditions"});
      const auto* applied = conditions ? find_condition(*conditions, "Applied") : nullptr;
      if (applied && string_at(*applied, {"status"}) == "False")
        return std::string(string_at(m, {"resourceMeta", "kind"})) + " " +
               std::string(string_at(m, {"resourceMeta", "name"})) + ": " +
               std::string(string_at(*applied, {"message"}));
    }
  }
  return "Applied is " + condition_cell(work, "Applied") + ", Available is " + condition_cell(work, "Available");
}

/// Polls until the work is up or the deadline has passed; false: it is not.
result<bool> wait_until_up(console& c, written_work& work, const std::string& name, instant deadline) {
  while (!is_up(work.object)) {
    if (c.now() >= deadline) return false;
    c.sleep(poll_interval);
    auto newer = c.hub.get(works_path(work.cluster, name));
    if (!newer) return newer.err();
    work.object = std::move(*newer);
  }
  return true;
}

outcome describe(const std::string& name, const written_work& work, const std::string& problem) {
  const auto label = work.cluster + "/" + name + ": ";
  if (problem.empty()) return {.text = label + work.verb, .fields = work.object};
  return {.text = label + work.verb + ", but " + problem, .fields = work.object, .ok = false};
}

outcome failed(const std::string& cluster, const std::string& name, const error& e) {
  return {.text = cluster + "/" + name + ": " + e.message,
          .fields = {{"cluster", cluster}, {"name", name}, {"error", e.message}},
          .ok = false};
}

outcome finish_one(console& c, written_work work, const work_options& options, instant deadline) {
  if (!options.wait) return describe(options.name, work, "");
  const auto up = wait_until_up(c, work, options.name, deadline);
  if (!up) return describe(options.name, work, up.err().message);
  if (!*up) return describe(options.name, work, "it is not up yet: " + trouble_of(work.object));
  work.verb += "; applied and available";
  return describe(options.name, work, "");
}

}  // namespace

document work_spec(const std::vector<manifest>& manifests, const work_options& options) {
  document list = document::array();
  for (const auto& m : manifests) list.push_back(m.object);
  document spec = {{"workload", {{"manifests", std::move(list)}}}};
  if (!options.delete_policy.empty()) spec["deleteOption"] = {{"propagationPolicy", options.delete_policy}};
  if (!options.update_strategy.empty()) {
    auto& configs = spec["manifestConfigs"] = document::array();
    for (const auto& m : manifests) configs.push_back(manifest_config(m, manifests, options.update_strategy));
  }
  return spec;
}

int create_work(console& c, const work_options& options, std::istream& in) {
  const auto manifests = load_manifests(options.files, in);
  if (!manifests) return report(c, manifests.err());
  const auto spec = work_spec(*manifests, options);
  const auto deadline = c.now() + options.wait.value_or(duration::zero());
  std::vector<outcome> failures;
  std::vector<written_work> written;
  for (const auto& cluster : options.clusters) {
    auto work = write_one(c, cluster, options, spec);
    if (work) written.push_back(std::move(*work));
    else failures.push_back(failed(cluster, options.name, work.err()));
  }
  // All are written before the first is waited for: the clusters work at the same time.
  std::vector<outcome> outcomes;
  for (auto& work : written) outcomes.push_back(finish_one(c, std::move(work), options, deadline));
  std::move(failures.begin(), failures.end(), std::back_inserter(outcomes));
  return report(c, outcomes);
}

}  // namespace wh::ctl
