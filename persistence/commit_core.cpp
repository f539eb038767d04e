#include "persistence/commit_core.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace wh::storage {

namespace {

struct by_value {
  bool operator()(const object_key* a, const object_key* b) const { return *a < *b; }
};

/// The state as one batch sees it while it is planned: looked up at most once an object, its own earlier changes
/// included.
class batch_view {
 public:
  explicit batch_view(head_source& source) : source_(source) {}

  result<const std::optional<head>*> find(const object_key& key) {
    const auto known = heads_.find(&key);
    if (known != heads_.end()) return &known->second;
    auto found = source_.newest(key);
    if (!found) return found.err();
    return &heads_.emplace(&key, *std::move(found)).first->second;
  }

  void set(const object_key& key, std::optional<head> h) { heads_[&key] = std::move(h); }

 private:
  head_source& source_;
  std::map<const object_key*, std::optional<head>, by_value> heads_;
};

bool has_nul(const std::string& s) { return s.find('\0') != std::string::npos; }

result<void> check_key(const object_key& key) {
  if (key.resource.empty() || key.name.empty())
    return fail(errc::invalid, fmt::format("an object needs a resource and a name, got \"{}\"", to_string(key)));
  if (has_nul(key.resource) || has_nul(key.ns) || has_nul(key.name))
    return fail(errc::invalid, "an object's resource, namespace or name contains a NUL character");
  const std::size_t size = key.resource.size() + key.ns.size() + key.name.size();
  if (size > key_bytes_max)
    return fail(errc::too_large,
                fmt::format("resource, namespace and name have {} characters together, {} are allowed: {}", size,
                            key_bytes_max, to_string(key)));
  return {};
}

result<void> check_form(const batch& b) {
  for (const put& p : b.puts) {
    if (auto ok = check_key(p.key); !ok) return ok;
    if (!p.body) return fail(errc::invalid, "a put without a body: " + to_string(p.key));
    if (p.body->size() > body_bytes_max)
      return fail(errc::too_large,
                  fmt::format("{} has {} bytes, {} are allowed", to_string(p.key), p.body->size(), body_bytes_max));
  }
  for (const erase& e : b.erases)
    if (auto ok = check_key(e.key); !ok) return ok;
  return {};
}

struct precondition_check {
  batch_view& view;
  const namespace_phases& namespaces;

  result<void> operator()(const at_revision& p) const {
    const auto h = view.find(p.key);
    if (!h) return h.err();
    if (!**h)
      return fail(errc::conflict, fmt::format("{} was deleted since revision {}", to_string(p.key), p.rev.get()));
    const revision found = (**h)->rev;
    if (found == p.rev) return {};
    return fail(errc::conflict,
                fmt::format("{} is at revision {}, not {}", to_string(p.key), found.get(), p.rev.get()));
  }

  result<void> operator()(const absent& p) const {
    const auto h = view.find(p.key);
    if (!h) return h.err();
    if (**h) return fail(errc::already_exists, to_string(p.key) + " already exists");
    return {};
  }

  result<void> operator()(const present& p) const {
    const auto h = view.find(p.key);
    if (!h) return h.err();
    if (!**h) return fail(errc::not_found, to_string(p.key) + " not found");
    return {};
  }

  result<void> operator()(const namespace_active& p) const {
    const auto phase = namespaces.find(p.ns);
    if (!phase) return fail(errc::not_found, fmt::format("namespace \"{}\" not found", p.ns));
    if (*phase == namespace_phase::terminating)
      return fail(errc::forbidden, fmt::format("namespace \"{}\" is being terminated", p.ns));
    return {};
  }
};

/// Plans one change; false if it is an erase of what is not there.
result<bool> plan_change(const object_key& key, shared_bytes body, batch_view& view, revision rev, planned& out) {
  const auto before = view.find(key);
  if (!before) return before.err();
  if (!body && !**before) return false;
  change c{
      .key = key, .rev = rev, .body = std::move(body), .previous = nullptr, .previous_rev = {}, .in_memory = false};
  if (**before) {
    c.previous = (**before)->body;
    c.previous_rev = (**before)->rev;
  }
  view.set(key, c.body ? std::optional(head{rev, c.body}) : std::nullopt);
  out.changes.push_back(std::move(c));
  return true;
}

result<planned> judge(const batch& b, head_source& source, const namespace_phases& namespaces, revision last) {
  if (auto ok = check_form(b); !ok) return ok.err();
  batch_view view(source);
  const precondition_check check{view, namespaces};
  for (const precondition& p : b.preconditions)
    if (auto ok = std::visit(check, p); !ok) return ok.err();

  planned out;
  out.changes.reserve(b.puts.size() + b.erases.size());
  std::uint64_t next = last.get() + 1;
  for (const put& p : b.puts) {
    const auto done = plan_change(p.key, p.body, view, revision{next}, out);
    if (!done) return done.err();
    ++next;
  }
  for (const erase& e : b.erases) {
    const auto done = plan_change(e.key, nullptr, view, revision{next}, out);
    if (!done) return done.err();
    if (*done) ++next;
  }
  for (change& c : out.changes) c.in_memory = b.in_memory;
  const bool changed = !out.changes.empty();
  out.outcome = {changed ? out.changes.front().rev : last, changed ? out.changes.back().rev : last,
                 static_cast<std::uint32_t>(out.changes.size())};
  return out;
}

}  // namespace

bool discard_rule::discards(const writer& from) const {
  if (from.id.empty() || failed_.empty()) return false;
  const auto it = failed_.find(from.id);
  return it != failed_.end() && from.life <= it->second.life;
}

void discard_rule::failed(const writer& from) {
  if (from.id.empty()) return;
  const auto it = failed_.find(from.id);
  if (it != failed_.end()) {
    it->second.life = std::max(it->second.life, from.life);
    oldest_first_.splice(oldest_first_.end(), oldest_first_, it->second.position);
    return;
  }
  failed_.emplace(from.id, entry{from.life, oldest_first_.insert(oldest_first_.end(), from.id)});
  if (failed_.size() <= failed_writers_max) return;
  failed_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

void namespace_phases::stage(const change& c, namespace_phase phase) {
  if (c.key.resource != "namespaces") return;
  undo_.emplace_back(c.key.name, find(c.key.name));
  set(c.key.name, c.body ? std::optional(phase) : std::nullopt);
}

void namespace_phases::roll_back() {
  for (; !undo_.empty(); undo_.pop_back()) set(undo_.back().first, undo_.back().second);
}

std::optional<namespace_phase> namespace_phases::find(const std::string& ns) const {
  const auto it = phases_.find(ns);
  if (it == phases_.end()) return std::nullopt;
  return it->second;
}

void namespace_phases::set(const std::string& ns, std::optional<namespace_phase> phase) {
  if (phase) phases_[ns] = *phase;
  else phases_.erase(ns);
}

result<planned> commit_core::plan(const batch& b, head_source& source, revision last) {
  if (discards_.discards(b.from)) return discarded_error(b.from);
  auto out = judge(b, source, namespaces_, last);
  if (!out) failed(b);
  return out;
}

result<revision> resolve_at(revision at, const revision_window& window) {
  if (at == revision{}) return window.current;
  if (at > window.current)
    return fail(errc::invalid,
                fmt::format("revision {} is newer than the store's, {}", at.get(), window.current.get()));
  if (at < window.compacted)
    return fail(errc::gone,
                fmt::format("revision {} was compacted away, the oldest kept is {}", at.get(), window.compacted.get()));
  return at;
}

result<void> check_after(revision after, const revision_window& window) {
  if (after < window.compacted)
    return fail(errc::gone, fmt::format("changes up to revision {} were compacted away, {} is too old",
                                        window.compacted.get(), after.get()));
  if (after > window.current)
    return fail(errc::invalid,
                fmt::format("revision {} is newer than the store's, {}", after.get(), window.current.get()));
  return {};
}

error discarded_error(const writer& from) {
  return fail(errc::discarded,
              fmt::format("an earlier batch of {} failed, so this one of life {} is void", from.id, from.life.get()));
}

}  // namespace wh::storage
