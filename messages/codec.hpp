#pragma once
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "messages/link.hpp"

/// The coding of link frames, without their length prefix: a msgpack array `[tag, field, …]`. docs/link-protocol.md has
/// the tables. Fields may only ever be added at the end: older peers ignore them, newer peers take the defaults of those
/// that an older one did not send.
namespace wh {

std::string encode(const frame_to_hub& frame);
std::string encode(const frame_to_spoke& frame);

/// The same, at the end of `out`.
void append_encoded(std::string& out, const frame_to_hub& frame);
void append_encoded(std::string& out, const frame_to_spoke& frame);

/// Bytes come from a peer that is not trusted: what is not a well-formed frame of this direction is errc::too_large,
/// errc::malformed (not msgpack), errc::unsupported (tag) or errc::invalid (a field's type or value, by name). Memory
/// taken is proportional to the bytes given.
result<frame_to_hub> decode_to_hub(std::string_view bytes);
result<frame_to_spoke> decode_to_spoke(std::string_view bytes);

/// The frame's type name (`work_report`), for logs and traces.
std::string_view frame_name(const frame_to_hub& frame);
std::string_view frame_name(const frame_to_spoke& frame);

}  // namespace wh
