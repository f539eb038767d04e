#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "resources/document.hpp"
#include "resources/schema.hpp"

namespace wh {

/// A column of `kubectl get` tables: as additionalPrinterColumns of CRDs.
struct table_column {
  std::string name;
  std::string type;  ///< string, integer, number, boolean, date
  std::string format;
  std::string description;
  std::string json_path;  ///< `.status.conditions[?(@.type=="Available")].status`
  int priority = 0;
  std::string empty = {};  ///< what the cell says when there is nothing; "": what its type says
};

/// Where an object keeps its replicas, for the scale subresource: paths of members as in CRDs, `.spec.replicas`.
struct scale_paths {
  std::string spec_replicas;
  std::string status_replicas;
  std::string selector;  ///< of text, or of a selector object in Kubernetes' own kinds; empty: there is none
};

struct kind_conversion;

/// One served version of one kind: everything that a server needs to know about it.
struct kind_info {
  std::string group;    ///< "" for core
  std::string version;  ///< v1
  std::string kind;     ///< ManifestWork
  std::string list_kind;
  std::string plural;  ///< manifestworks
  std::string singular;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;
  bool namespaced = false;
  bool has_status = false;           ///< status subresource: spec writes cannot touch status and vice versa
  std::optional<scale_paths> scale;  ///< scale subresource: replicas are read and set without knowing the kind
  bool has_generation = true;        ///< metadata.generation counts spec changes
  bool storage = true;               ///< the version that is stored
  std::string stored_in;             ///< group resource of the kind that keeps its objects; empty: itself
  /// What differs from the stored version beyond apiVersion; null: nothing. See conversion.hpp.
  const kind_conversion* conversion = nullptr;
  bool from_crd = false;
  bool unconditional_update = false;  ///< a PUT may leave resourceVersion out and overwrite what it has not seen
  std::vector<table_column> columns;
  std::shared_ptr<const schema> structure;
  std::string protobuf;  ///< e.g. k8s.io.api.core.v1.ConfigMap; empty: JSON only

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  /// The store's `resource`: plural, or plural.group.
  std::string group_resource() const { return group.empty() ? plural : plural + "." + group; }
  /// Where its objects are in the store.
  std::string storage_resource() const { return stored_in.empty() ? group_resource() : stored_in; }
};

using kind_ptr = std::shared_ptr<const kind_info>;

/// The kinds that one server serves; grows and shrinks with CustomResourceDefinitions. Thread-safe.
class kind_registry {
 public:
  void add(kind_info kind);
  /// Removes every version of a CRD's kind.
  void remove(std::string_view group, std::string_view plural);
  kind_ptr find(std::string_view group, std::string_view version, std::string_view plural) const;
  kind_ptr find_kind(std::string_view group, std::string_view version, std::string_view kind) const;
  /// The storage version of `manifestworks.work.open-cluster-management.io`.
  kind_ptr find_resource(std::string_view group_resource) const;
  std::vector<kind_ptr> all() const;  ///< sorted by group, version, plural
  /// Changes with every add and remove: for caches of discovery.
  std::uint64_t version() const;

 private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, kind_ptr> by_resource_;  ///< group/version/plural
  std::uint64_t version_ = 0;
};

/// Built-in kinds, compiled in from resources/schemas/.
enum class kind_set {
  hub,      ///< Namespace, Secret, ConfigMap, Event, Lease, RBAC, CSR, CRD, ManagedCluster, ManifestWork …
  cluster,  ///< core, apps, batch, rbac, apiextensions, Node …, AppliedManifestWork, ClusterClaim
};
/// Adds a set's kinds. A broken compiled-in schema is a bug and aborts.
void add_builtin_kinds(kind_registry& registry, kind_set set);

/// Kinds of bodies that are asked or done with and never stored: DeleteOptions (under any group version), TokenRequest,
/// the access reviews, Scale, Eviction, Binding. Null when there is none of that name.
kind_ptr find_request_kind(std::string_view group, std::string_view version, std::string_view kind);

/// What the published schemas of Kubernetes' own kinds refer to (schema::openapi), by Kubernetes' name for it, such as
/// io.k8s.api.core.v1.PodSpec; null when there is none of that name. Made anew by each call.
document builtin_definition(std::string_view name);

/// Kinds of a CustomResourceDefinition document, one per served version; errors name the field.
result<std::vector<kind_info>> kinds_of_crd(const document& crd);

/// The same rules, every complaint of its own: what a server answers for a CustomResourceDefinition.
std::vector<field_error> validate_crd(const document& crd);

/// Metadata rules that hold for every kind: name (DNS subdomain or the kind's own rule), labels, annotations (256 KiB),
/// finalizers, ownerReferences.
std::vector<field_error> validate_metadata(const kind_info& kind, const document& doc);

}  // namespace wh
