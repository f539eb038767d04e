#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "persistence/store.hpp"
#include "resources/document.hpp"

/// What must hold at every commit of a fleet's disks while a user makes, changes and deletes one work per cluster.
namespace wh::testing {

/// What the users have asked for so far of one cluster. It is set before the request leaves.
struct wishes {
  bool approved = false;
  bool accepted = false;
  std::vector<document> versions;  ///< manifests of the work, oldest first
  std::size_t first_version = 0;   ///< of the work's present life, which has generation 1
  bool work_removed = false;
  bool detached = false;
};

/// Objects of a managed cluster, by what the store calls them.
object_key key_of_manifest(const document& manifest);
/// Every field of `wanted` is in `live` with that value.
bool has_fields(const document& live, const document& wanted);

/// Keeps a copy of everything on a disk and sees each change to it.
class disk_watcher : public feed_listener {
 public:
  disk_watcher(store& disk, std::string name);
  ~disk_watcher() override;
  disk_watcher(const disk_watcher&) = delete;
  disk_watcher& operator=(const disk_watcher&) = delete;

  void on_committed(const std::vector<change>& changes) final;
  const std::map<object_key, document>& objects() const { return objects_; }
  const document* find(const object_key& key) const;
  /// The first thing that went wrong; "": nothing so far.
  const std::string& problem() const { return problem_; }
  /// Whether the disk's history, read from its beginning, leads to what it lists and to what was told.
  std::string history_problem() const;

 protected:
  void blame(std::string what);
  /// `before` is null for a new object, `after` for one that is gone.
  virtual void changed(const object_key& key, const document* before, const document* after) = 0;
  /// All changes of a commit are in.
  virtual void committed() {}

 private:
  store& disk_;
  const std::string name_;
  revision last_;
  std::map<object_key, document> objects_;
  std::string problem_;
};

class objects_watcher final : public disk_watcher {
 public:
  objects_watcher(store& disk, std::string name, const wishes& w, const disk_watcher& agent);
  /// Version `index` of the work was true here at some moment.
  bool was_true(std::size_t index) const { return true_.contains(index); }
  /// An object of any version is there.
  bool has_any() const;

 private:
  void changed(const object_key& key, const document* before, const document* after) override;
  void committed() override;
  bool matches(std::size_t index) const;
  const wishes& wishes_;
  const disk_watcher& agent_;
  std::set<std::size_t> true_;
};

class hub_watcher final : public disk_watcher {
 public:
  struct cluster {
    const wishes* wanted = nullptr;
    const objects_watcher* objects = nullptr;
  };
  explicit hub_watcher(store& disk) : disk_watcher(disk, "hub") {}
  std::map<std::string, cluster> clusters;

 private:
  void changed(const object_key& key, const document* before, const document* after) override;
  void work_changed(const object_key& key, const document* after);
  void request_changed(const document& csr);
};

class agent_watcher final : public disk_watcher {
 public:
  agent_watcher(store& disk, std::string name, const wishes& w, const hub_watcher& hub)
      : disk_watcher(disk, name), cluster_(std::move(name)), wishes_(w), hub_(hub) {}

 private:
  void changed(const object_key& key, const document* before, const document* after) override;
  const std::string cluster_;
  const wishes& wishes_;
  const hub_watcher& hub_;
};

}  // namespace wh::testing
