#include "persistence/verify.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>
#include <sstream>

#include "base/encoding.hpp"
#include "persistence/history_clock.hpp"
#include "persistence/lmdb_env.hpp"
#include "persistence/page_check.hpp"
#include "persistence/records.hpp"
#include "persistence/sealing.hpp"

namespace wh {

namespace {

using namespace storage;

constexpr std::uint8_t version_flags = flag_removed | flag_terminating;
constexpr std::uint8_t record_flags_known = version_flags | flag_sealed;

struct env_closer {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};

/// One snapshot of a data file, read without a trace.
struct snapshot {
  std::unique_ptr<MDB_env, env_closer> env;
  lmdb_txn txn;  // goes before its environment
  table_ids tables;
};

result<snapshot> open_snapshot(const std::string& path, std::uint64_t file_bytes) {
  snapshot out;
  MDB_env* env = nullptr;
  if (int rc = mdb_env_create(&env); rc != 0) return lmdb_error(rc, "cannot read " + path);
  out.env.reset(env);
  mdb_env_set_maxdbs(env, 3);
  mdb_env_set_mapsize(env, file_bytes);
  const unsigned flags = MDB_RDONLY | MDB_NOLOCK | MDB_NOSUBDIR | MDB_NOTLS;
  MDB_txn* txn = nullptr;
  int rc = mdb_env_open(env, path.c_str(), flags, 0600);
  if (rc == 0) rc = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (rc != 0) return lmdb_error(rc, "cannot read " + path);
  out.txn.reset(txn);
  for (auto [name, id] :
       {std::pair{"meta", &out.tables.meta}, {"versions", &out.tables.versions}, {"log", &out.tables.log}})
    if (mdb_dbi_open(txn, name, 0, id) != 0)
      return fail(errc::corrupt, path + " holds an LMDB file that is no store of this program");
  return out;
}

template <class Visit>
void walk(MDB_txn* txn, MDB_dbi table, Visit visit) {
  MDB_cursor* raw = nullptr;
  if (mdb_cursor_open(txn, table, &raw) != 0) return;
  const lmdb_cursor cursor(raw);
  MDB_val key{};
  MDB_val value{};
  while (mdb_cursor_get(raw, &key, &value, MDB_NEXT) == 0) visit(to_view(key), to_view(value));
}

std::optional<std::string_view> look_up(MDB_txn* txn, MDB_dbi table, std::string_view name) {
  MDB_val key = to_val(name);
  MDB_val value{};
  if (mdb_get(txn, table, &key, &value) != 0) return std::nullopt;
  return to_view(value);
}

bool well_formed(const parsed_version_key& key) {
  return !key.object.resource.empty() && !key.object.name.empty() &&
         key.object.name.find('\0') == std::string_view::npos && key.rev != revision{};
}

class verifier {
 public:
  verifier(const verify_options& options, verify_report& report) : options_(options), report_(report) {}

  result<void> run(const std::string& path);

 private:
  void problem(std::string what) {
    if (++report_.problems_total > options_.problems_max) return;
    // Damaged names must not upset the terminal that shows them.
    for (char& c : what)
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
    report_.problems.push_back(std::move(what));
  }

  result<void> read_description(const snapshot& s);
  void check_times(std::string_view bytes);
  void read_sealing(std::string_view text);
  void collect_namespaces(const snapshot& s);
  void check_version(const snapshot& s, std::string_view key_bytes, std::string_view value);
  void check_history(const parsed_version_key& key, std::uint8_t flags, const std::string& name);
  std::optional<parsed_record> check_record(const snapshot& s, const parsed_version_key& key, std::uint8_t flags,
                                            const std::string& name);
  std::optional<shared_bytes> open_body(const parsed_record& r, revision rev, const std::string& name);
  void check_current(const parsed_version_key& key, const shared_bytes& body);
  void check_log(const snapshot& s);
  void check_strays(const snapshot& s, std::uint64_t records);

  const verify_options& options_;
  verify_report& report_;
  stored_state state_;
  std::set<std::string, std::less<>> sealing_;     ///< what bodies may be sealed with
  std::set<std::string, std::less<>> namespaces_;  ///< current ones
  std::uint64_t matched_ = 0;                      ///< records found through their versions
  // The versions of one object follow each other, newest first.
  std::string object_;
  bool below_compacted_ = false;  ///< one of its versions at or below `compacted` was met
};

result<void> verifier::run(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fail(errc::io, std::strerror(errno));
  report_.file_bytes = static_cast<std::uint64_t>(info.st_size);
  const auto pages = check_pages(path, options_.problems_max);
  if (!pages) return pages.err();
  report_.pages = pages->used;
  report_.free_pages = pages->free;
  for (const std::string& p : pages->problems) problem(p);
  // LMDB would believe what these pages say.
  if (!pages->problems.empty()) return {};
  const auto opened = open_snapshot(path, report_.file_bytes);
  if (!opened) return opened.err();
  if (auto ok = read_description(*opened); !ok) return ok;
  collect_namespaces(*opened);
  walk(opened->txn.get(), opened->tables.versions,
       [&](std::string_view key, std::string_view value) { check_version(*opened, key, value); });
  check_log(*opened);
  return {};
}

result<void> verifier::read_description(const snapshot& s) {
  std::map<std::string, std::string_view, std::less<>> entries;
  walk(s.txn.get(), s.tables.meta,
       [&](std::string_view key, std::string_view value) { entries[std::string(key)] = value; });
  const auto format = entries.find("format");
  if (format == entries.end() || format->second.size() != 8)
    return fail(errc::corrupt, "it holds an LMDB file that is no store of this program");
  report_.format = read_be64(format->second.data());
  if (report_.format > format_version)
    return fail(errc::unsupported, fmt::format("it has format {}, this program reads up to {}; use a newer program",
                                               report_.format, format_version));
  const auto take = [&](const char* name, std::uint64_t since) -> std::optional<std::string_view> {
    const auto it = entries.find(name);
    if (it != entries.end()) return it->second;
    if (report_.format >= since) problem(fmt::format("the store's description lacks \"{}\"", name));
    return std::nullopt;
  };
  if (report_.format == 0) problem("the store claims to have format 0, which never was");
  if (const auto id = take("incarnation", 1)) report_.incarnation = *id;
  if (const auto bytes = take("state", 1)) {
    const auto state = parse_state(*bytes);
    if (state) state_ = *state;
    else problem(fmt::format("the store's state has {} bytes", bytes->size()));
  }
  report_.current = revision{state_.current};
  report_.compacted = revision{state_.compacted};
  if (state_.compacted > state_.current)
    problem(fmt::format("the store's state says that revision {} was compacted, but the last one is {}",
                        state_.compacted, state_.current));
  if (const auto bytes = take("times", 2)) check_times(*bytes);
  if (const auto text = take("sealing", 2)) read_sealing(*text);
  for (const auto& [name, value] : entries)
    if (name != "format" && name != "incarnation" && name != "state" && name != "times" && name != "sealing")
      problem(fmt::format("the store's description has an unknown entry of {} bytes", name.size()));
  return {};
}

void verifier::check_times(std::string_view bytes) {
  if (!history_clock(duration::zero()).decode(bytes)) return problem("the times of the store's history are malformed");
  if (!bytes.empty() && read_be64(bytes.data() + bytes.size() - 8) > state_.current)
    problem(fmt::format("the times of the store's history go beyond its last revision, {}", state_.current));
}

void verifier::read_sealing(std::string_view text) {
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const bool is_id = word.size() == 16 && from_hex(word).ok();
    if (word != "plain" && !is_id) problem("the list of keys that secrets are sealed with is malformed");
    sealing_.insert(word);
  }
  if (sealing_.empty()) problem("the list of keys that secrets are sealed with is empty");
}

/// They are needed before the objects in them come along.
void verifier::collect_namespaces(const snapshot& s) {
  std::string previous;
  walk(s.txn.get(), s.tables.versions, [&](std::string_view key, std::string_view value) {
    const auto v = parse_version_key(key);
    if (!v || v->object.resource != "namespaces" || v->prefix == previous) return;
    previous = v->prefix;
    if (value.size() == 1 && (static_cast<std::uint8_t>(value[0]) & flag_removed) == 0)
      namespaces_.emplace(v->object.name);
  });
}

void verifier::check_version(const snapshot& s, std::string_view key_bytes, std::string_view value) {
  ++report_.versions;
  const auto key = parse_version_key(key_bytes);
  if (!key || !well_formed(*key))
    return problem(fmt::format("version {} in the order of keys names no object and revision", report_.versions));
  const std::string name = fmt::format("{} at revision {}", to_string(key->object.to_key()), key->rev.get());
  const bool newest = key->prefix != object_;
  object_ = key->prefix;
  if (newest) below_compacted_ = false;
  const auto flags = value.size() == 1 ? static_cast<std::uint8_t>(value[0]) : std::uint8_t{0};
  if (value.size() != 1 || (flags & ~version_flags) != 0)
    problem(fmt::format("{}: its version has {} bytes and flags {:#x}", name, value.size(), flags));
  check_history(*key, flags, name);
  const auto record = check_record(s, *key, flags, name);
  const auto body = record ? open_body(*record, key->rev, name) : std::nullopt;
  if (!newest || (flags & flag_removed) != 0) return;
  ++report_.objects;
  ++report_.resources[std::string(key->object.resource)];
  if (!key->object.ns.empty() && !namespaces_.empty() && namespaces_.find(key->object.ns) == namespaces_.end())
    problem(fmt::format("{}: there is no namespace \"{}\"", name, key->object.ns));
  if (body) check_current(*key, *body);
}

/// Compaction leaves of each object what was current then, and no removal.
void verifier::check_history(const parsed_version_key& key, std::uint8_t flags, const std::string& name) {
  if (key.rev.get() > state_.current) problem(fmt::format("{}: the store's last revision is {}", name, state_.current));
  if (key.rev.get() > state_.compacted) return;
  if (below_compacted_ || (flags & flag_removed) != 0)
    problem(fmt::format("{}: compaction up to revision {} should have dropped it", name, state_.compacted));
  below_compacted_ = true;
}

std::optional<parsed_record> verifier::check_record(const snapshot& s, const parsed_version_key& key,
                                                    std::uint8_t flags, const std::string& name) {
  std::string position;
  append_be64(position, key.rev.get());
  const auto bytes = look_up(s.txn.get(), s.tables.log, position);
  if (!bytes) {
    problem(fmt::format("{}: its record is missing", name));
    return {};
  }
  auto record = parse_record(*bytes);
  if (!record) {
    ++matched_;  // it is there, for whomever
    problem(fmt::format("{}: {}", name, record.err().message));
    return {};
  }
  report_.body_bytes += record->body.size();
  if (record->prefix != key.prefix) {
    problem(fmt::format("{}: its record is another object's", name));
    return {};
  }
  ++matched_;
  if ((record->flags & ~record_flags_known) != 0 || (record->flags & ~flag_sealed) != flags ||
      (record->removed() && (record->sealed() || !record->body.empty()))) {
    problem(fmt::format("{}: its record has flags {:#x}, its version {:#x}", name, record->flags, flags));
    return {};
  }
  return *record;
}

/// Null: it is sealed, and without keys nobody can tell.
std::optional<shared_bytes> verifier::open_body(const parsed_record& r, revision rev, const std::string& name) {
  if (!r.sealed()) return share(std::string(r.body));
  const std::string id = sealed_with(r.body);
  if (id.empty()) {
    problem(fmt::format("{}: its body is too short to be sealed", name));
    return {};
  }
  ++report_.sealed_with[id];
  if (sealing_.find(id) == sealing_.end())
    problem(fmt::format("{}: it is sealed with key {}, which the store's description does not name", name, id));
  if (!options_.keys) return shared_bytes{};
  auto opened = options_.keys->open(r.body, seal_context(r.prefix, rev));
  if (opened) return share(*std::move(opened));
  problem(fmt::format("{}: {}", name, opened.err().message));
  return {};
}

void verifier::check_current(const parsed_version_key& key, const shared_bytes& body) {
  if (!options_.examine) return;
  const record r{key.object.to_key(), key.rev, body};
  options_.examine(r, [&](const std::string& what) {
    problem(fmt::format("{} at revision {}: {}", to_string(r.key), r.rev.get(), what));
  });
}

void verifier::check_log(const snapshot& s) {
  std::uint64_t records = 0;
  std::uint64_t history = 0;
  walk(s.txn.get(), s.tables.log, [&](std::string_view key, std::string_view) {
    ++records;
    if (key.size() != 8) return problem(fmt::format("the log has a key of {} bytes", key.size()));
    const std::uint64_t rev = read_be64(key.data());
    history += rev > state_.compacted ? 1 : 0;
    if (rev > state_.current)
      problem(fmt::format("the log has revision {}, but the store's last one is {}", rev, state_.current));
  });
  if (history != state_.history)
    problem(fmt::format("the store's state counts {} changes after revision {}, the log has {}", state_.history,
                        state_.compacted, history));
  if (records != matched_) check_strays(s, records);
}

/// Records that no version led to.
void verifier::check_strays(const snapshot& s, std::uint64_t records) {
  std::uint64_t explained = matched_;
  walk(s.txn.get(), s.tables.log, [&](std::string_view key, std::string_view value) {
    const auto record = parse_record(value);
    if (key.size() != 8 || !record) return;
    const revision rev{read_be64(key.data())};
    if (look_up(s.txn.get(), s.tables.versions, version_key(record->prefix, rev))) return;
    ++explained;
    const auto object = parse_prefix(record->prefix);
    problem(fmt::format("{} at revision {}: its version is missing", object ? to_string(object->to_key()) : "?",
                        rev.get()));
  });
  if (explained < records)
    problem(fmt::format("the log has {} damaged records that belong to no version", records - explained));
}

}  // namespace

result<verify_report> verify_store(const verify_options& options) {
  if (options.dir.empty() == options.file.empty())
    return fail(errc::invalid, "either a store's folder or a data file can be verified");
  const std::string path = options.dir.empty() ? options.file : options.dir + "/data.mdb";
  if (::access(path.c_str(), F_OK) != 0)
    return fail(errno == ENOENT ? errc::not_found : errc::io,
                fmt::format("there is no store to verify: {}: {}", path, std::strerror(errno)));
  store_lock lock;
  if (!options.dir.empty()) {
    auto taken = store_lock::take(options.dir);
    if (!taken) return taken.err();
    lock = *std::move(taken);
  }
  verify_report report;
  if (auto ok = verifier(options, report).run(path); !ok)
    return fail(ok.err().code, fmt::format("cannot verify {}: {}", path, ok.err().message));
  return report;
}

}  // namespace wh
