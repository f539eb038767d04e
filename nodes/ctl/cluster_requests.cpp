#include "nodes/ctl/cluster_requests.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "actors/names.hpp"
#include "base/encoding.hpp"
#include "transport/pki.hpp"

namespace wh::ctl {
namespace {

constexpr int conflicts_max = 5;
constexpr const char* addon_label = "open-cluster-management.io/addon-name";

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

/// What keeps a subject from being an agent of this cluster; empty: nothing. Whole names are compared, never beginnings:
/// c1 is no part of c10, and an agent's name has no colon.
std::string trouble_with(const subject& subj, std::string_view cluster) {
  const auto group = names::cluster_group(cluster);
  auto groups = subj.organizations;
  std::erase(groups, names::clusters_group);
  if (groups != std::vector<std::string>{group})
    return "its groups (O) are not exactly " + group + " and, if it likes, " + names::clusters_group;
  const std::string_view name = subj.common_name;
  const bool of_cluster = name.starts_with(group + ":") && name.size() > group.size() + 1;
  if (of_cluster && name.find(':', group.size() + 1) == std::string_view::npos) return "";
  return "its common name (CN) is not " + group + ":<agent>, but " + std::string(name);
}

/// What keeps somebody from asking for this cluster's certificate; empty: nothing.
std::string trouble_with_requester(const pending_csr& request, std::string_view cluster, bool named) {
  const std::string_view who = request.requester;
  // The hub approves renewals by itself: the agent that asks already speaks for the cluster.
  if (who == request.common_name) return "it is a renewal, which the hub decides by itself";
  const bool of_cluster = who.starts_with(names::user_prefix);
  if (of_cluster && !(named && who.starts_with(names::cluster_group(cluster) + ":")))
    return "it was made by " + std::string(who) + ", which is another agent or another cluster";
  if (named || who.starts_with("system:bootstrap:") || who.starts_with("system:serviceaccount:")) return "";
  return "it was made by " + std::string(who) +
         ", neither a bootstrap token nor a ServiceAccount; if you trust it, name it with --csr " + request.name;
}

std::string trouble_before_reading(const document& csr) {
  if (string_at(csr, {"spec", "signerName"}) != names::client_signer)
    return "it is for another signer, " + std::string(string_at(csr, {"spec", "signerName"}));
  if (const auto addon = label_of(csr, addon_label); !addon.empty()) return "it is add-on " + std::string(addon) + "'s";
  if (csr_has(csr, "Denied"))
    return "it was denied; its agent asks again when it is deleted: kubectl delete csr " + std::string(name_of(csr));
  if (csr_has(csr, "Failed")) return "its signing failed; its agent asks again when it is deleted";
  return "";
}

/// Files one request where it belongs.
void review_one(const document& csr, std::string_view cluster, const std::vector<std::string>& named,
                request_review& review) {
  pending_csr request{.name = std::string(name_of(csr)),
                      .common_name = {},
                      .key_sha256 = {},
                      .requester = std::string(string_at(csr, {"spec", "username"})),
                      .object = csr};
  auto why = trouble_before_reading(csr);
  if (why.empty()) {
    const auto pem = from_base64(string_at(csr, {"spec", "request"}));
    const auto asked = pem ? inspect_csr(*pem) : result<csr_info>(pem.err());
    if (asked) request.common_name = asked->subj.common_name;
    if (asked) request.key_sha256 = asked->public_key_sha256;
    why = asked ? trouble_with(asked->subj, cluster) : "it cannot be read: " + asked.err().message;
  }
  if (why.empty()) why = trouble_with_requester(request, cluster, contains(named, request.name));
  if (why.empty()) review.pending.push_back(std::move(request));
  else review.left.push_back({.name = std::move(request.name), .why = std::move(why)});
}

}  // namespace

bool csr_has(const document& csr, std::string_view type) {
  const auto* conditions = find_path(csr, {"status", "conditions"});
  return conditions && find_condition(*conditions, type) != nullptr;
}

request_review review_requests(const std::vector<document>& csrs, std::string_view cluster,
                               const std::vector<std::string>& named) {
  request_review review;
  for (const auto& csr : csrs) {
    if (label_of(csr, names::cluster_name_label) != cluster) continue;
    if (csr_has(csr, "Approved") || !string_at(csr, {"status", "certificate"}).empty()) continue;
    review_one(csr, cluster, named, review);
  }
  return review;
}

result<std::vector<pending_csr>> choose_requests(const std::string& cluster, std::vector<pending_csr> pending,
                                                 bool joined, const std::vector<std::string>& named) {
  if (!named.empty()) {
    std::erase_if(pending, [&](const auto& p) { return !contains(named, p.name); });
    return pending;
  }
  if (pending.empty()) return pending;
  std::set<std::string> agents;
  std::string requests;
  for (const auto& p : pending) {
    agents.insert(p.common_name + "/" + p.key_sha256);  // whoever sees a request can copy the name in it
    requests += (requests.empty() ? "" : ", ") + p.name + " (" + p.common_name + ", requested by " + p.requester + ")";
  }
  const std::string way_out = " Approve the one that you trust with: whctl accept " + cluster + " --csr NAME";
  if (joined)
    return fail(errc::conflict, "the cluster has joined already, and another agent asks for its name: " + requests +
                                    ". Unless you have reinstalled this spoke, somebody else uses its name." + way_out);
  if (agents.size() > 1) return fail(errc::conflict, "several agents ask for this name: " + requests + "." + way_out);
  return pending;
}

result<void> approve_request(console& c, const pending_csr& request) {
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
    if (csr_has(*newer, "Approved")) return {};
    if (csr_has(*newer, "Denied"))
      return fail(errc::conflict, "CSR " + request.name + " was denied by somebody else in this moment");
    csr = std::move(*newer);
  }
  return fail(errc::conflict, "CSR " + request.name + " keeps changing; try again");
}

}  // namespace wh::ctl
