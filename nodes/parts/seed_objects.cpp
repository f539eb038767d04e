#include "nodes/parts/seed_objects.hpp"

#include <fmt/format.h>

#include <functional>
#include <future>

#include "apiserver/access/default_roles.hpp"

namespace wh {
namespace {

result<commit> submit_and_wait(store& s, batch b) {
  std::promise<result<commit>> done;
  auto outcome = done.get_future();
  s.submit(std::move(b), [&](result<commit> r) { done.set_value(std::move(r)); });
  return outcome.get();
}

void complete_metadata(document& doc, instant now, rng& random) {
  auto& meta = doc["metadata"];
  meta["uid"] = random_uuid(random);
  meta["creationTimestamp"] = to_rfc3339(now);
}

/// The existing object with the seed's contents; nullopt when it has them already.
std::optional<document> refreshed(const document& existing, const document& seed) {
  document wanted = seed;
  wanted["metadata"] = existing["metadata"];
  wanted["metadata"].erase("resourceVersion");
  if (const document* labels = find_path(seed, {"metadata", "labels"})) wanted["metadata"]["labels"].update(*labels);
  document before = existing;
  before["metadata"].erase("resourceVersion");
  if (wanted == before) return std::nullopt;
  return wanted;
}

}  // namespace

std::vector<document> standard_namespaces() {
  std::vector<document> all;
  for (const char* name : {"default", "kube-system", "kube-public"})
    all.push_back({{"apiVersion", "v1"},
                   {"kind", "Namespace"},
                   {"metadata", {{"name", name}, {"labels", {{"kubernetes.io/metadata.name", name}}}}},
                   {"spec", {{"finalizers", {"kubernetes"}}}},
                   {"status", {{"phase", "Active"}}}});
  return all;
}

document client_authentication(const std::string& ca_pem, const std::string& front_proxy_ca_pem) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", "extension-apiserver-authentication"}, {"namespace", "kube-system"}}},
          {"data",
           {{"client-ca-file", ca_pem},
            {"requestheader-client-ca-file", front_proxy_ca_pem},
            {"requestheader-allowed-names", R"(["front-proxy-client"])"},
            {"requestheader-username-headers", R"(["X-Remote-User"])"},
            {"requestheader-group-headers", R"(["X-Remote-Group"])"},
            {"requestheader-extra-headers-prefix", R"(["X-Remote-Extra-"])"}}}};
}

namespace {

/// What a default becomes over what is stored; nullopt: there is nothing to do.
using over_stored = std::function<std::optional<document>(const document& stored, document wanted)>;

result<void> seed_all(store& s, const kind_registry& kinds, std::vector<document> objects, instant now, rng& random,
                      const over_stored& change) {
  batch b;
  for (auto& doc : objects) {
    const auto gv = split_api_version(api_version(doc));
    const auto kind = kinds.find_kind(gv.group, gv.version, kind_of(doc));
    if (!kind) return fail(errc::internal, fmt::format("no kind {} {}", api_version(doc), kind_of(doc)));
    const object_key key{kind->group_resource(), std::string(namespace_of(doc)), std::string(name_of(doc))};
    auto existing = s.get(key);
    if (!existing) return existing.err();
    std::optional<document> next = std::move(doc);
    if (*existing) {
      auto current = decode_record(**existing);
      if (!current) return current.err();
      next = change(*current, *std::move(next));
      if (!next) continue;
      b.preconditions.push_back(at_revision{key, (*existing)->rev});
    } else {
      b.preconditions.push_back(absent{key});
    }
    if (uid_of(*next).empty()) complete_metadata(*next, now, random);
    b.puts.push_back({key, encode_body(*next), {}});
  }
  if (b.empty()) return {};
  auto done = submit_and_wait(s, std::move(b));
  if (!done) return done.err();
  return {};
}

}  // namespace

result<void> seed_access(store& s, const kind_registry& kinds, std::vector<document> objects, instant now,
                         rng& random) {
  return seed_all(s, kinds, std::move(objects), now, random,
                  [](const document& stored, const document& wanted) { return reconciled_access(stored, wanted); });
}

result<void> seed_objects(store& s, const kind_registry& kinds, std::vector<document> objects, bool refresh,
                          instant now, rng& random) {
  return seed_all(s, kinds, std::move(objects), now, random,
                  [refresh](const document& stored, const document& wanted) -> std::optional<document> {
                    if (!refresh) return std::nullopt;
                    return refreshed(stored, wanted);
                  });
}

}  // namespace wh
