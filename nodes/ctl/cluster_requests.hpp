#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "nodes/ctl/console.hpp"

namespace wh::ctl {

/// A request for a client certificate of a cluster, as stored on the hub.
struct pending_csr {
  std::string name;
  std::string common_name;  ///< whom the certificate will speak for
  std::string key_sha256;   ///< of its public key
  std::string requester;
  document object;
};

/// A request that carries a cluster's label, waits for a decision, and gets none from us.
struct csr_left_alone {
  std::string name;
  std::string why;  ///< goes on after "left alone: "
};

struct request_review {
  std::vector<pending_csr> pending;
  std::vector<csr_left_alone> left;
};

/// Sorts the requests among `csrs` that carry the label of `cluster`. Pending are those that ask for a client certificate
/// of exactly this cluster (common name and groups compared as a whole), asked for by somebody who may bring in a cluster: a
/// bootstrap token or a ServiceAccount. Requests in `named` may come from anybody but another cluster. Those that are
/// decided by approval or a certificate are in neither list.
request_review review_requests(const std::vector<document>& csrs, std::string_view cluster,
                               const std::vector<std::string>& named = {});

/// Which of the pending requests accepting `cluster` approves. Refused, with the way out: several agents ask for one
/// name (or several keys in one agent's name: anybody can copy that), or the cluster has joined already and another agent
/// asks for its name. One of them may be an impostor, and only a person can tell which.
result<std::vector<pending_csr>> choose_requests(const std::string& cluster, std::vector<pending_csr> pending,
                                                 bool joined, const std::vector<std::string>& named);

/// Approves a request. One that is approved already is no failure.
result<void> approve_request(console& c, const pending_csr& request);

/// Whether a CSR has a condition of this type.
bool csr_has(const document& csr, std::string_view type);

}  // namespace wh::ctl
