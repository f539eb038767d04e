#pragma once
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "persistence/lmdb_env.hpp"
#include "persistence/lmdb_tables.hpp"
#include "persistence/store.hpp"

namespace wh::test {

/// A folder that goes with the test.
class temp_dir {
 public:
  temp_dir() {
    static std::atomic<int> counter{0};
    path_ = std::filesystem::temp_directory_path() /
            ("wh_store_" + std::to_string(::getpid()) + "_" + std::to_string(counter++));
    std::filesystem::create_directories(path_);
  }
  ~temp_dir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  temp_dir(const temp_dir&) = delete;
  temp_dir& operator=(const temp_dir&) = delete;

  std::string sub(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline lmdb_options options_for(const std::string& dir) {
  lmdb_options o;
  o.dir = dir;
  o.map_bytes = std::uint64_t{1} << 30;
  o.sync = false;
  o.incarnation_seed = "first-life";
  return o;
}

inline std::unique_ptr<store> open(const lmdb_options& o) {
  auto opened = open_lmdb_store(o);
  if (!opened) FAIL(opened.err().message);
  return *std::move(opened);
}

/// Submits and waits for the outcome.
inline result<commit> commit_of(store& s, batch b) {
  auto outcome = std::make_shared<std::promise<result<commit>>>();
  auto arrived = outcome->get_future();
  s.submit(std::move(b), [outcome](result<commit> r) { outcome->set_value(std::move(r)); });
  return arrived.get();
}

/// The commit of a batch that must succeed.
inline commit must(store& s, batch b) {
  const auto r = commit_of(s, std::move(b));
  if (!r) FAIL(r.err().message);
  return *r;
}

inline errc code_of(store& s, batch b) {
  const auto r = commit_of(s, std::move(b));
  REQUIRE_FALSE(r.ok());
  return r.err().code;
}

inline object_key config(const std::string& name, const std::string& ns = "default") {
  return {"configmaps", ns, name};
}
inline object_key lease(const std::string& cluster) {
  return {"leases.coordination.k8s.io", cluster, "managed-cluster-lease"};
}

inline batch put_of(object_key key, std::string body) {
  batch b;
  b.puts.push_back({std::move(key), share(std::move(body)), namespace_phase::active});
  return b;
}

inline batch erase_of(object_key key) {
  batch b;
  b.erases.push_back({std::move(key)});
  return b;
}

inline batch in_memory(batch b) {
  b.in_memory = true;
  return b;
}

inline batch from(std::string id, std::uint64_t life, batch b) {
  b.from = {std::move(id), incarnation{life}};
  return b;
}

template <class Precondition>
batch when(Precondition p, batch b) {
  b.preconditions.emplace_back(std::move(p));
  return b;
}

/// The body of an object, or "-" when there is none.
inline std::string body_of(const store& s, const object_key& key, revision at = {}) {
  const auto r = s.get(key, at);
  if (!r) FAIL(r.err().message);
  return *r ? *(**r).body : "-";
}

inline std::vector<std::string> names_of(const page& p) {
  std::vector<std::string> out;
  for (const record& r : p.records) out.push_back(r.key.name);
  return out;
}

/// `configmaps/default/a@3 old->new` for a change.
inline std::string describe(const change& c) {
  const auto show = [](const shared_bytes& b) { return b ? *b : std::string("-"); };
  return to_string(c.key) + "@" + std::to_string(c.rev.get()) + " " + show(c.previous) + "@" +
         std::to_string(c.previous_rev.get()) + "->" + show(c.body) + (c.in_memory ? " in memory" : "");
}

inline std::vector<std::string> describe(const std::vector<change>& changes) {
  std::vector<std::string> out;
  for (const change& c : changes) out.push_back(describe(c));
  return out;
}

inline std::vector<std::string> changes_after(const store& s, revision after, std::size_t limit = 0) {
  const auto r = s.changes_since(after, limit);
  if (!r) FAIL(r.err().message);
  return describe(*r);
}

class recorder final : public feed_listener {
 public:
  void on_committed(const std::vector<change>& changes) override {
    for (const change& c : changes) seen.push_back(describe(c));
    ++calls;
  }
  std::vector<std::string> seen;
  int calls = 0;
};

/// Waits for what the writer thread does in its own time.
inline bool eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 2000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

inline void compact_and_wait(store& s, revision upto) {
  s.compact(upto);
  REQUIRE(eventually([&] { return s.window().compacted >= upto; }));
}

}  // namespace wh::test
