#pragma once
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace wh {

/// The moments at which a node of a simulated fleet can die, numbered as they come: before and after each commit of one
/// of its stores, each frame that it writes, each message that its actors send. A run without a plan names them all; the
/// same run with a plan is the same up to the planned point, and there the node is dead: nothing that it does from then on
/// reaches a disk, the network or a client, whatever its code still believes. Taking the corpse away and starting the node
/// again is left to the fleet, which hears of the death.
class crash_points {
 public:
  /// Whoever comes to the `number`th point dies, counted from 1 at the start or from the death before.
  struct death {
    std::string node;  ///< counts and kills only this one; empty: any
    std::uint64_t number = 0;
  };

  explicit crash_points(std::vector<death> plan = {}) : plan_(std::move(plan)) {}

  void on_death(std::function<void(const std::string& node)> listener) { listener_ = std::move(listener); }
  bool dead(const std::string& node) const { return dead_.contains(node); }
  void revive(const std::string& node) { dead_.erase(node); }

  /// `node` is at a point. False: it is dead, maybe since now.
  bool reach(const std::string& node, const std::string& what);

  /// Does it, unless the node is dead; the moment before and the moment after are points.
  template <class Action>
  void around(const std::string& node, const std::string& what, Action&& action) {
    if (!reach(node, "before " + what)) return;
    action();
    reach(node, "after " + what);
  }

  /// Every point so far: `hub: after commit 17 of managed_cluster/c0`.
  const std::vector<std::string>& reached() const { return reached_; }
  /// Those at which a node died.
  const std::vector<std::string>& deaths() const { return deaths_; }

 private:
  std::vector<death> plan_;
  std::size_t next_ = 0;       ///< in plan_
  std::uint64_t counted_ = 0;  ///< points that count for it
  std::set<std::string> dead_;
  std::vector<std::string> reached_;
  std::vector<std::string> deaths_;
  std::function<void(const std::string&)> listener_;
};

}  // namespace wh
