#include <fmt/format.h>

#include <algorithm>
#include <shared_mutex>

#include "base/encoding.hpp"
#include "persistence/lmdb_writer.hpp"
#include "persistence/store.hpp"
#include "persistence/store_copy.hpp"

namespace wh {

namespace {

using namespace storage;

/// How often a read of "now" starts anew because a compaction overtook it.
constexpr int read_attempts_max = 16;

/// Merges the stored objects of a list with the overlaid ones; of two versions the newer counts.
class page_builder {
 public:
  page_builder(lmdb_tables& tables, std::vector<record> overlaid, revision at, std::size_t limit)
      : tables_(tables), overlaid_(std::move(overlaid)), limit_(limit) {
    page_.at = at;
  }

  /// False when the page is full.
  result<bool> stored(const key_view& key, std::string_view prefix, const stored_version& v) {
    while (next_ < overlaid_.size() && key_view(overlaid_[next_].key) < key)
      if (!emit(std::move(overlaid_[next_++]))) return false;
    if (next_ < overlaid_.size() && key_view(overlaid_[next_].key) == key && overlaid_[next_].rev > v.rev)
      return emit(std::move(overlaid_[next_++]));
    if (next_ < overlaid_.size() && key_view(overlaid_[next_].key) == key) ++next_;
    if (v.removed()) return true;
    if (full()) return false;
    auto body = tables_.body(prefix, v.rev);
    if (!body) return body.err();
    return emit({key.to_key(), v.rev, *std::move(body)});
  }

  page finish() {
    while (!page_.more && next_ < overlaid_.size()) emit(std::move(overlaid_[next_++]));
    return std::move(page_);
  }

 private:
  bool full() { return page_.more = limit_ != 0 && page_.records.size() == limit_; }

  bool emit(record r) {
    if (!r.body) return true;
    if (full()) return false;
    page_.records.push_back(std::move(r));
    return true;
  }

  lmdb_tables& tables_;
  std::vector<record> overlaid_;
  std::size_t next_ = 0;
  std::size_t limit_;
  page page_;
};

/// Counts what a page_builder without a limit would emit.
class object_counter {
 public:
  explicit object_counter(std::vector<record> overlaid) : overlaid_(std::move(overlaid)) {}

  void stored(const key_view& key, const stored_version& v) {
    while (next_ < overlaid_.size() && key_view(overlaid_[next_].key) < key) add(overlaid_[next_++].body != nullptr);
    if (next_ == overlaid_.size() || key_view(overlaid_[next_].key) != key) return add(!v.removed());
    const record& over = overlaid_[next_++];
    add(over.rev > v.rev ? over.body != nullptr : !v.removed());
  }

  std::size_t finish() {
    while (next_ < overlaid_.size()) add(overlaid_[next_++].body != nullptr);
    return count_;
  }

 private:
  void add(bool is_there) { count_ += is_there ? 1 : 0; }

  std::vector<record> overlaid_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

class lmdb_store final : public store, public copyable {
 public:
  explicit lmdb_store(std::unique_ptr<lmdb_env> env) { shared_.env = std::move(env); }

  /// Reads what the file says of itself, then starts to write.
  result<void> start(const lmdb_options& options);

  void submit(batch b, completion done) override { writer_->submit(std::move(b), std::move(done)); }

  result<std::optional<record>> get(const object_key& key, revision at) const override {
    return fresh<std::optional<record>>(at, [&] { return get_once(key, at); });
  }

  result<page> list(const key_range& range, revision at, const std::optional<object_key>& after,
                    std::size_t limit) const override {
    return fresh<page>(at, [&] { return list_once(range, at, after, limit); });
  }

  result<std::size_t> count(const key_range& range, revision at,
                            const std::optional<object_key>& after) const override {
    return fresh<std::size_t>(at, [&] { return count_once(range, at, after); });
  }

  result<std::vector<change>> changes_since(revision after, std::size_t limit) const override;

  revision_window window() const override {
    const std::shared_lock lock(shared_.mutex);
    return shared_.window;
  }

  revision subscribe(feed_listener* listener) override {
    return shared_.feed.subscribe(listener, [this] { return window().current; });
  }
  void unsubscribe(feed_listener* listener) override { shared_.feed.unsubscribe(listener); }
  void compact(revision upto) override { writer_->compact(upto); }
  std::string incarnation_id() const override { return incarnation_id_; }
  store_health health() const override { return writer_->health(); }
  store_figures figures() const override {
    store_figures f = writer_->figures();
    const std::shared_lock lock(shared_.env_mutex);
    f.file_bytes = shared_.env->file_bytes();
    f.sealing = shared_.env->secrets().primary();
    return f;
  }

  result<void> copy_to(int fd) const override {
    const std::shared_lock lock(shared_.env_mutex);
    if (shared_.env->needs_reopen()) return fail(errc::unavailable, health().reason);
    if (int rc = mdb_env_copyfd2(shared_.env->handle(), fd, MDB_CP_COMPACT); rc != 0)
      return lmdb_error(rc, "cannot copy the store");
    return {};
  }

 private:
  /// Runs one read in a transaction of its own, closed before it returns.
  template <class T, class Read>
  result<T> in_txn(Read read) const {
    const std::shared_lock lock(shared_.env_mutex);
    auto txn = shared_.env->begin_read();
    if (!txn) return txn.err();
    auto tables = lmdb_tables::open(*shared_.env, txn->get());
    if (!tables) return tables.err();
    const auto state = tables->state();
    if (!state) return state.err();
    return read(*tables, revision{state->compacted});
  }

  template <class T, class Read>
  result<T> fresh(revision at, Read read) const {
    auto out = read();
    for (int i = 1; i < read_attempts_max && at == revision{} && !out && out.err().code == errc::gone; ++i)
      out = read();
    return out;
  }

  result<std::optional<record>> get_once(const object_key& key, revision at) const;
  result<page> list_once(const key_range& range, revision at, const std::optional<object_key>& after,
                         std::size_t limit) const;
  result<std::size_t> count_once(const key_range& range, revision at, const std::optional<object_key>& after) const;
  /// The overlaid versions of a range as of `at`, and that revision, which 0 stands for now.
  result<std::pair<revision, std::vector<record>>> overlaid_in(const key_range& range, revision at,
                                                               const std::optional<object_key>& after) const;
  void show_overlaid_previous(std::vector<change>& changes) const;

  mutable lmdb_shared shared_;
  std::string incarnation_id_;
  std::unique_ptr<lmdb_writer> writer_;  // last: its thread ends before what it uses
};

error trimmed_error(revision at) {
  return fail(errc::gone, fmt::format("in-memory versions of revision {} are no longer kept", at.get()));
}

result<std::optional<record>> lmdb_store::get_once(const object_key& key, revision at) const {
  revision seen;
  record overlaid;
  {
    const std::shared_lock lock(shared_.mutex);
    const auto resolved = resolve_at(at, shared_.window);
    if (!resolved) return resolved.err();
    seen = *resolved;
    if (shared_.overlay.trimmed(key, seen)) return trimmed_error(seen);
    if (const version* v = shared_.overlay.find(key, seen)) overlaid = {key, v->rev, v->body};
  }
  return in_txn<std::optional<record>>([&](lmdb_tables& tables, revision compacted) -> result<std::optional<record>> {
    if (auto kept = resolve_at(seen, {compacted, seen}); !kept) return kept.err();
    const std::string prefix = object_prefix(key);
    const auto v = tables.find(prefix, seen);
    if (!v) return v.err();
    if (overlaid.rev > (*v ? (*v)->rev : revision{})) return overlaid.body ? std::optional(overlaid) : std::nullopt;
    if (!*v || (*v)->removed()) return std::optional<record>{};
    auto body = tables.body(prefix, (*v)->rev);
    if (!body) return body.err();
    return std::optional(record{key, (*v)->rev, *std::move(body)});
  });
}

result<std::pair<revision, std::vector<record>>> lmdb_store::overlaid_in(const key_range& range, revision at,
                                                                         const std::optional<object_key>& after) const {
  const std::shared_lock lock(shared_.mutex);
  const auto seen = resolve_at(at, shared_.window);
  if (!seen) return seen.err();
  if (shared_.overlay.trimmed(range, *seen)) return trimmed_error(*seen);
  std::vector<record> overlaid;
  shared_.overlay.scan(range, after, *seen, [&](const object_key& key, const version& v) {
    overlaid.push_back({key, v.rev, v.body});
    return true;
  });
  return std::pair{*seen, std::move(overlaid)};
}

result<page> lmdb_store::list_once(const key_range& range, revision at, const std::optional<object_key>& after,
                                   std::size_t limit) const {
  auto over = overlaid_in(range, at, after);
  if (!over) return over.err();
  const revision seen = over->first;
  return in_txn<page>([&](lmdb_tables& tables, revision compacted) -> result<page> {
    if (auto kept = resolve_at(seen, {compacted, seen}); !kept) return kept.err();
    page_builder builder(tables, std::move(over->second), seen, limit);
    const auto read =
        tables.scan(range, after, seen, [&](const key_view& key, std::string_view prefix, const stored_version& v) {
          return builder.stored(key, prefix, v);
        });
    if (!read) return read.err();
    return builder.finish();
  });
}

result<std::size_t> lmdb_store::count_once(const key_range& range, revision at,
                                           const std::optional<object_key>& after) const {
  auto over = overlaid_in(range, at, after);
  if (!over) return over.err();
  const revision seen = over->first;
  return in_txn<std::size_t>([&](lmdb_tables& tables, revision compacted) -> result<std::size_t> {
    if (auto kept = resolve_at(seen, {compacted, seen}); !kept) return kept.err();
    object_counter counter(std::move(over->second));
    const auto read = tables.scan(range, after, seen,
                                  [&](const key_view& key, std::string_view, const stored_version& v) -> result<bool> {
                                    counter.stored(key, v);
                                    return true;
                                  });
    if (!read) return read.err();
    return counter.finish();
  });
}

result<change> to_change(lmdb_tables& tables, revision rev, const parsed_record& r) {
  const auto key = parse_prefix(r.prefix);
  if (!key) return fail(errc::corrupt, fmt::format("revision {}: its record names no object", rev.get()));
  change c{
      .key = key->to_key(), .rev = rev, .body = nullptr, .previous = nullptr, .previous_rev = {}, .in_memory = false};
  if (!r.removed()) {
    auto plain = tables.plain_body(r, rev);
    if (!plain) return plain.err();
    c.body = share(*std::move(plain));
  }
  const auto before = tables.find(r.prefix, revision{rev.get() - 1});
  if (!before) return before.err();
  if (!*before || (*before)->removed()) return c;
  auto body = tables.body(r.prefix, (*before)->rev);
  if (!body) return body.err();
  c.previous = *std::move(body);
  c.previous_rev = (*before)->rev;
  return c;
}

result<std::vector<change>> lmdb_store::changes_since(revision after, std::size_t limit) const {
  revision_window seen;
  std::vector<change> out;
  {
    const std::shared_lock lock(shared_.mutex);
    seen = shared_.window;
    if (auto ok = check_after(after, seen); !ok) return ok.err();
    out = shared_.overlay.changes(after, seen.current, limit);
  }
  const auto overlaid_end = static_cast<std::ptrdiff_t>(out.size());
  auto read = in_txn<bool>([&](lmdb_tables& tables, revision compacted) -> result<bool> {
    if (auto ok = check_after(after, {compacted, seen.current}); !ok) return ok.err();
    std::size_t taken = 0;
    const auto visit = [&](revision rev, const result<parsed_record>& r) -> result<bool> {
      if (!r) return r.err();
      auto c = to_change(tables, rev, *r);
      if (!c) return c.err();
      out.push_back(*std::move(c));
      return limit == 0 || ++taken < limit;
    };
    if (auto ok = tables.changes(after, seen.current, visit); !ok) return ok.err();
    return true;
  });
  if (!read) return read.err();
  show_overlaid_previous(out);
  std::inplace_merge(out.begin(), out.begin() + overlaid_end, out.end(),
                     [](const change& a, const change& b) { return a.rev < b.rev; });
  if (limit != 0 && out.size() > limit) out.resize(limit);
  return out;
}

/// A stored change may have followed an overlaid version.
void lmdb_store::show_overlaid_previous(std::vector<change>& changes) const {
  const std::shared_lock lock(shared_.mutex);
  if (shared_.overlay.empty()) return;
  for (change& c : changes) {
    const version* v = shared_.overlay.find(c.key, revision{c.rev.get() - 1});
    if (c.in_memory || v == nullptr || v->rev <= c.previous_rev) continue;
    c.previous = v->body;
    c.previous_rev = v->body ? v->rev : revision{};
  }
}

result<namespace_phases> load_namespaces(lmdb_tables& tables) {
  namespace_phases out;
  const auto read = tables.scan({"namespaces", "", ""}, {}, revision{~std::uint64_t{0}},
                                [&](const key_view& key, std::string_view, const stored_version& v) -> result<bool> {
                                  const bool terminating = (v.flags & flag_terminating) != 0;
                                  change c{.key = key.to_key(),
                                           .rev = v.rev,
                                           .body = nullptr,
                                           .previous = nullptr,
                                           .previous_rev = {},
                                           .in_memory = false};
                                  if (!v.removed()) c.body = share({});
                                  out.stage(c, terminating ? namespace_phase::terminating : namespace_phase::active);
                                  return true;
                                });
  if (!read) return read.err();
  out.commit();
  return out;
}

result<void> lmdb_store::start(const lmdb_options& options) {
  opened_state from;
  const auto read = in_txn<bool>([&](lmdb_tables& tables, revision) -> result<bool> {
    const auto id = tables.meta("incarnation");
    if (!id) return id.err();
    incarnation_id_ = id->value_or("");
    const auto found = tables.state();
    if (!found) return found.err();
    from.state = *found;
    auto phases = load_namespaces(tables);
    if (!phases) return phases.err();
    from.namespaces = *std::move(phases);
    for (auto [name, text] : {std::pair{"times", &from.times}, {"sealing", &from.sealing}}) {
      auto bytes = tables.meta(name);
      if (!bytes) return bytes.err();
      *text = bytes->value_or("");
    }
    return true;
  });
  if (!read)
    return fail(read.err().code, fmt::format("cannot open the store in {}: {}", options.dir, read.err().message));
  // In-memory changes may have taken any reserved revision before the restart; none is given out twice.
  from.state.current = std::max(from.state.current, from.state.reserved);
  shared_.window = {revision{from.state.compacted}, revision{from.state.current}};
  writer_ = std::make_unique<lmdb_writer>(options, shared_, std::move(from));
  return {};
}

}  // namespace

result<std::unique_ptr<store>> open_lmdb_store(const lmdb_options& options) {
  auto env = lmdb_env::open(options);
  if (!env) return env.err();
  auto opened = std::make_unique<lmdb_store>(*std::move(env));
  if (auto ok = opened->start(options); !ok) return ok.err();
  return std::unique_ptr<store>(std::move(opened));
}

}  // namespace wh
