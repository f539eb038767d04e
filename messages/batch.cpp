#include "messages/batch.hpp"

namespace wh {

std::string to_string(const object_key& key) {
  if (key.ns.empty()) return key.resource + "/" + key.name;
  return key.resource + "/" + key.ns + "/" + key.name;
}

bool key_range::contains(const object_key& key) const {
  return key.resource == resource && (ns.empty() || key.ns == ns) && (name.empty() || key.name == name);
}

}  // namespace wh
