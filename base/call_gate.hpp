#pragma once
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace wh {

/// Lets calls into somebody's object pass until it closes, which waits for those under way. A call may close the gate
/// that it passed itself.
class call_gate {
 public:
  /// Runs `f` unless closed; tells whether it ran.
  template <class F>
  bool pass(F&& f) {
    if (!enter()) return false;
    const leaver guard{this};
    f();
    return true;
  }
  void close();

 private:
  struct leaver {
    call_gate* gate;
    ~leaver() { gate->leave(); }
  };
  bool enter();
  void leave();

  std::mutex mutex_;
  std::condition_variable left_;
  bool closed_ = false;
  std::vector<std::thread::id> inside_;
};

}  // namespace wh
