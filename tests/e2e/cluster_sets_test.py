"""Cluster sets with the real kubectl against the real hub: selectors, bindings, the kept sets, who may do what."""

import itertools
import json
import threading

from harness import CLUSTERS, Api, E2eTest, Hub, condition, eventually, main

GROUP = "/apis/cluster.open-cluster-management.io/v1beta2"
SETS = f"{GROUP}/managedclustersets"
SET_LABEL = "cluster.open-cluster-management.io/clusterset"
ALL_BY_LABEL = {"selectorType": "LabelSelector", "labelSelector": {}}


def bindings(namespace, name=""):
    path = f"{GROUP}/namespaces/{namespace}/managedclustersetbindings"
    return f"{path}/{name}" if name else path


def cluster_set(name, **spec):
    return {"apiVersion": "cluster.open-cluster-management.io/v1beta2", "kind": "ManagedClusterSet",
            "metadata": {"name": name}, "spec": spec}


def binding(name, cluster_set_name=None):
    return {"apiVersion": "cluster.open-cluster-management.io/v1beta2", "kind": "ManagedClusterSetBinding",
            "metadata": {"name": name}, "spec": {"clusterSet": cluster_set_name or name}}


def cluster(name, **labels):
    return {"apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster",
            "metadata": {"name": name, "labels": {key.replace("set_", SET_LABEL): value for key, value in labels.items()}},
            "spec": {"hubAcceptsClient": False}}


class ClusterSets(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        for namespace in ("team", "other"):
            cls.world.kubectl("create", "namespace", namespace, at=cls.hub)

    def kubectl(self, *arguments, **options):
        return self.world.kubectl(*arguments, at=self.hub, **options)

    def create(self, document, *arguments, **options):
        return self.kubectl("create", "-f", "-", *arguments, stdin=json.dumps(document), **options)

    def says_empty(self, name, status, reason, message):
        def probe():
            found = condition(self.hub.api.find(f"{SETS}/{name}") or {}, "ClusterSetEmpty")
            return (found.get("status"), found.get("reason"), found.get("message")) == (status, reason, message)

        eventually(f"set {name}: {message}", probe)

    def says_count(self, name, count):
        if count == 0:
            self.says_empty(name, "True", "NoClusterMatched", "No ManagedCluster selected")
        else:
            self.says_empty(name, "False", "ClustersSelected", f"{count} ManagedClusters selected")

    def says_bound(self, namespace, name, status, reason):
        def probe():
            found = condition(self.hub.api.get(bindings(namespace, name)), "Bound")
            return (found.get("status"), found.get("reason")) == (status, reason)

        eventually(f"binding {namespace}/{name}: {reason}", probe)

    def selector_of(self, name):
        found = self.hub.api.find(f"{SETS}/{name}")
        return found and found["spec"]["clusterSelector"]

    def listed(self, name):
        entries = self.hub.api.get(f"{CLUSTERS}/{name}").get("status", {}).get("managedNamespaces", [])
        return [(entry["clusterSet"], entry["name"]) for entry in entries]

    def test_1_every_hub_has_default_and_global(self):
        eventually("both sets are there", lambda: self.selector_of("default") and self.selector_of("global"))
        self.assertEqual(self.selector_of("default"), {"selectorType": "ExclusiveClusterSetLabel"})
        self.assertEqual(self.selector_of("global"), ALL_BY_LABEL)
        self.says_count("default", 0)
        self.assertRegex(self.kubectl("get", "mclsets").stdout, r"default +True ")

    def test_2_clusters_move_between_sets_by_their_label(self):
        self.create(cluster_set("dev"))
        self.create(cluster_set("prod"))
        self.says_count("dev", 0)
        self.create(cluster("a"))
        self.create(cluster("b", set_="dev"))
        self.assertEqual(self.hub.api.get(f"{CLUSTERS}/a")["metadata"]["labels"][SET_LABEL], "default")
        for name, count in (("default", 1), ("dev", 1), ("prod", 0), ("global", 2)):
            self.says_count(name, count)
        self.kubectl("label", "managedcluster", "a", "b", f"{SET_LABEL}=prod", "--overwrite")
        for name, count in (("default", 0), ("dev", 0), ("prod", 2), ("global", 2)):
            self.says_count(name, count)
        self.kubectl("label", "managedcluster", "a", f"{SET_LABEL}-")
        self.says_count("default", 1)
        self.says_count("prod", 1)

    def test_3_sets_by_labels(self):
        wanted = {"selectorType": "LabelSelector",
                  "labelSelector": {"matchExpressions": [{"key": "env", "operator": "In", "values": ["x", "y"]}]}}
        self.create(cluster_set("by-env", clusterSelector=wanted))
        self.says_count("by-env", 0)
        self.kubectl("label", "managedcluster", "a", "env=x")
        self.says_count("by-env", 1)
        self.kubectl("label", "managedcluster", "b", "env=y")
        self.says_count("by-env", 2)
        self.kubectl("patch", "mclset", "by-env", "--type=merge", "-p",
                     json.dumps({"spec": {"clusterSelector": {"labelSelector": None}}}))
        self.says_count("by-env", 0)  # an absent selector selects nothing
        wanted["labelSelector"]["matchExpressions"][0]["operator"] = "Near"
        refused = self.create(cluster_set("broken", clusterSelector=wanted), check=False)
        self.assert_refused(refused, '"Near" is not a valid label selector operator')

    def test_4_the_kept_sets_are_repaired(self):
        self.kubectl("delete", "mclset", "default", "global")
        eventually("they are back", lambda: self.selector_of("default") and self.selector_of("global"), 5)
        self.says_count("default", 1)
        edit = json.dumps({"metadata": {"labels": {"mine": "yes"}}, "spec": {"clusterSelector": {
            "selectorType": "LabelSelector", "labelSelector": {"matchLabels": {"env": "x"}}}}})
        for name in ("default", "global"):
            self.kubectl("patch", "mclset", name, "--type=merge", "-p", edit)
        eventually("the selector of default is rolled back",
                   lambda: self.selector_of("default") == {"selectorType": "ExclusiveClusterSetLabel"}, 5)
        eventually("and of global", lambda: self.selector_of("global") == ALL_BY_LABEL, 5)
        self.assertEqual(self.hub.api.get(f"{SETS}/global")["metadata"]["labels"], {"mine": "yes"})
        self.kubectl("annotate", "mclset", "global", "cluster.open-cluster-management.io/autoupdate=false")
        self.kubectl("patch", "mclset", "global", "--type=merge", "-p", edit)
        self.says_count("global", 1)
        self.kubectl("annotate", "mclset", "global", "cluster.open-cluster-management.io/autoupdate-")
        eventually("without the annotation it is repaired again", lambda: self.selector_of("global") == ALL_BY_LABEL, 5)
        self.says_count("global", 2)

    def test_5_bindings(self):
        self.create(binding("prod"), "-n", "team")
        self.says_bound("team", "prod", "True", "ClusterSetBound")
        self.create(binding("later"), "-n", "team")
        self.says_bound("team", "later", "False", "ClusterSetNotFound")
        self.create(cluster_set("later"))
        self.says_bound("team", "later", "True", "ClusterSetBound")
        self.kubectl("delete", "mclset", "later")
        self.says_bound("team", "later", "False", "ClusterSetNotFound")
        refused = self.create(binding("mine", "prod"), "-n", "team", check=False)
        self.assert_refused(refused, "must have the same name as the target ManagedClusterSet")

    def test_6_a_restricted_user(self):
        self.kubectl("create", "clusterrole", "clusters", "--verb=get,list,create,update,patch",
                     "--resource=managedclusters.cluster.open-cluster-management.io")
        self.kubectl("create", "clusterrolebinding", "jane", "--clusterrole=clusters", "--user=jane")
        self.kubectl("create", "clusterrole", "binders", "--verb=create",
                     "--resource=managedclustersetbindings.cluster.open-cluster-management.io")
        self.kubectl("create", "rolebinding", "jane", "-n", "other", "--clusterrole=binders", "--user=jane")
        jane = "--as=jane"
        refused = self.create(cluster("j"), jane, check=False)
        self.assert_refused(refused, 'user "jane" cannot add/remove a ManagedCluster to/from the ManagedClusterSet "default"')
        refused = self.create(binding("prod"), "-n", "other", jane, check=False)
        self.assert_refused(refused, 'user "jane" is not allowed to bind cluster set "prod"')
        self.allow("join-dev", "join", "dev")
        self.create(cluster("j", set_="dev"), jane)
        move = ("label", "managedcluster", "j", f"{SET_LABEL}=prod", "--overwrite", jane)
        self.assert_refused(self.kubectl(*move, check=False), 'from the ManagedClusterSet "prod"')
        leave = self.kubectl("label", "managedcluster", "j", f"{SET_LABEL}-", jane, check=False)
        self.assert_refused(leave, 'from the ManagedClusterSet "default"')
        # The right to the new set does not help without the right to the old one.
        self.allow("join-prod", "join", "prod")
        self.kubectl(*move)
        self.kubectl("delete", "clusterrolebinding", "join-prod")
        back = ("label", "managedcluster", "j", f"{SET_LABEL}=dev", "--overwrite", jane)
        self.assert_refused(self.kubectl(*back, check=False), 'from the ManagedClusterSet "prod"')
        self.allow("bind-prod", "bind", "prod")
        self.create(binding("prod"), "-n", "other", jane)
        self.says_bound("other", "prod", "True", "ClusterSetBound")
        accept = self.kubectl("patch", "managedcluster", "j", "--type=merge", "-p", '{"spec":{"hubAcceptsClient":true}}',
                              jane, check=False)
        self.assert_refused(accept, 'user "jane" cannot update the HubAcceptsClient field')
        through_apply = self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", jane, check=False,
                                     stdin=json.dumps(cluster("j", set_="default")))
        self.assert_refused(through_apply, "cannot add/remove a ManagedCluster")

    def allow(self, name, what, cluster_set_name):
        role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
                "rules": [{"apiGroups": ["cluster.open-cluster-management.io"], "verbs": ["create"],
                           "resources": [f"managedclustersets/{what}"], "resourceNames": [cluster_set_name]}]}
        self.create(role)
        self.kubectl("create", "clusterrolebinding", name, f"--clusterrole={name}", "--user=jane")

    def test_6_names_are_checked_as_on_the_link(self):
        for name, why in (("kube-system", "is reserved"), ("default", "is reserved"), ("a.b", "is not valid")):
            self.assert_refused(self.create(cluster(name), check=False), why)

    def test_7_namespaces_of_sets_reach_their_members(self):
        spoke, = self.world.joined_spokes(self.hub, "real")
        labels = self.hub.api.get(f"{CLUSTERS}/real")["metadata"]["labels"]
        self.assertEqual(labels[SET_LABEL], "default")
        self.kubectl("patch", "mclset", "global", "--type=merge", "-p",
                     json.dumps({"spec": {"managedNamespaces": [{"name": "tools"}, {"name": "audit"}]}}))
        wanted = [("global", "audit"), ("global", "tools")]
        for name in ("real", "a"):
            eventually(f"{name} should carry them", lambda: self.listed(name) == wanted)
        self.kubectl("label", "managedcluster", "real", f"{SET_LABEL}=prod", "--overwrite")
        self.kubectl("patch", "mclset", "prod", "--type=merge", "-p",
                     json.dumps({"spec": {"managedNamespaces": [{"name": "audit"}]}}))
        eventually("another set wants one of them, too", lambda: self.listed("real") == wanted + [("prod", "audit")])
        # What changes while the hub is down for a moment, or just before, is not lost.
        self.kubectl("patch", "mclset", "prod", "--type=merge", "-p", json.dumps({"spec": {"managedNamespaces": []}}))
        self.hub.kill()
        self.hub.start()
        eventually("a hub that was killed makes good", lambda: self.listed("real") == wanted)
        self.says_count("global", 4)
        self.assertTrue(spoke.process.running(), spoke.process.log())

    def test_8_without_the_gate(self):
        hub = Hub(self.world, "ungated", "--feature-gates=DefaultClusterSet=false")
        self.world.kubectl("create", "-f", "-", at=hub, stdin=json.dumps(cluster("a")))
        self.assertNotIn(SET_LABEL, hub.api.get(f"{CLUSTERS}/a")["metadata"].get("labels", {}))
        hub.api.create(SETS, cluster_set("dev"))
        eventually("its own sets work",
                   lambda: condition(hub.api.get(f"{SETS}/dev"), "ClusterSetEmpty").get("status") == "True")
        self.assertEqual([entry["metadata"]["name"] for entry in hub.api.items(SETS)], ["dev"])

    def test_9_many_hands_at_once(self):
        """Clusters come and move, and sets are edited and deleted, all at the same time: what is said in the end is so."""
        hub = Hub(self.world, "busy")
        names = [f"s{i}" for i in range(8)]
        for name in names:
            hub.api.create(SETS, cluster_set(name))
        moving = threading.Event()

        def move(part):
            api = Api.from_kubeconfig(hub.kubeconfig)
            for i in range(part, 200, 2):
                api.create(CLUSTERS, cluster(f"c{i}", set_=names[i % 8]))
            for i in range(part, 200, 2):
                api.merge(f"{CLUSTERS}/c{i}", {"metadata": {"labels": {SET_LABEL: names[i * 3 % 8]}}})

        def edit(name):
            api = Api.from_kubeconfig(hub.kubeconfig)
            broken = {"selectorType": "LabelSelector", "labelSelector": {"matchLabels": {"x": "y"}}}
            spec = {"clusterSelector": broken} if name in ("default", "global") else {}
            for i in itertools.count():
                if moving.is_set():
                    return
                spec["managedNamespaces"] = [{"name": f"n{i % 3}"}]
                api.raw("PATCH", f"{SETS}/{name}", {"spec": spec}, content_type="application/merge-patch+json")
                if name == "global" and i % 10 == 9:
                    api.raw("DELETE", f"{SETS}/{name}")

        movers = [threading.Thread(target=move, args=(part,)) for part in range(2)]
        editors = [threading.Thread(target=edit, args=(name,)) for name in ("default", "global", "s0", "s3")]
        for thread in movers + editors:
            thread.start()
        for thread in movers:
            thread.join()
        moving.set()
        for thread in editors:
            thread.join()
        eventually("every set and every cluster says what is so", lambda: self.is_consistent(hub))
        self.assertNotIn(" error ", hub.process.log())

    def is_consistent(self, hub):
        clusters = hub.api.items(CLUSTERS)
        sets = {entry["metadata"]["name"]: entry for entry in hub.api.items(SETS)}
        for name, found in sets.items():
            count = len([c for c in clusters if name == "global" or c["metadata"]["labels"][SET_LABEL] == name])
            wanted = f"{count} ManagedClusters selected" if count else "No ManagedCluster selected"
            if condition(found, "ClusterSetEmpty").get("message") != wanted:
                return False
        if sets["global"]["spec"]["clusterSelector"] != ALL_BY_LABEL:
            return False
        for c in clusters:
            mine = sorted((c["metadata"]["labels"][SET_LABEL], "global"))
            wanted = [{"clusterSet": name, "name": n["name"]} for name in mine
                      for n in sets[name]["spec"].get("managedNamespaces", [])]
            if c.get("status", {}).get("managedNamespaces", []) != wanted:
                return False
        return True


if __name__ == "__main__":
    main()
