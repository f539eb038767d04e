#include "persistence/page_walk.hpp"

#include <algorithm>
#include <cstring>

// From a tree's root to its leaves and what hangs on them.
namespace wh::storage {

using namespace page_layout;

namespace {

constexpr std::size_t list_chunk = 8192;

/// A damaged name must not upset the terminal that shows it.
std::string printable(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace

bool page_walk::take(std::uint64_t page, std::uint64_t& counter) {
  if (page < metas || page > report_.last_page) return false;
  const auto i = static_cast<std::size_t>(page);
  if (seen_[i]) return false;
  seen_[i] = true;
  ++counter;
  return true;
}

void page_walk::walk(tree_check& t, std::uint64_t number, unsigned level, const key_bounds& bounds) {
  if (full()) return;
  const bool leaf = level == t.described.depth;
  if (!take(number, report_.used))
    return problem(number, fmt::format("is not the table \"{}\"'s alone, or no page of the file", t.name));
  ++(leaf ? t.found.leaf_pages : t.found.branch_pages);
  if (levels_.size() < level) levels_.resize(level);
  levels_[level - 1].resize(report_.page_bytes);
  char* bytes = levels_[level - 1].data();
  if (!read(number, number * report_.page_bytes, bytes, report_.page_bytes)) return;
  const page_view p{number, bytes, load<page_header>(bytes)};
  if (!well_formed(t, p, leaf) || !nodes_tile(p) || !keys_in_order(t, p, bounds)) return;
  for (std::size_t i = 0; i < p.nodes() && !full(); ++i) {
    if (leaf) {
      ++t.found.entries;
      check_value(t, p, i);
      continue;
    }
    // The first key stands for "from the beginning", whatever it says.
    walk(t, p.node(i).child(), level + 1,
         {i == 0 ? bounds.from : p.key(i), i + 1 < p.nodes() ? std::optional(p.key(i + 1)) : bounds.to});
  }
}

bool page_walk::well_formed(const tree_check& t, const page_view& p, bool leaf) {
  const page_header& h = p.header;
  // LMDB leaves a branch with a single child to the free list alone, and aborts where it finds one elsewhere.
  const std::size_t nodes_min = leaf || t.what == tree_check::kind::free_list ? 1 : 2;
  if (h.number != p.number) {
    problem(p.number, fmt::format("is in its place page {}", h.number));
  } else if (h.flags != (leaf ? is_leaf : is_branch)) {
    problem(p.number,
            fmt::format("should be a {} of \"{}\", its flags are {:#x}", leaf ? "leaf" : "branch", t.name, h.flags));
  } else if (h.lower < sizeof h || h.lower % 2 != 0 || h.upper < h.lower || h.upper > report_.page_bytes) {
    problem(p.number, fmt::format("its free space cannot go from {} to {}", h.lower, h.upper));
  } else if (p.nodes() < nodes_min) {
    problem(p.number, fmt::format("has {} entries only", p.nodes()));
  } else {
    return true;
  }
  return false;
}

/// LMDB moves nodes about by their sizes, so it is not enough that each lies in the page.
bool page_walk::nodes_tile(const page_view& p) {
  extents_.clear();
  for (std::size_t i = 0; i < p.nodes(); ++i) {
    const std::size_t at = p.offset(i);
    if (at < p.header.upper || at + sizeof(node_header) > report_.page_bytes) {
      problem(p.number, fmt::format("entry {} lies outside of it", i));
      return false;
    }
    const node_header n = p.node(i);
    const std::uint64_t data = p.leaf() ? (n.flags & big_data) != 0 ? sizeof(std::uint64_t) : n.data_bytes() : 0;
    const std::uint64_t size = (sizeof n + n.key_bytes + data + 1) / 2 * 2;
    if (at + size > report_.page_bytes || n.key_bytes > page_layout::key_bytes_max) {
      problem(p.number, fmt::format("entry {} does not fit in it", i));
      return false;
    }
    extents_.push_back(static_cast<std::uint32_t>(at << 16 | size));
  }
  std::sort(extents_.begin(), extents_.end());
  std::uint32_t expected = p.header.upper;
  for (const std::uint32_t extent : extents_) {
    if (extent >> 16 != expected) break;
    expected += extent & 0xffff;
  }
  if (expected == report_.page_bytes) return true;
  problem(p.number, fmt::format("its entries overlap or leave a gap at {}", expected));
  return false;
}

bool page_walk::keys_in_order(const tree_check& t, const page_view& p, const key_bounds& bounds) {
  const bool numbers = t.what == tree_check::kind::free_list;
  const auto before = [numbers](std::string_view a, std::string_view b) {
    return numbers ? load<std::uint64_t>(a.data()) < load<std::uint64_t>(b.data()) : a < b;
  };
  std::optional<std::string_view> previous;
  for (std::size_t i = p.leaf() ? 0 : 1; i < p.nodes(); ++i) {
    const std::string_view key = p.key(i);
    const bool well_sized = numbers ? key.size() == sizeof(std::uint64_t) : !key.empty();
    if (!well_sized || (previous && !before(*previous, key)) || (bounds.from && before(key, *bounds.from)) ||
        (bounds.to && !before(key, *bounds.to))) {
      problem(p.number, fmt::format("the key of entry {} is out of order", i));
      return false;
    }
    previous = key;
  }
  return true;
}

void page_walk::check_value(tree_check& t, const page_view& p, std::size_t i) {
  const node_header n = p.node(i);
  const bool names_tree = n.flags == sub_data && t.what == tree_check::kind::tables;
  if (n.flags != 0 && n.flags != big_data && !names_tree)
    return problem(p.number, fmt::format("entry {} has flags {:#x}, which the store does not use", i, n.flags));
  if (n.flags == big_data && !check_overflow(t, load<std::uint64_t>(p.value(i)), n.data_bytes())) return;
  if (names_tree) {
    if (n.data_bytes() != sizeof(tree))
      return problem(p.number, fmt::format("entry {} describes no table, it has {} bytes", i, n.data_bytes()));
    tables_.push_back({printable(p.key(i)), load<tree>(p.value(i))});
  }
  if (t.what == tree_check::kind::free_list) check_free_pages(p, i);
}

/// Of overflow pages only the first has a header, which is all that is read.
bool page_walk::check_overflow(tree_check& t, std::uint64_t first, std::uint64_t data_bytes) {
  if (!take(first, report_.used)) {
    problem(first, fmt::format("is not the table \"{}\"'s alone, or no page of the file", t.name));
    return false;
  }
  char bytes[sizeof(page_header)];
  if (!read(first, first * report_.page_bytes, bytes, sizeof bytes)) return false;
  const auto h = load<page_header>(bytes);
  const std::uint64_t needed = (sizeof h + data_bytes + report_.page_bytes - 1) / report_.page_bytes;
  if (h.number != first || h.flags != is_overflow || h.pages() < needed || h.pages() > report_.last_page + 1 - first) {
    problem(first,
            fmt::format("should begin {} overflow pages of \"{}\"; it says that it is page {} with flags {:#x} and "
                        "begins {}",
                        needed, t.name, h.number, h.flags, h.pages()));
    return false;
  }
  if ((first + h.pages()) * report_.page_bytes > file_bytes_) {
    problem(first + h.pages() - 1, "lies behind the end of the file, which was cut short");
    return false;
  }
  for (std::uint64_t page = first + 1; page < first + h.pages(); ++page) {
    if (take(page, report_.used)) continue;
    problem(page, fmt::format("belongs to the overflow pages from {} and to something else, too", first));
    return false;
  }
  t.found.overflow_pages += h.pages();
  return true;
}

/// A record of the free list: the transaction that freed pages, then their count and numbers, greatest first.
void page_walk::check_free_pages(const page_view& p, std::size_t i) {
  const node_header n = p.node(i);
  const auto txn = load<std::uint64_t>(p.key(i).data());
  if (txn == 0 || txn > txn_) return problem(p.number, fmt::format("entry {} is of no transaction that was", i));
  last_freed_ = std::max(last_freed_, txn);
  const bool big = n.flags == big_data;
  const std::uint64_t start = big ? load<std::uint64_t>(p.value(i)) * report_.page_bytes + sizeof(page_header) : 0;
  const std::uint64_t bytes = n.data_bytes();
  std::uint64_t count = 0;
  std::uint64_t before = report_.last_page + 1;
  std::vector<char> chunk(std::min<std::uint64_t>(bytes, list_chunk));
  for (std::uint64_t done = 0; done == 0 || done / 8 <= count;) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(bytes - done, list_chunk));
    if (part == 0 || part % 8 != 0) return problem(p.number, fmt::format("entry {} is cut short", i));
    if (!big) std::memcpy(chunk.data(), p.value(i), part);
    else if (!read(p.number, start + done, chunk.data(), part)) return;
    std::size_t at = 0;
    if (done == 0) {
      count = load<std::uint64_t>(chunk.data());
      at = 8;
    }
    if (count > bytes / 8 - 1) return problem(p.number, fmt::format("entry {} cannot list {} pages", i, count));
    for (; at < part && (done + at) / 8 <= count; at += 8)
      if (!free_page(p.number, load<std::uint64_t>(chunk.data() + at), before)) return;
    done += part;
  }
}

bool page_walk::free_page(std::uint64_t holder, std::uint64_t page, std::uint64_t& before) {
  if (page < before && take(page, report_.free)) {
    before = page;
    return true;
  }
  problem(holder, fmt::format("lists page {} as free, which it is not, or not in order", page));
  return false;
}

}  // namespace wh::storage
