#pragma once
#include <optional>
#include <string>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

struct accept_options {
  std::vector<std::string> names = {};
  std::vector<std::string> csrs = {};  ///< approve these requests only; needed when several agents ask for one name
  std::optional<duration> wait = {};   ///< until the clusters are joined and available
};

/// A request for a client certificate of a cluster, as stored on the hub.
struct pending_csr {
  std::string name;
  std::string common_name;  ///< whom the certificate will speak for
  std::string key_sha256;   ///< of the public key; empty if the request is unreadable
  std::string requester;
  document object;
};

/// The requests among `csrs` that wait for a decision and ask for a client certificate of `cluster`.
std::vector<pending_csr> pending_requests(const std::vector<document>& csrs, std::string_view cluster);

/// Which of the pending requests accepting `cluster` approves. Refused, with the way out: several agents (or one agent's
/// name with several keys: anybody can copy a name) ask for one name, or the cluster has joined already and another agent asks for its name. One of them may be an impostor, and only
/// a person can tell which.
result<std::vector<pending_csr>> choose_requests(const std::string& cluster, std::vector<pending_csr> pending,
                                                 bool joined, const std::vector<std::string>& csrs);

/// `whctl accept NAME…`: approves the certificate request and sets spec.hubAcceptsClient. Doing it again changes nothing.
int accept_clusters(console& c, const accept_options& options);

}  // namespace wh::ctl
