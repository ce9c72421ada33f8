# SPDX-License-Identifier: Apache-2.0
"""`seccomp-authz audit --watch` for weeks: policies, records and engines come and go."""

import json
import re
import signal
import subprocess
import time
import unittest

from lab import DIR, IMAGE, UNCONFINED, Engine, wait_until
from test_audit import HANG, PROGRAM, Liar, document, options

REFUSE = {"version": 1}
ACCEPT = {"version": 1, "exceptions": [
    {"id": "all", "allow": ["unconfined"], "reason": "TEST-1", "match": {"name": ["*"]}}]}


class Watcher:
    """A watch with files of its own in `home`."""

    def __init__(self, home, *hosts, policy=REFUSE):
        self.home, self.policy = home, home / "watch-policy.json"
        self.record, self.out, self.log = (home / n for n in ("watch.jsonl", "out", "watch.log"))
        self.put(policy)
        command = [PROGRAM, "audit", "--watch", "--format", "json", "--policy",
                   str(self.policy), "--record", f"file:{self.record}"]
        for host in hosts:
            command += ["--host", host]
        with open(self.out, "wb") as out, open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=out, stderr=log)

    def put(self, policy):
        fresh = self.policy.with_suffix(".new")
        fresh.write_text(policy if isinstance(policy, str) else json.dumps(policy))
        fresh.rename(self.policy)

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def verdicts(self):
        """name -> its last verdict."""
        lines = self.out.read_text(encoding="utf-8").splitlines()
        return {f["name"]: f["verdict"] for f in map(json.loads, lines)
                if f["kind"] == "container"}

    def wait_for_words(self, words, seconds=20):
        wait_until(lambda: words in self.said() or self.process.poll() is not None, seconds,
                   f"{words}: {self.said()}")
        if words not in self.said():
            raise AssertionError(f"it ended: {self.said()}")

    def end(self):
        """Returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


class Watch(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine("watching")
        cls.addClassCleanup(cls.engine.stop)
        cls.engine.start(plugins=())
        cls.engine.import_image()

    def watch(self, *hosts, **more):
        watcher = Watcher(self.engine.home, *(hosts or [f"unix://{self.engine.socket}"]), **more)
        self.addCleanup(watcher.process.kill)
        watcher.record.unlink(missing_ok=True)
        watcher.wait_for_words("watching")
        return watcher

    def run_one(self, watcher, name):
        """Starts an unconfined container and returns its verdict."""
        for method, path, body in (
                ("POST", f"/containers/create?name={name}",
                 {"Image": IMAGE, "Cmd": ["sleep", "900"], **options(*UNCONFINED)}),
                ("POST", f"/containers/{name}/start", None)):
            status, answer = self.engine.call(method, path, body)
            self.assertIn(status, (201, 204), answer)
        self.addCleanup(self.engine.call, "DELETE", f"/containers/{name}?force=1")
        return wait_until(lambda: watcher.verdicts().get(name), 20, f"{name} was judged")

    def test_policy_is_read_again_on_sighup(self):
        watcher = self.watch()
        self.assertEqual(self.run_one(watcher, "before"), "deny")
        watcher.process.send_signal(signal.SIGHUP)
        watcher.wait_for_words("in force")
        self.assertEqual(self.run_one(watcher, "same"), "deny")
        watcher.put(ACCEPT)
        watcher.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(re.findall("in force", watcher.said())) >= 3, 10, "it was read")
        self.assertEqual(self.run_one(watcher, "after"), "allow")
        self.assertEqual(watcher.end(), 0)
        records = [json.loads(line) for line in watcher.record.read_text().splitlines()]
        self.assertEqual([r["decision"] for r in records], ["deny", "deny", "allow"])
        self.assertEqual(len({r["policy"] for r in records}), 2)

    def test_policy_is_read_when_its_file_changes(self):
        watcher = self.watch()
        watcher.put(ACCEPT)
        wait_until(lambda: len(re.findall("in force", watcher.said())) >= 2, 10, watcher.said())
        self.assertEqual(self.run_one(watcher, "changed"), "allow")
        self.assertEqual(watcher.end(), 0)

    def test_bad_policy_is_told_and_the_old_one_stays(self):
        watcher = self.watch(policy=ACCEPT)
        for number, bad in enumerate(("{", '{"version": 2}', '{"version": 1, "allow": ["x"]}', "")):
            watcher.put(bad)
            watcher.process.send_signal(signal.SIGHUP)
            wait_until(lambda n=number: watcher.said().count("the earlier policy stays") > n, 10,
                       watcher.said())
            self.assertEqual(self.run_one(watcher, f"bad-{number}"), "allow")
        watcher.policy.unlink()
        watcher.process.send_signal(signal.SIGHUP)
        wait_until(lambda: watcher.said().count("the earlier policy stays") > 4, 10,
                   watcher.said())
        self.assertEqual(self.run_one(watcher, "gone"), "allow")
        watcher.put(REFUSE)
        wait_until(lambda: watcher.said().count("in force") >= 2, 10, watcher.said())
        self.assertEqual(self.run_one(watcher, "mended"), "deny")
        self.assertEqual(watcher.end(), 0)

    def test_bad_policy_at_the_start_is_an_error(self):
        watcher = Watcher(self.engine.home, f"unix://{self.engine.socket}", policy="{")
        self.assertEqual(watcher.process.wait(20), 2)
        self.assertEqual(len(watcher.said().splitlines()), 1, watcher.said())

    def test_record_goes_on_after_a_rotation(self):
        watcher = self.watch()
        self.run_one(watcher, "rotated-1")
        wait_until(watcher.record.exists, 10, "a record")
        moved = watcher.record.with_suffix(".1")
        wait_until(lambda: watcher.record.stat().st_size > 0, 10, "a line")
        watcher.record.rename(moved)
        watcher.process.send_signal(signal.SIGHUP)
        wait_until(watcher.record.exists, 10, "a fresh record")
        self.run_one(watcher, "rotated-2")
        self.assertEqual(watcher.end(), 0)
        lines = [json.loads(p.read_text()) for p in (moved, watcher.record)]
        self.assertEqual([line["containers"][0]["name"] for line in lines],
                         ["rotated-1", "rotated-2"])
        self.assertEqual(lines[1]["seq"], lines[0]["seq"] + 1)
        subprocess.run([PROGRAM, "log", "verify", str(moved), str(watcher.record)], check=True,
                       capture_output=True)

    def test_host_that_can_not_be_meant_holds_up_no_other(self):
        watcher = self.watch("ssh://nowhere", f"unix://{self.engine.socket}", "tcp://")
        self.assertEqual(self.run_one(watcher, "beside"), "deny")
        self.assertIn("ssh://nowhere: should begin with", watcher.said())
        self.assertIn("which host?", watcher.said())
        self.assertEqual(watcher.end(), 2)

    def test_no_host_that_can_be_meant_is_an_error_at_once(self):
        watcher = Watcher(self.engine.home, "ssh://nowhere")
        self.assertEqual(watcher.process.wait(20), 2)
        self.assertEqual(len(watcher.said().splitlines()), 1, watcher.said())

    def test_engine_that_hangs_is_left_when_told_to_stop(self):
        path = DIR / "hanging.sock"
        made = document(1)
        for hangs in ("/info", "/containers/json", f"/containers/{made['Id']}/json"):
            liar = Liar(path, {"/events": (200, [{}]), "/containers/json": [{"Id": made["Id"]}],
                               hangs: HANG})
            self.addCleanup(liar.finish)
            watcher = Watcher(self.engine.home, f"unix://{path}")
            self.addCleanup(watcher.process.kill)
            watcher.wait_for_words("watching")
            time.sleep(1)
            begin = time.monotonic()
            self.assertEqual(watcher.end(), 0, hangs)
            self.assertLess(time.monotonic() - begin, 5, hangs)


if __name__ == "__main__":
    unittest.main()
