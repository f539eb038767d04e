#pragma once
#include <functional>
#include <vector>

#include "actors/actor.hpp"
#include "actors/runtime/runtime.hpp"
#include "persistence/store.hpp"

namespace wh {

/// Passes committed changes to the actors that react to kinds they do not own.
class feed_router final : public feed_listener {
 public:
  /// Says which actors want a change; called on the store's writer thread for every change, so it must be cheap.
  using routes = std::function<void(const change&, std::vector<address>&)>;
  feed_router(store& s, actor_runtime& runtime, routes r);
  ~feed_router() override;
  void on_committed(const std::vector<change>& changes) override;

 private:
  store& store_;
  actor_runtime& runtime_;
  routes routes_;
};

}  // namespace wh
