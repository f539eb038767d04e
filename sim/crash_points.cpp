#include "sim/crash_points.hpp"

namespace wh {

bool crash_points::reach(const std::string& node, const std::string& what) {
  if (dead(node)) return false;
  reached_.push_back(node + ": " + what);
  if (next_ == plan_.size()) return true;
  const auto& planned = plan_[next_];
  if (!planned.node.empty() && planned.node != node) return true;
  if (++counted_ < planned.number) return true;
  ++next_;
  counted_ = 0;
  dead_.insert(node);
  deaths_.push_back(reached_.back());
  if (listener_) listener_(node);
  return false;
}

}  // namespace wh
