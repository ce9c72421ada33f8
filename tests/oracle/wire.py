# SPDX-License-Identifier: Apache-2.0
"""wire.py - a request as bytes on a Unix socket, any framing; and the answers."""

import json
import socket

TIMEOUT = 30


def one_chunk(body):
    return b"%x\r\n%s\r\n" % (len(body), body) if body else b""


def chunks(body):
    size = max(7, len(body) // 50)
    parts = (body[i:i + size] for i in range(0, len(body), size))
    return b"".join(b"%X;x=\"y\"\r\n%s\r\n" % (len(part), part) for part in parts)


def framed(framing, body):
    """(header lines, what follows the header)"""
    length = b"Content-Length: %d\r\n" % len(body)
    te = b"Transfer-Encoding: chunked\r\n"
    return {
        "length": (length, body),
        "http/1.0": (length, body),
        "two lengths": (length * 2, body),
        "chunked": (te, one_chunk(body) + b"0\r\n\r\n"),
        "small chunks": (te, chunks(body) + b"0\r\n\r\n"),
        "trailer": (te + b"Trailer: X-T\r\n", one_chunk(body) + b"0\r\nX-T: 1\r\n\r\n"),
        "zero": (b"Content-Length: 0\r\n", body),
        "zero and chunked": (b"Content-Length: 0\r\n" + te, one_chunk(body) + b"0\r\n\r\n"),
        "length and chunked": (length + te, one_chunk(body) + b"0\r\n\r\n"),
        "none": (b"", body),
    }[framing]


def request_bytes(method, target, headers=(), body=b"", framing="length"):
    version = "1.0" if framing == "http/1.0" else "1.1"
    lines = f"{method} {target} HTTP/{version}\r\nHost: d\r\n"
    lines += "".join(f"{key}: {value}\r\n" for key, value in headers)
    if not any(key == "Upgrade" for key, _ in headers):
        lines += "Connection: close\r\n"
    else:
        lines += "Connection: Upgrade\r\n"
    length, rest = framed(framing, body)
    return lines.encode("utf-8", "surrogateescape") + length + b"\r\n" + rest


def connect(path, timeout=TIMEOUT):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(timeout)
    connection.connect(str(path))
    return connection


class Answer:
    """The first answer (not "100 Continue") on a connection; status 0: there was none."""

    def __init__(self, connection):
        self.stream = connection.makefile("rb")
        self.status, self.headers, self.body = 0, {}, b""
        try:
            self.read_head()
            if self.status == 100:
                self.read_head()
            self.body = self.read_body()
        except (OSError, ValueError):
            pass

    def read_head(self):
        line = self.stream.readline()
        self.status = int(line.split()[1]) if line.startswith(b"HTTP/1.") else 0
        self.headers = {}
        while self.status and (line := self.stream.readline().strip()):
            key, _, value = line.partition(b":")
            self.headers[key.lower()] = value.strip()

    def read_body(self):
        if b"chunked" in self.headers.get(b"transfer-encoding", b""):
            return b"".join(self.read_chunks())
        length = self.headers.get(b"content-length")
        return self.stream.read(int(length)) if length else b""

    def read_chunks(self):
        while size := int(self.stream.readline().split(b";")[0], 16):
            yield self.stream.read(size)
            self.stream.readline()

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


def send(path, data, timeout=TIMEOUT):
    """Sends bytes as they are and returns the answer."""
    with connect(path, timeout) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered and closed before it had read all
        return Answer(connection)


def call(path, method, target, value=None):
    """A plain call; `value` goes as JSON."""
    headers, body = (), b""
    if value is not None:
        headers, body = (("Content-Type", "application/json"),), json.dumps(value).encode()
    return send(path, request_bytes(method, target, headers, body))


def untangle(stream):
    """What a container wrote, whether the engine multiplexed it or not (a terminal)."""
    text, at = b"", 0
    while at + 8 <= len(stream) and stream[at] < 3 and stream[at + 1:at + 4] == b"\0\0\0":
        size = int.from_bytes(stream[at + 4:at + 8], "big")
        text += stream[at + 8:at + 8 + size]
        at += 8 + size
    return (text + stream[at:]).replace(b"\r\n", b"\n").decode("utf-8", "replace")


class Attachment:
    """A container's output, from before its start to its end."""

    def __init__(self, path, container, api, timeout):
        target = f"/v{api}/containers/{container}/attach?stream=1&stdout=1&stderr=1&logs=1"
        self.connection = connect(path, timeout)
        self.connection.sendall(
            f"POST {target} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Length: 0\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n") and (byte := self.connection.recv(1)):
            head += byte
        self.attached = head.startswith((b"HTTP/1.1 101", b"HTTP/1.1 200"))

    def output(self):
        """Until the container ends, or says that it is done."""
        stream = b""
        try:
            while b"done" not in stream[-64:] and (block := self.connection.recv(65536)):
                stream += block
        except OSError:
            pass
        return untangle(stream)

    def close(self):
        self.connection.close()
