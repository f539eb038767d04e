#include "persistence/history_clock.hpp"

#include <algorithm>

#include "base/encoding.hpp"

namespace wh::storage {

namespace {

/// Marks within one age: what is dropped may be older than asked for by this fraction.
constexpr int marks_per_age = 32;

}  // namespace

bool history_clock::note(instant now) {
  if (age_ == duration::zero() || last_.upto == revision{}) return false;
  // A clock that was far ahead and has been put right must not keep history for ever.
  const bool was_ahead = last_.at > now + age_ || (!marks_.empty() && marks_.back().at > now + age_);
  if (was_ahead) {
    marks_.clear();
    last_.at = now;
  }
  if (!marks_.empty() && (last_.upto <= marks_.back().upto || last_.at < marks_.back().at + age_ / marks_per_age))
    return was_ahead;
  marks_.push_back(last_);
  return true;
}

void history_clock::committed(instant now, revision last) { last_ = {now, last}; }

revision history_clock::expired(instant now) const {
  if (age_ == duration::zero()) return {};
  revision found;
  for (const mark& m : marks_) {
    if (m.at + age_ > now) break;
    found = m.upto;
  }
  return last_.at + age_ <= now ? std::max(found, last_.upto) : found;
}

bool history_clock::forget(revision upto) {
  const auto keep = std::find_if(marks_.begin(), marks_.end(), [&](const mark& m) { return m.upto > upto; });
  const bool any = keep != marks_.begin();
  marks_.erase(marks_.begin(), keep);
  if (last_.upto <= upto) last_ = {};
  return any;
}

std::optional<duration> history_clock::next(instant now) const {
  if (age_ == duration::zero()) return std::nullopt;
  std::optional<instant> due;
  if (last_.upto != revision{}) due = last_.at + age_;
  if (!marks_.empty() && (!due || marks_.front().at + age_ < *due)) due = marks_.front().at + age_;
  if (!due) return std::nullopt;
  return std::max(*due - now, duration::zero());
}

std::string history_clock::encode() const {
  std::string out;
  for (const mark& m : marks_) {
    append_be64(out, static_cast<std::uint64_t>(m.at.time_since_epoch().count()));
    append_be64(out, m.upto.get());
  }
  return out;
}

bool history_clock::decode(std::string_view bytes) {
  marks_.clear();
  if (bytes.size() % 16 != 0) return false;
  for (; !bytes.empty(); bytes.remove_prefix(16)) {
    const mark m{instant(duration(static_cast<std::int64_t>(read_be64(bytes.data())))),
                 revision{read_be64(bytes.data() + 8)}};
    if (!marks_.empty() && (m.at < marks_.back().at || m.upto <= marks_.back().upto)) {
      marks_.clear();
      return false;
    }
    marks_.push_back(m);
  }
  return true;
}

}  // namespace wh::storage
