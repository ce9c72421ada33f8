# SPDX-License-Identifier: Apache-2.0
"""recorder.py - an authorization plugin that allows all and keeps what it was asked."""

import re
import socket
import threading

NAME = "oracle-recorder"
HEADER = "X-Oracle"
MARK = re.compile(rb'"X-Oracle":"(\w+)"')
ACTIVATE = b'{"Implements":["authz"]}'
ALLOW = b'{"Allow":true}'


class Recorder:
    """Serves on `path`; envelope(mark) is what the engine sent for the request with that mark
    in its header, None if it did not ask."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.envelopes = {}
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        stream = connection.makefile("rwb")
        try:
            while request := stream.readline():
                length = 0
                while (line := stream.readline().strip()):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                body = stream.read(length)
                answer = ACTIVATE if b"Activate" in request else ALLOW
                if b"AuthZReq" in request:
                    self.keep(body)
                stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                             % (len(answer), answer))
                stream.flush()
        except OSError:
            pass

    def keep(self, envelope):
        found = MARK.search(envelope)
        if found:
            self.envelopes.setdefault(found.group(1).decode(), envelope)

    def envelope(self, mark):
        return self.envelopes.pop(mark, None)
