#include "resources/internal/protobuf_reader.hpp"

namespace wh::internal {

std::nullopt_t protobuf_reader::fail() {
  broken_ = true;
  rest_ = {};
  return std::nullopt;
}

std::optional<std::uint64_t> protobuf_reader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (rest_.empty()) return fail();
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    // The tenth byte has room for one bit.
    if (shift == 63 && byte > 1) return fail();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return fail();
}

std::optional<std::uint64_t> protobuf_reader::fixed(std::size_t bytes) {
  if (rest_.size() < bytes) return fail();
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(bytes);
  return value;
}

std::optional<protobuf_reader::field> protobuf_reader::next() {
  if (rest_.empty()) return std::nullopt;
  const auto tag = varint();
  if (!tag || *tag >> 3 == 0 || *tag >> 3 > 0x1fffffff) return fail();
  field out{
      .number = static_cast<std::uint32_t>(*tag >> 3), .type = static_cast<wire>(*tag & 7), .value = 0, .bytes = {}};
  std::optional<std::uint64_t> value;
  switch (out.type) {
    case wire::varint: value = varint(); break;
    case wire::fixed64: value = fixed(8); break;
    case wire::fixed32: value = fixed(4); break;
    case wire::bytes: {
      value = varint();
      if (!value || *value > rest_.size()) return fail();
      out.bytes = rest_.substr(0, *value);
      rest_.remove_prefix(*value);
      break;
    }
    default: return fail();  // groups were never used by Kubernetes
  }
  if (!value) return fail();
  out.value = *value;
  return out;
}

}  // namespace wh::internal
