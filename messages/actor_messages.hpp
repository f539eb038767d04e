#pragma once
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "messages/batch.hpp"
#include "messages/link.hpp"

/// What actors say to each other and to the ports of their node. Plain structs, one closed variant.
namespace wh {

/// The kinds of things that have a mailbox. Numbers appear in traces; never reuse one.
enum class actor_kind : std::uint8_t {
  none = 0,
  // actors of the hub
  managed_cluster = 1,        ///< name: the cluster
  gatekeeper = 2,             ///< one: checks bootstrap tokens
  certificate_authority = 3,  ///< one: signs approved CSRs
  cluster_sets = 4,           ///< one: which cluster is in which ManagedClusterSet
  // actors of any API server's node (hub, embedded cluster)
  namespace_lifecycle = 10,  ///< one: empties terminating namespaces
  garbage_collector = 11,    ///< one: owner references
  event_reaper = 12,         ///< one: Events of long ago
  // actors of the spoke
  cluster_agent = 20,  ///< one: registration and link
  work = 21,           ///< name: the ManifestWork
  // ports: not actors, but addressed like them
  session = 40,  ///< name: session number; the link session, proxy of the remote peer
  dialer = 41,   ///< opens the spoke's link
  cluster = 42,  ///< the cluster port
  api = 43,      ///< waits for admit_reply
  node = 44,     ///< the process itself
};

/// Where a message goes.
struct address {
  actor_kind kind = actor_kind::none;
  std::string name;
  friend auto operator<=>(const address&, const address&) = default;
  friend bool operator==(const address&, const address&) = default;
};
std::string to_string(const address& a);  ///< managed_cluster/c1
inline address session_address(session_id id) { return {actor_kind::session, std::to_string(id.get())}; }

/// A timer that the actor asked for has run out. Timers are lost with the actor's state; restore() arms them again.
struct timer_fired {
  std::string name;
  friend bool operator==(const timer_fired&, const timer_fired&) = default;
};

/// A committed change that the node routes to an actor by its subscription (kinds that it reacts to but does not own).
struct object_changed {
  change what;
};

/// A write through REST that the actor owns: answer with admit_reply, and put the write into the outbox's batch.
struct admit_write {
  enum class verb_kind : std::uint8_t { create = 1, update = 2, remove = 3 };
  request_id id;
  verb_kind verb = verb_kind::create;
  object_key key;
  revision old_rev;   ///< 0 on create
  shared_bytes body;  ///< the new version as validated and defaulted; null: the object goes for good
  std::string user;
  batch proposed;  ///< what the server would have submitted
};

/// `failure` empty: admitted, and released only after the commit. `put_index` says which put of the batch is the object,
/// so that the node can tell the revision; -1: the object was erased or not written at all.
struct admit_reply {
  request_id id;
  std::optional<error> failure;
  int put_index = -1;
  shared_bytes body;  ///< as written
};

// --- sets ---------------------------------------------------------------------------------------------------------------

/// A namespace that a set wants on its clusters.
struct managed_namespace {
  std::string cluster_set;
  std::string name;
  friend auto operator<=>(const managed_namespace&, const managed_namespace&) = default;
  friend bool operator==(const managed_namespace&, const managed_namespace&) = default;
};
/// Sets to a managed_cluster: the namespaces that it should carry, sorted; replaces what was said before.
struct namespaces_due {
  std::vector<managed_namespace> namespaces;
};

// --- link, as actors see it ------------------------------------------------------------------------------------------

/// Hub: a spoke with a valid certificate for this cluster has said hello.
struct spoke_connected {
  session_id session;
  hello greeting;
  std::string key_sha256;             ///< of the certificate's public key
  instant not_before{}, not_after{};  ///< of the certificate
  std::string remote;                 ///< ip:port
};
/// Hub: a connection without certificate asks to join; to the gatekeeper, which passes it on when the token is good.
struct join_asked {
  session_id session;
  std::string cluster;
  std::string agent;
  join_request request;
  std::string remote;
};
/// Held by a message that came over the link, and by nothing else: when the last holder is gone, the frame has been dealt
/// with (its effects are durable, or it was dropped), and the peer may send as many bytes again. Null: it took no credit.
using link_receipt = std::shared_ptr<const void>;

/// Hub: a frame of a connected spoke.
struct spoke_frame {
  session_id session;
  frame_to_hub frame;
  link_receipt receipt{};
};
/// Either side: the connection is gone.
struct session_closed {
  session_id session;
  error why;
};
/// To a session on the hub: send this; `then_close` ends the connection after it.
struct send_to_spoke {
  frame_to_spoke frame;
  bool then_close = false;
};
/// To a session on the hub: end it unless the peer shows within this time that it is alive.
struct probe_session {
  duration within{};
};
/// To a session: drop it.
struct close_session {
  std::string reason;
};

/// Spoke: to the dialer. Empty certificate: dial without, to join.
struct dial_hub {
  std::string key_pem;
  std::string cert_pem;
  std::string ca_pem;  ///< trusted; empty: by pin
  std::string ca_pin;
  hello greeting;  ///< sent as the first frame
};
/// Spoke: the link is up (TLS done, hello sent).
struct hub_connected {
  session_id session;
  std::string ca_pem;  ///< the CA that the pin matched
};
struct dial_failed {
  error why;
};
struct hub_frame {
  session_id session;
  frame_to_spoke frame;
  link_receipt receipt{};
};
/// To the session on the spoke.
struct send_to_hub {
  frame_to_hub frame;
};

// --- spoke ------------------------------------------------------------------------------------------------------------

/// Agent to a work: what the hub wants. Persist first, then act.
struct prescribe {
  work_desired desired;
  std::string history;  ///< incarnation of the hub's store; generations of two histories cannot be compared
};
/// Agent to a work: the hub does not know it any more, or the cluster leaves the hub.
struct withdraw {
  std::string uid;
  bool keep = false;     ///< forget the work, and leave on the cluster what it made
  bool at_once = false;  ///< the cluster leaves: no grace, and nobody confirms
};
/// Agent to every work with an unacknowledged report: the link is synced again, send it.
struct resend_report {};
/// Agent to every work with an unacknowledged report: the hub has no such cluster any more, so nobody waits for the word
/// that a work is over.
struct cluster_unknown {};
struct report_acked {
  std::string uid;
  std::uint64_t seq = 0;
};
/// Work to agent: durable state of the prescription changed; `gone`: it was removed.
struct work_held {
  held_work held;
  bool gone = false;
  bool reports_pending = false;
};
/// Work to agent: goes to the hub if the link is synced, else stays with the work (which holds it durably).
struct report_ready {
  work_report report;
};
struct finished_ready {
  work_finished finished;
};

/// An object on the managed cluster.
struct cluster_object {
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  friend auto operator<=>(const cluster_object&, const cluster_object&) = default;
  friend bool operator==(const cluster_object&, const cluster_object&) = default;
};
/// To the cluster port; answered by cluster_reply with the same id.
struct cluster_call {
  enum class verb_kind : std::uint8_t { get = 1, create = 2, replace = 3, remove = 4, replace_status = 5, apply = 6 };
  request_id id;
  verb_kind verb = verb_kind::get;
  cluster_object object;
  shared_bytes body;         ///< create, replace, apply: the object as JSON; replace carries metadata.resourceVersion
  std::string uid;           ///< remove: precondition, if not empty
  std::string manager = {};  ///< apply: who owns the fields. errc::conflict: others own some
  bool force = false;        ///< apply: takes them nevertheless
};
struct cluster_reply {
  request_id id;
  std::optional<error> failure;  ///< errc::not_found on get: absent. errc::unsupported: kind unknown to the cluster
  shared_bytes body;             ///< JSON with resourceVersion
  std::string resource;          ///< plural, as discovery maps the kind
  bool namespaced = false;
};
/// To the cluster port: tell me (drifted) when any of these changes; replaces what this sender asked before.
struct cluster_watch {
  std::vector<cluster_object> objects;
};
struct drifted {
  cluster_object object;
  revision rev;  ///< of the change on the cluster
};
/// To the agent, by the cluster port, on start and on change (coalesced to once a few seconds).
struct cluster_facts {
  bool healthy = true;
  std::string message;
  std::string kubernetes_version;
  std::map<std::string, std::string> capacity;
  std::map<std::string, std::string> allocatable;
  std::map<std::string, std::string> claims = {};  ///< name to value; all that there are
};

// --- to the node ------------------------------------------------------------------------------------------------------

/// Going on is pointless until a person acts: the program says why and ends with a failure.
struct give_up {
  std::string why;
};
/// To the agent: the administrator of the cluster takes it away from the hub.
struct leave_due {
  bool keep_workloads = false;
};
/// The cluster has left: identity and prescriptions are erased.
struct left {
  bool hub_told = false;
};
/// The sender has nothing left to do: end it after what it has received.
struct retire_me {};

using message =
    std::variant<timer_fired, object_changed, admit_write, admit_reply, spoke_connected, join_asked, spoke_frame,
                 session_closed, send_to_spoke, close_session, dial_hub, hub_connected, dial_failed, hub_frame,
                 send_to_hub, prescribe, withdraw, resend_report, report_acked, work_held, report_ready, finished_ready,
                 cluster_call, cluster_reply, cluster_watch, drifted, cluster_facts, give_up, retire_me,
                 cluster_unknown, probe_session, leave_due, left, namespaces_due>;

/// The message's type name, for traces and counters.
std::string_view name_of(const message& m);

struct envelope {
  address to;
  address from;
  message body;
};

}  // namespace wh
