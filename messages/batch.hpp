#pragma once
#include <compare>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "messages/ids.hpp"

namespace wh {

/// Names one stored object. `resource` is the group resource as Kubernetes writes it: `configmaps`,
/// `manifestworks.work.open-cluster-management.io`. `ns` is empty for cluster-scoped kinds.
/// Sorted as lists are answered: by resource, namespace, name.
struct object_key {
  std::string resource;
  std::string ns;
  std::string name;
  friend auto operator<=>(const object_key&, const object_key&) = default;
  friend bool operator==(const object_key&, const object_key&) = default;
};

/// `resource/ns/name` or `resource/name`, for messages to people.
std::string to_string(const object_key& key);

/// What of the store a reader or an actor looks at: all of a resource, one namespace of it, or one object.
/// Empty `ns` means every namespace, empty `name` every name.
struct key_range {
  std::string resource;
  std::string ns;
  std::string name;
  bool contains(const object_key& key) const;
  friend auto operator<=>(const key_range&, const key_range&) = default;
  friend bool operator==(const key_range&, const key_range&) = default;
};

/// The object exists and its last change is exactly this revision. Fails with errc::conflict.
struct at_revision {
  object_key key;
  revision rev;
  friend bool operator==(const at_revision&, const at_revision&) = default;
};

/// No such object. Fails with errc::already_exists.
struct absent {
  object_key key;
  friend bool operator==(const absent&, const absent&) = default;
};

/// The object exists, at whatever revision. Fails with errc::not_found.
struct present {
  object_key key;
  friend bool operator==(const present&, const present&) = default;
};

/// The namespace exists and is not Terminating, so that a create cannot slip into one that is being emptied.
/// Fails with errc::not_found or errc::forbidden. The store learns the phase from put::phase.
struct namespace_active {
  std::string ns;
  friend bool operator==(const namespace_active&, const namespace_active&) = default;
};

using precondition = std::variant<at_revision, absent, present, namespace_active>;

/// Whether the store should treat a Namespace object as open for creates. Only read on puts of resource `namespaces`.
enum class namespace_phase : std::uint8_t { active = 0, terminating = 1 };

/// Stores `body` (opaque to the store) as the object's next version.
struct put {
  object_key key;
  shared_bytes body;
  namespace_phase phase = namespace_phase::active;
  friend bool operator==(const put& a, const put& b) {
    return a.key == b.key && a.phase == b.phase && (a.body == b.body || (a.body && b.body && *a.body == *b.body));
  }
};

/// Removes an object. Removing what is not there is no error and no change.
struct erase {
  object_key key;
  friend bool operator==(const erase&, const erase&) = default;
};

/// Who computed a batch. When one of a writer's batches fails, the store discards (errc::discarded) the later ones
/// of the same or an older incarnation: they were computed on state that never came true. Empty id: no such tie.
struct writer {
  std::string id;
  incarnation life;
  friend bool operator==(const writer&, const writer&) = default;
};

/// One atomic conditional write: all preconditions hold and everything is applied, or nothing is. Every effective put and
/// erase takes a revision of its own, in order (puts first), so that a watch can resume between any two.
struct batch {
  writer from;
  std::vector<precondition> preconditions;
  std::vector<put> puts;
  std::vector<erase> erases;
  /// Kept in memory only, never synced, gone after a restart (their stored version, if any, shows again).
  /// For renewals of `managed-cluster-lease` alone.
  bool in_memory = false;

  bool empty() const { return preconditions.empty() && puts.empty() && erases.empty(); }
  friend bool operator==(const batch&, const batch&) = default;
};

/// What a durable batch got: revisions first..last, in the order of its effective puts and erases. A batch that changed
/// nothing reports the current revision twice with `changes` 0.
struct commit {
  revision first;
  revision last;
  std::uint32_t changes = 0;
  friend bool operator==(const commit&, const commit&) = default;
};

/// One stored version of one object.
struct record {
  object_key key;
  revision rev;  ///< of this version: metadata.resourceVersion
  shared_bytes body;
};

/// One committed change, in revision order: the feed.
struct change {
  object_key key;
  revision rev;
  shared_bytes body;      ///< null: the object was removed
  shared_bytes previous;  ///< null: the object was created
  revision previous_rev;  ///< 0 when created
  bool in_memory = false;
};

}  // namespace wh
