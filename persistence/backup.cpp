#include "persistence/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>

#include "persistence/lmdb_env.hpp"
#include "persistence/lmdb_tables.hpp"
#include "persistence/store_copy.hpp"

namespace wh {

namespace {

using namespace storage;
namespace fs = std::filesystem;

/// What a restored store skips: years of commits at the greatest rate, and thousands of restores before clients that
/// keep numbers as doubles would notice.
constexpr std::uint64_t revisions_skipped = std::uint64_t{1} << 40;

error file_error(std::string_view doing, const std::string& path) {
  return fail(errc::io, fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno)));
}

/// Everything that is not current goes, the incarnation and the revisions change.
result<void> begin_new_history(lmdb_env& env, const std::string& incarnation_id) {
  auto txn = env.begin_write();
  if (!txn) return txn.err();
  {
    auto tables = lmdb_tables::open(env, txn->get());
    if (!tables) return tables.err();
    auto state = tables->state();
    if (!state) return state.err();
    if (auto ok = tables->compact(*state, revision{state->current}, std::numeric_limits<std::size_t>::max()); !ok)
      return ok;
    state->current = std::max(state->current, state->reserved) + revisions_skipped;
    state->reserved = state->compacted = state->current;
    if (auto ok = tables->put_meta("state", encode_state(*state)); !ok) return ok;
    if (auto ok = tables->put_meta("incarnation", incarnation_id); !ok) return ok;
  }
  return env.commit(*std::move(txn));
}

}  // namespace

result<void> backup_store(const store& s, const std::string& path) {
  const auto* source = dynamic_cast<const copyable*>(&s);
  if (source == nullptr) return fail(errc::unsupported, "this store keeps nothing on disk that could be copied");
  const std::string partial = path + ".partial";
  if (::access(path.c_str(), F_OK) == 0) return fail(errc::already_exists, path + " exists already");
  const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return file_error("create", partial);
  auto done = source->copy_to(fd);
  if (done && ::fsync(fd) != 0) done = file_error("sync", partial);
  ::close(fd);
  // Only a whole backup bears the name.
  if (done && ::rename(partial.c_str(), path.c_str()) != 0) done = file_error("name", path);
  if (!done) ::unlink(partial.c_str());
  return done;
}

result<void> restore_store(const std::string& path, const lmdb_options& options) {
  std::error_code ec;
  const fs::path target = fs::path(options.dir) / "data.mdb";
  if (fs::exists(target, ec))
    return fail(errc::already_exists,
                fmt::format("{} holds a store already; restore into another folder", options.dir));
  fs::create_directories(fs::absolute(options.dir, ec).parent_path(), ec);
  if (::mkdir(options.dir.c_str(), 0700) != 0 && errno != EEXIST) return file_error("create the folder", options.dir);
  fs::copy_file(path, target, ec);
  if (ec) return fail(errc::io, fmt::format("cannot copy {} to {}: {}", path, target.string(), ec.message()));
  fs::permissions(target, fs::perms::owner_read | fs::perms::owner_write, ec);
  result<void> done;
  {
    auto env = lmdb_env::open(options);
    done = env ? begin_new_history(**env, options.incarnation_seed) : result<void>(env.err());
  }
  // Half a restore must not pass for a store with the old history.
  if (!done) fs::remove(target, ec);
  return done;
}

}  // namespace wh
