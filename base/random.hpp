#pragma once
#include <cstdint>
#include <string>

namespace wh {

/// A small seeded generator (SplitMix64 seeding xoshiro256**, Blackman and Vigna 2018). Deterministic on every platform,
/// unlike the distributions of <random>. Not for secrets: those come from the crypto port.
class rng {
 public:
  explicit rng(std::uint64_t seed);
  /// 64 uniform bits.
  std::uint64_t next();
  /// Uniform in [0, bound); bound 0 gives 0.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();
  /// True with probability p.
  bool chance(double p) { return unit() < p; }

 private:
  std::uint64_t s_[4];
};

/// A version 4 UUID in Kubernetes' form (lower case, dashes).
std::string random_uuid(rng& r);

/// `n` characters of Kubernetes' generateName alphabet (no vowels, no look-alikes).
std::string random_suffix(rng& r, std::size_t n);

}  // namespace wh
