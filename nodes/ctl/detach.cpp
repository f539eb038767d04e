#include "nodes/ctl/detach.hpp"

#include <algorithm>
#include <ostream>

namespace wh::ctl {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(300);
constexpr const char* detach_annotation = "registration.wheelhouse.io/detach";

/// One cluster on its way out.
struct departure {
  std::string name;
  std::string uid = {};
  std::string left = {};  ///< what the hub said last about what remains
  bool gone = false;
  std::string failure = {};

  bool settled() const { return gone || !failure.empty(); }
};

/// What condition Deleting says; without it, what a hub says that has not looked yet.
std::string what_remains(const document& cluster) {
  const auto* conditions = find_path(cluster, {"status", "conditions"});
  const auto* deleting = conditions ? find_condition(*conditions, "Deleting") : nullptr;
  if (deleting) return std::string(string_at(*deleting, {"message"}));
  const auto finalizers = texts_at(cluster, {"metadata", "finalizers"});
  if (finalizers.empty()) return "it is about to go";
  std::string text = "waits for";
  for (const auto& f : finalizers) text += " " + f;
  return text;
}

void begin(console& c, departure& one, bool force) {
  const auto cluster = c.hub.find(clusters_path(one.name));
  if (!cluster) one.failure = cluster.err().message;
  else if (!*cluster) one.failure = "there is no such cluster; whctl get clusters lists them";
  if (!one.failure.empty()) return;
  one.uid = std::string(uid_of(**cluster));
  // The hub must know that nobody is to be waited for before it begins, not after.
  if (force) {
    const auto marked =
        c.hub.merge_patch(clusters_path(one.name), {{"metadata", {{"annotations", {{detach_annotation, "force"}}}}}});
    if (!marked) one.failure = marked.err().message;
  }
  if (!one.failure.empty()) return;
  const auto deleted = c.hub.remove(clusters_path(one.name));
  if (!deleted && deleted.err().code != errc::not_found) one.failure = deleted.err().message;
}

/// One look at a cluster that is on its way.
void look(console& c, departure& one) {
  const auto cluster = c.hub.find(clusters_path(one.name));
  if (!cluster) {
    one.failure = cluster.err().message;
    return;
  }
  // A cluster of the same name that joined in the meantime is another one.
  one.gone = !*cluster || uid_of(**cluster) != one.uid;
  if (one.gone) return;
  auto left = what_remains(**cluster);
  if (left == one.left) return;
  one.left = std::move(left);
  if (c.format == output_format::table) c.err << printable(one.name + ": " + one.left) << "\n";
}

std::string still_there(const departure& one, bool force) {
  std::string text = "it is being detached, but is not gone yet: " + one.left;
  if (!text.ends_with('.')) text += '.';
  if (force) return text + " The hub goes on by itself.";
  return text +
         " The hub goes on by itself as soon as the cluster answers; for one that never will: whctl detach --force " +
         one.name;
}

outcome describe(const departure& one, const detach_options& options) {
  document fields = {{"name", one.name}, {"gone", one.gone}};
  std::string text = one.failure;
  if (text.empty() && !one.gone && options.wait > duration::zero()) text = still_there(one, options.force);
  if (!text.empty()) {
    fields["error"] = text;
    return {.text = one.name + ": " + text, .fields = std::move(fields), .ok = false};
  }
  text = one.gone ? "detached" : "is being detached";
  if (options.force) text += "; what its works put on it is still there, unless its spoke has removed it";
  return {.text = one.name + ": " + text, .fields = std::move(fields)};
}

/// Whether the person means it. Refused where nobody can be asked.
result<bool> confirmed(const console& c, const detach_options& options) {
  if (!options.force || options.yes) return true;
  if (!c.ask)
    return fail(errc::invalid,
                "detach --force needs --yes where there is no terminal to ask on: the hub forgets the clusters' works "
                "without waiting for the clusters");
  std::string names;
  for (const auto& name : options.names) names += " " + name;
  c.err
      << "By force the hub forgets" << names
      << "\nand their works at once. What the works put on the clusters stays there, and nobody looks after it any more.\n";
  return c.ask("Go on? Type yes: ") == "yes";
}

}  // namespace

int detach_clusters(console& c, const detach_options& options) {
  const auto sure = confirmed(c, options);
  if (!sure) return report(c, sure.err());
  if (!*sure) return report(c, fail(errc::invalid, "nothing was done"));
  std::vector<departure> all;
  for (const auto& name : options.names)
    if (std::none_of(all.begin(), all.end(), [&](const auto& d) { return d.name == name; }))
      all.push_back({.name = name});
  for (auto& one : all) begin(c, one, options.force);
  const auto deadline = c.now() + options.wait;
  while (true) {
    for (auto& one : all)
      if (!one.settled()) look(c, one);
    const bool all_settled = std::all_of(all.begin(), all.end(), [](const auto& d) { return d.settled(); });
    if (all_settled || c.now() >= deadline) break;
    c.sleep(poll_interval);
  }
  std::vector<outcome> outcomes;
  for (const auto& one : all) outcomes.push_back(describe(one, options));
  return report(c, outcomes);
}

}  // namespace wh::ctl
