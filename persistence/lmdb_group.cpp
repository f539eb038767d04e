#include "persistence/lmdb_group.hpp"

namespace wh::storage {

namespace {

/// Revisions reserved at once for in-memory changes: a sync every two hours for ten thousand clusters' leases, and numbers
/// are not scarce.
constexpr std::uint64_t reserve_block = 1 << 20;

constexpr revision newest_revision{~std::uint64_t{0}};

}  // namespace

lmdb_group::~lmdb_group() {
  core_.namespaces().roll_back();  // nothing is staged any more when the commit went well
}

result<void> lmdb_group::begin() {
  auto txn = shared_.env->begin_write();
  if (!txn) return environment_ = txn.err();
  txn_ = *std::move(txn);
  auto tables = lmdb_tables::open(*shared_.env, txn_.get());
  if (!tables) return environment_ = tables.err();
  tables_ = *std::move(tables);
  return {};
}

result<std::optional<head>> lmdb_group::newest(const object_key& key) {
  const std::string prefix = object_prefix(key);
  const auto stored = tables_->find(prefix, newest_revision);
  if (!stored) return stored.err();
  const revision stored_rev = *stored ? (*stored)->rev : revision{};
  if (const auto it = pending_.find(key); it != pending_.end() && changes_[it->second].rev > stored_rev) {
    const change& c = changes_[it->second];
    return c.body ? std::optional(head{c.rev, c.body}) : std::nullopt;
  }
  // Only this thread changes the overlay, so it may look without the lock.
  const version* overlaid = shared_.overlay.empty() ? nullptr : shared_.overlay.find(key, newest_revision);
  if (overlaid != nullptr && overlaid->rev > stored_rev)
    return overlaid->body ? std::optional(head{overlaid->rev, overlaid->body}) : std::nullopt;
  if (!*stored || (*stored)->removed()) return std::optional<head>{};
  auto body = tables_->body(prefix, stored_rev);
  if (!body) return body.err();
  return std::optional(head{stored_rev, *std::move(body)});
}

result<commit> lmdb_group::apply(const batch& b) {
  auto plan = core_.plan(b, *this, revision{state_.current});
  if (!plan) return plan.err();
  for (std::size_t i = 0; i < plan->changes.size(); ++i) {
    const namespace_phase phase = i < b.puts.size() ? b.puts[i].phase : namespace_phase::active;
    environment_ = write(plan->changes[i], phase);
    if (!environment_) return environment_.err();
    changes_.push_back(std::move(plan->changes[i]));
  }
  state_.current = plan->outcome.last.get();
  return plan->outcome;
}

result<void> lmdb_group::write(const change& c, namespace_phase phase) {
  core_.namespaces().stage(c, phase);
  if (c.in_memory) {
    pending_[c.key] = changes_.size();
    volatile_ = true;
    return {};
  }
  std::uint8_t flags = c.body ? 0 : flag_removed;
  if (phase == namespace_phase::terminating) flags |= flag_terminating;
  dirty_ = true;
  stored_ = c.rev;
  ++state_.history;
  return tables_->add(c, flags);
}

result<void> lmdb_group::compact(revision upto, std::size_t budget) {
  if (upto.get() <= state_.compacted) return {};
  dirty_ = true;
  return environment_ = tables_->compact(state_, upto, budget);
}

result<lmdb_tables::reseal_progress> lmdb_group::reseal(revision after, revision upto, std::size_t budget) {
  dirty_ = true;
  auto done = tables_->reseal(after, upto, budget);
  if (!done) environment_ = done.err();
  return done;
}

result<void> lmdb_group::describe(std::string_view name, std::string_view value) {
  return environment_ = tables_->put_meta(name, value);
}

result<void> lmdb_group::commit_all() {
  if (volatile_ && !dirty_ && state_.current > state_.reserved) {
    state_.reserved = state_.current + reserve_block;
    dirty_ = true;
  }
  result<void> ok;
  if (dirty_) ok = tables_->put_meta("state", encode_state(state_));
  tables_.reset();
  if (ok && dirty_) ok = shared_.env->commit(std::move(txn_));
  txn_.reset();
  if (ok) core_.namespaces().commit();
  return ok;
}

void lmdb_group::publish() {
  shared_.feed.publish(changes_, [this] {
    const std::unique_lock lock(shared_.mutex);
    shared_.window = {revision{state_.compacted}, revision{state_.current}};
    for (const change& c : changes_) {
      if (c.in_memory) shared_.overlay.add(c);
      else if (!shared_.overlay.empty()) shared_.overlay.hide(c.key, c.rev);
    }
    shared_.overlay.compact(shared_.window.compacted);
  });
}

}  // namespace wh::storage
