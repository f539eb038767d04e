"""A small HTTP CONNECT proxy for tests: plain or TLS, with a user and password or without, and with faults to order."""

import base64
import socket
import ssl
import threading


class ConnectProxy:
    """Listens on a port of its own until close(). `answer`: bytes that it says to everybody instead of serving."""

    def __init__(self, credentials=None, certificate=None, answer=None):
        self.credentials = credentials
        self.answer = answer
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*certificate)
        self.tunnels = []  # targets, as asked for
        self.refusals = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, userinfo=""):
        scheme = "https" if self.context else "http"
        return f"{scheme}://{userinfo + '@' if userinfo else ''}127.0.0.1:{self.port}"

    def close(self):
        self.listener.close()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(4096)
                if not piece:
                    return
                head += piece
            if self.answer is not None:
                client.sendall(self.answer)
                client.close()
                return
            self.open_tunnel(client, head.decode())
        except OSError:
            client.close()

    def open_tunnel(self, client, head):
        lines = head.split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        if self.credentials:
            wanted = "Basic " + base64.b64encode(self.credentials.encode()).decode()
            if headers.get("Proxy-Authorization") != wanted:
                self.refusals += 1
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
                               b"Content-Length: 0\r\n\r\n")
                client.close()
                return
        assert method == "CONNECT" and headers["Host"] == target, head
        host, port = target.rsplit(":", 1)
        try:
            hub = socket.create_connection((host.strip("[]"), int(port)), timeout=5)
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\nnobody there")
            client.close()
            return
        hub.settimeout(None)
        self.tunnels.append(target)
        client.sendall(b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
        threading.Thread(target=self.pipe, args=(client, hub), daemon=True).start()
        self.pipe(hub, client)

    @staticmethod
    def pipe(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
