#include "sim/live/fake_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "resources/patch.hpp"

namespace wh {

/// Where news and answers go; cut when the spoke's life ends, so that what comes late goes nowhere.
struct fake_cluster::line {
  explicit line(post_envelope p) : post(std::move(p)) {}
  void send(const address& to, message body) {
    const std::lock_guard lock(mutex);
    if (post) post({to, {actor_kind::cluster, ""}, std::move(body)});
  }
  void cut() {
    const std::lock_guard lock(mutex);
    post = nullptr;
  }

  std::mutex mutex;
  post_envelope post;
};

class fake_cluster::port final : public cluster_port {
 public:
  port(std::shared_ptr<fake_cluster> cluster, post_envelope post)
      : cluster_(std::move(cluster)), line_(std::make_shared<line>(std::move(post))) {
    const std::lock_guard lock(cluster_->mutex_);
    cluster_->line_ = line_;
    cluster_->watchers_.clear();
  }
  ~port() override { line_->cut(); }

  void deliver(envelope e) override {
    if (const auto* m = std::get_if<cluster_call>(&e.body)) return cluster_->call(line_, *m, e.from);
    if (const auto* m = std::get_if<cluster_watch>(&e.body)) return cluster_->watch(*m, e.from);
  }
  void report_facts() override { line_->send({actor_kind::cluster_agent, ""}, cluster_->options_.facts); }
  void stop(duration) override { line_->cut(); }

 private:
  const std::shared_ptr<fake_cluster> cluster_;
  const std::shared_ptr<line> line_;
};

fake_cluster::fake_cluster(fake_cluster_options options) : options_(std::move(options)), random_(options_.seed) {}

std::shared_ptr<fake_cluster> fake_cluster::make(fake_cluster_options options) {
  return std::shared_ptr<fake_cluster>(new fake_cluster(std::move(options)));
}

std::unique_ptr<cluster_port> fake_cluster::attach(post_envelope post) {
  return std::make_unique<port>(shared_from_this(), std::move(post));
}

std::size_t fake_cluster::objects() const {
  const std::lock_guard lock(mutex_);
  return objects_.size();
}

std::size_t fake_cluster::objects(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(objects_.begin(), objects_.end(), [&](const auto& entry) { return entry.first.kind == kind; }));
}

/// With the lock held.
duration fake_cluster::delay() {
  const auto spread = std::max<duration>(options_.delay_max - options_.delay_min, duration::zero());
  return options_.delay_min +
         duration(static_cast<duration::rep>(random_.unit() * static_cast<double>(spread.count())));
}

void fake_cluster::call(const std::shared_ptr<line>& by, const cluster_call& m, const address& from) {
  duration wait{};
  // The spoke's own bookkeeping is as quick as on any cluster.
  const bool slow = m.verb != cluster_call::verb_kind::get && m.object.kind != "AppliedManifestWork";
  if (slow && options_.delay_max > duration::zero()) {
    const std::lock_guard lock(mutex_);
    wait = delay();
  }
  if (wait == duration::zero()) return by->send(from, carry_out(m));
  options_.timers.after(wait, [me = shared_from_this(), by, m, from] { by->send(from, me->carry_out(m)); });
}

void fake_cluster::watch(const cluster_watch& m, const address& from) {
  const std::lock_guard lock(mutex_);
  for (auto it = watchers_.begin(); it != watchers_.end();) {
    std::erase(it->second, from);
    it = it->second.empty() ? watchers_.erase(it) : std::next(it);
  }
  for (const auto& object : m.objects) watchers_[object].push_back(from);
}

cluster_reply fake_cluster::carry_out(const cluster_call& m) {
  cluster_reply reply{.id = m.id, .failure = {}, .body = nullptr, .resource = "", .namespaced = false};
  const auto gv = split_api_version(m.object.api_version);
  const auto kind = options_.kinds->find_kind(gv.group, gv.version, m.object.kind);
  if (!kind) {
    reply.failure = error{errc::unsupported, fmt::format("the cluster knows no kind {} in version {}", m.object.kind,
                                                         m.object.api_version)};
    return reply;
  }
  reply.resource = kind->plural;
  reply.namespaced = kind->namespaced;
  changes changed;
  auto done = act(m, kind, changed);
  if (done) reply.body = *std::move(done);
  else reply.failure = done.err();
  tell(changed);
  return reply;
}

result<shared_bytes> fake_cluster::act(const cluster_call& m, const kind_ptr& kind, changes& changed) {
  const std::lock_guard lock(mutex_);
  if (m.verb == cluster_call::verb_kind::get) {
    const auto it = objects_.find(m.object);
    if (it == objects_.end())
      return fail(errc::not_found, fmt::format("{} {} not found", m.object.kind, m.object.name));
    return share(render(*it->second.body, it->second.rev));
  }
  if (options_.failure_rate > 0 && random_.chance(options_.failure_rate))
    return fail(errc::unavailable, "the fake cluster fails this write, as its scenario says");
  switch (m.verb) {
    case cluster_call::verb_kind::create: return create(m, kind, changed);
    case cluster_call::verb_kind::remove: return remove(m, changed);
    case cluster_call::verb_kind::apply: return apply(m, kind, changed);
    default: return replace(m, changed);
  }
}

bool fake_cluster::has_namespace(const std::string& ns) const {
  // Every cluster has these; ten thousand copies of them would be memory for nothing.
  return ns == "default" || ns == "kube-system" || ns == "kube-public" || ns == "kube-node-lease" ||
         objects_.contains({"v1", "Namespace", "", ns});
}

result<shared_bytes> fake_cluster::create(const cluster_call& m, const kind_ptr& kind, changes& changed) {
  if (objects_.contains(m.object))
    return fail(errc::already_exists, fmt::format("{} {} already exists", m.object.kind, m.object.name));
  if (kind->namespaced && !has_namespace(m.object.ns))
    return fail(errc::not_found, fmt::format("namespaces \"{}\" not found", m.object.ns));
  auto doc = parse_json(*m.body);
  if (!doc) return doc.err();
  (*doc)["metadata"]["uid"] = random_uuid(random_);
  (*doc)["metadata"]["creationTimestamp"] = to_rfc3339(options_.now());
  (*doc)["metadata"]["generation"] = 1;
  make_ready_later(m.object, *doc);
  return keep(m.object, kind, *doc, changed);
}

result<shared_bytes> fake_cluster::replace(const cluster_call& m, changes& changed) {
  const auto it = objects_.find(m.object);
  if (it == objects_.end()) return fail(errc::not_found, fmt::format("{} {} not found", m.object.kind, m.object.name));
  auto doc = parse_json(*m.body);
  if (!doc) return doc.err();
  auto old = decode_body(*it->second.body, it->second.rev);
  if (!old) return old.err();
  const auto expected = string_at(*doc, {"metadata", "resourceVersion"});
  if (!expected.empty() && expected != string_at(*old, {"metadata", "resourceVersion"}))
    return fail(errc::conflict, fmt::format("{} {} has been modified", m.object.kind, m.object.name));
  if (m.verb == cluster_call::verb_kind::replace_status) {
    (*old)["status"] = doc->value("status", document::object());
    return keep(m.object, it->second.kind, *old, changed);
  }
  // The server's own fields stay as they are.
  for (const char* field : {"uid", "creationTimestamp", "deletionTimestamp", "generation"})
    if (const auto* kept = find_path(*old, {"metadata", field})) (*doc)["metadata"][field] = *kept;
  if (old->contains("status")) (*doc)["status"] = (*old)["status"];
  if (old->value("spec", document()) != doc->value("spec", document()))
    (*doc)["metadata"]["generation"] = generation_of(*old).get() + 1;
  const auto* finalizers = find_path(*doc, {"metadata", "finalizers"});
  if (is_deleting(*doc) && (finalizers == nullptr || finalizers->empty())) {
    const auto body = share(doc->dump());
    drop(m.object, changed);
    return body;
  }
  make_ready_later(m.object, *doc);
  return keep(m.object, it->second.kind, *doc, changed);
}

result<shared_bytes> fake_cluster::apply(const cluster_call& m, const kind_ptr& kind, changes& changed) {
  const auto it = objects_.find(m.object);
  if (it == objects_.end()) return create(m, kind, changed);
  const auto config = parse_json(*m.body);
  if (!config) return config.err();
  const auto old = decode_body(*it->second.body);
  if (!old) return old.err();
  const auto next = apply_merge_patch(*old, *config);
  if (!next) return next.err();
  auto call = m;
  call.body = share(next->dump());
  return replace(call, changed);
}

result<shared_bytes> fake_cluster::remove(const cluster_call& m, changes& changed) {
  const auto it = objects_.find(m.object);
  if (it == objects_.end()) return fail(errc::not_found, fmt::format("{} {} not found", m.object.kind, m.object.name));
  auto doc = decode_body(*it->second.body);
  if (!doc) return doc.err();
  if (!m.uid.empty() && uid_of(*doc) != m.uid)
    return fail(errc::conflict, fmt::format("{} {} is another object by now", m.object.kind, m.object.name));
  const auto* finalizers = find_path(*doc, {"metadata", "finalizers"});
  if (finalizers == nullptr || finalizers->empty()) {
    drop(m.object, changed);
    return shared_bytes();
  }
  if (!is_deleting(*doc)) (*doc)["metadata"]["deletionTimestamp"] = to_rfc3339(options_.now());
  return keep(m.object, it->second.kind, *doc, changed);
}

shared_bytes fake_cluster::keep(const cluster_object& o, const kind_ptr& kind, const document& doc, changes& changed) {
  revision_ = revision(revision_.get() + 1);
  auto body = encode_body(doc);
  objects_[o] = {body, revision_, kind};
  changed.emplace_back(o, revision_);
  return share(render(*body, revision_));
}

/// With a namespace goes what is in it.
void fake_cluster::drop(const cluster_object& o, changes& changed) {
  revision_ = revision(revision_.get() + 1);
  objects_.erase(o);
  changed.emplace_back(o, revision_);
  if (o.kind != "Namespace" || o.api_version != "v1") return;
  for (auto it = objects_.begin(); it != objects_.end();) {
    if (it->first.ns != o.name) {
      ++it;
      continue;
    }
    changed.emplace_back(it->first, revision_);
    it = objects_.erase(it);
  }
}

/// A workload's replicas come up some time after it was written; some never do.
void fake_cluster::make_ready_later(const cluster_object& o, const document& doc) {
  if (int_at(doc, {"spec", "replicas"}, -1) < 0 || random_.chance(options_.never_ready_rate)) return;
  options_.timers.after(delay(), [weak = weak_from_this(), o, uid = std::string(uid_of(doc))] {
    if (const auto me = weak.lock()) me->make_ready(o, uid);
  });
}

void fake_cluster::make_ready(const cluster_object& o, const std::string& uid) {
  changes changed;
  {
    const std::lock_guard lock(mutex_);
    const auto it = objects_.find(o);
    if (it == objects_.end()) return;
    auto doc = decode_body(*it->second.body);
    if (!doc || uid_of(*doc) != uid) return;
    const auto replicas = int_at(*doc, {"spec", "replicas"}, 0);
    document& status = (*doc)["status"];
    status["observedGeneration"] = generation_of(*doc).get();
    for (const char* field : {"replicas", "readyReplicas", "updatedReplicas", "availableReplicas"})
      status[field] = replicas;
    set_condition(status["conditions"],
                  {.type = "Available", .status = "True", .reason = "MinimumReplicasAvailable", .message = ""},
                  options_.now());
    keep(o, it->second.kind, *doc, changed);
  }
  tell(changed);
}

void fake_cluster::tell(const changes& changed) {
  std::vector<std::pair<address, drifted>> news;
  std::shared_ptr<line> to;
  {
    const std::lock_guard lock(mutex_);
    to = line_.lock();
    for (const auto& [object, rev] : changed)
      if (const auto it = watchers_.find(object); it != watchers_.end())
        for (const address& who : it->second) news.emplace_back(who, drifted{object, rev});
  }
  if (!to) return;
  for (auto& [who, what] : news) to->send(who, std::move(what));
}

}  // namespace wh
