"""Server-side apply with kubectl, on the hub, on a cluster and through ManifestWorks."""

import json
import os

from harness import TIME_FACTOR, E2eTest, Hub, condition, config_map, eventually, main, manifest_work

SHOP = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop", "labels": {"team": "a"}},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "shop"}},
        "template": {
            "metadata": {"labels": {"app": "shop"}},
            "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]}}}}

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}}


def shop(**changes):
    """The Deployment with other fields of spec; None leaves one out."""
    out = json.loads(json.dumps(SHOP))
    for field, value in changes.items():
        if value is None:
            del out["spec"][field]
        else:
            out["spec"][field] = value
    return out


def with_sidecar(container):
    out = json.loads(json.dumps(SHOP))
    del out["spec"]["replicas"], out["metadata"]["labels"]
    out["spec"]["template"]["spec"]["containers"] = [container]
    return out


class ServerSideApply(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.spoke = cls.world.joined_spokes(cls.hub, "c1")[0]

    def on(self, node, *arguments, **options):
        return self.world.kubectl(*arguments, at=node, **options)

    def apply(self, node, document, *arguments, **options):
        return self.on(node, "apply", "--server-side", *arguments, "-f", "-", stdin=json.dumps(document), **options)

    def get(self, node, *arguments):
        shown = ["--show-managed-fields"] if self.world.kubectl_minor() >= 21 else []  # before, they always are
        return json.loads(self.on(node, "get", *arguments, "-o", "json", *shown).stdout)

    def owners(self, document):
        return {(e["manager"], e["operation"]): e["fieldsV1"] for e in document["metadata"].get("managedFields", [])}

    def test_1_apply_conflict_and_force(self):
        self.assertIn("shop serverside-applied", self.apply(self.spoke, shop()).stdout)
        before = self.get(self.spoke, "deployment", "shop")
        self.apply(self.spoke, shop())
        self.assertEqual(self.get(self.spoke, "deployment", "shop"), before, "the same again is no write")
        refused = self.apply(self.spoke, shop(replicas=3), "--field-manager=other", check=False)
        self.assertIn('Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas', refused.stderr)
        self.apply(self.spoke, shop(replicas=3), "--field-manager=other", "--force-conflicts")
        after = self.get(self.spoke, "deployment", "shop")
        self.assertEqual(after["spec"]["replicas"], 3)
        self.assertNotIn("f:replicas", self.owners(after)[("kubectl", "Apply")]["f:spec"])
        self.assertIn("f:replicas", self.owners(after)[("other", "Apply")]["f:spec"])

    def test_2_fields_that_are_left_out_go(self):
        self.apply(self.spoke, shop(replicas=None))
        self.assertEqual(self.get(self.spoke, "deployment", "shop")["spec"]["replicas"], 3)
        self.apply(self.spoke, shop(replicas=None), "--field-manager=other")
        self.assertEqual(self.get(self.spoke, "deployment", "shop")["spec"]["replicas"], 1, "back to the default")
        unlabelled = shop(replicas=None)
        del unlabelled["metadata"]["labels"]
        self.apply(self.spoke, unlabelled, "--field-manager=other")
        self.assertEqual(self.get(self.spoke, "deployment", "shop")["metadata"]["labels"], {"team": "a"})
        self.apply(self.spoke, unlabelled)
        self.assertNotIn("labels", self.get(self.spoke, "deployment", "shop")["metadata"])

    def test_3_items_of_lists_have_owners(self):
        def containers():
            document = self.get(self.spoke, "deployment", "shop")
            return {c["name"]: c["image"] for c in document["spec"]["template"]["spec"]["containers"]}

        self.apply(self.spoke, with_sidecar({"name": "proxy", "image": "proxy:1"}), "--field-manager=mesh")
        self.assertEqual(containers(), {"web": "web:1", "proxy": "proxy:1"})
        refused = self.apply(self.spoke, with_sidecar({"name": "web", "image": "web:2"}), "--field-manager=x",
                             check=False)
        self.assertIn('.spec.template.spec.containers[name="web"].image', refused.stderr)
        self.apply(self.spoke, with_sidecar({"name": "tracer", "image": "tracer:1"}), "--field-manager=mesh")
        self.assertEqual(containers(), {"web": "web:1", "tracer": "tracer:1"})

    def test_4_other_commands_own_what_they_change(self):
        self.on(self.spoke, "set", "image", "deployment/shop", "web=web:9")
        self.on(self.spoke, "label", "deployment", "shop", "by=hand")
        os.environ["KUBE_EDITOR"] = "sed -i s/revisionHistoryLimit:.*/revisionHistoryLimit:\\ 5/"
        self.on(self.spoke, "edit", "deployment", "shop")
        owners = self.owners(self.get(self.spoke, "deployment", "shop"))
        self.assertEqual(owners[("kubectl-label", "Update")], {"f:metadata": {"f:labels": {".": {}, "f:by": {}}}})
        self.assertEqual(owners[("kubectl-edit", "Update")], {"f:spec": {"f:revisionHistoryLimit": {}}})
        refused = self.apply(self.spoke, shop(replicas=None), check=False)
        self.assertIn('conflict with "kubectl-set" using apps/v1: .spec.template.spec.containers[name="web"].image',
                      refused.stderr)
        self.apply(self.spoke, shop(replicas=None), "--force-conflicts")
        after = self.get(self.spoke, "deployment", "shop")
        self.assertEqual(after["metadata"]["labels"], {"by": "hand", "team": "a"})
        self.assertEqual(after["spec"]["revisionHistoryLimit"], 5)

    def test_5_from_the_client_side_to_the_servers(self):
        text = json.dumps(CONFIG)
        self.on(self.hub, "apply", "-f", "-", stdin=text)
        self.assertIn(("kubectl-client-side-apply", "Update"), self.owners(self.get(self.hub, "cm", "c")))
        self.apply(self.hub, {**CONFIG, "data": {"b": "3"}})
        after = self.get(self.hub, "cm", "c")
        if self.world.kubectl_minor() >= 26:  # it hands over what it had applied from its own side
            self.assertEqual(after["data"], {"b": "3"}, "what kubectl applied before and leaves out goes")
        self.assertEqual(after["data"]["b"], "3")
        self.assertEqual(self.owners(after)[("kubectl", "Apply")], {"f:data": {"f:b": {}}})
        self.assertIn('"b":"3"', after["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"])
        self.on(self.hub, "apply", "-f", "-", stdin=text)
        self.assertEqual(self.get(self.hub, "cm", "c")["data"], {"a": "1", "b": "2"})

    def test_6_looking_does_not_change(self):
        if self.world.kubectl_minor() >= 21:
            self.assertNotIn("managedFields", self.on(self.hub, "get", "cm", "c", "-o", "yaml").stdout)
        self.assertIn("c ", self.on(self.hub, "get", "cm").stdout)
        before = self.get(self.hub, "cm", "c")
        dry = self.apply(self.hub, {**CONFIG, "data": {"a": "9"}}, "--dry-run=server", "--force-conflicts")
        self.assertIn("(server dry run)", dry.stdout)
        diff = self.on(self.hub, "diff", "--server-side", "--force-conflicts", "-f", "-",
                       stdin=json.dumps({**CONFIG, "data": {"a": "9"}}), check=False)
        self.assertIn('+  a: "9"', diff.stdout)
        self.assertEqual(self.get(self.hub, "cm", "c"), before)
        self.assertIn("FieldsV1", self.on(self.hub, "explain", "cm.metadata.managedFields").stdout)
        wrong = self.apply(self.hub, {**CONFIG, "bogus": 1}, check=False)
        # Before 1.25 it is kubectl that refuses.
        self.assertRegex(wrong.stderr, r"\.bogus: field not declared in schema|unknown field \"bogus\"")

    def test_7_a_work_applies_from_the_servers_side(self):
        def work(value, **options):
            manifest = config_map("shared", value)
            strategy = {"type": "ServerSideApply", "serverSideApply": options}
            rule = {"group": "", "resource": "configmaps", "namespace": "default", "name": "shared"}
            return manifest_work("shared", [manifest],
                                 manifestConfigs=[{"resourceIdentifier": rule, "updateStrategy": strategy}])

        def applied():
            return condition(self.get(self.hub, "manifestwork", "shared", "-n", "c1"), "Applied").get("status")

        self.apply(self.hub, work("1"), "-n", "c1")
        self.on(self.hub, "wait", "-n", "c1", "--for=condition=Applied", f"--timeout={int(20 * TIME_FACTOR)}s",
                "manifestwork/shared")
        made = self.get(self.spoke, "cm", "shared")
        self.assertEqual(made["metadata"]["ownerReferences"][0]["kind"], "AppliedManifestWork")
        self.assertEqual(self.owners(made)[("work-agent", "Apply")], {"f:data": {"f:value": {}}})
        # Somebody on the cluster adds a field: it stays. He takes one: the work says so.
        self.on(self.spoke, "patch", "cm", "shared", "--type=merge", "-p", '{"data":{"own":"x"}}')
        self.apply(self.hub, work("2"), "-n", "c1")
        eventually("the change arrives", lambda: self.get(self.spoke, "cm", "shared")["data"]["value"] == "2")
        self.assertEqual(self.get(self.spoke, "cm", "shared")["data"]["own"], "x")
        self.on(self.spoke, "patch", "cm", "shared", "--type=merge", "-p", '{"data":{"value":"mine"}}')
        eventually("the conflict is told", lambda: applied() == "False")
        self.assertIn('conflict with "kubectl-patch" using v1: .data.value',
                      json.dumps(self.get(self.hub, "manifestwork", "shared", "-n", "c1")["status"]).replace('\\"', '"'))
        self.assertEqual(self.get(self.spoke, "cm", "shared")["data"]["value"], "mine")
        self.apply(self.hub, work("3", force=True), "-n", "c1")
        eventually("force wins", lambda: self.get(self.spoke, "cm", "shared")["data"]["value"] == "3")
        eventually("and is told", lambda: applied() == "True")
        self.on(self.hub, "delete", "manifestwork", "shared", "-n", "c1", f"--timeout={int(20 * TIME_FACTOR)}s")
        self.assertIn("NotFound", self.on(self.spoke, "get", "cm", "shared", check=False).stderr)


if __name__ == "__main__":
    main()
