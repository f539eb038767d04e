#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resources/document.hpp"

namespace wh {

/// Kubernetes' field error types (field.ErrorType), by their printed form.
enum class field_error_type {
  required,
  invalid,
  not_supported,
  forbidden,
  too_long,
  too_many,
  duplicate,
  type_invalid
};

/// One complaint about one field: `spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0`.
struct field_error {
  field_error_type type;
  std::string field;  ///< spec.taints[0].key
  std::string value;  ///< as printed; empty when there is none to show
  std::string detail;
  std::string text() const;  ///< as Kubernetes prints it
};

namespace internal {
struct schema_access;
}

/// A structural schema (the OpenAPI v3 subset of CRDs, plus Kubernetes' list and protobuf extensions), compiled for speed.
/// Immutable after compile(); shared by reference.
class schema {
 public:
  /// How a number out of bounds is complained about.
  enum class wording : std::uint8_t {
    openapi,     ///< `spec.n in body should be greater than or equal to 1`: custom resources
    kubernetes,  ///< `must be greater than 0`: Kubernetes' own kinds
  };

  /// Compiles a structural schema document. Errors name the path in the schema.
  static result<std::shared_ptr<const schema>> compile(const document& openapi);
  /// Schema that knows nothing and keeps everything.
  static std::shared_ptr<const schema> anything();

  /// Types, required, enums, bounds, patterns, formats, list-map keys, set items, maxLength…: every error, in field order,
  /// at most `max`. `root` is prefixed to paths.
  std::vector<field_error> validate(const document& doc, std::size_t max = 100) const;
  /// Fills in defaults where the field is absent.
  void apply_defaults(document& doc) const;
  /// Drops fields that the schema does not know; returns their paths (for Strict and Warn). Writes the times of
  /// Kubernetes' own kinds in UTC.
  std::vector<std::string> prune(document& doc) const;
  /// Fields that may not change once set, by comparing two valid versions (`field is immutable`).
  std::vector<field_error> validate_update(const document& before, const document& after) const;
  /// The schema as OpenAPI v3 (for discovery and explain). Made anew by each call: kept, built-in kinds would double
  /// their memory. Kubernetes' own kinds refer to `#/components/schemas/<name>`, which builtin_definition() has; all
  /// others are whole.
  document openapi() const { return make_openapi_(); }

  struct node;  ///< resources/schema_node.hpp
  const node& root() const { return *root_; }

 private:
  friend struct internal::schema_access;

  std::shared_ptr<const node> root_;
  wording words_ = wording::openapi;
  std::function<document()> make_openapi_;
};

}  // namespace wh
