#include "nodes/parts/feed_router.hpp"

namespace wh {

feed_router::feed_router(store& s, actor_runtime& runtime, routes r)
    : store_(s), runtime_(runtime), routes_(std::move(r)) {
  store_.subscribe(this);
}

feed_router::~feed_router() { store_.unsubscribe(this); }

void feed_router::on_committed(const std::vector<change>& changes) {
  std::vector<address> wanted;
  for (const auto& c : changes) {
    wanted.clear();
    routes_(c, wanted);
    // Mailboxes coalesce changes and never refuse them; an actor that starts over reads the store.
    for (auto& a : wanted) (void)runtime_.post({std::move(a), {}, object_changed{c}});
  }
}

}  // namespace wh
