#include <catch2/catch.hpp>

#include "fixture.hpp"

using namespace wh;
using namespace wh::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* maps = "/api/v1/namespaces/n/configmaps";
using strings = std::vector<std::string>;

std::string watch_of(const std::string& query) {
  return std::string(maps) + "?watch=true" + (query.empty() ? "" : "&") + query;
}

}  // namespace

TEST_CASE("a watch without a version starts with what exists", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_namespace("m");
  f.make_config_map("n", "a");
  for (const char* query : {"", "resourceVersion=0"}) {
    auto w = f.watch(watch_of(query));
    CHECK(w->streaming);
    CHECK(w->event_lines() == strings{"ADDED a"});
  }
  auto w = f.watch(watch_of(""));
  w->events();
  f.make_config_map("n", "b");
  f.make_config_map("m", "other");
  f.patch(std::string(maps) + "/b", {{"data", {{"k", "w"}}}});
  f.del(std::string(maps) + "/b");
  CHECK(w->event_lines() == strings{"ADDED b", "MODIFIED b", "DELETED b"});
}

TEST_CASE("a list and a watch from its version miss nothing and repeat nothing", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  auto version = std::string(string_at(f.get(maps).json, {"metadata", "resourceVersion"}));
  f.make_config_map("n", "b");
  auto w = f.watch(watch_of("resourceVersion=" + version));
  f.make_config_map("n", "c");
  auto events = w->events();
  REQUIRE(events.size() == 2);
  CHECK(name_of(events[0]["object"]) == "b");
  CHECK(name_of(events[1]["object"]) == "c");
  CHECK(events[1]["object"] == f.get(std::string(maps) + "/c").json);
  CHECK(f.watch(watch_of("resourceVersion=99"))->response.status == 504);
}

TEST_CASE("a deletion shows the last state at the revision of its end", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  auto w = f.watch(watch_of("resourceVersion=2"));
  f.del(std::string(maps) + "/a");
  auto events = w->events();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["object"]["data"]["k"] == "v");
  CHECK(string_at(events[0]["object"], {"metadata", "resourceVersion"}) == "3");
}

TEST_CASE("an object that leaves a selector is DELETED, one that enters is ADDED", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a", {{"x", "1"}});
  auto w = f.watch(watch_of("labelSelector=x%3D1"));
  CHECK(w->event_lines() == strings{"ADDED a"});
  auto target = std::string(maps) + "/a";
  f.patch(target, {{"data", {{"k", "w"}}}});
  f.patch(target, {{"metadata", {{"labels", {{"x", "2"}}}}}});
  f.patch(target, {{"data", {{"k", "u"}}}});
  f.patch(target, {{"metadata", {{"labels", {{"x", "1"}}}}}});
  auto events = w->events();
  REQUIRE(events.size() == 3);
  CHECK(events[0]["type"] == "MODIFIED");
  CHECK(events[1]["type"] == "DELETED");
  CHECK(label_of(events[1]["object"], "x") == "1");
  CHECK(events[2]["type"] == "ADDED");
  f.make_config_map("n", "b");
  auto by_name = f.watch(watch_of("fieldSelector=metadata.name%3Db"));
  CHECK(by_name->event_lines() == strings{"ADDED b"});
  f.patch(target, {{"data", {{"k", "w"}}}});
  CHECK(by_name->events().empty());
  auto impossible = f.watch(watch_of("fieldSelector=metadata.namespace%3Dm"));
  f.patch(target, {{"data", {{"k", "q"}}}});
  CHECK(impossible->streaming);
  CHECK(impossible->events().empty());
}

TEST_CASE("one object can be watched by its path", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  f.make_config_map("n", "b");
  CHECK(f.watch(std::string(maps) + "/a?watch=1")->event_lines() == strings{"ADDED a"});
}

TEST_CASE("a watch goes on from the ring, from the log, or is told 410", "[apiserver][watch]") {
  api_fixture f(kind_set::hub, [](api_options& o) { o.watch_ring_events = 2; });
  f.make_namespace("n");
  for (const char* name : {"a", "b", "c", "d"}) f.make_config_map("n", name);
  CHECK(f.watch(watch_of("resourceVersion=4"))->event_lines() == strings{"ADDED d"});
  CHECK(f.watch(watch_of("resourceVersion=1"))->event_lines() == strings{"ADDED a", "ADDED b", "ADDED c", "ADDED d"});
  f.data->compact(revision(3));
  auto w = f.watch(watch_of("resourceVersion=2"));
  auto events = w->events();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["type"] == "ERROR");
  CHECK(events[0]["object"]["code"] == 410);
  CHECK(events[0]["object"]["reason"] == "Expired");
  CHECK(w->finished);
}

TEST_CASE("the ring is bounded in bytes too", "[apiserver][watch]") {
  api_fixture f(kind_set::hub, [](api_options& o) { o.watch_ring_bytes = 1; });
  f.make_namespace("n");
  auto live = f.watch(watch_of("resourceVersion=1"));
  f.make_config_map("n", "a");
  f.make_config_map("n", "b");
  CHECK(live->event_lines() == strings{"ADDED a", "ADDED b"});
  CHECK(f.watch(watch_of("resourceVersion=2"))->event_lines() == strings{"ADDED b"});
}

TEST_CASE("initial events end with a marked bookmark", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  auto w = f.watch(
      watch_of("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=2"));
  auto events = w->events();
  REQUIRE(events.size() == 2);
  CHECK(events[0]["type"] == "ADDED");
  CHECK(events[1]["type"] == "BOOKMARK");
  CHECK(events[1]["object"]["kind"] == "ConfigMap");
  CHECK(annotation_of(events[1]["object"], "k8s.io/initial-events-end") == "true");
  CHECK(string_at(events[1]["object"], {"metadata", "resourceVersion"}) == "2");
  CHECK(f.watch(watch_of("sendInitialEvents=true"))->response.status == 422);
  CHECK(f.watch(watch_of("resourceVersion=1&resourceVersionMatch=NotOlderThan"))->response.status == 422);
  CHECK(f.watch(watch_of("sendInitialEvents=false&resourceVersionMatch=NotOlderThan"))->events().empty());
}

TEST_CASE("a watch ends at its timeout, with a bookmark for who wants it", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  auto plain = f.watch(watch_of("resourceVersion=1&timeoutSeconds=5"));
  auto marked = f.watch(watch_of("resourceVersion=1&timeoutSeconds=90&allowWatchBookmarks=true"));
  f.timer.advance(4s);
  CHECK_FALSE(plain->finished);
  f.timer.advance(2s);
  CHECK(plain->finished);
  f.make_namespace("other");
  f.timer.advance(60s);
  auto events = marked->events();
  REQUIRE(events.size() == 1);
  CHECK(events[0]["type"] == "BOOKMARK");
  CHECK(string_at(events[0]["object"], {"metadata", "resourceVersion"}) == "2");
  f.timer.advance(60s);
  CHECK(marked->finished);
  CHECK(plain->chunks.empty());
  f.make_config_map("n", "a");
  CHECK(marked->event_lines() == strings{"BOOKMARK "});
}

TEST_CASE("a watcher that lags or has gone is let go", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  auto slow = f.watch(watch_of("resourceVersion=1"));
  auto gone = f.watch(watch_of("resourceVersion=1"));
  slow->unsent_bytes = std::size_t{1} << 30;
  gone->hang_up();
  f.make_config_map("n", "a");
  CHECK(slow->finished);
  CHECK(slow->events().empty());
  CHECK(gone->events().empty());
}

TEST_CASE("a line is rendered once for all watchers of one form", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  auto a = f.watch(watch_of("resourceVersion=1"));
  auto b = f.watch("/api/v1/configmaps?watch=true&resourceVersion=1");
  f.make_config_map("n", "x");
  REQUIRE(a->chunks.size() == 1);
  CHECK(a->chunks[0] == b->chunks[0]);
}

TEST_CASE("watches come as tables and as metadata", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  auto table = f.watch(watch_of("allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"),
                       "application/json;as=Table;v=v1;g=meta.k8s.io");
  auto partial = f.watch(watch_of("resourceVersion=1"), "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io");
  f.make_config_map("n", "x");
  auto rows = table->events();
  REQUIRE(rows.size() == 2);
  CHECK(rows[0]["type"] == "BOOKMARK");
  CHECK(rows[0]["object"]["rows"][0]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"] == "true");
  CHECK(rows[1]["object"]["kind"] == "Table");
  CHECK(rows[1]["object"]["rows"][0]["cells"][0] == "x");
  // The first event has the columns, whatever it is; clients keep them.
  CHECK(rows[0]["object"]["columnDefinitions"][1]["name"] == "Data");
  CHECK(rows[1]["object"]["columnDefinitions"].is_null());
  auto metas = partial->events();
  REQUIRE(metas.size() == 1);
  CHECK(metas[0]["object"]["kind"] == "PartialObjectMetadata");
  CHECK(f.watch(watch_of(""), "application/yaml")->response.status == 406);
}

TEST_CASE("a watch tells a table's columns in its first event only", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  f.make_config_map("n", "a");
  f.make_config_map("n", "b");
  const char* accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const auto whole = f.get("/api/v1/namespaces/n/configmaps", accept).json["columnDefinitions"];
  auto listed = f.watch(watch_of(""), accept);
  auto replayed = f.watch(watch_of("resourceVersion=1"), accept);
  auto live =
      f.watch(watch_of("resourceVersion=" +
                       f.get("/api/v1/namespaces/n/configmaps").json["metadata"]["resourceVersion"].get<std::string>()),
              accept);
  f.make_config_map("n", "c");
  f.make_config_map("n", "d");
  // A watch that begins later shares its first event with nobody who has the columns already.
  for (const auto& [stream, count] : {std::pair{listed, 4}, {replayed, 4}, {live, 2}}) {
    const auto events = stream->events();
    REQUIRE(events.size() == static_cast<std::size_t>(count));
    CHECK(events[0]["object"]["columnDefinitions"] == whole);
    for (std::size_t i = 1; i < events.size(); ++i) {
      CHECK(events[i]["object"].contains("columnDefinitions"));
      CHECK(events[i]["object"]["columnDefinitions"].is_null());
      CHECK(events[i]["object"]["rows"].size() == 1);
    }
  }
}

TEST_CASE("draining ends the watches", "[apiserver][watch]") {
  api_fixture f;
  f.make_namespace("n");
  auto w = f.watch(watch_of(""));
  f.server->drain();
  CHECK(w->finished);
}
