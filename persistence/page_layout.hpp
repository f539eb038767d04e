#pragma once
#include <lmdb.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// LMDB's data file, as liblmdb 0.9 lays it out on 64 bit little-endian machines. lmdb.h tells nothing of it; the names in
// capitals are those of mdb.c.
namespace wh::storage::page_layout {

static_assert(MDB_VERSION_MAJOR == 0 && MDB_VERSION_MINOR == 9, "another LMDB may lay out its pages differently");
static_assert(sizeof(std::size_t) == 8 && std::endian::native == std::endian::little);

inline constexpr std::uint32_t magic = 0xBEEFC0DE;           ///< MDB_MAGIC
inline constexpr std::uint32_t data_version = 1;             ///< MDB_DATA_VERSION
inline constexpr std::uint64_t metas = 2;                    ///< NUM_METAS: pages 0 and 1
inline constexpr std::size_t page_bytes_min = 512;           ///< smaller ones could not hold two keys
inline constexpr std::size_t page_bytes_max = 32768;         ///< MAX_PAGESIZE
inline constexpr std::size_t key_bytes_max = 511;            ///< MDB_MAXKEYSIZE
inline constexpr unsigned depth_max = 32;                    ///< CURSOR_STACK
inline constexpr std::uint64_t no_page = ~std::uint64_t{0};  ///< P_INVALID: the root of an empty tree

/// MDB_page::mp_flags.
enum page_flags : std::uint16_t { is_branch = 0x01, is_leaf = 0x02, is_overflow = 0x04, is_meta = 0x08 };

/// MDB_node::mn_flags of leaves.
enum node_flags : std::uint16_t { big_data = 0x01, sub_data = 0x02, dup_data = 0x04 };

/// MDB_page up to mp_ptrs.
struct page_header {
  std::uint64_t number;
  std::uint16_t pad;
  std::uint16_t flags;
  std::uint16_t lower;  ///< overflow pages: with `upper` the number of pages
  std::uint16_t upper;
  std::uint32_t pages() const { return lower | std::uint32_t{upper} << 16; }
};
static_assert(sizeof(page_header) == 16);

/// MDB_db.
struct tree {
  std::uint32_t pad;  ///< in the free list's: the page size
  std::uint16_t flags;
  std::uint16_t depth;
  std::uint64_t branch_pages;
  std::uint64_t leaf_pages;
  std::uint64_t overflow_pages;
  std::uint64_t entries;
  std::uint64_t root;
};
static_assert(sizeof(tree) == 48);

/// MDB_meta. Lies behind its page's header.
struct meta {
  std::uint32_t magic;
  std::uint32_t version;
  std::uint64_t address;
  std::uint64_t map_bytes;
  tree free_list;
  tree main;
  std::uint64_t last_page;
  std::uint64_t txn;
};
static_assert(sizeof(meta) == 136);

/// MDB_node up to mn_data.
struct node_header {
  std::uint16_t low;
  std::uint16_t high;
  std::uint16_t flags;
  std::uint16_t key_bytes;
  std::uint32_t data_bytes() const { return low | std::uint32_t{high} << 16; }       ///< in leaves
  std::uint64_t child() const { return data_bytes() | std::uint64_t{flags} << 32; }  ///< in branches
};
static_assert(sizeof(node_header) == 8);

/// The file's bytes have no alignment to rely on.
template <class T>
T load(const char* at) {
  T out;
  std::memcpy(&out, at, sizeof out);
  return out;
}

/// A branch or leaf page in memory.
struct page_view {
  std::uint64_t number = 0;
  const char* bytes = nullptr;
  page_header header{};

  std::size_t nodes() const { return (header.lower - sizeof(page_header)) / 2; }
  bool leaf() const { return header.flags == is_leaf; }
  std::size_t offset(std::size_t i) const { return load<std::uint16_t>(bytes + sizeof(page_header) + 2 * i); }
  node_header node(std::size_t i) const { return load<node_header>(bytes + offset(i)); }
  std::string_view key(std::size_t i) const { return {bytes + offset(i) + sizeof(node_header), node(i).key_bytes}; }
  /// A leaf's value where it lies in the page; of big ones, the number of the first overflow page.
  const char* value(std::size_t i) const { return key(i).data() + key(i).size(); }
};

/// Flags of a table that sorts keys as bytes and keeps one value each: all that the store uses.
inline constexpr std::uint16_t plain_table = 0;
/// The free list's: its keys are numbers in the machine's order. LMDB adds how the file was opened, which says nothing.
inline constexpr std::uint16_t free_list_flags = MDB_INTEGERKEY;
inline constexpr std::uint16_t free_list_ignored = MDB_NOSUBDIR;
static_assert(free_list_flags == 0x08 && free_list_ignored == 0x4000, "they are on disk");

}  // namespace wh::storage::page_layout
