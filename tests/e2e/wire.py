"""Raw TLS connections for tests of the front door: any bytes out, answers in, and how the hub bears it."""

import json
import os
import re
import socket
import struct

from harness import TIME_FACTOR


class Answer:
    def __init__(self, code, headers, body):
        self.code = code
        self.headers = headers
        self.body = body

    def status(self):
        """The Kubernetes Status in the body; raises if it is none."""
        document = json.loads(self.body)
        assert document["kind"] == "Status" and document["status"] == "Failure", document
        assert document["code"] == self.code and document["message"] and document["reason"], document
        return document

    def __repr__(self):
        return f"HTTP {self.code} {self.body[:300]!r}"


def answers_in(text):
    """All whole answers in what a server sent."""
    found = []
    while text:
        head, end, rest = text.partition(b"\r\n\r\n")
        if not end:
            break
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        code = int(lines[0].split()[1])
        length = int(headers.get("content-length", 0))
        if code >= 200:  # 100 Continue is no answer
            found.append(Answer(code, headers, rest[:length]))
        text = rest[length:]
    return found


class Wire:
    """One connection with the rights of an Api."""

    def __init__(self, api, timeout=30.0):
        self.plain = socket.create_connection((api.host, api.port), timeout=timeout * TIME_FACTOR)
        self.tls = api.context.wrap_socket(self.plain, server_hostname=api.host)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        """True unless the server has hung up: it may refuse before it has read everything."""
        try:
            self.tls.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError, socket.timeout, OSError):
            return False

    def read_to_end(self):
        text = b""
        try:
            while chunk := self.tls.recv(65536):
                text += chunk
        except socket.timeout:
            raise AssertionError(f"the server neither answers nor hangs up; so far: {text[:300]!r}") from None
        except OSError:
            pass  # reset: it is over as well
        return text

    def vanish(self):
        """As a machine that loses its power: no goodbye, a reset at most."""
        self.tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.tls.detach())

    def close(self):
        try:
            self.tls.close()
        except OSError:
            pass


def talk(api, data):
    """Sends bytes on a connection of their own; every answer until the server ends it."""
    with Wire(api) as wire:
        wire.send(data)
        return answers_in(wire.read_to_end())


def request(method, target, body=b"", *headers):
    lines = [f"{method} {target} HTTP/1.1", "Host: hub", "Connection: close", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def memory_mib(hub, field="VmRSS"):
    with open(f"/proc/{hub.process.child.pid}/status", encoding="utf-8") as file:
        return int(re.search(rf"{field}:\s+(\d+)", file.read()).group(1)) / 1024


def memory_factor(hub):
    """How much more the address sanitizer makes of the same memory: borders, and what is freed is kept for a while."""
    with open(f"/proc/{hub.process.child.pid}/maps", encoding="utf-8") as file:
        return 8 if "libasan" in file.read() else 1


def descriptors(hub):
    return len(os.listdir(f"/proc/{hub.process.child.pid}/fd"))
