#include "conformance.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("conventions: deletion", "[apiserver][conformance]") {
  check_all({
      {"deletecollection marks what has finalizers and removes the rest",
       [](api_fixture& f) {
         auto held = named("held");
         held["metadata"]["finalizers"] = {"x.io/hold"};
         f.post(maps, held);
         f.post(maps, named("free"));
         CHECK(f.call("DELETE", maps).json["items"].size() == 2);
         auto left = f.get(maps).json;
         CHECK(names(left) == strings{"held"});
         CHECK(is_deleting(left["items"][0]));
       }},
      {"a dry run of deletecollection deletes nothing",
       [](api_fixture& f) {
         f.post(maps, named("a"));
         CHECK(f.call("DELETE", maps + "?dryRun=All").code == 200);
         CHECK(f.call("DELETE", maps, R"({"dryRun":["All"]})").code == 200);
         CHECK(names(f.get(maps).json) == strings{"a"});
       }},
      {"a dry run of a held deletion shows the mark and leaves none",
       [](api_fixture& f) {
         auto held = named("held");
         held["metadata"]["finalizers"] = {"x.io/hold"};
         f.post(maps, held);
         CHECK(is_deleting(f.del(maps + "/held?dryRun=All").json));
         CHECK_FALSE(is_deleting(f.get(maps + "/held").json));
       }},
      {"Background, in query or body, adds no finalizer",
       [](api_fixture& f) {
         f.post(maps, named("a"));
         f.post(maps, named("b"));
         CHECK(f.del(maps + "/a?propagationPolicy=Background").json["status"] == "Success");
         CHECK(f.del(maps + "/b", {{"propagationPolicy", "Background"}}).json["status"] == "Success");
       }},
      {"a deleting object can still be changed, and a deletionTimestamp cannot be taken back",
       [](api_fixture& f) {
         auto held = thing("a");
         held["metadata"]["finalizers"] = {"x.io/hold"};
         f.post(things, held);
         auto marked = f.del(things + "/a").json;
         CHECK(f.patch(things + "/a", {{"spec", {{"size", 9}}}}).json["spec"]["size"] == 9);
         auto back = f.patch(things + "/a", {{"metadata", {{"deletionTimestamp", nullptr}}}});
         CHECK(back.json["metadata"]["deletionTimestamp"] == marked["metadata"]["deletionTimestamp"]);
       }},
      {"a name is free again at once, for an object with another uid",
       [](api_fixture& f) {
         auto first = f.post(maps, named("a")).json;
         f.del(maps + "/a");
         auto second = f.post(maps, named("a"));
         CHECK(second.code == 201);
         CHECK(uid_of(second.json) != uid_of(first));
         CHECK(f.del(maps + "/a", {{"preconditions", {{"uid", uid_of(first)}}}}).code == 409);
         CHECK(f.put(maps + "/a", first).code == 409);
       }},
      {"objects of a terminating namespace can be changed and deleted",
       [](api_fixture& f) {
         f.post(maps, named("a"));
         f.del("/api/v1/namespaces/n");
         CHECK(f.patch(maps + "/a", {{"data", {{"k", "v"}}}}).code == 200);
         CHECK(f.del(maps + "/a").code == 200);
         CHECK(f.post(maps, {{"metadata", {{"generateName", "a-"}}}}).code == 403);
       }},
      {"a deletion with a body that is no DeleteOptions is refused",
       [](api_fixture& f) {
         f.post(maps, named("a"));
         CHECK(f.del(maps + "/a", {{"kind", "ConfigMap"}, {"apiVersion", "v1"}}).code == 400);
         CHECK(f.get(maps + "/a").code == 200);
       }},
  });
}

TEST_CASE("conventions: lists and watches", "[apiserver][conformance]") {
  check_all({
      {"pages of a Table carry the continue token, over namespaces too",
       [](api_fixture& f) {
         f.make_namespace("m");
         for (const char* ns : {"m", "n"})
           for (const char* name : {"a", "b"}) f.make_config_map(ns, name, {{"page", "y"}});
         const std::string all = "/api/v1/configmaps?labelSelector=page&limit=3";
         auto first = f.get(all, as_table).json;
         CHECK(first["rows"].size() == 3);
         auto token = std::string(string_at(first, {"metadata", "continue"}));
         auto rest = f.get(all + "&continue=" + token, as_table).json;
         CHECK(rest["rows"].size() == 1);
         CHECK(version_of(rest) == version_of(first));
         CHECK_FALSE(rest["metadata"].contains("continue"));
       }},
      {"a continue token goes with no version of its own",
       [](api_fixture& f) {
         for (const char* name : {"a", "b"}) f.make_config_map("n", name);
         auto token = std::string(string_at(f.get(maps + "?limit=1").json, {"metadata", "continue"}));
         CHECK(f.get(maps + "?continue=" + token + "&resourceVersion=2").code == 400);
         CHECK(f.get(maps + "?continue=" + token + "&resourceVersion=0").code == 200);
         CHECK(f.get(maps + "?continue=" + token + "&resourceVersion=2&resourceVersionMatch=Exact").code == 422);
       }},
      {"an object that leaves a field selector is DELETED for its watcher",
       [](api_fixture& f) {
         auto w = f.watch("/api/v1/namespaces?watch=true&fieldSelector=status.phase%3DActive,metadata.name%3Dn");
         CHECK(w->event_lines() == strings{"ADDED n"});
         f.del("/api/v1/namespaces/n");
         CHECK(w->event_lines() == strings{"DELETED n"});
       }},
      {"bookmarks have the form and the kind that was asked for",
       [](api_fixture& f) {
         const std::string initial =
             "?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
         auto plain = f.watch(things + initial)->events();
         REQUIRE(plain.size() == 1);
         CHECK(plain[0]["object"]["kind"] == "Thing");
         CHECK(plain[0]["object"]["apiVersion"] == "x.io/v1");
         auto partial = f.watch(things + initial, as_partial)->events();
         REQUIRE(partial.size() == 1);
         CHECK(partial[0]["object"]["kind"] == "PartialObjectMetadata");
       }},
      {"each event has the version of its change, and a watch from there goes on after it",
       [](api_fixture& f) {
         auto at = version_of(f.get(things).json);
         f.post(things, thing("a"));
         f.patch(things + "/a", {{"spec", {{"size", 2}}}});
         f.del(things + "/a");
         auto events = f.watch(things + "?watch=true&resourceVersion=" + at)->events();
         REQUIRE(events.size() == 3);
         for (std::size_t i = 0; i < events.size(); ++i) {
           auto rest = f.watch(things + "?watch=true&resourceVersion=" + version_of(events[i]["object"]));
           CHECK(rest->events().size() == events.size() - 1 - i);
         }
       }},
      {"unknown versions, groups, kinds and subresources are 404 with a Status",
       [](api_fixture& f) {
         for (const auto& target : strings{"/api/v2/namespaces", "/apis/x.io/v9/things", "/apis/none.io/v1/things",
                                           maps + "/a/status", maps + "/a/scale"}) {
           auto got = f.get(target);
           INFO(target);
           CHECK(got.code == 404);
           CHECK(got.reason() == "NotFound");
           CHECK(got.json["kind"] == "Status");
         }
       }},
  });
}
