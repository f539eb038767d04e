#pragma once
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace wh {

/// Where a run leaves its results. It knows what was there before, so that a run that is interrupted takes away its own and
/// nothing else.
class run_folder {
 public:
  /// Makes the folder if it is absent, and finds out whether it can be written to: not after minutes of work.
  static result<run_folder> open(const std::string& path);

  const std::string& path() const { return path_; }
  std::string hub_log() const { return path_ + "/hub.log"; }
  std::string hub_data() const { return path_ + "/hub-data"; }
  /// As it was before.
  void undo() const;
  /// As undo(), unless the hub has left words in its log.
  void undo_if_wordless() const;

 private:
  std::string path_;
  std::string made_;  ///< the topmost folder that open() has made; empty: none
  bool log_was_there_ = false;
  std::uint64_t log_bytes_ = 0;  ///< of an earlier run, whose log is continued
};

}  // namespace wh
