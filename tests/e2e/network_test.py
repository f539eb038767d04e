"""Spokes reach their hub over several addresses, IPv6 and HTTP proxies; the hub renews its certificate and refuses bad keys."""

import json
import os
import socket
import ssl
import subprocess

from connect_proxy import ConnectProxy
from harness import E2eTest, Hub, Spoke, config_map, eventually, free_port, holds, main, manifest_work, works

SECRET = "geh:eim-pw/@"


def make_certificate(world, name, host):
    """(certificate file, key file) of a server, signed by itself, which is therefore its own CA."""
    cert, key = world.path(f"{name}.crt"), world.path(f"{name}.key")
    world.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
               "-subj", f"/CN={name}", "-addext", f"subjectAltName=IP:{host}", "-addext", "extendedKeyUsage=serverAuth",
               "-keyout", key, "-out", cert])
    return cert, key


class Networks(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)

    def join(self, cluster, *flags, hub=None, replace_hub=None):
        words = (hub or self.hub).join_command(cluster)
        if replace_hub:
            words[words.index("--hub") + 1] = replace_hub
        return Spoke(self.world, cluster, words, *flags)

    def accepted(self, cluster, hub=None):
        self.world.whctl("accept", cluster, "--wait", "30s", hub=hub or self.hub)
        return True

    def works_for(self, cluster, hub=None):
        """A work arrives: the link carries more than its first words."""
        api = (hub or self.hub).api
        api.create(works(cluster), manifest_work("probe", [config_map("probe", "x" * 20000)]))
        eventually(f"{cluster} applies", lambda: holds(api.get(works(cluster, "probe")), "Available"), 30)

    def test_1_a_proxy(self):
        proxy = ConnectProxy()
        spoke = self.join("plain", "--hub-proxy", proxy.url())
        self.accepted("plain")
        self.works_for("plain")
        self.assertTrue(proxy.tunnels)
        self.assertEqual(set(proxy.tunnels), {self.hub.addresses["link"]})
        self.assertIn(f"through proxy {proxy.url()}", spoke.process.log())
        # The proxy is kept: a start with the data folder alone passes it again.
        before = len(proxy.tunnels)
        spoke.process.terminate()
        spoke.start()
        eventually("passes the proxy again", lambda: len(proxy.tunnels) > before)
        # And given up again.
        spoke.process.terminate()
        spoke.start(None, "--hub-proxy", "none")
        eventually("goes without", lambda: "ready" in spoke.process.log().split("stopped")[-1])
        with open(os.path.join(spoke.folder, "spoke.json"), encoding="utf-8") as file:
            self.assertNotIn("hubProxy", json.load(file))
        spoke.kill()

    def test_2_a_proxy_with_credentials(self):
        proxy = ConnectProxy(credentials=SECRET)
        wrong = self.join("asks", "--hub-proxy", proxy.url())
        eventually("says what the proxy wants", lambda: "407" in wrong.process.log())
        self.assertIn("--hub-proxy-credentials-file", wrong.process.log())
        self.assertTrue(wrong.process.running())
        wrong.kill()
        secret = self.world.write("proxy-secret", SECRET + "\n")
        os.chmod(secret, 0o644)
        loose = self.join("asks", "--hub-proxy-credentials-file", secret)
        self.assertEqual(loose.process.exit_code(), 2)
        self.assertIn("chmod 600", loose.process.log())
        os.chmod(secret, 0o600)
        spoke = self.join("asks", "--hub-proxy-credentials-file", secret)
        self.accepted("asks")
        self.works_for("asks")
        spoke.kill()
        in_url = self.join("url", "--hub-proxy", proxy.url("geh:eim-pw%2F%40"))
        self.accepted("url")
        for log in (wrong, loose, spoke, in_url):
            self.assertNotIn("eim-pw", log.process.log())
        self.assertEqual(os.stat(os.path.join(in_url.folder, "spoke.json")).st_mode & 0o777, 0o600)
        in_url.kill()

    def test_3_an_https_proxy_with_its_own_ca(self):
        certificate = make_certificate(self.world, "proxy", "127.0.0.1")
        proxy = ConnectProxy(credentials=SECRET, certificate=certificate)
        stranger = self.join("tls", "--hub-proxy", proxy.url("geh:eim-pw%2F%40"))
        eventually("does not believe the proxy", lambda: "TLS: server's certificate" in stranger.process.log())
        self.assertIn(f"proxy {proxy.url()}", stranger.process.log())
        stranger.kill()
        spoke = self.join("tls", "--hub-proxy", proxy.url("geh:eim-pw%2F%40"), "--hub-proxy-ca", certificate[0])
        self.accepted("tls")
        self.works_for("tls")
        self.assertTrue(proxy.tunnels)
        self.assertNotIn("eim-pw", spoke.process.log())
        spoke.kill()

    def test_4_what_is_wrong_with_a_proxy_is_said(self):
        for name, answer, words in [("busy", b"HTTP/1.1 503 Too Busy\r\n\r\n", "the proxy answers 503 'Too Busy'"),
                                    ("no", b"HTTP/1.1 403 No\r\n\r\n", "does not allow a tunnel"),
                                    ("mail", b"220 mail ready\r\n", "no HTTP proxy is there"),
                                    ("long", b"HTTP/1.1 200 OK\r\nx: " + b"y" * 40000, "longer than 16 KiB"),
                                    ("mute", b"", "closed the connection without an answer")]:
            proxy = ConnectProxy(answer=answer)
            spoke = self.join(name, "--hub-proxy", proxy.url())
            eventually(words, lambda: words in spoke.process.log())
            spoke.kill()
            proxy.close()
        spoke = self.join("dead", "--hub-proxy", f"http://127.0.0.1:{free_port()}")
        eventually("refused", lambda: "connection refused" in spoke.process.log())
        self.assertIn("proxy http://127.0.0.1", spoke.process.log())
        spoke.kill()
        spoke = self.join("bad", "--hub-proxy", "ftp://user:eim-pw@x")
        self.assertEqual(spoke.process.exit_code(), 2)
        self.assertNotIn("eim-pw", spoke.process.log())

    def test_5_the_second_address_when_the_first_is_dead(self):
        live = self.hub.addresses["link"]
        spoke = self.join("two", "--hub", live, replace_hub=f"127.0.0.1:{free_port()}")
        self.accepted("two")
        self.works_for("two")
        self.assertIn("trying the hub's next address", spoke.process.log())
        spoke.kill()
        # A list, and one that accepts connections but is no hub.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            spoke = self.join("list", replace_hub=f"127.0.0.1:{free_port()},{live},127.0.0.1:{silent.getsockname()[1]}")
            self.accepted("list")
            spoke.kill()

    def test_6_ipv6(self):
        hub = Hub(self.world, "hub6", started=False)
        hub.addresses["link"] = "[::1]:0"
        hub.start()
        self.assertTrue(hub.addresses["link"].startswith("[::1]:"))
        spoke = self.join("six", hub=hub)
        self.accepted("six", hub)
        self.works_for("six", hub)
        spoke.kill()
        # Through a proxy, too, and by a name of which only one address answers.
        proxy = ConnectProxy()
        spoke = self.join("six-proxy", "--hub-proxy", proxy.url(), hub=hub)
        self.accepted("six-proxy", hub)
        self.assertEqual(set(proxy.tunnels), {hub.addresses["link"]})
        spoke.kill()
        port = int(hub.addresses["link"].rsplit(":", 1)[1])
        if "::1" not in {entry[4][0] for entry in socket.getaddrinfo("localhost", port)}:
            hub.kill()
            return  # this machine's localhost has one address only
        spoke = self.join("named", hub=hub, replace_hub=f"localhost:{port}")
        self.accepted("named", hub)
        spoke.kill()
        hub.kill()

    def test_7_several_advertised_addresses(self):
        dead = f"127.0.0.1:{free_port()}"
        hub = Hub(self.world, "many", "--link-advertise", dead, "--link-advertise", "localhost:0")
        command = hub.join_command("far")
        port = hub.addresses["link"].rsplit(":", 1)[1]
        self.assertEqual(command[command.index("--hub") + 1], f"{dead},localhost:{port}")
        spoke = self.join("far", hub=hub)
        self.accepted("far", hub)
        spoke.kill()
        hub.kill()

    def test_8_the_server_certificate_is_renewed(self):
        hub = Hub(self.world, "renews", "--server-certificate-life", "12s")
        spoke = self.join("stays", hub=hub)
        self.accepted("stays", hub)

        def serial(address):
            host, port = hub.addresses[address].rsplit(":", 1)
            pem = ssl.get_server_certificate((host, int(port)))
            return subprocess.run(["openssl", "x509", "-noout", "-serial", "-startdate"], input=pem, text=True,
                                  capture_output=True, check=True).stdout

        before = {address: serial(address) for address in ("link", "api")}
        for address, was in before.items():
            eventually(f"{address} shows another certificate", lambda a=address, w=was: serial(a) != w, 30)
        self.assertIn("the server certificate is renewed", hub.process.log())
        self.assertEqual(spoke.process.log().count("the connection to the hub is gone"), 0)
        spoke.process.terminate()
        spoke.start()
        self.works_for("stays", hub)
        spoke.kill()
        hub.kill()

    def test_9_bad_keys(self):
        hub = Hub(self.world, "keys")
        key, cert = (os.path.join(hub.folder, "pki", name) for name in ("ca.key", "ca.crt"))
        with open(key, encoding="utf-8") as file:
            good = file.read()

        def refusal(*words):
            hub.launch()
            self.assertEqual(hub.process.exit_code(), 1)
            for word in words:
                self.assertIn(word, hub.process.log())

        hub.process.terminate()
        os.chmod(key, 0o644)
        refusal(key, "chmod 600")
        os.chmod(key, 0o600)
        self.world.write(key, "garbage")
        refusal(key, "restore both from a backup")
        with open(os.path.join(self.hub.folder, "pki", "ca.key"), encoding="utf-8") as file:
            self.world.write(key, file.read())
        refusal("is not the key of", cert)
        os.remove(key)
        refusal(key + " is missing")
        self.world.write(key, good)
        os.chmod(key, 0o600)
        hub.start()
        hub.kill()


if __name__ == "__main__":
    main()
