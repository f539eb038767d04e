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
/// Kept are the aggregated roles and those that they select, so that a role for each of ten thousand clusters costs neither
/// memory nor time here. A new selector makes it read all roles once.
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
  struct gathering {
    std::vector<label_selector> selectors;
    document rule;   ///< aggregationRule as written, to see changes
    document rules;  ///< as stored
  };
  struct part {
    document labels;  ///< as an object with nothing but metadata.labels, for selectors
    document rules;
    revision rev;
  };

  // With the lock held. They return the aggregated roles to look at.
  std::vector<std::string> apply(const object_key& key, const shared_bytes& body, revision rev);
  std::vector<std::string> apply_part(const std::string& name, const document& doc, bool exists, revision rev);
  std::vector<std::string> read_all();
  document gather(const gathering& role, const std::string& name) const;
  bool is_selected(const document& labels) const;
  void settle(const std::string& name);

  store& data_;
  std::mutex mutex_;
  std::map<std::string, gathering> gatherings_;
  std::map<std::string, part> parts_;  ///< sorted: Kubernetes gathers by name
  bool stopped_ = true;
};

}  // namespace wh
