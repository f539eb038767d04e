#include "conformance.hpp"

using namespace wh;
using namespace wh::test;

TEST_CASE("conventions: metadata and generation", "[apiserver][conformance]") {
  check_all({
      {"what only the server sets is replaced on create",
       [](api_fixture& f) {
         auto body = thing("a");
         for (const char* field : {"uid", "creationTimestamp", "deletionTimestamp", "selfLink"})
           body["metadata"][field] = "2020-01-01T00:00:00Z";
         body["metadata"]["generation"] = 7;
         auto made = f.post(things, body);
         REQUIRE(made.code == 201);
         CHECK(made.json["metadata"]["generation"] == 1);
         CHECK(made.json["metadata"]["uid"] != "2020-01-01T00:00:00Z");
         CHECK(made.json["metadata"]["creationTimestamp"] != "2020-01-01T00:00:00Z");
         CHECK_FALSE(made.json["metadata"].contains("deletionTimestamp"));
         CHECK_FALSE(made.json["metadata"].contains("selfLink"));
       }},
      {"labels, annotations and status leave the generation alone; the spec raises it",
       [](api_fixture& f) {
         f.post(things, thing("a"));
         f.patch(things + "/a", {{"metadata", {{"labels", {{"x", "y"}}}, {"annotations", {{"x", "y"}}}}}});
         CHECK(f.patch(things + "/a/status", {{"status", {{"ready", true}}}}).json["metadata"]["generation"] == 1);
         CHECK(f.patch(things + "/a", {{"spec", {{"size", 1}}}}).json["metadata"]["generation"] == 1);
         CHECK(f.patch(things + "/a", {{"spec", {{"size", 2}}}}).json["metadata"]["generation"] == 2);
       }},
      {"every write moves the version on, and a list is never older than what is in it",
       [](api_fixture& f) {
         auto first = std::stoull(version_of(f.post(things, thing("a")).json));
         auto second = std::stoull(version_of(f.post(maps, named("a")).json));
         auto third = std::stoull(version_of(f.patch(things + "/a", {{"spec", {{"size", 2}}}}).json));
         CHECK(first < second);
         CHECK(second < third);
         CHECK(std::stoull(version_of(f.get(things).json)) >= third);
       }},
      {"an owner reference names its owner fully, and one owner at most is the controller",
       [](api_fixture& f) {
         auto with = [&](const document& references) {
           auto body = named("a");
           body["metadata"]["ownerReferences"] = references;
           return f.call("POST", maps + "?dryRun=All", body.dump()).code;
         };
         document owner = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"name", "o"}, {"uid", "u"}};
         auto controller = owner;
         controller["controller"] = true;
         auto other = controller;
         other["uid"] = "w";
         auto second = owner;
         second["uid"] = "w";
         CHECK(with({second, controller}) == 201);
         CHECK(with({owner, owner}) == 201);  // repeated, and kept once
         CHECK(with({controller, other}) == 422);
         for (const char* field : {"apiVersion", "kind", "name", "uid"}) {
           auto part = owner;
           part.erase(field);
           CHECK(with(document::array({part})) == 422);
         }
       }},
      {"Kubernetes' own kinds have a status from the start, custom ones only what was written",
       [](api_fixture& f) {
         CHECK_FALSE(f.post(things, thing("a")).json.contains("status"));
         CHECK(f.get("/api/v1/namespaces/n").json["status"]["phase"] == "Active");
       }},
  });
  api_fixture cluster(kind_set::cluster);
  cluster.make_namespace("n");
  document budget = {{"metadata", {{"name", "b"}}}, {"spec", {{"selector", {{"matchLabels", {{"a", "b"}}}}}}}};
  auto made = cluster.post("/apis/policy/v1/namespaces/n/poddisruptionbudgets", budget);
  REQUIRE(made.code == 201);
  CHECK(made.json["status"].is_object());
}

TEST_CASE("conventions: scale", "[apiserver][conformance][scale]") {
  check_all({
      {"a Scale is autoscaling/v1 with the object's name, uid and version",
       [](api_fixture& f) {
         auto object = f.post(things, thing("a", 4)).json;
         auto scale = f.get(things + "/a/scale").json;
         CHECK(api_version(scale) == "autoscaling/v1");
         CHECK(kind_of(scale) == "Scale");
         CHECK(scale["metadata"]["uid"] == object["metadata"]["uid"]);
         CHECK(version_of(scale) == version_of(object));
         CHECK(scale["spec"]["replicas"] == 4);
         CHECK(scale["status"]["replicas"] == 0);
       }},
      {"scaling raises the generation and leaves everything else alone",
       [](api_fixture& f) {
         f.post(things, thing("a"));
         auto scale = f.get(things + "/a/scale").json;
         scale["spec"]["replicas"] = 5;
         scale["status"]["replicas"] = 5;
         scale["metadata"]["labels"] = {{"a", "b"}};
         CHECK(f.put(things + "/a/scale", scale).json["spec"]["replicas"] == 5);
         auto object = f.get(things + "/a").json;
         CHECK(object["spec"]["size"] == 5);
         CHECK(object["metadata"]["generation"] == 2);
         CHECK_FALSE(object.contains("status"));
         CHECK_FALSE(object["metadata"].contains("labels"));
       }},
      {"a stale Scale conflicts, a negative one is invalid, an unknown object is not found",
       [](api_fixture& f) {
         f.post(things, thing("a"));
         auto scale = f.get(things + "/a/scale").json;
         f.patch(things + "/a/scale", {{"spec", {{"replicas", 2}}}});
         scale["spec"]["replicas"] = 3;
         CHECK(f.put(things + "/a/scale", scale).reason() == "Conflict");
         CHECK(f.patch(things + "/a/scale", {{"spec", {{"replicas", -3}}}}).reason() == "Invalid");
         CHECK(f.get(things + "/b/scale").reason() == "NotFound");
       }},
      {"a scale is neither created nor deleted",
       [](api_fixture& f) {
         f.post(things, thing("a"));
         CHECK(f.del(things + "/a/scale").code == 405);
         CHECK(f.post(things + "/a/scale", document::object()).code == 405);
       }},
  });
}

TEST_CASE("conventions: writes", "[apiserver][conformance]") {
  check_all({
      {"a patch cannot rename, move or replace",
       [](api_fixture& f) {
         f.post(maps, named("a"));
         CHECK(f.patch(maps + "/a", {{"metadata", {{"name", "b"}}}}).code == 400);
         CHECK(f.patch(maps + "/a", {{"metadata", {{"namespace", "m"}}}}).code == 400);
         CHECK(f.patch(maps + "/a", {{"metadata", {{"uid", "other"}}}}).code == 409);
       }},
      {"a JSON patch is applied as a whole or not at all",
       [](api_fixture& f) {
         f.make_config_map("n", "a");
         document steps = {{{"op", "replace"}, {"path", "/data/k"}, {"value", "w"}},
                           {{"op", "remove"}, {"path", "/data/none"}}};
         CHECK(f.patch(maps + "/a", steps, json_patch).code == 422);
         CHECK(f.get(maps + "/a").json["data"]["k"] == "v");
         CHECK(f.patch(maps + "/a", {{"op", "add"}}, json_patch).code == 400);
       }},
      {"a dry run makes a name from generateName and fills in defaults",
       [](api_fixture& f) {
         auto made =
             f.post(things + "?dryRun=All", {{"metadata", {{"generateName", "t-"}}}, {"spec", document::object()}});
         REQUIRE(made.code == 201);
         CHECK(name_of(made.json).starts_with("t-"));
         CHECK(made.json["spec"]["size"] == 3);
         CHECK(f.get(things).json["items"].empty());
       }},
      {"status and the rest do not write each other's part, by PUT or by any patch",
       [](api_fixture& f) {
         auto now = f.post(things, thing("a")).json;
         now["spec"]["size"] = 9;
         now["status"] = {{"ready", true}};
         auto told = f.put(things + "/a/status", now).json;
         CHECK(told["spec"]["size"] == 1);
         CHECK(told["status"]["ready"] == true);
         document steps = {{{"op", "replace"}, {"path", "/status/ready"}, {"value", false}},
                           {{"op", "replace"}, {"path", "/spec/size"}, {"value", 5}}};
         auto main = f.patch(things + "/a", steps, json_patch).json;
         CHECK(main["spec"]["size"] == 5);
         CHECK(main["status"]["ready"] == true);
         auto status = f.patch(things + "/a/status", steps, json_patch).json;
         CHECK(status["spec"]["size"] == 5);
         CHECK(status["status"]["ready"] == false);
       }},
      {"answers to writes are shown as the client asked",
       [](api_fixture& f) {
         auto table = f.call("POST", things, thing("a", 7).dump(), {.accept = as_table});
         CHECK(table.code == 201);
         CHECK(table.json["rows"][0]["cells"] == document({"a", 7}));
         auto next = f.get(things + "/a").json;
         next["spec"]["size"] = 8;
         auto partial = f.call("PUT", things + "/a", next.dump(), {.accept = as_partial});
         CHECK(partial.json["kind"] == "PartialObjectMetadata");
         CHECK(partial.json["metadata"]["generation"] == 2);
         CHECK_FALSE(partial.json.contains("spec"));
         auto refused = f.call("POST", things, thing("a").dump(), {.accept = as_table});
         CHECK(refused.json["kind"] == "Status");
       }},
      {"media types that nobody speaks are 415 and 406",
       [](api_fixture& f) {
         CHECK(f.call("PUT", maps + "/a", "x", {.content_type = "text/plain"}).code == 415);
         CHECK(f.call("PATCH", maps + "/a", "{}", {.content_type = "text/plain"}).code == 415);
         CHECK(f.call("POST", maps, "{}", {.content_type = json_patch}).code == 415);
         CHECK(f.get(maps, "text/html").code == 406);
         CHECK(f.get(maps, "application/json;as=Chart;v=v1;g=meta.k8s.io").code == 406);
         CHECK(f.get(maps, "application/vnd.kubernetes.protobuf,*/*;q=0.1").code == 200);
         CHECK(f.patch(things + "/a", thing("a"), "application/strategic-merge-patch+json").code == 415);
       }},
  });
}
