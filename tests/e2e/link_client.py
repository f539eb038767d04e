"""Frames of any kind over the hub's link, with any certificate or none. docs/link-protocol.md is the format."""

import socket
import ssl
import struct

from forge import hub_ca, read
from harness import TIME_FACTOR

PONG = 3
HELLO, JOIN_REQUEST, SYNC_REQUEST, HEARTBEAT, CLUSTER_REPORT, WORK_REPORT, WORK_FINISHED, RENEW, LEAVING = range(10, 19)
(WELCOME, REFUSED, JOIN_PENDING, JOIN_CERTIFICATE, WORK_DESIRED, WORK_UNKNOWN, SYNC_DONE, REPORT_ACK,
 RENEWAL_REFUSED) = range(40, 49)
INVALID, NOT_FOUND, ALREADY_EXISTS, CONFLICT, FORBIDDEN, UNAUTHORIZED = range(1, 7)
UNSUPPORTED, MALFORMED = 9, 18


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
