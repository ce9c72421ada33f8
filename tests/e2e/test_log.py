# SPDX-License-Identifier: Apache-2.0
"""The record of a real judge: its JSON Schema, `log verify` and `log show`. No engine."""

import base64
import gzip
import hashlib
import json
import os
import pathlib
import pty
import random
import subprocess
import tempfile
import unittest

import jsonschema

import lab
from lab import BUILD, DIR, HERE, Judge, call, wait_until

ROOT = HERE.parent.parent
TARGETS = {"create": "/v1.44/containers/create?name=web", "service": "/v1.44/services/create",
           "start": "/v1.23/containers/web/start"}
POLICY = {
    "version": 1, "mode": "observe",
    "exceptions": [
        {"id": "web", "allow": ["unconfined"], "match": {"name": ["web"]}, "reason": "TEST"},
        {"id": "tried", "mode": "observe", "allow": ["privileged"], "match": {"name": ["web"]},
         "reason": "TEST"},
    ],
}


def envelopes():
    """What the cases are made of, as an engine would ask."""
    for path in sorted((ROOT / "tests" / "cases").glob("*/*/*.json")):
        if path.stem == "envelope":
            yield path.read_bytes()
        elif path.stem in TARGETS:
            yield json.dumps({
                "User": "alice", "UserAuthNMethod": "TLS", "RequestMethod": "POST",
                "RequestUri": TARGETS[path.stem], "RequestHeaders": {
                    "Content-Type": "application/json",
                    "Content-Length": str(path.stat().st_size)},
                "RequestBody": base64.b64encode(path.read_bytes()).decode()}).encode()


def create(name="web", user="alice", image="nginx", option="seccomp=unconfined"):
    body = json.dumps({"Image": image, "HostConfig": {"SecurityOpt": [option]}}).encode()
    return json.dumps({
        "User": user, "RequestMethod": "POST",
        "RequestUri": f"/v1.44/containers/create?name={name}",
        "RequestHeaders": {"Content-Type": "application/json"},
        "RequestBody": base64.b64encode(body).decode()}).encode()


def run(*words):
    done = subprocess.run([str(BUILD / "seccomp-authz"), "log", *map(str, words)], check=False,
                          capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


class JudgeCase(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(dir=DIR, prefix="log-"))
        self.judge = Judge(self.home)
        self.judge.write_policy({"version": 1})
        self.judge.start("--record-level", "all")
        self.addCleanup(self.judge.stop)
        self.record = self.judge.record

    def ask(self, envelope):
        return call(self.judge.socket, "POST", "/AuthZPlugin.AuthZReq", envelope)[0]

    def deny(self, count=1, **what):
        for _ in range(count):
            self.assertEqual(self.ask(create(**what)), 200)

    def tear(self, torn=b'{"time":"2026-11-25T03'):
        """Killed in the middle of a line."""
        self.judge.kill()
        with open(self.record, "ab") as file:
            file.write(torn)
        self.judge.start("--record-level", "all")
        wait_until(lambda: self.record.read_bytes().endswith(b"}\n"), 10, "it is closed")

    def rotate(self):
        for i in (3, 2, 1, 0):
            old = self.record.with_name(f"record.jsonl.{i}") if i else self.record
            if old.exists():
                old.rename(self.record.with_name(f"record.jsonl.{i + 1}"))


class Schema(JudgeCase):
    def setUp(self):
        super().setUp()
        schema = json.loads((ROOT / "plugin-spec" / "record.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        self.validator = jsonschema.Draft202012Validator(schema)

    def test_every_line_that_a_judge_writes_is_as_the_schema_says(self):
        asked = list(envelopes())
        self.assertGreater(len(asked), 100)
        for policy in ({"version": 1}, POLICY, "broken"):
            self.judge.reload(policy)
            for envelope in asked:
                self.ask(envelope)
            self.ask(b"")
            self.ask(b"x" * (6 << 20))
            self.deny(name="n" * 300, user="\u202e" * 200, image="i" * 400)
            self.tear()
        lines = self.record.read_bytes().split(b"\n")[:-1]
        torn, seen = 0, {}
        for line in lines:
            self.assertLessEqual(len(line), 16 * 1024)
            try:
                record = json.loads(line)
            except ValueError:
                torn += 1
                continue
            errors = [error.message for error in self.validator.iter_errors(record)]
            self.assertEqual(errors, [], line[:2000])
            self.assertEqual(list(record)[-2:], ["seq", "prev"])
            for name in ("decision", "reason", "posture", "operation", "event", "rule",
                         "would_match"):
                seen.setdefault(name, set()).add(record.get(name))
        self.assertEqual(torn, 3)
        # the test saw what it is about
        self.assertLessEqual({"deny", "allow", "observe"}, seen["decision"])
        self.assertLessEqual({"privileged", "unconfined", "permissive", "weak", "unreadable",
                              "custom", "default"}, seen["posture"])
        self.assertLessEqual({"exception", "guard", "posture", "bad-envelope", "empty-envelope",
                              "no-body", "unreadable", "bad-target"}, seen["reason"])
        self.assertLessEqual({"create", "start", "service-create", "plugin"}, seen["operation"])
        self.assertIn("recovery", seen["event"])
        self.assertIn("tried", seen["would_match"])

    def test_the_schema_refuses_what_no_judge_writes(self):
        self.deny()
        good = json.loads(self.record.read_bytes())
        self.assertTrue(self.validator.is_valid(good))
        for name, value in {"seq": 0, "prev": "x", "decision": "maybe", "posture": "fine",
                            "time": "2026-11-25", "more": 1, "policy": "", "containers": [],
                            "id": "x", "event": "recovery"}.items():
            self.assertFalse(self.validator.is_valid({**good, name: value}), name)
        for name in ("time", "id", "decision", "message", "rule", "seq", "prev", "host"):
            self.assertFalse(self.validator.is_valid(
                {key: value for key, value in good.items() if key != name}), name)


class Verify(JudgeCase):
    def rotated(self):
        """A record of three files, with a torn line in each rotation but the last."""
        for _ in range(2):
            self.deny(5)
            self.rotate()
        self.deny(5)
        return [self.record.with_name(name)
                for name in ("record.jsonl.2", "record.jsonl.1", "record.jsonl")]

    def test_an_untouched_record_is_proven_in_any_order_of_its_files(self):
        files = self.rotated()
        for _ in range(6):
            random.shuffle(files)
            code, out, err = run("verify", *files)
            self.assertEqual((code, err), (0, ""), out)
            self.assertIn("proven seq 1..14 ", out)
            self.assertIn("last seq 15 ", out)
        self.assertEqual(run("verify", "--all", self.record), (code, out, err))
        note = next(line.split()[1] for line in out.splitlines() if line.startswith("note "))
        last = self.record.read_bytes().splitlines()[-1]
        self.assertEqual(note, f"15:{hashlib.sha256(last).hexdigest()}")
        self.assertIn("proven seq 1..15 ", run("verify", "--all", "--noted", note, self.record)[1])

    def test_files_that_are_missing_are_told(self):
        first, second, third = self.rotated()
        code, out, _ = run("verify", second, third)
        self.assertEqual(code, 1)
        self.assertIn(f"missing {second}:1: seq 1 to 5 should stand before it", out)
        self.assertEqual(run("verify", "--partial", second, third)[0], 0)
        code, out, _ = run("verify", first, third)
        self.assertEqual(code, 1)
        self.assertIn(f"missing {third}:1: seq 6 to 10 should stand before it", out)
        self.assertIn("proven seq 1..4 ", out)

    def test_changes_are_named_with_file_and_line(self):
        first, second, _ = self.rotated()
        lines = second.read_bytes().splitlines(keepends=True)
        changes = {
            "altered {}:3: ": [*lines[:2], lines[2].replace(b'"web"', b'"wen"'), *lines[3:]],
            "missing {}:3: seq 8 to 8 ": [*lines[:2], *lines[3:]],
            "repeated {}:3: seq 7 ": [*lines[:2], lines[1], *lines[2:]],
            "reordered {}:2: it has seq 8; seq 7 comes later, at": [
                lines[0], lines[2], lines[1], *lines[3:]],
            "torn {}:2: it has no end or is no line of a record": [lines[0], b"hello\n", *lines[1:]],
            "altered {}:5: ": [*lines[:4], lines[4].replace(b'"deny"', b'"dent"')],
        }
        for says, changed in changes.items():
            second.write_bytes(b"".join(changed))
            code, out, err = run("verify", "--all", self.record)
            self.assertEqual((code, err), (1, ""), says)
            self.assertTrue(out.startswith(says.format(second)), out)
            self.assertIn("proven seq 1..", out)
        second.write_bytes(b"".join(lines))
        first.write_bytes(first.read_bytes()[:-1])
        code, out, _ = run("verify", "--all", self.record)
        self.assertEqual(code, 1)
        self.assertTrue(out.startswith(f"torn {first}:5: "), out)

    def test_a_crash_is_told_and_is_no_fault(self):
        self.deny(3)
        self.tear()
        self.deny(2)
        self.rotate()
        self.judge.kill()
        with open(self.record.with_name("record.jsonl.1"), "ab") as file:
            file.write(b'{"tim')
        self.judge.start("--record-level", "all")
        self.deny()
        code, out, err = run("verify", "--all", self.record)
        self.assertEqual((code, err), (0, ""), out)
        self.assertIn("record.jsonl.1:4: 22 bytes without an end; closed by the recovery record",
                      out)
        self.assertIn("record.jsonl.1:8: 5 bytes without an end; closed by the recovery record",
                      out)

    def test_a_torn_end_that_nobody_closed_is_a_fault(self):
        self.deny(3)
        self.judge.kill()
        with open(self.record, "ab") as file:
            file.write(b'{"time":')
        code, out, _ = run("verify", self.record)
        self.assertEqual(code, 1)
        self.assertTrue(out.startswith(f"torn {self.record}:4: "), out)

    def test_cut_off_ends_are_found_against_a_note(self):
        self.deny(5)
        out = run("verify", self.record)[1]
        note = next(line.split()[1] for line in out.splitlines() if line.startswith("note "))
        lines = self.record.read_bytes().splitlines(keepends=True)
        self.record.write_bytes(b"".join(lines[:3]))
        self.assertEqual(run("verify", self.record)[0], 0)
        code, out, _ = run("verify", "--noted", note, self.record)
        self.assertEqual(code, 1)
        self.assertIn("the noted line 5 is not here; the last has seq 3", out)

    def test_a_crash_before_the_recovery_record_is_closed_at_the_next_start(self):
        self.deny(3)
        half = b'{"time":"2026-11-25T03:00:00.0'
        for torn in (half + b"\n", half + b"\n" + half, half + b"\n" + half[:9] + b"\n"):
            before = self.record.read_bytes().count(b"\n")
            self.tear(torn)
            self.deny(2)
            code, out, err = run("verify", self.record)
            self.assertEqual((code, err), (0, ""), out)
            for i in range(len(torn.splitlines())):
                self.assertIn(f"torn {self.record}:{before + 1 + i}: ", out)
            self.assertEqual(run("show", self.record)[0], 0)
        self.assertIn("a crash tore its end", self.judge.log.read_text())

    def test_dated_files_of_logrotate_are_followed_packed_or_not(self):
        names = ("record.jsonl-20261123", "record.jsonl-20261124", "record.jsonl-20261125")
        for name in names:
            self.deny(5)
            self.record.rename(self.record.with_name(name))
            self.judge.kill()
            self.judge.start("--record-level", "all")
        self.deny(5)
        code, out, err = run("verify", "--all", self.record)
        self.assertEqual((code, err), (0, ""), out)
        self.assertIn("proven seq 1..19 ", out)
        for name in names[:2]:
            old = self.record.with_name(name)
            old.with_name(name + ".gz").write_bytes(gzip.compress(old.read_bytes()))
            self.assertEqual(run("verify", "--all", self.record)[0], 0)  # both are there
            old.unlink()
        self.assertEqual(run("verify", "--all", self.record), (code, out, err))
        self.assertEqual(len(run("show", "--all", "--format", "json", self.record)[1].splitlines()),
                         20)
        packed = self.record.with_name(names[0] + ".gz")
        packed.write_bytes(packed.read_bytes()[:-4])
        code, out, err = run("verify", "--all", self.record)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(f"{packed}: is compressed, and damaged", err)

    def test_a_chain_that_had_to_begin_anew_is_told_by_the_judge_and_by_verify(self):
        """Where logrotate compresses at once the judge finds nothing to go on from."""
        for end in (".1", "-20261125"):
            self.deny(5)
            self.judge.kill()
            old = self.record.with_name(f"{self.record.name}{end}.gz")
            old.write_bytes(gzip.compress(self.record.read_bytes()))
            self.record.unlink()
            size = self.judge.log_size()
            self.judge.start()
            self.assertIn(f"begins anew at seq 1: it can't go on from {old}",
                          self.judge.log.read_text()[size:])
            self.deny(2)
            code, out, _ = run("verify", "--all", self.record)
            self.assertEqual(code, 1)
            self.assertTrue(out.startswith(f"repeated {self.record}:1: another record begins here"),
                            out)
            self.assertIn("proven seq 1..4 ", out)
            for path in (old, self.record):
                self.assertEqual(run("verify", path)[0], 0)
            old.unlink()
            self.judge.kill()
            size = self.judge.log_size()
            self.judge.start()
            self.record.unlink()
            self.judge.kill()
            self.judge.start()
            self.assertNotIn("begins anew", self.judge.log.read_text()[size:])

    def test_a_rotated_file_that_holds_torn_lines_alone_is_no_fault(self):
        self.deny(3)
        self.rotate()
        self.judge.kill()
        self.record.write_bytes(b'{"time":"2026-11-2')
        self.rotate()
        self.judge.start()
        self.deny(2)
        code, out, err = run("verify", "--all", self.record)
        self.assertEqual((code, err), (0, ""), out)
        self.assertIn("record.jsonl.1:1: 18 bytes without an end; closed by the recovery record",
                      out)
        self.assertEqual(run("show", "--all", self.record)[::2], (0, ""))

    def test_what_can_not_be_read_is_no_verdict(self):
        packed = self.home / "r.gz"
        packed.write_bytes(b"\x1f\x8b\x08")
        for words, says in (((self.home / "nothing",), "can't be opened"),
                            ((self.home,), "is a folder"), ((packed,), "is compressed"),
                            ((), "which FILE?"), (("--noted", "1:2", packed), "SEQ:HASH"),
                            (("--what", packed), "no such option")):
            code, out, err = run("verify", *words)
            self.assertEqual((code, out), (2, ""))
            self.assertIn(says, err)


class Show(JudgeCase):
    def setUp(self):
        super().setUp()
        for i, user in enumerate(("alice", "bob", "alice")):
            self.deny(name=f"web{i}", user=user)
        self.ask(create(name="fine", user="carol", image="registry.example.com/a/b:1", option=""))
        self.deny(name="x%1b[31my%20z%0anew", user="e\u202evil  user")

    def names(self, *words):
        code, out, err = run("show", "--format", "json", *words, self.record)
        self.assertEqual((code, err), (0, ""))
        lines = self.record.read_text(encoding="utf-8").splitlines()
        for line in out.splitlines():
            self.assertIn(line, lines)
        return [json.loads(line)["containers"][0]["name"][:4] for line in out.splitlines()]

    def test_filters_choose(self):
        everything = ["web0", "web1", "web2", "fine", "x\x1b[3"]
        for words, want in (
                ((), everything),
                (("--user", "alice"), ["web0", "web2"]),
                (("--user=*",), everything),
                (("--user", "a*", "--decision", "allow"), []),
                (("--decision", "allow"), ["fine"]),
                (("--image", "nginx"), ["web0", "web1", "web2", "x\x1b[3"]),
                (("--image", "registry.example.com/*/b"), ["fine"]),
                (("--rule", "default"), everything),
                (("--rule", "web"), []),
                (("--since", "1h"), everything),
                (("--since", "2020-01-01", "--until", "2020-01-02"), []),
                (("--until", "2020-01-01T00:00:00+01:00"), []),
                (("--until", "9999-01-01T00:00:00Z"), everything)):
            self.assertEqual(self.names(*words), want, words)
        times = [json.loads(line)["time"] for line in self.record.read_text().splitlines()]
        for words, count in ((("--since", times[0][:19] + "Z"), 5), (("--since", times[2]), 3),
                             (("--until", times[2]), 2),
                             (("--since", times[1], "--until", times[3]), 2)):
            code, out, _ = run("show", "--format", "json", *words, self.record)
            self.assertEqual((code, len(out.splitlines())), (0, count), words)

    def test_nothing_reaches_a_terminal_unescaped(self):
        for words in ((), ("--summary",)):
            code, out, _ = run("show", *words, self.record)
            self.assertEqual(code, 0)
            self.assertTrue(all(c == "\n" or c.isprintable() for c in out), out)
            self.assertIn("\\u202e", out)

    def test_the_table_fits_the_terminal(self):
        script = f"stty cols {{}}; exec {BUILD}/seccomp-authz log show {self.record}"
        self.tear()
        for width in (50, 60, 72, 80, 100, 132, 200):
            output = b""
            pid, fd = pty.fork()
            if pid == 0:
                os.execvp("sh", ["sh", "-c", script.format(width)])
            try:
                while block := os.read(fd, 65536):
                    output += block
            except OSError:
                pass  # the other side is closed
            os.waitpid(pid, 0)
            os.close(fd)
            lines = output.decode().replace("\r", "").splitlines()
            self.assertEqual(len(lines), 7)
            self.assertLessEqual(max(map(len, lines)), width)
            self.assertTrue(lines[0].startswith("TIME "))
            self.assertIn(" recovery", lines[-1])
            self.assertEqual("IMAGE" in lines[0], width >= 72)

    def test_the_summary_counts(self):
        code, out, _ = run("show", "--summary", "--format=json", self.record)
        counts = json.loads(out)
        self.assertEqual(code, 0)
        self.assertEqual(counts["user"]["alice"], {"deny": 2, "allow": 0, "observe": 0})
        self.assertEqual(counts["user"]["carol"], {"deny": 0, "allow": 1, "observe": 0})
        self.assertEqual(counts["image"]["docker.io/library/nginx:latest"]["deny"], 4)
        self.assertEqual(sum(day["deny"] + day["allow"] for day in counts["day"].values()), 5)
        self.assertEqual(counts["rule"]["default"]["deny"], 4)
        self.assertIn('        2        0        0  "alice"\n',
                      run("show", "--summary", self.record)[1])

    def test_a_broken_line_is_named_and_the_rest_is_shown(self):
        lines = self.record.read_bytes().splitlines(keepends=True)
        self.record.write_bytes(b"".join([lines[0], b"\x1b[31mhello\n", *lines[1:]]))
        code, out, err = run("show", self.record)
        self.assertEqual(code, 2)
        self.assertIn(f"seccomp-authz: {self.record}:2: is no line of a record", err)
        self.assertNotIn("\x1b", err)
        self.assertEqual(len(out.splitlines()), 6)

    def test_a_crash_that_was_closed_is_a_row_and_no_complaint(self):
        self.tear()
        self.deny()
        code, out, err = run("show", self.record)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(len(out.splitlines()), 8)
        self.assertIn("recovery", out)

    def test_lines_that_stdout_does_not_take_are_told(self):
        self.deny(30)
        policy = ROOT / "plugin-spec" / "policy.example.json"
        for words in (("log", "show", self.record), ("log", "show", "--summary", self.record),
                      ("log", "show", "--format", "json", self.record), ("--help",),
                      ("log", "verify", self.record), ("ship", "--help"), ("--version",),
                      ("policy", "show", policy)):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([str(BUILD / "seccomp-authz"), *map(str, words)],
                                      check=False, stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr),
                             (2, "seccomp-authz: stdout: can't be written\n"), words)

    def test_a_closed_stdout_is_no_place_for_lines(self):
        self.deny()
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", str(BUILD / "seccomp-authz"),
                               "log", "show", str(self.record)], check=False,
                              stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr),
                         (2, "seccomp-authz: stdout: can't be written\n"))

    def test_mistakes_are_told(self):
        for words in (("--since", "yesterday"), ("--until", "2026-13-01"), ("--decision", "no"),
                      ("--format", "xml"), ("--image", "a//b"), ("--user", "[")):
            code, out, err = run("show", *words, self.record)
            self.assertEqual((code, out), (2, ""), words)
            self.assertIn("see seccomp-authz log show --help", err)


def load_tests(loader, tests, _):
    """Once is enough: no engine takes part."""
    return tests if lab.SUITE == "host" else loader.suiteClass()


if __name__ == "__main__":
    unittest.main()
