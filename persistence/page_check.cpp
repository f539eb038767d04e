#include "persistence/page_check.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "persistence/page_walk.hpp"

namespace wh::storage {

using namespace page_layout;

namespace {

/// The kernel is asked to fetch this much at once, so that a cold disk is read in long runs although trees are not.
constexpr std::uint64_t ahead_bytes = 1 << 20;

class descriptor {
 public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

page_report page_walk::run() {
  if (const auto newest = find_meta()) {
    check_tree(tree_check::kind::tables, "main", newest->main);
    for (const named_tree& t : tables_) check_tree(tree_check::kind::table, t.name, t.described);
    check_tree(tree_check::kind::free_list, "free pages", newest->free_list);
    report_.lost = report_.last_page + 1 - report_.used - report_.free;
  }
  return std::move(report_);
}

/// Where a page holds damage that the disk itself reports, that is its problem and not the end of the check.
bool page_walk::read(std::uint64_t page, std::uint64_t at, char* out, std::size_t n) {
  const std::size_t run = static_cast<std::size_t>(at / ahead_bytes);
  if (run < fetched_.size() && !fetched_[run]) {
    fetched_[run] = true;
    ::posix_fadvise(fd_, static_cast<off_t>(run * ahead_bytes), static_cast<off_t>(ahead_bytes), POSIX_FADV_WILLNEED);
  }
  while (n > 0) {
    const ssize_t got = ::pread(fd_, out, n, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      problem(page, got == 0 ? "lies behind the end of the file, which was cut short"
                             : fmt::format("cannot be read: {}", std::strerror(errno)));
      return false;
    }
    out += got;
    at += static_cast<std::uint64_t>(got);
    n -= static_cast<std::size_t>(got);
  }
  return true;
}

std::optional<meta> page_walk::read_meta(std::uint64_t number, std::uint64_t page_bytes) {
  char bytes[sizeof(page_header) + sizeof(meta)];
  if (!read(number, number * page_bytes, bytes, sizeof bytes)) return {};
  const auto header = load<page_header>(bytes);
  const auto m = load<meta>(bytes + sizeof header);
  if (header.number != number || header.flags != is_meta || m.magic != magic) {
    problem(number, "is no meta page of LMDB's");
  } else if (m.version != data_version) {
    problem(number, fmt::format("says that the file has LMDB's format {}, not {}", m.version, data_version));
  } else if (m.free_list.pad < page_bytes_min || m.free_list.pad > page_bytes_max ||
             !std::has_single_bit(m.free_list.pad)) {
    problem(number, fmt::format("says that pages have {} bytes, which cannot be", m.free_list.pad));
  } else {
    return m;
  }
  return {};
}

/// LMDB believes the newer meta page, and opens no file in which either is none.
std::optional<meta> page_walk::find_meta() {
  const auto first = read_meta(0, 0);
  if (!first) return {};
  const auto second = read_meta(1, first->free_list.pad);
  if (!second) return {};
  const bool second_newer = first->txn < second->txn;
  const meta& newest = second_newer ? *second : *first;
  const meta& other = second_newer ? *first : *second;
  report_.page_bytes = newest.free_list.pad;
  report_.last_page = newest.last_page;
  txn_ = newest.txn;
  // LMDB writes no pages at the end that a transaction took and gave back; all of them are listed as free in the file.
  const std::uint64_t unwritten_max = file_bytes_ / sizeof(std::uint64_t);
  // Transaction N writes page N % 2, and N - 1 stays in the other: a damaged number makes an older state pass as newest.
  const bool fresh = newest.txn == 0 && other.txn == 0;
  if (other.free_list.pad != newest.free_list.pad) {
    problem(0, "and page 1 disagree on the size of pages");
  } else if (!fresh && (newest.txn != other.txn + 1 || (newest.txn % 2 == 1) != second_newer)) {
    problem(0, fmt::format("and page 1 are of transactions {} and {}, which cannot be", first->txn, second->txn));
  } else if (newest.last_page < metas - 1 || newest.last_page > file_bytes_ / report_.page_bytes + unwritten_max) {
    problem(
        newest.last_page,
        fmt::format("the last one, lies far behind the end of the file, which was cut short to {} bytes", file_bytes_));
  } else {
    seen_.resize(static_cast<std::size_t>(newest.last_page) + 1);
    fetched_.resize(static_cast<std::size_t>(file_bytes_ / ahead_bytes) + 1);
    seen_[0] = seen_[1] = true;
    report_.used = metas;
    // A transaction that finds tables replaces pages of theirs, and lists those as free under its number.
    must_have_freed_ = other.main.root != no_page;
    return newest;
  }
  return {};
}

void page_walk::check_tree(tree_check::kind what, const std::string& name, const tree& described) {
  tree_check t{what, name, described};
  const bool empty = described.root == no_page;
  const std::uint64_t place = empty ? txn_ % metas : described.root;
  const std::uint16_t flags = what == tree_check::kind::free_list ? free_list_flags : plain_table;
  const std::uint16_t ignored = what == tree_check::kind::free_list ? free_list_ignored : 0;
  if ((described.flags & ~ignored) != flags)
    return problem(
        place, fmt::format("the table \"{}\" has flags {:#x}, which the store does not use", name, described.flags));
  if (empty != (described.depth == 0) || described.depth > depth_max)
    return problem(place, fmt::format("the table \"{}\" cannot be {} levels deep", name, described.depth));
  const std::size_t before = report_.problems.size();
  if (!empty) walk(t, described.root, 1, {});
  if (what == tree_check::kind::free_list && report_.problems.size() == before && must_have_freed_ &&
      last_freed_ != txn_)
    problem(txn_ % metas, "is not the newest state: its list of free pages is another transaction's");
  // What could not be walked was not counted either.
  if (report_.problems.size() != before) return;
  if (t.found.entries != described.entries || t.found.branch_pages != described.branch_pages ||
      t.found.leaf_pages != described.leaf_pages || t.found.overflow_pages != described.overflow_pages)
    problem(place,
            fmt::format("the table \"{}\" should have {} entries on {} + {} + {} pages, it has {} on {} + {} + {}",
                        name, described.entries, described.branch_pages, described.leaf_pages, described.overflow_pages,
                        t.found.entries, t.found.branch_pages, t.found.leaf_pages, t.found.overflow_pages));
}

result<page_report> check_pages(const std::string& path, std::size_t problems_max) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return fail(errc::io, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  if (!S_ISREG(info.st_mode)) return fail(errc::io, path + " is not a file");
  return page_walk(file.get(), static_cast<std::uint64_t>(info.st_size), std::max<std::size_t>(problems_max, 1)).run();
}

}  // namespace wh::storage
