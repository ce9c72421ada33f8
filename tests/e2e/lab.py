# SPDX-License-Identifier: Apache-2.0
"""lab.py - a real engine with the judge in front of it, as a place to test in.

From the environment: E2E_DIR (scratch folder), E2E_BUILD (folder with seccomp-authzd),
E2E_ROOT ("/" or the folder of another suite's engine), E2E_SUITE (its name).
"""

import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tarfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DIR = pathlib.Path(os.environ["E2E_DIR"])
BUILD = pathlib.Path(os.environ["E2E_BUILD"])
ROOT = os.environ.get("E2E_ROOT", "/")
SUITE = os.environ.get("E2E_SUITE", "host")
STRICT = bool(os.environ.get("CI"))  # a test that is skipped is a failure
DOCKER = "/usr/bin/docker"
PLUGIN = "seccomp-authz"
DENIED = f"authorization denied by plugin {PLUGIN}: "
IMAGE = "busybox:latest"
SHOW_SECCOMP = ["grep", "Seccomp:", "/proc/self/status"]
UNCONFINED = ["seccomp=unconfined"]

# A child that ends when we do, however we end.
TIED = ["setpriv", "--pdeathsig", "KILL"]


def wait_until(condition, seconds, what):
    """Polls until condition() is true and returns its value."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


# ---- HTTP on a Unix socket --------------------------------------------------------------


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("docker", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def call(path, method, target, body=None, timeout=60, content_type="application/json"):
    """One request; returns (status, body as bytes)."""
    connection = UnixConnection(path, timeout)
    try:
        headers = {"Content-Type": content_type} if body is not None else {}
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def talk(path, data, timeout=30):
    """Sends bytes as they are; returns (status, rest) of the first answer, status 0: none."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(timeout)
        sock.connect(str(path))
        try:
            sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered and closed before it had read all
        answer = b""
        try:
            while block := sock.recv(65536):
                answer += block
        except (ConnectionResetError, TimeoutError):
            pass
    found = re.match(rb"HTTP/1\.\d (\d{3})", answer)
    return (int(found.group(1)), answer) if found else (0, answer)


# ---- the judge --------------------------------------------------------------------------


def image_layer():
    """A tar of busybox and the few names that tests use."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as tar:
        tar.add(shutil.which("busybox"), "bin/busybox")
        for name in ("cat", "grep", "id", "sh", "sleep", "true", "unshare"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return memory.getvalue()


class Judge:
    """seccomp-authzd on the engine's plugin socket, with files of its own in `home`."""

    def __init__(self, home):
        self.home = home
        self.socket = home / "plugins" / f"{PLUGIN}.sock"
        self.policy = home / "policy.json"
        self.state = home / "state"
        self.record = home / "record" / "record.jsonl"
        self.first_sink = None  # else: the file `record`
        self.environment = None  # else: variables on top of ours
        self.log = home / "judge.log"
        self.process = None
        self.hidden = False

    def write_policy(self, policy):
        """A dict, or a text as it is; None removes the file."""
        if policy is None:
            self.policy.unlink(missing_ok=True)
            return
        text = policy if isinstance(policy, str) else json.dumps(policy)
        fresh = self.policy.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.policy)

    def start(self, *options, record_size=None):
        """Starts it and waits until it listens. record_size: bytes that fit on the file
        system of the record, which then is seen by the judge only."""
        for folder in (self.socket.parent, self.record.parent):
            folder.mkdir(parents=True, exist_ok=True)
        command = [str(BUILD / "seccomp-authzd"), "--socket", str(self.socket), "--policy",
                   str(self.policy), "--state-dir", str(self.state), "--record",
                   self.first_sink or f"file:{self.record}", *options]
        self.hidden = record_size is not None
        if self.hidden:
            mount = f"mount -n -t tmpfs -o size={record_size} tmpfs {self.record.parent}"
            command = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                       f'{mount} && exec "$@"', "sh", *command]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(TIED + command, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True,
                                            env={**os.environ, **(self.environment or {})})
        sockets = [str(self.socket)]
        if "--admin-socket" in options:
            sockets.append(str(options[options.index("--admin-socket") + 1]))
        wait_until(lambda: self.listens(sockets), 20,
                   f"the judge listens; {self.log_tail()}")

    def listens(self, sockets=None):
        if self.process.poll() is not None:
            raise AssertionError(f"the judge ended: {self.log_tail()}")
        for path in sockets or [str(self.socket)]:
            with socket.socket(socket.AF_UNIX) as sock:
                try:
                    sock.connect(path)
                except OSError:
                    return False
        return True

    def log_tail(self):
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(lines[-6:])

    def log_size(self):
        return self.log.stat().st_size

    def reload(self, policy):
        """Puts the policy in its place and waits until the judge has looked at it."""
        before = self.log_size()
        self.write_policy(policy)
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log_size() > before, 10, "the judge says something on SIGHUP")
        time.sleep(0.1)

    @property
    def record_seen(self):
        """The record's path, also when its file system is seen by the judge only."""
        if not self.hidden:
            return self.record
        return pathlib.Path(f"/proc/{self.process.pid}/root{self.record}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it as a service manager would; a judge that ends badly is a failure."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the judge did not end on SIGTERM") from None
        if code != 0:
            raise AssertionError(f"the judge ended with {code}: {self.log_tail()}")

    def records(self):
        """All records, after a check of their chain."""
        if not self.record_seen.exists():
            return []
        lines = self.record_seen.read_bytes().split(b"\n")[:-1]
        records = [json.loads(line) for line in lines]
        previous = ""
        for number, (line, record) in enumerate(zip(lines, records), 1):
            if record["seq"] != number or record["prev"] != previous:
                raise AssertionError(f"record {number} does not follow the one before it")
            previous = hashlib.sha256(line).hexdigest()
        return records


# ---- the engine -------------------------------------------------------------------------


class Engine:
    """dockerd in its own namespaces (engine.sh); `home` is the folder it shares with us."""

    def __init__(self, name):
        self.name = name
        self.home = DIR / name
        self.home.mkdir(parents=True, exist_ok=True)
        self.socket = self.home / "docker.sock"
        self.process = None

    def start(self, *options, plugins=(PLUGIN,)):
        config = {"authorization-plugins": list(plugins)} if plugins else {}
        (self.home / "daemon.json").write_text(json.dumps(config))
        # one that was halted may answer for some milliseconds more: not in place of the new one
        self.socket.unlink(missing_ok=True)
        command = [str(HERE / "engine.sh"), "run", self.name, ROOT, *options]
        self.process = subprocess.Popen(TIED + command, stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        wait_until(self.answers, 90, f"the engine answers; {self.log_tail()}")
        self.api = "v" + json.loads(self.call("GET", "/version")[1])["ApiVersion"]

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the engine ended: {self.log_tail()}")
        try:
            return self.call("GET", "/_ping", timeout=20)[0] == 200
        except OSError:
            return False

    def log_tail(self):
        log = self.home / "log"
        return " / ".join(log.read_text(errors="replace").splitlines()[-8:]) \
            if log.exists() else "no log"

    def alive(self):
        return self.process.poll() is None

    def halt(self):
        """Ends it; its data stays for the next start."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is not None:
            self.halt()
        subprocess.run([str(HERE / "engine.sh"), "down", self.name], check=True)

    def call(self, method, target, body=None, **options):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        return call(self.socket, method, target, body, **options)

    def import_image(self, name=IMAGE, tar=None):
        """`tar`: a file object; busybox if there is none."""
        repository, tag = name.rsplit(":", 1)
        status, answer = self.call(
            "POST", f"/images/create?fromSrc=-&repo={repository}&tag={tag}",
            tar or image_layer(), content_type="application/x-tar", timeout=300)
        if status != 200 or b'"error"' in answer:
            raise AssertionError(f"import: {status} {answer!r}")

    def containers(self):
        status, answer = self.call("GET", f"/{self.api}/containers/json?all=1")
        if status != 200:
            raise AssertionError(f"list: {status} {answer!r}")
        return json.loads(answer)

    def remove_all(self):
        for container in self.containers():
            self.call("DELETE", f"/{self.api}/containers/{container['Id']}?force=1")

    def dockerd_pid(self):
        """dockerd is the child of the engine's pid 1, which is a child of our process."""
        pid, name = str(self.process.pid), ""
        while name != "dockerd":
            pid = subprocess.run(["pgrep", "-o", "-P", pid], check=True, text=True,
                                 capture_output=True).stdout.strip()
            name = pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip()
        return pid

    def docker(self, *arguments, inside=False, timeout=90, host=None):
        """The client of this machine, if need be inside the engine's network; returns
        (exit code, stdout, stderr)."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home),
                       "DOCKER_HOST": host or f"unix://{self.socket}",
                       "DOCKER_CONFIG": str(self.home / "client")}
        enter = ["nsenter", f"--net=/proc/{self.dockerd_pid()}/ns/net"] if inside else []
        done = subprocess.run([*enter, DOCKER, *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, env=environment,
                              timeout=timeout, check=False)
        return done.returncode, done.stdout, done.stderr


# ---- what the tests build on ------------------------------------------------------------


class GuardedCase(unittest.TestCase):
    """One engine and one judge for all tests of a class."""

    policy = {"version": 1}
    engine_options = ()

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(f"{cls.__name__.lower()}")
        cls.addClassCleanup(cls.engine.stop)
        cls.judge = Judge(cls.engine.home)
        cls.judge.write_policy(cls.policy)
        cls.judge.start()
        cls.addClassCleanup(cls.judge.stop)
        cls.engine.start(*cls.engine_options)
        cls.engine.import_image()

    def setUp(self):
        self.seen = len(self.judge.records())

    def new_records(self):
        return self.judge.records()[self.seen:]

    def run_container(self, *options, image=IMAGE, command=tuple(SHOW_SECCOMP)):
        return self.engine.docker("run", "--rm", *options, image, *command)

    def assert_runs(self, mode, *options, **more):
        """`docker run` works, and the kernel says Seccomp: `mode` inside."""
        code, out, err = self.run_container(*options, **more)
        self.assertEqual((code, out.split()), (0, ["Seccomp:", str(mode)]), err)

    def assert_refused(self, *options, posture=None, says="", **more):
        """`docker run` is refused with our sentence, on record, and leaves nothing."""
        code, out, err = self.run_container(*options, **more)
        self.assertEqual((code, out), (125, ""), err)
        self.assertIn(DENIED, err)
        self.assertIn(says, err)
        self.assertEqual(self.engine.containers(), [])
        record = self.new_records()[-1]
        self.assertEqual(record["decision"], "deny")
        self.assertIn(record["id"], err)
        self.assertIn(record["message"], err)
        if posture:
            self.assertEqual(record["posture"], posture)
        return record

    def profile(self, name, text):
        """A profile in a file, for the client to read."""
        path = self.engine.home / name
        path.write_text(text)
        return f"seccomp={path}"


def rows(table):
    """Makes one test method of each row: name -> arguments of the decorated method."""

    def make(method):
        def bind(arguments):
            return lambda self: method(self, *arguments)

        method.rows = {name: bind(arguments) for name, arguments in table.items()}
        return method

    return make


def spread(cls):
    """Class decorator: puts the methods of @rows into the class."""
    for method in list(vars(cls).values()):
        for name, function in getattr(method, "rows", {}).items():
            setattr(cls, f"test_{name}", function)
    return cls
