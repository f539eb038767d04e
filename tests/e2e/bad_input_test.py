"""Mistakes of users: each gets a clear error and changes nothing."""

from harness import (CLUSTERS, E2eTest, Hub, condition, config_map, eventually, holds, main, manifest_work, objects,
                     program, works)


class BadInput(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.spoke, = cls.world.joined_spokes(cls.hub, "c1")

    def create(self, text, *flags):
        return self.world.whctl("create", "work", "w", "-f", "-", "--clusters", "c1", *flags, hub=self.hub, stdin=text,
                                check=False)

    def test_1_malformed_yaml_is_refused_with_document_and_line(self):
        good = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\n---\n"
        self.assert_refused(self.create(good + "kind: [\n"), "standard input, document 2 (line 5)")
        self.assert_refused(self.create(good + "kind: Secret\nmetadata: {name: b}\n"), "apiVersion is missing")
        self.assert_refused(self.create(good + good), "is there twice")
        self.assert_refused(self.create(""), "has no objects")
        missing = self.world.whctl("create", "work", "w", "-f", "/nowhere.yaml", "--clusters", "c1", hub=self.hub, check=False)
        self.assert_refused(missing, "/nowhere.yaml", "No such file")
        self.assertEqual(self.hub.api.items(works("c1")), [])

    def test_2_an_oversized_work_is_refused_and_says_the_limit(self):
        big = [config_map(f"big{i}", "x" * 60000) for i in range(10)]
        message = self.assert_api_error((400, 413, 422), self.hub.api.create, works("c1"), manifest_work("big", big))
        self.assertRegex(message, r"(?i)(500|512000|limit|large|exceed)")
        self.hub.api.create(works("c1"), manifest_work("fits", big[:7]))
        message = self.assert_api_error((400, 413, 422), self.hub.api.merge, works("c1", "fits"),
                                        {"spec": {"workload": {"manifests": big}}})
        self.hub.api.delete(works("c1", "fits"))

    def test_3_works_that_break_the_rules_are_refused(self):
        for manifests in ([], [{"kind": "ConfigMap"}], [config_map("a", "1"), config_map("a", "2")],
                          [{"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "x-"}}]):
            self.assert_api_error((400, 422), self.hub.api.create, works("c1"), manifest_work("bad", manifests))
        self.assert_api_error((404,), self.hub.api.create, works("nowhere"), manifest_work("w", [config_map("a", "1")]))
        self.assert_api_error((400, 422), self.hub.api.create, works("c1"), manifest_work("Not_A_Name", [config_map("a", "1")]))
        self.assertIn("no accepted cluster", self.world.whctl(
            "create", "work", "w", "-f", "-", "--clusters", "c9", hub=self.hub, check=False,
            stdin="apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n").stderr)

    def test_4_an_unknown_kind_fails_alone_and_says_so(self):
        strange = {"apiVersion": "x.example.org/v1", "kind": "Strange", "metadata": {"name": "s", "namespace": "default"}}
        self.hub.api.create(works("c1"), manifest_work("mixed", [strange, config_map("fine", "1")]))

        def failed():
            work = self.hub.api.get(works("c1", "mixed"))
            return work if condition(work, "Applied").get("status") == "False" else None

        work = eventually("the failure is reported", failed)
        manifests = work["status"]["resourceStatus"]["manifests"]
        applied = {m["resourceMeta"]["kind"]: next(c for c in m["conditions"] if c["type"] == "Applied") for m in manifests}
        self.assertEqual(applied["ConfigMap"]["status"], "True")
        self.assertEqual(applied["Strange"]["status"], "False")
        self.assertIn("Strange", applied["Strange"]["message"])
        self.assertIsNotNone(self.spoke.api.find(objects("default", "configmaps", "fine")))

    def test_5_a_missing_namespace_heals_when_it_appears(self):
        self.hub.api.create(works("c1"), manifest_work("early", [config_map("early", "1", "later")]))
        eventually("the failure is reported",
                   lambda: condition(self.hub.api.get(works("c1", "early")), "Applied").get("status") == "False")
        self.spoke.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "later"}})
        eventually("the work is applied", lambda: holds(self.hub.api.get(works("c1", "early")), "Applied"), 20)

    def test_6_requests_that_make_no_sense_get_a_status(self):
        api = self.hub.api
        for method, path, body, codes in (
                ("POST", works("c1"), b"{not json", (400,)),
                ("POST", works("c1"), b"[]", (400, 422)),
                ("POST", works("c1"), b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}', (400, 422)),
                ("GET", "/apis/nowhere.example.org/v1/things", None, (404,)),
                ("GET", works("c1") + "?limit=many", None, (400,)),
                ("GET", works("c1") + "?labelSelector=a%20b%20c", None, (400,)),
                ("PUT", f"{CLUSTERS}/nobody", b'{"apiVersion":"cluster.open-cluster-management.io/v1","kind":'
                                              b'"ManagedCluster","metadata":{"name":"nobody"}}', (404, 409)),
                ("DELETE", CLUSTERS + "/nobody", None, (404,)),
                ("PATCH", f"{CLUSTERS}/c1", b"[]", (400, 415, 422))):
            status, answer = api.raw(method, path, body)
            self.assertIn(status, codes, f"{method} {path}: {answer}")
            self.assertEqual(answer["kind"], "Status", path)
            self.assertTrue(answer["message"], path)
        status, _ = api.raw("POST", works("c1"), b"x" * (4 << 20))
        self.assertIn(status, (400, 413))

    def test_7_a_stale_update_is_a_conflict(self):
        api = self.hub.api
        created = api.create(objects("default", "configmaps"), config_map("race", "1"))
        api.replace(objects("default", "configmaps", "race"), {**created, "data": {"value": "2"}})
        message = self.assert_api_error((409,), api.replace, objects("default", "configmaps", "race"), created)
        self.assertIn("modified", message)

    def test_8_whctl_names_what_it_cannot_reach(self):
        text = open(self.hub.kubeconfig, encoding="utf-8").read()
        address = self.hub.addresses["api"]
        wrong = self.world.write("wrong.kubeconfig", text.replace(address, "127.0.0.1:1"))
        done = self.world.run([program("whctl"), "--kubeconfig", wrong, "get", "clusters"], check=False)
        self.assert_refused(done, "127.0.0.1:1", "is the hub running")
        done = self.world.run([program("whctl"), "get", "clusters"], check=False, KUBECONFIG="")
        self.assert_refused(done, "no kubeconfig")


if __name__ == "__main__":
    main()
