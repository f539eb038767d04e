#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "resources/document.hpp"

namespace wh::apply {

/// One step from a value to a part of it, as field sets name it.
struct path_element {
  enum class kind_type : std::uint8_t {
    field,  ///< a member of an object: `f:spec`
    key,    ///< an item of a keyed list: `k:{"name":"a"}`
    value,  ///< an item of a set: `v:"x"`
    index,  ///< an item of a list without keys: `i:0`; read for the sake of old data, never made here
  };
  kind_type kind = kind_type::field;
  std::string name;  ///< of a field
  document value;    ///< key: an object of the key fields; value: the item; index: the number

  static path_element field(std::string name);
  static path_element key(document fields);
  static path_element item(document value);

  /// Reads `f:spec` and the like. errc::unsupported for a letter that a later Kubernetes may have brought.
  static result<path_element> parse(std::string_view text);
  /// `f:spec`: what parse() reads, byte for byte as Kubernetes writes it.
  std::string wire_text() const;
  /// `.spec`, `[name="a"]`, `[="x"]`: what people read.
  std::string text() const;
};

/// Kubernetes' order: fields, keys, values, indices; numbers by their value, whatever their JSON type.
int compare(const path_element& a, const path_element& b);
inline bool operator==(const path_element& a, const path_element& b) { return compare(a, b) == 0; }
inline bool operator<(const path_element& a, const path_element& b) { return compare(a, b) < 0; }

using path = std::vector<path_element>;

/// `.spec.containers[name="a"].image`
std::string text_of(const path& p);

}  // namespace wh::apply
