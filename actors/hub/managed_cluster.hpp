#pragma once
#include <map>
#include <optional>
#include <string>

#include "actors/actor.hpp"
#include "resources/document.hpp"

namespace wh {

/// The hub's side of one cluster. It decides about everything in the cluster's namespace that has behaviour (its
/// ManagedCluster, its ManifestWorks, its lease), and its remote peer is the cluster agent on the spoke.
///
///   absent ──join_asked / kubectl create──► pending ──hubAcceptsClient──► accepted ──delete──► deleting ──► absent
///
/// Only typed facts live here; bodies stay in the store and are read when one must be sent or changed.
struct managed_cluster {
  std::string name;

  bool exists = false;
  bool accepted = false;
  bool deleting = false;
  duration lease = std::chrono::seconds(60);
  std::string key_sha256;  ///< owner of the name; empty: nobody joined yet
  std::string lease_uid;
  bool joins_default_set = true;              ///< gate DefaultClusterSet, for clusters that join over the link
  std::vector<managed_namespace> namespaces;  ///< that its sets want on it; as in status.managedNamespaces

  /// One ManifestWork of the cluster's namespace.
  struct work_entry {
    std::string uid;
    generation gen;
    bool deleting = false;
    bool finalizer = false;  ///< ours is on it: the spoke may hold it
    friend bool operator==(const work_entry&, const work_entry&) = default;
  };
  std::map<std::string, work_entry> works;

  /// The member connection, while there is one.
  struct link {
    session_id session;
    std::string hub_incarnation;  ///< as the spoke remembers it
    bool synced = false;          ///< changes are pushed from here on
    std::uint32_t level = 0;      ///< link_level of the spoke
    std::optional<cluster_report> last_report;
  };
  std::optional<link> peer;

  /// A connection without certificate that waits for approval.
  struct applicant {
    session_id session;
    std::string csr_name;
  };
  std::optional<applicant> waiting;

  instant renewed{};           ///< last heartbeat, or start of this life
  bool lease_expired = false;  ///< Available has been set to Unknown
};

managed_cluster make_managed_cluster(std::string name);
void restore(managed_cluster& self, const context& ctx, outbox& out);
void on(managed_cluster& self, const join_asked& m, const context& ctx, outbox& out);
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
