"""Attacks over REST by those who may only ask to be let in.

The numbers B40.. are those of docs/attacks.md.
"""

import http.client
import json
import threading
import time

from attack_tools import BOOTSTRAP, RBAC, AttackTest, Caller, elapsed
from forge import USER, csr_object, groups_of
from harness import CLUSTERS, CSRS, config_map, eventually, main, manifest_work, objects, works
from link_client import JOIN_CERTIFICATE, JOIN_PENDING, JOIN_REQUEST, LinkClient

MERGE = "application/merge-patch+json"


def cluster(name, **spec):
    return {"apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster", "metadata": {"name": name}, "spec": spec}


class Bootstrap(AttackTest):
    @classmethod
    def prepare(cls):
        cls.start_hub()
        cls.join_over_link("c2")
        cls.hub.api.create(works("c2"), manifest_work("own", [config_map("own", "c2")]))
        cls.token = cls.kubeadm_token("abcdef")

    @classmethod
    def kubeadm_token(cls, token_id):
        """A bootstrap token as kubeadm makes them, good for REST."""
        secret = "0123456789abcdef"
        cls.hub.api.create(objects("kube-system", "secrets"), {
            "apiVersion": "v1", "kind": "Secret", "type": "bootstrap.kubernetes.io/token", "metadata": {"name": f"bootstrap-token-{token_id}"},
            "stringData": {"token-id": token_id, "token-secret": secret, "usage-bootstrap-authentication": "true",
                           "auth-extra-groups": "system:bootstrappers:managedcluster"}})
        return f"{token_id}.{secret}"

    def test_b40_to_b44_what_a_bootstrap_identity_may_not(self):
        user = f"system:bootstrap:{self.token.split('.')[0]}"
        kept = self.kept()
        for who, name in ((self.bootstrap, BOOTSTRAP), (Caller(self.hub, token=self.token), user)):
            for method, path, body in (
                    ("PATCH", f"{CLUSTERS}/c2", {"spec": {"hubAcceptsClient": False}}), ("PATCH", f"{CLUSTERS}/c2/status", {"status": {}}),
                    ("DELETE", f"{CLUSTERS}/c2", None), ("POST", CLUSTERS, cluster("c8", hubAcceptsClient=True)),
                    ("POST", CLUSTERS, {**cluster("c8"), "metadata": {"name": "c8", "annotations": {"registration.wheelhouse.io/public-key-sha256": "0" * 64}}}),
                    ("GET", works("c2"), None), ("POST", works("c2"), manifest_work("evil", [])), ("GET", "/api/v1/secrets", None),
                    ("GET", objects("kube-system", "secrets"), None), ("POST", f"{RBAC}/clusterrolebindings", {"apiVersion": "rbac.authorization.k8s.io/v1"}),
                    ("POST", objects("open-cluster-management", "serviceaccounts", "agent-registration-bootstrap/token"), {})):
                self.assert_refused_call(who, name, method, path, body, content_type=MERGE if method == "PATCH" else "application/json")
        self.assert_nothing_changed(kept)

    def test_b45_names_whose_groups_or_roles_are_shared(self):
        kept = self.kept()
        for name in ("managed-clusters", "registration", "work", "default", "kube-system", "cluster", "addon", "C2", "c2:a1", "c2.x", "\u04412"):
            self.setUp()
            status, answer = self.bootstrap.raw("POST", CLUSTERS, cluster(name))
            self.assertEqual((status, answer["reason"]), (422, "Invalid"), answer)
            self.assert_audited(BOOTSTRAP, 422, CLUSTERS)
        self.assert_nothing_changed(kept)

    def test_b46_to_b49_tokens_that_are_none(self):
        secret_id, secret = self.token.split(".")
        strangers = {"of another purpose": self.service_token(audiences=["somebody-else"]), "wrong": f"{secret_id}.{'0' * len(secret)}",
                     "unknown": f"zzzzzz.{secret}", "a certificate": "MIIB"}
        header, claims, signature = self.service_token().split(".")
        strangers["for joining over the link"] = self.bootstrap_token("c8")
        strangers["altered"] = f"{header}.{claims[:-4]}AAAA.{signature}"
        strangers["unsigned"] = f"eyJhbGciOiJub25lIn0.{claims}."
        self.assert_refused_call(Caller(self.hub), "system:anonymous", "GET", CLUSTERS, code=401)
        for what, token in strangers.items():
            with self.subTest(what):
                self.assert_refused_call(Caller(self.hub, token=token), "", "GET", CLUSTERS, code=401)

    def test_b50_tokens_of_what_is_deleted_or_over(self):
        token = self.kubeadm_token("abcde8")
        path = objects("kube-system", "secrets", f"bootstrap-token-{token.split('.')[0]}")
        caller = Caller(self.hub, token=token)
        self.assertEqual(caller.raw("GET", CLUSTERS)[0], 200)
        self.hub.api.merge(path, {"stringData": {"expiration": "2020-01-01T00:00:00Z"}})
        self.assert_refused_call(caller, "", "GET", CLUSTERS, code=401)
        self.hub.api.delete(path)
        self.assert_refused_call(caller, "", "GET", CLUSTERS, code=401)
        account = objects("open-cluster-management", "serviceaccounts")
        self.hub.api.create(account, {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "gone"}})
        token = self.hub.api.create(f"{account}/gone/token", {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}})
        self.hub.api.delete(f"{account}/gone")
        self.assert_refused_call(Caller(self.hub, token=token["status"]["token"]), "", "GET", CLUSTERS, code=401)


class AutoApproval(AttackTest):
    """With the gate on, the token of a listed user lets clusters in; never over somebody else's name, never twice."""

    flags = ("--feature-gates", "ManagedClusterAutoApproval=true", "--auto-approved-csr-users", BOOTSTRAP)

    @classmethod
    def prepare(cls):
        cls.start_hub()

    def test_b51_a_denial_is_not_undone_by_forgetting_the_acceptance(self):
        key, name = self.register_over_rest("r2")
        agent = Caller(self.hub, self.certificate_of(name), key)
        own = f"{CLUSTERS}/r2"
        document = eventually("accepted by itself", lambda: agent.get(own) if agent.get(own)["spec"]["hubAcceptsClient"] else None)
        del document["metadata"]["annotations"]["open-cluster-management.io/automatically-accepted-on"]
        self.assert_refused_call(agent, f"{USER}r2:a1", "PUT", own, document, part="the hub's own")
        self.hub.api.merge(own, {"spec": {"hubAcceptsClient": False}})
        again = csr_object("r2-again", self.forge.csr(self.forge.key(), f"{USER}r2:a1", groups_of("r2")), "r2")
        self.bootstrap.create(CSRS, again)
        self.certificate_of("r2-again")
        time.sleep(0.3)
        self.assertFalse(self.hub.api.get(own)["spec"]["hubAcceptsClient"])

    def test_b52_a_listed_user_does_not_get_the_name_of_a_spoke(self):
        self.join_over_link("c2")
        spoke = self.hub.api.get(f"{CLUSTERS}/c2")["metadata"]["annotations"]
        self.bootstrap.create(CSRS, csr_object("c2-mine", self.forge.csr(self.forge.key(), f"{USER}c2:a1", groups_of("c2")), "c2"))
        time.sleep(0.3)
        self.assertFalse(self.hub.api.get(f"{CSRS}/c2-mine").get("status"))
        owner = "registration.wheelhouse.io/public-key-sha256"
        self.assertEqual(self.hub.api.get(f"{CLUSTERS}/c2")["metadata"]["annotations"][owner], spoke[owner])


class Flood(AttackTest):
    """One agent asks 5,000 times; an honest cluster joins all the same."""

    @classmethod
    def prepare(cls):
        cls.start_hub()
        cls.agent = Caller(cls.hub, *cls.join_over_rest("r1"))
        cls.calm = elapsed(lambda: cls.join_over_link("calm"))

    def test_b53_5000_pending_requests_stop_nobody(self):
        pem = self.forge.csr(self.forge.key(), f"{USER}r1:other", groups_of("r1"))
        Flood.fill(self.hub, self.agent, pem)
        self.assertGreaterEqual(len(self.hub.api.items(CSRS)), 5000)
        token = self.bootstrap_token("honest")
        key = self.forge.key()
        with LinkClient(self.hub) as link:
            link.hello("honest", "a1")

            def join():
                link.send(JOIN_REQUEST, token, self.forge.csr(key, f"{USER}honest:a1", groups_of("honest")), {}, {})
                link.until(JOIN_PENDING)
                self.world.whctl("accept", "honest", hub=self.hub)
                link.until(JOIN_CERTIFICATE)

            took = elapsed(join)
        print(f"a join took {self.calm:.2f} s on a calm hub, {took:.2f} s with 5,000 pending requests")
        self.assertLess(took, 5)
        self.assert_well()

    @staticmethod
    def fill(hub, agent, pem):
        """Over a few kept connections, as a client in earnest would."""
        def ask(first):
            connection = http.client.HTTPSConnection(agent.host, agent.port, context=agent.context, timeout=60)
            for i in range(first, 5000, 4):
                connection.request("POST", CSRS, json.dumps(csr_object(f"flood-{i}", pem, "r1")), {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                assert answer.status in (201, 429), answer.status
            connection.close()

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
