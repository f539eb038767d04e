#pragma once
#include "resources/apply/apply.hpp"
#include "resources/apply/place.hpp"

namespace wh::apply::internal {

/// The object without metadata.managedFields, which nobody owns.
document without_owners(document object);

/// The part of a set that the scope's endpoint writes.
field_set in_scope(const field_set& s, const write_scope& scope);
/// A set without what is never owned: apiVersion, kind and what the server says in metadata.
field_set trackable(const field_set& s);

/// Where an object of a version begins; one version stands for all where all have the same shape.
place root_of(const std::string& api_version, const write_scope& scope);
/// An object of the scope's version in another one, and back.
document in_version(const document& object, const std::string& api_version, const write_scope& scope);
document from_version(const document& object, const std::string& api_version, const write_scope& scope);
/// The version that the fields are looked at in: the scope's own where all have the same shape.
const std::string& shape_of(const ownership& o, const write_scope& scope);

/// What a write changes, in every version that somebody owns fields in. The documents and the scope must outlive it.
class changes {
 public:
  changes(const document& before, const document& after, const write_scope& scope)
      : before_(before), after_(after), scope_(scope) {}
  const comparison& in(const std::string& api_version);
  /// What is changed or added, and what besides is removed, as the owner of these fields sees it.
  const field_set& touched(const ownership& o);
  const field_set& lost(const ownership& o);

 private:
  struct seen {
    comparison change;
    field_set touched, lost;
  };
  const seen& look(const std::string& api_version);

  const document& before_;
  const document& after_;
  const write_scope& scope_;
  std::map<std::string, seen> by_version_;
};

/// Drops owners of versions that are gone, and brings sets up to the schema.
void modernize(managers& owners, const write_scope& scope);

/// What owners other than `self` lose because it changes or comes anew.
managers taken_by(changes& all, const managers& owners, const manager_id& self);
/// Takes what changed, came or went from all but `self` (null: from all); who is left with nothing is dropped.
void give_up(managers& owners, changes& all, const manager_id* self);

}  // namespace wh::apply::internal
