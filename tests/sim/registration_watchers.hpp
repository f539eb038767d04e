#pragma once
#include <map>
#include <set>
#include <string>

#include "persistence/store.hpp"
#include "resources/document.hpp"
#include "sim/fake_crypto.hpp"

/// What registration promises, checked at every commit of a run.
namespace wh::testing {

/// On the hub: certificates only by two consents, identities that only go forward, rights only of accepted clusters.
class hub_registration_watcher final : public feed_listener {
 public:
  explicit hub_registration_watcher(store& s) : store_(s) { store_.subscribe(this); }
  ~hub_registration_watcher() override { store_.unsubscribe(this); }
  void on_committed(const std::vector<change>& changes) override;

  std::string problem;
  std::uint64_t certificates = 0;
  std::uint64_t successions = 0;  ///< of a cluster's key by a newer one
  /// Requests that a person of the test has approved.
  std::set<std::string> approved_by_hand;

 private:
  void check_request(const change& c, const document& csr);
  void check_cluster(const change& c, const document& cluster);

  store& store_;
};

/// On a spoke: nothing is held that was written while the cluster was refused, and nothing vanishes unasked.
class spoke_registration_watcher final : public feed_listener {
 public:
  spoke_registration_watcher(store& agent, store& objects, std::string cluster);
  ~spoke_registration_watcher() override;
  void on_committed(const std::vector<change>& changes) override;

  std::string problem;
  std::set<std::string> forbidden;   ///< works that must not be here yet
  std::set<std::string> may_vanish;  ///< objects whose work was deleted by a user
  std::size_t keys = 0;              ///< private keys in the identity: the one in use, and at most the next

 private:
  store& agent_;
  store& objects_;
  const std::string cluster_;
};

}  // namespace wh::testing
