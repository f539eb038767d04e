#pragma once
#include <compare>
#include <cstddef>
#include <functional>
#include <ostream>
#include <utility>

namespace wh {

/// A value that cannot be mixed up with another of the same representation. `Tag` is an empty struct that names it.
template <class Tag, class Rep>
class strong_id {
 public:
  using rep = Rep;
  constexpr strong_id() = default;
  constexpr explicit strong_id(Rep value) : value_(std::move(value)) {}
  constexpr const Rep& get() const { return value_; }
  friend constexpr auto operator<=>(const strong_id&, const strong_id&) = default;
  friend constexpr bool operator==(const strong_id&, const strong_id&) = default;
  friend std::ostream& operator<<(std::ostream& out, const strong_id& id) { return out << id.value_; }

 private:
  Rep value_{};
};

}  // namespace wh

template <class Tag, class Rep>
struct std::hash<wh::strong_id<Tag, Rep>> {
  std::size_t operator()(const wh::strong_id<Tag, Rep>& id) const { return std::hash<Rep>{}(id.get()); }
};
