#pragma once
#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "actors/runtime/runtime.hpp"
#include "apiserver/api.hpp"

namespace wh {

/// Sends writes of owned kinds to their owner actors and answers the API server when the owner's batch is durable; the
/// others go straight to the store.
class owner_gate final : public write_gate {
 public:
  explicit owner_gate(store& s);
  /// The runtime is made after the gate (it needs the API's kinds); called once, before the first request.
  void attach(actor_runtime& runtime) { runtime_ = &runtime; }
  void submit(write_proposal proposal, completion done) override;
  /// An actor's answer, from the runtime's port; `under` is the commit that released it.
  void deliver(const admit_reply& reply, const std::optional<commit>& under);
  /// The node is going down: those who still wait are told so.
  void drain();

 private:
  void finish(request_id id, result<write_outcome> outcome);

  std::unique_ptr<write_gate> direct_;
  actor_runtime* runtime_ = nullptr;
  std::atomic<std::uint64_t> next_{1};
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, completion> waiting_;
};

}  // namespace wh
