#pragma once
#include <optional>
#include <string>

#include "actors/actor.hpp"
#include "resources/document.hpp"

namespace wh {

/// A new object with the metadata that a server sets: uid, creationTimestamp, generation 1.
document new_object(const context& ctx, std::string_view api_version, std::string_view kind, std::string_view ns,
                    std::string_view name);

/// A uid made of a text that no other object's is made of: for objects that several actors or runs must name alike, which
/// a random one would not.
std::string uid_from(std::string_view text, const context& ctx);

/// An object read for change. save() puts it into the outbox if it differs from what was read.
class draft {
 public:
  /// nullopt when there is no such object. A stored body that does not parse is a corrupt store: throws, so that the
  /// actor's supervisor sees it.
  static std::optional<draft> open(const object_key& key, const context& ctx);

  document& doc() { return doc_; }
  const document& doc() const { return doc_; }
  const object_key& key() const { return key_; }
  revision rev() const { return rev_; }
  bool in_flight() const { return in_flight_; }
  /// metadata.deletionTimestamp set and no finalizer left: the object is due to vanish.
  bool released() const;
  /// Puts the document (or erases it when released) into the outbox. True if anything changed.
  bool save(outbox& out) const;

 private:
  object_key key_;
  document doc_;
  document before_;
  revision rev_;
  bool in_flight_ = false;
};

/// Throws std::runtime_error naming the object; for bodies that come from the store itself.
document decode_stored(const object_key& key, const shared_bytes& body);

/// `data` of a Secret, decoded; "" when absent or not base64.
std::string secret_value(const document& secret, const std::string& key);

}  // namespace wh
