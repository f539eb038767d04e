#pragma once
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/actor.hpp"
#include "actors/spoke/manifest.hpp"
#include "actors/spoke/manifest_apply.hpp"

namespace wh {

/// Something that this work put, or was about to put, on the cluster. Durable before the cluster is touched, so that a
/// crash never leaves an object behind that nobody remembers.
struct applied_object {
  cluster_object object;
  std::string resource;  ///< plural; empty until the cluster has mapped the kind
  std::string uid;       ///< empty until it was applied
  friend bool operator==(const applied_object&, const applied_object&) = default;
};

/// One ManifestWork on the managed cluster: keeps its prescription durably, makes it true, keeps it true with or without
/// a hub, and reports.
///
/// It works in rounds; a round is a list of steps, each one call to the cluster port, one at a time:
///   anchor (AppliedManifestWork) ► apply each manifest by rank ► remove what is no longer listed ► record, report
/// A deleted work's round is: remove everything ► remove the anchor ► finished. A change of mind (new prescription, drift)
/// during a round lets the call under way end and then starts the next round.
struct work {
  std::string name;
  std::string hub_hash;
  std::string agent_id;

  // durable: prescriptions/<name>
  bool held = false;
  document prescription;
  std::string uid;
  generation gen;
  bool deleting = false;
  std::string history;  ///< of the hub's store that the prescription came from; durable with the state

  // durable: workstates/<name>
  std::vector<applied_object> applied;
  document status = document::object();
  std::uint64_t report_seq = 0;  ///< of the newest report
  std::uint64_t report_acked = 0;
  generation reported_gen;
  bool finished = false;            ///< everything is removed; the hub has not confirmed yet
  std::optional<instant> evict_at;  ///< the hub does not know the work any more: removal is due then
  bool leaving = false;             ///< the cluster leaves the hub: this goes at once, and nobody confirms
  bool keep = false;                ///< with leaving: the objects stay

  /// What came of one manifest in this round.
  struct outcome {
    std::string failure;  ///< empty: applied
    std::string reason = "AppliedManifestFailed";
    bool exists = false;
    bool unknown = false;  ///< the cluster could not be asked
    std::string resource;
  };

  enum class step_kind {
    idle,
    anchor_get,  ///< is the AppliedManifestWork there?
    anchor_create,
    apply_get,  ///< manifest `at`: what is on the cluster?
    apply_write,
    remove_get,  ///< removal `at`: is it there, and ours?
    remove_write,
    anchor_status,   ///< appliedResources
    anchor_release,  ///< everything is gone: drop the anchor's finalizer
    anchor_remove,
  };
  struct round {
    step_kind step = step_kind::idle;
    request_id call;
    std::vector<manifest> manifests;  ///< by rank
    std::vector<outcome> outcomes;    ///< by position in manifests
    std::size_t at = 0;               ///< manifest or removal under way
    std::vector<applied_object> removals;
    document anchor;            ///< the AppliedManifestWork as last seen; null: none
    bool everything = false;    ///< this round removes all (deletion, eviction, anchor deleted)
    bool unidentified = false;  ///< a manifest's kind is unknown: nothing may be taken for unlisted
    bool waits = false;         ///< a removal is under way on the cluster (finalizers of others)
    bool failed = false;
    bool applying = false;  ///< the write under way is a server-side apply
    int conflicts = 0;      ///< of the step under way
  };
  round now;
  bool again = false;  ///< start another round when this one ends
  owner anchor;        ///< the AppliedManifestWork; its uid is durable with the state
  std::vector<cluster_object> watched;

  /// Newest revision of each object as our own calls left or found it: news beyond it is drift.
  std::map<cluster_object, revision> known;
  std::map<cluster_object, revision> rumoured;
  /// Manifest and revision that needed no write: skips comparing against defaulted fields (ocm: resource_cache.go).
  std::map<cluster_object, std::pair<std::size_t, revision>> settled;
  std::uint64_t next_call = 1;     ///< starts at random: answers to an earlier life's calls must not fit
  std::uint64_t saved_digest = 0;  ///< of the state as last written
  int failures = 0;                ///< rounds in a row with an error: back-off
  std::string obstacle;            ///< last line about what keeps a removal from its end
};

work make_work(std::string name, std::string hub_hash, std::string agent_id);
void restore(work& self, const context& ctx, outbox& out);
/// A prescription may come between the request to retire and its turn.
inline bool wants_to_retire(const work& self) { return !self.held; }
void on(work& self, const prescribe& m, const context& ctx, outbox& out);
void on(work& self, const withdraw& m, const context& ctx, outbox& out);
void on(work& self, const resend_report& m, const context& ctx, outbox& out);
void on(work& self, const cluster_unknown& m, const context& ctx, outbox& out);
void on(work& self, const report_acked& m, const context& ctx, outbox& out);
void on(work& self, const cluster_reply& m, const context& ctx, outbox& out);
void on(work& self, const drifted& m, const context& ctx, outbox& out);
void on(work& self, const timer_fired& m, const context& ctx, outbox& out);

}  // namespace wh
