"""The simulated disk itself: it loses what it may, tears, and never loses what was synced."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from power import TIME_FACTOR, environment, report

SEEDS = range(40)
SECTOR = 512

# What every script starts with. `cut` returns to nobody.
PRELUDE = """
import os, signal, sys, time
os.chdir(sys.argv[1])
def cut():
    os.kill(os.getpid(), signal.SIGUSR2)
    time.sleep(60)
def sync_folder():
    fd = os.open(".", os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
def put(name, data, sync=True, flags=0):
    fd = os.open(name, os.O_WRONLY | os.O_CREAT | flags)
    os.write(fd, data)
    if sync:
        os.fsync(fd)
    os.close(fd)
"""


class Disk(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="wheelhouse-disk-")
        self.folder = os.path.join(self.top, "disk")

    def tearDown(self):
        shutil.rmtree(self.top)

    def run_and_cut(self, script, seed, **options):
        """Runs the script on an empty folder until its power is cut; returns its output."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.mkdir(self.folder)
        done = subprocess.run([sys.executable, "-S", "-c", PRELUDE + script, self.folder], capture_output=True, text=True,
                              timeout=60 * TIME_FACTOR, check=False,
                              env={**os.environ, **environment(self.folder, seed, **options)})
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        self.last = report(self.folder)
        return done.stdout

    def read(self, name):
        """The file's bytes, or None."""
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def outcomes(self, script, name, seeds=SEEDS, **options):
        found = []
        for seed in seeds:
            self.run_and_cut(script, seed, **options)
            found.append(self.read(name))
        return found

    def test_what_was_synced_survives_and_what_was_not_is_kept_lost_or_torn(self):
        old, new = b"o" * 8 * SECTOR, b"n" * 8 * SECTOR
        script = f"""
put("a", {old!r}); put("b", {old!r}); sync_folder()
put("a", {new!r}); put("b", {new!r}, sync=False); cut()"""
        seen = set()
        for seed in SEEDS:
            self.run_and_cut(script, seed)
            self.assertEqual(self.read("a"), new, f"seed {seed}")
            found = self.read("b")
            sectors = [found[i:i + SECTOR] for i in range(0, len(found), SECTOR)]
            self.assertEqual(len(found), len(old))
            self.assertLessEqual(set(sectors), {b"o" * SECTOR, b"n" * SECTOR}, f"seed {seed}: a sector was torn")
            seen.add("old" if found == old else "new" if found == new else "torn")
            self.assertEqual(self.last["torn"] > 0, found not in (old, new))
        self.assertEqual(seen, {"old", "new", "torn"})

    def test_overlapping_writes_leave_one_of_the_states_the_sector_had(self):
        script = """
put("f", b"0" * 512); sync_folder()
first, second = os.open("f", os.O_WRONLY), os.open("f", os.O_RDWR)
os.pwrite(first, b"1" * 300, 0)
os.pwrite(second, b"2" * 300, 200)
os.pwrite(first, b"3" * 10, 0)
cut()"""
        states = [b"0" * 512, b"1" * 300 + b"0" * 212, b"1" * 200 + b"2" * 300 + b"0" * 12,
                  b"3" * 10 + b"1" * 190 + b"2" * 300 + b"0" * 12]
        self.assertEqual(set(self.outcomes(script, "f", seeds=range(100))), set(states))

    def test_a_later_write_may_survive_an_earlier_one_elsewhere(self):
        found = self.outcomes("""
put("f", b"0" * 1024); sync_folder()
fd = os.open("f", os.O_WRONLY)
os.pwrite(fd, b"1" * 512, 0)
os.pwrite(fd, b"2" * 512, 512)
cut()""", "f")
        self.assertIn(b"0" * 512 + b"2" * 512, found)

    def test_a_synchronous_write_is_durable_when_it_returns_and_makes_nothing_else_durable(self):
        seen = set()
        for seed in SEEDS:
            self.run_and_cut("""
put("f", b"0" * 2048); sync_folder()
fd, meta = os.open("f", os.O_WRONLY), os.open("f", os.O_WRONLY | os.O_DSYNC)
os.pwrite(fd, b"1" * 512, 1024)
os.pwrite(meta, b"2" * 120, 32)
cut()""", seed)
            found = self.read("f")
            self.assertEqual(found[:512], b"0" * 32 + b"2" * 120 + b"0" * 360, f"seed {seed}")
            seen.add(found[1024:1025])
        self.assertEqual(seen, {b"0", b"1"})

    def test_growth_and_truncation_are_taken_back_with_the_bytes_that_were_there(self):
        grown = self.outcomes("""
put("f", b"x" * 100); sync_folder()
fd = os.open("f", os.O_RDWR); os.ftruncate(fd, 5000); os.pwrite(fd, b"y" * 100, 4000); cut()""", "f")
        self.assertEqual({len(f) for f in grown}, {100, 5000})
        self.assertTrue(all(f.startswith(b"x" * 100) for f in grown))
        emptied = self.outcomes("""
put("f", b"x" * 100); sync_folder()
put("f", b"new", sync=False, flags=os.O_TRUNC); cut()""", "f")
        self.assertIn(b"x" * 100, emptied)
        self.assertIn(b"", emptied)
        self.assertIn(b"new", emptied)

    def test_names_are_durable_only_when_their_folder_was_synced(self):
        script = """
put("f", b"old"); sync_folder()
put("t", b"new"); os.rename("t", "f")
{}
cut()"""
        self.assertEqual(set(self.outcomes(script.format(""), "f")), {b"old", b"new"})
        self.assertEqual(set(self.outcomes(script.format("sync_folder()"), "f")), {b"new"})
        self.assertEqual(set(self.outcomes("put('f', b'x'); cut()", "f")), {None, b"x"})
        self.assertEqual(set(self.outcomes("put('f', b'x'); sync_folder(); os.unlink('f'); cut()", "f")), {None, b"x"})
        inner = "os.mkdir('d'); os.chdir('d'); put('f', b'x'); sync_folder(); cut()"
        self.assertEqual(set(self.outcomes(inner, "d/f")), {None, b"x"})

    def test_names_in_a_folder_that_is_renamed_are_lost_under_its_new_name(self):
        script = """
os.mkdir("d"); sync_folder(); os.chdir("d"); put("f", b"x"); os.chdir("..")
os.rename("d", "e"); {} cut()"""
        seen = set()
        for seed in SEEDS:
            self.run_and_cut(script.format(""), seed)
            seen.add((self.read("d/f"), self.read("e/f"), os.path.exists(os.path.join(self.folder, "e"))))
        self.assertEqual(seen, {(None, None, False), (b"x", None, False), (None, None, True), (None, b"x", True)})
        self.assertEqual(set(self.outcomes(script.format("sync_folder();"), "e/f")), {None, b"x"})

    def test_a_rename_can_survive_the_bytes_of_the_file_it_named(self):
        found = self.outcomes("put('f', b'o'); sync_folder(); put('t', b'n' * 900, sync=False);"
                              "os.rename('t', 'f'); cut()", "f")
        self.assertTrue(any(f not in (b"o", b"n" * 900) for f in found), found)

    def test_wherever_the_cut_falls_every_acknowledged_record_is_there(self):
        script = """
fd = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND); sync_folder()
for i in range(30):
    os.write(fd, b"%03d" % i * 100)
    os.fdatasync(fd)
    print(i, flush=True)
cut()"""
        unacknowledged = 0
        for after in range(1, 64):
            told = self.run_and_cut(script, seed=after, after=after).split()
            found = self.read("log") or b""
            wanted = b"".join(b"%03d" % i * 100 for i in range(len(told)))
            self.assertTrue(found.startswith(wanted), f"cut at event {after}: {len(told)} told, {len(found)} bytes")
            unacknowledged += len(found) > len(wanted)
        self.assertGreater(unacknowledged, 0)

    def test_a_disk_that_lies_loses_what_was_synced(self):
        found = self.outcomes("put('f', b'x'); sync_folder(); put('f', b'y'); cut()", "f", nosync=True)
        self.assertGreater(found.count(None), 0)
        self.assertIn(b"y", found)
        self.assertGreater(len(set(found)), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
