# SPDX-License-Identifier: Apache-2.0
"""The sinks of the record: they fail, rotate, are killed and indexed. No engine."""

import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from lab import BUILD, DIR, HERE, TIED, Judge, call, wait_until
from test_judge import PLAIN, PS, UNCONFINED, Connection, envelope, post

ID = re.compile(r"decision ([0-9A-HJKMNP-TV-Z]{26})")
EXCEPTED = envelope({"Image": "x", "HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}},
                    uri="/v1.41/containers/create?name=debug")
POLICY = {"version": 1, "exceptions": [{
    "id": "debug", "allow": ["unconfined"], "match": {"name": ["debug"]}, "reason": "TEST"}]}


def run(*words):
    done = subprocess.run([str(BUILD / "seccomp-authz"), *map(str, words)], check=False,
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


class LogSocket:
    """A datagram socket in the place of a log daemon; reads when it is told to."""

    def __init__(self, path):
        self.path = path
        path.unlink(missing_ok=True)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.messages = []
        self.reading = threading.Event()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        self.sock.settimeout(0.05)
        while not self.ended.is_set():
            self.reading.wait(0.05)
            with contextlib.suppress(TimeoutError):
                if self.reading.is_set():
                    self.messages.append(self.sock.recv(65536))

    def close(self):
        self.ended.set()
        self.thread.join()
        self.sock.close()

    def text(self):
        return b"\n".join(self.messages).decode(errors="replace")


class SinkCase(unittest.TestCase):
    """A judge, what it told, and what of that is on record."""

    record_size = None
    sink_options = ""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=DIR)
        self.addCleanup(self.folder.cleanup)
        self.judge = Judge(pathlib.Path(self.folder.name))
        self.judge.first_sink = f"file:{self.judge.record}{self.sink_options}"
        self.judge.write_policy(POLICY)
        self.admin = self.judge.home / "admin.sock"
        self.told = []
        self.before_start()
        self.start()
        self.addCleanup(self.judge.stop)

    def before_start(self):
        pass

    def start(self, *options):
        self.judge.start("--admin-socket", str(self.admin), *options,
                         record_size=self.record_size)

    def ask(self, data):
        """(status, answer); a denial that we were told of is remembered."""
        connection = Connection(self.judge.socket)
        try:
            status, answer = connection.ask(data)
        finally:
            connection.close()
        if status == 200 and not answer["Allow"]:
            self.told.append(ID.search(answer["Msg"]).group(1))
        return status, answer

    def files(self):
        """Names of all files of the record, as they are seen from here."""
        record = self.judge.record_seen
        return [path for path in record.parent.iterdir() if path.name.startswith(record.name)]

    def recorded(self):
        ids = []
        for path in self.files():
            for line in path.read_bytes().split(b"\n"):
                with contextlib.suppress(ValueError):
                    ids.append(json.loads(line).get("id"))
        return ids

    def ready(self):
        return call(self.admin, "GET", "/readyz")[0]

    def assert_nobody_is_told(self):
        """What must be on record is refused without a decision; the rest goes on."""
        before = len(self.told)
        for data in (UNCONFINED, EXCEPTED):
            begin = time.monotonic()
            status, answer = self.ask(data)
            self.assertEqual((status, list(answer)), (500, ["Err"]))
            self.assertIn("record", answer["Err"])
            self.assertLess(time.monotonic() - begin, 6)
        self.assertEqual(len(self.told), before)
        begin = time.monotonic()
        for _ in range(20):
            self.assertEqual(self.ask(PS), (200, {"Allow": True}))
            self.assertEqual(self.ask(PLAIN)[1].get("Allow"), True)
        self.assertLess(time.monotonic() - begin, 2)
        self.assertEqual(self.ready(), 503)
        self.assertIn('seccomp_authz_degraded{part="record"} 1',
                      call(self.admin, "GET", "/metrics")[1].decode())
        self.assertIn("what must be on record is refused", self.judge.log.read_text())

    def assert_well_again(self):
        wait_until(lambda: self.ask(UNCONFINED)[0] == 200, 10, "denials are told again")
        self.assertEqual(self.ask(EXCEPTED)[1], {"Allow": True})
        self.assertEqual(self.ready(), 200)
        wait_until(lambda: "takes lines again" in self.judge.log.read_text(), 5,
                   "it is said that the record takes lines again")

    def assert_told_is_on_record_once(self):
        ids = self.recorded()
        self.assertTrue(self.told)
        self.assertEqual([id for id in self.told if ids.count(id) != 1], [])

    def assert_verified(self, torn=0):
        code, out = run("log", "verify", *self.files())
        self.assertEqual((code, len(re.findall("^torn ", out, re.MULTILINE))), (0, torn), out)

    def assert_survives(self, fault):
        """Before, while and after `fault`, a context."""
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        with fault:
            self.assert_nobody_is_told()
        self.assert_well_again()
        self.assert_told_is_on_record_once()
        self.assert_verified()


class Disk(SinkCase):
    """The record's file system is a small one that the judge alone sees."""

    record_size = "128k"

    def mount(self, *words):
        return subprocess.run(["nsenter", "-t", str(self.judge.process.pid), "--mount",
                               *words, str(self.judge.record.parent)],
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    @contextlib.contextmanager
    def full(self):
        filler = self.judge.record_seen.parent / "filler"
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(b"x" * 4096):
                pass
        while self.ask(UNCONFINED)[0] == 200:  # to the end of the last page
            pass
        yield
        filler.unlink()

    @contextlib.contextmanager
    def read_only(self):
        """A file that is open for writing keeps its mount writable, so another one comes
        over it for a moment; again, if the judge looked at the file in between."""
        def refuse():
            self.assertTrue(self.mount("mount", "-n", "-t", "tmpfs", "-o", "ro", "tmpfs"))
            self.assertEqual(self.ask(UNCONFINED)[0], 500)
            self.assertTrue(self.mount("umount", "-n", "-l"))
            return self.mount("mount", "-n", "-o", "remount,ro")

        wait_until(refuse, 20, "it is read-only")
        yield
        self.assertTrue(self.mount("mount", "-n", "-o", "remount,rw"))

    def test_a_full_disk_tells_nobody_until_there_is_room(self):
        self.assert_survives(self.full())

    def test_a_judge_whose_disk_has_room_again_is_ready_without_a_denial(self):
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        with self.full():
            time.sleep(2.5)
            self.assertEqual(self.ready(), 503)
        wait_until(lambda: self.ready() == 200, 5, "ready by itself")
        self.assert_well_again()
        self.assert_told_is_on_record_once()
        self.assert_verified()

    def test_a_read_only_file_system_tells_nobody_until_it_is_not(self):
        self.assert_survives(self.read_only())


class Deleted(SinkCase):
    def test_a_file_that_is_deleted_is_made_anew_with_the_next_denial(self):
        for _ in range(3):
            self.ask(UNCONFINED)
            self.judge.record.unlink()
            self.told.clear()
            self.assertEqual(self.ask(UNCONFINED)[0], 200)
            self.assert_told_is_on_record_once()
        shutil.rmtree(self.judge.record.parent)
        self.told.clear()
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        self.assert_told_is_on_record_once()


class Faulty(SinkCase):
    """A disk that fails on demand (fault.c)."""

    def before_start(self):
        self.faults = self.judge.home / "faults"
        self.faults.mkdir()
        library = self.judge.home / "fault.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", str(library),
                        str(HERE / "fault.c")], check=True)
        self.judge.environment = {"LD_PRELOAD": str(library), "FAULTS": str(self.faults),
                                  "ASAN_OPTIONS": "verify_asan_link_order=0"}

    @contextlib.contextmanager
    def fault(self, name):
        (self.faults / name).touch()
        yield
        (self.faults / name).unlink()

    def assert_answers_although_the_log_hangs(self):
        """The disk that is full may hold the log, too."""
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        with self.fault("log-hang"), self.fault("write-error"):
            for _ in range(3):
                begin = time.monotonic()
                self.assertEqual(self.ask(UNCONFINED)[0], 500)
                self.assertEqual(self.ask(PS), (200, {"Allow": True}))
                self.assertLess(time.monotonic() - begin, 6)
            self.assertEqual(self.ready(), 503)
        self.assert_well_again()
        self.assert_told_is_on_record_once()

    def assert_stops_although_it_hangs(self):
        with self.fault("write-hang"):
            self.assertEqual(self.ask(UNCONFINED)[0], 500)
            begin = time.monotonic()
            self.judge.process.terminate()
            self.assertEqual(self.judge.process.wait(20), 0)
            self.assertLess(time.monotonic() - begin, 10)


class Injected(Faulty):
    """The thread of the record writes and syncs, and hangs or fails."""

    sink_options = ",fsync=always"

    def test_an_error_when_it_is_written_tells_nobody(self):
        self.assert_survives(self.fault("write-error"))

    def test_an_error_when_it_is_synced_tells_nobody(self):
        self.assert_survives(self.fault("sync-error"))

    def test_a_write_that_hangs_tells_nobody(self):
        self.assert_survives(self.fault("write-hang"))

    def test_a_sync_that_hangs_tells_nobody(self):
        self.assert_survives(self.fault("sync-hang"))

    def test_a_log_that_hangs_holds_up_no_answer(self):
        self.assert_answers_although_the_log_hangs()

    def test_a_judge_whose_disk_hangs_can_be_stopped(self):
        self.assert_stops_although_it_hangs()


class InjectedInTurns(Faulty):
    """The thread that serves writes, too, and hangs or fails there."""

    def test_an_error_when_the_server_writes_tells_nobody(self):
        self.assert_survives(self.fault("write-error"))

    def test_a_write_of_the_server_that_hangs_holds_up_nobody_and_tells_nobody(self):
        self.assert_survives(self.fault("write-hang"))

    def test_clients_that_go_while_the_server_hangs_do_no_harm(self):
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        with self.fault("write-hang"):
            gone = [Connection(self.judge.socket) for _ in range(20)]
            for connection in gone:
                connection.send(post("/AuthZPlugin.AuthZReq", UNCONFINED))
            time.sleep(0.1)
            for connection in gone:
                connection.close()
            self.assert_nobody_is_told()
        self.assert_well_again()
        self.assert_told_is_on_record_once()
        self.assert_verified()

    def test_a_log_that_hangs_where_the_server_writes_holds_up_no_answer(self):
        self.assert_answers_although_the_log_hangs()

    def test_a_judge_whose_server_hangs_can_be_stopped(self):
        self.assert_stops_although_it_hangs()


class Rotated(SinkCase):
    sink_options = ",rotate=64K,keep=100"
    KILLS, ROTATIONS, THREADS = 3, 10, 4
    TORN = b'{"time":"2026-11-25T03:00:00.0'

    def setUp(self):
        super().setUp()
        self.done = threading.Event()

    def client(self):
        while not self.done.is_set():
            try:
                connection = Connection(self.judge.socket)
            except OSError:
                time.sleep(0.02)
                continue
            with contextlib.suppress(OSError, ConnectionError):
                while not self.done.is_set():
                    status, answer = connection.ask(UNCONFINED)
                    self.assertEqual((status, answer["Allow"]), (200, False))
                    self.told.append(ID.search(answer["Msg"]).group(1))
            connection.close()

    def rotations(self):
        return len(self.files()) - 1

    def test_ten_rotations_and_three_kills_lose_nothing_that_was_told(self):
        clients = [threading.Thread(target=self.client) for _ in range(self.THREADS)]
        for client in clients:
            client.start()
        try:
            for kill in range(self.KILLS):
                least = (kill + 1) * self.ROTATIONS // (self.KILLS + 1)
                wait_until(lambda least=least: self.rotations() >= least, 60, "it rotates")
                self.judge.kill()
                with open(self.judge.record, "ab") as file:
                    file.write(self.TORN)
                self.start()
            wait_until(lambda: self.rotations() >= self.ROTATIONS, 60, "it rotates")
        finally:
            self.done.set()
            for client in clients:
                client.join()
        self.judge.stop()
        self.assertGreater(len(self.told), 500)
        ids = self.recorded()
        self.assertEqual(len(set(self.told)), len(self.told))
        self.assertEqual(set(self.told) - set(ids), set())
        self.assertEqual(len([id for id in ids if id]), len({id for id in ids if id}))
        self.assert_verified(torn=self.KILLS)
        code, out = run("log", "verify", "--all", self.judge.record)
        self.assertEqual(code, 0, out)


class Daemon(SinkCase):
    """A log daemon as the first sink."""

    def before_start(self):
        self.daemon = LogSocket(self.judge.home / "log.sock")
        self.addCleanup(lambda: self.daemon.close())
        self.daemon.reading.set()
        self.judge.first_sink = f"{self.prefix}{self.daemon.path}"

    prefix = "syslog:"

    def recorded(self):
        time.sleep(0.3)  # the last ones are read
        return re.findall(r'\{"time":"[^"]*","id":"([0-9A-Z]{26})"', self.daemon.text())

    def assert_verified(self, torn=0):
        pass  # there is no file

    @contextlib.contextmanager
    def hangs(self):
        self.daemon.reading.clear()
        while self.ask(UNCONFINED)[0] == 200:  # until its queue is full
            pass
        yield
        self.daemon.reading.set()

    @contextlib.contextmanager
    def is_gone(self):
        self.daemon.close()
        yield
        old, self.daemon = self.daemon, LogSocket(self.daemon.path)
        self.daemon.messages = old.messages
        self.daemon.reading.set()

    def test_one_that_does_not_read_tells_nobody(self):
        self.assert_survives(self.hangs())

    def test_one_that_is_gone_tells_nobody(self):
        self.assert_survives(self.is_gone())


class JournalDaemon(Daemon):
    prefix = "journald:"


class Journald(SinkCase):
    """systemd-journald, in a mount namespace of its own."""

    PROGRAM = "/lib/systemd/systemd-journald"
    CONFIGURATION = ("[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nReadKMsg=no\n"
                     "Audit=no\nForwardToSyslog=no\n")
    SCRIPT = """set -e
        mkdir -p "$1/run/systemd/journal" "$1/run/log" && mount -n --bind "$1/run" /run
        mount -n --bind "$1/machine-id" /etc/machine-id
        mount -n --bind "$1/journald.conf" /etc/systemd/journald.conf
        exec "$2" """

    def before_start(self):
        for needed in (self.PROGRAM, "/etc/machine-id", "/etc/systemd/journald.conf"):
            if not os.path.exists(needed):
                self.skipTest(f"there is no {needed}")
        home = self.judge.home
        (home / "journal").mkdir()
        (home / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        (home / "journald.conf").write_text(self.CONFIGURATION)
        self.journald = subprocess.Popen(
            [*TIED, "unshare", "--mount", "--propagation", "private", "sh", "-c", self.SCRIPT,
             "sh", str(home), self.PROGRAM], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.journald.wait)
        self.addCleanup(self.journald.kill)
        root = home / "run" # not by /proc: a confined judge may not look into others
        path = root / "systemd" / "journal" / "socket"
        wait_until(path.exists, 20, "journald listens")
        self.journal = root / "log" / "journal"
        self.judge.first_sink = f"journald:{path}"

    def find(self, *matches):
        out = subprocess.run(["journalctl", "--directory", str(self.journal), "-o", "json",
                              "--all", *matches], check=True, capture_output=True,
                             timeout=30).stdout
        return [json.loads(line) for line in out.splitlines()]

    def test_journalctl_finds_denials_by_our_fields(self):
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        self.assertEqual(self.ask(EXCEPTED)[1], {"Allow": True})
        forged = json.loads(UNCONFINED)
        forged["User"] = "mallory\nSECCOMP_AUTHZ_DECISION=allow"
        self.assertEqual(self.ask(json.dumps(forged))[0], 200)
        wait_until(lambda: len(self.find("SYSLOG_IDENTIFIER=seccomp-authz")) == 3, 20,
                   "the journal has them")
        denied = self.find("SECCOMP_AUTHZ_DECISION=deny")
        self.assertEqual([entry["SECCOMP_AUTHZ_ID"] for entry in denied], self.told)
        for entry in denied:
            record = json.loads(entry["SECCOMP_AUTHZ_RECORD"])
            self.assertEqual(entry["MESSAGE"], record["message"])
            self.assertEqual((entry["PRIORITY"], entry["SYSLOG_FACILITY"]), ("4", "10"))
            self.assertEqual(entry["SECCOMP_AUTHZ_POSTURE"], "unconfined")
            self.assertEqual(entry["SECCOMP_AUTHZ_REASON"], "posture")
            self.assertEqual(entry["SECCOMP_AUTHZ_RULE"], "default")
            self.assertEqual(entry["SECCOMP_AUTHZ_IMAGE"], "docker.io/library/x:latest")
            self.assertEqual(entry["SECCOMP_AUTHZ_SEQ"], str(record["seq"]))
        self.assertEqual(denied[1]["SECCOMP_AUTHZ_USER"], forged["User"])
        allowed = self.find("SECCOMP_AUTHZ_DECISION=allow")
        self.assertEqual([(entry["SECCOMP_AUTHZ_RULE"], entry["PRIORITY"]) for entry in allowed],
                         [("debug", "5")])


class Rsyslog(SinkCase):
    """rsyslog as the manual page sets it up, on a socket of its own; it goes on to a file."""

    PROGRAM = "/usr/sbin/rsyslogd"
    CONFIGURATION = """global(workDirectory="{home}" maxMessageSize="32k")
        module(load="imuxsock" SysSock.Name="{home}/log.sock" SysSock.UseSpecialParser="off"
               SysSock.ParseHostname="on" SysSock.RateLimit.Interval="0")
        template(name="parts" type="list") {{
            property(name="syslogfacility-text") constant(value="\\t")
            property(name="syslogseverity-text") constant(value="\\t")
            property(name="hostname") constant(value="\\t")
            property(name="app-name") constant(value="\\t")
            property(name="msgid") constant(value="\\t")
            property(name="structured-data") constant(value="\\t")
            property(name="msg" position.from="1") constant(value="\\n") }}
        action(type="omfile" file="{home}/forwarded" template="parts" flushOnTXEnd="on")
        """

    def before_start(self):
        if not os.path.exists(self.PROGRAM):
            self.skipTest(f"there is no {self.PROGRAM}")
        home = self.judge.home / "rsyslog"
        home.mkdir()
        configuration = home / "rsyslog.conf"
        configuration.write_text(self.CONFIGURATION.format(home=home))
        self.rsyslog = subprocess.Popen(
            [*TIED, self.PROGRAM, "-n", "-f", str(configuration), "-i", str(home / "pid")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.rsyslog.wait)
        self.addCleanup(self.rsyslog.kill)
        wait_until((home / "log.sock").exists, 20, "rsyslog listens")
        self.forwarded = home / "forwarded"
        self.sink = f"syslog:{home / 'log.sock'}"

    def start(self, *options):
        super().start("--record", self.sink, *options)

    def arrived(self):
        if not self.forwarded.exists():
            return []
        lines = self.forwarded.read_text().splitlines()
        return [parts for parts in (line.split("\t") for line in lines)
                if parts[3] == "seccomp-authz"]

    def test_structured_data_and_lines_of_denials_arrive(self):
        forged = json.loads(UNCONFINED)
        forged["User"] = 'm" ]x\\ \u202e[decision="allow"]'
        for data in (UNCONFINED, json.dumps(forged)):
            self.assertEqual(self.ask(data)[0], 200)
        self.assertEqual(self.ask(EXCEPTED)[1], {"Allow": True})
        wait_until(lambda: len(self.arrived()) == 3, 20, "rsyslog has them")
        lines = self.judge.record.read_text().splitlines()
        for parts, line in zip(self.arrived(), lines):
            record = json.loads(line)
            facility, severity, host, _, word, data, message = parts
            denied = record["decision"] == "deny"
            self.assertEqual((facility, severity),
                             ("authpriv", "warning" if denied else "notice"))
            self.assertEqual((host, word), (record["host"], record["decision"]))
            self.assertTrue(data.startswith("[seccomp-authz@32473 "), data)
            for name in ("seq", "id", "decision", "reason", "rule"):
                self.assertIn(f' {name}="{record[name]}"', data)
            self.assertEqual(message.strip(), line)
        users = [parts[5].count('decision="deny"') for parts in self.arrived()]
        self.assertEqual(users, [1, 1, 0])

    def test_every_line_arrives_once_and_in_order(self):
        for _ in range(500):
            self.assertEqual(self.ask(UNCONFINED)[0], 200)
        wait_until(lambda: len(self.arrived()) >= 500, 20, "rsyslog has them")
        self.assertEqual([parts[6].strip() for parts in self.arrived()],
                         self.judge.record.read_text().splitlines())


SECRET = "hunter2"
CONFIDENTIAL = {"Env": [f"PASSWORD={SECRET}"], "Labels": {"token": SECRET, SECRET: "x"},
                "Cmd": ["login", SECRET], "Healthcheck": {"Test": ["CMD", SECRET]}}


def requests_with_secrets():
    """Envelopes that hold a secret wherever a client may put one that is none of ours to
    repeat; not in what the record is for: users, names, images and plugins as they are
    referred to, and a seccomp setting that is no JSON."""
    def of(method, uri, body=b"", **more):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return json.dumps({
            "User": "alice", "RequestMethod": method, "RequestUri": uri,
            "RequestHeaders": {"X-Registry-Auth": SECRET, "X-Registry-Config": SECRET,
                               "Cookie": SECRET, "Authorization": f"Bearer {SECRET}",
                               SECRET: "x"},
            "RequestBody": base64.b64encode(data).decode(), **more})

    for option in ("seccomp=unconfined", "seccomp=" + json.dumps({"defaultAction": SECRET}),
                   "seccomp=" + json.dumps({"syscalls": [{"names": [SECRET]}]}),
                   f"label={SECRET}", "no-new-privileges"):
        yield of("POST", f"/v1.41/containers/create?token={SECRET}", {
            "Image": "x", **CONFIDENTIAL, "HostConfig": {
                "SecurityOpt": [option], "Binds": [f"/{SECRET}:/x"],
                "LogConfig": {"Type": "syslog", "Config": {"password": SECRET}}}})
    yield of("POST", f"http://u:{SECRET}@host/v1.41/containers/create?name=debug", {
        "Image": "x", **CONFIDENTIAL, "HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}})
    yield of("POST", "/v1.41/containers/create", b'{"Image":"x","Env":["' + SECRET.encode())
    yield of("POST", "/v1.41/containers/create", {**CONFIDENTIAL, "Image": 7})
    yield of("POST", "/v1.41/services/create", {"TaskTemplate": {"ContainerSpec": {
        "Image": "x", **CONFIDENTIAL, "Privileges": {
            "Seccomp": {"Mode": "custom", "Profile": base64.b64encode(
                json.dumps({"defaultAction": SECRET}).encode()).decode()}}}}})
    for method, uri, body in (
            ("POST", "/v1.41/auth", {"username": "alice", "password": SECRET}),
            ("POST", f"/v1.41/build?buildargs=%7B%22P%22%3A%22{SECRET}%22%7D"
                     f"&remote=https://u:{SECRET}@host/x.git&labels={SECRET}", b""),
            ("POST", f"/v1.41/images/create?fromSrc=https://u:{SECRET}@host/x", b""),
            ("POST", f"/v1.41/plugins/pull?remote=host/x&auth={SECRET}", [{"Value": [SECRET]}]),
            ("POST", "/v1.41/plugins/x/set", [f"PASSWORD={SECRET}"]),
            ("POST", "/v1.41/swarm/join", {"JoinToken": SECRET}),
            ("POST", "/v1.41/swarm/unlock", {"UnlockKey": SECRET}),
            ("POST", "/v1.41/secrets/create", {"Name": "x", "Data": SECRET}),
            ("POST", "/v1.41/containers/x/exec", {"Cmd": ["sh"], "Env": [SECRET]})):
        yield of(method, uri, body)
    yield of("POST", "/v1.41/containers/create", {"Image": "x"}, ResponseBody=SECRET,
             Extra=SECRET)
    yield of("POST", "/v1.41/containers/create", {"Image": "x"})[:-1] + f',"{SECRET}":}}'
    yield f'{{"RequestMethod":"POST","RequestUri":"/x","RequestBody":"{SECRET}!"}}'


class Secrets(SinkCase):
    def before_start(self):
        self.daemons = {prefix: LogSocket(self.judge.home / f"{prefix}.sock")
                        for prefix in ("syslog", "journald")}
        for daemon in self.daemons.values():
            daemon.reading.set()
            self.addCleanup(daemon.close)

    def start(self, *options):
        super().start("--record-level", "all", "--log-level", "debug", "--record", "stdout",
                      *(word for prefix, daemon in self.daemons.items()
                        for word in ("--record", f"{prefix}:{daemon.path}")))

    def test_no_secret_of_a_request_is_in_any_sink_or_message(self):
        places = {}
        policies = [{**POLICY, "mode": mode, "guard": [
            "self", "plugins", "legacy-start", "runtimes", "checkpoint", "builds", "rollback",
            "swarm-membership"]} for mode in ("enforce", "observe")]
        for policy in (POLICY, *policies):
            self.judge.reload(policy)
            for number, request in enumerate(requests_with_secrets()):
                status, answer = call(self.judge.socket, "POST", "/AuthZPlugin.AuthZReq", request)
                self.assertEqual(status, 200)
                places[f"answer {policy.get('mode')} {number}"] = answer.decode()
        lines = self.judge.record.read_text().splitlines()
        self.assertGreater(len(lines), 30)
        for daemon in self.daemons.values():
            wait_until(lambda daemon=daemon: len(daemon.messages) >= len(lines), 10, "all is read")
        for path in ("/metrics", "/healthz", "/readyz", "/policy"):
            places[path] = call(self.admin, "GET", path)[1].decode()
        self.judge.stop()
        places.update(record="\n".join(lines), log=self.judge.log.read_text())  # stdout too
        places.update({name: daemon.text() for name, daemon in self.daemons.items()})
        self.assertGreater(places["log"].count('{"time":'), 30)
        places["log show"] = run("log", "show", self.judge.record)[1]
        self.assertEqual([name for name, text in places.items() if SECRET in text], [])

    def test_every_sink_has_the_same_lines(self):
        for _ in range(20):
            self.ask(UNCONFINED)
        self.judge.stop()
        lines = self.judge.record.read_text().splitlines()
        self.assertEqual(len(lines), 20)
        for name, daemon in self.daemons.items():
            wait_until(lambda daemon=daemon: len(daemon.messages) >= 20, 10, "all is read")
            ends = [m.decode().removesuffix("\n") for m in daemon.messages]
            self.assertTrue(all(m.endswith(line) for m, line in zip(ends, lines)), name)
        log = self.judge.log.read_text().splitlines()
        self.assertEqual([line for line in log if line.startswith('{"time"')], lines)


class Options(unittest.TestCase):
    def test_mistakes_in_a_sink_are_named_before_anything_is_served(self):
        with tempfile.TemporaryDirectory(dir=DIR) as folder:
            for sink, says in ((f"file:{folder}/x,rotat=1M", '",rotat=1M"'),
                               (f"file:{folder}/x,keep=3", "keep needs rotate"),
                               ("syslog:localhost", "should be the path of a socket"),
                               ("http:x", "no such kind; use file:PATH, stdout, syslog: or "
                                          "journald:")):
                for first in ([], ["--record", "stdout"]):
                    done = subprocess.run(
                        [str(BUILD / "seccomp-authzd"), "--socket", f"{folder}/s", "--state-dir",
                         folder, *first, "--record", sink], capture_output=True, text=True,
                        timeout=20, check=False)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(says, done.stderr)
                    self.assertFalse(os.path.exists(f"{folder}/s"))

    def test_closed_standard_descriptors_get_no_file_of_the_judge(self):
        """What it prints and logs would stand in the file whose number is theirs."""
        for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
            for sink in ("file:{}/r", "stdout"):
                with self.subTest(closed=closed, sink=sink), \
                        tempfile.TemporaryDirectory(dir=DIR) as folder:
                    policy = pathlib.Path(folder, "policy.json")
                    policy.write_text('{"version": 1}')
                    judge = subprocess.Popen(
                        ["sh", "-c", f'exec "$@" {closed}', "sh", *TIED,
                         str(BUILD / "seccomp-authzd"), "--socket", f"{folder}/s", "--policy",
                         policy, "--state-dir", folder, "--record", sink.format(folder),
                         "--log-level", "debug"],
                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
                    self.addCleanup(judge.wait)
                    self.addCleanup(judge.kill)
                    wait_until(lambda path=f"{folder}/s": os.path.exists(path), 10, "it listens")
                    status, answer = call(f"{folder}/s", "POST", "/AuthZPlugin.AuthZReq",
                                          UNCONFINED)
                    judge.terminate()
                    self.assertEqual(judge.wait(20), 0)
                    written = sink != "stdout" or ">&-" not in closed.split()
                    self.assertEqual((status, b"Bad file descriptor" in answer),
                                     (200, False) if written else (500, True), answer)
                    if sink != "stdout":
                        lines = pathlib.Path(folder, "r").read_bytes().splitlines()
                        self.assertEqual([json.loads(line)["seq"] for line in lines], [1])

    def test_a_file_that_is_given_twice_is_named(self):
        with tempfile.TemporaryDirectory(dir=DIR) as folder:
            done = subprocess.run(
                [str(BUILD / "seccomp-authzd"), "--socket", f"{folder}/s", "--state-dir", folder,
                 "--record", f"file:{folder}/x", "--record", "stdout",
                 "--record", f"file:{folder}/x,fsync=never"], capture_output=True, text=True,
                timeout=20, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"record sink file:{folder}/x: is given twice", done.stderr)
            self.assertFalse(os.path.exists(f"{folder}/s"))
