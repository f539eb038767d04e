#include "base/random.hpp"

#include <bit>
#include <string_view>

#include "base/encoding.hpp"

namespace wh {

namespace {

std::uint64_t split_mix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

rng::rng(std::uint64_t seed) {
  for (auto& word : s_) word = split_mix(seed);
}

std::uint64_t rng::next() {
  const std::uint64_t out = std::rotl(s_[1] * 5, 7) * 9;
  const std::uint64_t t = s_[1] << 17;
  s_[2] ^= s_[0];
  s_[3] ^= s_[1];
  s_[1] ^= s_[2];
  s_[0] ^= s_[3];
  s_[2] ^= t;
  s_[3] = std::rotl(s_[3], 45);
  return out;
}

std::uint64_t rng::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  // The low values that would make some residues likelier are drawn again.
  const std::uint64_t uneven = (0 - bound) % bound;
  std::uint64_t v = next();
  while (v < uneven) v = next();
  return v % bound;
}

double rng::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::string random_uuid(rng& r) {
  std::string bytes;
  append_be64(bytes, r.next());
  append_be64(bytes, r.next());
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);  // RFC 4122 variant
  std::string text = to_hex(bytes);
  for (std::size_t dash : {20U, 16U, 12U, 8U}) text.insert(dash, 1, '-');
  return text;
}

std::string random_suffix(rng& r, std::size_t n) {
  constexpr std::string_view alphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string out(n, ' ');
  for (auto& c : out) c = alphabet[r.below(alphabet.size())];
  return out;
}

}  // namespace wh
