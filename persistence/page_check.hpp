#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace wh::storage {

/// What a walk over the pages of an LMDB data file found.
struct page_report {
  std::uint64_t page_bytes = 0;
  std::uint64_t last_page = 0;  ///< the highest number handed out
  std::uint64_t used = 0;       ///< reached from the newest valid meta page, both of those included
  std::uint64_t free = 0;
  std::uint64_t lost = 0;             ///< neither used nor free: space, not data
  std::vector<std::string> problems;  ///< "page 17: …"; empty: LMDB can read the file without stepping outside it
};

/// Reads the pages of a data file without LMDB, which believes what it reads (it has no page checksums, and a damaged
/// page can take the process with it). Checks the newest meta page and each page reached from it: its own number, kind,
/// bounds of every node, order of the keys, depth, no page reached twice, and the list of free pages. Bodies are not
/// read; their records' checksums see to them. Memory: one bit a page. Stops at `problems_max`.
/// The error says why the file could not be examined at all; a file that is no LMDB file is a problem, not an error.
result<page_report> check_pages(const std::string& path, std::size_t problems_max = 20);

}  // namespace wh::storage
