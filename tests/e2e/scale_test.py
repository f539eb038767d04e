"""wheelhouse-sim live with 200 clusters: everything arrives, and what it says is what the hub holds. Nothing is timed."""

import os

from harness import CLUSTERS, E2eTest, Hub, main, program
from scale_harness import (RESULT_FILES, Run, external_references, problems_of, processes_with, read_results, scenario,
                           simulate)

ALL_WORKS = "/apis/work.open-cluster-management.io/v1/manifestworks"
SECRETS = "/api/v1/namespaces/kube-system/secrets"


def phase(results, name):
    return next(p for p in results["phases"] if p["name"] == name)


class Scale(E2eTest):
    def assert_all_done(self, results):
        self.assertEqual(results["schema"], "wheelhouse.io/sim-results/v1")
        self.assertEqual(results["headline"]["lost"], 0)
        self.assertEqual(problems_of(results), [])
        for each in results["phases"]:
            self.assertEqual((each["done"], each["failed"]), (each["wanted"], 0), each["name"])

    def assert_report(self, folder):
        with open(os.path.join(folder, "report.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn("</html>", page)
        self.assertEqual(external_references(page), [])

    def test_1_a_hub_of_its_own_serves_200_clusters_through_every_phase(self):
        out = self.world.path("own")
        done = simulate(self.world, "--scenario", "small", "--out", out)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        results = read_results(out)
        self.assert_all_done(results)
        self.assertEqual([p["name"] for p in results["phases"]],
                         ["join", "steady", "fan-out", "update", "burst", "churn", "storm", "restart", "pause", "evict", "steady"])
        self.assertEqual(phase(results, "join")["done"], 200)
        self.assertEqual(phase(results, "fan-out")["done"], 200)
        self.assertEqual(phase(results, "join")["client"]["count"], 200)
        self.assertEqual(results["run"]["clusters"], 200)
        self.assertEqual(results["run"]["hub"], "started")
        self.assertGreater(len(results["samples"]["rows"]), 5)
        self.assert_report(out)
        self.assertEqual(sorted(os.listdir(out)), RESULT_FILES)
        self.assertEqual(processes_with(out), [])
        again = self.world.run([program("wheelhouse-sim"), "compare", out, out])
        self.assertIn("join", again.stdout)

    def test_2_what_a_run_counts_is_what_the_hub_holds(self):
        hub = Hub(self.world)
        out = self.world.path("attached")
        done = simulate(self.world, "--scenario", "small", "--out", out, "--kubeconfig", hub.kubeconfig)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("left out, because the hub was not started here: restart, pause", done.stderr)
        results = read_results(out)
        self.assert_all_done(results)
        self.assertEqual(results["run"]["hub"], "attached")
        self.assertIn({"name": "phases left out", "value": "restart, pause"}, results["run"]["configuration"])

        clusters = [c["metadata"]["name"] for c in hub.api.items(CLUSTERS)]
        evicted = phase(results, "evict")["done"]
        self.assertEqual(evicted, 10)
        self.assertEqual(len(clusters), results["run"]["clusters"] - evicted)
        self.assertTrue(all(name.startswith("small-") for name in clusters))

        works = [(w["metadata"]["namespace"], w["metadata"]["name"]) for w in hub.api.items(ALL_WORKS)]
        self.assertEqual({c for c, name in works if name == "fan-out-0"}, set(clusters))
        # What is called an update has changed something.
        updated = [w["metadata"]["generation"] for w in hub.api.items(ALL_WORKS) if w["metadata"]["name"] == "fan-out-0"]
        self.assertEqual(set(updated), {2})
        bursts = [w for w in works if w[1].startswith("burst-")]
        self.assertLessEqual(len(bursts), phase(results, "burst")["done"])  # five for each cluster that was not evicted
        self.assertEqual(len(bursts) % 5, 0)
        probes = [w for w in works if w[1] == "probe"]
        self.assertGreater(len(probes), 0)
        self.assertEqual(len(works), len(clusters) + len(bursts) + len(probes))

        self.assertEqual(sorted(os.listdir(out)), ["report.html", "results.json"])
        self.assertEqual(processes_with(out), [])
        self.assertTrue(hub.process.running())
        tokens = [s["metadata"]["name"] for s in hub.api.items(SECRETS) if "bootstrap-token" in s["metadata"]["name"]]
        self.assertEqual(tokens, [])

        again = simulate(self.world, "--scenario", "small", "--out", self.world.path("again"), "--kubeconfig", hub.kubeconfig)
        self.assert_refused(again, "has a cluster small-", "--prefix")
        self.assertFalse(os.path.exists(self.world.path("again")))

    def test_3_two_simulators_share_a_hub(self):
        hub = Hub(self.world, "shared")
        plan = scenario(self.world, "shared.yaml", ["join", "fan_out: {works: 2}", "update", "churn: {share: 20%, for: 1s}",
                                                    "storm: {downtime: 300ms}", "steady: {for: 1s, probes: 5}"])
        runs = [Run(self.world, name, "--scenario", plan, "--prefix", name, "--clusters", "50", "--seed", str(seed),
                    "--kubeconfig", hub.kubeconfig) for seed, name in ((1, "left"), (2, "right"))]
        for run in runs:
            self.assertEqual(run.process.exit_code(120), 0, run.process.log())
            self.assert_all_done(read_results(run.out))
        clusters = [c["metadata"]["name"] for c in hub.api.items(CLUSTERS)]
        for name in ("left", "right"):
            self.assertEqual(len([c for c in clusters if c.startswith(f"{name}-")]), 50)
        self.assertEqual(len([w for w in hub.api.items(ALL_WORKS) if w["metadata"]["name"].startswith("fan-out-")]), 200)

    def test_4_the_same_seed_makes_the_same_fleet_and_claims_are_announced(self):
        plan = self.world.write("claims.yaml", "name: claims\nclusters: 3\nfleet:\n  prefix: claimed\n  labels: {ring: {a: 1, b: 1}}\n"
                                               "  claims: {platform.example.com: AWS}\nphases: [join]\n")
        seen = []
        for n in (1, 2):
            hub = Hub(self.world, f"seeds-{n}")
            done = simulate(self.world, "--scenario", plan, "--out", self.world.path(f"seed-{n}"), "--kubeconfig", hub.kubeconfig)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(done.stderr.count("claims"), 2, done.stderr)  # the scenario's name, and the announcement
            seen.append({c["metadata"]["name"]: c["metadata"]["labels"]["ring"] for c in hub.api.items(CLUSTERS)})
        self.assertEqual(seen[0], seen[1])
        self.assertEqual(len(seen[0]), 3)

    def test_5_a_slow_link_is_in_every_round_trip(self):
        plan = self.world.write("far.yaml", "name: far\nclusters: 3\nfleet: {regions: [{name: far, latency: 300ms}]}\n"
                                            "phases: [join, fan_out, update, {steady: {for: 4s, probes: 1}}]\n")
        out = self.world.path("far")
        done = simulate(self.world, "--scenario", plan, "--out", out)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        results = read_results(out)
        self.assert_all_done(results)
        for name in ("join", "fan-out", "update", "steady"):
            self.assertGreaterEqual(phase(results, name)["client"]["min_us"], 300000, name)


if __name__ == "__main__":
    main()
