"""Watchers that live through power cuts: all of them see one order of changes, from one version on, nothing missing."""

import http.client
import json
import socket
import threading

from harness import TIME_FACTOR
from ledger import Client


def version_of(document):
    return int(document["metadata"]["resourceVersion"])


def versions_in(document):
    return {item["metadata"]["name"]: version_of(item) for item in document["items"]}


class Order:
    """The changes of one collection as the first watcher saw them. Every other one must see the very same, at its pace."""

    def __init__(self, ledger, kind, api):
        self.ledger = ledger
        self.kind = kind
        self.lock = threading.Lock()
        document = api.get(kind.collection)
        self.start = version_of(document)
        self.first = versions_in(document)
        self.entries = []  # (version, what, name)

    def saw(self, place, event):
        """A watcher that has seen `place` changes sees this one."""
        entry = (version_of(event["object"]), event["type"], event["object"]["metadata"]["name"])
        with self.lock:
            newest = self.entries[-1][0] if self.entries else self.start
            if place == len(self.entries):
                assert entry[0] > newest, f"{self.kind.collection}: {entry} came after version {newest}"
                self.entries.append(entry)
            assert self.entries[place] == entry, \
                f"{self.kind.collection}: change {place} is {entry} for one watcher, {self.entries[place]} for another"
        if event["type"] != "DELETED":
            self.ledger.saw(self.kind, event["object"])

    def check(self, document):
        """Nobody writes: the changes make what is there, and hold every write that was acknowledged."""
        state = dict(self.first)
        for version, what, name in self.entries:
            assert (name in state) == (what != "ADDED"), f"{self.kind.collection}: {what} {name} at {version} makes no sense"
            if what == "DELETED":
                del state[name]
            else:
                state[name] = version
        assert state == versions_in(document), f"{self.kind.collection}: the watchers' events make {state}, " \
                                               f"the list is {versions_in(document)}"
        seen = {version for version, _, _ in self.entries}
        missing = {v for collection, v in self.ledger.versions if collection == self.kind.collection and v > self.start} - seen
        assert not missing, f"{self.kind.collection}: no watcher saw the acknowledged writes {sorted(missing)}"


class Watcher:
    """Goes on from the version that it saw last, over any number of connections."""

    def __init__(self, order):
        self.order = order
        self.place = 0
        self.version = order.start
        self.resumed = 0
        self.socket = None
        self.hung_up = False

    def take(self, event):
        assert event["type"] in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK"), f"{self.order.kind.collection}: {event}"
        if event["type"] != "BOOKMARK":
            self.order.saw(self.place, event)
            self.place += 1
        assert version_of(event["object"]) >= self.version, f"{event['type']} went back from {self.version}: {event}"
        self.version = version_of(event["object"])

    def watch(self, api, seconds=30):
        """One connection, until it ends."""
        connection = http.client.HTTPSConnection(api.host, api.port, context=api.context, timeout=60 * TIME_FACTOR)
        try:
            connection.connect()
            self.socket = connection.sock
            if self.hung_up:
                return
            connection.request("GET", f"{self.order.kind.collection}?watch=1&allowWatchBookmarks=true"
                                      f"&resourceVersion={self.version}&timeoutSeconds={seconds}")
            answer = connection.getresponse()
            assert answer.status == 200, f"a watch from {self.version} got {answer.status}: {answer.read()[:500]}"
            self.resumed += 1
            while line := answer.readline():
                if line.endswith(b"\n"):  # else the cut came in its midst
                    self.take(json.loads(line))
        finally:
            connection.close()

    def hang_up(self):
        """From another thread than the one that reads, which may be about to connect."""
        self.hung_up = True
        if self.socket:
            try:
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
            except OSError:
                pass


class WatchClient(Client):
    def __init__(self, api, watcher):
        super().__init__(api, watcher.watch)
        self.watcher = watcher
        watcher.hung_up = False

    def stop(self):
        super().stop()
        self.watcher.hang_up()

    def run(self):
        super().run()
        if self.stopping.is_set():
            self.lost = None  # it was told to hang up


def catch_up(watchers, api):
    """Every watcher sees all there is to see; then the orders are checked. Nobody writes meanwhile."""
    for watcher in watchers:
        watcher.hung_up = False
        newest = version_of(api.get(watcher.order.kind.collection))
        for _ in range(10):
            watcher.watch(api, seconds=1)  # ends with a bookmark
            if watcher.version >= newest:
                break
        assert watcher.version >= newest, f"a watch of {watcher.order.kind.collection} stays at {watcher.version} of {newest}"
    for order in {id(w.order): w.order for w in watchers}.values():
        order.check(api.get(order.kind.collection))
        places = {w.place for w in watchers if w.order is order}
        assert places == {len(order.entries)}, f"{order.kind.collection}: of {len(order.entries)} changes watchers saw {places}"
