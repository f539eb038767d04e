#include "persistence/records.hpp"

#include <bit>
#include <cstring>

#include "base/encoding.hpp"

namespace wh::storage {

namespace {

constexpr std::uint64_t odd_constant = 0x9fb21c651e98df25ULL;

std::uint64_t word_at(std::string_view bytes, std::size_t i, std::size_t n) {
  std::uint64_t word = 0;
  if (n != 0) std::memcpy(&word, bytes.data() + i, n);
  return word;
}

std::uint64_t step(std::uint64_t h, std::uint64_t word) { return std::rotl((h ^ word) * odd_constant, 29); }

/// Four words a step that do not wait for each other, because every read of a record checks it. Finds damage, resists
/// no attacker.
std::uint64_t mix(std::uint64_t h, std::string_view bytes) {
  h ^= bytes.size() * odd_constant;
  std::uint64_t lanes[4] = {h, h + 1, h + 2, h + 3};
  std::size_t i = 0;
  for (; i + 32 <= bytes.size(); i += 32)
    for (std::size_t lane = 0; lane < 4; ++lane) lanes[lane] = step(lanes[lane], word_at(bytes, i + lane * 8, 8));
  for (; i + 8 <= bytes.size(); i += 8) lanes[0] = step(lanes[0], word_at(bytes, i, 8));
  lanes[0] = step(lanes[0], word_at(bytes, i, bytes.size() - i));
  h = step(step(lanes[0], lanes[1]), step(lanes[2], lanes[3])) * odd_constant;
  return h ^ (h >> 32);
}

std::uint32_t checksum(std::uint8_t flags, std::string_view prefix, std::string_view body) {
  return static_cast<std::uint32_t>(mix(mix(flags, prefix), body));
}

}  // namespace

std::string object_prefix(const object_key& key) {
  std::string out;
  out.reserve(key.resource.size() + key.ns.size() + key.name.size() + 3);
  out.append(key.resource).push_back('\0');
  out.append(key.ns).push_back('\0');
  out.append(key.name).push_back('\0');
  return out;
}

std::string version_key(std::string_view prefix, revision rev) {
  std::string out;
  out.reserve(prefix.size() + 8);
  out.append(prefix);
  append_be64(out, ~rev.get());
  return out;
}

std::optional<key_view> parse_prefix(std::string_view prefix) {
  const auto first = prefix.find('\0');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = prefix.find('\0', first + 1);
  if (second == std::string_view::npos || second + 1 >= prefix.size() || prefix.back() != '\0') return std::nullopt;
  return key_view(prefix.substr(0, first), prefix.substr(first + 1, second - first - 1),
                  prefix.substr(second + 1, prefix.size() - second - 2));
}

std::optional<parsed_version_key> parse_version_key(std::string_view bytes) {
  if (bytes.size() < 8) return std::nullopt;
  const std::string_view prefix = bytes.substr(0, bytes.size() - 8);
  const auto object = parse_prefix(prefix);
  if (!object) return std::nullopt;
  return parsed_version_key{prefix, *object, revision{~read_be64(bytes.data() + prefix.size())}};
}

void write_record(char* out, std::uint8_t flags, std::string_view prefix, std::string_view body) {
  const std::uint32_t sum = checksum(flags, prefix, body);
  const unsigned char header[record_header_bytes] = {record_version,
                                                     flags,
                                                     static_cast<unsigned char>(prefix.size() >> 8),
                                                     static_cast<unsigned char>(prefix.size() & 255),
                                                     static_cast<unsigned char>(sum >> 24),
                                                     static_cast<unsigned char>((sum >> 16) & 255),
                                                     static_cast<unsigned char>((sum >> 8) & 255),
                                                     static_cast<unsigned char>(sum & 255)};
  std::memcpy(out, header, record_header_bytes);
  std::memcpy(out + record_header_bytes, prefix.data(), prefix.size());
  if (!body.empty()) std::memcpy(out + record_header_bytes + prefix.size(), body.data(), body.size());
}

result<parsed_record> parse_record(std::string_view bytes) {
  if (bytes.size() < record_header_bytes) return fail(errc::corrupt, "a record is too short");
  const auto at = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
  if (at(0) != record_version) return fail(errc::corrupt, "a record has the unknown version " + std::to_string(at(0)));
  const std::size_t prefix_size = at(2) << 8 | at(3);
  if (bytes.size() - record_header_bytes < prefix_size) return fail(errc::corrupt, "a record is shorter than its key");
  parsed_record out;
  out.flags = static_cast<std::uint8_t>(at(1));
  out.prefix = bytes.substr(record_header_bytes, prefix_size);
  out.body = bytes.substr(record_header_bytes + prefix_size);
  const std::uint32_t sum = at(4) << 24 | at(5) << 16 | at(6) << 8 | at(7);
  if (sum != checksum(out.flags, out.prefix, out.body)) return fail(errc::corrupt, "a record's checksum is wrong");
  return out;
}

std::string seal_context(std::string_view prefix, revision rev) {
  std::string out(prefix);
  append_be64(out, rev.get());
  return out;
}

std::string encode_state(const stored_state& s) {
  std::string out;
  for (std::uint64_t v : {s.current, s.reserved, s.compacted, s.history}) append_be64(out, v);
  return out;
}

std::optional<stored_state> parse_state(std::string_view bytes) {
  if (bytes.size() != 32) return std::nullopt;
  const char* p = bytes.data();
  return stored_state{read_be64(p), read_be64(p + 8), read_be64(p + 16), read_be64(p + 24)};
}

}  // namespace wh::storage
