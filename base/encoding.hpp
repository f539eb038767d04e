#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace wh {

std::string to_hex(std::string_view bytes);
result<std::string> from_hex(std::string_view text);

/// Standard alphabet with padding (RFC 4648 section 4), as Kubernetes encodes []byte.
std::string to_base64(std::string_view bytes);
/// Strict: padding required, no white space.
result<std::string> from_base64(std::string_view text);

/// URL-safe alphabet without padding (RFC 4648 section 5), as JSON Web Tokens use it. Strict like from_base64.
std::string to_base64url(std::string_view bytes);
result<std::string> from_base64url(std::string_view text);

/// Big-endian 64-bit, so that keys sort as numbers do.
void append_be64(std::string& out, std::uint64_t v);
std::uint64_t read_be64(const char* p);

/// FNV-1a, 64 bits: for digests of things that nobody attacks (ordering, sampling, trace hashes).
std::uint64_t fnv1a(std::string_view bytes, std::uint64_t seed = 14695981039346656037ULL);

/// True when every byte sequence is well-formed UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

}  // namespace wh
