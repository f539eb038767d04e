"""Days on which wheelhouse-sim's run goes wrong: it says what, ends soon, and leaves nothing lying about."""

import os
import resource
import shutil
import signal
import socket
import time

from harness import CLUSTERS, TIME_FACTOR, E2eTest, Hub, eventually, main
from scale_harness import (RESULT_FILES, Run, problems_of, processes_with, read_results, scenario, simulate)


def raise_descriptor_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard if hard != resource.RLIM_INFINITY else 1 << 20


class ScaleBadDays(E2eTest):
    @classmethod
    def prepare(cls):
        cls.long = scenario(cls.world, "long.yaml", ["join", "fan_out", "steady: {for: 10m, probes: 0}"])
        cls.slow_join = scenario(cls.world, "slow-join.yaml", ["join: {rate: 0.5}"])
        cls.much = scenario(cls.world, "much.yaml", ["join", "fan_out: {works: 500, bytes: 64Ki}"])
        cls.restart = scenario(cls.world, "restart.yaml", ["join", "restart: {downtime: 10m}"])
        cls.pause = scenario(cls.world, "pause.yaml", ["join", "pause: {for: 10m}"])

    def test_1_a_hub_that_dies_is_reported_with_its_last_words(self):
        run = Run(self.world, "widow", "--scenario", self.long)
        run.reaches("steady")
        os.kill(run.hub_pid(), signal.SIGKILL)
        self.assertEqual(run.process.exit_code(30), 1, run.process.log())
        results = read_results(run.out)
        said = "\n".join(problems_of(results))
        self.assertIn("the hub has died: SIGKILL; its last words in", said)
        self.assertRegex(said, r"\n\d{4}-\d\d-\d\dT\S+ info ")
        self.assertIsNone(results["headline"]["lost"])
        self.assertEqual(sorted(os.listdir(run.out)), RESULT_FILES)
        with open(run.out + "/report.html", encoding="utf-8") as file:
            self.assertIn("the hub has died", file.read())
        self.assertEqual(processes_with(run.out), [])

    def moments(self):
        """Name, scenario, and how to tell that the moment has come."""
        return (
            ("start", self.long, lambda run: run.hub_pid()),
            ("join", self.slow_join, lambda run: run.reaches(" 1/1 join")),
            ("fan-out", self.much, lambda run: run.reaches("join          20 of")),
            ("steady", self.long, lambda run: run.reaches("fan-out       20 of")),
            ("restart", self.restart, lambda run: (run.reaches("join          20 of"), time.sleep(0.5))),
            ("pause", self.pause, lambda run: (run.reaches("join          20 of"), time.sleep(0.5))),
        )

    def assert_interrupted(self, run, number):
        code, took = run.interrupt(number)
        self.assertEqual(code, 130, run.process.log())
        self.assertLess(took, 15 * TIME_FACTOR, run.process.log())
        self.assertIn("interrupted; nothing is left of the run", run.process.log())
        self.assertEqual(processes_with(run.out), [])

    def test_2_interrupted_at_any_moment_it_ends_soon_and_leaves_nothing(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for name, plan, wait in self.moments():
                with self.subTest(moment=name, signal=number):
                    parent = self.world.path(f"made-{name}-{int(number)}")
                    run = Run(self.world, f"{name}-{int(number)}", "--scenario", plan, folder=parent + "/below/")
                    wait(run)
                    self.assert_interrupted(run, number)
                    self.assertFalse(os.path.exists(parent))

    def test_2_interrupted_while_a_hub_does_not_come_up(self):
        sleeper = self.world.write("sleeper", "#!/bin/sh\nexec sleep 600 # \"$@\"\n")
        os.chmod(sleeper, 0o755)
        run = Run(self.world, "sleeping", "--scenario", self.long, "--hub-program", sleeper)
        eventually("the run waits for its hub", lambda: os.path.exists(run.out + "/hub.log"))
        self.assert_interrupted(run, signal.SIGINT)
        self.assertFalse(os.path.exists(run.out))

    def test_3_an_interrupted_run_leaves_what_was_in_its_folder_before(self):
        for keep in ((), ("--keep-data",)):
            out = self.world.path("used")
            os.makedirs(out)
            before = {"mine.txt": "mine", "hub.log": "of an earlier run\n", "results.json": "{}"}
            for name, text in before.items():
                self.world.write(f"used/{name}", text)
            run = Run(self.world, f"used-{len(keep)}", "--scenario", self.long, *keep, folder=out)
            run.reaches("fan-out       20 of")
            self.assertGreater(os.path.getsize(out + "/hub.log"), len(before["hub.log"]))
            self.assert_interrupted(run, signal.SIGINT)
            after = {}
            for name in os.listdir(out):
                with open(os.path.join(out, name), encoding="utf-8") as file:
                    after[name] = file.read()
            self.assertEqual(after, before)
            shutil.rmtree(out)

    def test_4_an_attached_hub_that_does_not_answer_holds_no_run(self):
        hub = Hub(self.world)
        plan = scenario(self.world, "attached.yaml", ["join", "steady: {for: 2s, probes: 2}", "fan_out"])
        run = Run(self.world, "held", "--scenario", plan, "--kubeconfig", hub.kubeconfig, "--patience", "3s")
        run.reaches("join          20 of")
        hub.process.child.send_signal(signal.SIGSTOP)
        try:
            self.assertEqual(run.process.exit_code(60), 1, run.process.log())
            results = read_results(run.out)
            self.assertRegex("\n".join(problems_of(results)), "given up|no answer within")
            self.assertIsNone(results["headline"]["lost"])
        finally:
            hub.process.child.send_signal(signal.SIGCONT)
        # And one that is interrupted then does not wait for the hub either.
        again = Run(self.world, "held-again", "--scenario", plan, "--kubeconfig", hub.kubeconfig, "--prefix", "again")
        again.reaches("join          20 of")
        hub.process.child.send_signal(signal.SIGSTOP)
        try:
            code, took = again.interrupt()
        finally:
            hub.process.child.send_signal(signal.SIGCONT)
        self.assertEqual(code, 130, again.process.log())
        self.assertLess(took, 15 * TIME_FACTOR)
        self.assertIn("still there: clusters called again-", again.process.log())
        self.assertFalse(os.path.exists(again.out))

    def test_5_a_store_that_is_full_fails_the_run_and_does_not_hold_it(self):
        plan = scenario(self.world, "full.yaml", ["join", "fan_out: {works: 20, bytes: 128Ki}", "steady: {for: 2s, probes: 2}"])
        out = self.world.path("full")
        done = simulate(self.world, "--scenario", plan, "--out", out, "--hub-flag=--store-quota=16", "--patience", "5s", seconds=120)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        results = read_results(out)
        fan_out = results["phases"][1]
        self.assertEqual((fan_out["name"], fan_out["wanted"]), ("fan-out", 400))
        self.assertGreater(fan_out["failed"], 0)
        self.assertEqual(results["headline"]["lost"], 0)
        self.assertRegex("\n".join(problems_of(results)), "quota|full|read-only")
        self.assertEqual(sorted(os.listdir(out)), RESULT_FILES)

    def test_6_half_open_connections_do_not_keep_a_fleet_away(self):
        hub = Hub(self.world, "crowded")
        host, port = hub.addresses["link"].rsplit(":", 1)
        count = max(1000, min(10000, raise_descriptor_limit() - 1000))
        crowd = []
        try:
            for n in range(count):
                one = socket.socket()
                # Spread over addresses, as no one of them has so many ports to spare.
                one.bind((f"127.9.{n // 250}.{1 + n % 250}", 0))
                one.settimeout(10 * TIME_FACTOR)
                one.connect((host, int(port)))
                if n % 2:
                    one.send(b"\x16\x03\x01")  # the first bytes of a handshake that goes no further
                crowd.append(one)
            plan = scenario(self.world, "crowded.yaml", ["join", "fan_out", "storm: {downtime: 300ms}"])
            done = simulate(self.world, "--scenario", plan, "--out", self.world.path("crowd"), "--kubeconfig", hub.kubeconfig)
        finally:
            for one in crowd:
                one.close()
        self.assertEqual(len(crowd), count)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(eventually("the hub answers", lambda: hub.api.items(CLUSTERS))), 20)

    def test_7_a_full_disk_under_the_hub_ends_the_run(self):
        if os.geteuid() != 0:
            self.skipTest("a small disk can only be mounted by root")
        disk = self.world.path("disk")
        os.makedirs(disk)
        mounted = self.world.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", disk], check=False)
        if mounted.returncode != 0:
            self.skipTest("a small disk cannot be mounted here: " + mounted.stderr)
        try:
            plan = scenario(self.world, "disk.yaml", ["join", "fan_out: {works: 20, bytes: 64Ki}"])
            out = disk + "/out"
            done = simulate(self.world, "--scenario", plan, "--out", out, "--patience", "5s", seconds=120)
            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
            self.assertRegex(done.stdout + done.stderr, "(?i)no space|disk|died")
            self.assertEqual(processes_with(out), [])
        finally:
            self.world.run(["umount", "-l", disk], check=False)


if __name__ == "__main__":
    main()
