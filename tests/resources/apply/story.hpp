#pragma once
#include <string>

#include "resources/apply/last_applied.hpp"
#include "resources/kinds.hpp"

namespace wh::test {

/// One object and the managers that write to it, one after the other; a second passes with each write.
class story {
 public:
  /// A kind with lists and maps of all sorts under `spec`.
  story();
  /// A built-in kind.
  explicit story(const std::string& kind);
  /// A kind without schema.
  static story without_schema();

  /// Applies YAML. The conflicts' message, a complaint, or "".
  std::string apply(const std::string& manager, const std::string& yaml, bool force = false);
  /// Replaces the object.
  void update(const std::string& manager, const std::string& yaml);
  /// The paths that a manager owns, as FieldsV1 text; "" when it owns nothing.
  std::string owned(const std::string& manager) const;
  /// The time of its entry, in seconds since the story began; -1 without.
  int since(const std::string& manager) const;

  document object;  ///< null: not there
  apply::managers owners;
  apply::write_scope scope;

 private:
  explicit story(std::shared_ptr<const schema> s);
  document with_head(const std::string& yaml) const;

  std::shared_ptr<const schema> schema_;
  instant start_{std::chrono::seconds(1767323045)};
  std::string kind_;
};

/// One YAML document.
document yaml_of(const std::string& text);

}  // namespace wh::test
