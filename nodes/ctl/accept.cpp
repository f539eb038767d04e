#include "nodes/ctl/accept.hpp"

#include <algorithm>
#include <ostream>
#include <set>

#include "base/encoding.hpp"
#include "transport/pki.hpp"

namespace wh::ctl {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(300);
constexpr int conflicts_max = 5;

bool has_condition(const document& csr, std::string_view type) {
  const auto* conditions = find_path(csr, {"status", "conditions"});
  return conditions && find_condition(*conditions, type) != nullptr;
}

/// What is known of one cluster while it is being accepted.
struct acceptance {
  std::string name;
  std::vector<std::string> approved = {};  ///< CSRs approved by us
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

result<void> approve(console& c, const pending_csr& request) {
  auto csr = request.object;
  for (int attempt = 0; attempt < conflicts_max; ++attempt) {
    csr["status"]["conditions"].push_back({{"type", "Approved"},
                                           {"status", "True"},
                                           {"reason", "WhctlAccept"},
                                           {"message", "This CSR was approved by whctl accept."},
                                           {"lastUpdateTime", to_rfc3339(c.now())}});
    const auto done = c.hub.replace(csr_path(request.name, "approval"), csr);
    if (done) return {};
    if (done.err().code != errc::conflict) return done.err();
    auto newer = c.hub.get(csr_path(request.name));
    if (!newer) return newer.err();
    if (has_condition(*newer, "Approved")) return {};
    csr = std::move(*newer);
  }
  return fail(errc::conflict, "CSR " + request.name + " keeps changing; try again");
}

result<void> approve_requests(console& c, const accept_options& options, acceptance& state) {
  const auto query = "labelSelector=" + percent_encode("open-cluster-management.io/cluster-name=" + state.name);
  const auto csrs = c.hub.list(csr_path(), query);
  if (!csrs) return csrs.err();
  state.certified =
      std::any_of(csrs->begin(), csrs->end(), [](const auto& csr) { return has_condition(csr, "Approved"); });
  // While waiting, the cluster joins because of what this very run has approved.
  const bool joined_before = state.joined && state.approved.empty();
  const auto chosen = choose_requests(state.name, pending_requests(*csrs, state.name), joined_before, options.csrs);
  if (!chosen) return chosen.err();
  for (const auto& request : *chosen) {
    if (auto done = approve(c, request); !done) return done;
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

std::vector<pending_csr> pending_requests(const std::vector<document>& csrs, std::string_view cluster) {
  std::vector<pending_csr> pending;
  for (const auto& csr : csrs) {
    if (string_at(csr, {"spec", "signerName"}) != "kubernetes.io/kube-apiserver-client") continue;
    if (label_of(csr, "open-cluster-management.io/cluster-name") != cluster) continue;
    if (has_condition(csr, "Approved") || has_condition(csr, "Denied") || has_condition(csr, "Failed")) continue;
    if (!string_at(csr, {"status", "certificate"}).empty()) continue;
    const auto pem = from_base64(string_at(csr, {"spec", "request"}));
    const auto asked = pem ? inspect_csr(*pem) : result<csr_info>(pem.err());
    pending.push_back({.name = std::string(name_of(csr)),
                       .common_name = asked ? asked->subj.common_name : "unreadable request",
                       .key_sha256 = asked ? asked->public_key_sha256 : "",
                       .requester = std::string(string_at(csr, {"spec", "username"})),
                       .object = csr});
  }
  return pending;
}

result<std::vector<pending_csr>> choose_requests(const std::string& cluster, std::vector<pending_csr> pending,
                                                 bool joined, const std::vector<std::string>& csrs) {
  // The hub approves renewals by itself: the agent that asks already speaks for the cluster.
  std::erase_if(pending, [](const auto& p) { return p.requester == p.common_name; });
  if (!csrs.empty()) {
    std::erase_if(pending, [&](const auto& p) { return std::find(csrs.begin(), csrs.end(), p.name) == csrs.end(); });
    return pending;
  }
  if (pending.empty()) return pending;
  std::set<std::string> agents;
  std::string requests;
  for (const auto& p : pending) {
    agents.insert(p.common_name + "/" + p.key_sha256);
    requests += (requests.empty() ? "" : ", ") + p.name + " (" + p.common_name + ", requested by " + p.requester + ")";
  }
  const std::string way_out = " Approve the one that you trust with: whctl accept " + cluster + " --csr NAME";
  if (joined)
    return fail(errc::conflict, "the cluster has joined already, and another agent asks for its name: " + requests +
                                    ". Unless you have reinstalled this spoke, somebody else uses its name." + way_out);
  if (agents.size() > 1)
    return fail(errc::conflict, "several agents or keys ask for this name: " + requests + "." + way_out);
  return pending;
}

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
  for (const auto& state : states) outcomes.push_back(describe(state, options.wait.has_value()));
  return report(c, outcomes);
}

}  // namespace wh::ctl
