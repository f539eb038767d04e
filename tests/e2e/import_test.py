"""A hub takes over what another hub has: dry run, import, again, differences; then a cluster moves."""

import base64
import json
import os
import re
import stat

from harness import (APPLIED_WORKS, CLUSTERS, TIME_FACTOR, E2eTest, Hub, Spoke, config_map, eventually, holds, main,
                     manifest_work, objects, works)

CLUSTER_API = "cluster.open-cluster-management.io"
SETS = f"/apis/{CLUSTER_API}/v1beta2/managedclustersets"
REPLICA_SET_LABEL = "work.open-cluster-management.io/manifestworkreplicaset"


def bindings(ns):
    return f"/apis/{CLUSTER_API}/v1beta2/namespaces/{ns}/managedclustersetbindings"


def placements(ns):
    return f"/apis/{CLUSTER_API}/v1beta1/namespaces/{ns}/placements"


def replica_sets(ns):
    return f"/apis/work.open-cluster-management.io/v1alpha1/namespaces/{ns}/manifestworkreplicasets"


def cluster(name, accepted=True, **metadata):
    return {"apiVersion": f"{CLUSTER_API}/v1", "kind": "ManagedCluster", "metadata": {"name": name, **metadata},
            "spec": {"hubAcceptsClient": accepted}}


def kubeconfig_parts(text):
    return {key: re.search(rf'{key}: *"?([^\s"]+)"?', text).group(1)
            for key in ("server", "certificate-authority-data", "client-certificate-data", "client-key-data")}


class Importing(E2eTest):
    @classmethod
    def prepare(cls):
        cls.old = Hub(cls.world, "old")
        cls.new = Hub(cls.world, "new")
        api = cls.old.api
        api.create(SETS, {"apiVersion": f"{CLUSTER_API}/v1beta2", "kind": "ManagedClusterSet", "metadata": {"name": "blue"},
                          "spec": {"clusterSelector": {"selectorType": "ExclusiveClusterSetLabel"}}})
        cls.spoke, = cls.world.joined_spokes(cls.old, "c1")
        api.merge(f"{CLUSTERS}/c1", {"metadata": {"labels": {f"{CLUSTER_API}/clusterset": "blue"}},
                                     "spec": {"taints": [{"key": "mine", "effect": "NoSelect"}]}})
        api.create(CLUSTERS, cluster("c2", labels={"vendor": "kind"}))
        api.create(CLUSTERS, cluster("c3", accepted=False))
        for name in ("c1", "c2"):
            eventually("a namespace", lambda name=name: api.find(f"/api/v1/namespaces/{name}"))
        api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "apps"}})
        api.create(bindings("apps"), {"apiVersion": f"{CLUSTER_API}/v1beta2", "kind": "ManagedClusterSetBinding",
                                      "metadata": {"name": "blue"}, "spec": {"clusterSet": "blue"}})
        api.create(placements("apps"), {"apiVersion": f"{CLUSTER_API}/v1beta1", "kind": "Placement",
                                        "metadata": {"name": "all"}, "spec": {"clusterSets": ["blue"]}})
        workload = {"workload": {"manifests": [config_map("from-set", "1")]}}
        api.create(replica_sets("apps"), {"apiVersion": "work.open-cluster-management.io/v1alpha1",
                                          "kind": "ManifestWorkReplicaSet", "metadata": {"name": "web"},
                                          "spec": {"manifestWorkTemplate": workload, "placementRefs": [{"name": "all"}]}})
        api.create(works("c1"), manifest_work("greeting", [config_map("greeting", "hello")]))
        api.create(works("c2"), manifest_work("greeting", [config_map("greeting", "hello")]))
        owned = manifest_work("web", [config_map("from-set", "1")])
        owned["metadata"]["labels"] = {REPLICA_SET_LABEL: "apps.web"}
        api.create(works("c1"), owned)
        eventually("the work is applied", lambda: holds(api.get(works("c1", "greeting")), "Available"))

    def importing(self, *arguments, source=None, hub=None):
        return self.world.whctl("import", "--from-kubeconfig", source or self.old.kubeconfig, *arguments,
                                hub=hub or self.new, check=False)

    def rows(self, *arguments, **options):
        """{(kind, namespace, name): (action, reason)} and the exit code."""
        done = self.importing("-o", "json", *arguments, **options)
        report = json.loads(done.stdout)
        return {(row["kind"], row.get("namespace", ""), row["name"]): (row["action"], row.get("reason", ""))
                for row in report["items"]}, done.returncode

    def test_1_a_dry_run_changes_nothing(self):
        before = self.new.api.get(CLUSTERS)["metadata"]["resourceVersion"]
        rows, code = self.rows()
        self.assertEqual(code, 0, rows)
        self.assertEqual(rows["ManagedCluster", "", "c1"][0], "create")
        self.assertEqual(rows["ManagedClusterSet", "", "blue"][0], "create")
        self.assertEqual(rows["Namespace", "", "apps"][0], "create")
        self.assertEqual(rows["ManagedClusterSetBinding", "apps", "blue"][0], "create")
        self.assertEqual(rows["Placement", "apps", "all"][0], "create")
        self.assertEqual(rows["ManifestWorkReplicaSet", "apps", "web"][0], "create")
        self.assertEqual(rows["ManifestWork", "c1", "greeting"][0], "create")
        self.assertEqual(rows["ManifestWork", "c1", "web"], ("leave out", "ManifestWorkReplicaSet apps.web makes it again"))
        self.assertEqual(self.new.api.get(CLUSTERS)["metadata"]["resourceVersion"], before)
        self.assertEqual(self.new.api.items(CLUSTERS), [])
        people = self.importing()
        self.assertIn("This was a dry run: nothing was changed.", people.stdout)
        self.assertIn("ManagedCluster: 3 create\n", people.stdout)

    def test_2_the_import_and_once_more(self):
        rows, code = self.rows("--apply")
        self.assertEqual(code, 0, rows)
        self.assertEqual(rows["ManifestWork", "c2", "greeting"][0], "created")
        taken = self.new.api.get(f"{CLUSTERS}/c1")
        self.assertEqual(taken["metadata"]["labels"], {f"{CLUSTER_API}/clusterset": "blue"})
        self.assertEqual([(t["key"], t["effect"]) for t in taken["spec"]["taints"] if t["key"] == "mine"],
                         [("mine", "NoSelect")])
        self.assertTrue(taken["spec"]["hubAcceptsClient"])
        # The key that speaks for the cluster at the source says nothing here.
        self.assertNotIn("registration.wheelhouse.io/public-key-sha256", taken["metadata"].get("annotations", {}))
        self.assertFalse(self.new.api.get(f"{CLUSTERS}/c3")["spec"]["hubAcceptsClient"])
        work = self.new.api.get(works("c1", "greeting"))
        self.assertNotIn("status", work)
        self.assertNotEqual(work["metadata"]["uid"], self.old.api.get(works("c1", "greeting"))["metadata"]["uid"])
        self.assertIsNone(self.new.api.find(works("c1", "web")))
        rows, code = self.rows("--apply")
        self.assertEqual(code, 0, rows)
        self.assertEqual({action for action, _ in rows.values()}, {"same", "left out"})

    def test_3_what_differs_is_kept_unless_asked(self):
        self.new.api.merge(works("c2", "greeting"), {"spec": {"deleteOption": {"propagationPolicy": "Orphan"}}})
        self.old.api.merge(f"{CLUSTERS}/c2", {"spec": {"leaseDurationSeconds": 30, "hubAcceptsClient": False}})
        rows, code = self.rows("--apply")
        self.assertEqual(code, 0)
        self.assertEqual(rows["ManifestWork", "c2", "greeting"], ("differs", "spec.deleteOption"))
        self.assertEqual(rows["ManagedCluster", "", "c2"], ("differs", "spec.leaseDurationSeconds"))
        rows, code = self.rows("--overwrite")
        self.assertEqual(rows["ManifestWork", "c2", "greeting"], ("overwrite", "spec.deleteOption"))
        self.assertIn("deleteOption", self.new.api.get(works("c2", "greeting"))["spec"])
        self.rows("--apply", "--overwrite")
        self.assertNotIn("deleteOption", self.new.api.get(works("c2", "greeting"))["spec"])
        changed = self.new.api.get(f"{CLUSTERS}/c2")["spec"]
        self.assertEqual(changed["leaseDurationSeconds"], 30)
        self.assertTrue(changed["hubAcceptsClient"], "who is accepted here is not the source's to say")
        rows, _ = self.rows()
        self.assertEqual(rows["ManagedCluster", "", "c2"], ("same", "accepted here, not at the source"))

    def test_4_some_of_it(self):
        rows, code = self.rows("--only", "clusters,works", "--clusters", "c2")
        self.assertEqual((set(rows), code), ({("ManagedCluster", "", "c2"), ("ManifestWorkReplicaSet", "apps", "web"),
                                              ("ManifestWork", "c2", "greeting")}, 0))
        rows, code = self.rows("--only", "clusters", "--clusters", "c9")
        self.assertEqual((rows, code), ({("ManagedCluster", "", "c9"): ("cannot", "the source has no cluster of this name")}, 1))
        self.assert_refused(self.importing("--only", "addons"), "--only: must be one of clusters,", code=2)

    def test_5_what_cannot_be_taken_is_named(self):
        third = Hub(self.world, "third", "--manifest-limit", "1")
        self.old.api.create(works("c1"), manifest_work("large", [config_map("large", "x" * 2000)]))
        rows, code = self.rows("--only", "works", hub=third)
        self.assertEqual(code, 1)
        self.assertIn("it comes when cluster c1 is here and accepted", rows["ManifestWork", "c1", "greeting"][1])
        rows, code = self.rows("--apply", hub=third)
        self.assertEqual(code, 1)
        self.assertEqual(rows["ManifestWork", "c1", "greeting"][0], "created")
        self.assertEqual(rows["ManifestWork", "c1", "large"][0], "failed")
        self.assertIn("limit", rows["ManifestWork", "c1", "large"][1])
        self.old.api.delete(works("c1", "large"))
        self.assert_refused(self.importing(source=self.new.kubeconfig), "leads to this hub itself")
        third.process.kill()

    def test_6_kubeconfigs_of_many_kinds(self):
        with open(self.old.kubeconfig, encoding="utf-8") as file:
            parts = kubeconfig_parts(file.read())
        folder = self.world.path("kube")
        os.mkdir(folder)
        for name, key in (("ca.crt", "certificate-authority-data"), ("tls.crt", "client-certificate-data"),
                          ("tls.key", "client-key-data")):
            self.world.write(f"kube/{name}", base64.b64decode(parts[key]).decode())
        self.world.kubectl("create", "serviceaccount", "importer", at=self.old)
        self.world.kubectl("create", "clusterrolebinding", "importer", "--clusterrole=cluster-admin",
                           "--serviceaccount=default:importer", at=self.old)
        token = self.world.token_request("importer", at=self.old).stdout.strip()
        self.world.write("kube/token", token + "\n")
        credential = {"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1",
                      "status": {"token": token}}
        plugin = self.world.write("kube/login", f"#!/bin/sh\necho '{json.dumps(credential)}'\n")
        os.chmod(plugin, stat.S_IRWXU)
        exec_entry = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login", "interactiveMode": "Never"}
        config = {"current-context": "files", "clusters": [
            {"name": "files", "cluster": {"server": parts["server"], "certificate-authority": "ca.crt"}},
            {"name": "system", "cluster": {"server": parts["server"]}},
            {"name": "skip", "cluster": {"server": parts["server"], "insecure-skip-tls-verify": True}},
            {"name": "proxy", "cluster": {"server": parts["server"], "proxy-url": "http://p:1"}},
            {"name": "path", "cluster": {"server": parts["server"] + "/k8s/clusters/c-1", "certificate-authority": "ca.crt"}}],
            "users": [{"name": "files", "user": {"client-certificate": "tls.crt", "client-key": "tls.key"}},
                      {"name": "token", "user": {"tokenFile": "token"}}, {"name": "exec", "user": {"exec": exec_entry}}],
            "contexts": [{"name": name, "context": {"cluster": cluster_name, "user": user}} for name, cluster_name, user in (
                ("files", "files", "files"), ("token", "files", "token"), ("exec", "files", "exec"),
                ("system", "system", "token"), ("skip", "skip", "token"), ("proxy", "proxy", "token"),
                ("path", "path", "token"))]}
        path = self.world.write("kube/config", json.dumps(config))
        for context in ("files", "token", "exec"):
            done = self.importing("--context", context, "--only", "sets", source=path)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("ManagedClusterSet: 1 same", done.stdout)
        for context, part in (("skip", "insecure-skip-tls-verify is not supported"), ("proxy", "proxy-url is not supported"),
                              ("nope", "there are: files, token"), ("system", "cannot reach the server"),
                              ("path", "the source serves none of the kinds")):
            self.assert_refused(self.importing("--context", context, "--only", "sets", source=path), part)
        trusting = self.world.run([os.path.join(os.environ.get("WHEELHOUSE_BIN_DIR", "build/release/bin"), "whctl"),
                                   "--kubeconfig", self.new.kubeconfig, "import", "--from-kubeconfig", path, "--context",
                                   "system", "--only", "sets"], SSL_CERT_FILE=os.path.join(folder, "ca.crt"))
        self.assertIn("ManagedClusterSet: 1 same", trusting.stdout)

    def test_7_the_cluster_moves_and_keeps_what_it_has(self):
        """A new spoke beside the old folder's cluster is another cluster here; what matters is that the imported
        ManagedCluster is no obstacle: it has no key, so the first agent that is let in speaks for it."""
        moved = Spoke(self.world, "c1", self.new.join_command("c1"), folder=self.world.path("c1-moved"))
        done = self.world.whctl("accept", "c1", "--wait", f"{int(30 * TIME_FACTOR)}s", hub=self.new)
        self.assertIn("joined and available", done.stdout)
        eventually("the imported work arrives", lambda: holds(self.new.api.get(works("c1", "greeting")), "Available"))
        self.assertEqual(moved.api.get(objects("default", "configmaps", "greeting"))["data"]["value"], "hello")
        self.assertEqual(len(moved.api.items(APPLIED_WORKS)), 1)
        # The old hub's cluster is untouched by all of this.
        self.assertEqual(self.spoke.api.get(objects("default", "configmaps", "greeting"))["data"]["value"], "hello")


if __name__ == "__main__":
    main()
