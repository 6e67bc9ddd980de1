# SPDX-License-Identifier: Apache-2.0
"""A scripted API server on loopback: TLS, HTTP/1.1, and full control over every byte that it answers.

A script is a function of an Exchange. It runs in the connection's thread; what it raises fails the test.
"""
import json
import socket
import ssl
import struct
import threading
import urllib.parse

TIMEOUT = 30  # of every wait; a test never depends on how long something takes


class Cut(Exception):
    """The script has ended the connection."""


class Exchange:
    """One request and its answer."""

    def __init__(self, api, sock, connection, head, body):
        lines = head.split("\r\n")
        self.api, self.sock, self.connection, self.body = api, sock, connection, body
        self.method, self.target, _ = lines[0].split(" ")
        self.headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.headers.setdefault(name.lower(), value.strip())
        parts = urllib.parse.urlsplit(self.target)
        self.path, self.query = parts.path, dict(urllib.parse.parse_qsl(parts.query))
        peer = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
        self.client_name = dict(row[0] for row in peer["subject"]).get("commonName") if peer else None
        self.server_name = getattr(sock, "server_name", None)

    @property
    def is_watch(self):
        return self.query.get("watch") == "1"

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def head(self, code=200, headers=(), **more):
        """The head of an answer, chunked unless a Content-Length or Connection: close is given."""
        rows = dict(headers, **{name.replace("_", "-"): value for name, value in more.items()})
        rows.setdefault("Content-Type", "application/json")
        if "Content-Length" not in rows and rows.get("Connection") != "close":
            rows["Transfer-Encoding"] = "chunked"
        self.send(f"HTTP/1.1 {code} X\r\n" + "".join(f"{n}: {v}\r\n" for n, v in rows.items()) + "\r\n")

    def chunk(self, data):
        data = data.encode() if isinstance(data, str) else data
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self):
        self.send("0\r\n\r\n")

    def reply(self, body, code=200, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode() if isinstance(body, (dict, list)) \
            else body.encode()
        self.head(code, {"Content-Length": len(data), **dict(headers)})
        self.send(data)

    def refuse(self, code, reason="", message="no", headers=(), **details):
        self.reply({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason,
                    "code": code, "details": details}, code, headers)

    def events(self, *events):
        for event in events:
            self.chunk(json.dumps(event) + "\n")

    def cut(self):
        """Ends the connection here, in the midst of whatever was said."""
        raise Cut

    def reset(self):
        """Ends it with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Cut

    def hold(self):
        """Says nothing more until the peer goes or the test ends."""
        self.sock.settimeout(0.2)
        while not self.api.stopping.is_set():
            try:
                if not self.sock.recv(4096):
                    break
            except (TimeoutError, ssl.SSLWantReadError):
                continue
            except OSError:
                break
        raise Cut


class FakeApi:
    def __init__(self, pki, script, cert=None, port=0, tls=True):
        self.pki, self.script, self.tls = pki, script, tls
        self.stopping = threading.Event()
        self.changed = threading.Condition()
        self.exchanges, self.failures = [], []
        self.connections = self.refused_handshakes = 0
        self.set_certificate(cert or pki.leaf("server"))
        self.listener = socket.create_server(("127.0.0.1", port))
        self.listener.settimeout(0.2)
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self._start(self._accept)

    def set_certificate(self, cert, client_ca=None):
        """From the next connection on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*cert)
        context.load_verify_locations((client_ca or self.pki.ca)[0])
        context.verify_mode = ssl.CERT_OPTIONAL
        context.sni_callback = lambda sock, name, _: setattr(sock, "server_name", name)
        self.context = context

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def wait_for(self, condition, what):
        """Until condition(exchanges) holds; exchanges are in the order of their coming."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.exchanges), TIMEOUT), \
                f"never came: {what}; got {[(e.method, e.target) for e in self.exchanges]}"

    def stop(self):
        self.stopping.set()
        self.listener.close()
        for thread in self.threads:
            thread.join(TIMEOUT)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is None:
            assert not self.failures, self.failures

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, sock, self.connections)

    def _serve(self, sock, connection):
        try:
            sock.settimeout(TIMEOUT)
            if self.tls:
                sock = self.context.wrap_socket(sock, server_side=True)
        except (ssl.SSLError, OSError):
            with self.changed:
                self.refused_handshakes += 1
                self.changed.notify_all()
            return
        try:
            while not self.stopping.is_set() and self._exchange(sock, connection):
                sock.settimeout(TIMEOUT)
        except (Cut, OSError):
            pass
        except Exception as error:  # pylint: disable=broad-except
            self.failures.append(repr(error))
        finally:
            sock.close()

    def _exchange(self, sock, connection):
        data = b""
        sock.settimeout(0.2)
        while b"\r\n\r\n" not in data:
            try:
                more = sock.recv(65536)
            except (TimeoutError, ssl.SSLWantReadError):
                if self.stopping.is_set():
                    return False
                continue
            if not more:
                return False
            data += more
        sock.settimeout(TIMEOUT)
        head, body = data.split(b"\r\n\r\n", 1)
        exchange = Exchange(self, sock, connection, head.decode(), b"")
        while len(body) < int(exchange.headers.get("content-length", 0)):
            body += sock.recv(65536)
        exchange.body = body
        with self.changed:
            self.exchanges.append(exchange)
            exchange.number = len(self.exchanges)
            self.changed.notify_all()
        self.script(exchange)
        return True
