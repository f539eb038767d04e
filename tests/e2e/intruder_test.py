"""Attempts to break out: garbage on both ports, forged frames, and a stolen spoke certificate on the REST port."""

import os
import random
import socket
import re
import ssl
import struct
import tempfile

from harness import (CLUSTERS, CSRS, TIME_FACTOR, Api, E2eTest, Hub, config_map, eventually, main, manifest_work,
                     objects, works)

# Tags of the frames that are forged here; docs/link-protocol.md lists them all.
HELLO, JOIN_REQUEST, SYNC_REQUEST, HEARTBEAT, WORK_FINISHED = 10, 11, 12, 13, 16
WELCOME, REFUSED = 40, 41


def packed(value):
    """The few msgpack types that the forged frames need."""
    if isinstance(value, int):
        return struct.pack(">BQ", 0xCF, value)
    if isinstance(value, str):
        data = value.encode()
        return struct.pack(">BI", 0xDB, len(data)) + data
    if isinstance(value, dict):
        return struct.pack(">BI", 0xDF, len(value)) + b"".join(packed(k) + packed(v) for k, v in value.items())
    return struct.pack(">BI", 0xDD, len(value)) + b"".join(packed(v) for v in value)


def frame(tag, *fields):
    body = packed([tag, *fields])
    return struct.pack(">I", len(body)) + body


def tags_in(data):
    """The tags of the frames in what the hub sent: each frame is a length and an array that starts with its tag."""
    tags = []
    while len(data) > 4:
        length, = struct.unpack(">I", data[:4])
        body = data[4:4 + length]
        if len(body) < length:
            break
        start = {0xDC: 3, 0xDD: 5}.get(body[0], 1)
        tags.append(body[start] if body[start] < 0x80 else body[start + 1])
        data = data[4 + length:]
    return tags


def hello(cluster, agent="thief"):
    return frame(HELLO, 1, "intruder/1.0", cluster, agent, "")


class Intruder(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        # Its identity lies open, so that it can be stolen from the disk.
        cls.c1, cls.c2 = cls.world.joined_spokes(cls.hub, "c1", "c2", flags=("--encryption-key-file", "off"))
        cls.ca = cls.hub.ca_pem()
        cls.hub.api.create(works("c2"), manifest_work("private", [config_map("private", "1")]))
        cls.hub.api.create(works("c1"), manifest_work("own", [config_map("own", "1")]))
        cls.cert, cls.key, cls.agent = eventually("c1 has a certificate", cls.c1.stolen_identity)

    def link_socket(self, with_certificate=False):
        context = ssl.create_default_context(cadata=self.ca)
        context.check_hostname = False
        if with_certificate:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as both:
                both.write(self.cert + "\n" + self.key)
                both.flush()
                context.load_cert_chain(both.name)
        return context.wrap_socket(self.plain_socket("link"))

    def plain_socket(self, which):
        host, port = self.hub.addresses[which].rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=15 * TIME_FACTOR)

    def answer_until_closed(self, connection):
        """Everything that the other side still says; it must close within the socket's time limit."""
        received = b""
        try:
            while data := connection.recv(65536):
                received += data
        except (ConnectionError, ssl.SSLError):
            pass
        connection.close()
        return received

    def assert_hub_is_well(self):
        self.assertTrue(self.hub.process.running())
        self.assertEqual(self.hub.api.raw("GET", "/readyz"), (200, "ok"))

    def test_01_garbage_on_both_ports_harms_nobody(self):
        noise = random.Random(1)
        for which in ("api", "link"):
            for size in (1, 100, 5000):
                with self.plain_socket(which) as connection:
                    connection.sendall(noise.randbytes(size))
            with self.plain_socket(which) as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assert_hub_is_well()

    def test_02_garbage_inside_tls_ends_that_connection_alone(self):
        noise = random.Random(2)
        for data in (noise.randbytes(3000), struct.pack(">I", 0xFFFFFFFF) + b"x" * 100, struct.pack(">I", 0) * 50,
                     struct.pack(">I", 3) + b"\xc1\xc1\xc1", hello("c1") + struct.pack(">I", 8) + b"\xdd\xff\xff\xff\xff\x01\x01\x01"):
            connection = self.link_socket()
            try:
                connection.sendall(data)
            except (ConnectionError, ssl.SSLError):
                pass
            self.answer_until_closed(connection)
        self.assert_hub_is_well()

    def test_03_garbage_http_gets_a_4xx(self):
        context = ssl.create_default_context(cadata=self.ca)
        context.check_hostname = False
        for request in (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\x01\x02\r\n\r\n",
                        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200000 + b"\r\n\r\n",
                        b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"):
            with context.wrap_socket(self.plain_socket("api")) as connection:
                try:
                    connection.sendall(request)
                    answer = connection.recv(200)
                except (ConnectionError, ssl.SSLError):
                    continue
                self.assertRegex(answer, rb"^(HTTP/1\.[01] 4\d\d|$)")
        self.assert_hub_is_well()

    def test_04_without_a_certificate_the_link_gives_nothing(self):
        for forged in (frame(SYNC_REQUEST, []), frame(HEARTBEAT, 0), frame(WORK_FINISHED, "own", "some-uid")):
            connection = self.link_socket()
            connection.sendall(hello("c1") + forged)
            answer = self.answer_until_closed(connection)
            self.assertNotIn(b"ConfigMap", answer)
        connection = self.link_socket()
        connection.sendall(hello("c1") + frame(JOIN_REQUEST, "abcdef.0000000000000000", "no csr", {}))
        self.assertNotIn(b"BEGIN CERTIFICATE", self.answer_until_closed(connection))
        self.assertIsNotNone(self.hub.api.find(works("c1", "own")))

    def test_05_a_certificate_speaks_for_its_own_cluster_only(self):
        for cluster, agent in (("c2", self.agent), ("c1", "another")):
            connection = self.link_socket(with_certificate=True)
            connection.sendall(hello(cluster, agent) + frame(SYNC_REQUEST, []))
            answer = self.answer_until_closed(connection)
            self.assertNotIn(b"private", answer)
            self.assertNotIn(WELCOME, tags_in(answer))
        self.assert_hub_is_well()

    def test_06_a_session_cannot_finish_the_work_of_another_cluster(self):
        uid = self.hub.api.get(works("c2", "private"))["metadata"]["uid"]
        connection = self.link_socket(with_certificate=True)
        connection.sendall(hello("c1", self.agent))
        greeting = b""
        while WELCOME not in tags_in(greeting):
            data = connection.recv(65536)
            self.assertTrue(data, f"the forged hello should be well-formed; the hub answered {greeting}")
            greeting += data
        connection.sendall(frame(WORK_FINISHED, "private", uid) + frame(SYNC_REQUEST, []))
        connection.settimeout(1 * TIME_FACTOR)
        received = b""
        try:
            while data := connection.recv(65536):
                received += data
        except OSError:
            pass
        connection.close()
        # The hub may repeat the forged name to say that c1 has no such work; nothing of c2's comes with it.
        for manifest in re.findall(rb'"namespace":"(c\d)"', received):
            self.assertEqual(manifest, b"c1")
        self.assertIn(b'"name":"own"', received)
        self.assertIsNotNone(self.hub.api.find(works("c2", "private")))
        self.assert_hub_is_well()

    def test_07_the_stolen_certificate_sees_its_own_works_and_no_others(self):
        thief = Api(self.hub.addresses["api"], self.ca, self.cert, self.key)
        self.assertEqual(thief.get(works("c1", "own"))["metadata"]["name"], "own")
        for path in (works("c2"), works("c2", "private"), "/apis/work.open-cluster-management.io/v1/manifestworks",
                     f"{CLUSTERS}/c2", CLUSTERS, objects("kube-system", "secrets"), objects("c1", "secrets"),
                     objects("c2", "configmaps"), "/api/v1/namespaces", "/api/v1/secrets",
                     "/apis/rbac.authorization.k8s.io/v1/clusterroles"):
            self.assert_api_error((403,), thief.get, path)

    def test_08_the_stolen_certificate_writes_nothing_that_matters(self):
        thief = Api(self.hub.addresses["api"], self.ca, self.cert, self.key)
        evil = manifest_work("evil", [config_map("evil", "1")])
        binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
                   "metadata": {"name": "evil"},
                   "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                   "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "x"}]}
        for call in ((thief.create, works("c1"), evil), (thief.create, works("c2"), evil),
                     (thief.merge, works("c2", "private"), {"metadata": {"labels": {"a": "b"}}}),
                     (thief.delete, works("c2", "private")), (thief.delete, works("c1", "own")),
                     (thief.merge, f"{CLUSTERS}/c2", {"spec": {"hubAcceptsClient": False}}),
                     (thief.delete, f"{CLUSTERS}/c1"), (thief.create, CLUSTERS, {
                         "apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster",
                         "metadata": {"name": "c3"}, "spec": {"hubAcceptsClient": True}}),
                     (thief.create, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding),
                     (thief.merge, "/apis/rbac.authorization.k8s.io/v1/clusterroles/cluster-admin", {"rules": []})):
            self.assert_api_error((403,), *call)
        requests = self.hub.api.items(CSRS)
        name = requests[0]["metadata"]["name"]
        self.assert_api_error((403,), thief.replace, f"{CSRS}/{name}/approval", requests[0])

    def test_09_nobody_and_a_certificate_of_another_ca_are_told_apart_from_users(self):
        nobody = Api(self.hub.addresses["api"], self.ca)
        self.assert_api_error((401, 403), nobody.get, CLUSTERS)
        self.assert_api_error((401, 403), nobody.create, works("c1"), manifest_work("evil", [config_map("evil", "1")]))
        other = Hub(self.world, "other-hub")
        foreign = Api.from_kubeconfig(other.kubeconfig)
        foreign.port, foreign.host = self.hub.api.port, self.hub.api.host
        foreign.context.load_verify_locations(cadata=self.ca)
        try:
            self.assert_api_error((401, 403), foreign.get, CLUSTERS)
        except OSError:
            pass  # refused in the handshake already
        other.kill()
        self.assert_hub_is_well()

    def test_10_a_thief_cannot_accept_its_own_cluster_again(self):
        self.hub.api.merge(f"{CLUSTERS}/c1", {"spec": {"hubAcceptsClient": False}})
        thief = Api(self.hub.addresses["api"], self.ca, self.cert, self.key)
        self.assert_api_error((403,), thief.merge, f"{CLUSTERS}/c1", {"spec": {"hubAcceptsClient": True}})
        self.hub.api.merge(works("c1", "own"), {"spec": {"workload": {"manifests": [config_map("own", "2")]}}})
        self.world.whctl("accept", "c1", hub=self.hub)
        eventually("accepted again, the work arrives",
                   lambda: self.c1.api.get(objects("default", "configmaps", "own"))["data"]["value"] == "2", 30)

    def test_11_the_folders_are_closed_to_others(self):
        for folder in (self.hub.folder, self.c1.folder):
            for where, _, files in os.walk(folder):
                for name in files:
                    path = os.path.join(where, name)
                    if "key" in name or "kubeconfig" in name or name == "spoke.json":
                        self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


if __name__ == "__main__":
    main()
