#pragma once
#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "messages/batch.hpp"
#include "persistence/store.hpp"

// What every store does alike: judging a batch, the discard rule, the namespaces' phases, the window of revisions.
namespace wh::storage {

/// A key's parts, its separators and a revision have to fit into LMDB's key of 511 bytes.
inline constexpr std::size_t key_bytes_max = 511 - 8 - 3;
/// Far beyond what the API admits (some MiB); a larger body is a mistake.
inline constexpr std::size_t body_bytes_max = std::size_t{32} << 20;
/// Writers whose failure is remembered. A forgotten one's batches have left the queue long ago.
inline constexpr std::size_t failed_writers_max = 131072;

/// An object as the store's writer sees it now, earlier batches of the same commit included.
struct head {
  revision rev;
  shared_bytes body;
};

/// Where preconditions and previous bodies are looked up.
class head_source {
 public:
  virtual ~head_source() = default;
  /// nullopt: no such object.
  virtual result<std::optional<head>> newest(const object_key& key) = 0;
};

/// Remembers which writers' work was computed on state that never came true.
class discard_rule {
 public:
  bool discards(const writer& from) const;
  void failed(const writer& from);

 private:
  struct entry {
    incarnation life;
    std::list<std::string>::iterator position;
  };
  std::unordered_map<std::string, entry> failed_;
  std::list<std::string> oldest_first_;
};

/// The phase of every namespace, so that checking it costs no read. Changes are staged until their commit is durable.
class namespace_phases {
 public:
  /// Follows one change of a Namespace object; other resources are ignored.
  void stage(const change& c, namespace_phase phase);
  void commit() { undo_.clear(); }
  void roll_back();
  std::optional<namespace_phase> find(const std::string& ns) const;

 private:
  void set(const std::string& ns, std::optional<namespace_phase> phase);
  std::unordered_map<std::string, namespace_phase> phases_;
  std::vector<std::pair<std::string, std::optional<namespace_phase>>> undo_;
};

/// What a batch that was found good will change: its puts first, each effective, then its effective erases.
struct planned {
  std::vector<change> changes;
  commit outcome;
};

/// Judges batches. Planning changes no object, so a failed batch leaves no trace in a commit that it shares.
class commit_core {
 public:
  /// The batch's changes with the revisions after `last`, or why it is not applied; a failure makes its writer's later
  /// batches fail too.
  result<planned> plan(const batch& b, head_source& source, revision last);
  /// The batch failed for a reason outside this class.
  void failed(const batch& b) { discards_.failed(b.from); }
  bool discards(const batch& b) const { return discards_.discards(b.from); }
  namespace_phases& namespaces() { return namespaces_; }

 private:
  discard_rule discards_;
  namespace_phases namespaces_;
};

/// The revision that a read for `at` sees (0: the current one), or errc::gone, or errc::invalid for one not yet issued.
result<revision> resolve_at(revision at, const revision_window& window);

/// Whether the changes after `after` are all still kept.
result<void> check_after(revision after, const revision_window& window);

error discarded_error(const writer& from);

}  // namespace wh::storage
