#pragma once
#include "actors/runtime/runtime.hpp"

namespace wh {

/// The CAF runtime on CAF's test scheduler: no threads, a clock that only the caller moves, and an order drawn from a
/// seed with the same decisions as sim/virtual_runtime, so that their traces are equal. Single-threaded.
class test_runtime : public actor_runtime {
 public:
  /// Gives one ready actor, chosen by the seed, one turn; if none is ready, moves the clock to the next timer that is due
  /// by now. False: nothing to do until the clock moves.
  virtual bool step() = 0;
  /// Steps until nothing is to do at this time.
  virtual void run_until_idle() = 0;
  /// Lets time pass, with everything that falls due on the way.
  virtual void advance(duration d) = 0;
  virtual instant now() const = 0;
  /// Kills the actor's shell, as a failure outside its handlers would. False: no such actor.
  virtual bool kill(const address& a) = 0;
};

/// `options.now`, if given, is asked once, for the time at which the clock starts; else that is the epoch.
std::unique_ptr<test_runtime> make_test_runtime(runtime_options options, std::uint64_t seed);

}  // namespace wh
