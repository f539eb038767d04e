"""Letting clusters out: tokens taken back, clusters refused, detached, detached by force."""

import os
import pty
import subprocess

from harness import (CLUSTERS, TIME_FACTOR, E2eTest, Hub, Spoke, config_map, eventually, holds, main, manifest_work,
                     objects, program, works)


class Detaching(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.spokes = dict(zip(("c1", "c2"), cls.world.joined_spokes(cls.hub, "c1", "c2")))
        for name in ("c1", "c2"):
            cls.hub.api.create(works(name), manifest_work("greeting", [config_map("greeting", "hello")]))
            eventually("the work is applied", lambda name=name: holds(cls.hub.api.get(works(name, "greeting")), "Available"))

    def whctl(self, *arguments, check=True):
        return self.world.whctl(*arguments, hub=self.hub, check=check)

    def test_1_a_token_that_was_taken_back(self):
        join = self.hub.join_command("x1")
        token = join[join.index("--token") + 1]
        listed = self.whctl("get", "tokens").stdout
        self.assertIn(token.split(".")[0], listed)
        for form in ((), ("-o", "json"), ("-o", "yaml")):
            self.assertNotIn(token.split(".")[1], self.whctl("get", "tokens", *form).stdout)
        done = self.whctl("revoke", "token", token)
        self.assertIn("revoked", done.stdout)
        self.assertNotIn(token.split(".")[1], done.stdout)
        self.assertIn("no such token here", self.whctl("revoke", "token", token).stdout)
        spoke = Spoke(self.world, "x1", join)
        self.assertNotEqual(spoke.process.exit_code(), 0)
        self.assertIn("token", spoke.process.log())
        self.assertIsNone(self.hub.api.find(f"{CLUSTERS}/x1"))

    def test_2_spent_tokens_go_together(self):
        self.whctl("get", "token", "--ttl", "1s")
        eventually("it has expired", lambda: "expired" in self.whctl("get", "tokens").stdout)
        alive = self.whctl("get", "tokens").stdout.count("any")
        self.assertIn("revoked", self.whctl("revoke", "token", "--all-expired").stdout)
        self.assertEqual(self.whctl("get", "tokens").stdout.count("any"), alive - 1)
        self.assertIn("No token has expired", self.whctl("revoke", "token", "--all-expired").stderr)

    def test_3_a_refused_cluster_and_its_works(self):
        done = self.whctl("deny", "c2", "nobody", check=False)
        self.assert_refused(done, "nobody: there is no such cluster")
        self.assertIn("c2: refused; 1 work is left (greeting)", done.stdout)
        self.assertFalse(self.hub.api.get(f"{CLUSTERS}/c2")["spec"]["hubAcceptsClient"])
        self.assertIn("was not accepted", self.whctl("deny", "c2").stdout)
        self.assertIsNotNone(self.spokes["c2"].api.find(objects("default", "configmaps", "greeting")))
        self.assertIn("accepted", self.whctl("accept", "c2").stdout)

    def test_4_a_cluster_that_answers_goes_clean(self):
        done = self.whctl("detach", "c1", "--wait", f"{int(30 * TIME_FACTOR)}s")
        self.assertIn("c1: detached\n", done.stdout)
        self.assertIsNone(self.hub.api.find(f"{CLUSTERS}/c1"))
        self.assert_refused(self.whctl("detach", "c1", check=False), "c1: there is no such cluster")

    def test_5_force_is_asked_for(self):
        self.spokes["c2"].kill()
        refused = self.whctl("detach", "--force", "c2", check=False)
        self.assert_refused(refused, "needs --yes where there is no terminal")
        self.assertNotIn("deletionTimestamp", self.hub.api.get(f"{CLUSTERS}/c2")["metadata"])
        said = self.on_a_terminal(b"no\n", "detach", "--force", "c2")
        self.assertIn("stays there", said)
        self.assertIn("nothing was done", said)
        self.assertNotIn("deletionTimestamp", self.hub.api.get(f"{CLUSTERS}/c2")["metadata"])

    def test_6_a_cluster_that_never_answers(self):
        done = self.whctl("detach", "c2", "--wait", "1s", check=False)
        self.assert_refused(done, "c2: it is being detached, but is not gone yet", "whctl detach --force c2")
        done = self.whctl("detach", "--force", "--yes", "c2", "--wait", "1s", check=False)
        marked = self.hub.api.find(f"{CLUSTERS}/c2")
        if marked:
            self.assertEqual(marked["metadata"]["annotations"]["registration.wheelhouse.io/detach"], "force")
            self.assert_refused(done, "c2: it is being detached, but is not gone yet")
        else:
            self.assertIn("c2: detached; what its works put on it is still there", done.stdout)

    def test_7_a_certificate_that_was_taken_back(self):
        self.world.joined_spokes(self.hub, "c3")
        key = "registration.wheelhouse.io/public-key-sha256"
        digest = self.hub.api.get(f"{CLUSTERS}/c3")["metadata"]["annotations"][key]
        done = self.whctl("revoke", "certificate", "c3")
        self.assertIn("c3: certificate revoked", done.stdout)
        annotations = self.hub.api.get(f"{CLUSTERS}/c3")["metadata"]["annotations"]
        self.assertEqual(annotations[key], f"revoked:{digest}")
        self.assertEqual(annotations["registration.wheelhouse.io/revoked-keys"], digest)
        self.assertIn("revoked already", self.whctl("revoke", "certificate", "c3").stdout)
        self.assert_refused(self.whctl("revoke", "certificate", "nobody", check=False), "nobody: there is no such cluster")

    def on_a_terminal(self, typed, *arguments):
        """What whctl says to a person who types this."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen([program("whctl"), "--kubeconfig", self.hub.kubeconfig, *arguments], stdin=theirs,
                                 stdout=theirs, stderr=theirs, cwd=self.world.folder)
        os.close(theirs)
        os.write(ours, typed)
        said = b""
        try:
            while part := os.read(ours, 4096):
                said += part
        except OSError:  # how Linux tells that the other end of a terminal is closed
            pass
        self.assertEqual(child.wait(10 * TIME_FACTOR), 1)
        os.close(ours)
        return said.decode()


if __name__ == "__main__":
    main()
