# SPDX-License-Identifier: Apache-2.0
"""What the judge may still do once it serves, and what it does: its privileges, a call that
it must not make, a file that is none of its own, and an audit of its system calls."""

import collections
import ctypes
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from lab import BUILD, HERE, TIED, wait_until
from test_judge import PLAIN, PS, UNCONFINED, JudgeCase

SANITIZED = any(word in str(BUILD) for word in ("asan", "tsan", "cov"))
SOURCE = HERE.parent.parent / "plugin" / "edge" / "sandbox_calls.c"
CALLS = dict(re.findall(r'^ *\{"(\w+)",\s+"([^"]+)', SOURCE.read_text(), re.MULTILINE))
CREATE_RULESET, VERSION = 444, 1


def landlock_version():
    return max(0, ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, VERSION))


def setUpModule():
    if SANITIZED:
        raise unittest.SkipTest("builds with sanitizers or coverage have no sandbox")


class Given(JudgeCase):
    """What is given up."""

    def setUp(self):
        super().setUp()
        wait_until(lambda: "sandbox: " in self.judge.log.read_text(), 10, "it has started")

    def test_every_thread_has_a_filter_and_no_privilege(self):
        tasks = list(pathlib.Path(f"/proc/{self.judge.process.pid}/task").iterdir())
        self.assertGreater(len(tasks), 1)
        for task in tasks:
            status = dict(line.split(":\t", 1)
                          for line in (task / "status").read_text().splitlines())
            self.assertEqual((status["Seccomp"], status["NoNewPrivs"]), ("2", "1"))
            for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                self.assertEqual(int(status[name], 16), 0, name)

    def test_no_memory_is_dumped(self):
        pid = self.judge.process.pid
        self.assertEqual(resource.prlimit(pid, resource.RLIMIT_CORE), (0, 0))
        self.judge.process.send_signal(signal.SIGSEGV)
        self.assertEqual(self.judge.process.wait(10), -signal.SIGSEGV)  # and no core flag
        self.judge.start()

    def test_the_start_says_what_holds(self):
        line = [line for line in self.judge.log.read_text().splitlines() if "sandbox: " in line]
        version = landlock_version()
        files = (f"only its folders (Landlock {version})" if version
                 else "all folders (this kernel has no Landlock)")
        self.assertEqual(len(line), 1)
        self.assertRegex(line[0], "no capabilities, no new privileges, " + re.escape(files)
                         + r", \d+ system calls$")


class Tempted(JudgeCase):
    """The judge itself does what it must not (fault.c, preloaded)."""

    def setUp(self):
        super().setUp()
        self.judge.stop()
        self.faults = self.judge.home / "faults"
        self.faults.mkdir()
        library = self.judge.home / "fault.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", str(library),
                        str(HERE / "fault.c")], check=True)
        self.judge.environment = {"LD_PRELOAD": str(library), "FAULTS": str(self.faults)}
        self.judge.start()

    def test_a_forbidden_call_is_death(self):
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        (self.faults / "forbidden-call").touch()
        with self.assertRaises(OSError):
            self.ask(UNCONFINED)
        self.assertEqual(self.judge.process.wait(10), -signal.SIGSYS)

    def test_a_file_outside_its_folders_is_refused(self):
        if not landlock_version():
            self.skipTest("this kernel has no Landlock")
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        (self.faults / "outside").touch()
        status, answer = self.ask(UNCONFINED)
        self.assertEqual(status, 500)
        self.assertIn("Permission denied", answer["Err"])
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))


class Audit(JudgeCase):
    """strace of a judge that does all it can do."""

    def setUp(self):
        if not shutil.which("strace"):
            self.skipTest("there is no strace")
        super().setUp()
        self.judge.stop()
        self.syslog = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.syslog.close)
        self.syslog.bind(str(self.judge.home / "log.sock"))
        threading.Thread(target=self.read_syslog, daemon=True).start()
        self.judge.first_sink = f"file:{self.judge.record},rotate=64K,keep=2"
        self.judge.start("--record", f"syslog:{self.judge.home}/log.sock", "--record",
                         f"journald:{self.judge.home}/log.sock", "--record", "stdout",
                         "--admin-socket", str(self.judge.home / "admin.sock"),
                         "--metrics-listen", "127.0.0.1:0")
        wait_until(lambda: "sandbox: " in self.judge.log.read_text(), 10, "it has started")

    def read_syslog(self):
        while self.syslog.fileno() >= 0:
            try:
                self.syslog.recv(1 << 20)
            except OSError:
                return

    def work(self):
        connection = self.connect()
        for question in (PS, PLAIN, UNCONFINED) * 200:
            self.assertEqual(connection.ask(question)[0], 200)
        self.judge.reload({"version": 1, "mode": "observe"})
        self.judge.reload("broken")
        self.judge.reload({"version": 1})
        self.judge.socket.unlink()
        wait_until(self.judge.socket.exists, 10, "the socket is made again")
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))
        shutil.rmtree(self.judge.record.parent)
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        for path in ("/metrics", "/policy", "/readyz"):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(self.judge.home / "admin.sock"))
                sock.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
                self.assertIn(b"HTTP/1", sock.recv(100))
        self.judge.process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        self.judge.process.send_signal(signal.SIGCONT)

    def test_audit_of_system_calls(self):
        trace = self.judge.home / "trace"
        strace = subprocess.Popen([*TIED, "strace", "-f", "-q", "-e", "signal=none", "-o",
                                   str(trace), "-p", str(self.judge.process.pid)],
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(strace.wait)
        self.addCleanup(strace.kill)
        time.sleep(1)
        self.work()
        self.judge.stop()
        strace.wait(20)
        seen = collections.Counter(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
        self.assertGreater(sum(seen.values()), 1000)
        self.assertEqual(set(seen) - set(CALLS) - {"restart_syscall"}, set())
        for name, count in seen.most_common():
            print(f"     {count:7} {name:18} {CALLS.get(name, '')}")
        print("     not made here, but let through: "
              + ", ".join(name for name in CALLS if name not in seen), flush=True)


if __name__ == "__main__":
    unittest.main()
