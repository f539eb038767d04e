#pragma once
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "apiserver/api.hpp"

namespace wh {

/// A failed request as Kubernetes' clients see it: what becomes a v1 Status.
struct api_error {
  int code = 500;
  std::string reason;
  std::string message;
  document details;  ///< null: none
};

/// A value, or the Status to answer with. The accessors abort on the wrong side, as result<T>'s do.
template <class T>
class [[nodiscard]] answer {
 public:
  answer(T value) : data_(std::in_place_index<0>, std::move(value)) {}
  answer(api_error e) : data_(std::in_place_index<1>, std::move(e)) {}
  bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() { return std::get<0>(data_); }
  const T& operator*() const { return std::get<0>(data_); }
  T* operator->() { return &std::get<0>(data_); }
  const T* operator->() const { return &std::get<0>(data_); }
  const api_error& err() const { return std::get<1>(data_); }

 private:
  std::variant<T, api_error> data_;
};

/// Success, or the Status to answer with.
template <>
class [[nodiscard]] answer<void> {
 public:
  answer() = default;
  answer(api_error e) : error_(std::move(e)) {}
  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const api_error& err() const { return *error_; }

 private:
  std::optional<api_error> error_;
};

document status_document(const api_error& e);
/// A Go-style quoted string, as %q prints it in Kubernetes' messages.
std::string go_quote(std::string_view text);

// The constructors of k8s.io/apimachinery/pkg/api/errors, with their wording; `resource` is a group resource as in
// object_key.
api_error bad_request(std::string message);
/// A body that is no object of its kind.
api_error undecodable(const kind_info& kind, const std::string& what);
api_error path_not_found();
api_error object_not_found(std::string_view resource, std::string_view name);
api_error object_exists(std::string_view resource, std::string_view name);
api_error object_conflict(std::string_view resource, std::string_view name, std::string_view why);
/// The conflict of a stale resourceVersion.
api_error object_modified(std::string_view resource, std::string_view name);
api_error forbidden_error(std::string_view resource, std::string_view name, std::string_view why);
api_error invalid_object(const kind_info& kind, std::string_view name, const std::vector<field_error>& errors);
/// Says nothing about why: that would help who guesses.
api_error unauthorized();
api_error method_not_allowed();
api_error unsupported_media_type(std::string message);
api_error not_acceptable();
api_error expired(std::string message);
/// A resourceVersion newer than anything the store has.
api_error too_new(revision asked, revision current);
api_error unavailable(std::string message);

/// An error of the store or of an owner about one object.
api_error to_api_error(const error& e, const object_key& about);

}  // namespace wh
