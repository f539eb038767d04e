#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "messages/ids.hpp"

/// The frames of the link between spoke and hub: a closed set. Coding: `[u32 big-endian length][msgpack array: tag,
/// fields…]` (messages/codec.hpp). Tags are in codec.cpp, numbered by hand and never reused.
namespace wh {

/// Spoken in hello and welcome; a peer with another major version is refused with a sentence that names both.
inline constexpr std::uint32_t link_protocol_version = 1;
/// What was added within the version, counted: a frame is sent only to a peer whose level has it.
///   1: renew_request, leaving, managed_namespaces, renewal_refused
inline constexpr std::uint32_t link_level = 1;

/// Largest frame either side accepts, length prefix excluded. A ManifestWork is at most 500 KiB of manifests by default.
inline constexpr std::size_t frame_bytes_max = 4 * 1024 * 1024;

// --- either direction, handled by the session itself -----------------------------------------------------------------

/// The receiver has taken this many more payload bytes: the sender may send as many again.
struct credit {
  std::uint64_t bytes = 0;
  friend bool operator==(const credit&, const credit&) = default;
};
/// Asks for a pong, to notice a dead peer behind a silent network.
struct ping {
  std::uint64_t token = 0;
  friend bool operator==(const ping&, const ping&) = default;
};
struct pong {
  std::uint64_t token = 0;
  friend bool operator==(const pong&, const pong&) = default;
};

// --- spoke to hub ----------------------------------------------------------------------------------------------------

/// First frame of every connection.
struct hello {
  std::uint32_t protocol = link_protocol_version;
  std::string software;         ///< wheelhouse-spoke/0.1.0
  std::string cluster;          ///< must be the certificate's cluster, once there is a certificate
  std::string agent;            ///< tells two installations of one cluster name apart
  std::string hub_incarnation;  ///< of the hub store that the spoke last synced with; empty before that
  std::uint32_t level = link_level;
  std::string instance = {};  ///< random, of this run of the spoke: two machines with one identity differ in it
  friend bool operator==(const hello&, const hello&) = default;
};

/// Asks for membership; the only frame (after hello) that a connection without certificate may send.
struct join_request {
  std::string token;  ///< bootstrap token `id.secret`
  std::string csr_pem;
  std::map<std::string, std::string> annotations;  ///< agent.open-cluster-management.io/… for the ManagedCluster
  std::map<std::string, std::string> client_configs =
      {};  ///< the cluster's own API: https URL to CA bundle (PEM, or empty)
  friend bool operator==(const join_request&, const join_request&) = default;
};

/// One prescription that the spoke holds.
struct held_work {
  std::string name;
  std::string uid;
  generation gen;
  bool deleting = false;
  std::string history = {};  ///< incarnation of the hub's store that gave `gen` out, if another than hello names
  friend bool operator==(const held_work&, const held_work&) = default;
};

/// "This is what I hold": the hub answers with what differs, then sync_done.
struct sync_request {
  std::vector<held_work> works;
  friend bool operator==(const sync_request&, const sync_request&) = default;
};

/// Renews managed-cluster-lease.
struct heartbeat {
  instant sent;  ///< spoke's clock, for the clock check
  friend bool operator==(const heartbeat&, const heartbeat&) = default;
};

/// State of the cluster itself; the newest replaces all before.
struct cluster_report {
  std::uint64_t seq = 0;
  bool available = true;
  std::string available_reason;
  std::string available_message;
  std::string kubernetes_version;
  std::map<std::string, std::string> capacity;  ///< resource name to quantity
  std::map<std::string, std::string> allocatable;
  std::map<std::string, std::string> claims = {};  ///< name to value; reserved and custom, within the spoke's limits
  std::uint32_t claims_dropped = 0;                ///< custom claims beyond the limit
  /// Names of managed namespaces to what went wrong with them; empty: applied.
  std::map<std::string, std::string> namespaces = {};
  friend bool operator==(const cluster_report&, const cluster_report&) = default;
};

/// Observed status of one work; kept by the spoke and sent again until acknowledged.
struct work_report {
  std::string name;
  std::string uid;
  std::uint64_t seq = 0;  ///< counts this work's reports, across restarts
  generation observed;    ///< the prescription's generation that it answers
  shared_bytes status;    ///< the ManifestWork's status as JSON
  friend bool operator==(const work_report& a, const work_report& b) {
    return a.name == b.name && a.uid == b.uid && a.seq == b.seq && a.observed == b.observed &&
           (a.status == b.status || (a.status && b.status && *a.status == *b.status));
  }
};

/// Asks for a certificate for the next key, under the current one; answered by join_certificate or renewal_refused.
struct renew_request {
  std::string csr_pem;
  friend bool operator==(const renew_request&, const renew_request&) = default;
};

/// The cluster's administrator takes it away from this hub: the last word of this identity.
struct leaving {
  bool keep_workloads = false;
  friend bool operator==(const leaving&, const leaving&) = default;
};

/// Everything that the work put on the cluster is gone (or left, as its deleteOption says): the finalizer may go.
struct work_finished {
  std::string name;
  std::string uid;
  friend bool operator==(const work_finished&, const work_finished&) = default;
};

// --- hub to spoke ----------------------------------------------------------------------------------------------------

/// Answers hello of a member, and again whenever one of its facts changes.
struct welcome {
  std::uint32_t protocol = link_protocol_version;
  std::string hub_incarnation;
  instant hub_now;
  bool accepted = false;  ///< spec.hubAcceptsClient; until true nothing else comes
  duration lease{};       ///< heartbeat period
  std::uint32_t level = link_level;
  bool cleanup = false;  ///< not accepted any more, but works are left: only their removals pass
  friend bool operator==(const welcome&, const welcome&) = default;
};

/// The hub ends the connection and says why; `retry_after` 0 leaves the back-off to the spoke.
struct refused {
  errc code = errc::forbidden;
  std::string message;
  duration retry_after{};
  bool final = false;  ///< trying again cannot help until a person acts
  friend bool operator==(const refused&, const refused&) = default;
};

/// Progress of a join: a sentence for the spoke's log, saying what the hub's administrator must still do.
struct join_pending {
  std::string message;
  friend bool operator==(const join_pending&, const join_pending&) = default;
};

/// The certificate for the CSR of join_request. The spoke reconnects with it.
struct join_certificate {
  std::string cert_pem;
  std::string ca_pem;
  friend bool operator==(const join_certificate&, const join_certificate&) = default;
};

/// No certificate for renew_request; the one in use works until it expires.
struct renewal_refused {
  std::string message;
  friend bool operator==(const renewal_refused&, const renewal_refused&) = default;
};

/// The namespaces that the cluster should carry for its sets: name to the sets that want it, joined by commas. Replaces
/// what was sent before.
struct managed_namespaces {
  std::string hub_hash;  ///< 63 hexadecimal digits: part of the label that says which hub manages a namespace
  std::map<std::string, std::string> namespaces = {};
  friend bool operator==(const managed_namespaces&, const managed_namespaces&) = default;
};

/// One prescription as it should be. `deleting`: remove what it put there, then send work_finished.
struct work_desired {
  std::string name;
  std::string uid;
  generation gen;
  bool deleting = false;
  shared_bytes body;  ///< the ManifestWork without status, stored form
  friend bool operator==(const work_desired& a, const work_desired& b) {
    return a.name == b.name && a.uid == b.uid && a.gen == b.gen && a.deleting == b.deleting &&
           (a.body == b.body || (a.body && b.body && *a.body == *b.body));
  }
};

/// The spoke holds a work that this hub's store does not know although it is the same, unrestored store: it was removed
/// for good while the spoke was away.
struct work_unknown {
  std::string name;
  std::string uid;
  friend bool operator==(const work_unknown&, const work_unknown&) = default;
};

/// Everything that differed has been sent.
struct sync_done {
  revision at;
  friend bool operator==(const sync_done&, const sync_done&) = default;
};

/// A report is durable on the hub. `work` empty: the cluster_report.
struct report_ack {
  std::string work;
  std::string uid;
  std::uint64_t seq = 0;
  friend bool operator==(const report_ack&, const report_ack&) = default;
};

using frame_to_hub = std::variant<credit, ping, pong, hello, join_request, sync_request, heartbeat, cluster_report,
                                  work_report, work_finished, renew_request, leaving>;
using frame_to_spoke = std::variant<credit, ping, pong, welcome, refused, join_pending, join_certificate, work_desired,
                                    work_unknown, sync_done, report_ack, renewal_refused, managed_namespaces>;

}  // namespace wh
