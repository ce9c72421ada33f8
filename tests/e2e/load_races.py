# SPDX-License-Identifier: Apache-2.0
"""A judge built with ThreadSanitizer under load, with reloads, scrapes, rotation, a socket that
is lost, connections that come and go, and an orderly end: no race is found.

run.sh build/tsan load_races (`make races`); not among the tests (another build).
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import lab
from lab import BUILD, HERE, TIED, Judge, call

SECONDS = int(os.environ.get("SECONDS_OF_LOAD", "20"))


class Races(unittest.TestCase):
    def setUp(self):
        if "tsan" not in BUILD.name:
            self.skipTest("this is no build with ThreadSanitizer (MODE=tsan)")
        self.home = pathlib.Path(tempfile.mkdtemp(dir=lab.DIR, prefix="races-"))
        self.judge = Judge(self.home)
        self.judge.first_sink = f"file:{self.judge.record},rotate=256K,keep=3"
        self.judge.environment = {"TSAN_OPTIONS": "exitcode=66", "WATCHDOG_USEC": "300000"}
        self.judge.write_policy({"version": 1})
        self.judge.start("--record", f"file:{self.home}/second.jsonl", "--admin-socket",
                         str(self.home / "admin.sock"))
        self.hammer = self.home / "hammer"
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o", str(self.hammer),
                        str(HERE / "hammer.c"), "-lpthread"], check=True)

    def policies(self):
        exception = {"id": "one", "allow": ["unconfined"], "match": {"name": ["x"]},
                     "reason": "TEST-1"}
        while True:
            yield {"version": 1}
            yield {"version": 1, "exceptions": [exception]}
            yield "broken"

    def test_none_under_load_with_reloads(self):
        clients = [subprocess.Popen([*TIED, str(self.hammer), "-s", str(SECONDS), *options,
                                     str(self.judge.socket)], stdout=subprocess.PIPE, text=True)
                   for options in (("-c", "4", "-d", "3"), ("-c", "2", "-r"),
                                   ("-c", "2", "-p", "16"))]
        policies, end, reloads = self.policies(), time.monotonic() + SECONDS - 2, 0
        while time.monotonic() < end:
            self.judge.write_policy(next(policies))
            self.judge.process.send_signal(signal.SIGHUP)
            reloads += 1
            for path in ("/metrics", "/policy", "/readyz"):
                self.assertIn(call(self.home / "admin.sock", "GET", path)[0], (200, 503))
            if reloads % 40 == 20:
                self.judge.socket.unlink()
            time.sleep(0.05)
        idle = socket.socket(socket.AF_UNIX)
        idle.connect(str(self.judge.socket))
        for client in clients:
            print("     " + client.communicate(timeout=120)[0].strip())
            self.assertEqual(client.returncode, 0)
        self.judge.process.terminate()
        code = self.judge.process.wait(30)
        idle.close()
        log = self.judge.log.read_text(errors="replace")
        self.assertNotIn("WARNING: ThreadSanitizer", log, log[-6000:])
        self.assertEqual(code, 0)
        print(f"     {reloads} reloads, no race", flush=True)
        for line in (self.home / "second.jsonl").read_bytes().splitlines():
            json.loads(line)
