"""Mistakes of those who start wheelhouse-sim: a clear error before anything happens, and nothing is left behind."""

import os

from harness import E2eTest, Hub, free_port, main
from scale_harness import processes_with, scenario, simulate, simulate_with_descriptors


class ScaleBadInput(E2eTest):
    @classmethod
    def prepare(cls):
        cls.plan = scenario(cls.world, "plan.yaml", ["join"])

    def refused(self, *arguments, code=2, parts=(), lines=1, **options):
        """One line, unless told otherwise, and no folder."""
        out = self.world.path("out")
        words = arguments if "--out" in arguments else ("--out", out, *arguments)
        done = simulate(self.world, *words, seconds=60, **options)
        self.assert_refused(done, *parts, code=code)
        said = [line for line in done.stderr.splitlines() if not line.startswith("20 clusters, scenario tiny, seed 1")]
        if lines:
            self.assertEqual(len(said), lines, done.stderr)
        self.assertTrue(said[0].startswith("wheelhouse-sim: "), done.stderr)
        self.assertFalse(os.path.exists(out), done.stderr)
        self.assertEqual(processes_with(out), [])
        return done

    def test_1_scenarios(self):
        self.refused("--scenario", "smal", parts=['"smal"', "did you mean small?", "default, edge, idle, small"])
        self.refused("--scenario", "nowhere.yaml", parts=["nowhere.yaml", "No such file"])
        self.refused("--scenario", self.world.folder, parts=[self.world.folder])
        wrong = self.world.write("wrong.yaml", "name: wrong\nfleet:\n  regions:\n    - {name: a, share: -1}\nphases: [join, fanout]\n")
        self.refused("--scenario", wrong, lines=2, parts=["wrong.yaml:4: fleet.regions[0].share", "wrong.yaml:5: phases[1]",
                                                          "did you mean fan_out?"])
        self.refused("--scenario", self.world.write("half.yaml", "name: [\n"), parts=["half.yaml"])
        self.refused("--scenario", self.world.write("empty.yaml", ""), parts=["empty.yaml", "nothing in it"])
        self.refused("--scenario", self.world.write("latency.yaml", "name: far\nfleet: {regions: [{name: a, latency: 80}]}\nphases: [join]\n"),
                     parts=["fleet.regions[0].latency"])

    def test_2_flags(self):
        self.refused("--clusters", "many", parts=["--clusters"])
        self.refused("--clusters", "100001", parts=["--clusters", "100000"])
        self.refused("--clusters", "-5", parts=["--clusters"])
        self.refused("--prefix", "Upper_Case", parts=["--prefix", "a-z", "Upper_Case"])
        self.refused("--prefix", "p" * 51, parts=["--prefix", "at most 50"])
        self.refused("--patience", "10", parts=["--patience", "duration"])
        self.refused("--patience", "10ms", parts=["--patience", "at least 1s"])
        self.refused("--wat", parts=["--wat"])
        done = simulate(self.world)
        self.assert_refused(done, "--out", code=2)
        for flag in ("--keep-data", "--hub-flag=--history-age=10m", "--hub-program=/bin/true"):
            self.refused("--kubeconfig", "x", flag, parts=["--kubeconfig", flag.split("=")[0]])

    def test_3_more_clusters_than_the_machine_allows_are_refused_with_numbers(self):
        out = self.world.path("out")
        done = simulate_with_descriptors(self.world, 300, "--out", out, "--scenario", "small", "--clusters", "100")
        self.assert_refused(done, "100 clusters do not fit", "356 open files", "the hard limit is 300", code=1)
        self.assertFalse(os.path.exists(out))
        self.refused("--clusters", "90000", code=1, parts=["90000 clusters do not fit", "at most 15000 links"])

    def test_4_result_folders(self):
        a_file = self.world.write("a-file", "keep me")
        for out in (a_file, a_file + "/below"):
            self.refused("--out", out, "--scenario", self.plan, code=1, parts=["--out", a_file])
        with open(a_file, encoding="utf-8") as file:
            self.assertEqual(file.read(), "keep me")
        self.refused("--out", "/proc/nowhere", "--scenario", self.plan, code=1, parts=["--out", "/proc/nowhere"])
        left = self.world.path("left")
        os.makedirs(left + "/hub-data")
        self.refused("--out", left, "--scenario", self.plan, code=1, parts=["left/hub-data is there already", "--keep-data"])
        self.assertEqual(os.listdir(left), ["hub-data"])
        if os.geteuid() != 0:
            closed = self.world.path("closed")
            os.makedirs(closed, mode=0o500)
            self.refused("--out", closed, "--scenario", self.plan, code=1, parts=["closed cannot be written to"])

    def test_5_kubeconfigs(self):
        self.refused("--kubeconfig", "/nowhere", "--scenario", self.plan, code=1, parts=["/nowhere", "No such file"])
        garbage = self.world.write("garbage", "\x01\x02: [")
        self.refused("--kubeconfig", garbage, "--scenario", self.plan, code=1, parts=["garbage"])
        hub = Hub(self.world)
        with open(hub.kubeconfig, encoding="utf-8") as file:
            text = file.read()
        dead = self.world.write("dead.kubeconfig", text.replace(f":{hub.api.port}", f":{free_port()}"))
        self.refused("--kubeconfig", dead, "--scenario", self.plan, code=1, parts=["refused"])
        hub.kill()
        self.refused("--kubeconfig", hub.kubeconfig, "--scenario", self.plan, code=1, parts=["refused"])

    def test_6_hubs_that_do_not_start(self):
        self.refused("--hub-program", "/nowhere/hub", "--scenario", self.plan, code=1, parts=["/nowhere/hub", "No such file"])
        self.refused("--hub-program", "/bin/true", "--scenario", self.plan, code=1, parts=["ended before it was ready (exit code 0)", "wrote nothing"])
        # A hub that has said why: its words, and its log stays for the rest.
        out = self.world.path("unwilling")
        done = simulate(self.world, "--out", out, "--scenario", self.plan, "--hub-flag=--no-such-flag")
        self.assert_refused(done, "ended before it was ready (exit code 2)", "--no-such-flag", code=1)
        self.assertEqual(os.listdir(out), ["hub.log"])


if __name__ == "__main__":
    main()
