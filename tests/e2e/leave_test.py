"""A cluster leaves its hub: with the hub there, without it, keeping what works made, and when objects are in the way."""

import json
import os
import time

from harness import (APPLIED_WORKS, CLUSTERS, E2eTest, Hub, Spoke, config_map, eventually, holds, main, manifest_work,
                     objects, program, works)


class Leave(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)

    def member(self, name, *flags):
        """A joined cluster with two works, each with a ConfigMap."""
        spoke, = self.world.joined_spokes(self.hub, name, flags=flags)
        for work in ("w1", "w2"):
            self.hub.api.create(works(name), manifest_work(work, [config_map(work, name)]))
        for work in ("w1", "w2"):
            eventually(f"{work} is available", lambda w=work: holds(self.hub.api.get(works(name, w)), "Available"))
        return spoke

    def leave(self, spoke, *flags, check=True):
        return self.world.run([program("wheelhouse-spoke"), "leave", "--data-dir", spoke.folder, *flags], check=check)

    def config_maps(self, spoke):
        return sorted(m["metadata"]["name"] for m in spoke.api.items(objects("default", "configmaps")))

    def settings(self, spoke):
        with open(os.path.join(spoke.folder, "spoke.json"), encoding="utf-8") as file:
            return json.load(file)

    def rejoin(self, spoke, told=True):
        """The same folder with a new token. The hub waits for no word of a cluster that has left and told it."""
        if told:
            self.hub.api.raw("DELETE", f"{CLUSTERS}/{spoke.cluster}")
        else:
            self.world.whctl("detach", spoke.cluster, "--force", "--yes", hub=self.hub)
        eventually("the hub has forgotten it", lambda: self.hub.api.find(f"{CLUSTERS}/{spoke.cluster}") is None)
        self.assertEqual(self.hub.api.items(works(spoke.cluster)), [])
        spoke.start(self.hub.join_command(spoke.cluster))
        self.world.whctl("accept", spoke.cluster, "--wait", "30s", hub=self.hub)

    def test_1_a_running_spoke_is_not_taken_away(self):
        spoke = self.member("running")
        done = self.leave(spoke, check=False)
        self.assert_refused(done, "the spoke is running", spoke.folder)
        self.assertEqual(self.config_maps(spoke), ["w1", "w2"])
        self.assertTrue(spoke.process.running())
        spoke.process.terminate()
        type(self).first = spoke

    def test_2_with_the_hub_there(self):
        spoke = self.first
        done = self.leave(spoke, "--timeout", "20s")
        for line in ("removing 2 works", "work w1 is removed", "work w2 is removed", "the hub is told",
                     "cluster running has left its hub"):
            self.assertIn(line, done.stdout)
        self.assertEqual(self.settings(spoke)["token"], "")
        # Keys and certificate are gone, not just unreadable.
        self.assertFalse(os.path.exists(os.path.join(spoke.folder, "agent")))
        again = self.leave(spoke)
        self.assertIn("has left its hub already", again.stdout)
        # An ordinary start says what is missing.
        start = self.world.run([program("wheelhouse-spoke"), "--data-dir", spoke.folder], check=False)
        self.assert_refused(start, "has left its hub", "--token", "whctl get token --cluster-name running", code=2)

    def test_3_the_same_folder_joins_again_with_a_new_key(self):
        spoke = self.first
        before = self.hub.api.find(f"{CLUSTERS}/running")
        self.rejoin(spoke)
        after = self.hub.api.get(f"{CLUSTERS}/running")
        key = "registration.wheelhouse.io/public-key-sha256"
        self.assertNotEqual(before["metadata"]["annotations"][key], after["metadata"]["annotations"][key])
        self.assertEqual(self.config_maps(spoke), [])
        self.assertEqual(spoke.api.items(APPLIED_WORKS), [])
        spoke.process.terminate()

    def test_4_keeping_what_works_made_while_the_hub_is_gone(self):
        spoke = self.member("keeper")
        spoke.process.terminate()
        self.hub.kill()
        start = time.monotonic()
        done = self.leave(spoke, "--keep-workloads", "--timeout", "3s")
        self.assertLess(time.monotonic() - start, 20)
        for line in ("letting go of 2 works", "its objects stay", "the hub is not told", "whctl detach --force keeper"):
            self.assertIn(line, done.stdout)
        self.hub.start()
        self.rejoin(spoke, told=False)
        self.assertEqual(self.config_maps(spoke), ["w1", "w2"])
        self.assertEqual(spoke.api.items(APPLIED_WORKS), [])
        for kept in spoke.api.items(objects("default", "configmaps")):
            self.assertFalse(kept["metadata"].get("ownerReferences"))
        spoke.process.terminate()

    def test_5_objects_in_the_way_are_named_and_nothing_else_is_lost(self):
        spoke = self.member("stuck")
        path = objects("default", "configmaps", "w1")
        spoke.api.merge(path, {"metadata": {"finalizers": ["example.org/hold"]}})
        time.sleep(1)
        spoke.process.terminate()
        done = self.leave(spoke, "--timeout", "3s", check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("work w2 is removed; 1 left", done.stdout)
        self.assertIn("ConfigMap default/w1 is being deleted, and waits for its finalizers: example.org/hold", done.stdout)
        self.assertIn("objects of 1 work could not be removed: w1", done.stderr)
        self.assertNotEqual(self.settings(spoke)["token"], "")
        # Who started it in the ordinary way would have the leave go on, once nothing is in the way.
        spoke.start()
        eventually("the object is there", lambda: spoke.api.find(path))
        spoke.api.merge(path, {"metadata": {"finalizers": None}})
        self.assertEqual(spoke.process.exit_code(), 1)
        self.assertIn("has left its hub", spoke.process.log())
        self.assertIn("has left its hub already", self.leave(spoke).stdout)

    def test_6_folders_that_are_none_of_a_spoke(self):
        done = self.world.run([program("wheelhouse-spoke"), "leave", "--data-dir", self.world.path("nothing")], check=False)
        self.assert_refused(done, "no data folder of a spoke")
        self.assertFalse(os.path.exists(self.world.path("nothing")))

    def test_7_a_cluster_that_never_was_accepted(self):
        spoke = Spoke(self.world, "hopeful", self.hub.join_command("hopeful"))
        eventually("it asks", lambda: self.hub.api.find(f"{CLUSTERS}/hopeful"))
        spoke.process.terminate()
        self.assertIn("has left its hub", self.leave(spoke).stdout)


if __name__ == "__main__":
    main()
