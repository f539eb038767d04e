#pragma once
#include <functional>
#include <vector>

#include "resources/apply/path.hpp"

namespace wh::apply {

/// Bounds on a field set that comes from outside.
struct field_set_limits {
  std::size_t depth_max = 120;
  std::size_t elements_max = 100'000;
};

/// A set of paths, kept as a tree. A path may be in the set while longer ones are too: `f:labels` with a `.` inside.
/// Both lists are sorted and without doubles; no child is empty. The functions below keep it so.
struct field_set {
  struct child;
  std::vector<path_element> members;  ///< the paths that end here
  std::vector<child> children;        ///< the paths that go on

  bool empty() const { return members.empty() && children.empty(); }
  std::size_t size() const;  ///< paths
  void insert(const path& p);
  bool has(const path& p) const;

  void insert_member(path_element e);
  bool has_member(const path_element& e) const;
  /// Adds all of a set below an element; nothing if it is empty.
  void attach(const path_element& at, field_set below);
  /// What is below an element, or null.
  const field_set* below(const path_element& e) const;

  /// Puts `members` and `children` in order after they were filled in any other: one sort, where inserting many elements
  /// one by one would move them all again and again.
  void sort();
};

struct field_set::child {
  path_element at;
  field_set set;
};

bool operator==(const field_set& a, const field_set& b);
bool operator==(const field_set::child& a, const field_set::child& b);

field_set union_of(const field_set& a, const field_set& b);
field_set intersection_of(const field_set& a, const field_set& b);
/// The paths of `a` that are not in `b`.
field_set difference_of(const field_set& a, const field_set& b);
/// The paths of `a` that neither are in `b` nor lead through a path of `b`.
field_set without(const field_set& a, const field_set& b);
/// The paths that no other path of the set goes on from.
field_set leaves_of(const field_set& s);
/// Calls `f` for every path: at each level first those that end there, then those that go on, both in order.
void for_each_path(const field_set& s, const std::function<void(const path&)>& f);

/// FieldsV1: `{"f:metadata":{"f:labels":{".":{},"f:app":{}}}}`. Unknown kinds of elements are skipped, as Kubernetes
/// does. errc::malformed names the element, errc::too_large the limit.
result<field_set> parse_fields_v1(const document& fields, const field_set_limits& limits = {});
document fields_v1_of(const field_set& s);
/// The same as text, in the order in which Kubernetes writes it (a document sorts by the text of the elements).
std::string fields_v1_text(const field_set& s);

}  // namespace wh::apply
