#include "persistence/backup.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

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
    if (auto ok = tables->put_meta("times", ""); !ok) return ok;
  }
  return env.commit(*std::move(txn));
}

}  // namespace

result<std::uint64_t> backup_store(const store& s, const std::vector<backup_part>& parts, const std::string& path) {
  const auto* source = dynamic_cast<const copyable*>(&s);
  if (source == nullptr) return fail(errc::unsupported, "this store keeps nothing on disk that could be copied");
  auto file = backup_writer::create(path);
  if (!file) return file.err();
  for (const auto& part : parts)
    if (auto ok = file->add(part.name, part.content); !ok) return ok.err();
  auto copied = file->add_from(backup_store_section, [&](int fd) { return source->copy_to(fd); });
  if (!copied) return copied.err();
  return file->finish();
}

result<void> restore_store(const backup_reader& from, const lmdb_options& options) {
  std::error_code ec;
  const fs::path target = fs::path(options.dir) / "data.mdb";
  if (fs::exists(target, ec))
    return fail(errc::already_exists,
                fmt::format("{} holds a store already; restore into another folder", options.dir));
  fs::create_directories(fs::absolute(options.dir, ec).parent_path(), ec);
  if (::mkdir(options.dir.c_str(), 0700) != 0 && errno != EEXIST) return file_error("create the folder", options.dir);
  result<void> done = from.copy(backup_store_section, target.string());
  if (done) {
    auto env = lmdb_env::open(options);
    done = env ? begin_new_history(**env, options.incarnation_seed) : result<void>(env.err());
  }
  // Half a restore must not pass for a store with the old history.
  if (!done) fs::remove(target, ec);
  return done;
}

}  // namespace wh
