"""Power cuts of real hubs and spokes: nothing that was acknowledged is lost, and everything comes up again.

    WH_POWERCUT_ROUNDS   how many rounds (40)
    WH_POWERCUT_SEED     what decides them; a failure names its seed and round
"""

import collections
import os
import time
import unittest

import power  # noqa: F401 (tells where the harness is)
from harness import main
from rounds import Rounds

ROUNDS = int(os.environ.get("WH_POWERCUT_ROUNDS", "40"))
SEED = int(os.environ.get("WH_POWERCUT_SEED", "20261123"))
LYING_ROUNDS_MAX = 30


def summary(rounds, started):
    torn = sum(cut["torn"] for cut in rounds.cuts)
    lost = sum(cut["sectors_lost"] for cut in rounds.cuts)
    changes = sum(cut["changes_lost"] for cut in rounds.cuts)
    writes = rounds.hub_ledger.writes + rounds.spoke_ledger.writes
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(rounds.rounds_of.items()))
    at = collections.Counter(cut["at"] for cut in rounds.cuts)
    places = ", ".join(f"{n} {call}" for call, n in at.most_common())
    watchers = rounds.hub_watchers + rounds.spoke_watchers
    seen = f"{len(watchers)} watchers saw {sum(w.place for w in watchers)} changes over {sum(w.resumed for w in watchers)} watches"
    return (f"{rounds.round} rounds in {time.monotonic() - started:.0f} s ({kinds}); {len(rounds.cuts)} cuts ({places}); "
            f"{writes} writes acknowledged; {seen}; {lost} sectors and {changes} changes of names lost, {torn} writes torn")


class PowerCut(unittest.TestCase):
    def test_1_nothing_acknowledged_is_lost_and_everything_comes_up(self):
        started = time.monotonic()

        def progress(rounds):
            if rounds.round % 50 == 0:
                print(summary(rounds, started), flush=True)

        rounds = Rounds(SEED)
        failed = True
        try:
            rounds.run(ROUNDS, progress)
            failed = False
        finally:
            rounds.close(failed)
        print(summary(rounds, started), flush=True)
        self.assertGreater(rounds.hub_ledger.writes, ROUNDS, "the test wrote too little to mean anything")

    def found_on_a_disk_that_lies(self, whose):
        """The very same rounds, on syncs that do nothing: a test that passes them proves nothing."""
        rounds = Rounds(SEED, lying=(whose,))
        try:
            with self.assertRaises(AssertionError) as found:
                rounds.run(LYING_ROUNDS_MAX)
        finally:
            rounds.close(failed=False)
        print(f"found in round {rounds.round}: {str(found.exception)[:600]}", flush=True)

    def test_2_a_hub_whose_disk_lies_is_found_out(self):
        self.found_on_a_disk_that_lies("hub")

    def test_3_a_spoke_whose_disk_lies_is_found_out(self):
        self.found_on_a_disk_that_lies("spoke")


if __name__ == "__main__":
    main()
