# SPDX-License-Identifier: Apache-2.0
"""The judge away, and the record's disk full: the engine refuses, and recovers."""

import concurrent.futures
import json
import threading
import time
import unittest

from lab import DENIED, IMAGE, UNCONFINED, GuardedCase, wait_until

PLAIN = {"Image": IMAGE, "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}}
BAD = {"Image": IMAGE, "Cmd": ["true"],
       "HostConfig": {"NetworkMode": "none", "SecurityOpt": UNCONFINED}}


class Load:
    """Threads that create containers, in turn plain and unconfined, and keep a log."""

    def __init__(self, engine, threads=6):
        self.engine = engine
        self.done = threading.Event()
        self.log = []  # (start, end, body, status)
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        for thread in self.threads:
            thread.join()

    def run(self):
        turn = 0
        while not self.done.is_set():
            turn += 1
            body = BAD if turn % 2 else PLAIN
            start = time.monotonic()
            try:
                status, answer = self.engine.call(
                    "POST", f"/{self.engine.api}/containers/create", body, timeout=60)
            except OSError:
                status, answer = 0, b""
            if status == 201:
                name = json.loads(answer)["Id"]
                self.engine.call("DELETE", f"/{self.engine.api}/containers/{name}?force=1")
            self.log.append((start, time.monotonic(), body, status))
            time.sleep(0.01)

    def statuses(self, body, since, until=float("inf")):
        """Of requests that began and ended in that time."""
        return [status for start, end, sent, status in self.log
                if sent is body and since <= start and end <= until]


class Killed(GuardedCase):
    def test_nothing_slips_through_while_the_judge_is_dead_and_it_works_again_afterwards(self):
        with Load(self.engine) as load:
            begin = time.monotonic()
            wait_until(lambda: 201 in load.statuses(PLAIN, begin), 20, "a plain one is created")
            wait_until(lambda: 403 in load.statuses(BAD, begin), 20, "a bad one is refused")
            self.judge.kill()
            killed = time.monotonic()
            away = self.ask_for_all()
            restarted = time.monotonic()
            self.judge.start()
            wait_until(lambda: 201 in load.statuses(PLAIN, restarted), 60, "it works again")
            wait_until(lambda: 403 in load.statuses(BAD, restarted), 60, "and refuses again")

        away += load.statuses(PLAIN, killed, restarted) + load.statuses(BAD, killed, restarted)
        self.assertEqual(set(away), {500})
        self.assertNotIn(201, load.statuses(BAD, begin))
        self.assertTrue(self.engine.alive())
        self.engine.remove_all()
        self.assert_runs(2)
        self.assert_refused("--security-opt", "seccomp=unconfined")

    def ask_for_all(self):
        """The engine's answers to a workload, a bad one, and a call that is neither. It
        tries to reach its plugin for some 15 seconds before it answers."""
        calls = (("POST", "containers/create", PLAIN), ("POST", "containers/create", BAD),
                 ("GET", "containers/json", None))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = [pool.submit(self.engine.call, method, f"/{self.engine.api}/{path}", body)
                       for method, path, body in calls]
            return [answer.result()[0] for answer in answers]

    def test_killed_again_and_again_under_load_nothing_slips_through(self):
        with Load(self.engine) as load:
            begin = time.monotonic()
            for _ in range(8):
                time.sleep(0.4)
                self.judge.kill()
                self.judge.start()
            back = time.monotonic()
            wait_until(lambda: 201 in load.statuses(PLAIN, back), 60, "it works again")
        self.assertNotIn(201, load.statuses(BAD, begin))
        self.engine.remove_all()
        self.assert_refused("--security-opt", "seccomp=unconfined")


class DiskFull(GuardedCase):
    policy = {
        "version": 1,
        "exceptions": [{"id": "named", "allow": ["unconfined"], "reason": "TEST-1",
                        "match": {"name": ["dbg-*"]}}],
    }
    OPTION = ("--security-opt", "seccomp=unconfined")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.judge.stop()
        cls.judge.start(record_size="64k")

    def setUp(self):
        super().setUp()
        self.filler = self.judge.record_seen.parent / "filler"
        self.addCleanup(self.filler.unlink, missing_ok=True)
        with self.assertRaises(OSError), open(self.filler, "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 512)

    def create(self, body, name=""):
        return self.engine.call("POST", f"/{self.engine.api}/containers/create?name={name}", body)

    def refused_for_the_record(self, name=""):
        """The last page of the file may have room for a few more lines."""
        for _ in range(40):
            status, answer = self.create(BAD, name)
            if status == 500:
                return answer.decode()
            self.assertIn(status, (201, 403), answer)
            self.engine.remove_all()
        raise AssertionError("the full disk was never met")

    def test_refusal_that_cannot_be_recorded_is_refused_with_the_reason(self):
        answer = self.refused_for_the_record()
        self.assertIn("No space left on device", answer)
        self.assertIn("record", answer)
        self.assertEqual(self.engine.containers(), [])

    def test_exception_that_cannot_be_recorded_is_refused(self):
        answer = self.refused_for_the_record(name="dbg-1")
        self.assertIn("No space left on device", answer)
        self.assertEqual(self.engine.containers(), [])

    def test_what_needs_no_record_goes_on(self):
        self.refused_for_the_record()
        self.assert_runs(2)

    def test_works_again_when_there_is_room(self):
        self.refused_for_the_record()
        self.filler.unlink()
        status, answer = self.create(BAD)
        self.assertEqual(status, 403, answer)
        self.assertIn(DENIED.encode(), answer)
        self.assertIn(self.judge.records()[-1]["id"].encode(), answer)
        self.assert_runs(0, *self.OPTION, "--name", "dbg-2")


if __name__ == "__main__":
    unittest.main()
