#include "actors/mailbox.hpp"

#include "base/assert.hpp"

namespace wh {

namespace {

/// Another sender's message is another message: a handler may answer its sender.
std::optional<std::string> place_of(const envelope& e) {
  auto place = subject_of(e.body);
  if (!place) return place;
  place->append(1, static_cast<char>(e.from.kind)).append(e.from.name);
  return place;
}

}  // namespace

bool coalescer::merge(envelope& newer) {
  if (last_.empty()) return false;
  const auto place = place_of(newer);
  if (!place) return false;
  const auto found = last_.find(*place);
  return found != last_.end() && wh::merge(found->second->body, newer.body);
}

void coalescer::add(envelope& resting) {
  if (auto place = place_of(resting)) last_.insert_or_assign(std::move(*place), &resting);
}

void coalescer::remove(const envelope& resting) {
  if (last_.empty()) return;
  const auto place = place_of(resting);
  if (!place) return;
  const auto found = last_.find(*place);
  if (found != last_.end() && found->second == &resting) last_.erase(found);
}

std::optional<envelope> refusal_of(const envelope& e, error why) {
  const auto* write = std::get_if<admit_write>(&e.body);
  if (!write) return std::nullopt;
  return envelope{e.from, e.to, admit_reply{.id = write->id, .failure = std::move(why), .put_index = -1, .body = {}}};
}

mailbox::decision mailbox::coalesce(envelope& e, std::chrono::nanoseconds now) {
  if (!resting_) resting_ = std::make_unique<shelf>();
  auto& s = *resting_;
  if (s.index.merge(e)) return {verdict::merged, 0};
  const auto ticket = ++s.last;
  s.index.add(s.mails.try_emplace(ticket, mail{std::move(e), now}).first->second.what);
  return {verdict::queue_number, ticket};
}

mailbox::mail mailbox::take(number ticket) {
  WH_ASSERT(resting_);
  auto& s = *resting_;
  const auto found = s.mails.find(ticket);
  WH_ASSERT(found != s.mails.end());
  s.index.remove(found->second.what);
  mail m = std::move(found->second);
  s.mails.erase(found);
  return m;
}

}  // namespace wh
