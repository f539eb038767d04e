"""What an API server told its clients, and must therefore still know after a power cut."""

import base64
import hashlib
import http.client
import json
import random
import threading

import power  # noqa: F401 (tells where the harness is)
from harness import ApiError, condition, config_map, holds, manifest_work, objects, works


class Kind:
    """How objects that carry one text are written and read."""

    def __init__(self, collection, make, read):
        self.collection = collection
        self.make = make
        self.read = read


def secret(name, value):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "default"},
            "data": {"value": base64.b64encode(value.encode()).decode()}}


CONFIG_MAPS = Kind(objects("default", "configmaps"), config_map, lambda d: d["data"]["value"])
SECRETS = Kind(objects("default", "secrets"), secret, lambda d: base64.b64decode(d["data"]["value"]).decode())


def works_of(cluster):
    """Each work holds one ConfigMap of its own name."""
    return Kind(works(cluster), lambda name, value: manifest_work(name, [config_map(name, value)]),
                lambda d: d["spec"]["workload"]["manifests"][0]["data"]["value"])


def leases_of(cluster):
    """Renewals live in memory and still take resourceVersions, which must not be given out again after a cut."""
    return Kind(f"/apis/coordination.k8s.io/v1/namespaces/{cluster}/leases", None, None)


def number(value):
    """Values count up, so that of two it is known which is newer."""
    return int(value.split(":")[0])


class Ledger:
    """The promises of one server. A writer owns the names it writes, so that each name has one history."""

    def __init__(self, kinds, prefix, watched=()):
        self.kinds = kinds
        self.watched = watched   # kinds that are only looked at
        self.prefix = prefix     # of the names that the writers use: the server has others
        self.lock = threading.Lock()
        self.acknowledged = {}   # (collection, name) -> value, or None once its deletion was acknowledged
        self.open = {}           # (collection, name) -> values sent later and never answered
        self.floors = {}         # (collection, name) -> the newest resourceVersion that somebody saw it with
        self.contents = {}       # resourceVersion -> digest of the object that bore it
        self.versions = set()    # (collection, resourceVersion) of every write that was acknowledged
        self.newest = 0          # the newest resourceVersion that any answer mentioned
        self.deleted_at = {}     # (collection, name) -> number of the newest deletion tried
        self.applied = {}        # name of a work -> newest value that the spoke reported as applied
        self.count = 0
        self.writes = 0

    def next_number(self):
        with self.lock:
            self.count += 1
            return self.count

    def saw(self, kind, document):
        """Notes an object that the server showed, and checks that its resourceVersion was never another's."""
        name = document["metadata"]["name"]
        version = int(document["metadata"]["resourceVersion"])
        whole = {k: v for k, v in document.items() if k not in ("kind", "apiVersion")}  # lists leave these out
        digest = hashlib.md5((kind.collection + json.dumps(whole, sort_keys=True)).encode()).digest()
        with self.lock:
            known = self.contents.setdefault(version, digest)
            assert known == digest, f"resourceVersion {version} was given out twice; now it is {json.dumps(whole)[:600]}"
            self.newest = max(self.newest, version)
            key = (kind.collection, name)
            self.floors[key] = max(self.floors.get(key, 0), version)
            if holds(document, "Applied") and "deletionTimestamp" not in document["metadata"]:
                value = kind.read(document)
                if number(value) >= number(self.applied.get(name, "0")):
                    self.applied[name] = value

    def saw_list(self, kind, document):
        for item in document["items"]:
            if kind.make is None or item["metadata"]["name"].startswith(self.prefix):
                self.saw(kind, item)
        with self.lock:
            self.newest = max(self.newest, int(document["metadata"]["resourceVersion"]))

    def write(self, api, kind, name, chaos):
        """One create, change or delete."""
        key = (kind.collection, name)
        path = f"{kind.collection}/{name}"
        before = self.newest
        present = self.acknowledged.get(key)
        count = self.next_number()
        value = None if present and chaos.random() < 0.2 else f"{count}:" + "x" * chaos.choice((1, 40, 900, 5000))
        if value is None:
            self.deleted_at[key] = count
        self.open.setdefault(key, set()).add(value)
        try:
            if value is None:
                api.delete(path)
            elif present is None:
                answer = api.create(kind.collection, kind.make(name, value))
            else:
                body = kind.make(name, value)
                answer = api.merge(path, {k: body[k] for k in ("data", "spec") if k in body})
        except ApiError as e:
            if e.code >= 500:
                raise
            # Refused, so it has not happened: the work's last incarnation is still being deleted.
            assert e.code == 409 and present is None and kind.collection.endswith("manifestworks"), f"{path}: {e}"
            self.open[key].discard(value)
            return
        self.acknowledged[key] = value
        self.open[key] = set()
        self.writes += 1
        if value is not None:
            version = int(answer["metadata"]["resourceVersion"])
            assert version > before, f"{path} was written as {version}, after {before} had been seen"
            self.versions.add((kind.collection, version))
            self.saw(kind, answer)

    def check(self, api):
        """After a restart, before anybody writes: every promise was kept."""
        for kind in self.kinds:
            answer = api.get(kind.collection)
            version = int(answer["metadata"]["resourceVersion"])
            assert version >= self.newest, f"the newest resourceVersion went back from {self.newest} to {version}"
            found = {d["metadata"]["name"]: d for d in answer["items"] if d["metadata"]["name"].startswith(self.prefix)}
            names = {name for collection, name in {**self.acknowledged, **self.open} if collection == kind.collection}
            assert set(found) <= names, f"nobody wrote {set(found) - names}"
            for name in sorted(names):
                self.check_one(kind, name, found.get(name))
            self.saw_list(kind, answer)

    def check_uids(self, api, collections):
        """Also of objects that nobody here wrote: an owner reference names its owner by UID alone."""
        owners = {}
        for collection in collections:
            for item in api.items(collection):
                name = f"{collection}/{item['metadata']['name']}"
                other = owners.setdefault(item["metadata"]["uid"], name)
                assert other == name, f"{name} has the UID of {other}"

    def check_one(self, kind, name, document):
        key = (kind.collection, name)
        deleting = document is None or "deletionTimestamp" in document["metadata"]
        value = None if deleting else kind.read(document)
        known = self.acknowledged.get(key)
        allowed = {known} | self.open.get(key, set())
        assert value in allowed, f"{key}: {short(value)} is there; acknowledged was {short(known)}, open are " \
                                 f"{[short(v) for v in self.open.get(key, ())]}"
        if document is not None:
            version = int(document["metadata"]["resourceVersion"])
            assert version >= self.floors.get(key, 0), f"{key} went back from {self.floors[key]} to {version}"
        # From now on it has been seen, so it must stay.
        self.acknowledged[key] = value
        self.open[key] = set()

    def check_applied(self, kind, api):
        """On the spoke's own cluster: what it reported as applied is there, or what came later."""
        found = {d["metadata"]["name"]: CONFIG_MAPS.read(d) for d in api.items(CONFIG_MAPS.collection)}
        for name, value in self.applied.items():
            if self.deleted_at.get((kind.collection, name), 0) > number(value):
                continue  # it may be gone already
            assert number(found.get(name, "0")) >= number(value), \
                f"{name} was reported as applied with {short(value)}, the cluster has {short(found.get(name))}"

    def differences(self, kind, api, cluster_api):
        """What of the cluster is not as its works say."""
        wrong = []
        wanted = {}
        for work in api.items(kind.collection):
            name = work["metadata"]["name"]
            if not name.startswith(self.prefix):
                continue
            if "deletionTimestamp" in work["metadata"]:
                wrong.append(f"{name} is still being deleted")
                continue
            wanted[name] = short(kind.read(work))
            if not (holds(work, "Applied") and holds(work, "Available")):
                wrong.append(f"{name}: {condition(work, 'Applied')}")
        found = {d["metadata"]["name"]: short(CONFIG_MAPS.read(d)) for d in cluster_api.items(CONFIG_MAPS.collection)
                 if d["metadata"]["name"].startswith(self.prefix)}
        if found != wanted:
            wrong.append(f"objects are {found}, should be {wanted}")
        return wrong


def short(value):
    return value[:12] if value else value


class Client(threading.Thread):
    """Uses a server until it is stopped or the server is gone (`lost`). A broken promise is kept in `failure`."""

    def __init__(self, api, use):
        super().__init__(daemon=True)
        self.api = api
        self.use = use
        self.stopping = threading.Event()
        self.failure = None
        self.lost = None

    def stop(self):
        self.stopping.set()

    def run(self):
        try:
            while not self.stopping.is_set():
                self.use(self.api)
        except (OSError, http.client.HTTPException) as e:
            self.lost = e
        except (AssertionError, ApiError, KeyError, ValueError) as e:
            self.failure = e
        finally:
            self.api.close()


def writer(api, ledger, kind, seed):
    """A client that owns a few names of one kind."""
    chaos = random.Random(seed)

    def use(connection):
        ledger.write(connection, kind, f"{ledger.prefix}{chaos.randrange(8)}", chaos)

    return Client(api, use)


def reader(api, ledger):
    """A client that sees everything that is there."""

    def use(connection):
        for kind in (*ledger.kinds, *ledger.watched):
            ledger.saw_list(kind, connection.get(kind.collection))

    return Client(api, use)
