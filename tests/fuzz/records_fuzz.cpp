// The store's records, keys and state, as a damaged file may hold them. What is understood is written again as it was.
#include <cstdint>
#include <string>

#include "base/assert.hpp"
#include "persistence/history_clock.hpp"
#include "persistence/records.hpp"

using namespace wh;
using namespace wh::storage;

namespace {

void read_record(std::string_view bytes) {
  const auto record = parse_record(bytes);
  if (!record) {
    WH_ASSERT(!record.err().message.empty());
    return;
  }
  std::string again(record_header_bytes + record->prefix.size() + record->body.size(), '\0');
  write_record(again.data(), record->flags, record->prefix, record->body);
  WH_ASSERT(again == bytes);
}

void write_and_read(std::string_view bytes) {
  const std::size_t prefix_size = bytes.size() / 2;
  std::string out(record_header_bytes + bytes.size(), '\0');
  write_record(out.data(), static_cast<std::uint8_t>(bytes.size()), bytes.substr(0, prefix_size),
               bytes.substr(prefix_size));
  const auto record = parse_record(out);
  WH_ASSERT(record.ok() && record->prefix == bytes.substr(0, prefix_size) && record->body == bytes.substr(prefix_size));
}

void read_key(std::string_view bytes) {
  const auto key = parse_version_key(bytes);
  if (!key) return;
  WH_ASSERT(object_prefix(key->object.to_key()) == key->prefix);
  WH_ASSERT(version_key(key->prefix, key->rev) == bytes);
}

void read_state(std::string_view bytes) {
  if (const auto state = parse_state(bytes)) WH_ASSERT(encode_state(*state) == bytes);
}

void read_times(std::string_view bytes) {
  history_clock clock(duration(1));
  if (clock.decode(bytes)) WH_ASSERT(clock.encode() == bytes);
}

}  // namespace

/// The first byte chooses who reads the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: read_record(rest); break;
    case 1: write_and_read(rest.substr(0, 65535)); break;
    case 2: read_key(rest); break;
    case 3: read_state(rest); break;
    default: read_times(rest); break;
  }
  return 0;
}
