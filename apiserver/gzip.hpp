#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace wh {

/// Answers smaller than this are sent as they are, as kube-apiserver does: on them, time is worth more than bytes.
inline constexpr std::size_t gzip_from_bytes = 128 * 1024;

/// Whether an Accept-Encoding header allows gzip (RFC 9110 section 12.5.3): named or by `*`, and not with q=0.
bool accepts_gzip(std::string_view accept_encoding);

/// The text compressed quickly rather than well; none if zlib fails.
std::optional<std::string> gzip(std::string_view text);

}  // namespace wh
