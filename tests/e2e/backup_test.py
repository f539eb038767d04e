"""Backup, verification, restore, schedules, secrets at rest and their keys, quota: on the real programs."""

import base64
import glob
import json
import os
import random
import shutil
import threading
import time

from harness import (CLUSTERS, E2eTest, Hub, Spoke, condition, config_map, eventually, holds, main, manifest_work,
                     objects, program, works)

PASSWORD = "correct-horse-battery-staple-4711"


def secret(name, password=PASSWORD):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"},
            "data": {"password": base64.b64encode(password.encode()).decode()}}


def on_disk(folder, text):
    """Files below a folder whose bytes contain the text, plain or as the API writes it."""
    wanted = (text.encode(), base64.b64encode(text.encode()))
    found = []
    for path in glob.glob(os.path.join(folder, "**"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                content = file.read()
            if any(w in content for w in wanted):
                found.append(path)
    return found


class Stopped:
    """Commands for folders that no process uses."""

    def __init__(self, world, binary, folder):
        self.world, self.binary, self.folder = world, binary, folder

    def run(self, command, *arguments, check=True):
        return self.world.run([program(self.binary), command, *arguments, "--data-dir", self.folder], check=check)

    def verify(self, *arguments):
        done = self.run("verify", "-o", "json", *arguments, check=False)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


class Backup(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.spoke, = cls.world.joined_spokes(cls.hub, "c1")

    def stopped_hub(self, folder=None):
        return Stopped(self.world, "wheelhouse-hub", folder or self.hub.folder)

    def test_01_secrets_and_private_keys_are_not_readable_on_disk(self):
        api = self.hub.api
        api.create(objects("default", "secrets"), secret("mine"))
        api.create(works("c1"), manifest_work("with-secret", [secret("theirs")]))
        api.create(objects("default", "configmaps"), config_map("plain", "to-be-read-4711"))
        eventually("applied", lambda: holds(api.get(works("c1", "with-secret")), "Available"))
        stored = self.spoke.api.get(objects("default", "secrets", "theirs"))
        self.assertEqual(base64.b64decode(stored["data"]["password"]).decode(), PASSWORD)
        self.assertEqual(on_disk(self.hub.folder, PASSWORD), [])
        self.assertEqual(on_disk(self.spoke.folder, PASSWORD), [])
        self.assertIsNone(self.spoke.stolen_identity())
        self.assertNotEqual(on_disk(self.hub.folder, "to-be-read-4711"), [], "this check cannot find anything")

    def test_02_a_backup_of_a_busy_hub_is_sound(self):
        api = self.hub.api
        stop = threading.Event()

        def write():
            mine = type(api).from_kubeconfig(self.hub.kubeconfig)
            n = 0
            while not stop.is_set():
                mine.create(objects("default", "configmaps"), config_map(f"busy-{n}", "x" * 500))
                n += 1

        writers = [threading.Thread(target=write)]
        for writer in writers:
            writer.start()
        try:
            for n in range(3):
                path = self.world.path(f"busy-{n}.backup")
                self.world.whctl("backup", path, hub=self.hub)
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
                code, found = Stopped(self.world, "wheelhouse-hub", self.hub.folder).verify("--backup", path)
                self.assertEqual(code, 0, found)
                self.assertTrue(found["sound"])
        finally:
            stop.set()
            for writer in writers:
                writer.join()
        self.assertEqual(on_disk(self.world.folder, PASSWORD), [], "a backup shows secrets")
        self.assertEqual(glob.glob(os.path.join(self.hub.folder, "spool", "*")), [])

    def test_03_backup_explains_what_it_cannot_do(self):
        path = self.world.path("busy-0.backup")
        self.assert_refused(self.world.whctl("backup", path, hub=self.hub, check=False), path, "exists")
        missing = self.world.path("no-such-folder/b")
        self.assert_refused(self.world.whctl("backup", missing, hub=self.hub, check=False), missing)
        done = self.stopped_hub().run("verify", check=False)
        self.assert_refused(done, "in use by process")
        with open(path, "rb") as file:
            content = bytearray(file.read())
        content[len(content) // 2] ^= 1
        with open(path, "wb") as file:
            file.write(content)
        done = self.stopped_hub().run("verify", "--backup", path, check=False)
        self.assert_refused(done, path, "damaged")
        done = self.stopped_hub(self.world.path("never")).run("restore", path, check=False)
        self.assert_refused(done, path, "damaged")
        self.assertFalse(os.path.exists(self.world.path("never")))

    def test_04_a_hub_restored_from_an_old_backup_keeps_its_fleet_and_loses_no_newer_work(self):
        api = self.hub.api
        api.create(works("c1"), manifest_work("old", [config_map("old", "at-backup")]))
        eventually("old arrives", lambda: holds(api.get(works("c1", "old")), "Available"))
        path = self.world.path("old.backup")
        self.world.whctl("backup", path, hub=self.hub)
        revision = int(api.get(works("c1", "old"))["metadata"]["resourceVersion"])

        api.merge(works("c1", "old"), {"spec": {"workload": {"manifests": [config_map("old", "after-backup")]}}})
        api.create(works("c1"), manifest_work("newer", [config_map("newer", "1")]))
        eventually("newer arrives", lambda: holds(api.get(works("c1", "newer")), "Available"))
        last = int(api.get(works("c1", "newer"))["metadata"]["resourceVersion"])
        self.hub.kill()

        key = os.path.join(self.hub.folder, "encryption.key")
        lost = self.hub.folder
        restored = self.world.path("restored")
        done = self.stopped_hub(restored).run("restore", path, check=False)
        self.assert_refused(done, "--encryption-key-file")
        done = self.stopped_hub(restored).run("restore", path, "--encryption-key-file", key)
        self.assertIn("incarnation", done.stdout)
        shutil.rmtree(lost)
        self.hub.folder = restored
        self.hub.start()
        api = self.hub.api
        eventually("the spoke is back with its old certificate",
                   lambda: holds(api.get(works("c1", "old")), "Available"), 30)
        cluster = self.spoke.api
        behind = eventually("the hub says that it is behind",
                            lambda: holds(c := api.get(f"{CLUSTERS}/c1"), "HubBehind") and c, 30)
        message = condition(behind, "HubBehind")["message"]
        self.assertIn("old (generation 2, here 1)", message)
        self.assertIn("newer (unknown here)", message)
        time.sleep(1)
        self.assertEqual(cluster.get(objects("default", "configmaps", "old"))["data"]["value"], "after-backup",
                         "a restored hub must not undo what it has forgotten")
        self.assertEqual(cluster.get(objects("default", "configmaps", "newer"))["data"]["value"], "1",
                         "a restored hub must not delete what it has forgotten")
        api.merge(works("c1", "old"), {"spec": {"workload": {"manifests": [config_map("old", "decided")]}}})
        eventually("a decision on the restored hub counts again",
                   lambda: cluster.get(objects("default", "configmaps", "old"))["data"]["value"] == "decided", 30)
        eventually("and is reported", lambda: holds(api.get(works("c1", "old")), "Available"), 30)
        fresh = api.create(works("c1"), manifest_work("after", [config_map("after", "1")]))
        self.assertGreater(int(fresh["metadata"]["resourceVersion"]), max(last, revision))
        # Who made the newer work makes it again, and it takes over what is there.
        api.create(works("c1"), manifest_work("newer", [config_map("newer", "2")]))
        eventually("newer is taken over",
                   lambda: cluster.get(objects("default", "configmaps", "newer"))["data"]["value"] == "2", 30)
        eventually("and reported", lambda: holds(api.get(works("c1", "newer")), "Available"), 30)
        self.assertEqual(base64.b64decode(api.get(objects("default", "secrets", "mine"))["data"]["password"]).decode(),
                         PASSWORD)

    def test_05_a_watch_from_before_the_restore_is_told_to_list_again(self):
        status, answer = self.hub.api.raw("GET", objects("default", "configmaps") + "?watch=1&resourceVersion=5&timeoutSeconds=1")
        text = json.dumps(answer) if isinstance(answer, dict) else answer
        self.assertTrue(status == 410 or '"code":410' in text.replace(" ", ""), f"{status} {text}")

    def test_06_keys_are_rotated_and_switched_off(self):
        hub = self.stopped_hub()
        key_file = os.path.join(self.hub.folder, "encryption.key")
        self.hub.process.terminate()
        hub.run("new-key")
        with open(key_file, encoding="utf-8") as file:
            self.assertEqual(file.read().count("key: "), 2)
        self.hub.start()
        eventually("sealed anew", lambda: "older keys can be removed" in self.hub.process.log())
        self.hub.process.terminate()
        with open(key_file, encoding="utf-8") as file:
            lines = file.read().splitlines(keepends=True)
        with open(key_file, "w", encoding="utf-8") as file:
            file.write(lines[0])
        self.assertEqual(hub.verify()[0], 0)
        with open(key_file, "w", encoding="utf-8") as file:
            file.write(lines[1])
        done = self.world.run(self.hub.command(), check=False)
        self.assert_refused_log(done, "sealed with key", "lacks")
        with open(key_file, "w", encoding="utf-8") as file:
            file.write(lines[0])

        self.hub.flags = ["--encryption-key-file", "off"]
        self.hub.start()
        self.assertIn("NOT encrypted", self.hub.process.log())
        eventually("unsealed", lambda: "older keys can be removed" in self.hub.process.log())
        self.assertNotEqual(on_disk(os.path.join(self.hub.folder, "store"), PASSWORD), [])
        self.hub.process.terminate()
        os.remove(key_file)
        self.hub.start()
        self.assertEqual(base64.b64decode(
            self.hub.api.get(objects("default", "secrets", "mine"))["data"]["password"]).decode(), PASSWORD)
        self.hub.flags = []

    def assert_refused_log(self, done, *parts):
        """The hub did not start, and said why."""
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def test_065_a_backup_is_checked_without_any_folder(self):
        path = self.world.path("busy-1.backup")
        done = self.world.run([program("wheelhouse-hub"), "verify", "--backup", path])
        self.assertIn("sound", done.stdout)
        self.assert_refused(self.world.run([program("wheelhouse-hub"), "verify"], check=False), "--backup", code=2)

    def test_07_an_open_key_file_is_refused(self):
        path = self.world.path("open.key")
        self.world.run([program("wheelhouse-hub"), "new-key", "--data-dir", self.hub.folder,
                        "--encryption-key-file", path])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        os.chmod(path, 0o644)
        done = self.world.run([program("wheelhouse-hub"), "--data-dir", self.world.path("k"), "--encryption-key-file", path],
                              check=False)
        self.assert_refused_log(done, path, "chmod 600")

    def test_08_scheduled_backups_are_made_and_old_ones_go(self):
        self.hub.process.terminate()
        folder = self.world.path("backups")
        os.makedirs(folder)
        keep = os.path.join(folder, "wheelhouse-hub-mine.backup")
        with open(keep, "w", encoding="utf-8") as file:
            file.write("not one of the hub's")
        self.hub.flags = ["--backup-dir", folder, "--backup-interval", "1s", "--backup-keep", "2"]
        self.hub.start()

        def names():
            return sorted(n for n in os.listdir(folder) if n != os.path.basename(keep) and n.endswith(".backup"))

        first = eventually("a first one at once", names)[0]
        eventually("the first one is gone", lambda: names() and first not in names(), 40)
        self.assertLessEqual(len(names()), 3)
        self.assertTrue(os.path.exists(keep))
        self.hub.process.terminate()
        for name in names():
            code, found = self.stopped_hub().verify("--backup", os.path.join(folder, name))
            self.assertEqual(code, 0, found)
        self.hub.flags = []

    def test_09_verify_names_damage(self):
        folder = self.world.path("damaged")
        seed = 9
        chaos = random.Random(seed)
        found_some = 0
        for _ in range(8):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(self.hub.folder, folder)
            data = os.path.join(folder, "store", "data.mdb")
            used = json.loads(self.stopped_hub(folder).run("verify", "-o", "json").stdout)["stores"][0]["pages"]
            at = chaos.randrange(8192, (used["used"] + used["free"]) * 4096)
            with open(data, "r+b") as file:
                file.seek(at)
                old = file.read(16)
                file.seek(at)
                file.write(bytes(b ^ 0x5A for b in old))
            done = self.stopped_hub(folder).run("verify", check=False)
            self.assertIn(done.returncode, (0, 1), f"seed {seed}: verify crashed at damage {at}: {done.stderr}")
            if done.returncode == 1:
                found_some += 1
                self.assertTrue("DAMAGED" in done.stdout or "damaged" in done.stderr, done.stdout + done.stderr)
        self.assertGreater(found_some, 1, f"seed {seed}")

    def test_10_over_quota_the_hub_is_read_only_until_something_is_deleted(self):
        hub = Hub(self.world, "small", "--store-quota", "16", "--history-changes", "1000")
        body = "x" * 900_000
        made = []
        message = ""
        for n in range(60):
            status, answer = hub.api.raw("POST", objects("default", "configmaps"), config_map(f"big-{n}", body))
            if status == 201:
                made.append(f"big-{n}")
                continue
            message = answer["message"]
            self.assertEqual(status, 503, message)
            break
        self.assertIn("quota", message)
        self.assertGreater(len(made), 5)
        status, text = hub.api.raw("GET", "/readyz?verbose")
        self.assertEqual(status, 503)
        self.assertIn("quota", str(text))
        self.assertEqual(hub.api.get(objects("default", "configmaps", made[0]))["data"]["value"], body)
        for name in made[:6]:
            hub.api.delete(objects("default", "configmaps", name))
        eventually("writable again", lambda: hub.api.raw("GET", "/readyz")[0] == 200)
        hub.api.create(objects("default", "configmaps"), config_map("after", "1"))
        hub.process.terminate()
        self.assertEqual(self.stopped_hub(hub.folder).verify()[0], 0)


if __name__ == "__main__":
    main()
