"""Watches of the official Python client: resume, 410, an informer as users build it, writers and watchers at once."""

import threading

from harness import Hub, eventually, main, objects
from python_client import ApiException, PythonClientTest, client, config_map, connect, on_both

from kubernetes import dynamic, watch
from urllib3.exceptions import HTTPError


def told(event):
    return event["type"], event["object"].metadata.name


class Informer(threading.Thread):
    """Keeps a copy of a namespace's ConfigMaps: lists, watches on from there, and lists again only after 410."""

    def __init__(self, at, namespace):
        super().__init__(daemon=True)
        self.core = client.CoreV1Api(connect(at))
        self.namespace = namespace
        self.store, self.version, self.lists, self.resumes = {}, None, 0, 0
        self.stopped = False

    def run(self):
        while not self.stopped:
            try:
                if self.version is None:
                    self.list()
                self.follow()
            except ApiException as e:
                if e.status == 410:
                    self.version = None
            except HTTPError:  # the server has gone; it may come back
                self.resumes += 1

    def list(self):
        answer = self.core.list_namespaced_config_map(self.namespace)
        self.store = {item.metadata.name: item for item in answer.items}
        self.version = answer.metadata.resource_version
        self.lists += 1

    def follow(self):
        for event in watch.Watch().stream(self.core.list_namespaced_config_map, self.namespace,
                                          resource_version=self.version, timeout_seconds=2):
            item = event["object"]
            if event["type"] == "DELETED":
                self.store.pop(item.metadata.name)
            else:
                assert (event["type"] == "ADDED") == (item.metadata.name not in self.store), event
                self.store[item.metadata.name] = item
            self.version = item.metadata.resource_version

    def data(self):
        return {name: item.data for name, item in dict(self.store).items()}


class Writer(threading.Thread):
    """Changes, deletes and makes a few ConfigMaps anew, by optimistic locking; remembers each version that it made."""

    def __init__(self, at, namespace, number):
        super().__init__(daemon=True)
        self.core = client.CoreV1Api(connect(at))
        self.namespace, self.number = namespace, number
        self.made, self.deleted, self.wrong = [], 0, []

    def run(self):
        for turn in range(40):
            try:
                self.step(f"m{(turn + self.number) % 3}", turn)
            except ApiException as e:
                if e.status not in (404, 409):  # another writer was quicker
                    self.wrong.append(e)

    def step(self, name, turn):
        if turn % 10 == 9:
            self.core.delete_namespaced_config_map(name, self.namespace)
            self.deleted += 1
            return
        data = {"by": str(self.number), "turn": str(turn)}
        try:
            found = self.core.read_namespaced_config_map(name, self.namespace)
        except ApiException:
            made = self.core.create_namespaced_config_map(self.namespace, config_map(name, **data))
        else:
            found.data = data
            made = self.core.replace_namespaced_config_map(name, self.namespace, found)
        self.made.append(made.metadata.resource_version)


class Watcher(threading.Thread):
    """Collects (type, name, version) from one version on, until an object named `end` comes."""

    def __init__(self, at, namespace, version):
        super().__init__(daemon=True)
        self.core = client.CoreV1Api(connect(at))
        self.namespace, self.version = namespace, version
        self.events = []

    def run(self):
        for event in watch.Watch().stream(self.core.list_namespaced_config_map, self.namespace,
                                          resource_version=self.version, timeout_seconds=120):
            self.events.append((*told(event), event["object"].metadata.resource_version))
            if event["object"].metadata.name == "end":
                return


class PythonWatch(PythonClientTest):
    @on_both
    def test_a_watch_resumes_at_a_version(self, api, ns):
        core = client.CoreV1Api(api)
        core.create_namespaced_config_map(ns, config_map("a"))
        version = core.list_namespaced_config_map(ns).metadata.resource_version
        core.create_namespaced_config_map(ns, config_map("b"))
        core.patch_namespaced_config_map("a", ns, {"data": {"k": "v"}})
        core.delete_namespaced_config_map("b", ns)
        stream = watch.Watch().stream
        wanted = [("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
        seen = list(stream(core.list_namespaced_config_map, ns, resource_version=version, timeout_seconds=1))
        self.assertEqual([told(e) for e in seen], wanted)
        middle = seen[0]["object"].metadata.resource_version
        rest = stream(core.list_namespaced_config_map, ns, resource_version=middle, timeout_seconds=1)
        self.assertEqual([told(e) for e in rest], wanted[1:])
        fresh = stream(core.list_namespaced_config_map, ns, timeout_seconds=1)
        self.assertEqual([told(e) for e in fresh], [("ADDED", "a")])
        chosen = stream(core.list_namespaced_config_map, ns, resource_version=version, timeout_seconds=1,
                        field_selector="metadata.name=a")
        self.assertEqual([told(e) for e in chosen], [("MODIFIED", "a")])

    @on_both
    def test_a_watch_without_an_end_waits_for_more(self, api, ns):
        core, watcher = client.CoreV1Api(api), watch.Watch()
        later = threading.Timer(0.5, lambda: core.create_namespaced_config_map(ns, config_map("later")))
        core.create_namespaced_config_map(ns, config_map("first"))
        later.start()
        seen = []
        for event in watcher.stream(core.list_namespaced_config_map, ns):
            seen.append(told(event))
            if len(seen) == 2:
                watcher.stop()
        self.assertEqual(seen, [("ADDED", "first"), ("ADDED", "later")])

    @on_both
    def test_the_dynamic_client_watches(self, api, ns):
        maps = dynamic.DynamicClient(api).resources.get(api_version="v1", kind="ConfigMap")
        client.CoreV1Api(api).create_namespaced_config_map(ns, config_map("a", k="v"))
        seen = [(e["type"], e["object"].data.k) for e in maps.watch(namespace=ns, timeout=1)]
        self.assertEqual(seen, [("ADDED", "v")])

    def test_an_informer_sees_over_a_restart_without_a_new_list(self):
        core = client.CoreV1Api(self.clients["hub"])
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name="informed")))
        core.create_namespaced_config_map("informed", config_map("a", n="0"))
        informer = Informer(self.hub, "informed")
        informer.start()
        eventually("the list", lambda: informer.data() == {"a": {"n": "0"}})
        core.patch_namespaced_config_map("a", "informed", {"data": {"n": "1"}})
        eventually("a change", lambda: informer.data() == {"a": {"n": "1"}})
        self.hub.kill()
        self.hub.start()
        self.hub.api.create("/api/v1/namespaces/informed/configmaps",
                            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}})
        self.hub.api.delete("/api/v1/namespaces/informed/configmaps/a")
        eventually("changes after the restart", lambda: informer.data() == {"b": None})
        informer.stopped = True
        self.assertEqual(informer.lists, 1)
        self.assertGreater(informer.resumes, 0)

    def test_what_is_forgotten_is_410_and_a_list_begins_anew(self):
        small = Hub(self.world, "small", "--history-changes", "1000")
        core = client.CoreV1Api(connect(small))
        for i in range(4):
            core.create_namespaced_config_map("default", config_map(f"m{i}"))
        first = core.list_namespaced_config_map("default", limit=2)
        old = first.metadata.resource_version
        changes, wide = iter(range(10**6)), "x" * 20000

        def change():
            small.api.merge(objects("default", "configmaps", "m0"), {"data": {"n": str(next(changes)) + wide}})

        def expired():
            for _ in range(200):  # beyond what the server still keeps in memory
                change()
            try:
                list(watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version=old,
                                          timeout_seconds=1))
            except ApiException as e:
                return e.status == 410 and "Expired" in e.reason
            return False

        for _ in range(1100):
            change()
        eventually("the old version is forgotten", expired, seconds=90)
        status = self.assert_status(410, "Expired", core.list_namespaced_config_map, "default", limit=2,
                                    _continue=first.metadata._continue)
        rest = core.list_namespaced_config_map("default", _continue=status["metadata"]["continue"])
        self.assertEqual([i.metadata.name for i in rest.items], ["m2", "m3"])
        informer = Informer(small, "default")
        informer.version = old
        informer.start()
        eventually("the informer lists", lambda: set(informer.data()) == {"m0", "m1", "m2", "m3"})
        informer.stopped = True
        self.assertEqual(informer.lists, 1)

    def test_writers_and_watchers_see_one_order(self):
        for at, api in ((self.hub, self.clients["hub"]), (self.spoke, self.clients["cluster"])):
            with self.subTest(at.kubeconfig):
                self.one_order(at, client.CoreV1Api(api))

    def one_order(self, at, core):
        ns = "order"
        core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=ns)))

        def version():
            return core.list_namespaced_config_map(ns).metadata.resource_version

        watchers = [Watcher(at, ns, version())]
        writers = [Writer(at, ns, i) for i in range(4)]
        for thread in watchers + writers:
            thread.start()
        while any(w.is_alive() for w in writers):  # the others begin amid the writes
            if len(watchers) < 6:
                watchers.append(Watcher(at, ns, version()))
                watchers[-1].start()
            writers[0].join(0.05)
        core.create_namespaced_config_map(ns, config_map("end"))
        for watcher in watchers:
            watcher.join(60)
            self.assertFalse(watcher.is_alive(), "a watcher did not come to the end")
        self.assertEqual([w.wrong for w in writers], [[]] * len(writers))
        whole = watchers[0].events
        versions = [int(v) for _, _, v in whole]
        self.assertEqual(versions, sorted(set(versions)))
        for watcher in watchers:
            self.assertEqual(watcher.events, [e for e in whole if int(e[2]) > int(watcher.version)])
        told_versions = {v for kind, name, v in whole if kind != "DELETED" and name != "end"}
        self.assertEqual(told_versions, {v for w in writers for v in w.made})
        self.assertEqual(sum(kind == "DELETED" for kind, _, _ in whole), sum(w.deleted for w in writers))
        exists = set()
        for kind, name, _ in whole:  # each object is added, changed and deleted in turn
            self.assertEqual(kind == "ADDED", name not in exists, whole)
            exists = exists - {name} if kind == "DELETED" else exists | {name}


if __name__ == "__main__":
    main()
