#pragma once
#include <array>
#include <atomic>
#include <caf/actor.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "actors/runtime/hosting.hpp"

namespace wh::runtime {

/// One actor as the runtime knows it. Survives the death of its shell; ends when the actor is retired.
struct actor_entry {
  explicit actor_entry(address a) : who(std::move(a)) {}

  /// Messages posted and not yet handled.
  std::uint32_t depth() const {
    return static_cast<std::uint32_t>(posted.load(std::memory_order_acquire) - handled.load(std::memory_order_acquire));
  }

  // Written by those who post, guarded by the directory's lock.
  const address who;
  caf::actor shell;  ///< null between its death and its respawn
  mailbox mail;
  std::atomic<std::uint64_t> posted{0};
  std::unique_ptr<actor_logic> fresh;  ///< for the shell to take when it starts
  // Written by the shell, so that no counter is fought over.
  std::atomic<std::uint64_t> handled{0};
  cell_counters counters;
  std::atomic<std::uint32_t> at_store{0};  ///< batches whose outcome the store still owes
  std::atomic<std::uint32_t> unresolved{
      0};  ///< what the shell has still to see besides mail: outcomes, its own start, requests
};
using entry_ptr = std::shared_ptr<actor_entry>;

/// Address to entry, in shards so that posts from many threads seldom meet.
class directory {
 public:
  /// Runs `use` on the entry under its lock. False: there is none.
  template <class Use>
  bool with(const address& a, Use&& use) {
    const sought key(a);
    auto& s = shard_of(key);
    const std::lock_guard lock(s.mutex);
    const auto found = s.entries.find(key);
    if (found == s.entries.end()) return false;
    use(*found);
    return true;
  }

  /// As with(), on an entry that `make` fills first if it is new. `make` must not use the directory.
  template <class Make, class Use>
  void with_or_make(const address& a, Make&& make, Use&& use) {
    const sought key(a);
    auto& s = shard_of(key);
    const std::lock_guard lock(s.mutex);
    auto found = s.entries.find(key);
    if (found == s.entries.end()) {
      found = s.entries.insert(std::make_shared<actor_entry>(a)).first;
      make(*found);
    }
    use(*found);
  }

  /// The coalesced message behind a number.
  mailbox::mail take(actor_entry& e, mailbox::number ticket) {
    const std::lock_guard lock(shard_of(sought(e.who)).mutex);
    return e.mail.take(ticket);
  }

  /// Removes the entry unless mail is on its way to it. Posts count their mail under the same lock.
  bool remove_unless_mail(const actor_entry& e) {
    const sought key(e.who);
    auto& s = shard_of(key);
    const std::lock_guard lock(s.mutex);
    if (e.depth() != 0) return false;
    const auto found = s.entries.find(key);
    if (found != s.entries.end() && found->get() == &e) s.entries.erase(found);
    return true;
  }

  std::vector<entry_ptr> all() const {
    std::vector<entry_ptr> out;
    for (auto& s : shards_) {
      const std::lock_guard lock(s.mutex);
      out.insert(out.end(), s.entries.begin(), s.entries.end());
    }
    return out;
  }

  std::size_t size() const {
    std::size_t n = 0;
    for (auto& s : shards_) {
      const std::lock_guard lock(s.mutex);
      n += s.entries.size();
    }
    return n;
  }

 private:
  /// An address with its hash, which finds both the shard and the place in it.
  struct sought {
    explicit sought(const address& a) : who(a), hash(hash_of(a)) {}
    const address& who;
    std::size_t hash;
  };
  static std::size_t hash_of(const address& a) {
    return std::hash<std::string_view>{}(a.name) * 31 + static_cast<std::size_t>(a.kind);
  }
  struct hash {
    using is_transparent = void;
    std::size_t operator()(const sought& s) const { return s.hash; }
    std::size_t operator()(const entry_ptr& e) const { return hash_of(e->who); }
  };
  struct same {
    using is_transparent = void;
    bool operator()(const entry_ptr& a, const entry_ptr& b) const { return a->who == b->who; }
    bool operator()(const sought& a, const entry_ptr& b) const { return a.who == b->who; }
    bool operator()(const entry_ptr& a, const sought& b) const { return a->who == b.who; }
  };
  struct shard {
    mutable std::mutex mutex;
    std::unordered_set<entry_ptr, hash, same> entries;
  };

  // The upper bits choose the shard, the set's buckets use the lower ones.
  shard& shard_of(const sought& s) { return shards_[(s.hash >> 17) % shards_.size()]; }

  std::array<shard, 64> shards_;
};

}  // namespace wh::runtime
