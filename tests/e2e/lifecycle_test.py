"""One life: join, accept, work, drift, update, deletion, restart, stop."""

import os
import time

from harness import (APPLIED_WORKS, CLUSTERS, CSRS, EXAMPLE, TIME_FACTOR, E2eTest, Hub, Spoke, condition, config_map,
                     eventually, holds, main, manifest_work, objects, works)


class Lifecycle(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.spokes = [Spoke(cls.world, name, cls.hub.join_command(name)) for name in ("c1", "c2")]
        cls.c1 = cls.spokes[0]

    def up(self, cluster, name, seconds=15.0):
        def probe():
            work = self.hub.api.get(works(cluster, name))
            return work if holds(work, "Applied") and holds(work, "Available") else None

        return eventually(f"work {name} of {cluster} is applied and available", probe, seconds)

    def test_01_a_spoke_that_asked_can_do_nothing_before_it_is_accepted(self):
        for name in ("c1", "c2"):
            cluster = eventually(f"{name} asks", lambda n=name: self.hub.api.find(f"{CLUSTERS}/{n}"))
            self.assertFalse(cluster["spec"].get("hubAcceptsClient", False))
            self.assertIsNone(self.hub.api.find(f"/api/v1/namespaces/{name}"))
        requests = eventually("both have sent a CSR",
                              lambda: len(r := self.hub.api.items(CSRS)) == 2 and r)
        for request in requests:
            self.assertEqual(request["spec"]["signerName"], "kubernetes.io/kube-apiserver-client")
            self.assertFalse(request.get("status", {}).get("certificate"))
        table = self.world.whctl("get", "clusters", hub=self.hub).stdout
        self.assertRegex(table, r"(?m)^c1 +False +")

    def test_02_accept_lets_them_in_with_namespace_and_conditions(self):
        out = self.world.whctl("accept", "c1", "c2", "--wait", f"{int(30 * TIME_FACTOR)}s", hub=self.hub).stdout
        self.assertIn("c1: approved ", out)
        self.assertIn("joined and available", out)
        for name in ("c1", "c2"):
            cluster = self.hub.api.get(f"{CLUSTERS}/{name}")
            for kind in ("HubAcceptedManagedCluster", "ManagedClusterJoined", "ManagedClusterConditionAvailable"):
                self.assertEqual(condition(cluster, kind).get("status"), "True", kind)
            self.assertTrue(cluster["status"]["version"]["kubernetes"].startswith("v1."))
            self.assertIsNotNone(self.hub.api.find(f"/api/v1/namespaces/{name}"))
        again = self.world.whctl("accept", "c1", hub=self.hub).stdout
        self.assertEqual(again, "c1: already accepted\n")

    def test_03_a_work_reaches_both_clusters(self):
        out = self.world.whctl("create", "work", "shop", "-f", EXAMPLE, "--clusters", "c1,c2", "--wait",
                               f"{int(20 * TIME_FACTOR)}s", hub=self.hub).stdout
        self.assertIn("c1/shop: created; applied and available", out)
        for spoke in self.spokes:
            api = spoke.api
            self.assertEqual(api.get(objects("web-shop", "configmaps", "shop-config"))["data"]["currency"], "EUR")
            self.assertIn("password", api.get(objects("web-shop", "secrets", "shop-database"))["data"])
            deployment = api.get(objects("web-shop", "deployments", "storefront", "apps/v1"))
            self.assertEqual(deployment["spec"]["replicas"], 3)
            promotion = api.get(objects("web-shop", "promotions", "autumn-sale", "shop.example.org/v1"))
            self.assertEqual(promotion["spec"]["discountPercent"], 20)
            owner = promotion["metadata"]["ownerReferences"][0]
            self.assertEqual(owner["kind"], "AppliedManifestWork")
            applied = api.items(APPLIED_WORKS)
            self.assertEqual([a["spec"]["manifestWorkName"] for a in applied], ["shop"])
            self.assertEqual(len(applied[0]["status"]["appliedResources"]), 7)
        work = self.hub.api.get(works("c1", "shop"))
        manifests = work["status"]["resourceStatus"]["manifests"]
        self.assertEqual([m["resourceMeta"]["ordinal"] for m in manifests], list(range(7)))
        self.assertEqual(manifests[3]["resourceMeta"]["resource"], "deployments")
        refused = self.world.whctl("create", "work", "shop", "-f", EXAMPLE, "--clusters", "c1", hub=self.hub, check=False)
        self.assert_refused(refused, "exists already", "--update")
        self.assertRegex(self.world.whctl("get", "works", "-n", "c2", hub=self.hub).stdout, r"c2 +shop +True +True +7 ")

    def test_04_drift_is_repaired_within_a_second(self):
        api = self.c1.api
        path = objects("web-shop", "configmaps", "shop-config")
        for change in (lambda: api.merge(path, {"data": {"currency": "XXX"}}), lambda: api.delete(path)):
            for _ in range(3):
                before = api.get(path)["metadata"]["resourceVersion"]
                change()
                start = time.monotonic()
                eventually("the ConfigMap is as it should be", lambda: api.find(path) and
                           api.get(path)["data"].get("currency") == "EUR" and
                           api.get(path)["metadata"]["resourceVersion"] != before, 5)
                self.assertLess(time.monotonic() - start, 1.0 * TIME_FACTOR)

    def test_05_an_update_arrives_and_what_was_dropped_goes(self):
        with open(EXAMPLE, encoding="utf-8") as file:
            documents = file.read().split("\n---\n")
        changed = [d.replace("currency: EUR", "currency: CHF") for d in documents if "kind: Service" not in d]
        path = self.world.write("shop2.yaml", "\n---\n".join(changed))
        out = self.world.whctl("create", "work", "shop", "-f", path, "--update", "--clusters", "c1,c2", "--wait",
                               f"{int(20 * TIME_FACTOR)}s", hub=self.hub).stdout
        self.assertIn("c1/shop: updated; applied and available", out)
        for spoke in self.spokes:
            api = spoke.api
            self.assertEqual(api.get(objects("web-shop", "configmaps", "shop-config"))["data"]["currency"], "CHF")
            eventually("the Service is gone", lambda a=api: not a.find(objects("web-shop", "services", "storefront")))
        again = self.world.whctl("create", "work", "shop", "-f", path, "--update", "--clusters", "c1", hub=self.hub).stdout
        self.assertEqual(again, "c1/shop: unchanged\n")

    def test_06_create_only_leaves_what_is_there_alone(self):
        identifier = {"group": "", "resource": "configmaps", "name": "once", "namespace": "default"}
        self.hub.api.create(works("c1"), manifest_work(
            "once", [config_map("once", "first")],
            manifestConfigs=[{"resourceIdentifier": identifier, "updateStrategy": {"type": "CreateOnly"}}]))
        self.up("c1", "once")
        api = self.c1.api
        api.merge(objects("default", "configmaps", "once"), {"data": {"value": "mine"}})
        self.hub.api.merge(works("c1", "once"), {"metadata": {"labels": {"touched": "yes"}},
                                                 "spec": {"workload": {"manifests": [config_map("once", "second")]}}})
        self.up("c1", "once")
        self.assertEqual(api.get(objects("default", "configmaps", "once"))["data"]["value"], "mine")

    def test_07_deleting_a_work_removes_its_objects_or_orphans_them(self):
        self.hub.api.create(works("c1"), manifest_work("kept", [config_map("kept", "1")],
                                                       deleteOption={"propagationPolicy": "Orphan"}))
        self.up("c1", "kept")
        for name in ("kept", "shop"):
            self.world.whctl("delete", "work", name, "--all-clusters", "--wait", "--timeout",
                             f"{int(30 * TIME_FACTOR)}s", hub=self.hub)
        api = self.c1.api
        kept = api.get(objects("default", "configmaps", "kept"))
        self.assertFalse(kept["metadata"].get("ownerReferences"))
        for spoke in self.spokes:
            eventually("the shop is gone", lambda s=spoke: not s.api.find("/api/v1/namespaces/web-shop"))
            names = [a["spec"]["manifestWorkName"] for a in spoke.api.items(APPLIED_WORKS)]
            self.assertNotIn("shop", names)
        self.assertIsNone(self.hub.api.find(works("c1", "shop")))

    def test_08_a_spoke_restarts_with_its_folder_alone_and_keeps_its_certificate(self):
        requests = len(self.hub.api.items(CSRS))
        code, seconds = self.c1.process.terminate()
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5 * TIME_FACTOR)
        self.c1.start()
        self.hub.api.create(works("c1"), manifest_work("after", [config_map("after", "1")]))
        self.up("c1", "after")
        self.assertEqual(len(self.hub.api.items(CSRS)), requests)

    def test_09_health_version_and_metrics_are_served(self):
        for path in ("/healthz", "/livez", "/readyz"):
            self.assertEqual(self.hub.api.raw("GET", path), (200, "ok"))
        self.assertIn("v1.", self.hub.api.get("/version")["gitVersion"])
        status, text = self.hub.api.raw("GET", "/metrics")
        self.assertEqual(status, 200)
        self.assertIn("# TYPE ", text)
        self.assertIn("Server: v1.", self.world.whctl("version", hub=self.hub).stdout)

    def test_10_sigterm_ends_the_hub_in_order_and_nothing_is_lost(self):
        code, seconds = self.hub.process.terminate()
        self.assertEqual(code, 0)
        self.assertLess(seconds, 5 * TIME_FACTOR)
        self.assertEqual(os.stat(self.hub.kubeconfig).st_mode & 0o777, 0o600)
        self.hub.start()
        self.assertIsNotNone(self.hub.api.find(works("c1", "after")))
        self.hub.api.merge(works("c1", "after"), {"spec": {"workload": {"manifests": [config_map("after", "2")]}}})
        self.up("c1", "after", 20)
        self.assertEqual(self.c1.api.get(objects("default", "configmaps", "after"))["data"]["value"], "2")


if __name__ == "__main__":
    main()
