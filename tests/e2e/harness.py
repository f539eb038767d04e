"""Runs the real programs for end-to-end tests: hubs, spokes, whctl, kubectl, and plain HTTPS with any certificate.

Only Python's standard library. The programs are looked for in WHEELHOUSE_BIN_DIR. All time limits are multiplied by
WH_TIME_FACTOR, so that the same tests run on slow (sanitized) builds.
"""

import base64
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.environ.get("WHEELHOUSE_BIN_DIR", os.path.join(REPO, "build", "release", "bin"))
TIME_FACTOR = float(os.environ.get("WH_TIME_FACTOR", "1"))
EXAMPLE = os.path.join(REPO, "examples", "web-shop.yaml")

CLUSTERS = "/apis/cluster.open-cluster-management.io/v1/managedclusters"
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
APPLIED_WORKS = "/apis/work.open-cluster-management.io/v1/appliedmanifestworks"


def works(cluster, name=""):
    path = f"/apis/work.open-cluster-management.io/v1/namespaces/{cluster}/manifestworks"
    return f"{path}/{name}" if name else path


def objects(namespace, plural, name="", group_version="v1"):
    root = "/api/v1" if group_version == "v1" else f"/apis/{group_version}"
    path = f"{root}/namespaces/{namespace}/{plural}"
    return f"{path}/{name}" if name else path


def config_map(name, value, namespace="default"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace},
            "data": {"value": value}}


def manifest_work(name, manifests, **spec):
    return {"apiVersion": "work.open-cluster-management.io/v1", "kind": "ManifestWork", "metadata": {"name": name},
            "spec": {"workload": {"manifests": manifests}, **spec}}


def condition(document, kind):
    """The condition of a type in status.conditions, or an empty dictionary."""
    for entry in document.get("status", {}).get("conditions", []):
        if entry["type"] == kind:
            return entry
    return {}


def holds(document, kind):
    """True when the condition is True and answers the object's present generation."""
    found = condition(document, kind)
    observed = found.get("observedGeneration", document["metadata"].get("generation", 0))
    return found.get("status") == "True" and observed == document["metadata"].get("generation", 0)


def eventually(what, probe, seconds=15.0):
    """Polls until the probe returns something true, and returns that. Errors of the network count as "not yet"."""
    limit = seconds * TIME_FACTOR
    start = time.monotonic()
    last = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except (OSError, http.client.HTTPException, ApiError) as e:
            last = e
        if time.monotonic() - start > limit:
            raise AssertionError(f"{what}: not within {limit:.0f} s; last seen: {str(last)[:2000]}")
        time.sleep(0.03)


class ApiError(Exception):
    def __init__(self, code, document):
        message = document.get("message", "") if isinstance(document, dict) else str(document)
        super().__init__(f"HTTP {code}: {message}")
        self.code = code
        self.message = message


class Api:
    """HTTPS to one API server, with a client certificate or without."""

    def __init__(self, address, ca_pem, cert_pem=None, key_pem=None):
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.context = ssl.create_default_context(cadata=ca_pem)
        if cert_pem:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
                both.write(cert_pem + "\n" + key_pem)
                both.flush()
                self.context.load_cert_chain(both.name)
        self.connection = None
        self.last_used = 0.0

    @staticmethod
    def from_kubeconfig(path):
        with open(path, encoding="utf-8") as file:
            text = file.read()

        def value(key):
            return re.search(rf'{key}: *"?([^\s"]+)"?', text).group(1)

        def pem(key):
            return base64.b64decode(value(key)).decode()

        return Api(value("server").removeprefix("https://"), pem("certificate-authority-data"),
                   pem("client-certificate-data"), pem("client-key-data"))

    def raw(self, method, path, body=None, content_type="application/json", timeout=10.0):
        """(status, parsed body). One kept-alive connection; a broken one is opened again, once, for reads."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        if time.monotonic() - self.last_used > 10:
            self.close()  # the server may be about to end it for being idle, and a write cannot be repeated
        self.last_used = time.monotonic()
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = http.client.HTTPSConnection(self.host, self.port, context=self.context,
                                                              timeout=timeout * TIME_FACTOR)
            try:
                headers = {"Content-Type": content_type, "Accept": "application/json"} if data else {}
                self.connection.request(method, path, data, headers)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (OSError, http.client.HTTPException):
                self.close()
                # A write may have happened before the connection broke: only its sender can decide to repeat it.
                if fresh or attempt == 2 or method != "GET":
                    raise
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def call(self, method, path, body=None, **options):
        status, document = self.raw(method, path, body, **options)
        if status >= 300:
            raise ApiError(status, document)
        return document

    def get(self, path):
        return self.call("GET", path)

    def find(self, path):
        """The object, or None if there is none."""
        status, document = self.raw("GET", path)
        if status == 404:
            return None
        if status >= 300:
            raise ApiError(status, document)
        return document

    def items(self, path):
        return self.get(path)["items"]

    def create(self, path, document):
        return self.call("POST", path, document)

    def replace(self, path, document):
        return self.call("PUT", path, document)

    def merge(self, path, patch):
        return self.call("PATCH", path, patch, content_type="application/merge-patch+json")

    def delete(self, path):
        return self.call("DELETE", path)


class Process:
    """A program in the background; its output goes to a log file."""

    def __init__(self, world, name, arguments, environment=None):
        self.name = name
        self.log_path = world.path(f"{name}.log")
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(arguments, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=world.folder,
                                          env={**os.environ, **(environment or {})})
        world.processes.append(self)

    def running(self):
        return self.child.poll() is None

    def kill(self):
        """What a crash or the out-of-memory killer does."""
        self.child.kill()
        self.child.wait()

    def terminate(self):
        """SIGTERM; returns exit code and how many seconds it took."""
        start = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(20 * TIME_FACTOR), time.monotonic() - start
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} ignored SIGTERM") from None

    def exit_code(self, seconds=15.0):
        """Waits until it ends by itself."""
        try:
            return self.child.wait(seconds * TIME_FACTOR)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end by itself; its log:\n{self.log()[-2000:]}") from None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()


def wait_for_file(process, path, what):
    def probe():
        if os.path.exists(path):
            return True
        if not process.running():
            raise AssertionError(f"{process.name} ended with {process.child.returncode}:\n{process.log()[-3000:]}")
        return False

    eventually(what, probe, 20)


class Hub:
    """A hub on free ports, which it keeps over restarts."""

    def __init__(self, world, name="hub", *flags, folder=None, started=True):
        self.world = world
        self.name = name
        self.folder = folder or world.path(name)
        self.flags = list(flags)
        self.environment = {}
        self.addresses = {"api": "127.0.0.1:0", "link": "127.0.0.1:0"}
        self.process = None
        self.api = None
        if started:
            self.start()

    @property
    def kubeconfig(self):
        return os.path.join(self.folder, "admin.kubeconfig")

    def command(self):
        return [program("wheelhouse-hub"), "--data-dir", self.folder, "--api-listen", self.addresses["api"],
                "--link-listen", self.addresses["link"], *self.flags]

    @property
    def ready_file(self):
        return os.path.join(self.folder, "hub.json")

    def launch(self):
        if os.path.exists(self.ready_file):
            os.remove(self.ready_file)
        self.process = Process(self.world, self.name, self.command(), self.environment)

    def start(self):
        self.launch()
        wait_for_file(self.process, self.ready_file, f"{self.name} is ready")
        self.meet()

    def meet(self):
        """Learns where it is, once it is ready."""
        with open(self.ready_file, encoding="utf-8") as file:
            self.addresses = json.load(file)
        self.api = Api.from_kubeconfig(self.kubeconfig)

    def kill(self):
        self.process.kill()
        self.api.close()

    def ca_pem(self):
        return self.api.get(objects("kube-public", "configmaps", "cluster-info"))["data"]["ca.crt"]

    def join_command(self, cluster, *flags):
        """The words of the command that `whctl get token` prints as its last line."""
        text = self.world.whctl("get", "token", "--cluster-name", cluster, *flags, hub=self).stdout
        return text.rstrip("\n").split("\n")[-1].split()


class Spoke:
    """A spoke; its first start is the join command, later ones give the data folder alone."""

    def __init__(self, world, cluster, join, *flags, folder=None, started=True):
        self.world = world
        self.cluster = cluster
        self.folder = folder or world.path(cluster)
        self.environment = {}
        self.process = None
        if started:
            self.start(join, *flags)

    @property
    def kubeconfig(self):
        return os.path.join(self.folder, "cluster.kubeconfig")

    def start(self, join=None, *flags):
        if os.path.exists(self.kubeconfig):
            os.remove(self.kubeconfig)
        words = list(join or ["wheelhouse-spoke", "--data-dir", self.folder])
        words[0] = program(words[0])
        if "--data-dir" in words:
            words[words.index("--data-dir") + 1] = self.folder
        self.process = Process(self.world, self.cluster, words + list(flags), self.environment)

    @property
    def api(self):
        """The cluster's own API, once it is served; the port may be another after each start."""
        wait_for_file(self.process, self.kubeconfig, f"{self.cluster} serves its cluster")
        return Api.from_kubeconfig(self.kubeconfig)

    def kill(self):
        self.process.kill()

    def stolen_identity(self):
        """(certificate, key, agent name) as a thief with access to the data folder finds them, unless they are sealed."""
        with open(os.path.join(self.folder, "agent", "data.mdb"), "rb") as file:
            stored = file.read().decode("latin-1")
        found = re.findall(r'"agent":"([^"]+)"[^}]*?"certificate":"(-----BEGIN CERT[^"]+)"[^}]*?"key":"(-----BEGIN [^"]+)"',
                           stored)
        if not found:
            return None
        agent, cert, key = found[-1]
        return json.loads(f'"{cert}"'), json.loads(f'"{key}"'), agent


def program(name):
    path = os.path.join(BIN, name)
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is missing: build first (scripts/build), or set WHEELHOUSE_BIN_DIR")
    return path


class World:
    """A temporary folder with everything that one test class starts; close() ends it all."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="wheelhouse-e2e-")
        self.processes = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def run(self, arguments, check=True, stdin="", seconds=60.0, **environment):
        done = subprocess.run(arguments, input=stdin, capture_output=True, text=True, timeout=seconds * TIME_FACTOR,
                              cwd=self.folder, env={**os.environ, "HOME": self.folder, **environment}, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def whctl(self, *arguments, hub, check=True, stdin=""):
        return self.run([program("whctl"), "--kubeconfig", hub.kubeconfig, *arguments], check=check, stdin=stdin)

    def kubectl(self, *arguments, at, check=True, stdin=""):
        """`at`: a Hub or a Spoke."""
        return self.run(["kubectl", "--kubeconfig", at.kubeconfig, *arguments], check=check, stdin=stdin)

    def kubectl_minor(self):
        """20 for 1.20, which is Debian 12's."""
        said = json.loads(self.run(["kubectl", "version", "--client", "-o", "json"]).stdout)
        return int(re.match(r"\d+", said["clientVersion"]["minor"]).group())

    def token_request(self, name, namespace="default", seconds=3600, *, at):
        """What `kubectl create token` does; kubectl cannot before 1.24. Returns the process."""
        if self.kubectl_minor() >= 24:
            return self.kubectl("create", "token", name, "-n", namespace, f"--duration={seconds}s", at=at, check=False)
        wanted = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                             "spec": {"expirationSeconds": seconds}})
        done = self.kubectl("create", "--raw", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", "-f", "-",
                            at=at, stdin=wanted, check=False)
        if done.returncode == 0:
            done.stdout = json.loads(done.stdout)["status"]["token"]
        return done

    def joined_spokes(self, hub, *clusters, flags=()):
        spokes = [Spoke(self, cluster, hub.join_command(cluster), *flags) for cluster in clusters]
        self.whctl("accept", *clusters, "--wait", f"{int(30 * TIME_FACTOR)}s", hub=hub)
        return spokes

    def close(self, failed):
        for process in self.processes:
            if process.running():
                process.kill()
            if failed:
                print(f"--- {process.name} (exit {process.child.returncode})\n{process.log()[-4000:]}", file=sys.stderr)
        shutil.rmtree(self.folder, ignore_errors=True)


class E2eTest(unittest.TestCase):
    """A class of tests that share one world and run in the order of their names."""

    world = None
    failures_seen = 0

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        try:
            cls.prepare()
        except BaseException:
            cls.world.close(failed=True)
            raise

    @classmethod
    def prepare(cls):
        """Starts what all tests of the class use."""

    @classmethod
    def tearDownClass(cls):
        cls.world.close(failed=cls.failures_seen > 0)

    def tearDown(self):
        outcome = self._outcome
        errors = getattr(outcome, "errors", None)
        if errors is None:  # Python 3.11 and later keep them in the result
            errors = [(test, text) for test, text in outcome.result.errors + outcome.result.failures if test is self]
        if any(text for _, text in errors):
            type(self).failures_seen += 1

    def assert_refused(self, done, *parts, code=1):
        """A command failed with this exit code, and its message has these parts."""
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for part in parts:
            self.assertIn(part, done.stderr)

    def assert_api_error(self, codes, call, *arguments):
        """The call is answered with one of these HTTP codes. Returns the message."""
        try:
            answer = call(*arguments)
        except ApiError as e:
            self.assertIn(e.code, codes, str(e))
            return e.message
        raise AssertionError(f"expected HTTP {codes}, but it was allowed: {str(answer)[:300]}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    unittest.main(verbosity=2, failfast=False)
