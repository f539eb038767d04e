"""Bad days of the API: patch storms, namespaces and kinds that go while they are used, watches over restarts."""

import http.client
import json
import threading
import time

from harness import Api, ApiError, E2eTest, Hub, TIME_FACTOR, config_map, eventually, main, objects

NAMESPACES = "/api/v1/namespaces"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def crd(plural, kind):
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.days.example"},
            "spec": {"group": "days.example", "scope": "Namespaced", "names": {"plural": plural, "kind": kind},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {
                         "type": "object", "x-kubernetes-preserve-unknown-fields": True}}}]}}


class Watch(threading.Thread):
    """One watch, line by line, until the server ends it."""

    def __init__(self, hub, path, version, seconds=60):
        super().__init__(daemon=True)
        api = Api.from_kubeconfig(hub.kubeconfig)
        self.connection = http.client.HTTPSConnection(api.host, api.port, context=api.context, timeout=90 * TIME_FACTOR)
        self.connection.request("GET", f"{path}?watch=1&resourceVersion={version}&timeoutSeconds={seconds}")
        self.answer = self.connection.getresponse()
        self.events = []
        self.ended = None
        self.start()

    def run(self):
        try:
            while line := self.answer.readline():
                self.events.append(json.loads(line))
            self.ended = "in good order"
        except (OSError, http.client.HTTPException, ValueError) as e:
            self.ended = e

    def said(self):
        return [(e["type"], e["object"]["metadata"]["name"]) for e in self.events]

    def versions(self):
        return [int(e["object"]["metadata"]["resourceVersion"]) for e in self.events]


def together(count, use):
    """Runs use(number, api) in as many threads; the exceptions that ended any of them."""
    failures = []

    def run(number):
        try:
            use(number)
        except Exception as e:  # pylint: disable=broad-except
            failures.append(e)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120 * TIME_FACTOR)
        assert not thread.is_alive(), "a request was never answered"
    return failures


class BadDays(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)

    def another_api(self):
        return Api.from_kubeconfig(self.hub.kubeconfig)

    def version(self, path):
        return self.hub.api.get(path + "?limit=1")["metadata"]["resourceVersion"]

    def test_1_of_a_storm_of_patches_each_is_applied_or_a_conflict(self):
        path = objects("default", "configmaps", "stormy")
        self.hub.api.create(objects("default", "configmaps"), config_map("stormy", "0"))
        watch = Watch(self.hub, objects("default", "configmaps"), self.version(objects("default", "configmaps")))
        kinds = ("application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json",
                 "application/apply-patch+yaml")
        applied, refused = set(), []

        def patch(number):
            api = self.another_api()
            for i in range(40):
                kind, key = kinds[(number + i) % 4], f"k-{number}-{i}"
                query = f"?fieldManager=m-{number}-{i}" if kind.startswith("application/apply") else ""
                body = {"data": {key: "1"}}
                if kind == kinds[1]:
                    body = [{"op": "add", "path": f"/data/{key}", "value": "1"}]
                elif query:
                    body |= {"apiVersion": "v1", "kind": "ConfigMap"}
                status, answer = api.raw("PATCH", path + query, body, content_type=kind, timeout=60)
                if status == 200:
                    self.assertIn(key, answer["data"])
                    applied.add(key)
                else:
                    self.assertEqual((status, answer["reason"]), (409, "Conflict"), answer)
                    refused.append(key)

        self.assertEqual(together(8, patch), [])
        self.assertEqual(len(applied) + len(refused), 320)
        self.assertGreater(len(applied), 32, "nearly all were refused")
        data = self.hub.api.get(path)["data"]
        self.assertEqual(set(data) - {"value"}, applied, "a patch was lost, or applied although it was refused")
        eventually("every patch is an event", lambda: len(watch.events) >= len(applied))
        self.assertEqual(len(watch.events), len(applied))
        self.assertEqual(watch.versions(), sorted(set(watch.versions())))
        before = {"value"}
        for event in watch.events:  # one patch each, one after the other
            self.assertEqual(len(set(event["object"]["data"]) - before), 1)
            before = set(event["object"]["data"])

    def test_2_a_namespace_goes_while_objects_are_made_in_it(self):
        path = f"{NAMESPACES}/doomed"
        maps = objects("doomed", "configmaps")
        self.hub.api.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "doomed"}})
        watch = Watch(self.hub, maps, self.version(maps))
        stopping = threading.Event()
        made, codes = [0] * 6, set()

        def make(number):
            api = self.another_api()
            while not stopping.is_set():
                status, answer = api.raw("POST", maps, config_map(f"m-{number}-{made[number]}", "x", "doomed"))
                if status == 201:
                    made[number] += 1
                else:
                    codes.add((status, answer["reason"]))
                    self.assertIn(status, (403, 404), answer)
                    time.sleep(0.01)

        makers = threading.Thread(target=lambda: failures.extend(together(6, make)))
        failures = []
        makers.start()
        eventually("objects are made", lambda: sum(made) > 100, 30)
        self.hub.api.delete(path)
        eventually("the namespace goes, with all that is in it", lambda: self.hub.api.find(path) is None, 60)
        stopping.set()
        makers.join(60)
        self.assertEqual(failures, [])
        self.assertTrue(codes & {(403, "Forbidden"), (404, "NotFound")}, codes)
        self.assertEqual(self.hub.api.items(maps), [])
        self.assertEqual([m for m in self.hub.api.items("/api/v1/configmaps") if m["metadata"]["namespace"] == "doomed"], [])

        eventually("each that came is seen to go",
                   lambda: [k for k, _ in watch.said()].count("ADDED") == [k for k, _ in watch.said()].count("DELETED"))
        self.assertGreaterEqual(len(watch.said()), 2 * sum(made))
        self.hub.api.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "doomed"}})
        self.hub.api.create(maps, config_map("anew", "x", "doomed"))

    def test_3_a_kind_goes_while_its_objects_are_watched_and_made(self):
        things = objects("default", "things", group_version="days.example/v1")
        for life in range(3):
            self.hub.api.create(CRDS, crd("things", "Thing"))
            eventually("the kind is served", lambda: self.hub.api.raw("GET", things)[0] == 200)
            watches = [Watch(self.hub, things, self.version(things)) for _ in range(10)]
            stopping, made = threading.Event(), []

            def make(number):
                api = self.another_api()
                while not stopping.is_set():
                    name = f"t-{number}-{len(made)}"
                    status, answer = api.raw("POST", things, {"apiVersion": "days.example/v1", "kind": "Thing",
                                                              "metadata": {"name": name, "namespace": "default"}})
                    self.assertIn(status, (201, 403, 404, 405, 409), answer)
                    if status == 201:
                        made.append(name)
                    else:
                        self.assertEqual(answer["kind"] if isinstance(answer, dict) else "Status", "Status")
                        time.sleep(0.01)

            failures = []
            makers = threading.Thread(target=lambda: failures.extend(together(4, make)))
            makers.start()
            eventually("objects are made", lambda: len(made) > 40, 30)
            self.hub.api.delete(f"{CRDS}/things.days.example")
            eventually("the kind goes", lambda: self.hub.api.find(f"{CRDS}/things.days.example") is None, 60)
            stopping.set()
            makers.join(60)
            self.assertEqual(failures, [], f"life {life}")
            self.assertEqual(self.hub.api.raw("GET", things)[0], 404)
            for watch in watches:
                eventually("each watcher sees every object go, or its watch end", lambda w=watch: w.ended or
                           [k for k, _ in w.said()].count("DELETED") >= len(made))
                self.assertEqual(watch.versions(), sorted(watch.versions()))
                self.assertEqual([e for e in watch.events if e["type"] not in ("ADDED", "DELETED", "MODIFIED")], [])
        self.assertTrue(self.hub.process.running())

    def test_4_a_watch_goes_on_after_a_restart_with_nothing_changed(self):
        """From the very last version, which is all that a client that was up to date has."""
        maps = objects("default", "configmaps")
        for end in (self.hub.kill, self.stop):
            self.hub.api.create(maps, config_map(f"last-{end.__name__}", "1"))
            version = self.version(maps)
            end()
            self.hub.start()
            watch = Watch(self.hub, maps, version)
            self.assertEqual(watch.answer.status, 200)
            self.hub.api.merge(f"{maps}/last-{end.__name__}", {"data": {"value": "2"}})
            self.hub.api.delete(f"{maps}/last-{end.__name__}")
            eventually("the watch goes on", lambda w=watch: len(w.events) >= 2)
            name = f"last-{end.__name__}"
            self.assertEqual(watch.said(), [("MODIFIED", name), ("DELETED", name)], watch.events)
            self.assertGreater(watch.versions()[0], int(version))

    def stop(self):
        code, _ = self.hub.process.terminate()
        self.assertEqual(code, 0)
        self.hub.api.close()

    def test_5_a_watch_over_a_restart_misses_nothing_and_repeats_nothing(self):
        maps = objects("default", "configmaps")
        self.hub.api.create(maps, config_map("counted", "0"))
        version, seen, number = int(self.version(maps)), [], 0
        for _ in range(5):
            watch = Watch(self.hub, maps, version)
            for _ in range(10):
                number += 1
                self.hub.api.merge(f"{maps}/counted", {"data": {"value": str(number)}})
            if number % 20 == 0:
                eventually("some have come", lambda w=watch: w.events)
            self.hub.kill()
            eventually("the watch notices", lambda w=watch: w.ended is not None)
            seen += [e["object"]["data"]["value"] for e in watch.events]
            version = max([version, *watch.versions()])
            self.hub.start()
        last = Watch(self.hub, maps, version)
        eventually("the rest comes", lambda: len(seen) + len(last.events) >= number)
        seen += [e["object"]["data"]["value"] for e in last.events]
        self.assertEqual(seen, [str(n) for n in range(1, number + 1)])

    def test_6_from_a_version_that_is_not_there_yet_a_watch_waits_or_is_told_so(self):
        maps = objects("default", "configmaps")
        status, answer = self.hub.api.raw("GET", f"{maps}?watch=1&timeoutSeconds=1&resourceVersion={int(self.version(maps)) + 10**6}")
        if status != 200:
            self.assertEqual(answer["kind"], "Status")
            self.assertRaises(ApiError, self.hub.api.get, f"{maps}?resourceVersion={int(self.version(maps)) + 10**6}")


if __name__ == "__main__":
    main()
