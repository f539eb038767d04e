#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace wh {

/// Why something failed, in the words of the Kubernetes Status reasons where one exists, so that an error crosses
/// store, actor, link and REST without being translated twice. Numbers leave the process (frames): never reuse one.
enum class errc : std::uint16_t {
  invalid = 1,         ///< The input is wrong; the message names field and value. (422 Invalid / 400 BadRequest)
  not_found = 2,       ///< No such object. (404 NotFound)
  already_exists = 3,  ///< The name is taken. (409 AlreadyExists)
  conflict = 4,        ///< A precondition on a revision failed; read again and retry. (409 Conflict)
  forbidden = 5,       ///< Known, but not allowed. (403 Forbidden)
  unauthorized = 6,    ///< Identity missing or not believed. (401 Unauthorized)
  gone = 7,            ///< The revision was compacted away. (410 Gone / Expired)
  too_large = 8,       ///< Over a stated size limit. (413 RequestEntityTooLarge)
  unsupported = 9,     ///< Method, media type or protocol version not spoken here. (405 / 415)
  unavailable = 10,    ///< Not now: starting, draining, disconnected. (503 ServiceUnavailable)
  read_only = 11,      ///< The store cannot be written now: quota, full disk, I/O error. (503)
  busy = 12,           ///< A bounded queue is full; back off. (429 TooManyRequests)
  io = 13,             ///< The operating system refused; the message carries path and errno text.
  corrupt = 14,        ///< Stored or received bytes break their format.
  timeout = 15,        ///< The other side did not answer in time; the effect is unknown. (504 Timeout)
  internal = 16,       ///< A bug of ours. (500 InternalError)
  discarded = 17,      ///< Computed on state that was abandoned (older incarnation of an actor); never applied.
  malformed = 18,      ///< Bytes that do not even parse (JSON, protobuf, PEM, URL). (400 BadRequest)
};

/// Whether trying the same thing again can help.
enum class retry_class { permanent, transient, uncertain };

/// The retry class of a code: uncertain means that the effect may have happened.
constexpr retry_class retry_of(errc code) {
  switch (code) {
    case errc::conflict:
    case errc::unavailable:
    case errc::read_only:
    case errc::busy:
    case errc::io:
    case errc::discarded: return retry_class::transient;
    case errc::timeout: return retry_class::uncertain;
    default: return retry_class::permanent;
  }
}

/// The code's name in snake_case, for logs.
std::string_view to_string(errc code);

/// A failure: a code for programs and a sentence for people (what, where, what to do).
struct error {
  errc code = errc::internal;
  std::string message;
  friend bool operator==(const error&, const error&) = default;
};

/// Shorthand for returning a failure.
inline error fail(errc code, std::string message) { return {code, std::move(message)}; }

/// A value or an error. The caller must look: accessing the wrong side is a bug and aborts.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;
  result(T value) : data_(std::in_place_index<0>, std::move(value)) {}
  result(error e) : data_(std::in_place_index<1>, std::move(e)) {}

  bool ok() const { return data_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return std::get<0>(data_); }
  const T& value() const& { return std::get<0>(data_); }
  T&& value() && { return std::get<0>(std::move(data_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::get<0>(std::move(data_)); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const error& err() const { return std::get<1>(data_); }

  friend bool operator==(const result&, const result&) = default;

 private:
  std::variant<T, error> data_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;
  result() = default;
  result(error e) : error_(std::move(e)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const error& err() const { return *error_; }

  friend bool operator==(const result&, const result&) = default;

 private:
  std::optional<error> error_;
};

}  // namespace wh
