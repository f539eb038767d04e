"""Crashes: kill -9 of hub and spokes while works are written; a spoke alone without its hub."""

import http.client
import random
import threading
import time

from harness import (TIME_FACTOR, Api, ApiError, E2eTest, Hub, config_map, eventually, holds, main, manifest_work,
                     objects, works)

CLUSTERS = ("c1", "c2")
ROUNDS = 6


class Writer(threading.Thread):
    """Writes works all the time and remembers what the hub has acknowledged."""

    def __init__(self, hub, seed):
        super().__init__(daemon=True)
        self.hub = hub
        self.random = random.Random(seed)
        self.stop = threading.Event()
        self.acknowledged = {}  # (cluster, name) -> value, or None once its deletion was acknowledged
        self.possible = {}      # (cluster, name) -> values whose fate is open: sent later, never answered
        self.count = 0

    def run(self):
        api = None
        while not self.stop.is_set():
            try:
                api = api or Api.from_kubeconfig(self.hub.kubeconfig)
                self.write(api)
            except (OSError, http.client.HTTPException, ApiError):
                api = None
                time.sleep(0.02)
            time.sleep(0.005)

    def write(self, api):
        self.count += 1
        key = (self.random.choice(CLUSTERS), f"w{self.random.randrange(12)}")
        present = api.find(works(*key))
        if present and "deletionTimestamp" in present["metadata"]:
            return  # what is written into it now goes with it
        value = str(self.count)
        if present and self.random.random() < 0.15:
            value = None
        self.possible.setdefault(key, set()).add(value)
        if value is None:
            api.delete(works(*key))
        elif not present:
            api.create(works(key[0]), manifest_work(key[1], [config_map(key[1], value)]))
        else:
            api.merge(works(*key), {"spec": {"workload": {"manifests": [config_map(key[1], value)]}}})
        self.acknowledged[key] = value
        self.possible[key] = set()


def value_of(work):
    return work["spec"]["workload"]["manifests"][0]["data"]["value"]


class Resilience(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.spokes = dict(zip(CLUSTERS, cls.world.joined_spokes(cls.hub, *CLUSTERS)))

    def check_acknowledged(self, writer):
        """What was acknowledged last is there, or something sent after it whose answer was lost."""
        for key, value in writer.acknowledged.items():
            work = self.hub.api.find(works(*key))
            deleting = work is None or "deletionTimestamp" in work["metadata"]
            found = None if deleting else value_of(work)
            self.assertIn(found, {value} | writer.possible[key], f"{key}: the hub forgot an acknowledged write")

    def differences(self, cluster):
        """What of a cluster is not as its works on the hub say."""
        wrong = []
        wanted = {}
        for work in self.hub.api.items(works(cluster)):
            name = work["metadata"]["name"]
            if "deletionTimestamp" in work["metadata"]:
                wrong.append(f"{name} is still being deleted")
                continue
            wanted[name] = value_of(work)
            if not (holds(work, "Applied") and holds(work, "Available")):
                wrong.append(f"{name} does not report success: {work.get('status', {}).get('conditions')}")
        found = {m["metadata"]["name"]: m["data"]["value"]
                 for m in self.spokes[cluster].api.items(objects("default", "configmaps"))
                 if m["metadata"]["name"].startswith("w")}
        if found != wanted:
            wrong.append(f"objects are {found}, should be {wanted}")
        return wrong

    def test_1_kill_9_in_a_loop_loses_nothing_acknowledged_and_everything_converges(self):
        seed = 20260101
        writer = Writer(self.hub, seed)
        chaos = random.Random(seed)
        writer.start()
        for _ in range(ROUNDS):
            time.sleep(chaos.uniform(0.1, 0.6) * TIME_FACTOR)
            victim = chaos.choice(("hub", "hub", "c1", "c2"))
            if victim == "hub":
                self.hub.kill()
                self.hub.start()
            else:
                self.spokes[victim].kill()
                self.spokes[victim].start()
        time.sleep(0.5 * TIME_FACTOR)
        writer.stop.set()
        writer.join(30 * TIME_FACTOR)
        self.assertGreater(len(writer.acknowledged), 10, "the test wrote too little to mean anything")
        self.check_acknowledged(writer)
        for cluster in CLUSTERS:
            last = []

            def converged(c=cluster):
                last[:] = self.differences(c)
                return not last

            try:
                eventually(f"{cluster} converges", converged, 40)
            except AssertionError as e:
                raise AssertionError(f"seed {seed}: {e}\n" + "\n".join(last)) from None

    def test_2_a_spoke_repairs_alone_and_after_its_own_restart(self):
        self.hub.api.create(works("c1"), manifest_work("alone", [config_map("alone", "right")]))
        eventually("the work arrives", lambda: holds(self.hub.api.get(works("c1", "alone")), "Available"))
        path = objects("default", "configmaps", "alone")
        self.hub.kill()
        spoke = self.spokes["c1"]
        api = spoke.api
        api.merge(path, {"data": {"value": "wrong"}})
        eventually("repaired without the hub", lambda: api.get(path)["data"]["value"] == "right", 3)
        spoke.kill()
        spoke.start()
        api = spoke.api
        self.assertEqual(eventually("still there", lambda: api.find(path))["data"]["value"], "right")
        api.delete(path)
        eventually("repaired after a restart without the hub",
                   lambda: (found := api.find(path)) and found["data"]["value"] == "right", 5)

    def test_3_the_hub_returns_and_the_change_made_meanwhile_wins(self):
        self.hub.start()
        self.hub.api.merge(works("c1", "alone"),
                           {"spec": {"workload": {"manifests": [config_map("alone", "newer")]}}})
        api = self.spokes["c1"].api
        eventually("the newer value arrives",
                   lambda: api.get(objects("default", "configmaps", "alone"))["data"]["value"] == "newer", 30)
        eventually("and is reported", lambda: holds(self.hub.api.get(works("c1", "alone")), "Applied"))

    def test_4_a_work_deleted_while_the_spoke_is_away_is_removed_on_its_return(self):
        spoke = self.spokes["c1"]
        spoke.kill()
        self.hub.api.delete(works("c1", "alone"))
        self.assertIsNotNone(self.hub.api.find(works("c1", "alone")), "only the spoke may say that it is gone")
        spoke.start()
        eventually("the work is gone", lambda: not self.hub.api.find(works("c1", "alone")), 30)
        self.assertIsNone(spoke.api.find(objects("default", "configmaps", "alone")))


if __name__ == "__main__":
    main()
