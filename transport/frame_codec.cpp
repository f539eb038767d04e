#include "transport/frame_codec.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"

namespace wh {
namespace {

template <class Frame>
result<std::string> with_prefix(const Frame& frame) {
  std::string out(frame_prefix_bytes, '\0');
  append_encoded(out, frame);
  const auto size = out.size() - frame_prefix_bytes;
  if (size > frame_bytes_max)
    return fail(errc::too_large, std::string(frame_name(frame)) + " takes " + std::to_string(size) +
                                     " bytes, over the limit of " + std::to_string(frame_bytes_max) + " for a frame");
  for (std::size_t i = 0; i < frame_prefix_bytes; ++i)
    out[i] = static_cast<char>(size >> (8 * (frame_prefix_bytes - 1 - i)));
  return out;
}

}  // namespace

result<std::string> framed(const frame_to_hub& frame) { return with_prefix(frame); }
result<std::string> framed(const frame_to_spoke& frame) { return with_prefix(frame); }

result<std::optional<std::string_view>> frame_reader::next(std::string_view& input) {
  if (std::exchange(complete_, false)) partial_ = std::string();  // also gives its memory back
  if (!partial_.empty()) return next_of_partial(input);
  if (input.size() >= frame_prefix_bytes) {
    const auto size = payload_size(input);
    if (!size) return size.err();
    if (input.size() - frame_prefix_bytes >= *size) {
      const auto payload = input.substr(frame_prefix_bytes, *size);
      input.remove_prefix(frame_prefix_bytes + *size);
      return std::optional(payload);
    }
  }
  partial_.assign(std::exchange(input, {}));
  return std::optional<std::string_view>();
}

/// No room is reserved ahead: a peer that announces a large frame pays for it in bytes sent.
result<std::optional<std::string_view>> frame_reader::next_of_partial(std::string_view& input) {
  const auto fill_to = [&](std::size_t wanted) {
    const auto n = std::min(wanted - std::min(wanted, partial_.size()), input.size());
    partial_.append(input.substr(0, n));
    input.remove_prefix(n);
    return partial_.size() >= wanted;
  };
  if (!fill_to(frame_prefix_bytes)) return std::optional<std::string_view>();
  const auto size = payload_size(partial_);
  if (!size) return size.err();
  if (!fill_to(frame_prefix_bytes + *size)) return std::optional<std::string_view>();
  complete_ = true;
  return std::optional(std::string_view(partial_).substr(frame_prefix_bytes));
}

result<std::size_t> frame_reader::payload_size(std::string_view prefix) const {
  std::size_t size = 0;
  for (std::size_t i = 0; i < frame_prefix_bytes; ++i) size = size << 8 | static_cast<unsigned char>(prefix[i]);
  if (size == 0) return fail(errc::malformed, "a frame without payload");
  if (size > payload_max_)
    return fail(errc::too_large,
                "a frame of " + std::to_string(size) + " bytes is over the limit of " + std::to_string(payload_max_));
  return size;
}

}  // namespace wh
