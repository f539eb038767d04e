"""What the attacks have in common: calls as anybody, what the hub keeps, and a look into the audit log."""

import base64
import http.client
import json
import os
import socket
import ssl
import time

from forge import USER, Forge, csr_object, groups_of, hub_ca, read
from harness import CLUSTERS, CSRS, TIME_FACTOR, Api, E2eTest, Hub, eventually, objects
from link_client import JOIN_CERTIFICATE, JOIN_PENDING, JOIN_REQUEST, LinkClient, tls_context

RBAC = "/apis/rbac.authorization.k8s.io/v1"
BOOTSTRAP = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"


class Caller(Api):
    """An Api with a certificate, a token or none, and headers of its own."""

    def __init__(self, hub, cert_pem=None, key_file=None, token=None, **headers):
        super().__init__(hub.addresses["api"], read(hub_ca(hub)[0]))
        self.context = tls_context(read(hub_ca(hub)[0]), cert_pem, key_file)
        self.headers = dict(headers)
        if token:
            self.headers["Authorization"] = f"Bearer {token}"

    def raw(self, method, path, body=None, content_type="application/json", timeout=10.0):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection = http.client.HTTPSConnection(self.host, self.port, context=self.context, timeout=timeout * TIME_FACTOR)
        try:
            connection.request(method, path, data, {"Content-Type": content_type, "Accept": "application/json", "User-Agent": "attack/1", **self.headers})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")


KEPT = (CLUSTERS, CSRS, "/apis/work.open-cluster-management.io/v1/manifestworks", "/api/v1/secrets", "/api/v1/namespaces",
        "/api/v1/serviceaccounts", f"{RBAC}/clusterroles", f"{RBAC}/clusterrolebindings", f"{RBAC}/rolebindings",
        "/apis/cluster.open-cluster-management.io/v1beta2/managedclustersets",
        "/apis/addon.open-cluster-management.io/v1alpha1/managedclusteraddons")


class AttackTest(E2eTest):
    """A hub with clusters c1 and c2 that have works, a third that is nobody's, and whoever attacks them."""

    flags = ()

    @classmethod
    def start_hub(cls):
        cls.hub = Hub(cls.world, "hub", *cls.flags)
        cls.forge = Forge(cls.world)
        cls.ca = hub_ca(cls.hub)
        api = cls.hub.api
        api.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "open-cluster-management"}})
        api.create(objects("open-cluster-management", "serviceaccounts"),
                   {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "agent-registration-bootstrap"}})
        api.create(f"{RBAC}/clusterrolebindings",
                   {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "agents"},
                    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                                "name": "open-cluster-management:bootstrap"},
                    "subjects": [{"kind": "ServiceAccount", "name": "agent-registration-bootstrap",
                                  "namespace": "open-cluster-management"}]})
        cls.bootstrap = Caller(cls.hub, token=cls.service_token())

    @classmethod
    def service_token(cls, **spec):
        return cls.hub.api.create(objects("open-cluster-management", "serviceaccounts", "agent-registration-bootstrap/token"),
                                  {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                                   "spec": {"expirationSeconds": 3600, **spec}})["status"]["token"]

    @classmethod
    def register_over_rest(cls, cluster, agent="a1"):
        """As OCM's registration agent: ManagedCluster and CSR with the bootstrap token. (key file, name of the CSR)."""
        cls.bootstrap.create(CLUSTERS, {"apiVersion": "cluster.open-cluster-management.io/v1", "kind": "ManagedCluster",
                                        "metadata": {"name": cluster}, "spec": {}})
        key = cls.forge.key()
        csr = csr_object(f"{cluster}-first", cls.forge.csr(key, f"{USER}{cluster}:{agent}", groups_of(cluster)), cluster)
        cls.bootstrap.create(CSRS, csr)
        return key, csr["metadata"]["name"]

    @classmethod
    def join_over_rest(cls, cluster, agent="a1"):
        """(certificate, key file) of an accepted agent that came over REST."""
        key, name = cls.register_over_rest(cluster, agent)
        cls.world.whctl("accept", cluster, hub=cls.hub)
        return cls.certificate_of(name), key

    @classmethod
    def certificate_of(cls, name):
        encoded = eventually(f"{name} is signed", lambda: cls.hub.api.get(f"{CSRS}/{name}").get("status", {}).get("certificate"))
        return base64.b64decode(encoded).decode()

    @classmethod
    def bootstrap_token(cls, cluster, *flags):
        words = cls.hub.join_command(cluster, *flags)
        return words[words.index("--token") + 1]

    @classmethod
    def join_over_link(cls, cluster, agent="a1"):
        """(certificate, key file) of an accepted spoke, which is not connected."""
        key = cls.forge.key()
        with LinkClient(cls.hub) as link:
            link.hello(cluster, agent)
            link.send(JOIN_REQUEST, cls.bootstrap_token(cluster),
                      cls.forge.csr(key, f"{USER}{cluster}:{agent}", groups_of(cluster)), {}, {})
            link.until(JOIN_PENDING)
            cls.world.whctl("accept", cluster, hub=cls.hub)
            return link.until(JOIN_CERTIFICATE)[-1][1], key

    def setUp(self):
        self.mark = os.path.getsize(self.audit_path())

    def audit_path(self):
        return os.path.join(self.hub.folder, "audit", "audit.log")

    def audit_since_mark(self):
        with open(self.audit_path(), encoding="utf-8") as file:
            file.seek(self.mark)
            return [json.loads(line) for line in file if line.endswith("\n")]

    def assert_audited(self, user, code, uri, message="", verb=None):
        """A line since the test (or the last such line) that says who, whence, what, and that it was refused."""
        def fits(line):
            return (line["user"]["username"] == user and line["responseStatus"]["code"] == code and
                    line["requestURI"].startswith(uri) and (verb is None or line["verb"] == verb) and
                    message in line["responseStatus"].get("message", ""))
        line = eventually(f"the audit log tells of {user} {code} {uri} {message!r}",
                          lambda: next((entry for entry in self.audit_since_mark() if fits(entry)), None), 5)
        self.assertEqual(line["sourceIPs"], ["127.0.0.1"])
        return line

    def assert_refused_call(self, who, user, method, path, body=None, code=403, part="", content_type="application/json"):
        """The call is refused with a Status, and the audit log tells of it."""
        self.mark = os.path.getsize(self.audit_path())
        status, answer = who.raw(method, path, body, content_type=content_type)
        said = f"{method} {path}: {status} {str(answer)[:400]}"
        self.assertEqual(status, code, said)
        self.assertEqual((answer["kind"], answer["status"]), ("Status", "Failure"), said)
        reasons = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 422: "Invalid"}
        self.assertEqual(answer["reason"], reasons[code], said)
        self.assertIn(part, answer["message"])
        line = self.assert_audited(user, code, path)
        self.assertEqual(line["userAgent"], "attack/1")

    def kept(self):
        """What the hub keeps, without what changes by itself."""
        out = {}
        for path in KEPT:
            for item in self.hub.api.items(path):
                meta = item["metadata"]
                out[path, meta.get("namespace"), meta["name"]] = json.dumps(
                    [meta["uid"], meta.get("generation"), meta.get("labels"), meta.get("annotations"), meta.get("finalizers"),
                     meta.get("deletionTimestamp"), item.get("spec"), item.get("rules"), item.get("subjects"), item.get("data")],
                    sort_keys=True)
        return out

    def assert_nothing_changed(self, before):
        after = self.kept()
        self.assertEqual({k: after.get(k) for k in set(before) | set(after) if after.get(k) != before.get(k)}, {})

    def assert_handshake_refused(self, cert, key, part, at=("link", "api")):
        """Neither port lets the certificate in, and the audit log says of whom it claims to be."""
        for port in at:
            self.mark = os.path.getsize(self.audit_path())
            host, number = self.hub.addresses[port].rsplit(":", 1)
            plain = socket.create_connection((host, int(number)), timeout=10 * TIME_FACTOR)
            try:
                with tls_context(read(self.ca[0]), cert, key).wrap_socket(plain) as tls:
                    tls.sendall(b"GET /apis HTTP/1.1\r\nHost: x\r\n\r\n")
                    said = tls.recv(1000)
                raise AssertionError(f"{port} took the certificate and said {said!r}")
            except (ssl.SSLError, ConnectionError) as e:
                self.assertNotIn("timed out", str(e))
            self.assert_audited("system:anonymous", 401, "/tls", part)

    def assert_well(self):
        self.assertTrue(self.hub.process.running())
        self.assertEqual(self.hub.api.raw("GET", "/readyz"), (200, "ok"))


def elapsed(what):
    start = time.monotonic()
    what()
    return time.monotonic() - start
