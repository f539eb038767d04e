#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/schema.hpp"

namespace wh {

namespace internal {
class pattern;
}

/// One compiled place of a structural schema, for code that walks a document along its schema (server-side apply,
/// protobuf). Immutable once compiled; kinds share the nodes of the definitions that they have in common.
struct schema::node {
  using ptr = std::shared_ptr<const node>;

  enum class value_type : std::uint8_t { any, object, array, string, integer, number, boolean, int_or_string };
  enum class list_type : std::uint8_t { atomic, set, map };
  enum class map_type : std::uint8_t { granular, atomic };

  /// How protobuf encodes a value beyond what its JSON type says.
  enum class wire_type : std::uint8_t {
    plain,          ///< as the JSON type and format say
    time,           ///< metav1.Time
    micro_time,     ///< metav1.MicroTime
    quantity,       ///< resource.Quantity
    int_or_string,  ///< intstr.IntOrString
    raw,            ///< runtime.RawExtension and metav1.FieldsV1: JSON bytes in field 1
    items,          ///< a message whose field 1 is the list
  };

  /// A named member of an object.
  struct property {
    std::string name;
    ptr schema;
    /// "" and 0 say the same as nothing: a plain field of a Go struct, which cannot tell the two apart.
    bool zero_is_absent = false;
  };

  /// A protobuf field of an object. `index` is the property's place; inlined messages have none: their own fields
  /// become members of this object.
  struct wire_field {
    std::uint32_t number = 0;
    std::size_t index = 0;
    ptr inlined;
  };

  value_type type = value_type::any;
  list_type list = list_type::atomic;
  map_type map = map_type::granular;
  wire_type wire = wire_type::plain;
  bool nullable = false;
  bool preserve_unknown = false;
  bool embedded_resource = false;    ///< apiVersion, kind and metadata are implied
  bool drop_null = false;            ///< null means absent, as in Kubernetes' own typed kinds
  bool allow_duplicates = false;     ///< entries with the same key are let through, as Kubernetes does for env
  bool immutable = false;            ///< may not change once set
  std::vector<property> properties;  ///< sorted by name
  ptr additional;                    ///< values of members that are not in `properties`
  ptr items;
  std::vector<std::string> required;
  std::vector<std::string> map_keys;    ///< x-kubernetes-list-map-keys
  std::vector<wire_field> wire_fields;  ///< sorted by number
  std::optional<document> default_value;
  /// Name of a default that depends on sibling fields (internal/default_rules.hpp); empty when there is none.
  std::string default_rule;

  std::vector<document> enum_values;
  std::string format;
  std::optional<double> minimum, maximum, multiple_of;
  bool exclusive_minimum = false, exclusive_maximum = false;
  std::optional<std::uint64_t> min_length, max_length, min_items, max_items, min_properties, max_properties;
  std::string pattern_text;
  std::shared_ptr<const internal::pattern> pattern;
  std::vector<ptr> all_of, any_of, one_of;
  ptr none_of;

  /// True somewhere below (or here) there is a default, so that defaulting can skip the rest.
  bool has_defaults = false;

  /// The named property, or null when the schema does not list it.
  const node* find_property(std::string_view name) const;
  /// The schema of a member: its property, else that of additional members, else null.
  const node* member(std::string_view name) const;
};

}  // namespace wh
