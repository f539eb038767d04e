#pragma once
#include <optional>
#include <string_view>

#include "resources/apply/field_set.hpp"
#include "resources/schema_node.hpp"

namespace wh::apply {

/// A place of a document with what the schema says of it: is it one value, or do its parts have owners of their own? Where
/// the schema says nothing, objects have parts and lists are one value. Cheap to copy; the schema must outlive it.
struct place {
  const schema::node* node = nullptr;  ///< null: nothing is known

  enum class shape { leaf, map, list };
  /// How a value here is seen: null and atomic values are leaves.
  shape shape_of(const document& value) const;
  /// True for a list or map that the schema declares atomic, whatever is in it.
  bool atomic() const;

  place member(std::string_view name) const;
  place item() const;
  /// The place that an element leads to.
  place at(const path_element& e) const;
  /// True for a field that the schema lists by name; a key of a map is none.
  bool named(std::string_view name) const;
  /// True if a member may have this name.
  bool allows(std::string_view name) const;
  /// The element that names an item of this list; key fields that the item lacks come from the schema's defaults.
  result<path_element> element_of(const document& item) const;
};

/// The paths of a configuration: what somebody who applies it claims.
field_set fields_of(const document& doc, const place& at);

/// Adds the paths that `s` implies: a field named in the schema is there with any of its parts.
field_set with_named_fields(const field_set& s, const place& at);

/// Brings a set that was made under an older schema up to date: what has become atomic is owned as a whole.
field_set reconciled(const field_set& s, const place& at);

/// What becomes of an object or list that loses everything in it: it goes too, or stays as null, so that it can be seen
/// that nobody took the thing itself.
enum class emptied { go, stay };

/// Takes paths out of a document, which itself becomes `{}` at most.
document remove_fields(const document& doc, const field_set& paths, const place& at, emptied what = emptied::go);

/// What two versions of an object differ in. A path is in one of the sets at most.
struct comparison {
  field_set removed;
  field_set modified;
  field_set added;
};
comparison compare(const document& before, const document& after, const place& at);

/// Lays a configuration over an object: maps by member, keyed lists and sets by item (in the configuration's order, the
/// rest staying near its neighbours), everything else replaced. errc::invalid if an item of the configuration has no key.
result<document> merge(const document& live, const document& config, const place& at);

/// What is wrong with a configuration that is to be applied: fields that the schema does not have, values of another
/// type, items without key or with the same one. Empty if nothing; else as Kubernetes words it.
std::string complaint_about(const document& config, const place& at);

}  // namespace wh::apply
