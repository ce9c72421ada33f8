# SPDX-License-Identifier: Apache-2.0
"""supervisor.py - what systemd does for the judge, for tests on machines without it.

Holds the listening socket and hands it over (LISTEN_FDS), starts the judge again when it
ends, hears what it says (NOTIFY_SOCKET), and kills it when its watchdog falls silent.
"""

import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

from lab import BUILD, TIED, Judge, wait_until

RESTART_S = 0.1  # RestartSec=100ms


class SupervisedJudge(Judge):
    """A judge that is there again whenever it ends. `wrapper` is put before its command,
    `watchdog_s` is WatchdogSec=."""

    def __init__(self, home, wrapper=(), watchdog_s=None):
        super().__init__(home)
        self.wrapper, self.watchdog_s = list(wrapper), watchdog_s
        self.listener = self.notify = None
        self.options = ()
        self.ends = []  # exit codes; -N: by signal N
        self.ready = 0  # how often READY=1 was heard after a start
        self.heard = {}  # message -> how often
        self.stopping = False
        self.alive = 0.0  # when it last said so

    def start(self, *options, record_size=None):
        assert record_size is None
        self.options, self.stopping = options, False
        for folder in (self.socket.parent, self.record.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.socket))
        os.chmod(self.socket, 0o600)
        self.listener.listen(1024)
        path = self.home / "notify"
        path.unlink(missing_ok=True)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(path))
        self.notify.settimeout(0.1)
        self.threads = [threading.Thread(target=run, daemon=True)
                        for run in (self.keep, self.hear)]
        for thread in self.threads:
            thread.start()
        self.wait_ready(1)

    def run_once(self):
        command = [str(BUILD / "seccomp-authzd"), "--policy", str(self.policy), "--state-dir",
                   str(self.state), "--record", self.first_sink or f"file:{self.record}",
                   *self.options]
        number = self.listener.fileno()
        shell = f'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@" 3<&{number}'
        environment = {**os.environ, "NOTIFY_SOCKET": str(self.home / "notify"),
                       **(self.environment or {})}
        if self.watchdog_s:
            environment["WATCHDOG_USEC"] = str(int(self.watchdog_s * 1e6))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                # dash knows no descriptor above 9
                [*TIED, *self.wrapper, "bash", "-c", shell, "bash", *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                pass_fds=[number], env=environment)
        self.alive = time.monotonic()
        return self.process.wait()

    def keep(self):
        while not self.stopping:
            self.ends.append(self.run_once())
            time.sleep(RESTART_S)

    def hear(self):
        while not self.stopping:
            try:
                for line in self.notify.recv(4096).decode().splitlines():
                    self.heard[line] = self.heard.get(line, 0) + 1
                    self.ready += line == "READY=1"
                    self.alive = time.monotonic()
            except TimeoutError:
                pass
            if self.watchdog_s and time.monotonic() - self.alive > self.watchdog_s \
                    and self.process and self.process.poll() is None:
                self.process.send_signal(signal.SIGABRT)
                self.process.send_signal(signal.SIGCONT)  # as systemd, for one that is stopped
                self.alive = time.monotonic()

    def wait_ready(self, times):
        wait_until(lambda: self.ready >= times, 30, f"the judge is ready; {self.log_tail()}")

    def end(self, number=signal.SIGKILL):
        """Ends it by a signal, and waits until the next one is ready."""
        ready = self.ready
        self.process.send_signal(number)
        self.wait_ready(ready + 1)

    def kill(self):
        self.stop()

    def stop(self):
        if self.stopping or not self.listener:
            return
        self.stopping = True
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        for thread in self.threads:
            thread.join(30)
        self.listener.close()
        self.notify.close()
        self.socket.unlink(missing_ok=True)


class Cgroup:
    """A cgroup of one controller, version 1 or 2, for a wrapper that enters it."""

    def __init__(self, controller, name):
        self.version, top = self.find(controller)
        self.path = top / name
        self.path.mkdir()

    @staticmethod
    def find(controller):
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            _, target, kind, options = line.split()[:4]
            top = pathlib.Path(target)
            if kind == "cgroup" and controller in options.split(","):
                return 1, top
            if kind == "cgroup2" and controller in (top / "cgroup.controllers").read_text():
                (top / "cgroup.subtree_control").write_text(f"+{controller}")
                return 2, top
        raise LookupError(f"there is no cgroup controller {controller} here")

    @property
    def wrapper(self):
        return ["sh", "-c", f'echo $$ >{self.path}/cgroup.procs && exec "$@"', "sh"]

    def set(self, value, version_1, version_2):
        (self.path / (version_1 if self.version == 1 else version_2)).write_text(str(value))

    def remove(self):
        wait_until(lambda: not (self.path / "cgroup.procs").read_text(), 20, "it is empty")
        self.path.rmdir()
