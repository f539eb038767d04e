"""Bytes that no client sends by mistake, on real sockets: a clear error or a closed connection, and nobody else notices."""

import json
import socket
import ssl
import threading
import time

from bad_wire_cases import BODIES, FRAMING, LEASES, MAPS, PATHS, alias_bomb, chunked, get
from harness import Api, E2eTest, Hub, TIME_FACTOR, config_map, eventually, main
from wire import Wire, descriptors, memory_factor, memory_mib, request, talk


class BadWire(E2eTest):
    @classmethod
    def prepare(cls):
        cls.hub = Hub(cls.world)
        cls.hub.api.create(MAPS, config_map("witness", "unharmed"))
        cls.memory = memory_mib(cls.hub)
        cls.open_at_start = descriptors(cls.hub)

    def assert_well(self, what):
        """The hub lives, has not grown, and serves who behaves: on the one connection that was open all along."""
        self.assertTrue(self.hub.process.running(), f"{what} ended the hub")
        self.hub.api.last_used = time.monotonic()  # do not open another
        self.assertEqual(self.hub.api.get(f"{MAPS}/witness")["data"]["value"], "unharmed", what)
        self.assertLess(memory_mib(self.hub, "VmHWM"), self.memory + 400 * memory_factor(self.hub), what)

    def assert_refused_once(self, what, answers, codes):
        self.assertLessEqual(len(answers), 1, f"{what}: something behind it was served: {answers}")
        self.assertEqual(len(answers), 1, f"{what}: no answer")
        self.assertIn(answers[0].code, codes, f"{what}: {answers[0]}")
        if answers[0].code >= 400:
            answers[0].status()

    def test_1_requests_that_could_be_read_in_two_ways(self):
        for what, data, codes in FRAMING:
            with self.subTest(what):
                self.assert_refused_once(what, talk(self.hub.api, data), codes)
                self.assert_well(what)

    def test_2_chunks_are_joined_whatever_their_extensions_say(self):
        body = json.dumps(config_map("chunked", "1")).encode()
        data = chunked("") + b"".join(b"%x;name=\"value;\"\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                                      for i in range(0, len(body), 7)) + b"0\r\nX-Late: 9\r\n\r\n"
        answers = talk(self.hub.api, data + get("Connection: close"))
        self.assertEqual([a.code for a in answers], [201, 200])
        self.assertEqual(self.hub.api.get(f"{MAPS}/chunked")["data"]["value"], "1")

    def test_3_paths(self):
        for target, codes in PATHS:
            with self.subTest(target[:80]):
                answers = talk(self.hub.api, request("GET", target))
                self.assert_refused_once(target[:80], answers, codes)
                self.assertNotIn("x-evil", answers[0].headers)
                self.assert_well(target[:80])

    def test_4_bodies(self):
        for what, path, content_type, body, codes in BODIES:
            with self.subTest(what):
                self.assert_refused_once(what, talk(self.hub.api, request("POST", path, body, f"Content-Type: {content_type}")),
                                         codes)
                self.assert_well(what)
        self.assertIsNone(self.hub.api.find(f"{MAPS}/bad"))
        self.assertIsNone(self.hub.api.find(f"{LEASES}/bad"))

    def test_5_patches(self):
        self.hub.api.create(MAPS, config_map("patched", "1"))
        path = f"{MAPS}/patched"
        nest = "{" + '"x":{' * 100 + "}" * 100 + "}"
        deeper = ",".join('{"op":"add","path":"/b","value":%s},{"op":"move","from":"/data","path":"/b%s/a"},'
                          '{"op":"move","from":"/b","path":"/data"}' % (nest, "/x" * 100) for _ in range(2500))
        many = b"[" + b",".join([b'{"op":"test","path":"/kind","value":"ConfigMap"}'] * 10_001) + b"]"
        names = ",".join(f'"f{i}.example/x"' for i in range(170_000))
        grow = ",".join('{"op":"copy","from":"/metadata/labels","path":"/metadata/annotations"},'
                        '{"op":"copy","from":"/data/value","path":"/data/c%d"}' % i for i in range(600))
        self.hub.api.merge(path, {"metadata": {"labels": {"a": "b"}}, "data": {"value": "v" * 10_000}})
        kinds = {"json": "application/json-patch+json", "merge": "application/merge-patch+json",
                 "strategic": "application/strategic-merge-patch+json", "apply": "application/apply-patch+yaml"}
        for what, kind, body, codes in (
                ("a member under text", "json", b'[{"op":"add","path":"/data/value/x","value":1}]', {422}),
                ("a copy under text", "json", b'[{"op":"copy","from":"/kind","path":"/data/value/x"}]', {422}),
                ("ever deeper", "json", f"[{deeper}]".encode(), {413}),
                ("10,001 operations", "json", many, {413}),
                ("an object for a JSON patch", "json", b"{}", {400}),
                ("a list for a merge patch", "merge", b"[]", {400}),
                ("a merge patch nested deep", "merge", b'{"a":' * 100_000, {400, 413}),
                ("an object that grows past its limit", "json", f"[{grow}]".encode(), {413, 422}),
                ("170,000 finalizers", "strategic", f'{{"metadata":{{"finalizers":[{names}]}}}}'.encode(), {413, 422}),
                ("an alias bomb to apply", "apply", alias_bomb(), {400, 413}),
                ("no patch at all", "merge", b"\xff", {400})):
            with self.subTest(what):
                target = f"{path}?fieldManager=me" if kind == "apply" else path
                self.assert_refused_once(what, talk(self.hub.api, request("PATCH", target, body, f"Content-Type: {kinds[kind]}")),
                                         codes)
                self.assert_well(what)

    def test_6_slow_clients_are_cut_off_and_cost_nobody_anything(self):
        outcomes = {}

        def trickle(name, open_connection, text):
            """A byte a second until the hub has had enough."""
            start = time.monotonic()
            line = open_connection()
            try:
                line.settimeout(1)
                for byte in text:
                    line.send(bytes((byte,)))
                    try:
                        if not line.recv(1000):
                            break
                    except (socket.timeout, ssl.SSLWantReadError):
                        pass
                    if time.monotonic() - start > 60 * TIME_FACTOR:
                        return
            except OSError:
                pass
            finally:
                line.close()
            outcomes[name] = time.monotonic() - start

        def raw():
            return socket.create_connection((self.hub.api.host, self.hub.api.port), timeout=10)

        text = get() + b"x" * 200
        slow = [("header", lambda: Wire(self.hub.api).tls, text[:-230] + b"X-A: " + b"y" * 300),
                ("handshake", raw, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 300)]
        threads = [threading.Thread(target=trickle, args=(f"{name} {i}", *rest)) for name, *rest in slow for i in range(20)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.assert_well("slow clients")
            time.sleep(0.2)
        self.assertEqual(len(outcomes), len(threads), "some were never cut off")

    def test_7_clients_that_vanish(self):
        wide = "x" * 200_000
        for i in range(20):
            self.hub.api.create(MAPS, config_map(f"wide{i}", wide))
        body = json.dumps(config_map("half", "1")).encode()
        cuts = (("in the header", get()[:20]), ("in the body", request("POST", MAPS, body)[:-10]),
                ("in a chunk", chunked("ff\r\n{")), ("in the answer", request("GET", MAPS)),
                ("in a watch", request("GET", MAPS + "?watch=1")), ("in a write", request("POST", MAPS, body)),
                ("before a word", b""))
        for i in range(20):
            for what, data in cuts:
                wire = Wire(self.hub.api)
                wire.send(data)
                if what == "in the answer":
                    wire.tls.recv(1000)
                wire.vanish()
            half = socket.create_connection((self.hub.api.host, self.hub.api.port), timeout=10)
            half.send(b"\x16\x03\x01\x02\x00\x01")
            half.close()
            self.assert_well("clients that vanish")
        eventually("their connections are let go", lambda: descriptors(self.hub) <= self.open_at_start + 10, 30)

    def test_8_watchers_that_never_read_are_dropped(self):
        deaf = []
        try:
            for _ in range(50):
                wire = Wire(self.hub.api)
                wire.tls.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                wire.send(request("GET", MAPS + "?watch=1&resourceVersion=" +
                                  self.hub.api.get(MAPS + "?limit=1")["metadata"]["resourceVersion"]))
                deaf.append(wire)
            before = descriptors(self.hub)
            reader = Api.from_kubeconfig(self.hub.kubeconfig)
            for i in range(150):
                reader.merge(f"{MAPS}/wide0", {"data": {"value": "y" * 200_000 + str(i)}})
            eventually("the deaf are dropped", lambda: descriptors(self.hub) <= before - 45, 60)
            self.assert_well("watchers that never read")
        finally:
            for wire in deaf:
                wire.close()


if __name__ == "__main__":
    main()
