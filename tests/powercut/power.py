"""Starts programs on the simulated disk of libwh_powercut.so, whose power can be cut."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))

from harness import REPO, TIME_FACTOR  # noqa: E402

LIBRARY = os.environ.get("WH_POWERCUT_LIB", os.path.join(REPO, "build", "release", "tests", "libwh_powercut.so"))


def environment(folder, seed, after=0, nosync=False, at_exit=False):
    """What a program's environment needs for files below the folder to be at risk."""
    if not os.path.exists(LIBRARY):
        sys.exit(f"{LIBRARY} is missing: build the target wh_powercut, or set WH_POWERCUT_LIB")
    options = os.environ.get("ASAN_OPTIONS", "")
    return {"LD_PRELOAD": LIBRARY, "WH_POWERCUT_DIR": folder, "WH_POWERCUT_SEED": str(seed),
            "WH_POWERCUT_AFTER": str(after), "WH_POWERCUT_NOSYNC": "1" if nosync else "0",
            "WH_POWERCUT_EXIT": "1" if at_exit else "0",
            # The library comes before a sanitizer's; its calls still pass through that one's where it matters.
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"}


def report(folder, seconds=120.0):
    """What the cut did, once the folder is as the disk would have it. Call it when the process is dead."""
    path = folder + ".powercut/report"
    limit = time.monotonic() + seconds * TIME_FACTOR
    while not os.path.exists(path):
        survivor = pid_in(folder + ".powercut/survivor")
        if survivor is None:
            raise AssertionError(f"no cut was begun in {folder}: the process died of something else")
        if not running(survivor) and not os.path.exists(path):
            raise AssertionError(f"process {survivor}, which decides what is lost of {folder}, died before it was done")
        if time.monotonic() > limit:
            raise AssertionError(f"process {survivor} still has not decided what is lost of {folder}")
        time.sleep(0.001)
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def pid_in(path):
    try:
        with open(path, encoding="utf-8") as file:
            return int(file.read())
    except FileNotFoundError:
        return None


def running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
