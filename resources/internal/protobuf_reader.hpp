#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace wh::internal {

/// Reads the fields of one protobuf message in order. Never reads past its bytes; after the first malformed byte
/// `broken()` stays true and no more fields come.
class protobuf_reader {
 public:
  enum class wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  struct field {
    std::uint32_t number = 0;
    wire type = wire::varint;
    std::uint64_t value = 0;  ///< of varint, fixed64 and fixed32
    std::string_view bytes;   ///< of bytes
  };

  explicit protobuf_reader(std::string_view message) : rest_(message) {}

  /// The next field, or nothing at the end (look at broken() then).
  std::optional<field> next();
  /// One varint outside of a field: an element of a packed list.
  std::optional<std::uint64_t> varint();
  /// Eight or four little-endian bytes.
  std::optional<std::uint64_t> fixed(std::size_t bytes);

  bool at_end() const { return rest_.empty(); }
  bool broken() const { return broken_; }

 private:
  std::nullopt_t fail();

  std::string_view rest_;
  bool broken_ = false;
};

}  // namespace wh::internal
