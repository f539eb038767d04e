#pragma once
#include <map>
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
  friend bool operator==(const label_requirement&, const label_requirement&) = default;
};

/// Labels of an object apart from the object, for who keeps many.
using label_map = std::map<std::string, std::string, std::less<>>;
label_map label_map_of(const document& object);

/// All requirements must hold; an empty selector matches everything.
struct label_selector {
  std::vector<label_requirement> requirements;
  bool matches(const document& object) const;
  bool matches(const label_map& labels) const;
  bool empty() const { return requirements.empty(); }
  friend bool operator==(const label_selector&, const label_selector&) = default;
};

/// A meta/v1 LabelSelector (matchLabels and matchExpressions). Refuses what Kubernetes does: unknown operators, values that
/// an operator needs or cannot have, keys and values that no label has. The error names the member.
result<label_selector> read_selector_object(const document& selector);

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
