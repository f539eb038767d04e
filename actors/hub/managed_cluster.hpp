#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "resources/document.hpp"

namespace wh {

/// What a hub's flags say about registration.
struct registration_settings {
  /// Gate ManagedClusterAutoApproval: requests of these users are approved, and their clusters accepted, once.
  bool auto_approval = false;
  std::vector<std::string> auto_approved_users;
  bool default_cluster_set = true;  ///< Gate DefaultClusterSet: clusters that join are put into the set default.
};

/// The hub's side of one cluster. It decides about everything in the cluster's namespace that has behaviour (its
/// ManagedCluster, its ManifestWorks, its lease), and its remote peer is the cluster agent on the spoke.
///
///   absent ──join_asked / kubectl create──► pending ──hubAcceptsClient──► accepted ──delete──► deleting ──► absent
///                                              ▲                             │
///                                              └────────── denied ◄──────────┘  (clean-up while works are left)
///
/// Only typed facts live here; bodies stay in the store and are read when one must be sent or changed. Source files:
/// managed_cluster (start, timers), _admission (writes through REST), _join (identity), _link (sessions), _sync (works),
/// _status (reports, heartbeats, what follows from them), _access (acceptance, denial), _namespaces (of sets), _removal.
struct managed_cluster {
  std::string name;
  registration_settings settings;

  bool exists = false;
  bool accepted = false;
  bool deleting = false;
  bool abandoned = false;  ///< its spoke will never answer: it left, or an administrator says so
  duration lease = std::chrono::seconds(60);
  std::string key_sha256;       ///< owner of the name, or revoked:<digest>; empty: nobody joined yet
  instant certificate_since{};  ///< notBefore of the newest certificate shown
  instant certificate_until{};  ///< and its notAfter, or that of one which was handed out and not shown yet
  instant issued_until{};       ///< notAfter of one that is being handed out
  std::string available;        ///< status of that condition
  std::string clock_synced;     ///< status of that condition
  bool skip_clock_check = false;
  std::string lease_uid;
  std::vector<managed_namespace> namespaces;  ///< that its sets want on it; as in status.managedNamespaces

  /// One ManifestWork of the cluster's namespace.
  struct work_entry {
    std::string uid;
    generation gen;
    bool deleting = false;
    bool finalizer = false;  ///< ours is on it: the spoke may hold it
    generation behind{};     ///< the spoke holds this newer generation, which a restore made the hub forget
    friend bool operator==(const work_entry&, const work_entry&) = default;
  };
  std::map<std::string, work_entry> works;

  /// The member connection, while there is one.
  struct link {
    session_id session;
    std::string hub_incarnation;  ///< as the spoke remembers it
    bool synced = false;          ///< changes are pushed from here on
    std::optional<cluster_report> last_report = {};
    std::uint32_t level = 0;    ///< of what the spoke understands
    std::string instance = {};  ///< of this run of the spoke
    std::string agent = {};
    std::string remote = {};
    std::string csr_name = {};  ///< the renewal that it waits for
  };
  std::optional<link> peer;

  /// A second machine with the same identity, while it is found out whether the first one is still there.
  std::optional<spoke_connected> challenger;

  /// A connection without certificate that waits for approval.
  struct applicant {
    session_id session;
    std::string csr_name;
  };
  std::optional<applicant> waiting;

  instant clock_shown{};          ///< renewTime of an agent that writes its lease itself
  instant renewed{};              ///< last heartbeat, or start of this life
  std::vector<instant> renewals;  ///< requests for a next certificate within the last hour
};

managed_cluster make_managed_cluster(std::string name, registration_settings settings = {});
void restore(managed_cluster& self, const context& ctx, outbox& out);
void on(managed_cluster& self, const join_asked& m, const context& ctx, outbox& out);
/// Certificate requests that name the cluster; its namespace, roles and bindings, changed by others; its add-ons.
void on(managed_cluster& self, const object_changed& m, const context& ctx, outbox& out);
void on(managed_cluster& self, const spoke_connected& m, const context& ctx, outbox& out);
void on(managed_cluster& self, const spoke_frame& m, const context& ctx, outbox& out);
void on(managed_cluster& self, const session_closed& m, const context& ctx, outbox& out);
void on(managed_cluster& self, const namespaces_due& m, const context& ctx, outbox& out);
void on(managed_cluster& self, const admit_write& m, const context& ctx, outbox& out);
void on(managed_cluster& self, const timer_fired& m, const context& ctx, outbox& out);

/// Grace is this many lease periods (ocm: pkg/registration/hub/lease/controller.go, leaseDurationTimes).
inline constexpr int lease_grace_times = 5;

}  // namespace wh
