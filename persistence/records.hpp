#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "messages/batch.hpp"
#include "persistence/scan.hpp"

// The bytes on disk, format 2.
//
//   table     key                              value
//   meta      "format"                         be64 format_version
//   meta      "incarnation"                    text
//   meta      "state"                          be64 current, reserved, compacted, history
//   meta      "times"                          be64 unix microseconds, revision; oldest first: history_clock
//   meta      "sealing"                        what secret bodies may be sealed with: key ids, `plain`, a space between
//   versions  object_prefix, be64(~revision)   one byte of flags      an object's newest version comes first
//   log       be64(revision)                   record                 one per change; holds the body
//
//   object_prefix = resource NUL namespace NUL name NUL, so that prefixes sort as lists are answered
//   record        = version(1) flags(1) prefix size(be16) checksum(be32) object_prefix body
//
// Bodies live in the log alone: it grows at its end, so a commit of many objects writes few pages for them, and the
// versions table stays small. There is no table of current objects, because the first entry behind a prefix is it.
// A sealed body is as sealing.hpp says; its context is object_prefix be64(revision).
//
// Format 1 had neither "times" nor "sealing" nor sealed bodies. A store of an older format is brought to this one when
// it is opened (lmdb_format.cpp); one of a newer format is refused.
namespace wh::storage {

inline constexpr std::uint64_t format_version = 2;
inline constexpr std::uint8_t record_version = 1;

/// Bits of a version's flags.
enum record_flags : std::uint8_t { flag_removed = 1, flag_terminating = 2, flag_sealed = 4 };

inline constexpr std::size_t record_header_bytes = 8;

std::string object_prefix(const object_key& key);
/// `prefix` and the inverted revision: the key in `versions`. Every version at or before `rev` sorts at or after it.
std::string version_key(std::string_view prefix, revision rev);

struct parsed_version_key {
  std::string_view prefix;
  key_view object;
  revision rev;
};
/// Nothing when the bytes are no version key.
std::optional<parsed_version_key> parse_version_key(std::string_view bytes);
/// The parts of an object_prefix.
std::optional<key_view> parse_prefix(std::string_view prefix);

/// Writes a record of record_header_bytes + prefix + body bytes at `out`.
void write_record(char* out, std::uint8_t flags, std::string_view prefix, std::string_view body);

struct parsed_record {
  std::uint8_t flags = 0;
  std::string_view prefix;
  std::string_view body;
  bool removed() const { return (flags & flag_removed) != 0; }
  bool sealed() const { return (flags & flag_sealed) != 0; }
};
/// errc::corrupt when the bytes are no intact record.
result<parsed_record> parse_record(std::string_view bytes);

/// What a sealed body's authenticity is bound to.
std::string seal_context(std::string_view prefix, revision rev);

/// What a commit writes about the store itself.
struct stored_state {
  std::uint64_t current = 0;   ///< the last revision given out when this was written
  std::uint64_t reserved = 0;  ///< in-memory changes may have taken revisions up to here
  std::uint64_t compacted = 0;
  std::uint64_t history = 0;  ///< changes in the log after `compacted`
};
std::string encode_state(const stored_state& s);
std::optional<stored_state> parse_state(std::string_view bytes);

}  // namespace wh::storage
