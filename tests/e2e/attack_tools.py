"""What the attacks have in common: keys and certificates of any kind, calls as anybody, frames, and a look into the audit log."""

import base64
import http.client
import json
import os
import socket
import ssl
import struct
import subprocess
import time

from harness import CLUSTERS, CSRS, TIME_FACTOR, Api, E2eTest, Hub, eventually, objects

USER = "system:open-cluster-management:"
ALL = USER + "managed-clusters"
LABEL = "open-cluster-management.io/cluster-name"
SIGNER = "kubernetes.io/kube-apiserver-client"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
BOOTSTRAP = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"

# Tags and codes; docs/link-protocol.md lists them all.
HELLO, JOIN_REQUEST, SYNC_REQUEST, HEARTBEAT, CLUSTER_REPORT, WORK_REPORT, WORK_FINISHED, RENEW, LEAVING = range(10, 19)
WELCOME, REFUSED, JOIN_PENDING, JOIN_CERTIFICATE, WORK_DESIRED, WORK_UNKNOWN, SYNC_DONE, REPORT_ACK, RENEWAL_REFUSED = range(40, 49)
INVALID, NOT_FOUND, ALREADY_EXISTS, CONFLICT, FORBIDDEN, UNAUTHORIZED = range(1, 7)
UNSUPPORTED, MALFORMED = 9, 18
PONG = 3


# --- keys and certificates -------------------------------------------------------------------------------------------

CA_CONF = """[ca]
default_ca = d
[d]
database = {db}
new_certs_dir = {dir}
rand_serial = yes
policy = p
default_md = sha256
unique_subject = no
preserve = yes
copy_extensions = none
[p]
commonName = optional
organizationName = optional
[req]
distinguished_name = dn
[dn]
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = {usage}
[ca_leaf]
basicConstraints = critical,CA:TRUE
keyUsage = critical,digitalSignature,keyCertSign
extendedKeyUsage = {usage}
"""


class Forge:
    """Makes what an attacker could make, and, with the hub's CA key, what no hub would."""

    def __init__(self, world):
        self.world = world
        self.count = 0

    def openssl(self, *arguments, data=None):
        done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def file(self, suffix, text=None):
        self.count += 1
        path = self.world.path(f"forged-{self.count}.{suffix}")
        if text is not None:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
        return path

    def key(self, rsa_bits=0):
        path = self.file("key")
        kind = ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{rsa_bits}"] if rsa_bits else [
            "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.openssl("genpkey", *kind, "-out", path)
        return path

    def csr(self, key, name, groups, *extensions, digest="sha256"):
        """PEM. `extensions` as of openssl's -addext."""
        subject = "".join(f"/O={group}" for group in groups) + f"/CN={name}"
        added = [word for e in extensions for word in ("-addext", e)]
        return self.openssl("req", "-new", "-utf8", "-key", key, "-subj", subject, f"-{digest}", *added)

    def certificate(self, key, name, groups, ca, *, usage="clientAuth", start="20200101000000Z", end="20400101000000Z",
                    extensions="leaf"):
        """PEM, signed by `ca`: (certificate file, key file). Anything may stand in it."""
        conf = self.file("conf")
        with open(conf, "w", encoding="utf-8") as out:
            out.write(CA_CONF.format(db=self.file("db", ""), dir=self.world.folder, usage=usage))
        request = self.file("csr", self.csr(key, name, groups))
        cert = self.file("crt")
        self.openssl("ca", "-batch", "-notext", "-utf8", "-preserveDN", "-config", conf, "-extensions", extensions, "-cert", ca[0],
                     "-keyfile", ca[1], "-startdate", start, "-enddate", end, "-in", request, "-out", cert)
        with open(cert, encoding="utf-8") as file:
            return file.read()

    def own_ca(self, name):
        """(certificate file, key file) of an authority that nobody has asked for."""
        key, cert = self.key(), self.file("crt")
        self.openssl("req", "-x509", "-new", "-key", key, "-subj", name, "-days", "30", "-out", cert)
        return cert, key

    def text(self, pem):
        return self.openssl("x509", "-noout", "-text", data=pem.encode())

    def digest(self, key):
        """Of the public key, as the hub writes it down."""
        der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
        import hashlib  # pylint: disable=import-outside-toplevel
        return hashlib.sha256(der).hexdigest()


def hub_ca(hub):
    return os.path.join(hub.folder, "pki", "ca.crt"), os.path.join(hub.folder, "pki", "ca.key")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def groups_of(cluster):
    return [USER + cluster, ALL]


def csr_object(name, pem, cluster=None, usages=("digital signature", "key encipherment", "client auth"), **spec):
    labels = {LABEL: cluster} if cluster else {}
    return {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": name, "labels": labels},
            "spec": {"request": base64.b64encode(pem.encode()).decode(), "signerName": SIGNER, "usages": list(usages), **spec}}


# --- calls as anybody ------------------------------------------------------------------------------------------------

def tls_context(ca_pem, cert_pem=None, key_file=None):
    context = ssl.create_default_context(cadata=ca_pem)
    context.check_hostname = False
    if cert_pem:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # weak keys must reach the other side to be refused there
        path = f"{key_file}.both"
        with open(path, "w", encoding="utf-8") as both:
            both.write(cert_pem + "\n" + read(key_file))
        context.load_cert_chain(path)
    return context


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


# --- frames ----------------------------------------------------------------------------------------------------------

def packed(value):
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">BQ", 0xCF, value)
    if isinstance(value, bytes):
        return struct.pack(">BI", 0xC6, len(value)) + value
    if isinstance(value, str):
        data = value.encode()
        return struct.pack(">BI", 0xDB, len(data)) + data
    if isinstance(value, dict):
        return struct.pack(">BI", 0xDF, len(value)) + b"".join(packed(k) + packed(v) for k, v in value.items())
    return struct.pack(">BI", 0xDD, len(value)) + b"".join(packed(v) for v in value)


def unpacked(data, at=0):
    """(value, where it ends) of what the hub sends."""
    tag, at = data[at], at + 1
    if tag < 0x80:
        return tag, at
    if tag in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[tag], at
    numbers = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
    if tag in numbers:
        size = struct.calcsize(numbers[tag])
        return struct.unpack(numbers[tag], data[at:at + size])[0], at + size
    lengths = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I", 0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I"}
    if tag in lengths:
        size = struct.calcsize(lengths[tag])
        count, at = struct.unpack(lengths[tag], data[at:at + size])[0], at + size
    else:
        count = tag & (0x1F if tag >= 0xA0 else 0x0F)
    if 0xC4 <= tag <= 0xC6:
        return data[at:at + count], at + count
    if 0xA0 <= tag < 0xC0 or 0xD9 <= tag <= 0xDB:
        return data[at:at + count].decode(), at + count
    items = []
    for _ in range(count * (2 if 0x80 <= tag < 0x90 or tag >= 0xDE else 1)):
        item, at = unpacked(data, at)
        items.append(item)
    if 0x80 <= tag < 0x90 or tag >= 0xDE:
        return dict(zip(items[::2], items[1::2])), at
    return items, at


class LinkClient:
    """One connection to the hub's link that says whatever it is told to."""

    def __init__(self, hub, cert_pem=None, key_file=None, resumes=None):
        """`resumes`: a connection of before, whose TLS session goes on here."""
        host, port = hub.addresses["link"].rsplit(":", 1)
        plain = socket.create_connection((host, int(port)), timeout=10 * TIME_FACTOR)
        self.context = resumes.context if resumes else tls_context(read(hub_ca(hub)[0]), cert_pem, key_file)
        self.tls = self.context.wrap_socket(plain, session=resumes.ticket if resumes else None)
        self.buffer = b""

    def keep_ticket(self):
        """Remembers the newest ticket that the hub gave; once something has been read."""
        self.ticket = self.tls.session
        assert self.ticket.has_ticket

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tls.close()

    def send(self, tag, *fields):
        body = packed([tag, *fields])
        self.tls.sendall(struct.pack(">I", len(body)) + body)
        return self

    def hello(self, cluster, agent, incarnation="", instance="attack"):
        return self.send(HELLO, 1, "attack/1", cluster, agent, incarnation, 1, instance)

    def next(self):
        """The next frame that is not about flow control; None at the end."""
        while True:
            while len(self.buffer) < 4 or len(self.buffer) < 4 + struct.unpack(">I", self.buffer[:4])[0]:
                try:
                    data = self.tls.recv(65536)
                except (ConnectionError, ssl.SSLError):
                    return None
                if not data:
                    return None
                self.buffer += data
            length = struct.unpack(">I", self.buffer[:4])[0]
            frame, _ = unpacked(self.buffer[4:4 + length])
            self.buffer = self.buffer[4 + length:]
            if frame[0] >= 10:
                return frame

    def until(self, *tags):
        """All frames up to the first with one of these tags."""
        seen = []
        while frame := self.next():
            seen.append(frame)
            if frame[0] in tags:
                return seen
        raise AssertionError(f"the hub closed without a frame {tags}; it said {seen}")

    def refusal(self):
        """(code, message) of the `refused` that ends the connection."""
        frame = self.until(REFUSED)[-1]
        assert self.next() is None, "the hub did not close"
        return frame[1], frame[2]

    def quiet(self, seconds=0.3):
        """What else comes within this time."""
        seen = []
        self.tls.settimeout(seconds * TIME_FACTOR)
        try:
            while frame := self.next():
                seen.append(frame)
        except TimeoutError:
            pass
        self.tls.settimeout(10 * TIME_FACTOR)
        return seen


# --- what the hub keeps ----------------------------------------------------------------------------------------------

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
