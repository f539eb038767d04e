"""What the tests of kubectl as its users use it share. Whatever version is first on PATH runs at hub and cluster."""

import functools
import json
import re
import subprocess

from harness import TIME_FACTOR, E2eTest, Hub

TIMEOUT = f"--timeout={int(20 * TIME_FACTOR)}s"


def manifest(kind, name, api_version="v1", labels=None, **rest):
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return json.dumps({"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest})


def minor_version():
    """30 for kubectl 1.30."""
    told = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, text=True, check=True)
    return int(re.match(r"\d+", json.loads(told.stdout)["clientVersion"]["minor"]).group())


def on_both(test):
    """Runs a test with a kubectl of the hub, then of the cluster, each in a new namespace, k.namespace."""

    @functools.wraps(test)
    def run(self):
        for where, at in (("hub", self.hub), ("cluster", self.spoke)):
            with self.subTest(where):
                ns = test.__name__.removeprefix("test_").replace("_", "-")
                self.world.kubectl("create", "namespace", ns, at=at)
                test(self, Kubectl(self, at, ns))

    return run


class Kubectl:
    """Calls run kubectl in one namespace of one server and return what it says, errors and warnings included."""

    def __init__(self, test, at, namespace):
        self.test, self.at, self.namespace = test, at, namespace

    def __call__(self, *arguments, stdin="", fails=False, **environment):
        """`fails`: it must; None: it may."""
        command = ["kubectl", "--kubeconfig", self.at.kubeconfig, "-n", self.namespace, *arguments]
        done = self.test.world.run(command, check=fails is False, stdin=stdin, **environment)
        if fails:
            self.test.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stdout + done.stderr


class KubectlTest(E2eTest):
    @classmethod
    def prepare(cls):
        cls.minor = minor_version()
        cls.hub = Hub(cls.world)
        [cls.spoke] = cls.world.joined_spokes(cls.hub, "c1")
        cls.spoke.api.get("/readyz")
