#pragma once
#include <functional>

#include "resources/document.hpp"

namespace wh::internal {

/// Parts of an object that another version's shape has no field for. They travel in an annotation as JSON, so that the
/// way back finds them: `{"spec":{"member":…},"status":{"list":{"0":…}}}`.
class kept_parts {
 public:
  /// Takes the annotation off an object; whatever is in it that is no JSON object, is nothing.
  static kept_parts take(document& object, const char* annotation);
  /// Puts it on an object, unless nothing is kept. What is larger than an annotation should be, is forgotten.
  void put(document& object, const char* annotation) const;

  /// What is kept of a member of spec or status, or null.
  const document* find(const char* part, const char* member) const;
  void keep(const char* part, const char* member, document what);

  /// Moves a member that the other shape does not have from the object to what is kept.
  void set_aside(document& object, const char* part, const char* member);
  /// Moves it back.
  void bring_back(document& object, const char* part, const char* member) const;

 private:
  document parts_ = document::object();
};

/// metadata.annotations, made if they are not there.
document& annotations_to_change(document& object);

using entry_conversion = std::function<document(const document&)>;

/// Converts the entries of a list. One whose original was kept (in `former`) and that is still what `back` makes of the
/// original, becomes the original again; one that `back` would not restore is kept in `lost`.
void convert_entries(document& object, const char* part, const char* list, const entry_conversion& there,
                     const entry_conversion& back, const kept_parts& former, kept_parts& lost);

}  // namespace wh::internal
