#pragma once
#include <optional>
#include <string>

#include "actors/actor.hpp"
#include "actors/hub/managed_cluster.hpp"
#include "resources/document.hpp"

/// Which certificate requests the hub approves by itself, and what no approval may give (spec 3.3).
namespace wh {

/// The agent that a request asks a certificate for; an error says why it is no request of the labelled cluster. Exact: label,
/// signer, CN `system:open-cluster-management:<cluster>:<agent>`, and as O the cluster's group with or without that of all
/// clusters; whole segments, nothing else.
result<std::string> requested_agent(const document& csr, const crypto_port::csr_facts& facts);

/// What no approval may give: the administrators' group, and for whoever claims to act for a cluster, any identity but that
/// of the request's own cluster.
result<void> check_subject(const document& csr, const crypto_port::csr_facts& facts);

/// Approves the request in place if its sender may have it without a person: a renewal by the very identity, while the
/// cluster is accepted; or, with the gate on, a request of one of the listed users for a name that no other key owns. The
/// message of the approval; nullopt: left to a person.
std::optional<std::string> approve_automatically(document& csr, const crypto_port::csr_facts& facts,
                                                 const registration_settings& settings, const context& ctx);

}  // namespace wh
