#include "persistence/lmdb_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/encoding.hpp"

namespace wh::storage {

namespace {

std::string log_key(revision rev) {
  std::string out;
  append_be64(out, rev.get());
  return out;
}

std::string printable(std::string_view prefix) {
  const auto key = parse_prefix(prefix);
  return key ? to_string(key->to_key()) : "?";
}

error corrupt_index() { return fail(errc::corrupt, "the table of versions holds a malformed entry; restore a backup"); }

error corrupt_record(revision rev, const std::string& why) {
  return fail(errc::corrupt, fmt::format("revision {}: {}; restore a backup", rev.get(), why));
}

std::uint8_t flags_of(const MDB_val& value) {
  return value.mv_size == 0 ? std::uint8_t{0}
                            : static_cast<std::uint8_t>(*static_cast<const unsigned char*>(value.mv_data));
}

result<lmdb_cursor> open_cursor(MDB_txn* txn, MDB_dbi table) {
  MDB_cursor* cursor = nullptr;
  if (int rc = mdb_cursor_open(txn, table, &cursor); rc != 0) return lmdb_error(rc, "cannot open a cursor");
  return lmdb_cursor(cursor);
}

/// Whether a cursor found something; its failures are errors.
result<bool> found(int rc, std::string_view doing) {
  if (rc == 0) return true;
  if (rc == MDB_NOTFOUND) return false;
  return lmdb_error(rc, doing);
}

/// How often a scan steps to the next version before it seeks the next object instead.
constexpr int steps_max = 4;

}  // namespace

result<lmdb_tables> lmdb_tables::open(const lmdb_env& env, MDB_txn* txn) {
  auto versions = open_cursor(txn, env.tables().versions);
  if (!versions) return versions.err();
  auto log = open_cursor(txn, env.tables().log);
  if (!log) return log.err();
  return lmdb_tables(txn, env, *std::move(versions), *std::move(log));
}

result<std::optional<std::string>> lmdb_tables::meta(std::string_view name) {
  MDB_val key = to_val(name);
  MDB_val value{};
  const auto got = found(mdb_get(txn_, ids_.meta, &key, &value), "cannot read the store's description");
  if (!got) return got.err();
  if (!*got) return std::optional<std::string>{};
  return std::optional(std::string(to_view(value)));
}

result<void> lmdb_tables::put_meta(std::string_view name, std::string_view value) {
  MDB_val key = to_val(name);
  MDB_val data = to_val(value);
  if (int rc = mdb_put(txn_, ids_.meta, &key, &data, 0); rc != 0)
    return lmdb_error(rc, "cannot write the store's description");
  return {};
}

result<stored_state> lmdb_tables::state() {
  const auto bytes = meta("state");
  if (!bytes) return bytes.err();
  const auto state = *bytes ? parse_state(**bytes) : std::nullopt;
  if (!state) return fail(errc::corrupt, "the store's state is missing or malformed; restore a backup");
  return *state;
}

result<std::optional<stored_version>> lmdb_tables::find(std::string_view prefix, revision at) {
  const std::string wanted = version_key(prefix, at);
  MDB_val key = to_val(wanted);
  MDB_val value{};
  const auto got = found(mdb_cursor_get(versions_.get(), &key, &value, MDB_SET_RANGE), "cannot look up an object");
  if (!got) return got.err();
  const std::string_view bytes = to_view(key);
  if (!*got || bytes.size() != wanted.size() || !bytes.starts_with(prefix)) return std::optional<stored_version>{};
  return std::optional(stored_version{revision{~read_be64(bytes.data() + prefix.size())}, flags_of(value)});
}

result<shared_bytes> lmdb_tables::body(std::string_view prefix, revision rev) {
  const std::string wanted = log_key(rev);
  MDB_val key = to_val(wanted);
  MDB_val value{};
  const auto got = found(mdb_cursor_get(log_.get(), &key, &value, MDB_SET_KEY), "cannot read an object");
  if (!got) return got.err();
  if (!*got) return corrupt_record(rev, fmt::format("the record of {} is missing", printable(prefix)));
  const auto record = parse_record(to_view(value));
  if (!record) return corrupt_record(rev, fmt::format("{}: {}", printable(prefix), record.err().message));
  if (record->prefix != prefix)
    return corrupt_record(rev, fmt::format("the record of {} is another's", printable(prefix)));
  auto plain = plain_body(*record, rev);
  if (!plain) return plain.err();
  return share(*std::move(plain));
}

result<std::string> lmdb_tables::plain_body(const parsed_record& r, revision rev) const {
  if (!r.sealed()) return std::string(r.body);
  const auto& keys = env_->secrets().keys;
  auto opened = keys ? keys->open(r.body, seal_context(r.prefix, rev))
                     : result<std::string>(fail(errc::unavailable, "it is sealed, and no key file was given"));
  if (opened) return opened;
  return fail(opened.err().code, fmt::format("{}: {}", printable(r.prefix), opened.err().message));
}

result<bool> lmdb_tables::seek_next_object(std::string_view prefix, MDB_val& key, MDB_val& value) {
  for (int step = 0; step < steps_max; ++step) {
    const auto got = found(mdb_cursor_get(versions_.get(), &key, &value, MDB_NEXT), "cannot go on listing");
    if (!got || !*got) return got;
    const std::string_view bytes = to_view(key);
    if (bytes.size() != prefix.size() + 8 || !bytes.starts_with(prefix)) return true;
  }
  const std::string behind = version_key(prefix, revision{0});  // sorts behind every version that exists
  key = to_val(behind);
  return found(mdb_cursor_get(versions_.get(), &key, &value, MDB_SET_RANGE), "cannot go on listing");
}

result<void> lmdb_tables::scan(const key_range& range, const std::optional<object_key>& after, revision at,
                               const version_visitor& visit) {
  const object_key start = scan_start(range, after);
  std::string wanted = object_prefix(start);
  if (after && start == *after) wanted = version_key(wanted, revision{0});
  MDB_val key = to_val(wanted);
  MDB_val value{};
  auto more = found(mdb_cursor_get(versions_.get(), &key, &value, MDB_SET_RANGE), "cannot list");
  while (more && *more) {
    const auto entry = parse_version_key(to_view(key));
    if (!entry) return corrupt_index();
    const scan_step step = judge_key(range, entry->object);
    if (step.what == scan_step::kind::stop) return {};
    const bool too_new = entry->rev > at;
    if (step.what == scan_step::kind::seek || too_new) {
      wanted = step.what == scan_step::kind::seek ? object_prefix(step.to) : version_key(entry->prefix, at);
      key = to_val(wanted);
      more = found(mdb_cursor_get(versions_.get(), &key, &value, MDB_SET_RANGE), "cannot list");
      continue;
    }
    const auto go_on = visit(entry->object, entry->prefix, stored_version{entry->rev, flags_of(value)});
    if (!go_on) return go_on.err();
    if (!*go_on) return {};
    more = seek_next_object(entry->prefix, key, value);
  }
  if (!more) return more.err();
  return {};
}

result<void> lmdb_tables::changes(revision after, revision upto, const change_visitor& visit) {
  // A cursor of its own: the visitor may read bodies with the other.
  auto cursor = open_cursor(txn_, ids_.log);
  if (!cursor) return cursor.err();
  const std::string wanted = log_key(revision{after.get() + 1});
  MDB_val key = to_val(wanted);
  MDB_val value{};
  auto more = found(mdb_cursor_get(cursor->get(), &key, &value, MDB_SET_RANGE), "cannot read the log");
  while (more && *more) {
    if (key.mv_size != 8) return fail(errc::corrupt, "the log holds a malformed key; restore a backup");
    const revision rev{read_be64(static_cast<const char*>(key.mv_data))};
    if (rev > upto) return {};
    auto record = parse_record(to_view(value));
    if (!record) record = corrupt_record(rev, record.err().message);
    const auto go_on = visit(rev, record);
    if (!go_on) return go_on.err();
    if (!*go_on) return {};
    more = found(mdb_cursor_get(cursor->get(), &key, &value, MDB_NEXT), "cannot read the log");
  }
  if (!more) return more.err();
  return {};
}

result<void> lmdb_tables::add(const change& c, std::uint8_t flags) {
  const std::string prefix = object_prefix(c.key);
  const std::string index = version_key(prefix, c.rev);
  const std::string_view flag_byte(reinterpret_cast<const char*>(&flags), 1);
  MDB_val key = to_val(index);
  MDB_val value = to_val(flag_byte);
  if (int rc = mdb_cursor_put(versions_.get(), &key, &value, 0); rc != 0)
    return lmdb_error(rc, "cannot write a version");

  const std::string_view body = c.body ? std::string_view(*c.body) : std::string_view();
  if (!c.body || !env_->secrets().wants_sealed(c.key, body)) return put_record(c.rev, flags, prefix, body, MDB_APPEND);
  const auto sealed = env_->secrets().keys->seal(body, seal_context(prefix, c.rev));
  if (!sealed) return sealed.err();
  return put_record(c.rev, static_cast<std::uint8_t>(flags | flag_sealed), prefix, *sealed, MDB_APPEND);
}

result<void> lmdb_tables::put_record(revision rev, std::uint8_t flags, std::string_view prefix, std::string_view body,
                                     unsigned how) {
  const std::string position = log_key(rev);
  MDB_val key = to_val(position);
  MDB_val value{record_header_bytes + prefix.size() + body.size(), nullptr};
  if (int rc = mdb_cursor_put(log_.get(), &key, &value, how | MDB_RESERVE); rc != 0)
    return lmdb_error(rc, "cannot write a record");
  write_record(static_cast<char*>(value.mv_data), flags, prefix, body);
  return {};
}

result<lmdb_tables::reseal_progress> lmdb_tables::reseal(revision after, revision upto, std::size_t budget) {
  const secret_rules& rules = env_->secrets();
  reseal_progress out{after, true};
  struct rewrite {
    revision rev;
    std::uint8_t flags;
    std::string prefix;
    std::string body;
  };
  std::vector<rewrite> wrong;
  std::size_t read = 0;
  const auto wants_sealed = [&](std::string_view prefix, std::string_view body) {
    const auto object = parse_prefix(prefix);
    return object && rules.wants_sealed(object->to_key(), body);
  };
  const auto visit = [&](revision rev, const result<parsed_record>& r) -> result<bool> {
    out.at = rev;
    out.whole = out.whole && r.ok();
    if (!r || r->removed()) return true;
    read += record_header_bytes + r->prefix.size() + r->body.size();
    const bool is_wrong =
        r->sealed() ? !(rules.keys && rules.keys->is_current(r->body)) : wants_sealed(r->prefix, r->body);
    if (is_wrong) {
      auto plain = plain_body(*r, rev);
      out.whole = out.whole && plain.ok();
      if (plain) wrong.push_back({rev, r->flags, std::string(r->prefix), *std::move(plain)});
    }
    return read < budget;
  };
  if (auto ok = changes(after, upto, visit); !ok) return ok.err();
  for (rewrite& w : wrong) {
    auto flags = static_cast<std::uint8_t>(w.flags & ~flag_sealed);
    if (wants_sealed(w.prefix, w.body)) {
      auto sealed = rules.keys->seal(w.body, seal_context(w.prefix, w.rev));
      if (!sealed) return sealed.err();
      w.body = *std::move(sealed);
      flags |= flag_sealed;
    }
    if (auto ok = put_record(w.rev, flags, w.prefix, w.body, 0); !ok) return ok.err();
  }
  if (read < budget) out.at = upto;
  return out;
}

result<void> lmdb_tables::compact(stored_state& state, revision upto, std::size_t budget) {
  std::vector<old_change> old;
  const auto collect = [&](revision rev, const result<parsed_record>& r) -> result<bool> {
    if (old.size() == budget) return false;
    if (r) old.push_back({rev, std::string(r->prefix), (r->flags & flag_removed) != 0});
    else old.push_back({rev, {}, false});
    return true;
  };
  if (auto ok = changes(revision{state.compacted}, upto, collect); !ok) return ok;
  for (const old_change& c : old) {
    // Damage must not stop compaction: what it hides is dropped with the object's next change.
    if (c.prefix.empty()) continue;
    if (auto ok = drop_older(c); !ok) return ok;
    if (!c.removed) continue;
    if (auto ok = drop(c.prefix, c.rev); !ok) return ok;
  }
  state.history -= std::min<std::uint64_t>(state.history, old.size());
  const bool all = old.size() < budget;
  state.compacted = all ? std::max(state.compacted, upto.get()) : old.back().rev.get();
  return {};
}

result<void> lmdb_tables::drop_older(const old_change& c) {
  while (true) {
    const auto older = find(c.prefix, revision{c.rev.get() - 1});
    if (!older) return older.err();
    if (!*older) return {};
    if (auto ok = drop(c.prefix, (*older)->rev); !ok) return ok;
  }
}

result<void> lmdb_tables::drop(std::string_view prefix, revision rev) {
  const std::string index = version_key(prefix, rev);
  const std::string position = log_key(rev);
  MDB_val key = to_val(index);
  auto got = found(mdb_del(txn_, ids_.versions, &key, nullptr), "cannot drop an old version");
  if (!got) return got.err();
  key = to_val(position);
  got = found(mdb_del(txn_, ids_.log, &key, nullptr), "cannot drop an old record");
  if (!got) return got.err();
  return {};
}

}  // namespace wh::storage
