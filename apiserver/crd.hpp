#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "apiserver/api.hpp"
#include "apiserver/status.hpp"

namespace wh {

inline constexpr std::string_view crd_resource = "customresourcedefinitions.apiextensions.k8s.io";
inline constexpr std::string_view crd_cleanup_finalizer = "customresourcecleanup.apiextensions.k8s.io";

/// Keeps the registry true to the stored CustomResourceDefinitions, and empties the resource of one that is being
/// deleted before it lets it go.
class crd_keeper : public feed_listener, public std::enable_shared_from_this<crd_keeper> {
 public:
  explicit crd_keeper(const api_options& options);
  ~crd_keeper() override;
  crd_keeper(const crd_keeper&) = delete;
  crd_keeper& operator=(const crd_keeper&) = delete;

  /// Subscribes, and registers what is stored already.
  void load();
  void stop();
  void on_committed(const std::vector<change>& changes) override;
  /// True while the kind's definition is being deleted: no creates then.
  bool is_terminating(const std::string& group_resource) const;
  /// False for a definition of a compiled-in kind, which may come and go without effect.
  bool governs(const std::string& crd_name) const;

 private:
  void apply(const object_key& key, const shared_bytes& body);
  void replace_kinds(const std::string& crd_name, std::vector<kind_info> kinds);
  void schedule(const std::string& crd_name);
  void schedule_waiting(const std::string& changed);
  void accept_again(const std::string& crd_name);
  void clean(const std::string& crd_name);
  void remove_objects(const std::string& crd_name, const std::vector<record>& records);
  void removal_done(const std::string& crd_name);
  void release(const record& crd);

  const api_options& options_;
  mutable std::mutex mutex_;
  std::set<std::string> terminating_;            ///< names of CRDs, which are also the store's resources
  std::map<std::string, std::size_t> cleaning_;  ///< removals under way
  std::set<std::string> waiting_;                ///< CRDs that want names which others have
  bool loading_ = false;
  bool stopped_ = true;
  std::vector<change> pending_;
};

/// Completes a CRD that is being created or changed: conversion and list kind defaults, accepted names, conditions,
/// stored versions. A name that another of the group's `kinds` has is not accepted, and a definition without all its
/// names is not established. Errors are what Kubernetes answers 422 with.
std::vector<field_error> establish_crd(document& crd, const document* old, const kind_registry& kinds, instant now);

/// Puts the finalizer and the Terminating condition on a CRD whose deletion begins.
void begin_crd_deletion(document& crd, instant now);

}  // namespace wh
