#pragma once
#include <memory>
#include <string>

#include "persistence/store.hpp"

namespace wh {

/// One fake spoke's part of a store that many share: its objects stand in the namespace `scope` there and have none here.
/// Only for stores whose objects have no namespace, as a spoke agent's. It has no feed: subscribe() and changes_since() are
/// not for it. `shared` must outlive it; any thread may call.
std::unique_ptr<store> make_scoped_store(store& shared, std::string scope);

}  // namespace wh
