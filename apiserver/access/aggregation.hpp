#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apiserver/api.hpp"
#include "resources/selector.hpp"

namespace wh {

/// The selector of a meta/v1 LabelSelector (matchLabels and matchExpressions). An unknown operator selects nothing.
std::optional<label_selector> read_label_selector(const document& selector);

/// Keeps the rules of ClusterRoles with an aggregationRule what their selectors gather. Their `rules` are the server's:
/// what somebody else writes there is written over.
///
/// A change of one role touches only the aggregated ones that select it or did, so that ten thousand clusters' roles
/// cost nothing here.
class role_aggregator : public feed_listener, public std::enable_shared_from_this<role_aggregator> {
 public:
  explicit role_aggregator(store& data) : data_(data) {}
  ~role_aggregator() override;
  role_aggregator(const role_aggregator&) = delete;
  role_aggregator& operator=(const role_aggregator&) = delete;

  /// Subscribes, and looks at what is stored already.
  void load();
  void stop();
  void on_committed(const std::vector<change>& changes) override;

 private:
  struct known_role {
    document labels;  ///< as an object with nothing but metadata.labels, for selectors
    document rules;
    std::vector<label_selector> selectors;  ///< empty: an ordinary role
    bool aggregates = false;
    revision rev;
  };
  using writes = std::vector<std::pair<object_key, document>>;

  /// With the lock held: takes a change in; returns the aggregated roles to look at.
  std::vector<std::string> apply(const object_key& key, const shared_bytes& body, revision rev);
  document gather(const known_role& role, const std::string& name) const;
  void settle(const std::string& name);

  store& data_;
  std::mutex mutex_;
  std::map<std::string, known_role> roles_;  ///< sorted: Kubernetes gathers by name
  bool stopped_ = true;
};

}  // namespace wh
