// Whole data files: whatever bytes they hold, the page check finds what would lead LMDB astray, so that a verification,
// which reads through LMDB what passed, never crashes.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "base/assert.hpp"
#include "persistence/page_check.hpp"
#include "persistence/verify.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The same file each time: one a run would wear out the disk.
  static const int fd = ::memfd_create("data", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  WH_ASSERT(::ftruncate(fd, 0) == 0);
  WH_ASSERT(::pwrite(fd, data, size, 0) == static_cast<ssize_t>(size));
  const auto pages = wh::storage::check_pages(path);
  WH_ASSERT(pages.ok());
  wh::verify_options options;
  options.file = path;
  const auto report = wh::verify_store(options);
  WH_ASSERT(!report.ok() || report->problems_total >= pages->problems.size());
  return 0;
}
