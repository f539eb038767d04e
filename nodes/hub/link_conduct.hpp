#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "messages/link.hpp"

namespace wh {

/// What a member says without the right to: frames about works that the hub did not give its cluster, and frames that a
/// cluster which is not accepted has no business to send. The cluster's actor ignores them, since the same may happen to an
/// honest spoke for a moment; the audit log should know. One for each link; not thread-safe.
class link_conduct {
 public:
  /// Of every frame to the spoke.
  void on_sent(const frame_to_spoke& frame);
  /// Of every frame from the spoke. Why the hub ignores it, if it does; at most 16 times for a link.
  std::optional<error> on_received(const frame_to_hub& frame);

 private:
  std::optional<error> judge(const frame_to_hub& frame);
  struct order {
    generation gen;         ///< newest
    bool deleting = false;  ///< its end is awaited
  };
  void note(const std::string& uid, generation gen, bool deleting);
  std::optional<error> judge_report(const work_report& report) const;
  std::optional<error> judge_end(const work_finished& done) const;
  std::optional<error> judge_work(const char* what, const std::string& name, const std::string& uid) const;

  bool accepted_ = true;  ///< as the last welcome said
  bool cleanup_ = false;
  int told_ = 0;
  /// By a digest of the uid: works that were sent or that the spoke says it holds.
  std::unordered_map<std::uint64_t, order> known_;
};

}  // namespace wh
