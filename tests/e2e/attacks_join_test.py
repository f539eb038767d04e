"""Attacks over the link by strangers, who want to join as somebody else.

The numbers C30.. are those of docs/attacks.md.
"""

import json

from attack_tools import AttackTest, Caller
from forge import USER, groups_of
from harness import CLUSTERS, condition, config_map, eventually, main, manifest_work, objects, works
from link_client import (ALREADY_EXISTS, CLUSTER_REPORT, FORBIDDEN, HEARTBEAT, INVALID, JOIN_PENDING, JOIN_REQUEST,
                         LEAVING, MALFORMED, RENEW, SYNC_REQUEST, UNAUTHORIZED, WORK_FINISHED, LinkClient)


class Stranger(AttackTest):
    @classmethod
    def prepare(cls):
        cls.start_hub()
        cls.join_over_link("c1")
        cls.rest_key = cls.join_over_rest("r1")

    def join(self, cluster, agent="a1", token=None, pem=None, annotations=None, configs=None):
        """The answer to a join: a refusal's (code, message)."""
        self.setUp()
        pem = pem or self.forge.csr(self.forge.key(), f"{USER}{cluster}:{agent}", groups_of(cluster))
        with LinkClient(self.hub).hello(cluster, agent) as link:
            link.send(JOIN_REQUEST, token or self.bootstrap_token("any"), pem, annotations or {}, configs or {})
            return link.refusal()

    def assert_join_refused(self, code, part, cluster, audited, **how):
        kept = {k: v for k, v in self.kept().items() if "secrets" not in k[0]}
        got, message = self.join(cluster, **how)
        self.assertEqual(got, code, message)
        self.assertIn(part, message)
        self.assert_audited("system:anonymous", audited, f"/link/{cluster[:10]}", part)
        self.assertEqual({k: v for k, v in self.kept().items() if "secrets" not in k[0]}, kept)

    def test_c30_to_c32_names_that_are_taken(self):
        self.assert_join_refused(ALREADY_EXISTS, "is taken by another key", "c1", 409)
        agent = Caller(self.hub, *self.rest_key)
        document = agent.get(f"{CLUSTERS}/r1")
        document["status"].setdefault("conditions", []).append({"type": "ManagedClusterJoined", "status": "True", "reason": "ManagedClusterJoined",
                                                                "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"})
        agent.replace(f"{CLUSTERS}/r1/status", document)
        self.assert_join_refused(ALREADY_EXISTS, "is taken by an agent that works over REST", "r1", 409)

    def test_c33_to_c38_names_that_are_not_for_clusters(self):
        pem = self.forge.csr(self.forge.key(), f"{USER}x:a1", groups_of("x"))
        for name in ("default", "kube-system", "managed-clusters", "registration", "work", "cluster", "C1", "c1.", "c1/../c2", "\u04411", "x" * 64):
            with self.subTest(name):
                self.assert_join_refused(INVALID, "cluster name", name, 400, pem=pem)

    def test_c39_to_c44_requests_for_others(self):
        for name, groups in ((f"{USER}c1:a1", groups_of("c1")), (f"{USER}c90:a1", groups_of("c90")), (f"{USER}c9:a1:x", groups_of("c9")),
                             (f"{USER}c9:a2", groups_of("c9")), (f"{USER}c9:a1", groups_of("c9") + ["system:masters"]),
                             (f"{USER}c9:a1", groups_of("c9")[:1]), ("wheelhouse-admin", ["system:masters"])):
            with self.subTest(name=name, groups=groups):
                self.assert_join_refused(FORBIDDEN, "does not ask for the identity", "c9", 403,
                                         pem=self.forge.csr(self.forge.key(), name, groups))
        self.assert_join_refused(FORBIDDEN, "does not ask for the identity", "c9", 403, agent="")
        self.assert_join_refused(MALFORMED, "certificate signing request is not valid", "c9", 400, pem="no csr")
        self.assert_join_refused(MALFORMED, "certificate signing request is not valid", "c9", 400,
                                 pem=self.forge.csr(self.forge.key(rsa_bits=1024), f"{USER}c9:a1", groups_of("c9")))

    def test_c45_to_c49_tokens_that_are_none(self):
        good = self.bootstrap_token("any")
        for token in ("", ".", "abcdef.0123456789abcdef", good[:-1], good.split(".")[0] + ".", "../secrets/x." + good, good.upper(), self.service_token()):
            with self.subTest(token[:12]):
                self.assert_join_refused(UNAUTHORIZED, "not valid", "c9", 401, token=token or " ")
        name = f"bootstrap-token-{good.split('.')[0]}"
        self.hub.api.delete(objects("kube-system", "secrets", name))
        self.assert_join_refused(UNAUTHORIZED, "not valid", "c9", 401, token=good)
        other = self.bootstrap_token("any")
        self.hub.api.merge(objects("kube-system", "secrets", f"bootstrap-token-{other.split('.')[0]}"), {"stringData": {"usage-bootstrap-join": "false"}})
        self.assert_join_refused(UNAUTHORIZED, "not valid", "c9", 401, token=other)

    def test_c50_to_c53_frames_of_members(self):
        for tag, fields in ((SYNC_REQUEST, ([],)), (LEAVING, (False,)), (HEARTBEAT, (0,)), (RENEW, ("x",)), (WORK_FINISHED, ("own", "uid")),
                            (CLUSTER_REPORT, (1, True, "", "", "", {}, {}, {}, 0, {}))):
            with self.subTest(tag=tag), LinkClient(self.hub).hello("c1", "a1") as link:
                self.setUp()
                link.send(tag, *fields)
                code, message = link.refusal()
                self.assertEqual(code, INVALID)
                self.assertIn("without a certificate only join_request may follow hello", message)
                self.assert_audited("system:anonymous", 400, "/link/c1", "without a certificate")
        self.assertNotIn("left-at", json.dumps(self.hub.api.get(f"{CLUSTERS}/c1")["metadata"]["annotations"]))

    def test_c54_a_join_that_brings_its_own_acceptance(self):
        mine = {"open-cluster-management.io/automatically-accepted-on": "x", "registration.wheelhouse.io/detach": "force",
                "cluster.open-cluster-management.io/clusterset": "prod", "agent.open-cluster-management.io/mine": "1"}
        with LinkClient(self.hub).hello("c9", "a1") as link:
            link.send(JOIN_REQUEST, self.bootstrap_token("c9"), self.forge.csr(self.forge.key(), f"{USER}c9:a1", groups_of("c9")), mine,
                      {"https://ok.example": ""})
            link.until(JOIN_PENDING)
        found = self.hub.api.get(f"{CLUSTERS}/c9")
        self.assertFalse(found["spec"]["hubAcceptsClient"])
        self.assertEqual(set(mine) & set(found["metadata"]["annotations"]), {"agent.open-cluster-management.io/mine"})
        self.assertNotEqual(condition(found, "HubAcceptedManagedCluster").get("status"), "True")
        self.assert_join_refused(INVALID, "https", "c8", 400, configs={"http://plain.example": ""})


class Honest(AttackTest):
    """What all of this is measured against: a spoke that does nothing wrong is in nobody's way."""

    @classmethod
    def prepare(cls):
        cls.start_hub()

    def test_c58_an_honest_spoke_leaves_no_line(self):
        spoke, = self.world.joined_spokes(self.hub, "h1")
        self.setUp()
        for name in ("w1", "w2"):
            self.hub.api.create(works("h1"), manifest_work(name, [config_map(name, "1")]))
        maps = objects("default", "configmaps")
        eventually("works are applied", lambda: {"w1", "w2"} <= {m["metadata"]["name"] for m in spoke.api.items(maps)})
        self.hub.api.merge(works("h1", "w1"), {"spec": {"workload": {"manifests": [config_map("w1", "2")]}}})
        self.hub.api.delete(works("h1", "w1"))
        eventually("the work is gone", lambda: self.hub.api.find(works("h1", "w1")) is None)
        self.hub.api.merge(f"{CLUSTERS}/h1", {"spec": {"hubAcceptsClient": False}})
        self.hub.api.delete(works("h1", "w2"))
        eventually("the last work is cleaned up", lambda: self.hub.api.find(works("h1", "w2")) is None)
        self.world.whctl("accept", "h1", "--wait", "20s", hub=self.hub)
        self.hub.kill()
        self.hub.start()
        eventually("it is back", lambda: condition(self.hub.api.get(f"{CLUSTERS}/h1"), "LinkConnected").get("status") == "True")
        self.assertEqual([e for e in self.audit_since_mark() if e["requestURI"].startswith(("/link", "/tls"))], [])
        spoke.kill()


if __name__ == "__main__":
    main()
