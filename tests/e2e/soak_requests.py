# SPDX-License-Identifier: Apache-2.0
"""Millions of questions through a real socket, each twentieth to be denied and put on record,
while the policy is reloaded and the record rotates: memory and descriptors stay flat.

run.sh BUILD soak_requests; not among the tests (it takes minutes). REQUESTS says how many.
"""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import unittest

import lab
from lab import HERE, TIED, Judge

REQUESTS = int(os.environ.get("REQUESTS", "5000000"))
SAMPLE_S, RELOAD_EVERY = 0.5, 4  # samples
SLACK_KB = 1024


class Soak(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(dir=lab.DIR, prefix="soak-"))
        self.judge = Judge(self.home)
        self.judge.first_sink = f"file:{self.judge.record},rotate=64M,keep=2"
        self.judge.write_policy({"version": 1})
        self.judge.start("--log-level", "error")
        self.addCleanup(self.judge.kill)
        self.hammer = self.home / "hammer"
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o", str(self.hammer),
                        str(HERE / "hammer.c"), "-lpthread"], check=True)

    def sample(self):
        """(resident kB, open files)"""
        proc = pathlib.Path(f"/proc/{self.judge.process.pid}")
        resident = re.search(r"VmRSS:\s+(\d+)", (proc / "status").read_text()).group(1)
        return int(resident), len(list((proc / "fd").iterdir()))

    def test_memory_and_descriptors_stay_flat(self):
        client = subprocess.Popen(
            [*TIED, str(self.hammer), "-n", str(REQUESTS), "-c", "4", "-p", "16",
             str(self.judge.socket)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(client.kill)
        samples, reloads = [], 0
        while client.poll() is None:
            time.sleep(SAMPLE_S)
            samples.append(self.sample())
            if len(samples) % RELOAD_EVERY == 0:
                self.judge.write_policy({"version": 1, "mode": "enforce"})
                self.judge.process.send_signal(signal.SIGHUP)
                reloads += 1
        out, _ = client.communicate()
        seen = dict(word.split("=") for word in out.split())
        time.sleep(1)
        samples.append(self.sample())
        resident = [kb for kb, _ in samples]
        early = max(resident[:max(1, len(resident) // 10)])
        print(f"     {out.strip()}; {reloads} reloads; resident kB {early} in the first tenth, "
              f"{max(resident)} at most, {resident[-1]} at the end; descriptors "
              f"{min(fds for _, fds in samples)}..{max(fds for _, fds in samples)}", flush=True)
        self.assertEqual(client.returncode, 0, "an answer was wrong or lost")
        self.assertGreaterEqual(int(seen["asked"]), REQUESTS)
        self.assertEqual(int(seen["allowed"]) + int(seen["denied"]), int(seen["asked"]))
        self.assertEqual((seen["refused"], seen["connected"]), ("0", "4"))
        self.assertLessEqual(max(resident), early + SLACK_KB, "memory grows")
        self.assertLess(max(resident), 16 * 1024)
        self.assertLessEqual(samples[-1][1], samples[0][1], "descriptors are left open")
        self.judge.stop()
