# SPDX-License-Identifier: Apache-2.0
"""engine_load.py - clients that create containers through an engine while something fails."""

import collections
import json
import pathlib
import re
import subprocess
import threading
import time

from lab import BUILD, IMAGE, UNCONFINED

PLAIN = {"Image": IMAGE, "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}}
BAD = {"Image": IMAGE, "Cmd": ["true"],
       "HostConfig": {"NetworkMode": "none", "SecurityOpt": UNCONFINED}}
DENIED_ID = re.compile(rb"decision ([0-9A-HJKMNP-TV-Z]{26})")


class Answer(collections.namedtuple("Answer", "begin end bad status text")):
    def kind(self):
        """What a client would say that it saw."""
        if self.status == 201:
            return "created, unfiltered" if self.bad else "created"
        if self.status == 403 and b"repeat" in self.text.lower():
            return "refused: repeat it"
        if self.status == 403:
            return "denied" if self.bad else "denied though plain"
        return "refused: plugin failed" if self.status == 500 else f"HTTP {self.status}"


class EngineLoad:
    """Threads that create containers, in turn plain and unconfined; a context manager."""

    def __init__(self, engine, threads=4):
        self.engine = engine
        self.done = threading.Event()
        self.answers = []
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def ask(self, bad):
        begin = time.monotonic()
        try:
            status, text = self.engine.call("POST", f"/{self.engine.api}/containers/create",
                                            BAD if bad else PLAIN, timeout=90)
        except OSError as error:
            status, text = 0, str(error).encode()
        if status == 201:
            self.engine.call("DELETE", f"/{self.engine.api}/containers/"
                             f"{json.loads(text)['Id']}?force=1", timeout=90)
        self.answers.append(Answer(begin, time.monotonic(), bad, status, text))

    def run(self):
        turn = 0
        while not self.done.is_set():
            turn += 1
            self.ask(bad=turn % 2 == 0)
            time.sleep(0.01)

    def works_since(self, moment):
        """True once a plain container was created and a bad one was denied after it."""
        kinds = {answer.kind() for answer in list(self.answers) if answer.begin >= moment}
        return {"created", "denied"} <= kinds

    def seen(self):
        return collections.Counter(answer.kind() for answer in self.answers)

    def told(self):
        """The ids of the denials that clients were told of."""
        return {match.group(1).decode() for answer in self.answers if answer.status == 403
                for match in [DENIED_ID.search(answer.text)] if match}


def recorded(record):
    """The ids in a record and its rotated files, after `log verify` of them all."""
    record = pathlib.Path(record)
    files = sorted(record.parent.glob(record.name + "*"),
                   key=lambda path: -int(path.suffix[1:]) if path.suffix != ".jsonl" else 0)
    if not files:
        return []
    done = subprocess.run([str(BUILD / "seccomp-authz"), "log", "verify", *map(str, files)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"log verify: {done.stdout}{done.stderr}")
    ids = []
    for line in b"\n".join(path.read_bytes() for path in files).splitlines():
        try:
            one = json.loads(line)
        except ValueError:
            continue  # torn, and proven by what follows
        if "id" in one:
            ids.append(one["id"])
    return ids
