#include "nodes/hub/owner_gate.hpp"

#include "actors/owners.hpp"

namespace wh {

owner_gate::owner_gate(store& s) : direct_(make_store_gate(s)) {}

namespace {

admit_write::verb_kind verb_of(write_proposal::verb_kind verb) {
  switch (verb) {
    case write_proposal::verb_kind::create: return admit_write::verb_kind::create;
    case write_proposal::verb_kind::update: return admit_write::verb_kind::update;
    case write_proposal::verb_kind::remove: return admit_write::verb_kind::remove;
  }
  return admit_write::verb_kind::update;
}

}  // namespace

void owner_gate::submit(write_proposal proposal, completion done) {
  const auto owner = hub_owner_of(proposal.key);
  if (!owner) return direct_->submit(std::move(proposal), std::move(done));
  const request_id id{next_.fetch_add(1)};
  {
    std::lock_guard lock(mutex_);
    waiting_.emplace(id.get(), std::move(done));
  }
  auto posted = runtime_->post({*owner,
                                {actor_kind::api, ""},
                                admit_write{.id = id,
                                            .verb = verb_of(proposal.verb),
                                            .key = proposal.key,
                                            .old_rev = proposal.old.rev,
                                            .body = proposal.body,
                                            .user = proposal.user.name,
                                            .proposed = std::move(proposal.proposed)}});
  if (!posted) finish(id, posted.err());
}

void owner_gate::finish(request_id id, result<write_outcome> outcome) {
  completion done;
  {
    std::lock_guard lock(mutex_);
    const auto it = waiting_.find(id.get());
    if (it == waiting_.end()) return;
    done = std::move(it->second);
    waiting_.erase(it);
  }
  done(std::move(outcome));
}

void owner_gate::deliver(const admit_reply& reply, const std::optional<commit>& under) {
  if (reply.failure) return finish(reply.id, *reply.failure);
  write_outcome outcome;
  outcome.body = reply.body;
  // A batch's puts take consecutive revisions, in order.
  if (under && reply.put_index >= 0)
    outcome.rev = revision{under->first.get() + static_cast<std::uint64_t>(reply.put_index)};
  else if (under) outcome.rev = under->last;
  finish(reply.id, std::move(outcome));
}

void owner_gate::drain() {
  std::unordered_map<std::uint64_t, completion> left;
  {
    std::lock_guard lock(mutex_);
    left.swap(waiting_);
  }
  for (auto& [id, done] : left) done(fail(errc::unavailable, "the hub is shutting down: try again in a moment"));
}

}  // namespace wh
