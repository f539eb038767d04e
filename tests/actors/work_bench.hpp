#pragma once
#include "actor_fixture.hpp"
#include "actors/names.hpp"
#include "actors/spoke/work.hpp"

namespace wh::test {

inline const object_key prescription{names::prescriptions, "", "w"};

inline document config_map(const std::string& name, const std::string& value) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", name}, {"namespace", "shop"}}},
          {"data", {{"k", value}}}};
}

inline work_desired desired(std::vector<document> manifests, std::int64_t gen = 1, bool deleting = false,
                            document spec = document::object()) {
  spec["workload"]["manifests"] = manifests;
  document body = {{"apiVersion", "work.open-cluster-management.io/v1"},
                   {"kind", "ManifestWork"},
                   {"metadata", {{"name", "w"}, {"namespace", "c1"}, {"uid", "uid-w"}, {"generation", gen}}},
                   {"spec", spec}};
  if (deleting) body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  return {.name = "w", .uid = "uid-w", .gen = generation{gen}, .deleting = deleting, .body = encode_body(body)};
}

/// A cluster in a map: answers the work's calls one at a time, as the embedded one would.
struct cluster_bench {
  bench_top b;
  work self = make_work("w", "hash", "hash");
  std::map<cluster_object, document> objects;
  std::map<std::string, error> broken;     ///< calls for objects of this name fail
  std::map<std::string, error> contested;  ///< applies without force to objects of this name fail
  std::vector<std::string> writes;         ///< `create a`, `replace a`, `remove a`, `apply a as m`
  std::vector<outbox> outs;
  std::uint64_t revision = 0, uids = 0;

  /// Carries out everything that follows from a handler until the work waits for something else.
  void settle(outbox out) {
    outs.push_back(out);
    for (const auto& s : out.sends)
      if (const auto* call = std::get_if<cluster_call>(&s.body)) settle(b.handle(self, answer(*call)));
  }
  template <class Message>
  void give(const Message& m) {
    settle(b.handle(self, m));
  }
  void start() { settle(b.start(self)); }
  void wake() { give(timer_fired{"reconcile"}); }

  cluster_reply answer(const cluster_call& call) {
    cluster_reply reply{.id = call.id, .failure = {}, .body = nullptr, .resource = "configmaps", .namespaced = true};
    if (const auto it = broken.find(call.object.name); it != broken.end()) {
      reply.failure = it->second;
      return reply;
    }
    using verb = cluster_call::verb_kind;
    const auto it = objects.find(call.object);
    if (call.verb == verb::apply) return apply(call, std::move(reply));
    if (call.verb != verb::create && it == objects.end()) {
      reply.failure = error{errc::not_found, "absent"};
      return reply;
    }
    const auto note_write = [&](const char* what) { writes.push_back(std::string(what) + " " + call.object.name); };
    if (call.verb == verb::get) {
      reply.body = share(it->second.dump());
      return reply;
    }
    if (call.verb == verb::remove) {
      note_write("remove");
      objects.erase(it);
      return reply;
    }
    document doc = document::parse(*call.body);
    if (call.verb == verb::create) doc["metadata"]["uid"] = "u" + std::to_string(++uids);
    doc["metadata"]["resourceVersion"] = std::to_string(++revision);
    note_write(call.verb == verb::create ? "create" : "replace");
    objects[call.object] = doc;
    reply.body = share(doc.dump());
    // An anchor that was being deleted vanishes with its last finalizer.
    if (doc["metadata"].contains("deletionTimestamp") &&
        (!doc["metadata"].contains("finalizers") || doc["metadata"]["finalizers"].empty()))
      objects.erase(call.object);
    return reply;
  }

  cluster_reply apply(const cluster_call& call, cluster_reply reply) {
    writes.push_back("apply " + call.object.name + " as " + call.manager + (call.force ? " by force" : ""));
    if (const auto it = contested.find(call.object.name); it != contested.end() && !call.force) {
      reply.failure = it->second;
      return reply;
    }
    auto& doc = objects[call.object];
    if (doc.is_null()) doc["metadata"]["uid"] = "u" + std::to_string(++uids);
    doc.merge_patch(document::parse(*call.body));
    doc["metadata"]["resourceVersion"] = std::to_string(++revision);
    reply.body = share(doc.dump());
    return reply;
  }

  document* find(const std::string& name) {
    for (auto& [key, doc] : objects)
      if (key.name == name) return &doc;
    return nullptr;
  }
  /// The newest report offered to the agent.
  document last_report() const {
    document status;
    for (const auto& out : outs)
      for (const auto& r : sent<report_ready>(out)) status = document::parse(*r.report.status);
    return status;
  }
  std::string condition(const char* type) const {
    return std::string(condition_status({{"status", last_report()}}, type));
  }
  bool said_finished() const {
    return std::any_of(outs.begin(), outs.end(), [](const outbox& o) { return !sent<finished_ready>(o).empty(); });
  }
};

}  // namespace wh::test
