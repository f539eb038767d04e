"""Attacks over the link by members: what they have no right to say, and certificates that have been good once.

The numbers C1.. are those of docs/attacks.md.
"""

import json
import ssl
import time

from attack_tools import AttackTest, Caller
from forge import USER, groups_of
from harness import CLUSTERS, CSRS, condition, config_map, eventually, main, manifest_work, works
from link_client import (CLUSTER_REPORT, CONFLICT, FORBIDDEN, HEARTBEAT, INVALID, JOIN_CERTIFICATE, JOIN_REQUEST,
                         LEAVING, MALFORMED, PONG, REFUSED, RENEW, RENEWAL_REFUSED, REPORT_ACK, SYNC_DONE,
                         SYNC_REQUEST, UNAUTHORIZED, UNSUPPORTED, WELCOME, WORK_DESIRED, WORK_FINISHED, WORK_REPORT,
                         WORK_UNKNOWN, LinkClient)

APPLIED = {"conditions": [{"type": "Applied", "status": "True", "reason": "Lie", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}


class Member(AttackTest):
    """c1 is accepted and connected; c2 and c10 are honest."""

    @classmethod
    def prepare(cls):
        cls.start_hub()
        cls.identity = cls.join_over_link("c1")
        cls.user = f"{USER}c1:a1"
        for name in ("c2", "c10"):
            cls.join_over_link(name)
        for name in ("c1", "c2", "c10"):
            cls.hub.api.create(works(name), manifest_work("own", [config_map("own", f"only-{name}")]))
        cls.duel = cls.begin_duel()
        cls.uids = {name: cls.hub.api.get(works(name, "own"))["metadata"]["uid"] for name in ("c1", "c2", "c10")}

    @classmethod
    def begin_duel(cls):
        identity = cls.join_over_link("c11")
        pair = [LinkClient(cls.hub, *identity).hello("c11", "a1", instance=name) for name in ("first", "copy")]
        pair[0].until(WELCOME)
        time.sleep(0.1)
        pair[0].send(PONG, 1)  # it lives
        return pair

    def member(self, sync=True):
        link = LinkClient(self.hub, *self.identity).hello("c1", "a1", instance=str(time.monotonic_ns()))
        link.until(WELCOME)
        if sync:
            link.send(SYNC_REQUEST, []).until(SYNC_DONE)
        return link

    def test_c01_to_c05_a_hello_that_names_another(self):
        for cluster, agent in (("c2", "a1"), ("c10", "a1"), ("c", "a1"), ("C1", "a1"), ("c1", "a2"), ("\u04411", "a1"), ("c1:a1", "")):
            with self.subTest(cluster=cluster, agent=agent), LinkClient(self.hub, *self.identity) as link:
                self.setUp()
                link.hello(cluster, agent)
                self.assertEqual(link.refusal()[0], FORBIDDEN)
                self.assert_audited(self.user, 403, "/link/c1", "the certificate speaks for cluster c1")

    def test_c06_a_second_hello(self):
        with self.member() as link:
            link.hello("c2", "a1")
            self.assertEqual(link.refusal(), (INVALID, "hello comes once, not hello"))
        self.assert_audited(self.user, 400, "/link/c1", "hello comes once")

    def test_c07_a_sync_that_names_the_works_of_others(self):
        kept = self.kept()
        with self.member(sync=False) as link:
            held = [["own", self.uids["c2"], 1, False, ""], ["other", self.uids["c10"], 1, True, ""]]
            said = link.send(SYNC_REQUEST, held).until(SYNC_DONE)
        self.assertNotIn("only-c2", str(said))
        self.assertNotIn("only-c10", str(said))
        self.assertEqual([f[1:3] for f in said if f[0] == WORK_DESIRED], [["own", self.uids["c1"]]])
        self.assert_nothing_changed(kept)

    def test_c08_c09_reports_of_the_works_of_others(self):
        kept = self.kept()
        with self.member() as link:
            link.send(WORK_REPORT, "own", self.uids["c2"], 1, 1, json.dumps(APPLIED).encode())
            link.send(WORK_REPORT, "nothing", self.uids["c10"], 2, 1, json.dumps(APPLIED).encode())
            link.quiet()
        for name in ("c1", "c2", "c10"):
            self.assertNotIn("Lie", str(self.hub.api.get(works(name, "own")).get("status")))
        self.assert_audited(self.user, 404, "/link/c1", f"work_report was ignored: it names work own (uid {self.uids['c2']})")
        self.assert_audited(self.user, 404, "/link/c1", f"(uid {self.uids['c10']})")
        self.assert_nothing_changed(kept)

    def test_c10_a_report_of_a_generation_that_is_not_there_yet(self):
        with self.member() as link:
            link.send(WORK_REPORT, "own", self.uids["c1"], 3, 99, json.dumps(APPLIED).encode())
            self.assertNotIn(REPORT_ACK, [f[0] for f in link.quiet()])
        self.assertNotIn("Lie", str(self.hub.api.get(works("c1", "own")).get("status")))
        self.assert_audited(self.user, 409, "/link/c1", "generation 99")

    def test_c11_to_c13_an_end_of_works_that_nobody_deletes(self):
        kept = self.kept()
        with self.member() as link:
            for name, uid in (("own", self.uids["c2"]), ("own", self.uids["c1"]), ("other", self.uids["c10"])):
                link.send(WORK_FINISHED, name, uid)
            said = link.until(WORK_UNKNOWN)
            said += link.quiet()
        self.assertEqual([f[1:3] for f in said if f[0] == WORK_UNKNOWN], [["own", self.uids["c2"]], ["other", self.uids["c10"]]])
        self.assert_audited(self.user, 404, "/link/c1", f"work_finished was ignored: it names work own (uid {self.uids['c2']})")
        self.assert_audited(self.user, 409, "/link/c1", "work_finished was ignored: nobody deletes work own")
        self.assert_nothing_changed(kept)

    def test_c14_to_c16_a_renewal_for_another(self):
        kept = self.kept()
        with self.member() as link:
            for name, groups in ((f"{USER}c2:a1", groups_of("c2")), (f"{USER}c1:a2", groups_of("c1")), (f"{USER}c1:a1", groups_of("c10")),
                                 (f"{USER}c1:a1", groups_of("c1") + ["system:masters"]), ("wheelhouse-admin", ["system:masters"])):
                link.send(RENEW, self.forge.csr(self.forge.key(), name, groups))
                self.assertIn("the request asks for the identity of", link.until(RENEWAL_REFUSED)[-1][1])
                self.assert_audited(self.user, 403, "/link/c1", f"the request asks for the identity of {name}")
            for pem in (self.forge.csr(self.forge.key(rsa_bits=1024), self.user, groups_of("c1")), "no csr"):
                link.send(RENEW, pem).until(RENEWAL_REFUSED)
        self.assert_audited(self.user, 403, "/link/c1", "the certificate signing request is not valid")
        self.assert_nothing_changed(kept)

    def test_c17_a_report_that_would_make_the_list_of_clusters_unreadable(self):
        bad = {"cpu": "many", "memory": "1e3Ki", "x" * 400: "1", "pods": "9" * 100, "a b": "1", "storage": "16Gi", "line\nbreak": "1"}
        claims = {"ok": "1", "long": "x" * 2000, "y" * 300: "1", "control\u0000\u001b": "\u0007", "": "x"}
        with self.member() as link:
            link.send(CLUSTER_REPORT, 1, False, "Reason", "\u00e4" * 5000, "v" * 5000, bad, bad, claims, 0, {"kube-system": "mine", "x": "y" * 5000})
            link.until(REPORT_ACK)
            cluster = self.hub.api.get(f"{CLUSTERS}/c1")
        self.assertEqual(cluster["status"]["capacity"], {"storage": "16Gi"})
        self.assertEqual(cluster["status"]["allocatable"], {"storage": "16Gi"})
        self.assertNotIn("long", [c["name"] for c in cluster["status"].get("clusterClaims", [])])
        self.assertLess(len(json.dumps(cluster)), 10_000)
        self.assertEqual(cluster["spec"]["hubAcceptsClient"], True)

    def test_c18_a_status_that_would_make_the_list_of_works_unreadable(self):
        status = {"conditions": [{"type": "Applied", "status": "True", "reason": 7, "message": {"a": 1}, "lastTransitionTime": "soon", "observedGeneration": "x"}],
                  "resourceStatus": {"manifests": ["no", {"resourceMeta": {"ordinal": "x", "kind": 3, "name": "m"}, "conditions": [3],
                                                          "statusFeedback": {"values": [{"name": "n", "fieldValue": {"type": "Integer", "integer": "x"}}]}}]},
                  "more": {"a": "b"}}
        with self.member() as link:
            link.send(WORK_REPORT, "own", self.uids["c1"], 1, 1, json.dumps(status).encode()).until(REPORT_ACK)
        kept = self.hub.api.get(works("c1", "own"))["status"]
        found = kept["conditions"][0]
        self.assertEqual((found["reason"], found["message"]), ("", ""))
        self.assertRegex(found["lastTransitionTime"], r"^20\d\d-")
        self.assertNotIn("observedGeneration", found)
        self.assertEqual(kept["resourceStatus"]["manifests"], [{"resourceMeta": {"name": "m"}, "conditions": [],
                                                                "statusFeedback": {"values": [{"name": "n", "fieldValue": {"type": "Integer"}}]}}])
        self.assertNotIn("more", kept)

    def test_c19_c20_frames_that_are_not_a_spokes_to_send(self):
        for tag, fields in ((WORK_DESIRED, ("x", "y", 1, False, b"{}")), (WELCOME, (1, "", 0, True, 0, 1, False)), (REFUSED, (1, "", 0, True)),
                            (JOIN_CERTIFICATE, ("x", "y")), (200, ())):
            with self.subTest(tag=tag), self.member() as link:
                self.setUp()
                link.send(tag, *fields)
                self.assertIn(link.refusal()[0], (INVALID, UNSUPPORTED, MALFORMED))
                self.assert_audited(self.user, 400, "/link/c1")

    def test_c22_leaving_ends_nobody_elses_membership(self):
        identity = self.join_over_link("c4")
        with LinkClient(self.hub, *identity).hello("c4", "a1") as link:
            link.until(WELCOME)
            link.send(LEAVING, False)
            link.quiet()
        eventually("c4 has left", lambda: "left-at" in json.dumps(self.hub.api.get(f"{CLUSTERS}/c4")["metadata"]["annotations"]))
        for name in ("c1", "c2", "c10"):
            self.assertNotIn("left-at", json.dumps(self.hub.api.get(f"{CLUSTERS}/{name}")["metadata"]))
        with LinkClient(self.hub, *identity).hello("c4", "a1") as link:  # and its certificate is worth nothing any more
            link.refusal()
        self.assert_audited(f"{USER}c4:a1", 403, "/link/c4")

    def test_c55_c21_two_machines_with_one_identity(self):
        """The second gets ten seconds' time to be the first's successor; who still lives stays, and the other is told."""
        first, second = self.duel
        code, why = second.refusal()
        self.assertEqual(code, CONFLICT)
        self.assertIn("two machines use the identity of cluster c11", why)
        self.mark = 0
        self.assert_audited(f"{USER}c11:a1", 409, "/link/c11", "two machines")
        self.assertNotIn(REFUSED, [f[0] for f in first.quiet()])
        self.assertEqual(condition(self.hub.api.get(f"{CLUSTERS}/c11"), "DuplicateIdentity")["status"], "True")


class Ended(AttackTest):
    """Certificates that have been good: superseded, revoked, denied."""

    @classmethod
    def prepare(cls):
        cls.start_hub()

    def test_c23_a_superseded_certificate(self):
        old = self.join_over_link("c1")
        with LinkClient(self.hub, *old).hello("c1", "a1") as link:
            link.until(WELCOME)
            time.sleep(1.1)  # certificates tell seconds
            key = self.forge.key()
            link.send(RENEW, self.forge.csr(key, f"{USER}c1:a1", groups_of("c1")))
            new = link.until(JOIN_CERTIFICATE)[-1][1], key
            with LinkClient(self.hub, *new).hello("c1", "a1") as newer:
                newer.until(WELCOME)
                self.assertIn("superseded", link.refusal()[1])
                with LinkClient(self.hub, *old).hello("c1", "a1") as again:
                    code, why = again.refusal()
                self.assertEqual(code, FORBIDDEN)
                self.assertIn("superseded", why)
                self.assertEqual(newer.quiet(), [])
        self.assert_audited(f"{USER}c1:a1", 403, "/link/c1", "superseded")
        self.assert_refused_call(Caller(self.hub, *old), f"{USER}c1:a1", "GET", works("c1"), code=401, part="superseded")
        self.assertEqual(Caller(self.hub, *new).raw("GET", works("c1"))[0], 200)

    def test_c24_c25_a_revoked_certificate_and_a_join_with_its_key(self):
        cert, key = self.join_over_link("c2")
        with LinkClient(self.hub, cert, key).hello("c2", "a1") as link:
            link.until(WELCOME)
            self.world.whctl("revoke", "certificate", "c2", hub=self.hub)
            self.assertIn("revoked", link.refusal()[1])
        self.assert_audited(f"{USER}c2:a1", 403, "/link/c2", "revoked")
        self.setUp()
        with LinkClient(self.hub, cert, key).hello("c2", "a1") as link:
            self.assertEqual(link.refusal()[0], FORBIDDEN)
        self.assert_audited(f"{USER}c2:a1", 403, "/link/c2", "revoked")
        self.assert_refused_call(Caller(self.hub, cert, key), f"{USER}c2:a1", "GET", works("c2"), code=401, part="revoked")
        with LinkClient(self.hub).hello("c2", "a1") as link:
            link.send(JOIN_REQUEST, self.bootstrap_token("c2"), self.forge.csr(key, f"{USER}c2:a1", groups_of("c2")), {}, {})
            self.assertIn("revoked", link.refusal()[1])

    def test_c56_a_ticket_does_not_outlive_the_revocation(self):
        """TLS resumption skips the certificate's check; who connects is checked all the same."""
        link = LinkClient(self.hub, *self.join_over_link("c5")).hello("c5", "a1")
        link.until(WELCOME)
        link.keep_ticket()
        with LinkClient(self.hub, resumes=link).hello("c5", "a1") as again:
            self.assertTrue(again.tls.session_reused)
            again.until(WELCOME)
            again.keep_ticket()
            self.world.whctl("revoke", "certificate", "c5", hub=self.hub)
            self.assertIn("revoked", again.refusal()[1])
        self.setUp()
        with LinkClient(self.hub, resumes=again).hello("c5", "a1") as last:
            self.assertEqual(last.refusal()[0], FORBIDDEN)
        self.assert_audited(f"{USER}c5:a1", 403, "/link/c5", "revoked")

    def test_c57_a_ticket_does_not_outlive_the_certificate(self):
        self.join_over_link("c6")
        key = self.forge.key()
        start, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds)) for seconds in (0, 3))
        cert = self.forge.certificate(key, f"{USER}c6:a1", groups_of("c6"), self.ca, start=start, end=end)
        time.sleep(0.1)
        link = LinkClient(self.hub, cert, key).hello("c6", "a1")
        link.until(WELCOME)
        link.keep_ticket()
        self.assertEqual(link.refusal()[0], UNAUTHORIZED)  # the session ends with its certificate
        try:
            with LinkClient(self.hub, resumes=link).hello("c6", "a1") as again:
                self.assertIsNone(again.next())
        except (ssl.SSLError, ConnectionError):
            pass
        self.assert_audited("system:anonymous", 401, "/tls", "has expired")  # a whole handshake, which shows the certificate

    def test_c26_to_c29_a_denied_cluster_gets_and_says_nothing(self):
        identity = self.join_over_link("c3")
        self.hub.api.create(works("c3"), manifest_work("own", [config_map("own", "only-c3")]))
        uid = self.hub.api.get(works("c3", "own"))["metadata"]["uid"]
        self.hub.api.merge(f"{CLUSTERS}/c3", {"spec": {"hubAcceptsClient": False}})
        before = self.hub.api.get(f"{CLUSTERS}/c3")
        with LinkClient(self.hub, *identity).hello("c3", "a1") as link:
            self.assertFalse(link.until(WELCOME)[-1][4])
            link.send(SYNC_REQUEST, []).send(HEARTBEAT, 0)
            link.send(CLUSTER_REPORT, 1, True, "", "", "v1", {"cpu": "99"}, {}, {}, 0, {})
            link.send(WORK_REPORT, "own", uid, 1, 1, json.dumps(APPLIED).encode())
            self.assertEqual(link.quiet(), [])
            link.send(RENEW, self.forge.csr(self.forge.key(), f"{USER}c3:a1", groups_of("c3")))
            self.assertIn("does not accept", link.until(RENEWAL_REFUSED)[-1][1])
            for what in ("sync_request", "cluster_report", "work_report"):
                self.assert_audited(f"{USER}c3:a1", 403, "/link/c3", f"{what} was ignored: the hub does not accept this cluster")
            self.assert_audited(f"{USER}c3:a1", 403, "/link/c3", "the hub does not accept cluster c3")
        after = self.hub.api.get(f"{CLUSTERS}/c3")
        self.assertEqual(after["spec"], before["spec"])
        self.assertNotIn("capacity", after["status"])
        self.assertNotIn("Lie", str(self.hub.api.get(works("c3", "own"))))
        self.assertEqual([c for c in self.hub.api.items(CSRS) if c["metadata"]["labels"].get("open-cluster-management.io/cluster-name") == "c3"
                          and not c.get("status", {}).get("certificate")], [])


if __name__ == "__main__":
    main()
