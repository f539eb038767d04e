"""Keys, certificates and requests of any kind: what an attacker could make, and what no hub would sign. Needs openssl."""

import base64
import hashlib
import os
import subprocess

USER = "system:open-cluster-management:"
ALL = USER + "managed-clusters"
LABEL = "open-cluster-management.io/cluster-name"
SIGNER = "kubernetes.io/kube-apiserver-client"

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
