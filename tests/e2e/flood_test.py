"""One user floods the hub, another goes on working: fair sharing on real connections, its figures and its flags."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time

from harness import Api, E2eTest, Hub, TIME_FACTOR, config_map, eventually, main, objects, program
from wire import memory_factor, memory_mib

NAMESPACE = "crowd"
MAPS = objects(NAMESPACE, "configmaps")
OBJECTS, WIDE = 200, "x" * 20_000  # a list of four megabytes
DEAF, WRITING, ASKING = 40, 30, 80  # the flooder's connections by what they do


class Flood:
    """Runs in a process of its own, so that its work is not measured as the hub's. Prints what it was answered."""

    def __init__(self, kubeconfig):
        self.api = Api.from_kubeconfig(kubeconfig)
        self.stopping = threading.Event()
        self.codes = {}
        self.without_retry_after = 0
        self.seconds = []  # of lists that were answered in full
        self.lock = threading.Lock()

    def connect(self):
        plain = socket.create_connection((self.api.host, self.api.port), timeout=60)
        return self.api.context.wrap_socket(plain, server_hostname=self.api.host)

    def deaf(self, _):
        """Asks for everything again and again and reads nothing."""
        with self.connect() as tls:
            tls.sendall(f"GET {MAPS} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * 100)
            self.stopping.wait(10)

    def writing(self, number):
        body = json.dumps(config_map(f"flood-{number}-{time.monotonic_ns()}", WIDE, NAMESPACE)).encode()
        head = f"POST {MAPS} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with self.connect() as tls:
            tls.sendall(head.encode() + body)
            self.stopping.wait(0.2)

    def asking(self, _):
        connection = http.client.HTTPSConnection(self.api.host, self.api.port, context=self.api.context, timeout=60)
        while not self.stopping.is_set():
            start = time.monotonic()
            connection.request("GET", MAPS)
            answer = connection.getresponse()
            answer.read()
            with self.lock:
                self.codes[answer.status] = self.codes.get(answer.status, 0) + 1
                if answer.status == 429 and not answer.headers.get("Retry-After"):
                    self.without_retry_after += 1
                if answer.status == 200:
                    self.seconds.append(time.monotonic() - start)
            if answer.status == 429:
                time.sleep(0.02)
        connection.close()

    def repeat(self, use, number):
        while not self.stopping.is_set():
            try:
                use(number)
            except (OSError, http.client.HTTPException, ssl.SSLError):
                time.sleep(0.05)

    def run(self):
        signal.signal(signal.SIGTERM, lambda *_: self.stopping.set())
        for use, count in ((self.deaf, DEAF), (self.writing, WRITING), (self.asking, ASKING)):
            for number in range(count):
                threading.Thread(target=self.repeat, args=(use, number), daemon=True).start()
        while not self.stopping.wait(0.1):
            pass
        with self.lock:
            print(json.dumps({"codes": self.codes, "without_retry_after": self.without_retry_after,
                              "median": statistics.median(self.seconds) if self.seconds else None}), flush=True)
        os._exit(0)  # threads may wait for answers that never come


class FloodTest(E2eTest):
    @classmethod
    def prepare(cls):
        # Small enough that a machine of any size is over the limits.
        cls.hub = Hub(cls.world, "hub", "--user-requests-waiting", "40", "--user-answers-unread", "32")
        cls.hub.api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for user in ("calm", "flooder"):
            cls.world.whctl("create", "user", user, "--file", cls.world.path(user), hub=cls.hub)
            cls.hub.api.create("/apis/rbac.authorization.k8s.io/v1/namespaces/crowd/rolebindings", {
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": user},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})
        for i in range(OBJECTS):
            cls.hub.api.create(MAPS, config_map(f"m{i}", WIDE, NAMESPACE))
        cls.calm = Api.from_kubeconfig(cls.world.path("calm"))

    def figure(self, name):
        text = self.hub.api.get("/metrics")
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.M)
        self.assertIsNotNone(found, f"{name} is not among the metrics")
        return float(found.group(1))

    def calm_seconds(self, rounds):
        """What each of these takes whom nobody floods: a write, a read, a list."""
        seconds = []
        for i in range(rounds):
            start = time.monotonic()
            name = f"calm-{time.monotonic_ns()}"
            self.calm.create(MAPS, config_map(name, str(i), NAMESPACE))
            self.assertEqual(self.calm.get(f"{MAPS}/{name}")["data"]["value"], str(i))
            self.assertGreaterEqual(len(self.calm.items(MAPS)), OBJECTS)
            self.calm.delete(f"{MAPS}/{name}")
            seconds.append(time.monotonic() - start)
        return statistics.median(seconds)

    def test_1_a_flood_costs_its_sender_and_hardly_anybody_else(self):
        before, alone = memory_mib(self.hub), self.calm_seconds(15)
        flood = subprocess.Popen([sys.executable, "-B", __file__, "--flood", self.world.path("flooder")],
                                 stdout=subprocess.PIPE, text=True)
        try:
            eventually("the flooder is refused",
                       lambda: any(self.figure(f'wheelhouse_api_front_refused_total{{reason="{reason}"}}') > 0
                                   for reason in ("queue_full", "unread_answers")), 60)
            beside = self.calm_seconds(15)
            peak = memory_mib(self.hub, "VmHWM")
            self.assertGreater(self.figure('wheelhouse_api_front_requests{state="waiting"}') +
                               self.figure('wheelhouse_api_front_requests{state="running"}'), 0)
        finally:
            flood.terminate()
            said = flood.communicate(timeout=60 * TIME_FACTOR)[0]
        answered = json.loads(said)
        print(f"calm: {alone * 1000:.0f} ms alone, {beside * 1000:.0f} ms beside the flood, which was answered "
              f"{answered['codes']} and waited {answered['median']} s for a list; memory {before:.0f} -> {peak:.0f} MiB")
        self.assertGreater(answered["codes"].get("429", 0), 0)
        self.assertEqual(answered["without_retry_after"], 0)
        # Calm's four requests wait for at most one of the flooder's each, on a machine that is busy with both programs.
        self.assertLess(beside, 20 * alone)
        self.assertLess(peak, before + 700 * memory_factor(self.hub), "unread answers fill the hub's memory")

    def test_2_the_flood_leaves_nothing_behind(self):
        eventually("nobody runs or waits", lambda: self.figure('wheelhouse_api_front_requests{state="waiting"}') == 0 and
                   self.figure('wheelhouse_api_front_requests{state="running"}') <= 1, 90)
        eventually("nothing is unread", lambda: self.figure("wheelhouse_api_front_unread_bytes") == 0, 90)
        self.assertEqual(self.figure("wheelhouse_api_front_waiting_bytes"), 0)
        text = self.hub.api.get("/metrics")
        self.assertNotIn("flooder", text, "users are no labels: there is no end of them")
        reasons = set(re.findall(r'wheelhouse_api_front_refused_total\{reason="(\w+)"\}', text))
        self.assertEqual(reasons, {"queue_full", "waiting_bytes", "waited_too_long", "unread_answers"})
        self.assertLess(self.figure("wheelhouse_api_front_users"), 10)

    def test_3_who_reads_nothing_is_refused_by_what_he_has_not_read(self):
        deaf = Flood(self.world.path("flooder"))
        lines = []
        try:
            refused = 'wheelhouse_api_front_refused_total{reason="unread_answers"}'
            before = self.figure(refused)
            for _ in range(20):
                lines.append(deaf.connect())
                lines[-1].sendall(f"GET {MAPS} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            eventually("some are refused", lambda: self.figure(refused) > before)
            status, answer = Api.from_kubeconfig(self.world.path("flooder")).raw("GET", f"{MAPS}/m0")
            self.assertEqual((status, answer["reason"]), (429, "TooManyRequests"))
            self.assertEqual(self.calm.get(f"{MAPS}/m0")["metadata"]["name"], "m0")
        finally:
            for line in lines:
                line.close()
        eventually("he who hangs up may ask again",
                   lambda: Api.from_kubeconfig(self.world.path("flooder")).raw("GET", f"{MAPS}/m0")[0] == 200)

    def test_4_limits_that_make_no_sense_are_refused_before_anything_starts(self):
        for flag, value, part in (("--user-requests-waiting", "0", "between 1 and 100000"),
                                  ("--user-requests-running", "0", "between 1 and 100000"),
                                  ("--requests-running", "100001", "between 1 and 100000, not 100001"),
                                  ("--user-answers-unread", "0", "between 1 and 65536 MiB"),
                                  ("--requests-waiting-size", "3", "between 4 and 65536 MiB"),
                                  ("--request-threads", "257", "between 1 and 256"),
                                  ("--requests-wait", "10ms", "between 1s and 10m"),
                                  ("--requests-wait", "15", "duration"),
                                  ("--user-requests-waiting", "many", "--user-requests-waiting")):
            folder = self.world.path("never")
            done = self.world.run([program("wheelhouse-hub"), "--data-dir", folder, flag, value], check=False)
            self.assert_refused(done, flag, part, code=2)
            self.assertFalse(os.path.exists(folder))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--flood"]:
        Flood(sys.argv[2]).run()
    else:
        main()
