# SPDX-License-Identifier: Apache-2.0
"""The judge alone, on its socket: the protocol as engines speak it, and as they don't."""

import base64
import concurrent.futures
import json
import os
import pathlib
import resource
import socket
import subprocess
import tempfile
import time
import unittest

from lab import BUILD, DIR, Judge, call, talk, wait_until

CREATE = "/v1.41/containers/create"
PS = json.dumps({"RequestMethod": "GET", "RequestUri": "/v1.41/containers/json"})
MIB = 1024 * 1024


def envelope(body, method="POST", uri=CREATE):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return json.dumps({"RequestMethod": method, "RequestUri": uri,
                       "RequestBody": base64.b64encode(data).decode()})


PLAIN = envelope({"Image": "x", "HostConfig": {}})
UNCONFINED = envelope({"Image": "x", "HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}})


def post(path, data, version="HTTP/1.1", host="Host: \r\n", extra=""):
    """The head as Go's client of an old engine sends it: an empty Host, no type."""
    data = data.encode() if isinstance(data, str) else data
    return (f"POST {path} {version}\r\n{host}User-Agent: Go-http-client/1.1\r\n"
            f"Content-Length: {len(data)}\r\n"
            f"Accept: application/vnd.docker.plugins.v1.2+json\r\n{extra}\r\n").encode() + data


class Connection:
    """One connection that stays open, as an engine's does."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(str(path))
        self.buffer = b""

    def send(self, data):
        self.sock.sendall(data)

    def answer(self):
        """(status, body) of the next answer."""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        length = [int(line.split(b":")[1]) for line in head.split(b"\r\n")
                  if line.lower().startswith(b"content-length:")][0]
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(head.split()[1]), json.loads(body)

    def more(self):
        block = self.sock.recv(65536)
        if not block:
            raise ConnectionError("closed")
        self.buffer += block

    def ask(self, data, path="/AuthZPlugin.AuthZReq"):
        self.send(post(path, data))
        return self.answer()

    def close(self):
        self.sock.close()


class JudgeCase(unittest.TestCase):
    options = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=DIR)
        self.addCleanup(self.folder.cleanup)
        self.judge = Judge(pathlib.Path(self.folder.name))
        self.judge.write_policy({"version": 1})
        self.judge.start(*self.options)
        self.addCleanup(self.judge.stop)

    def connect(self):
        connection = Connection(self.judge.socket)
        self.addCleanup(connection.close)
        return connection

    def ask(self, data):
        return self.connect().ask(data)


class Protocol(JudgeCase):
    def test_activation_names_the_one_thing_we_are(self):
        self.assertEqual(self.connect().ask("", "/Plugin.Activate"),
                         (200, {"Implements": ["authz"]}))

    def test_a_thousand_questions_go_over_one_connection(self):
        connection = self.connect()
        for number in range(1000):
            status, answer = connection.ask(UNCONFINED if number % 10 == 0 else PS)
            self.assertEqual((status, answer["Allow"]), (200, number % 10 != 0))
        self.assertEqual(len(self.judge.records()), 100)

    def test_a_connection_that_was_idle_is_still_there(self):
        connection = self.connect()
        connection.ask(PS)
        time.sleep(3)
        self.assertEqual(connection.ask(PS), (200, {"Allow": True}))

    def test_an_empty_question_is_denied_and_told_why(self):
        status, answer = self.ask("")
        self.assertEqual((status, answer["Allow"]), (200, False))
        self.assertIn("restarted during the call", answer["Msg"])
        self.assertEqual(self.judge.records()[-1]["reason"], "empty-envelope")

    def test_a_question_that_is_no_envelope_is_denied(self):
        for data in ("{", "null", "[]", '"x"', "{}", '{"RequestMethod":"GET"}', "\x00", PS + "x"):
            status, answer = self.ask(data)
            self.assertEqual((status, answer["Allow"]), (200, False), data)
            self.assertTrue(answer["Msg"])

    def test_any_host_or_none_is_accepted(self):
        for version, host in (("HTTP/1.1", "Host: plugin.moby.localhost\r\n"),
                              ("HTTP/1.1", "Host: \r\n"), ("HTTP/1.0", "")):
            connection = self.connect()
            connection.send(post("/AuthZPlugin.AuthZReq", PS, version, host))
            self.assertEqual(connection.answer(), (200, {"Allow": True}))

    def test_chunked_questions_are_read(self):
        connection = self.connect()
        data = UNCONFINED.encode()
        connection.send(b"POST /AuthZPlugin.AuthZReq HTTP/1.1\r\nHost: \r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(data), 7):
            piece = data[start:start + 7]
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")
        self.assertFalse(connection.answer()[1]["Allow"])

    def test_pipelined_questions_are_answered_in_order(self):
        connection = self.connect()
        connection.send(b"".join(post("/AuthZPlugin.AuthZReq", data)
                                 for data in (PS, UNCONFINED, PLAIN, UNCONFINED)))
        self.assertEqual([connection.answer()[1]["Allow"] for _ in range(4)],
                         [True, False, True, False])

    def test_the_response_phase_is_drained_and_allowed(self):
        connection = self.connect()
        for size in (0, 10, 64 * 1024, 20 * MIB):
            self.assertEqual(connection.ask(b"\xff" * size, "/AuthZPlugin.AuthZRes"),
                             (200, {"Allow": True}))
        self.assertEqual(self.judge.records(), [])

    def test_other_calls_and_methods_are_errors_that_engines_refuse_on(self):
        self.assertEqual(self.connect().ask("", "/Foo.Bar")[0], 404)
        self.assertEqual(call(self.judge.socket, "GET", "/AuthZPlugin.AuthZReq")[0], 405)

    def test_garbage_does_not_stop_others(self):
        connection = self.connect()
        for data in (b"\x16\x03\x01\x02\x00", b"\n" * 5000, b"GET " + b"a" * 70000, b"\x00"):
            try:
                talk(self.judge.socket, data, timeout=1)
            except TimeoutError:
                pass
            self.assertEqual(connection.ask(PS), (200, {"Allow": True}))


class Sizes(JudgeCase):
    def body(self, size, text):
        data = json.dumps({"Image": "x", "HostConfig": {"SecurityOpt": [text]}}).encode()
        return envelope(b" " * (size - len(data)) + data)

    def test_the_largest_body_that_engines_forward_is_judged_to_its_end(self):
        for text, allow in (("seccomp=unconfined", False), ("no-new-privileges", True)):
            status, answer = self.ask(self.body(4 * MIB, text))
            self.assertEqual((status, answer["Allow"]), (200, allow))

    def test_a_larger_question_is_read_and_refused(self):
        status, answer = self.ask(b" " * (16 * MIB))
        self.assertEqual((status, answer["Allow"]), (200, False))
        self.assertIn("larger than", answer["Msg"])
        self.assertEqual(self.judge.records()[-1]["reason"], "too-large")

    def test_memory_in_flight_is_capped_and_given_back(self):
        held = []
        for size in (11, 11, 11, 11, 11, 8): # 63 of 64 MiB, announced and mostly sent
            connection = self.connect()
            connection.send(post("/AuthZPlugin.AuthZReq", b" " * (size * MIB))[:-MIB])
            held.append(connection)
        time.sleep(0.5)
        status, answer = self.ask(self.body(4 * MIB, "no-new-privileges"))
        self.assertEqual((status, answer["Allow"]), (200, False))
        self.assertIn("Repeat", answer["Msg"])
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))
        for connection in held:
            connection.close()
        wait_until(lambda: self.ask(self.body(4 * MIB, "no-new-privileges"))[1]["Allow"], 10,
                   "large bodies are judged again")
        resident = int([line.split()[1] for line in
                        pathlib.Path(f"/proc/{self.judge.process.pid}/status").read_text()
                        .splitlines() if line.startswith("VmRSS")][0])
        if "asan" not in str(BUILD) and "tsan" not in str(BUILD):
            self.assertLess(resident, 24 * 1024, "kB resident after large bodies")


class Recording(JudgeCase):
    def test_parallel_denials_are_each_on_record_once(self):
        def denials(_):
            connection = Connection(self.judge.socket)
            ids = [connection.ask(UNCONFINED)[1]["Msg"].split("decision ")[1][:26]
                   for _ in range(100)]
            connection.close()
            return ids

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            told = sum(pool.map(denials, range(16)), [])
        self.assertEqual(sorted(told), sorted(r["id"] for r in self.judge.records()))

    def test_a_restart_goes_on_with_the_chain(self):
        self.ask(UNCONFINED)
        self.judge.stop()
        self.judge.start()
        self.ask(UNCONFINED)
        self.assertEqual([r["seq"] for r in self.judge.records()], [1, 2])

    def test_a_second_judge_on_the_same_record_is_refused(self):
        with self.assertRaisesRegex(AssertionError, "record.jsonl"):
            other = Judge(self.judge.home)
            other.socket = self.judge.home / "other.sock"
            other.start()

    def test_a_second_judge_on_the_same_socket_is_refused(self):
        other = Judge(self.judge.home)
        other.record = self.judge.home / "other" / "record.jsonl"
        other.start() # the first one listens, so this returns at once
        self.assertEqual(other.process.wait(10), 1)
        self.assertIn("serves this socket", self.judge.log.read_text())
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))

    def test_the_record_is_private(self):
        self.ask(UNCONFINED)
        self.assertEqual(self.judge.record.stat().st_mode & 0o777, 0o640)
        self.assertEqual(self.judge.socket.stat().st_mode & 0o777, 0o600)

    def test_sighup_takes_up_a_new_file_after_a_move(self):
        self.ask(UNCONFINED)
        self.judge.record.rename(self.judge.record.with_suffix(".old"))
        self.judge.reload({"version": 1})
        self.ask(UNCONFINED)
        lines = self.judge.record.read_text().splitlines()
        self.assertEqual([json.loads(line)["seq"] for line in lines], [2])

    def test_secrets_of_a_request_are_nowhere(self):
        body = {"Image": "x", "Env": ["PASSWORD=hunter2"], "Labels": {"k": "hunter2"},
                "HostConfig": {"SecurityOpt": ["seccomp=unconfined"], "Binds": ["/hunter2:/x"]}}
        data = json.loads(envelope(body, uri="http://hunter2:hunter2@x" + CREATE + "?token=hunter2"))
        data["RequestHeaders"] = {"X-Secret": "hunter2", "Cookie": "hunter2"}
        status, answer = self.ask(json.dumps(data))
        self.assertFalse(answer["Allow"])
        for text in (json.dumps(answer), self.judge.record.read_text(), self.judge.log.read_text()):
            self.assertNotIn("hunter2", text)


class HangingSink(JudgeCase):
    """The first sink is a pipe that nobody reads: denials can't be recorded."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=DIR)
        self.addCleanup(self.folder.cleanup)
        self.judge = Judge(pathlib.Path(self.folder.name))
        self.judge.write_policy({"version": 1})
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        command = [str(BUILD / "seccomp-authzd"), "--socket", str(self.judge.socket), "--policy",
                   str(self.judge.policy), "--state-dir", str(self.judge.state),
                   "--record", "stdout"]
        self.judge.socket.parent.mkdir()
        with open(self.judge.log, "ab") as log:
            self.judge.process = subprocess.Popen(command, stdout=write, stderr=log)
        os.close(write)
        self.addCleanup(self.judge.kill)
        wait_until(self.judge.listens, 10, "the judge listens")

    def test_what_cannot_be_recorded_is_refused_and_the_rest_goes_on(self):
        connection, other = self.connect(), self.connect()
        for _ in range(400): # until the pipe is full
            begin = time.monotonic()
            status, answer = connection.ask(UNCONFINED)
            self.assertFalse(answer.get("Allow", False))
            if status == 500:
                break
        self.assertEqual(status, 500)
        self.assertIn("record", answer["Err"])
        self.assertLess(time.monotonic() - begin, 4)
        connection.send(post("/AuthZPlugin.AuthZReq", UNCONFINED))
        begin = time.monotonic()
        for _ in range(100):
            self.assertEqual(other.ask(PS), (200, {"Allow": True}))
        self.assertLess(time.monotonic() - begin, 1)
        self.assertEqual(connection.answer()[0], 500)


class Strangers(JudgeCase):
    def as_user(self, uid):
        """Asks as `uid`, through a socket that file modes would let anybody use."""
        os.chmod(self.judge.socket, 0o666)
        for folder in (DIR, self.judge.home, self.judge.socket.parent):
            os.chmod(folder, 0o755)
        code = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
                "s.sendall(sys.stdin.buffer.read()); print(s.recv(65536).decode())")
        done = subprocess.run(["setpriv", "--reuid", str(uid), "--regid", str(uid),
                               "--clear-groups", "python3", "-c", code, str(self.judge.socket)],
                              input=post("/AuthZPlugin.AuthZReq", PS), capture_output=True,
                              timeout=20, check=False)
        return done.stdout.decode().split("\r\n")[0]

    def test_only_root_may_ask(self):
        self.assertIn("403", self.as_user(65534))
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))


class Befriended(Strangers):
    options = ("--allow-uid", "65534")

    def test_only_root_may_ask(self):
        self.assertIn("200", self.as_user(65534))
        self.assertIn("403", self.as_user(65533))


class CommandLine(unittest.TestCase):
    def run_judge(self, *arguments, program="seccomp-authz", env=None):
        done = subprocess.run([str(BUILD / program), *arguments], capture_output=True, text=True,
                              timeout=20, env={**os.environ, **(env or {})}, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_every_mistake_is_one_line_and_exit_2(self):
        for arguments in ((), ("frobnicate",), ("serve", "--nope"), ("serve", "--socket"),
                          ("serve", "--socket", "relative"), ("serve", "--log-level", "loud"),
                          ("serve", "--allow-uid", "root"), ("serve", "--record-level", "none"),
                          ("serve", "extra"), ("check",), ("check", "--as"), ("check", "--nope", "x"),
                          ("check", "--as", "nothing", "x"), ("check", "/nonexistent"),
                          ("check", "/"), ("check", "--policy", "/nonexistent", "/dev/null"),
                          ("profile",), ("profile", "explain"), ("profile", "frobnicate", "x")):
            code, out, err = self.run_judge(*arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertRegex(err, r"\Aseccomp-authz: [^\n]+\n\Z", arguments)

    def test_options_of_the_environment_are_checked_too(self):
        code, out, err = self.run_judge("serve", env={"SECCOMP_AUTHZ_LOG_LEVEL": "loud"})
        self.assertEqual((code, out), (2, ""))
        self.assertIn("SECCOMP_AUTHZ_LOG_LEVEL", err)

    def test_help_and_version_are_results(self):
        for arguments in (("--help",), ("--version",), ("serve", "--help"), ("check", "--help"),
                          ("profile", "--help"), ("serve", "--version")):
            code, out, err = self.run_judge(*arguments)
            self.assertEqual((code, err), (0, ""), arguments)
            self.assertTrue(out)

    def test_a_file_of_no_known_kind_is_not_judged(self):
        code, out, err = self.run_judge("check", "/etc/hostname")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("--as", err)


resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
