#include <utility>

#include "messages/codec.hpp"
#include "transport/session.hpp"

namespace wh {
namespace {

template <class... T, class Variant>
bool is_any(const Variant& v) {
  return (std::holds_alternative<T>(v) || ...);
}

template <class Frame>
error out_of_turn(const char* expected, const Frame& got) {
  return fail(errc::invalid, std::string(expected) + ", not " + std::string(frame_name(got)));
}

}  // namespace

hub_rules::hub_rules(std::optional<spoke_identity> proven) : proven_(proven.has_value()) {
  if (proven) who_ = std::move(*proven);
}

result<void> hub_rules::admit(const frame_to_hub& frame) {
  switch (stage_) {
    case stage::greeting:
      if (const auto* greeting = std::get_if<hello>(&frame)) return admit_hello(*greeting);
      return out_of_turn("the first frame must be hello", frame);
    case stage::asking:
      if (is_any<credit, ping, pong>(frame)) return {};
      if (!std::holds_alternative<join_request>(frame))
        return out_of_turn("without a certificate only join_request may follow hello", frame);
      stage_ = stage::applicant;
      return {};
    case stage::applicant:
      if (is_any<credit, ping, pong>(frame)) return {};
      return out_of_turn("one join_request is all that a connection without certificate may send", frame);
    case stage::member:
      if (!std::holds_alternative<hello>(frame)) return {};
      return out_of_turn("hello comes once", frame);
  }
  return fail(errc::internal, "stage of a session");
}

result<void> hub_rules::admit_hello(const hello& greeting) {
  if (greeting.protocol != link_protocol_version)
    return fail(errc::unsupported, "this hub speaks link protocol " + std::to_string(link_protocol_version) +
                                       ", the spoke (" + greeting.software + ") speaks " +
                                       std::to_string(greeting.protocol) + ": upgrade the older of the two");
  if (greeting.cluster.empty()) return fail(errc::invalid, "hello names no cluster");
  if (!proven_) {
    who_ = {greeting.cluster, greeting.agent};
    stage_ = stage::asking;
    return {};
  }
  if (greeting.cluster != who_.cluster || greeting.agent != who_.agent)
    return fail(errc::forbidden, "the certificate speaks for cluster " + who_.cluster + " (agent " + who_.agent +
                                     "), but hello names " + greeting.cluster + " (agent " + greeting.agent + ")");
  stage_ = stage::member;
  return {};
}

std::size_t hub_rules::payload_max(const session_limits& limits) const {
  return proven_ ? frame_bytes_max : limits.applicant_frame_max;
}

result<void> spoke_rules::admit(const frame_to_spoke& frame) const {
  if (!joining_ || is_any<credit, ping, pong, refused, join_pending, join_certificate>(frame)) return {};
  return out_of_turn("before the join is done a hub may send only its answer to join_request", frame);
}

}  // namespace wh
