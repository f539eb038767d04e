#pragma once
#include "resources/document.hpp"

namespace wh {

/// A manifest as it is applied under serverSideApply.ignoreFields (work spec 3.3): fields of OnSpokePresent are written once,
/// when the object is made; those of OnSpokeChange only when the manifest changes.
struct ignoring_form {
  document first;    ///< for an object that is not there yet
  document later;    ///< for one that is: without the fields of OnSpokePresent
  std::string hash;  ///< in an annotation of both: an object that carries it needs no apply
};

/// `config` is a manifest as it would be applied, `rules` the list ignoreFields. Paths that lead nowhere are fine; ones that
/// cannot be read, and jq expressions, are errc::invalid naming the path.
result<ignoring_form> ignoring(const document& config, const document& rules);

/// True if an object carries the hash of what was applied to it last.
bool has_applied(const document& live, const ignoring_form& form);

}  // namespace wh
