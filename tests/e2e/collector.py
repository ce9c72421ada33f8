# SPDX-License-Identifier: Apache-2.0
"""collector.py - a collector for records that fails in every way it is told to.

An HTTP or HTTPS server on the loopback address. Each request does what is next in
`script` and then what `always` says: a name of one of the methods do_NAME of Handler, or a
number: that status.
"""

import collections
import gzip
import http.server
import json
import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import time


class Certificates:
    """A throwaway authority, and what it signed."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self.folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                     "-nodes", "-days", "2", "-subj", "/CN=throwaway authority",
                     "-keyout", "ca.key", "-out", "ca.pem")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True,
                       capture_output=True)

    def make(self, name, san):
        """NAME.pem: certificate and key in one file."""
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext",
                     "-out", f"{name}.crt")
        path = self.folder / f"{name}.pem"
        path.write_bytes((self.folder / f"{name}.key").read_bytes()
                         + (self.folder / f"{name}.crt").read_bytes())
        return path


class Request:
    def __init__(self, headers, body):
        self.when = time.monotonic()
        self.headers = headers
        self.body = body
        self.taken = False

    def lines(self):
        body = gzip.decompress(self.body) \
            if self.headers.get("Content-Encoding") == "gzip" else self.body
        if self.headers["Content-Type"] == "application/json":
            return list(self.elements(body.decode()))
        assert self.headers["Content-Type"] == "application/x-ndjson", self.headers
        assert body.endswith(b"\n")
        return body[:-1].split(b"\n")

    @staticmethod
    def elements(text):
        """Those of an array, as they were written."""
        decoder = json.JSONDecoder()
        at, end = 0, text[0]
        while end in "[,":
            _, after = decoder.raw_decode(text, at + 1)
            yield text[at + 1:after].encode()
            at, end = after, text[after]
        assert text[at:] == "]", text[at:]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 20

    def setup(self):
        collector = self.server.collector
        if collector.context:
            self.request.settimeout(self.timeout)
            self.request = collector.context.wrap_socket(self.request, server_side=True)
        super().setup()
        self.server.open.add(self.request)

    def finish(self):
        self.server.open.discard(self.request)
        super().finish()

    def log_message(self, *_):
        pass

    def do_POST(self):
        collector = self.server.collector
        with collector.lock:
            action = collector.script.popleft() if collector.script else collector.always
        if action == "reset_early":
            self.rfile.read(min(10, int(self.headers["Content-Length"])))
            return self.reset()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = Request(self.headers, body)
        with collector.lock:
            collector.requests.append(request)
        if isinstance(action, int):
            return self.answer(action)
        return getattr(self, f"do_{action}")(request)

    def answer(self, status, body=b"said the collector", **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def keep(self, request):
        with self.server.collector.lock:
            request.taken = True

    def raw(self):
        """The TCP socket, without a word of TLS."""
        if isinstance(self.connection, ssl.SSLSocket):
            return socket.socket(fileno=self.connection.detach())
        return self.connection

    def reset(self):
        self.close_connection = True
        self.wfile.flush()
        raw = self.raw()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()

    # ---- what can be asked for

    def do_take(self, request):
        self.keep(request)
        self.answer(200)

    def do_reset(self, _):
        self.reset()

    def do_reset_within_answer(self, request):
        """Taken, but the client can't know."""
        self.keep(request)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of")
        self.reset()

    def do_reset_within_headers(self, request):
        self.keep(request)
        self.wfile.write(b"HTTP/1.1 200 O")
        self.reset()

    def do_truncate(self, request):
        """An answer to its end, by a connection that just ends, without TLS saying so."""
        self.keep(request)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nas much as")
        self.wfile.flush()
        self.close_connection = True
        raw = self.raw()
        raw.shutdown(socket.SHUT_RDWR)
        raw.close()

    def do_close(self, _):
        self.close_connection = True

    def do_nonsense(self, _):
        self.wfile.write(b"\x00\xff not HTTP at all \r\n\r\n")
        self.close_connection = True

    def do_hang(self, request):
        """Until the client has had enough."""
        self.keep(request)
        self.close_connection = True
        self.connection.settimeout(self.timeout)
        try:
            self.connection.recv(1)
        except OSError:
            pass

    def do_slow(self, request):
        self.keep(request)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok":
            self.wfile.write(bytes([byte]))
            time.sleep(0.02)

    def do_wait(self, request):
        """Takes it, after a while."""
        time.sleep(1)
        self.do_take(request)

    def do_later(self, _):
        self.answer(503, Retry_After="2")

    def do_later_by_date(self, _):
        when = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3))
        self.answer(429, Retry_After=when)

    def do_redirect(self, _):
        self.answer(307, Location=self.server.collector.elsewhere)

    def do_few(self, request):
        """413 for more than three lines."""
        if len(request.lines()) > 3:
            return self.answer(413)
        return self.do_take(request)

    def do_dislike(self, request):
        """400 for a batch with a certain line in it."""
        if self.server.collector.disliked in request.body:
            return self.answer(400)
        return self.do_take(request)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.open = set()

    def handle_error(self, *_):
        pass  # connections that break are what this is about


class Collector:
    def __init__(self, certificate=None, client_ca=None):
        self.lock = threading.Lock()
        self.requests = []
        self.script = collections.deque()
        self.always = "take"
        self.disliked = b""
        self.elsewhere = ""
        self.server = None
        self.port = 0
        self.context = None
        if certificate:
            self.context = self.make_context(certificate)
            if client_ca:
                self.context.verify_mode = ssl.CERT_REQUIRED
                self.context.load_verify_locations(client_ca)

    @staticmethod
    def make_context(certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        return context

    @property
    def url(self):
        return f"http{'s' if self.context else ''}://127.0.0.1:{self.port}/in"

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.collector = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            for connection in list(self.server.open):
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it is gone already
            self.server = None

    def taken(self):
        """All lines that were taken, as they came."""
        with self.lock:
            return [line for request in self.requests if request.taken
                    for line in request.lines()]

    def last(self):
        """The last line that was taken; None if there is none. For those that wait for it:
        all of them take long to unpack."""
        with self.lock:
            return next((request.lines()[-1] for request in reversed(self.requests)
                         if request.taken), None)
