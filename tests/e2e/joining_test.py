"""Joins that must fail, each with a sentence that says what is wrong and what to do."""

import base64
import os
import shutil
import time
import unittest

from harness import (CLUSTERS, CSRS, TIME_FACTOR, E2eTest, Hub, Process, Spoke, config_map, eventually, main, objects,
                     program)


class Joining(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.member, = cls.world.joined_spokes(cls.hub, "member")

    def refused_join(self, cluster, join):
        """Starts a spoke that must give up by itself. Returns its log."""
        spoke = Spoke(self.world, cluster, join)
        self.assertNotEqual(spoke.process.exit_code(), 0)
        return spoke.process.log()

    def changed(self, cluster, flag, value):
        words = self.hub.join_command(cluster)
        words[words.index(flag) + 1] = value
        return words

    def test_1_a_token_that_the_hub_does_not_know(self):
        log = self.refused_join("x1", self.changed("x1", "--token", "abcdef.0123456789abcdefghijklmnop"))
        self.assertIn("token", log)
        self.assertIn("whctl get token", log)
        self.assertIsNone(self.hub.api.find(f"{CLUSTERS}/x1"))

    def test_2_a_token_with_a_wrong_secret_gets_the_same_answer(self):
        words = self.hub.join_command("x2")
        token = words[words.index("--token") + 1]
        log = self.refused_join("x2", self.changed("x2", "--token", token[:7] + "0" * 26))
        self.assertIn("token is not valid", log)

    def test_3_an_expired_token(self):
        words = self.hub.join_command("x3", "--ttl", "1s")
        time.sleep(2)
        log = self.refused_join("x3", words)
        self.assertIn("expired", log)

    def test_4_a_token_is_used_up(self):
        words = self.hub.join_command("x4a", "--uses", "1")
        first = Spoke(self.world, "x4a", words)
        eventually("the first may ask", lambda: self.hub.api.find(f"{CLUSTERS}/x4a"))
        words[words.index("--cluster-name") + 1] = "x4b"
        log = self.refused_join("x4b", words)
        self.assertIn("used up", log)
        first.kill()

    def test_5_a_hub_with_another_ca_than_the_pin_says(self):
        log = self.refused_join("x5", self.changed("x5", "--ca-pin", "sha256:" + "0" * 64))
        self.assertIn("pin", log)
        self.assertIsNone(self.hub.api.find(f"{CLUSTERS}/x5"))

    def test_6_a_cluster_name_that_is_taken(self):
        words = self.hub.join_command("member")
        log = self.refused_join("impostor", words)
        self.assertIn("member", log)
        self.assertIn("taken", log)
        accepted = self.world.whctl("accept", "member", hub=self.hub).stdout
        self.assertIn("already accepted", accepted)

    def test_7_flags_that_make_no_sense(self):
        for flag, value, part in (("--cluster-name", "Not_A_Label", "cluster"), ("--ca-pin", "md5:1", "ca-pin"),
                                  ("--hub", "nowhere", "--hub")):
            words = self.changed("x7", flag, value)
            words[0] = program(words[0])
            done = self.world.run(words, check=False)
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(part, done.stderr)
        done = self.world.run([program("wheelhouse-spoke"), "--data-dir", self.world.path("x8")], check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("whctl get token", done.stderr)
        done = self.world.run([program("wheelhouse-hub")], check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--data-dir", done.stderr)

    def test_8_a_second_process_on_the_same_folder(self):
        second = Process(self.world, "second-hub",
                         [program("wheelhouse-hub"), "--data-dir", self.hub.folder, "--api-listen", "127.0.0.1:0",
                          "--link-listen", "127.0.0.1:0"])
        self.assertNotEqual(second.exit_code(), 0)
        self.assertIn(self.hub.folder, second.log())
        other = Process(self.world, "second-spoke",
                        [program("wheelhouse-spoke"), "--data-dir", self.member.folder])
        self.assertNotEqual(other.exit_code(), 0)
        self.assertIn(self.member.folder, other.log())
        self.assertTrue(self.hub.process.running() and self.member.process.running())
        self.assertEqual(self.hub.api.raw("GET", "/readyz"), (200, "ok"))
        self.assertTrue(os.path.exists(os.path.join(self.hub.folder, "hub.json")))

    def test_9_a_cluster_that_the_hub_removed_stays_up_and_joins_again_with_a_new_token(self):
        spoke, = self.world.joined_spokes(self.hub, "removed")
        spoke.api.create(objects("default", "configmaps"), config_map("own", "1"))
        self.hub.api.delete(f"{CLUSTERS}/removed")
        eventually("the hub has forgotten it", lambda: self.hub.api.find(f"{CLUSTERS}/removed") is None)
        eventually("the spoke says what to do", lambda: "whctl get token --cluster-name removed" in spoke.process.log(), 45)
        self.assertTrue(spoke.process.running())
        # The token that it was started with is still good, and still it does not come back by itself.
        self.assertIsNone(self.hub.api.find(f"{CLUSTERS}/removed"))
        spoke.process.terminate()
        words = self.hub.join_command("removed")
        spoke.start(None, "--token", words[words.index("--token") + 1])
        self.world.whctl("accept", "removed", "--wait", f"{int(30 * TIME_FACTOR)}s", hub=self.hub)
        self.assertIn("joining again", spoke.process.log())
        self.assertIsNotNone(spoke.api.find(objects("default", "configmaps", "own")))

    def rest_request(self, name, cluster, subject, user=()):
        """A request for a certificate as OCM's registration agent makes it. `user`: kubectl's flags for whom to be."""
        done = self.world.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                               self.world.path(f"{name}.key"), "-subj", subject])
        request = base64.b64encode(done.stdout.encode()).decode()
        self.world.kubectl("create", "-f", "-", *user, at=self.hub, stdin=f"""
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {{name: {name}, labels: {{open-cluster-management.io/cluster-name: {cluster}}}}}
spec: {{request: {request}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth, digital signature]}}
""")

    @unittest.skipUnless(shutil.which("openssl"), "openssl makes the requests")
    def test_95_agents_that_come_over_rest(self):
        agent = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
        own = "system:open-cluster-management:r1"
        everybody = "/O=system:open-cluster-management:managed-clusters"
        by_agent = ("--as", agent)
        self.world.kubectl("create", "clusterrolebinding", "agents", "--clusterrole=open-cluster-management:bootstrap",
                           f"--user={agent}", at=self.hub)
        self.world.kubectl("create", "-f", "-", *by_agent, at=self.hub, stdin=f"""
apiVersion: cluster.open-cluster-management.io/v1
kind: ManagedCluster
metadata: {{name: r1}}
""")
        waiting = self.world.whctl("accept", "r1", hub=self.hub, check=False)
        self.assert_refused(waiting, "no certificate request of it is here yet")
        self.rest_request("r1-good", "r1", f"/O={own}{everybody}/CN={own}:agent", by_agent)
        self.rest_request("r1-admin", "r1", f"/O={own}/O=admins/CN={own}:agent", by_agent)
        self.rest_request("r1-colon", "r1", f"/O={own}/CN={own}:agent:x", by_agent)
        self.rest_request("r1-ten", "r1", f"/O={own}0/CN={own}0:agent", by_agent)
        self.rest_request("r1-person", "r1", f"/O={own}/CN={own}:person")
        done = self.world.whctl("accept", "r1", hub=self.hub)
        self.assertIn("r1: approved r1-good", done.stdout)
        for name, why in (("admin", "its groups (O) are not exactly"), ("colon", "its common name (CN) is not"),
                          ("ten", "its groups (O) are not exactly"), ("person", "neither a bootstrap token nor")):
            self.assertIn(f"CSR r1-{name} is left alone: ", done.stderr)
            self.assertIn(why, done.stderr)
            self.assertEqual(self.hub.api.get(f"{CSRS}/r1-{name}").get("status", {}), {})
        eventually("the good one is signed", lambda: self.hub.api.get(f"{CSRS}/r1-good")["status"].get("certificate"))
        self.assert_refused(self.world.whctl("accept", "r1", "--csr", "r1-ten", hub=self.hub, check=False),
                            "CSR r1-ten was not approved")
        self.assertIn("approved r1-person", self.world.whctl("accept", "r1", "--csr", "r1-person", hub=self.hub).stdout)


if __name__ == "__main__":
    main()
