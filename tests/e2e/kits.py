# SPDX-License-Identifier: Apache-2.0
"""kits.py - real clients at work: whose they are, how they are run, and what they say as
they say it. Whatever is waited for has a time limit."""

import fcntl
import functools
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import termios
import threading
import time

from lab import DIR, DOCKER, HERE, TIED, wait_until

NEWEST = ("forky", "trixie")
CACHE = pathlib.Path(os.environ.get("E2E_CACHE") or DIR / "roots")
PATIENCE = 60  # seconds for any one command


class Session:
    """A client that runs, on pipes or on a terminal of 33 rows and 77 columns."""

    def __init__(self, command, environment, terminal):
        self.seen = b""
        self.more = threading.Condition()
        ours, theirs = (pty.openpty() if terminal else (None, subprocess.PIPE))
        if terminal:
            fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
        self.process = subprocess.Popen(
            TIED + command, env=environment, start_new_session=True, stdin=theirs,
            stdout=theirs, stderr=theirs if terminal else subprocess.STDOUT)
        if terminal:
            os.close(theirs)
            self.input = self.output = ours
        else:
            self.input = self.process.stdin.fileno()
            self.output = self.process.stdout.fileno()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                block = os.read(self.output, 65536)
            except OSError:  # a terminal that nobody holds any more
                block = b""
            with self.more:
                self.seen += block
                self.more.notify_all()
            if not block:
                return

    def comes(self, text, times=1, seconds=1):
        with self.more:
            return self.more.wait_for(lambda: self.seen.count(text.encode()) >= times, seconds)

    def expect(self, text, times=1, seconds=PATIENCE):
        """Waits until `text` has come so many times; returns all that came."""
        with self.more:
            if not self.comes(text, times, seconds):
                raise AssertionError(f"no {text!r} within {seconds} s, but {self.seen[-600:]!r}")
            return self.seen.decode(errors="replace")

    def send(self, text):
        os.write(self.input, text.encode())

    def resize(self, lines, columns):
        """Of its terminal; a client that has just begun may not listen yet: repeat it."""
        fcntl.ioctl(self.input, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.process.send_signal(signal.SIGWINCH)

    def end(self, seconds=PATIENCE):
        """Waits until it ends by itself; returns its exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it goes on; it said {self.seen[-600:]!r}") from None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(5)


class Kit:
    """The clients of one Debian release; in a namespace that one sleeping process holds."""

    def __init__(self, name, root):
        self.name, self.holder, self.enter = name, None, []
        if str(root) != "/":
            self.holder = subprocess.Popen(
                [*TIED, HERE / "engine.sh", "client", root, "sleep", "infinity"],
                stdin=subprocess.DEVNULL, start_new_session=True)
            pid = self.holder.pid
            wait_until(lambda: pathlib.Path(f"/proc/{pid}/comm").read_text() == "sleep\n", 20,
                       "the clients' root is there")
            self.enter = ["nsenter", f"--target={pid}", "--mount", "--root", "--wdns=/"]
        self.compose = self.find_compose()

    def end(self):
        if self.holder:
            self.holder.kill()
            self.holder.wait()

    def find_compose(self):
        """Version 2 is a plugin of the client, version 1 a program."""
        plugin = [DOCKER, "compose"]
        done = subprocess.run([*self.enter, *plugin, "version"], capture_output=True,
                              timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL)
        return plugin if done.returncode == 0 else ["docker-compose"]

    def versions(self):
        """One line, for the log of the tests."""
        said = []
        for command in ([DOCKER, "--version"], [*self.compose, "version", "--short"],
                        ["/usr/bin/python3", "-c", "import docker; print(docker.__version__)"]):
            done = subprocess.run([*self.enter, *command], capture_output=True, text=True,
                                  timeout=PATIENCE, check=True, stdin=subprocess.DEVNULL)
            said.append(done.stdout.strip())
        return "{}; Compose {}; docker-py {}".format(*said)


@functools.lru_cache(None)
def newest_clients():
    """The folder with the clients of the newest suite that can be had; None: of none."""
    for suite in NEWEST:
        root = CACHE / f"clients-{suite}"
        done = CACHE / f"clients-{suite}.done"
        if done.exists():
            return root
        if subprocess.run([HERE / "engine.sh", "clients", suite, root],
                          check=False).returncode == 0:
            done.touch()
            return root
        print(f"     the clients of Debian {suite} can't be had", flush=True)
    return None


NPM = threading.Lock()


def dockerode():
    """(folder with node_modules, why not)."""
    with NPM:
        return install_dockerode()


@functools.lru_cache(None)
def install_dockerode():
    folder = DIR / "dockerode"
    if not shutil.which("npm"):
        return None, "npm is not installed"
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["npm", "install", "--no-save", "--no-audit", "--no-fund",
                           "--ignore-scripts", "--prefix", folder, "dockerode@5"],
                          capture_output=True, text=True, timeout=300, check=False,
                          stdin=subprocess.DEVNULL, cwd=folder)
    if done.returncode != 0:
        return None, "npm install dockerode: " + done.stderr[-300:]
    return folder, None


def plain(text):
    """What two engines say alike: without IDs and times."""
    text = re.sub(r"\b(sha256:)?([0-9a-f]{12,64}|[0-9a-z]{25})\b", "ID", text)  # Swarm's: 25
    return re.sub(r"\b\d[\d.]* ?(ms|s|seconds?|minutes?)\b", "TIME", text)


class Lane:
    """A kit at one kind of work on one of the engines. Names and files of its own."""

    def __init__(self, kit, engine, work):
        self.kit, self.engine = kit, engine
        self.prefix = f"{kit.name}-{work}".replace("_", "-")
        self.folder = engine.home / self.prefix
        self.folder.mkdir(exist_ok=True)
        self.sessions = []
        self.environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder), "TERM": "xterm",
            "DOCKER_HOST": f"unix://{engine.socket}",
            "DOCKER_CONFIG": str(self.folder / "config"), "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8", "COMPOSE_INTERACTIVE_NO_CLI": "1"}

    def name(self, what):
        return f"{self.prefix}-{what}"

    def path(self, name, content=None):
        """A file of ours, at the same place for the clients."""
        path = self.folder / name
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def call(self, *command, stdin=None, **variables):
        """(exit code, stdout, stderr) in bytes."""
        more = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        done = subprocess.run([*TIED, *self.kit.enter, *command], capture_output=True,
                              env={**self.environment, **variables}, timeout=PATIENCE,
                              check=False, **more)
        return done.returncode, done.stdout, done.stderr

    def docker(self, *arguments, **options):
        code, out, err = self.call(DOCKER, *arguments, **options)
        return code, plain(out.decode()), plain(err.decode())

    def ok(self, *arguments, **options):
        """The same for one that must work: what it prints."""
        code, out, err = self.docker(*arguments, **options)
        if code != 0:
            raise AssertionError(f"docker {' '.join(arguments)}: exit code {code}: {out}{err}")
        return out

    def compose(self, *arguments):
        code, out, err = self.call(*self.kit.compose, *arguments)
        if code != 0:
            raise AssertionError(f"compose {' '.join(arguments)}: exit code {code}: "
                                 f"{out.decode()}{err.decode()}")
        return out.decode()

    def open(self, *arguments, terminal=False, compose=False):
        command = [*(self.kit.compose if compose else [DOCKER]), *arguments]
        session = Session([*self.kit.enter, *command], self.environment, terminal)
        self.sessions.append(session)
        return session

    def until(self, *arguments, says, seconds=PATIENCE):
        """Repeats a command until it prints that."""
        deadline = time.monotonic() + seconds
        while (said := self.ok(*arguments).strip()) != says:
            if time.monotonic() > deadline:
                raise AssertionError(f"docker {' '.join(arguments)} still says {said!r}")
            time.sleep(0.1)
        return said

    def clean(self):
        """Ends what it left running; its containers are named after it, as Compose does."""
        for session in self.sessions:
            session.kill()
        self.sessions.clear()
        left = self.ok("ps", "-a", "--filter", f"name=^/?{self.prefix}-",
                       "--format", "{{.Names}}").split()
        if left:
            self.ok("rm", "-f", "-v", *left)
