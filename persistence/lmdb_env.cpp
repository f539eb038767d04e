#include "persistence/lmdb_env.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "persistence/lmdb_format.hpp"
#include "persistence/page_check.hpp"

namespace wh::storage {

namespace {

/// Reads in flight at once. Each takes a slot for microseconds only.
constexpr unsigned readers_max = 1024;
/// The data file is kept this much longer than what LMDB has handed out. LMDB never writes pages at the end that a
/// transaction took and gave back. The page check tells that from a file that was cut short; whoever only compares
/// lengths could not.
constexpr std::uint64_t slack_bytes = 16 << 20;

constexpr const char* data_name = "/data.mdb";
constexpr const char* marker_name = "/created";

error io_error(std::string_view doing, const std::string& path) {
  return fail(errc::io, fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno)));
}

result<void> sync_path(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return io_error("open", path);
  const bool synced = ::fsync(fd) == 0;
  const error failed = io_error("sync", path);
  ::close(fd);
  if (!synced) return failed;
  return {};
}

result<void> make_folder(const std::string& dir) {
  namespace fs = std::filesystem;
  if (dir.empty()) return fail(errc::invalid, "the store needs a folder");
  std::error_code ec;
  const fs::path parent = fs::absolute(dir, ec).lexically_normal().parent_path();
  fs::create_directories(parent, ec);
  const bool made = ::mkdir(dir.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return io_error("create the folder", dir);
  if (!fs::is_directory(dir, ec)) return fail(errc::io, dir + " is not a folder");
  // Syncs inside a folder are worth nothing if a power cut takes the folder itself. One that was there already may have
  // been made a moment ago, but then its parent may also be one that we must not read.
  const auto synced = sync_path(parent.string());
  return made ? synced : result<void>();
}

/// Tells a store that lost its data from a folder in which none was ever completed.
result<void> check_presence(const std::string& dir) {
  struct stat data {};
  struct stat marker {};
  const std::string path = dir + data_name;
  const bool has_data = ::stat(path.c_str(), &data) == 0 && data.st_size > 0;
  if (has_data || ::stat((dir + marker_name).c_str(), &marker) != 0) return {};
  return fail(errc::corrupt,
              fmt::format("{} is missing or empty, but {} held a store; restore a backup, or remove the folder "
                          "to start anew",
                          path, dir));
}

/// LMDB believes what it reads, so it must not see a damaged page.
result<void> check_data(const std::string& dir) {
  const std::string path = dir + data_name;
  struct stat data {};
  if (::stat(path.c_str(), &data) != 0 || data.st_size == 0) return {};  // a new store
  const auto report = check_pages(path);
  if (!report) return report.err();
  if (report->problems.empty()) return {};
  const std::size_t more = report->problems.size() - 1;
  return fail(errc::corrupt, fmt::format("{} is damaged: {}{}; restore a backup", path, report->problems.front(),
                                         more == 0 ? "" : fmt::format(" (and {} more)", more)));
}

/// True if LMDB never committed anything to the file. It writes its first two pages without syncing them before its
/// first commit does, so a power cut during the creation can leave any part of them.
bool never_committed(const std::string& path) {
  constexpr off_t txn_number_at = 144;  // in each of the two pages; 0 until a commit
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::uint64_t numbers[2] = {};
  for (int page = 0; page < 2; ++page)
    if (::pread(fd, &numbers[page], sizeof numbers[page], page * ::sysconf(_SC_PAGESIZE) + txn_number_at) < 0)
      numbers[page] = ~std::uint64_t{0};
  ::close(fd);
  return numbers[0] == 0 && numbers[1] == 0;
}

/// A store whose creation was cut off held nothing yet. Moved and not removed: a file put here by hand is its owner's.
result<void> set_unfinished_aside(const std::string& dir) {
  const std::string path = dir + data_name;
  struct stat found {};
  if (::stat((dir + marker_name).c_str(), &found) == 0 || ::stat(path.c_str(), &found) != 0) return {};
  if (!never_committed(path)) return {};
  if (::rename(path.c_str(), (path + ".unfinished").c_str()) != 0) return io_error("set aside", path);
  return {};
}

result<void> write_marker(const std::string& dir) {
  const std::string path = dir + marker_name;
  if (::access(path.c_str(), F_OK) == 0) return {};
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return io_error("create", path);
  ::close(fd);
  return sync_path(dir);
}

}  // namespace

error lmdb_error(int rc, std::string_view doing) {
  errc code = errc::io;
  if (rc == MDB_CORRUPTED || rc == MDB_PAGE_NOTFOUND || rc == MDB_INVALID || rc == MDB_VERSION_MISMATCH)
    code = errc::corrupt;
  if (rc == MDB_READERS_FULL) code = errc::unavailable;
  return fail(code, fmt::format("{}: {}", doing, mdb_strerror(rc)));
}

result<std::unique_ptr<lmdb_env>> lmdb_env::open(const lmdb_options& options) {
  if (auto ok = make_folder(options.dir); !ok) return ok.err();
  std::unique_ptr<lmdb_env> env(new lmdb_env(options));
  auto lock = store_lock::take(options.dir);
  if (!lock) return lock.err();
  env->lock_ = *std::move(lock);
  if (auto ok = check_presence(options.dir); !ok) return ok.err();
  if (auto ok = set_unfinished_aside(options.dir); !ok) return ok.err();
  if (auto ok = check_data(options.dir); !ok) return ok.err();
  if (auto ok = env->open_env(); !ok) return ok.err();
  if (auto ok = write_marker(options.dir); !ok) return ok.err();
  return env;
}

lmdb_env::~lmdb_env() { close_env(); }

result<void> lmdb_env::reopen() {
  close_env();
  return open_env();
}

void lmdb_env::close_env() {
  if (env_ != nullptr) mdb_env_close(env_);
  env_ = nullptr;
}

int lmdb_env::open_with_map(std::uint64_t map_bytes) {
  close_env();
  if (int rc = mdb_env_create(&env_); rc != 0) return rc;
  mdb_env_set_mapsize(env_, map_bytes);
  mdb_env_set_maxreaders(env_, readers_max);
  mdb_env_set_maxdbs(env_, 3);
  const unsigned flags = MDB_NOTLS | (options_.sync ? 0U : unsigned{MDB_NOSYNC});
  const int rc = mdb_env_open(env_, options_.dir.c_str(), flags, 0600);
  if (rc != 0) close_env();
  return rc;
}

result<void> lmdb_env::open_env() {
  needs_reopen_ = true;  // until all went well
  std::uint64_t map_bytes = options_.map_bytes;
  int rc = open_with_map(map_bytes);
  // Where address space is scarce (ulimit -v, sanitizers) a smaller reservation still has room for the quota.
  while (rc == ENOMEM && map_bytes / 2 >= 2 * options_.quota_bytes) rc = open_with_map(map_bytes /= 2);
  if (rc != 0) return lmdb_error(rc, fmt::format("cannot open the store in {}", options_.dir));
  auto ok = measure();
  if (ok) {
    keep_file_longer_than_pages();
    clear_dead_readers();
    ok = open_tables();
  }
  needs_reopen_ = !ok.ok();
  if (!ok) close_env();
  return ok;
}

result<void> lmdb_env::measure() {
  MDB_stat stat{};
  mdb_env_stat(env_, &stat);
  page_bytes_ = stat.ms_psize;
  const std::string path = options_.dir + data_name;
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return io_error("examine", path);
  extended_bytes_ = static_cast<std::uint64_t>(file.st_size);
  return {};
}

result<void> lmdb_env::open_tables() {
  auto txn = begin_write();
  if (!txn) return txn.err();
  auto ok = open_format(txn->get(), options_, secrets_, tables_);
  if (ok) ok = commit(*std::move(txn));
  if (!ok) return fail(ok.err().code, fmt::format("cannot open the store in {}: {}", options_.dir, ok.err().message));
  return sync_path(options_.dir);
}

result<lmdb_txn> lmdb_env::begin_read() const {
  if (env_ == nullptr) return fail(errc::unavailable, fmt::format("the store in {} cannot be opened", options_.dir));
  MDB_txn* txn = nullptr;
  if (int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn); rc != 0) return lmdb_error(rc, "cannot begin to read");
  return lmdb_txn(txn);
}

result<lmdb_txn> lmdb_env::begin_write() {
  if (env_ == nullptr) return fail(errc::unavailable, fmt::format("the store in {} cannot be opened", options_.dir));
  MDB_txn* txn = nullptr;
  if (int rc = mdb_txn_begin(env_, nullptr, 0, &txn); rc != 0) {
    needs_reopen_ = needs_reopen_ || rc == MDB_PANIC;
    return lmdb_error(rc, "cannot begin to write");
  }
  return lmdb_txn(txn);
}

result<void> lmdb_env::commit(lmdb_txn txn) {
  keep_file_longer_than_pages();
  const int rc = mdb_txn_commit(txn.release());
  if (rc == 0) return {};
  // After some failures LMDB panics, which only the next transaction tells.
  static_cast<void>(begin_write().ok());
  return lmdb_error(rc, "cannot commit");
}

std::uint64_t lmdb_env::file_bytes() const {
  if (env_ == nullptr) return 0;
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  return (info.me_last_pgno + 1) * page_bytes_;
}

result<std::uint64_t> lmdb_env::bytes_in_use() const {
  auto txn = begin_read();
  if (!txn) return txn.err();
  constexpr MDB_dbi free_list = 0;
  MDB_cursor* raw = nullptr;
  if (int rc = mdb_cursor_open(txn->get(), free_list, &raw); rc != 0)
    return lmdb_error(rc, "cannot read the free list");
  const lmdb_cursor cursor(raw);
  std::uint64_t pages = 0;
  MDB_val key{};
  MDB_val list{};
  while (mdb_cursor_get(raw, &key, &list, MDB_NEXT) == 0) {
    std::size_t count = 0;  // each entry is a counted list of page numbers
    std::memcpy(&count, list.mv_data, sizeof count);
    pages += count;
  }
  return file_bytes() - pages * page_bytes_;
}

void lmdb_env::clear_dead_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
}

void lmdb_env::keep_file_longer_than_pages() {
  const std::uint64_t needed = file_bytes() + slack_bytes / 2;
  if (extended_bytes_ >= needed) return;
  // A tool that died while it read keeps pages from being reused until somebody clears it; growth is when that matters.
  clear_dead_readers();
  const std::uint64_t length = (needed / slack_bytes + 1) * slack_bytes;
  // Sparse: it takes no space on disk. The commit's own sync makes it durable; failing, the next commit tries again.
  if (::truncate((options_.dir + data_name).c_str(), static_cast<off_t>(length)) == 0) extended_bytes_ = length;
}

}  // namespace wh::storage
