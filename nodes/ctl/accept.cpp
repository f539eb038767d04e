#include "nodes/ctl/accept.hpp"

#include <algorithm>
#include <ostream>

#include "actors/names.hpp"
#include "nodes/ctl/cluster_requests.hpp"

namespace wh::ctl {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(300);

/// What is known of one cluster while it is being accepted.
struct acceptance {
  std::string name;
  std::vector<std::string> approved = {};  ///< CSRs approved by us
  std::vector<csr_left_alone> left = {};   ///< of the last look
  std::vector<std::string> seen = {};      ///< all its requests
  bool certified = false;                  ///< some request of the cluster is approved
  bool accepted_now = false;
  bool accepted_before = false;
  bool joined = false;
  bool available = false;
  bool exists = false;
  std::optional<error> failure = {};

  bool accepted() const { return accepted_now || accepted_before; }
  bool settled() const { return failure || (accepted() && joined && available); }
};

result<void> approve_requests(console& c, const accept_options& options, acceptance& state) {
  const auto query = "labelSelector=" + percent_encode(std::string(names::cluster_name_label) + "=" + state.name);
  const auto csrs = c.hub.list(csr_path(), query);
  if (!csrs) return csrs.err();
  state.seen.clear();
  for (const auto& csr : *csrs) state.seen.emplace_back(name_of(csr));
  state.certified = std::any_of(csrs->begin(), csrs->end(), [](const auto& csr) {
    return csr_has(csr, "Approved") && label_of(csr, "open-cluster-management.io/addon-name").empty();
  });
  // While waiting, the cluster joins because of what this very run has approved.
  const bool joined_before = state.joined && state.approved.empty();
  auto review = review_requests(*csrs, state.name, options.csrs);
  state.left = std::move(review.left);
  for (const auto& csr : state.left)
    if (std::find(options.csrs.begin(), options.csrs.end(), csr.name) != options.csrs.end())
      return fail(errc::forbidden, "CSR " + csr.name + " was not approved: " + csr.why);
  const auto chosen = choose_requests(state.name, std::move(review.pending), joined_before, options.csrs);
  if (!chosen) return chosen.err();
  for (const auto& request : *chosen) {
    if (auto done = approve_request(c, request); !done) return done;
    state.approved.push_back(request.name);
    state.certified = true;
  }
  return {};
}

result<void> look_at(console& c, acceptance& state) {
  const auto cluster = c.hub.find(clusters_path(state.name));
  if (!cluster) return cluster.err();
  state.exists = cluster->has_value();
  if (!state.exists) return {};
  state.joined = condition_status(**cluster, "ManagedClusterJoined") == "True";
  state.available = condition_status(**cluster, "ManagedClusterConditionAvailable") == "True";
  if (!state.accepted_now) state.accepted_before = bool_at(**cluster, {"spec", "hubAcceptsClient"}, false);
  return {};
}

/// One try to bring the cluster a step further. What is not there yet is no failure here.
result<void> advance(console& c, const accept_options& options, acceptance& state) {
  if (auto looked = look_at(c, state); !looked) return looked;
  if (auto approved = approve_requests(c, options, state); !approved) return approved;
  if (!state.exists || state.accepted()) return {};
  const auto done = c.hub.merge_patch(clusters_path(state.name), {{"spec", {{"hubAcceptsClient", true}}}});
  if (!done) return done.err();
  state.accepted_now = true;
  return {};
}

/// Names that --csr was given and that no request of these clusters has.
std::vector<outcome> unknown_requests(const std::vector<std::string>& named, const std::vector<acceptance>& states) {
  std::vector<outcome> outcomes;
  for (const auto& name : named) {
    const bool known = std::any_of(states.begin(), states.end(), [&](const acceptance& s) {
      return std::find(s.seen.begin(), s.seen.end(), name) != s.seen.end();
    });
    if (known) continue;
    const auto why = "no certificate request of this name asks for one of these clusters (kubectl get csr lists them)";
    outcomes.push_back({.text = name + ": " + why, .fields = {{"request", name}, {"error", why}}, .ok = false});
  }
  return outcomes;
}

std::string what_is_missing(const acceptance& state) {
  if (!state.exists)
    return "it has not asked to join yet: start its spoke with the command that whctl get token prints, and accept it "
           "then (or use --wait 5m)";
  if (!state.certified && !state.joined)
    return "accepted, but no certificate request of it is here yet: run this again once its spoke has asked (or use "
           "--wait 5m)";
  return "";
}

std::string what_was_done(const acceptance& state) {
  std::string text;
  for (const auto& csr : state.approved) text += (text.empty() ? "approved " : ", ") + csr;
  if (state.accepted_now) text += text.empty() ? "accepted" : ", accepted";
  if (text.empty()) text = "already accepted";
  return text;
}

outcome describe(const acceptance& state, bool waited) {
  outcome result{.text = {},
                 .fields = {{"name", state.name},
                            {"approvedRequests", state.approved},
                            {"accepted", state.accepted()},
                            {"joined", state.joined},
                            {"available", state.available}},
                 .ok = true};
  for (const auto& csr : state.left) result.fields["leftAlone"].push_back({{"name", csr.name}, {"why", csr.why}});
  std::string problem = state.failure ? state.failure->message : what_is_missing(state);
  if (problem.empty() && waited && !state.settled())
    problem = what_was_done(state) + ", but it is not " + (state.joined ? "available" : "joined") + " yet: time is up";
  if (problem.empty()) {
    result.text = state.name + ": " + what_was_done(state) + (waited ? "; joined and available" : "");
  } else {
    result.ok = false;
    result.text = state.name + ": " + problem;
    result.fields["error"] = problem;
  }
  return result;
}

}  // namespace

int accept_clusters(console& c, const accept_options& options) {
  std::vector<acceptance> states;
  for (const auto& name : options.names) {
    const auto same = [&](const auto& s) { return s.name == name; };
    if (std::none_of(states.begin(), states.end(), same)) states.push_back({.name = name});
  }
  const auto deadline = c.now() + options.wait.value_or(duration::zero());
  while (true) {
    for (auto& state : states) {
      if (state.settled()) continue;
      if (auto done = advance(c, options, state); !done) state.failure = done.err();
    }
    const bool all_settled = std::all_of(states.begin(), states.end(), [](const auto& s) { return s.settled(); });
    if (all_settled || c.now() >= deadline) break;
    c.sleep(poll_interval);
  }
  std::vector<outcome> outcomes;
  for (auto& state : states) {
    for (const auto& csr : state.left)
      c.err << printable(state.name + ": CSR " + csr.name + " is left alone: " + csr.why) << "\n";
    outcomes.push_back(describe(state, options.wait.has_value()));
  }
  for (auto& unknown : unknown_requests(options.csrs, states)) outcomes.push_back(std::move(unknown));
  return report(c, outcomes);
}

}  // namespace wh::ctl
