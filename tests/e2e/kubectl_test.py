"""Everything with kubectl alone, of whatever version is installed."""

import json

from harness import TIME_FACTOR, E2eTest, Hub, Spoke, config_map, eventually, main, manifest_work


class Kubectl(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.spoke = Spoke(cls.world, "c1", cls.hub.join_command("c1"))

    def kubectl(self, *arguments, **options):
        return self.world.kubectl(*arguments, at=self.hub, **options).stdout

    def in_cluster(self, *arguments, **options):
        return self.world.kubectl(*arguments, at=self.spoke, **options).stdout

    def wait(self, *arguments):
        return self.kubectl("wait", f"--timeout={int(20 * TIME_FACTOR)}s", *arguments)

    def test_1_approve_and_accept_without_whctl(self):
        name = eventually("a CSR is there", lambda: self.kubectl("get", "csr", "-o", "name").strip())
        self.kubectl("certificate", "approve", name.removeprefix("certificatesigningrequest.certificates.k8s.io/"))
        self.kubectl("patch", "managedcluster", "c1", "--type=merge", "-p", '{"spec":{"hubAcceptsClient":true}}')
        self.wait("--for=condition=ManagedClusterJoined", "managedcluster/c1")
        self.wait("--for=condition=ManagedClusterConditionAvailable", "managedcluster/c1")
        table = self.kubectl("get", "managedclusters")
        self.assertIn("HUB ACCEPTED", table)
        self.assertRegex(table, r"(?m)^c1 +true ")

    def test_2_create_a_work_and_wait_for_it(self):
        text = json.dumps(manifest_work("web", [config_map("web", "1")]))
        self.assertIn("web created", self.kubectl("create", "-n", "c1", "-f", "-", stdin=text))
        self.wait("-n", "c1", "--for=condition=Applied", "manifestwork/web")
        self.wait("-n", "c1", "--for=condition=Available", "manifestwork/web")
        self.assertIn("web", self.kubectl("get", "manifestworks", "-A"))
        again = self.world.kubectl("create", "-n", "c1", "-f", "-", at=self.hub, stdin=text, check=False)
        self.assertIn("AlreadyExists", again.stderr)

    def test_3_the_cluster_itself_speaks_kubectl(self):
        self.assertIn("web", self.in_cluster("get", "configmap", "web"))
        self.assertIn("node/", self.in_cluster("get", "nodes", "-o", "name"))
        self.in_cluster("create", "namespace", "mine")
        self.in_cluster("create", "configmap", "own", "-n", "mine", "--from-literal=a=b")
        self.in_cluster("create", "secret", "generic", "s", "-n", "mine", "--from-literal=p=q")
        self.in_cluster("label", "configmap", "own", "-n", "mine", "tier=front")
        self.assertEqual(self.in_cluster("get", "configmap", "-n", "mine", "-l", "tier=front", "-o", "name").strip(),
                         "configmap/own")
        self.assertEqual(self.in_cluster("get", "cm", "own", "-n", "mine", "-o", "jsonpath={.data.a}"), "b")
        self.in_cluster("delete", "namespace", "mine", f"--timeout={int(20 * TIME_FACTOR)}s")
        self.assertNotIn("mine", self.in_cluster("get", "namespaces", "-o", "name"))

    def test_4_change_and_label_the_work(self):
        patch = json.dumps({"spec": {"workload": {"manifests": [config_map("web", "2")]}}})
        self.kubectl("patch", "manifestwork", "web", "-n", "c1", "--type=merge", "-p", patch)
        eventually("the change arrives",
                   lambda: self.in_cluster("get", "cm", "web", "-o", "jsonpath={.data.value}") == "2")
        self.kubectl("label", "manifestwork", "web", "-n", "c1", "team=shop")
        self.kubectl("annotate", "managedcluster", "c1", "note=hello")
        self.assertIn("web", self.kubectl("get", "manifestworks", "-n", "c1", "-l", "team=shop"))
        self.assertIn("note: hello", self.kubectl("get", "managedcluster", "c1", "-o", "yaml"))

    def test_5_apply_and_replace(self):
        text = json.dumps(manifest_work("applied", [config_map("applied", "1")]))
        self.kubectl("apply", "-n", "c1", "-f", "-", stdin=text)
        self.wait("-n", "c1", "--for=condition=Applied", "manifestwork/applied")
        changed = json.dumps(manifest_work("applied", [config_map("applied", "2")]))
        self.assertIn("configured", self.kubectl("apply", "-n", "c1", "-f", "-", stdin=changed))
        eventually("the change arrives",
                   lambda: self.in_cluster("get", "cm", "applied", "-o", "jsonpath={.data.value}") == "2")

    def test_6_delete_waits_until_the_cluster_is_clean(self):
        self.kubectl("delete", "manifestwork", "web", "-n", "c1", f"--timeout={int(20 * TIME_FACTOR)}s")
        gone = self.world.kubectl("get", "cm", "web", at=self.spoke, check=False)
        self.assertIn("NotFound", gone.stderr)
        self.assertNotIn("web", self.kubectl("get", "manifestworks", "-n", "c1", "-o", "name"))

    def test_6_explain_and_validation_before_anything_is_created(self):
        self.assertIn("leaseDurationSeconds", self.kubectl("explain", "managedcluster.spec"))
        self.assertIn("containers", self.in_cluster("explain", "deployment.spec.template.spec"))
        self.assertIn("Default Always", self.in_cluster("explain", "pod.spec.restartPolicy"))
        self.assertIn("Absent means the image's.", self.in_cluster("explain", "pod.spec.containers"))
        self.assertIn("in base64", self.kubectl("explain", "secret.data"))
        self.assertIn("Name of the user", self.kubectl("explain", "subjectaccessreview.spec"))
        if self.world.kubectl_minor() >= 27:  # older ones read OpenAPI v2 and name no types
            self.assertRegex(self.in_cluster("explain", "deployment.spec.template"), r"spec\s+<PodSpec>")
            self.assertRegex(self.in_cluster("explain", "pod.spec.containers.resources"),
                             r"limits\s+<map\[string\]Quantity>")
            self.assertRegex(self.in_cluster("explain", "service.spec.ports"), r"targetPort\s+<IntOrString>")
            self.assertRegex(self.in_cluster("explain", "--recursive", "statefulset"),
                             r"volumeClaimTemplates\s+<\[\]PersistentVolumeClaim>")
            self.assertRegex(self.kubectl("explain", "lease"), r"spec\s+<LeaseSpec>")
        wrong = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "typo"}, "dta": {"a": "b"}})
        refused = self.world.kubectl("create", "-f", "-", at=self.hub, stdin=wrong, check=False)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn('unknown field "dta"', refused.stderr)

    def test_7_objects_of_many_kinds_on_the_hub(self):
        self.kubectl("create", "configmap", "c", "--from-literal=a=b")
        self.kubectl("create", "role", "r", "--verb=get", "--resource=configmaps")
        self.kubectl("create", "rolebinding", "rb", "--role=r", "--user=jane")
        self.kubectl("delete", "configmap/c", "role/r", "rolebinding/rb")
        missing = self.world.kubectl("get", "configmap", "c", at=self.hub, check=False)
        self.assertIn("NotFound", missing.stderr)


if __name__ == "__main__":
    main()
