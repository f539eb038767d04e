"""Hubs and spokes whose power can be cut, and what becomes of their folders."""

import os
import shutil
import signal
import subprocess
import time

import power
from harness import TIME_FACTOR, Api, Hub, Spoke, program


class Machine:
    """Mixed into Hub or Spoke. Its data lies in a folder of the watched one, so that creating it is at risk as well."""

    def plug_in(self, disk, chaos, nosync):
        os.mkdir(disk)
        self.disk = disk
        self.chaos = chaos
        self.nosync = nosync
        self.cuts = []
        self.was_ready = False

    def arm(self, after):
        """The next life ends at this event, if it is not 0, or when it is told to."""
        shutil.rmtree(self.disk + ".powercut", ignore_errors=True)
        self.environment = power.environment(self.disk, self.chaos.getrandbits(32), after, self.nosync)

    def alive(self):
        return self.process.running()

    def gone(self):
        """Whether a connection may be broken. A dying process lets go of them a moment before it is dead."""
        try:
            self.process.child.wait(TIME_FACTOR)
            return True
        except subprocess.TimeoutExpired:
            return False

    def cut(self):
        self.process.child.send_signal(signal.SIGUSR2)

    def bury(self):
        """Waits for the end, which must have been the power's, and asks the program what it thinks of its folder."""
        code = self.process.exit_code(10)
        self.world.processes.remove(self.process)
        assert code == -signal.SIGKILL, f"{self.process.name} ended by itself ({code}):\n{self.process.log()[-3000:]}"
        self.cuts.append(power.report(self.disk))
        if self.was_ready:  # before that it owes nobody a whole folder, only that it comes up
            verify(self.program, self.folder)

    def comes_up(self):
        """True when it is ready, False when the power went before that."""
        limit = time.monotonic() + 20 * TIME_FACTOR
        while not os.path.exists(self.ready_file):
            if not self.alive():
                return False
            assert time.monotonic() < limit, f"{self.process.name} is not ready:\n{self.process.log()[-3000:]}"
            time.sleep(0.002)
        self.was_ready = True
        return True

    def start(self, *afters):
        """Starts it with each of these cuts in turn until it is ready in spite of one, or else without."""
        for after in (*afters, 0):
            self.arm(after)
            self.launch()
            if self.comes_up():
                try:
                    return self.meet()
                except FileNotFoundError:
                    # The cut came between the name's appearance and its folder's sync, and took it back.
                    if not self.gone():
                        raise
            self.bury()
        raise AssertionError(f"{self.process.name} did not come up")


class PoweredHub(Machine, Hub):
    program = "wheelhouse-hub"

    def __init__(self, world, chaos, name="hub", nosync=False):
        disk = world.path(name)
        self.plug_in(disk, chaos, nosync)
        Hub.__init__(self, world, name, folder=os.path.join(disk, "data"), started=False)


class PoweredSpoke(Machine, Spoke):
    program = "wheelhouse-spoke"

    def __init__(self, world, chaos, cluster, join, nosync=False):
        disk = world.path(cluster)
        self.plug_in(disk, chaos, nosync)
        self.join = join
        Spoke.__init__(self, world, cluster, join, folder=os.path.join(disk, "data"), started=False)

    @property
    def ready_file(self):
        return self.kubeconfig

    def launch(self):
        Spoke.start(self, self.join)  # as a service would: always the whole command

    def meet(self):
        pass  # its `api` asks the kubeconfig each time


skipped = set()


def verify(name, folder):
    """What the program itself finds in a folder that nobody uses. Older programs cannot be asked."""
    if name in skipped or not os.path.exists(folder):
        return
    done = subprocess.run([program(name), "verify", "--data-dir", folder], capture_output=True, text=True,
                          timeout=60 * TIME_FACTOR, check=False)
    if 'unexpected argument "verify"' in done.stderr:
        skipped.add(name)
        print(f"{name} has no command verify: that check is left out", flush=True)
        return
    assert done.returncode == 0, f"{name} verify: exit {done.returncode}\n{done.stdout}{done.stderr}"


def same_authority(before, machine):
    """A client that trusted the machine before its cut still can."""
    again = Api.from_kubeconfig(machine.kubeconfig)
    return before.context.get_ca_certs(binary_form=True) == again.context.get_ca_certs(binary_form=True)
