#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "messages/link.hpp"

/// Frames on a byte stream: `[u32 big-endian length][payload]`. Sizes below include the prefix unless they say payload.
namespace wh {

inline constexpr std::size_t frame_prefix_bytes = 4;

/// The frame as it goes onto the stream; errc::too_large beyond frame_bytes_max of payload.
result<std::string> framed(const frame_to_hub& frame);
result<std::string> framed(const frame_to_spoke& frame);

/// Cuts a stream back into payloads. Holds at most one unfinished frame, and nothing between frames.
class frame_reader {
 public:
  explicit frame_reader(std::size_t payload_max) : payload_max_(payload_max) {}

  /// Takes bytes off the front of `input` and returns the next whole payload, or none when `input` is used up. The view
  /// is valid until the next call, at most as long as `input`. After errc::too_large or errc::malformed (an empty frame)
  /// the stream cannot be followed any further.
  result<std::optional<std::string_view>> next(std::string_view& input);

  /// Bytes of the unfinished frame.
  std::size_t pending() const { return complete_ ? 0 : partial_.size(); }

 private:
  result<std::optional<std::string_view>> next_of_partial(std::string_view& input);
  result<std::size_t> payload_size(std::string_view prefix) const;

  std::size_t payload_max_;
  std::string partial_;    ///< prefix and what there is of the payload
  bool complete_ = false;  ///< partial_ was handed out by the last call
};

}  // namespace wh
