#include "apiserver/crd.hpp"

#include <algorithm>

namespace wh {

namespace {

/// The changes that a deletion of one object comes to: a mark while it has finalizers, else its removal.
write_proposal removal_of(const kind_ptr& kind, const record& r, document doc, instant now) {
  write_proposal p;
  p.verb = write_proposal::verb_kind::remove;
  p.kind = kind;
  p.key = r.key;
  p.old = r;
  p.user = {"system:apiserver", {"system:masters"}};
  p.proposed.preconditions.push_back(at_revision{r.key, r.rev});
  const auto* finalizers = find_path(doc, {"metadata", "finalizers"});
  if (finalizers && !finalizers->empty()) {
    doc["metadata"]["deletionTimestamp"] = to_rfc3339(now);
    doc["metadata"]["deletionGracePeriodSeconds"] = 0;
    p.body = encode_body(doc);
    p.proposed.puts.push_back({r.key, p.body});
  } else {
    p.proposed.erases.push_back({r.key});
  }
  return p;
}

/// What an established definition serves, under the names that were accepted.
std::vector<kind_info> served_kinds(document crd) {
  if (condition_status(crd, "Established") != "True") return {};
  if (const auto* names = find_path(crd, {"status", "acceptedNames"}); names && names->is_object())
    crd["spec"]["names"] = *names;
  auto kinds = kinds_of_crd(crd);
  return kinds ? std::move(*kinds) : std::vector<kind_info>();
}

/// The group of things.x.io, with its dot.
std::string_view group_part(std::string_view crd_name) {
  return crd_name.substr(std::min(crd_name.find('.'), crd_name.size()));
}

}  // namespace

crd_keeper::crd_keeper(const api_options& options) : options_(options) {}
crd_keeper::~crd_keeper() { stop(); }

void crd_keeper::load() {
  {
    std::lock_guard lock(mutex_);
    loading_ = true;
    stopped_ = false;
  }
  options_.data->subscribe(this);
  revision seen;
  if (auto stored = options_.data->list({std::string(crd_resource), "", ""})) {
    for (const auto& r : stored->records) apply(r.key, r.body);
    seen = stored->at;
  }
  while (true) {
    std::vector<change> late;
    {
      std::lock_guard lock(mutex_);
      late.swap(pending_);
      if (late.empty()) {
        loading_ = false;
        return;
      }
    }
    for (const auto& c : late)
      if (c.rev > seen) apply(c.key, c.body);
  }
}

void crd_keeper::stop() {
  {
    std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
  }
  options_.data->unsubscribe(this);
}

bool crd_keeper::is_terminating(const std::string& group_resource) const {
  std::lock_guard lock(mutex_);
  return terminating_.contains(group_resource);
}

void crd_keeper::on_committed(const std::vector<change>& changes) {
  std::set<std::string> shrunk;
  for (const auto& c : changes) {
    if (c.key.resource != crd_resource) {
      if (!c.body && is_terminating(c.key.resource)) shrunk.insert(c.key.resource);
      continue;
    }
    {
      std::lock_guard lock(mutex_);
      if (loading_) {
        pending_.push_back(c);
        continue;
      }
    }
    apply(c.key, c.body);
  }
  for (const auto& name : shrunk) schedule(name);
}

bool crd_keeper::governs(const std::string& crd_name) const {
  auto kind = options_.kinds->find_resource(crd_name);
  return !kind || kind->from_crd;
}

void crd_keeper::apply(const object_key& key, const shared_bytes& body) {
  // A definition of a kind that is compiled in is kept as an object and changes nothing: users install OCM's CRDs out
  // of habit, and deleting one must not take the hub's own kind with it.
  if (!governs(key.name)) return;
  auto doc = body ? decode_body(*body) : result<document>(fail(errc::not_found, ""));
  replace_kinds(key.name, doc ? served_kinds(*doc) : std::vector<kind_info>());
  const bool going = doc && is_deleting(*doc);
  const bool waits = doc && condition_status(*doc, "NamesAccepted") == "False";
  {
    std::lock_guard lock(mutex_);
    if (going) terminating_.insert(key.name);
    else terminating_.erase(key.name);
    if (waits) waiting_.insert(key.name);
    else waiting_.erase(key.name);
  }
  if (going) schedule(key.name);
  schedule_waiting(key.name);
}

void crd_keeper::replace_kinds(const std::string& crd_name, std::vector<kind_info> kinds) {
  auto dot = std::min(crd_name.find('.'), crd_name.size() - 1);
  auto plural = crd_name.substr(0, dot);
  auto group = crd_name.substr(dot + 1);
  for (const auto& old : options_.kinds->all()) {
    if (old->group != group || old->plural != plural) continue;
    bool kept = std::any_of(kinds.begin(), kinds.end(), [&](const auto& k) { return k.version == old->version; });
    if (kept) continue;  // replaced in place, so that no request in between finds the kind missing
    options_.kinds->remove(group, plural);
    break;
  }
  for (auto& k : kinds) options_.kinds->add(std::move(k));
}

void crd_keeper::schedule(const std::string& crd_name) {
  if (!options_.after) return clean(crd_name);
  options_.after(duration(0), [self = weak_from_this(), crd_name] {
    if (auto keeper = self.lock()) keeper->clean(crd_name);
  });
}

void crd_keeper::schedule_waiting(const std::string& changed) {
  std::vector<std::string> neighbours;
  {
    std::lock_guard lock(mutex_);
    for (const auto& name : waiting_)
      if (name != changed && group_part(name) == group_part(changed)) neighbours.push_back(name);
  }
  for (const auto& name : neighbours) {
    if (!options_.after) accept_again(name);
    else
      options_.after(duration(0), [self = weak_from_this(), name] {
        if (auto keeper = self.lock()) keeper->accept_again(name);
      });
  }
}

void crd_keeper::accept_again(const std::string& crd_name) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || loading_) return;
  }
  auto crd = options_.data->get({std::string(crd_resource), "", crd_name});
  if (!crd || !*crd) return;
  auto old = decode_record(**crd);
  if (!old || is_deleting(*old)) return;
  auto next = *old;
  if (!establish_crd(next, &*old, *options_.kinds, options_.now()).empty() || next == *old) return;
  write_proposal p;
  p.verb = write_proposal::verb_kind::update;
  p.kind = options_.kinds->find_resource(crd_resource);
  p.key = (*crd)->key;
  p.old = **crd;
  p.user = {"system:apiserver", {"system:masters"}};
  p.body = encode_body(next);
  p.proposed.preconditions.push_back(at_revision{(*crd)->key, (*crd)->rev});
  p.proposed.puts.push_back({(*crd)->key, p.body});
  // A conflict means that the definition changed, and was looked at again then.
  options_.gate->submit(std::move(p), [](const result<write_outcome>&) {});
}

void crd_keeper::clean(const std::string& crd_name) {
  {
    std::lock_guard lock(mutex_);
    if (stopped_ || !terminating_.contains(crd_name) || cleaning_.contains(crd_name)) return;
  }
  auto crd = options_.data->get({std::string(crd_resource), "", crd_name});
  auto objects = options_.data->list({crd_name, "", ""});
  if (!crd || !*crd || !objects) return;
  if (objects->records.empty()) return release(**crd);
  remove_objects(crd_name, objects->records);
}

void crd_keeper::remove_objects(const std::string& crd_name, const std::vector<record>& records) {
  auto kind = options_.kinds->find_resource(crd_name);
  if (!kind) return;
  std::vector<write_proposal> removals;
  for (const auto& r : records) {
    auto doc = decode_record(r);
    if (doc && !is_deleting(*doc)) removals.push_back(removal_of(kind, r, std::move(*doc), options_.now()));
  }
  if (removals.empty()) return;  // what is left waits for its finalizers
  {
    std::lock_guard lock(mutex_);
    cleaning_[crd_name] = removals.size();
  }
  for (auto& p : removals) {
    options_.gate->submit(std::move(p), [self = weak_from_this(), crd_name](const result<write_outcome>&) {
      if (auto keeper = self.lock()) keeper->removal_done(crd_name);
    });
  }
}

void crd_keeper::removal_done(const std::string& crd_name) {
  {
    std::lock_guard lock(mutex_);
    auto left = cleaning_.find(crd_name);
    if (left == cleaning_.end() || --left->second > 0) return;
    cleaning_.erase(left);
  }
  schedule(crd_name);  // also catches what was changed or created meanwhile
}

void crd_keeper::release(const record& crd) {
  auto doc = decode_record(crd);
  if (!doc || !has_finalizer(*doc, crd_cleanup_finalizer)) return;
  remove_finalizer(*doc, crd_cleanup_finalizer);
  write_proposal p;
  p.kind = options_.kinds->find_resource(crd_resource);
  p.key = crd.key;
  p.old = crd;
  p.user = {"system:apiserver", {"system:masters"}};
  p.proposed.preconditions.push_back(at_revision{crd.key, crd.rev});
  const auto* others = find_path(*doc, {"metadata", "finalizers"});
  if (others && !others->empty()) {
    p.verb = write_proposal::verb_kind::update;
    p.body = encode_body(*doc);
    p.proposed.puts.push_back({crd.key, p.body});
  } else {
    p.verb = write_proposal::verb_kind::remove;
    p.proposed.erases.push_back({crd.key});
  }
  // A conflict means that the definition changed: its change brings us back here.
  options_.gate->submit(std::move(p), [](const result<write_outcome>&) {});
}

}  // namespace wh
