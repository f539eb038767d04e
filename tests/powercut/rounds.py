"""Rounds of work, power cut, restart and check, on one hub and one spoke that live through all of them."""

import collections
import http.client
import random
import shutil
import subprocess
import time

import power  # noqa: F401 (tells where the harness is)
from harness import APPLIED_WORKS, TIME_FACTOR, Api, World, config_map, eventually, program
from ledger import CONFIG_MAPS, SECRETS, Ledger, leases_of, reader, works_of, writer
from machines import PoweredHub, PoweredSpoke, same_authority
from watchers import Order, WatchClient, Watcher, catch_up

CLUSTER = "c1"
WORKS = works_of(CLUSTER)
EVERYWHERE = ("/api/v1/namespaces", "/api/v1/nodes", "/apis/rbac.authorization.k8s.io/v1/clusterroles")
GONE = (OSError, http.client.HTTPException)  # what a client sees of a power cut


class Rounds:
    def __init__(self, seed, lying=()):
        """`lying`: whose disks say that they have synced, and have not."""
        self.seed = seed
        self.chaos = random.Random(seed)
        self.round = 0
        self.world = World()
        self.calm = False  # true while nobody is to be cut
        self.rounds_of = collections.Counter()
        self.cuts = []  # the reports of all machines
        self.hub_ledger = Ledger((CONFIG_MAPS, SECRETS, WORKS), "w", watched=(leases_of(CLUSTER),))
        self.spoke_ledger = Ledger((CONFIG_MAPS,), "u")
        try:
            self.hub = PoweredHub(self.world, self.chaos, nosync="hub" in lying)
            self.hub.start()
            self.join = self.hub.join_command(CLUSTER)
            self.spoke = PoweredSpoke(self.world, self.chaos, CLUSTER, self.join, "spoke" in lying)
            self.spoke.start()
            self.world.whctl("accept", CLUSTER, "--wait", f"{int(30 * TIME_FACTOR)}s", hub=self.hub)
            self.hub_watchers = self.watchers(self.hub_ledger, (CONFIG_MAPS, SECRETS), self.hub.api)
            self.spoke_watchers = self.watchers(self.spoke_ledger, (CONFIG_MAPS,), self.spoke.api)
        except BaseException:
            self.close(failed=True)
            raise

    @staticmethod
    def watchers(ledger, kinds, api):
        """Three of each kind: each is cut at another place."""
        return [Watcher(order) for order in (Order(ledger, kind, api) for kind in kinds) for _ in range(3)]

    def close(self, failed):
        self.world.close(failed)

    def run(self, rounds, progress=lambda _: None):
        """Raises AssertionError as soon as a promise is broken, with seed and round."""
        for self.round in range(1, rounds + 1):
            try:
                self.one_round()
                if self.round % 20 == 0 or self.round == rounds:
                    self.converge()
            except Exception as e:
                last = {m.process.name: m.cuts[-1] for m in (self.hub, self.spoke) if m.cuts}
                raise AssertionError(f"seed {self.seed}, round {self.round}, last cuts {last}: "
                                     f"{type(e).__name__}: {e}") from e
            progress(self)

    def one_round(self):
        drawn = self.chaos.random()
        if drawn < 0.12:
            self.fresh_hub()
        elif drawn < 0.17:
            self.fresh_spoke()
        else:
            self.cut_while_writing()

    def count(self, kind):
        self.rounds_of[kind] += 1

    def some_event(self):
        """0: none. Few: while it starts. Many: while it works."""
        return 0 if self.calm else self.chaos.choice((0, self.chaos.randint(1, 40), self.chaos.randint(40, 400)))

    def early_event(self):
        """Of a first start. The first twenty make the store, in whose middle most can go wrong."""
        return self.chaos.choice((self.chaos.randint(1, 20), self.chaos.randint(1, 90)))

    def cut_while_writing(self):
        victim = self.chaos.choice((self.hub, self.spoke))
        self.count(f"{victim.process.name} at work")
        try:
            clients = self.clients()
        except FileNotFoundError:
            # A cut right after the start took the kubeconfig back, which was there a moment ago.
            if not (self.spoke.gone() or self.hub.gone()):
                raise
            return self.restart_the_dead()
        for _, client in clients:
            client.start()
        # Slow programs need longer to have something under way, but waiting is no test.
        limit = time.monotonic() + self.chaos.uniform(0.01, 0.3) * min(TIME_FACTOR, 3)
        while time.monotonic() < limit and self.hub.alive() and self.spoke.alive():
            time.sleep(0.002)
        victim.cut()
        for _, client in clients:
            client.stop()
        for machine, client in clients:
            client.join(30 * TIME_FACTOR)
            assert not client.is_alive(), "a request was never answered"
            if client.failure:
                raise client.failure
            if client.lost and machine is not victim and not machine.gone():
                raise client.lost
        victim.process.exit_code(10)
        self.restart_the_dead()

    def clients(self):
        """Who uses which machine. Connections are not shared: each is used by one thread."""
        hub, spoke = self.hub, self.spoke
        used = [(hub, writer(self.api_of(hub), self.hub_ledger, kind, self.chaos.getrandbits(32)))
                for kind in self.hub_ledger.kinds]
        used.append((hub, reader(self.api_of(hub), self.hub_ledger)))
        used.append((spoke, writer(self.api_of(spoke), self.spoke_ledger, CONFIG_MAPS, self.chaos.getrandbits(32))))
        used += [(hub, WatchClient(self.api_of(hub), w)) for w in self.hub_watchers]
        used += [(spoke, WatchClient(self.api_of(spoke), w)) for w in self.spoke_watchers]
        return used

    def api_of(self, machine):
        return Api.from_kubeconfig(machine.kubeconfig)

    def restart_the_dead(self):
        for machine, ledger in ((self.hub, self.hub_ledger), (self.spoke, self.spoke_ledger)):
            while not machine.alive():
                self.revive(machine, ledger)

    def revive(self, machine, ledger):
        machine.bury()
        self.cuts.append(machine.cuts[-1])
        before = len(machine.cuts)
        machine.start(self.some_event())
        self.cuts += machine.cuts[before:]
        try:
            ledger.check(self.api_of(machine))
            if machine is self.spoke:
                self.hub_ledger.check_applied(WORKS, self.api_of(machine))
                self.spoke_ledger.check_uids(self.api_of(machine), (*EVERYWHERE, APPLIED_WORKS, CONFIG_MAPS.collection))
        except GONE:
            if not machine.gone():
                raise

    def converge(self):
        """Everything that was written arrives, once nobody is cut any more."""
        last = []
        self.calm = True

        def converged():
            self.restart_the_dead()
            last[:] = self.hub_ledger.differences(WORKS, self.hub.api, self.spoke.api)
            return not last

        try:
            eventually("the cluster converges", converged, 40)
        except AssertionError as e:
            raise AssertionError(f"{e}\n" + "\n".join(last)) from None
        eventually("every watcher has seen everything", self.caught_up, 60)
        self.calm = False

    def caught_up(self):
        self.restart_the_dead()  # a cut that was armed before may come as late as now
        catch_up(self.hub_watchers, self.hub.api)
        catch_up(self.spoke_watchers, self.spoke.api)
        return True

    def fresh_hub(self):
        """A hub that is cut while it creates its folder, and once more after it was ready."""
        self.count("hub at its first start")
        hub = PoweredHub(self.world, self.chaos, f"fresh-hub-{self.round}", self.hub.nosync)
        hub.start(*(self.early_event() for _ in range(3)))
        trusted = hub.api
        acknowledged = False
        try:
            trusted.create(CONFIG_MAPS.collection, config_map("kept", "kept"))
            acknowledged = True
            hub.cut()
        except GONE:
            pass
        hub.bury()
        hub.start()
        assert same_authority(trusted, hub), "the hub's CA is another than the one it had shown"
        if acknowledged:
            hub.api.get(f"{CONFIG_MAPS.collection}/kept")
        self.discard(hub)

    def fresh_spoke(self):
        """A spoke that is cut while it creates its folder, and while it joins."""
        self.count("spoke at its first start")
        name = f"fresh-{self.round}"
        join = [name if word == CLUSTER else word for word in self.join]
        spoke = PoweredSpoke(self.world, self.chaos, name, join, self.spoke.nosync)
        cuts_left = 3
        accepting = None
        limit = time.monotonic() + 60 * TIME_FACTOR
        while True:
            assert time.monotonic() < limit, f"{name} does not join:\n{spoke.process.log()[-3000:]}"
            self.restart_the_dead()
            if spoke.process is None or not spoke.alive():
                if spoke.process:
                    spoke.bury()
                spoke.start(*(self.early_event() for _ in range(min(cuts_left, 1))))
                cuts_left -= 1
            if accepting is None:
                accepting = subprocess.Popen([program("whctl"), "--kubeconfig", self.hub.kubeconfig, "accept", name,
                                              "--wait", "30s"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if accepting.poll() == 0:
                break
            if accepting.poll() is not None:
                accepting = None  # the hub had its own cut
            time.sleep(0.005)
        self.discard(spoke)

    def discard(self, machine):
        if machine.alive():
            machine.cut()
        machine.bury()
        self.cuts += machine.cuts
        shutil.rmtree(machine.disk)
        shutil.rmtree(machine.disk + ".powercut")
