"""Attacks over REST: what an accepted agent and a denied one try to do with the rights of others.

The numbers B1.. are those of docs/attacks.md.
"""

import json
import time

from attack_tools import RBAC, AttackTest, Caller
from forge import USER, csr_object, groups_of
from harness import CLUSTERS, CSRS, config_map, eventually, main, manifest_work, objects, works
from link_client import LinkClient

LEASES = "coordination.k8s.io/v1"
ADDONS = "addon.open-cluster-management.io/v1alpha1"
SETS = "/apis/cluster.open-cluster-management.io/v1beta2/managedclustersets"
SET_LABEL = "cluster.open-cluster-management.io/clusterset"
MERGE = "application/merge-patch+json"


def cluster(name, **spec):
    return {"apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster", "metadata": {"name": name}, "spec": spec}


class Agents(AttackTest):
    """c1 has joined over the link and r1 over REST; both try the same against c2."""

    @classmethod
    def prepare(cls):
        cls.start_hub()
        api = cls.hub.api
        cls.join_over_link("c2")
        cls.callers = [(Caller(cls.hub, *cls.join_over_link("c1")), "c1"), (Caller(cls.hub, *cls.join_over_rest("r1")), "r1")]
        for name in ("c1", "c2", "r1"):
            api.create(works(name), manifest_work("own", [config_map("own", name)]))
            api.create(objects(name, "secrets"), {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "private"},
                                                  "stringData": {"word": f"only-{name}"}})
            api.create(objects(name, "serviceaccounts"), {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner"}})
        cls.addons = objects("c2", "managedclusteraddons", group_version=ADDONS)
        api.create(SETS, {"apiVersion": "cluster.open-cluster-management.io/v1beta2", "kind": "ManagedClusterSet", "metadata": {"name": "prod"}})

    def each(self):
        for who, name in self.callers:
            with self.subTest(agent=name):
                before = self.kept()
                yield who, name, f"{USER}{name}:a1"
                self.assert_nothing_changed(before)

    def test_b01_to_b10_reading_what_is_others(self):
        lease = objects("c2", "leases", "managed-cluster-lease", LEASES)
        for who, name, user in self.each():
            self.assertEqual(who.get(works(name, "own"))["metadata"]["name"], "own")  # what is its own it may read
            for path in (works("c2"), works("c2", "own"), works("c2") + "?watch=1&timeoutSeconds=1", f"{CLUSTERS}/c2", CLUSTERS,
                         CLUSTERS + "?watch=1&timeoutSeconds=1", lease, objects("c2", "leases", group_version=LEASES), self.addons,
                         objects("c2", "secrets"), objects("c2", "secrets", "private"), objects(name, "secrets", "private"),
                         objects("c2", "configmaps"), objects("c2", "events"), objects("kube-system", "secrets"),
                         "/apis/work.open-cluster-management.io/v1/manifestworks", "/apis/coordination.k8s.io/v1/leases",
                         "/api/v1/secrets", "/api/v1/namespaces", f"{RBAC}/clusterroles", f"{RBAC}/rolebindings", SETS,
                         CLUSTERS + f"?fieldSelector=metadata.name%3D{'c2'}", "/metrics"):
                self.assert_refused_call(who, user, "GET", path)

    def test_b11_to_b20_writing_what_is_others(self):
        evil = manifest_work("evil", [config_map("evil", "1")])
        lease = objects("c2", "leases", "managed-cluster-lease", LEASES)
        status = {"status": {"conditions": [{"type": "Applied", "status": "False", "reason": "x", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}
        for who, name, user in self.each():
            for method, path, body in (
                    ("POST", works("c2"), evil), ("POST", works(name), evil), ("POST", works("default"), evil),
                    ("PATCH", works("c2", "own"), {"spec": {"workload": {"manifests": []}}}), ("PATCH", works("c2", "own/status"), status),
                    ("DELETE", works("c2", "own"), None), ("DELETE", works(name, "own"), None), ("DELETE", works(name), None),
                    ("PATCH", f"{CLUSTERS}/c2", {"metadata": {"labels": {"a": "b"}}}), ("PATCH", f"{CLUSTERS}/c2/status", status),
                    ("PUT", f"{CLUSTERS}/c2", self.hub.api.get(f"{CLUSTERS}/c2")), ("DELETE", f"{CLUSTERS}/c2", None),
                    ("DELETE", f"{CLUSTERS}/{name}", None), ("POST", CLUSTERS, cluster("c9", hubAcceptsClient=True)),
                    ("PATCH", lease, {"spec": {"renewTime": None}}), ("DELETE", lease, None),
                    ("POST", objects("c2", "events"), {"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "c2"},
                                                       "involvedObject": {"namespace": "c2"}})):
                self.assert_refused_call(who, user, method, path, body, content_type=MERGE if method == "PATCH" else "application/json")

    def test_b21_to_b26_more_rights_than_ones_own(self):
        grant = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "evil"},
                 "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                 "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "x"}]}
        for who, name, user in self.each():
            own = f"{RBAC}/clusterroles/open-cluster-management:managedcluster:{name}"
            token = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
            for method, path, body in (
                    ("POST", f"{RBAC}/clusterrolebindings", grant), ("PATCH", own, {"rules": []}),
                    ("PATCH", f"{RBAC}/clusterroles/open-cluster-management:managedcluster:work", {"rules": []}),
                    ("POST", f"{RBAC}/namespaces/{name}/rolebindings", {**grant, "kind": "RoleBinding"}),
                    ("POST", objects("c2", "serviceaccounts", "runner/token"), token),
                    ("POST", objects(name, "serviceaccounts", "runner/token"), token),
                    ("POST", objects("open-cluster-management", "serviceaccounts", "agent-registration-bootstrap/token"), token),
                    ("POST", objects("kube-system", "secrets"), {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "bootstrap-token-abcdef"}}),
                    ("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "evil"}}),
                    ("POST", SETS, {"apiVersion": "cluster.open-cluster-management.io/v1beta2", "kind": "ManagedClusterSet", "metadata": {"name": "evil"}}),
                    ("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "x"}})):
                self.assert_refused_call(who, user, method, path, body, content_type=MERGE if method == "PATCH" else "application/json")

    def test_b27_to_b29_impersonation(self):
        for who, name, user in self.each():
            for headers in ({"Impersonate-User": f"{USER}c2:a1", "Impersonate-Group": f"{USER}c2"},
                            {"Impersonate-User": user, "Impersonate-Group": "system:masters"}, {"Impersonate-User": "system:admin"},
                            {"Impersonate-Group": "system:masters"}):
                who.headers.update(headers)
                try:
                    self.setUp()
                    status, answer = who.raw("GET", works("c2", "own"))
                finally:
                    for key in headers:
                        del who.headers[key]
                self.assertIn((status, answer["reason"]), ((403, "Forbidden"), (400, "BadRequest"), (500, "InternalError")), answer)
                if status == 403:
                    self.assert_audited(user, 403, works("c2", "own"))

    def test_b30_to_b33_ones_own_cluster_beyond_ones_rights(self):
        for who, name, user in self.each():
            own = f"{CLUSTERS}/{name}"

            def changed(change, at=own):
                document = self.hub.api.get(at)
                change(document)
                return document

            for change in (lambda d: d["metadata"].setdefault("labels", {}).update({SET_LABEL: "prod"}),
                           lambda d: d["metadata"].setdefault("annotations", {}).update({"registration.wheelhouse.io/public-key-sha256": "0" * 64}),
                           lambda d: d["metadata"].setdefault("annotations", {}).update({"registration.wheelhouse.io/certificate-since": "2999-01-01T00:00:00Z"}),
                           lambda d: d["metadata"].setdefault("annotations", {}).update({"registration.wheelhouse.io/detach": "force"}),
                           lambda d: d["metadata"].setdefault("annotations", {}).update({"open-cluster-management.io/automatically-accepted-on": "never"})):
                self.assert_refused_call(who, user, "PUT", own, changed(change))
            # Through the status nothing but the status changes.
            document = changed(lambda d: (d["metadata"].setdefault("annotations", {}).update({"registration.wheelhouse.io/detach": "force"}),
                                          d["metadata"].setdefault("labels", {}).update({SET_LABEL: "prod"}), d["spec"].update({"leaseDurationSeconds": 1})))
            self.assertEqual(who.raw("PUT", own + "/status", document)[0], 200)

    def test_b34_paths_that_might_be_read_in_two_ways(self):
        for who, name, user in self.each():
            for path in (works(name) + "/../../c2/manifestworks", works(f"{name}%2F..%2Fc2"), works(name, "..%2F..%2Fc2%2Fmanifestworks%2Fown"),
                         works("C2"), works("c2%00"), works(f"{name},c2")):
                self.setUp()
                status, answer = who.raw("GET", path)
                self.assertIn(status, (400, 403, 404), path)
                self.assertNotIn("only-c2", json.dumps(answer))
                self.assertEqual(answer["kind"], "Status")

    def test_b35_a_work_that_claims_another_namespace(self):
        for who, name, user in self.each():
            work = self.hub.api.get(works(name, "own"))
            work["metadata"]["namespace"] = "c2"
            self.assert_refused_call(who, user, "PUT", works(name, "own"), work, code=400)


class Denied(AttackTest):
    @classmethod
    def prepare(cls):
        cls.start_hub()
        cls.cert, cls.key = cls.join_over_rest("r1")
        cls.agent = Caller(cls.hub, cls.cert, cls.key)
        cls.user = f"{USER}r1:a1"

    def test_b36_to_b38_a_denied_agent_lets_itself_in_again(self):
        before = self.agent.get(f"{CLUSTERS}/r1")
        self.hub.api.merge(f"{CLUSTERS}/r1", {"spec": {"hubAcceptsClient": False}})
        document = eventually("it is denied", lambda: self.agent.get(f"{CLUSTERS}/r1"))
        document["spec"]["hubAcceptsClient"] = True
        kept = self.kept()
        renewal = csr_object("renewal", self.forge.csr(self.forge.key(), self.user, groups_of("r1")), "r1")
        for method, path, body in (("PUT", f"{CLUSTERS}/r1", document), ("PUT", f"{CLUSTERS}/r1", before),
                                   ("PUT", f"{CLUSTERS}/r1/status", document), ("POST", CSRS, renewal), ("GET", CSRS, None),
                                   ("GET", works("r1"), None), ("GET", objects("r1", "leases", "managed-cluster-lease", LEASES), None)):
            self.assert_refused_call(self.agent, self.user, method, path, body)
        self.assert_nothing_changed(kept)
        # The bootstrap identity may ask, and is not let in by it.
        self.bootstrap.create(CSRS, csr_object("again", self.forge.csr(self.forge.key(), self.user, groups_of("r1")), "r1"))
        time.sleep(0.3)
        self.assertNotIn("status", {k: v for k, v in self.hub.api.get(f"{CSRS}/again").items() if k == "status" and v})

    def test_b39_a_revoked_certificate(self):
        self.hub.api.merge(f"{CLUSTERS}/r1", {"spec": {"hubAcceptsClient": True}})
        eventually("it is back", lambda: self.agent.raw("GET", works("r1"))[0] == 200)
        self.hub.api.merge(f"{CLUSTERS}/r1", {"metadata": {"annotations": {"registration.wheelhouse.io/public-key-sha256": f"revoked:{self.forge.digest(self.key)}"}}})
        eventually("the API knows", lambda: self.agent.raw("GET", works("r1"))[0] == 401)
        self.assert_refused_call(self.agent, self.user, "GET", f"{CLUSTERS}/r1", code=401)
        with LinkClient(self.hub, self.cert, self.key) as link:
            link.hello("r1", "a1")
            self.assertIn("revoked", link.refusal()[1])
        self.assert_audited(self.user, 403, "/link/r1", "revoked")


if __name__ == "__main__":
    main()
