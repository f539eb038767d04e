"""ID tokens of an OpenID Connect issuer: a small one of our own over HTTPS, with keys made by the openssl program."""

import base64
import http.server
import json
import ssl
import subprocess
import threading
import time

from harness import E2eTest, Hub, eventually, free_port, main


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Discovery and key set over HTTPS, and tokens signed with RS256."""

    def __init__(self, world):
        self.world = world
        self.url = f"https://127.0.0.1:{free_port()}"
        self.keys = {}
        self.asked = 0
        self.server = None
        self.certificate = world.path("issuer.pem")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", world.path("issuer.key"), "-out",
                     self.certificate, "-days", "2", "-subj", "/CN=issuer", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "extendedKeyUsage=serverAuth")
        self.new_key("first")

    def openssl(self, *arguments, data=b""):
        return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout

    def new_key(self, name):
        file = self.world.path(f"{name}.rsa")
        self.openssl("genrsa", "-out", file, "2048")
        modulus = bytes.fromhex(self.openssl("rsa", "-in", file, "-modulus", "-noout").decode().strip().split("=")[1])
        self.keys = {name: {"kty": "RSA", "kid": name, "use": "sig", "alg": "RS256", "n": b64(modulus), "e": "AQAB"}}

    def token(self, key="first", **claims):
        now = int(time.time())
        body = {"iss": self.url, "aud": "wheelhouse", "sub": "jane", "iat": now, "exp": now + 600, "groups": ["dev"],
                "tenant": "acme", **claims}
        text = b64(json.dumps({"alg": "RS256", "kid": key}).encode()) + "." + b64(json.dumps(body).encode())
        signature = self.openssl("dgst", "-sha256", "-sign", self.world.path(f"{key}.rsa"), data=text.encode())
        return f"{text}.{b64(signature)}"

    def start(self):
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                documents = {"/.well-known/openid-configuration": {"issuer": issuer.url, "jwks_uri": issuer.url + "/keys"},
                             "/keys": {"keys": list(issuer.keys.values())}}
                found = documents.get(self.path)
                body = json.dumps(found).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.world.path("issuer.key"))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", int(self.url.rsplit(":", 1)[1])), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Oidc(E2eTest):
    @classmethod
    def prepare(cls):
        cls.issuer = Issuer(cls.world)
        cls.hub = Hub(cls.world, "hub", "--oidc-issuer-url", cls.issuer.url, "--oidc-client-id", "wheelhouse",
                      "--oidc-ca-file", cls.issuer.certificate, "--oidc-username-prefix", "oidc:", "--oidc-groups-claim",
                      "groups", "--oidc-groups-prefix", "oidc:", "--oidc-required-claim", "tenant=acme")

    def review(self, token):
        return self.hub.api.create("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}})["status"]

    def test_1_a_hub_serves_without_its_issuer(self):
        status, answer = self.hub.api.raw("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                                          {"spec": {"token": self.issuer.token()}})
        self.assertEqual((status, answer["status"]["authenticated"]), (201, False))
        self.assertIn("cannot be asked for its keys now", answer["status"]["error"])
        self.assertIn("oidc: ", self.hub.process.log())

    def test_2_tokens_become_users_and_groups(self):
        self.issuer.start()
        user = eventually("the issuer's keys are known", lambda: self.review(self.issuer.token()).get("user"), 30)
        self.assertEqual(user, {"username": "oidc:jane", "groups": ["oidc:dev", "system:authenticated"]})
        self.world.kubectl("create", "clusterrolebinding", "devs", "--clusterrole=view", "--group=oidc:dev", at=self.hub)
        ca = self.world.write("ca.pem", self.hub.ca_pem())
        listed = self.world.run(["kubectl", "--kubeconfig", "/dev/null", "--server", f"https://{self.hub.addresses['api']}",
                                 "--certificate-authority", ca, "--token", self.issuer.token(), "get", "configmaps", "-n",
                                 "kube-public", "-o", "name"])
        self.assertIn("configmap/cluster-info", listed.stdout)

    def test_3_wrong_tokens_are_refused(self):
        for change in ({"aud": "other"}, {"exp": int(time.time()) - 100}, {"tenant": "evil"}, {"sub": ""}):
            self.assertFalse(self.review(self.issuer.token(**change))["authenticated"], change)
        good = self.issuer.token()
        self.assertFalse(self.review(good[:-6] + "AAAAAA")["authenticated"])

    def test_4_keys_rotate(self):
        self.issuer.new_key("second")
        asked = self.issuer.asked
        for _ in range(5):
            self.review(self.issuer.token("second", jti=str(time.time())))
        self.assertLessEqual(self.issuer.asked - asked, 2)
        eventually("the new key is fetched", lambda: self.review(self.issuer.token("second"))["authenticated"], 30)

    def test_5_known_keys_serve_while_the_issuer_is_away(self):
        self.issuer.stop()
        self.assertTrue(self.review(self.issuer.token("second", jti="away"))["authenticated"])

    def test_6_flags_are_checked(self):
        def start(*flags):
            return Hub(self.world, "wrong", *flags, started=False)

        for flags, part in ((["--oidc-issuer-url", "https://x"], "--oidc-client-id is required"),
                            (["--oidc-client-id", "x"], "--oidc-issuer-url is required"),
                            (["--oidc-issuer-url", "http://x", "--oidc-client-id", "x"], "--oidc-issuer-url"),
                            (["--audit-max-size", "0"], "--audit-max-size"),
                            (["--audit-policy", self.world.write("p.yaml", "kind: Nothing")], "p.yaml: audit policy: file")):
            hub = start(*flags)
            done = self.world.run(hub.command(), check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(part, done.stderr + done.stdout)


if __name__ == "__main__":
    main()
