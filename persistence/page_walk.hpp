#pragma once
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/page_check.hpp"
#include "persistence/page_layout.hpp"

namespace wh::storage {

/// One of the file's trees: as described and as found.
struct tree_check {
  enum class kind { table, tables, free_list };
  kind what;
  std::string name;
  page_layout::tree described;
  page_layout::tree found{};
};

struct named_tree {
  std::string name;
  page_layout::tree described;
};

/// The keys that may lie in a subtree: from `from`, before `to`.
struct key_bounds {
  std::optional<std::string_view> from;
  std::optional<std::string_view> to;
};

/// The work of check_pages on an open file.
class page_walk {
 public:
  page_walk(int fd, std::uint64_t file_bytes, std::size_t problems_max)
      : fd_(fd), file_bytes_(file_bytes), problems_max_(problems_max) {}

  page_report run();

 private:
  bool full() const { return report_.problems.size() >= problems_max_; }
  void problem(std::uint64_t page, std::string_view what) {
    if (!full()) report_.problems.push_back(fmt::format("page {}: {}", page, what));
  }

  bool read(std::uint64_t page, std::uint64_t at, char* out, std::size_t n);
  std::optional<page_layout::meta> read_meta(std::uint64_t number, std::uint64_t page_bytes);
  std::optional<page_layout::meta> find_meta();
  bool take(std::uint64_t page, std::uint64_t& counter);
  void check_tree(tree_check::kind what, const std::string& name, const page_layout::tree& described);
  void walk(tree_check& t, std::uint64_t number, unsigned level, const key_bounds& bounds);
  bool well_formed(const tree_check& t, const page_layout::page_view& p, bool leaf);
  bool nodes_tile(const page_layout::page_view& p);
  bool keys_in_order(const tree_check& t, const page_layout::page_view& p, const key_bounds& bounds);
  void check_value(tree_check& t, const page_layout::page_view& p, std::size_t i);
  bool check_overflow(tree_check& t, std::uint64_t first, std::uint64_t data_bytes);
  void check_free_pages(const page_layout::page_view& p, std::size_t i);
  bool free_page(std::uint64_t holder, std::uint64_t page, std::uint64_t& before);

  int fd_;
  std::uint64_t file_bytes_;
  std::size_t problems_max_;
  page_report report_;
  std::uint64_t txn_ = 0;         ///< that wrote the newest meta page
  bool must_have_freed_ = false;  ///< that one
  std::uint64_t last_freed_ = 0;  ///< the newest transaction in the list of free pages
  std::vector<bool> seen_;        ///< pages reached or free
  std::vector<bool> fetched_;     ///< runs of the file that the kernel was asked for
  std::vector<named_tree> tables_;
  std::vector<std::vector<char>> levels_;  ///< a page buffer for each level of a tree
  std::vector<std::uint32_t> extents_;
};

}  // namespace wh::storage
