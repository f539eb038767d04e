"""kubectl as its users use it: files, editors, watches, kustomizations, cascades, deployments."""

import json
import os
import re
import threading

from harness import Process, eventually, main
from kubectl_user import TIMEOUT, Kubectl, KubectlTest, manifest, on_both


class KubectlUser(KubectlTest):
    @on_both
    def test_patch_edit_and_diff(self, k):
        k("create", "-f", "-", stdin=manifest("ConfigMap", "a", data={"k": "v", "gone": "soon"}))
        k("patch", "cm", "a", "-p", '{"data":{"k":"1"}}')
        k("patch", "cm", "a", "--type=merge", "-p", '{"data":{"gone":null}}')
        k("patch", "cm", "a", "--type=json", "-p", '[{"op":"test","path":"/data/k","value":"1"},'
                                                  '{"op":"add","path":"/data/j","value":"2"}]')
        self.assertEqual(json.loads(k("get", "cm", "a", "-o", "jsonpath={.data}")), {"k": "1", "j": "2"})
        k("patch", "cm", "a", "--type=json", "-p", '[{"op":"test","path":"/data/k","value":"9"}]', fails=True)
        self.assertIn("edited", k("edit", "cm", "a", KUBE_EDITOR="sed -i s/j:/edited:/"))
        self.assertEqual(k("get", "cm", "a", "-o", "jsonpath={.data.edited}"), "2")
        self.assertIn("cancelled", k("edit", "cm", "a", KUBE_EDITOR="true"))
        spoilt = k("edit", "cm", "a", KUBE_EDITOR="sed -i s/k:/k=:/", fails=True)
        self.assertRegex(spoilt, "(?i)invalid|a valid config key")
        self.assertIn("Name:         a", k("describe", "cm", "a"))
        wanted = manifest("ConfigMap", "b", data={"k": "1"})
        k("apply", "-f", "-", stdin=wanted)
        self.assertIn("unchanged", k("apply", "-f", "-", stdin=wanted))
        changed = wanted.replace('"1"', '"2"')
        self.assertRegex(k("diff", "-f", "-", stdin=changed, fails=True), r'\+ +k: "2"')
        self.assertEqual(k("get", "cm", "b", "-o", "jsonpath={.data.k}"), "1")
        self.assertIn("configured", k("apply", "-f", "-", stdin=changed))
        self.assertEqual(k("diff", "-f", "-", stdin=changed), "")
        self.assertIn("replaced", k("replace", "-f", "-", stdin=wanted))
        self.assertIn("replaced", k("replace", "--force", "-f", "-", stdin=changed))

    @on_both
    def test_labels_annotations_and_selectors(self, k):
        for name in "abc":
            k("create", "configmap", name)
        k("label", "cm", "a", "b", "tier=front")
        self.assertIn("already has a value", k("label", "cm", "a", "tier=back", fails=True))
        k("label", "cm", "-l", "tier=front", "chosen=yes")
        self.assertEqual(k("get", "cm", "-l", "chosen", "-o", "name").split(), ["configmap/a", "configmap/b"])
        self.assertEqual(k("get", "cm", "-l", "tier notin (front)", "-o", "name").count("configmap/c"), 1)
        k("label", "cm", "b", "chosen-")
        k("annotate", "cm", "a", "note=1")
        k("annotate", "--overwrite", "cm", "a", "note=2")
        self.assertEqual(k("get", "cm", "a", "-o", "jsonpath={.metadata.annotations.note}"), "2")
        self.assertRegex(k("get", "cm", "-L", "tier"), r"(?m)^a +0 +\S+ +front$")
        self.assertRegex(k("get", "cm", "--show-labels"), r"chosen=yes,tier=front")
        k("delete", "cm", "-l", "tier=front")
        self.assertNotIn("configmap/a", k("get", "cm", "-o", "name"))

    @on_both
    def test_chunks_and_sorted_output(self, k):
        objects = [json.loads(manifest("ConfigMap", f"m{i}", data={"n": str(9 - i)})) for i in range(5)]
        k("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        self.assertEqual(re.findall(r"(?m)^m\d", k("get", "cm", "--chunk-size=2")), [f"m{i}" for i in range(5)])
        said = k("get", "--raw", f"/api/v1/namespaces/{k.namespace}/configmaps?limit=2&labelSelector=none")
        self.assertEqual(json.loads(said)["items"], [])
        order = k("get", "cm", "--sort-by=.data.n", "--no-headers", "-o", "custom-columns=N:.metadata.name")
        self.assertEqual([n for n in order.split() if n.startswith("m")], [f"m{i}" for i in (4, 3, 2, 1, 0)])

    @on_both
    def test_watch_and_wait(self, k):
        k("create", "configmap", "first")
        config = ("--kubeconfig", k.at.kubeconfig, "-n", k.namespace)
        watcher = Process(self.world, f"watch of {id(k)}", ["kubectl", *config, "get", "cm", "-w", "-o", "name"])

        def seen():
            return [name for name in watcher.log().split() if name in ("configmap/first", "configmap/later")]

        eventually("it lists", lambda: seen() == ["configmap/first"])
        k("create", "configmap", "later")
        k("label", "configmap", "first", "x=y")
        eventually("it watches", lambda: seen() == ["configmap/first", "configmap/later", "configmap/first"])
        watcher.kill()
        late = k("wait", "--for=delete", "cm/first", "--timeout=1s", fails=True)
        self.assertIn("timed out", late)
        k("patch", "cm", "first", "--type=merge", "-p", '{"metadata":{"finalizers":["example.io/held"]}}')
        k("delete", "cm", "first", "--wait=false")
        let_go = ("patch", "cm", "first", "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        timer = threading.Timer(1, k, let_go)
        timer.start()
        k("wait", "--for=delete", "cm/first", TIMEOUT)
        timer.join()
        if self.minor >= 23:
            k("wait", "--for=jsonpath={.status.phase}=Active", f"namespace/{k.namespace}", TIMEOUT)

    @on_both
    def test_a_kustomization(self, k):
        folder = self.world.path("kustomization")
        os.makedirs(folder, exist_ok=True)
        self.world.write("kustomization/settings.yaml", manifest("ConfigMap", "settings", data={"a": "b"}))
        self.world.write("kustomization/kustomization.yaml", "namePrefix: shop-\ncommonLabels: {app: shop}\nresources: "
                         "[settings.yaml]\nsecretGenerator: [{name: key, literals: [k=v]}]\n")
        k("create", "-k", folder)
        self.assertEqual(k("get", "cm", "-l", "app=shop", "-o", "name").strip(), "configmap/shop-settings")
        self.assertRegex(k("get", "secret", "-l", "app=shop", "-o", "name"), r"^secret/shop-key-\w+\s$")
        k("apply", "-k", folder)
        k("delete", "-k", folder)
        self.assertNotIn("shop", k("get", "cm,secret", "-o", "name"))

    @on_both
    def test_cascades(self, k):
        for policy, left in (("foreground", []), ("background", []), ("orphan", ["configmap/child"])):
            k("create", "configmap", "owner")
            uid = k("get", "cm", "owner", "-o", "jsonpath={.metadata.uid}")
            child = json.loads(manifest("ConfigMap", "child"))
            child["metadata"]["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
                                                     "uid": uid, "blockOwnerDeletion": True}]
            k("create", "-f", "-", stdin=json.dumps(child))
            k("delete", "cm", "owner", f"--cascade={policy}", TIMEOUT)

            def remaining():
                return [n for n in k("get", "cm", "-o", "name").split() if n in ("configmap/owner", "configmap/child")]

            eventually(f"{policy} leaves {left}", lambda: remaining() == left)
            if policy == "foreground":
                self.assertEqual(remaining(), [])
        self.assertEqual(k("get", "cm", "child", "-o", "jsonpath={.metadata.ownerReferences}"), "")

    def test_a_deployment_in_the_cluster(self):
        k = Kubectl(self, self.spoke, "default")
        k("create", "deployment", "web", "--image=nginx:1", "--port=80")
        self.assertRegex(k("get", "deploy"), r"(?m)^web +0/1 ")
        k("set", "image", "deployment/web", "nginx=nginx:2")
        k("set", "env", "deployment/web", "A=b")
        container = json.loads(k("get", "deploy", "web", "-o", "json"))["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual((container["image"], container["env"]), ("nginx:2", [{"name": "A", "value": "b"}]))
        side = {"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "s"}]}}}}
        k("patch", "deployment", "web", "-p", json.dumps(side))
        images = k("get", "deploy", "web", "-o", "jsonpath={.spec.template.spec.containers[*].image}")
        self.assertEqual(sorted(images.split()), ["nginx:2", "s"])
        self.scale_deployment(k)
        self.assertIn("Replicas:", k("describe", "deployment", "web"))
        k("expose", "deployment", "web", "--port=80")
        self.assertRegex(k("get", "svc", "web"), r"ClusterIP .*80/TCP")
        self.assertIn("deployment.apps/web", k("get", "all", "-o", "name"))
        k("delete", "deployment/web", "service/web", "--cascade=foreground", TIMEOUT)

    def scale_deployment(self, k):
        self.assertIn("scaled", k("scale", "deployment", "web", "--replicas=3", "--current-replicas=1"))
        self.assertEqual(k("get", "deploy", "web", "-o", "jsonpath={.spec.replicas}"), "3")
        self.assertIn("replicas to be 1",
                      k("scale", "deployment", "web", "--replicas=2", "--current-replicas=1", fails=True))
        self.assertIn("scaled", k("scale", "--replicas=5", "deployment/web"))
        scale = json.loads(k("get", "--raw", "/apis/apps/v1/namespaces/default/deployments/web/scale"))
        self.assertEqual((scale["apiVersion"], scale["kind"], scale["spec"], scale["status"]["selector"]),
                         ("autoscaling/v1", "Scale", {"replicas": 5}, "app=web"))
        if self.minor >= 24:
            k("patch", "deployment", "web", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":2}}')
            self.assertRegex(k("get", "deployment", "web", "--subresource=scale"),
                             r"NAME +DESIRED +AVAILABLE +AGE *\nweb +2 +0 ")
        self.assertIn("greater than or equal to 0", k("patch", "deployment", "web", "-p", '{"spec":{"replicas":-1}}',
                                                      fails=True))

    def test_apply_leaves_the_containers_of_others(self):
        k = Kubectl(self, self.spoke, "default")

        def deployment(**images):
            containers = [{"name": name, "image": image, "resources": {"limits": {"cpu": "1"}},
                           "ports": [{"containerPort": 80}]} for name, image in images.items()]
            return manifest("Deployment", "two", "apps/v1", spec={
                "replicas": 0, "selector": {"matchLabels": {"app": "two"}},
                "template": {"metadata": {"labels": {"app": "two"}}, "spec": {"containers": containers}}})

        k("apply", "-f", "-", stdin=deployment(web="w:1", side="s:1"))
        self.assertIn("unchanged", k("apply", "-f", "-", stdin=deployment(web="w:1", side="s:1")))
        k("patch", "deployment", "two", "-p", json.dumps(
            {"spec": {"template": {"spec": {"containers": [{"name": "injected", "image": "i:1"}]}}}}))
        self.assertRegex(k("diff", "-f", "-", stdin=deployment(web="w:2"), fails=True), r"(?m)^\+ +(- )?image: w:2$")
        k("apply", "-f", "-", stdin=deployment(web="w:2"))
        images = k("get", "deployment", "two", "-o", "jsonpath={.spec.template.spec.containers[*].image}").split()
        self.assertEqual(sorted(images), ["i:1", "w:2"])
        number = deployment(web="w:2").replace('"cpu": "1"', '"cpu": 0.5')
        self.assertIn("configured", k("apply", "-f", "-", stdin=number))
        self.assertIn("edited", k("edit", "deployment", "two", KUBE_EDITOR="sed -i s/w:2/w:3/"))
        wrong = deployment(web="w:2").replace('"image"', '"imag"')
        self.assertIn("imag", k("apply", "-f", "-", stdin=wrong, fails=True))
        k("delete", "deployment", "two")

    @on_both
    def test_a_watched_table_has_one_head(self, k):
        k("create", "configmap", "first")
        config = ("--kubeconfig", k.at.kubeconfig, "-n", k.namespace)
        ours = "--field-selector=metadata.name!=kube-root-ca.crt"
        watcher = Process(self.world, f"table of {id(k)}", ["kubectl", *config, "get", "cm", "-w", ours])
        eventually("it lists", lambda: "first" in watcher.log())
        k("create", "configmap", "second", "--from-literal=a=b")
        k("label", "configmap", "first", "x=y")
        eventually("it watches", lambda: watcher.log().count("first") == 2 and "second" in watcher.log())
        self.assertRegex(watcher.log(), r"^NAME +DATA +AGE\nfirst +0 +\S+\nsecond +1 +\S+\nfirst +0 +\S+\n$")
        watcher.kill()

    @on_both
    def test_events(self, k):
        about = {"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "namespace": k.namespace}
        k("create", "-f", "-", stdin=manifest(
            "Event", "e1", involvedObject=about, reason="Made", message="it is made", type="Normal", count=2,
            source={"component": "a test"}, lastTimestamp="2026-01-01T00:00:00Z"))
        self.assertRegex(k("get", "events"), r"Normal +Made +configmap/a +it is made")
        self.assertIn("Made", k("get", "events", "--field-selector", "involvedObject.name=a,reason=Made"))
        self.assertIn("No resources", k("get", "events", "--field-selector", "involvedObject.name=b"))
        k("create", "configmap", "a")
        if self.minor >= 26:
            self.assertIn("it is made", k("events", "--for", "configmap/a"))

    @on_both
    def test_asking_about_the_server(self, k):
        if k.at is self.spoke:  # asks for Services, which a hub has none of
            self.assertRegex(k("cluster-info"), r"is running at .*https://127\.0\.0\.1:\d+")
        self.assertEqual(k("get", "--raw", "/healthz"), "ok")
        self.assertEqual(json.loads(k("get", "--raw", "/apis"))["kind"], "APIGroupList")
        kinds = k("api-resources", "--api-group=coordination.k8s.io", "--verbs=list,watch", "-o", "wide")
        self.assertRegex(kinds, r"leases +coordination\.k8s\.io/v1 +true +Lease")
        self.assertIn("coordination.k8s.io/v1", k("api-versions").split())
        self.assertIn("not found", k("get", "--raw", f"/api/v1/namespaces/{k.namespace}/configmaps/none", fails=True))
        self.assertIn("doesn't have a resource type", k("get", "nonsense", fails=True))


if __name__ == "__main__":
    main()
