"""Power cuts while a backup is restored: a folder bears its name when all of it is there, and then keeps it."""

import os
import random
import shutil
import signal
import subprocess

import power
from harness import TIME_FACTOR, E2eTest, Hub, config_map, main, objects, program

SEED = int(os.environ.get("WH_POWERCUT_SEED", "20261123"))
ATTEMPTS = 40
KEPT = objects("default", "configmaps", "kept")


class Restore(E2eTest):
    @classmethod
    def prepare(cls):
        hub = Hub(cls.world)
        hub.api.create(objects("default", "configmaps"), config_map("kept", "kept"))
        cls.backup = cls.world.path("hub.backup")
        cls.world.whctl("backup", cls.backup, hub=hub)
        cls.key = os.path.join(hub.folder, "encryption.key")
        hub.kill()

    def restore_and_cut(self, disk, seed, after):
        """True if the command said that it was done before the power went."""
        shutil.rmtree(disk + ".powercut", ignore_errors=True)
        done = subprocess.run([program("wheelhouse-hub"), "restore", self.backup, "--data-dir", f"{disk}/data",
                               "--encryption-key-file", self.key], capture_output=True, text=True, check=False,
                              timeout=60 * TIME_FACTOR,
                              env={**os.environ, **power.environment(disk, seed, after, at_exit=True)})
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        return power.report(disk)["at"] == "exit"

    def test_a_restored_folder_is_whole_or_not_there(self):
        chaos = random.Random(SEED)
        told = 0
        for attempt in range(ATTEMPTS):
            disk = self.world.path(f"disk-{attempt}")
            os.mkdir(disk)
            after = chaos.choice((0, chaos.randint(1, 60)))
            said_done = self.restore_and_cut(disk, chaos.getrandbits(32), after)
            named = os.path.exists(f"{disk}/data")
            told += said_done
            with self.subTest(seed=SEED, attempt=attempt, after=after, said_done=said_done):
                self.assertTrue(named or not said_done, "a restored folder is gone")
                if not named:  # then the command can be repeated
                    self.assertTrue(self.restore_and_cut(disk, chaos.getrandbits(32), 0))
                hub = Hub(self.world, f"restored-{attempt}", folder=f"{disk}/data")
                self.assertIsNotNone(hub.api.find(KEPT), "the restored hub is another, or empty")
                hub.kill()
        self.assertGreater(told, ATTEMPTS // 4)
        self.assertLess(told, ATTEMPTS)


if __name__ == "__main__":
    main()
