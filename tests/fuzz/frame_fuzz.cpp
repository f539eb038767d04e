// Bytes as a peer may send them. The first byte chooses who reads the rest: a decoder, or a whole session at either end.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/assert.hpp"
#include "messages/codec.hpp"
#include "transport/session.hpp"

using namespace wh;

namespace {

/// What was understood once is understood the same way again.
template <class Decode>
void decode_twice(std::string_view bytes, Decode decode) {
  const auto frame = decode(bytes);
  if (!frame) {
    WH_ASSERT(!frame.err().message.empty());
    return;
  }
  const auto again = decode(encode(*frame));
  WH_ASSERT(again.ok());
  WH_ASSERT(*again == *frame);
}

/// The stream comes in parts whose sizes the input chooses, too.
template <class Rules>
void converse(std::string_view stream, std::size_t part, Rules rules) {
  static const session_limits limits;
  link_session<Rules> session(std::move(rules), limits, duration::zero());
  for (duration now{}; !stream.empty(); now += std::chrono::seconds(1)) {
    typename link_session<Rules>::output out;
    const auto n = std::min(stream.size(), part);
    session.receive(stream.substr(0, n), now, out);
    stream.remove_prefix(n);
    for (const auto& arrival : out.arrivals) session.consumed(arrival.bytes, out);
    session.tick(now, out);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t part = 1 + data[0] / 8 * 7;
  switch (data[0] % 8) {
    case 0: decode_twice(rest, decode_to_hub); break;
    case 1: decode_twice(rest, decode_to_spoke); break;
    case 2: converse(rest, part, hub_rules(spoke_identity{"c1", "a1"})); break;
    case 3: converse(rest, part, hub_rules(std::nullopt)); break;
    case 4: converse(rest, part, spoke_rules(false)); break;
    default: converse(rest, part, spoke_rules(true)); break;
  }
  return 0;
}
