#pragma once
#include <optional>
#include <string>

#include "resources/document.hpp"

namespace wh {

/// The AppliedManifestWork as owner of an object.
struct owner {
  std::string name;
  std::string uid;
};

/// Adds or removes the owner's reference (controller false). True if the object changed.
bool set_owner(document& object, const owner& o, bool owned);
bool has_owner(const document& object, const owner& o);
/// True if another AppliedManifestWork owns it too.
bool has_other_work_owner(const document& object, const owner& o);

/// A manifest as it is created: its own metadata, the owner's reference if it is to go with the work, keys that ask for
/// removal (`key-`) left out.
document created_form(const document& manifest, const owner& o, bool owned);

/// Strategy Update (work spec 3.2): labels, annotations and owner references of the manifest are merged into the live ones
/// (a key ending in `-` removes it), finalizers stay, and the body is replaced whole if it differs. nullopt: nothing to do.
std::optional<document> updated_form(const document& manifest, const document& live, const owner& o, bool owned);

/// Strategy ServerSideApply: a manifest as it is sent, without what only servers write.
document applied_form(const document& manifest);

/// Strategies CreateOnly and ServerSideApply on a present object: the owner's reference alone. nullopt: nothing to do.
std::optional<document> owned_form(const document& live, const owner& o, bool owned);

}  // namespace wh
