#pragma once
#include <string>
#include <vector>

#include "resources/document.hpp"

namespace wh {

/// One label requirement, in Kubernetes' operators.
struct label_requirement {
  enum class op { in, not_in, exists, does_not_exist };
  std::string key;
  op how = op::exists;
  std::vector<std::string> values;
};

/// All requirements must hold; an empty selector matches everything.
struct label_selector {
  std::vector<label_requirement> requirements;
  bool matches(const document& object) const;
  bool empty() const { return requirements.empty(); }
};

/// `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
result<label_selector> parse_label_selector(std::string_view text);

/// One field requirement: equality on a dotted path.
struct field_requirement {
  std::string path;  ///< metadata.name
  bool equal = true;
  std::string value;
};
struct field_selector {
  std::vector<field_requirement> requirements;
  bool matches(const document& object) const;
  bool empty() const { return requirements.empty(); }
  /// The name that `metadata.name=` asks for, or "": such a list is a get.
  std::string name() const;
};
/// `metadata.name=x,metadata.namespace!=y`. Which paths a kind supports is the caller's to check.
result<field_selector> parse_field_selector(std::string_view text);

}  // namespace wh
