#include "transport/session.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/assert.hpp"
#include "messages/codec.hpp"

namespace wh {
namespace {

/// The most credit that a peer can hold or grant: far above any window, far below overflow.
constexpr std::int64_t credit_max = std::int64_t{1} << 30;

template <class Frame>
result<Frame> decode(std::string_view payload) {
  if constexpr (std::is_same_v<Frame, frame_to_hub>) return decode_to_hub(payload);
  else return decode_to_spoke(payload);
}

template <class Frame>
bool is_free(const Frame& frame) {
  if constexpr (std::is_same_v<Frame, frame_to_spoke>)
    if (std::holds_alternative<refused>(frame)) return true;
  return std::holds_alternative<credit>(frame) || std::holds_alternative<ping>(frame) ||
         std::holds_alternative<pong>(frame);
}

/// For frames that are small by construction.
template <class Frame>
void append(std::string& out, Frame frame) {
  auto bytes = framed(frame);
  WH_ASSERT(bytes.ok());
  out += *bytes;
}

/// Reasons quote what the peer sent; a refusal must stay small whatever that was.
void shorten(std::string& text) {
  constexpr std::size_t max = 1000;
  if (text.size() <= max) return;
  auto end = max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  text.resize(end);
}

std::string seconds(duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count()) + " s";
}

}  // namespace

result<void> validate(const session_limits& limits) {
  if (limits.window < 1024 || limits.window > static_cast<std::size_t>(credit_max))
    return fail(errc::invalid, "the link's window must be between 1 KiB and 1 GiB");
  if (limits.backlog_max < frame_bytes_max + frame_prefix_bytes)
    return fail(errc::invalid, "the link's backlog must have room for one frame, " + std::to_string(frame_bytes_max) +
                                   " bytes and more");
  if (limits.applicant_frame_max > frame_bytes_max)
    return fail(errc::invalid, "an applicant's frame cannot be larger than a member's");
  if (limits.ping_after <= duration::zero() || limits.dead_after < 2 * limits.ping_after)
    return fail(errc::invalid, "a link must stay silent for two pings at least before it counts as dead");
  return {};
}

template <class Rules>
link_session<Rules>::link_session(Rules rules, const session_limits& limits, duration now)
    : limits_(&limits),
      rules_(std::move(rules)),
      reader_(rules_.payload_max(limits)),
      credit_(static_cast<std::int64_t>(limits.window)),
      granted_(static_cast<std::int64_t>(limits.window)),
      opened_(now),
      heard_(now),
      asked_(now) {}

template <class Rules>
void link_session<Rules>::receive(std::string_view bytes, duration now, output& out) {
  if (ended_) return;
  heard_ = asked_ = now;
  while (!ended_) {
    const auto payload = reader_.next(bytes);
    if (!payload) return part({.why = payload.err()}, out);
    if (!*payload) return;
    take(**payload, out);
  }
}

template <class Rules>
void link_session<Rules>::take(std::string_view payload, output& out) {
  auto frame = decode<incoming>(payload);
  if (!frame) return part({.why = frame.err()}, out);
  if (auto admitted = rules_.admit(*frame); !admitted) return part({.why = admitted.err()}, out);
  if (const auto* grant = std::get_if<credit>(&*frame)) return take_credit(grant->bytes, out);
  if (const auto* question = std::get_if<ping>(&*frame)) return append(out.write, outgoing(pong{question->token}));
  if (std::holds_alternative<pong>(*frame)) return;  // that it came is all there is to know
  std::size_t bytes = 0;
  if (!is_free(*frame)) {
    if (granted_ <= 0)
      return part({.why = fail(errc::invalid, std::string(frame_name(*frame)) + " was sent without credit")}, out);
    bytes = frame_prefix_bytes + payload.size();
    granted_ -= static_cast<std::int64_t>(bytes);
  }
  out.arrivals.push_back({std::move(*frame), bytes});
}

template <class Rules>
void link_session<Rules>::take_credit(std::uint64_t bytes, output& out) {
  if (bytes > static_cast<std::uint64_t>(credit_max) || credit_ + static_cast<std::int64_t>(bytes) > credit_max)
    return part({.why = fail(errc::invalid, "more credit than any window")}, out);
  credit_ += static_cast<std::int64_t>(bytes);
  release(out);
}

template <class Rules>
void link_session<Rules>::release(output& out) {
  while (!waiting_.empty() && credit_ > 0) {
    const auto size = waiting_.front().size();
    out.write += waiting_.front();
    waiting_.pop_front();
    waiting_bytes_ -= size;
    credit_ -= static_cast<std::int64_t>(size);
  }
  if (finish_why_ && waiting_.empty()) end(std::move(*finish_why_), true, out);
}

template <class Rules>
result<void> link_session<Rules>::send(const outgoing& frame, output& out) {
  if (ended_ || finish_why_) return {};
  auto bytes = framed(frame);
  if (!bytes) return bytes.err();
  if (is_free(frame)) {
    out.write += *bytes;
    return {};
  }
  const auto size = bytes->size();
  if (waiting_.empty() && credit_ > 0) {
    out.write += *bytes;
    credit_ -= static_cast<std::int64_t>(size);
    return {};
  }
  if (waiting_bytes_ + size > limits_->backlog_max) {
    const auto why =
        fail(errc::busy, std::to_string(waiting_bytes_) + " bytes wait for a peer that does not take them");
    end(why, false, out);
    return why;
  }
  waiting_bytes_ += size;
  waiting_.push_back(std::move(*bytes));
  return {};
}

template <class Rules>
void link_session<Rules>::consumed(std::size_t bytes, output& out) {
  if (ended_) return;
  owed_ += bytes;
  // In quarters: a peer that has used up its window is owed at least that, so that it cannot wait for ever.
  if (owed_ == 0 || owed_ < limits_->window / 4) return;
  append(out.write, outgoing(credit{owed_}));
  granted_ += static_cast<std::int64_t>(std::exchange(owed_, 0));
}

template <class Rules>
void link_session<Rules>::tick(duration now, output& out) {
  if (ended_) return;
  if (finish_since_ && now - *finish_since_ >= limits_->flushed_within) return end(std::move(*finish_why_), true, out);
  if (now - heard_ >= limits_->dead_after)
    return end(fail(errc::timeout, "nothing came from the peer for " + seconds(now - heard_)), false, out);
  if (!rules_.introduced() && now - opened_ >= limits_->introduced_within)
    return part({.why = fail(errc::timeout, "the peer did not introduce itself within " + seconds(now - opened_))},
                out);
  if (now - asked_ >= limits_->ping_after) ask(now, out);
}

template <class Rules>
void link_session<Rules>::ask(duration now, output& out) {
  if (ended_) return;
  asked_ = now;
  append(out.write, outgoing(ping{++pings_}));
}

template <class Rules>
void link_session<Rules>::finish(error why, duration now, output& out) {
  if (ended_ || finish_why_) return;
  finish_since_ = now;
  finish_why_ = std::move(why);
  release(out);
}

template <class Rules>
void link_session<Rules>::part(parting terms, output& out) {
  if (ended_) return;
  shorten(terms.why.message);
  if constexpr (std::is_same_v<outgoing, frame_to_spoke>)
    if (terms.flush)
      append(out.write, outgoing(refused{terms.why.code, terms.why.message, terms.retry_after,
                                         retry_of(terms.why.code) == retry_class::permanent}));
  end(std::move(terms.why), terms.flush, out);
}

template <class Rules>
void link_session<Rules>::end(error why, bool flush, output& out) {
  ended_ = true;
  waiting_.clear();
  waiting_bytes_ = 0;
  out.ended = {std::move(why), flush};
}

template class link_session<hub_rules>;
template class link_session<spoke_rules>;

}  // namespace wh
