"""What the tests of wheelhouse-sim share."""

import json
import os
import re
import signal
import subprocess
import time

from harness import TIME_FACTOR, Process, eventually, program

SMALL = """name: tiny
clusters: 20
fleet: {{prefix: tiny, lease: 5s}}
phases:
{phases}"""

RESULT_FILES = ["hub.log", "report.html", "results.json"]


def scenario(world, name, phases):
    """A file with these phases, each a line of YAML, for 20 clusters."""
    return world.write(name, SMALL.format(phases="".join(f"  - {phase}\n" for phase in phases)))


def sim_command(*arguments):
    return [program("wheelhouse-sim"), "live", *arguments]


def simulate(world, *arguments, check=False, seconds=240, **environment):
    """A run to its end."""
    return world.run(sim_command(*arguments), check=check, seconds=seconds, **environment)


def simulate_with_descriptors(world, limit, *arguments):
    words = ["sh", "-c", f'ulimit -n {limit}; exec "$0" "$@"', *sim_command(*arguments)]
    return world.run(words, check=False)


def processes_with(text):
    """Command lines of processes that have this in theirs."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                zombie = file.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if text in line and not zombie:
            found.append((int(pid), line))
    return found


def read_results(folder):
    with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
        return json.load(file)


def problems_of(results):
    return results["problems"] + [text for phase in results["phases"] for text in phase["problems"]]


def external_references(page):
    """Whatever a browser would fetch from elsewhere."""
    return re.findall(r"""(?:src|href|action)\s*=\s*["'](?!#)[^"']*|@import[^;]*|url\(\s*["']?(?!#|data:)[^)]*|<(?:iframe|link)\b""",
                      page)


class Run:
    """A live run in the background."""

    def __init__(self, world, name, *arguments, folder=None):
        self.world = world
        self.out = (folder or world.path(name)).rstrip("/")
        self.process = Process(world, f"sim-{name}", sim_command("--out", folder or self.out, *arguments))

    def hub_pid(self):
        """Of the hub that it has started, once that is so."""
        def probe():
            if not self.process.running():
                raise AssertionError(f"the run ended with {self.process.child.returncode}:\n{self.process.log()}")
            hubs = [pid for pid, line in processes_with(self.out + "/hub-data") if "wheelhouse-hub" in line.split()[0]]
            return hubs[0] if hubs else None

        return eventually("the run has a hub", probe, 30)

    def reaches(self, text, seconds=60):
        """Waits until it has said so."""
        def probe():
            said = self.process.log()
            if text not in said and not self.process.running():
                raise AssertionError(f"the run ended with {self.process.child.returncode} before {text!r}:\n{said}")
            return text in said

        eventually(f"the run says {text!r}", probe, seconds)

    def interrupt(self, number=signal.SIGINT):
        """Exit code, and how long it took."""
        start = time.monotonic()
        self.process.child.send_signal(number)
        try:
            return self.process.child.wait(60 * TIME_FACTOR), time.monotonic() - start
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not ended by signal {number}:\n{self.process.log()}") from None
