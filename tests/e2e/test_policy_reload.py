# SPDX-License-Identifier: Apache-2.0
"""The policy is reloaded while the judge is asked: every way to replace its file, a thousand
times, and files that are cut off."""

import base64
import datetime
import hashlib
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from lab import BUILD, DIR, Judge, UnixConnection, call, wait_until

CLI = str(BUILD / "seccomp-authz")
STRICT = {"version": 1}


def opening(name="anybody", **more):
    return {"version": 1, "exceptions": [
        {"id": name, "allow": ["unconfined"], "reason": "TEST-1", "match": {"door": ["docker"]},
         **more}]}


def envelope(option="seccomp=unconfined"):
    body = json.dumps({"Image": "x", "HostConfig": {"SecurityOpt": [option]}}).encode()
    return json.dumps({"RequestMethod": "POST", "RequestUri": "/v1.41/containers/create",
                       "RequestHeaders": {"Content-Type": "application/json"},
                       "RequestBody": base64.b64encode(body).decode()})


UNCONFINED = envelope()


class ReloadCase(unittest.TestCase):
    options = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=DIR)
        self.addCleanup(folder.cleanup)
        self.judge = Judge(pathlib.Path(folder.name))
        self.prepare()
        self.judge.start(*self.options)
        self.addCleanup(self.judge.stop)

    def prepare(self):
        self.judge.write_policy(STRICT)

    def allows(self):
        status, answer = call(self.judge.socket, "POST", "/AuthZPlugin.AuthZReq", UNCONFINED)
        self.assertEqual(status, 200, answer)
        return json.loads(answer)["Allow"]

    def soon(self, allows):
        wait_until(lambda: self.allows() == allows, 8, f"allows is {allows}; {self.judge.log_tail()}")

    def log_from(self, offset):
        with open(self.judge.log, "rb") as file:
            file.seek(offset)
            return file.read().decode(errors="replace")

    def log(self):
        return self.judge.log.read_text(errors="replace")


class Watched(ReloadCase):
    """Without SIGHUP."""

    def test_a_file_that_is_renamed_over_is_taken(self):
        self.assertFalse(self.allows())
        self.judge.write_policy(opening())
        self.soon(True)
        self.judge.write_policy(STRICT)
        self.soon(False)
        self.assertIn("seccomp-authz audit", self.log())

    def test_a_file_that_is_written_in_place_is_taken(self):
        self.judge.policy.write_text(json.dumps(opening()))
        self.soon(True)

    def test_a_file_that_is_removed_keeps_the_policy_and_is_taken_when_it_is_back(self):
        self.judge.policy.write_text(json.dumps(opening()))
        self.soon(True)
        self.judge.policy.unlink()
        wait_until(lambda: "No such file" in self.log(), 5, "it is missed")
        self.assertTrue(self.allows())
        self.judge.policy.write_text(json.dumps(STRICT))
        self.soon(False)

    def test_a_broken_file_is_not_taken_and_said_once(self):
        self.judge.write_policy("{")
        wait_until(lambda: "not taken" in self.log(), 5, "it is refused")
        self.judge.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        self.assertFalse(self.allows())
        self.assertEqual(self.log().count("not taken"), 2) # one for each: change, SIGHUP

    def test_the_same_file_again_is_not_worth_a_word(self):
        before = self.judge.log_size()
        self.judge.policy.write_text(json.dumps(STRICT))
        time.sleep(1)
        self.assertEqual(self.judge.log_size(), before)

    def test_an_exception_ends_to_the_second_and_the_log_says_so(self):
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
        self.judge.write_policy(opening(expires=end.strftime("%Y-%m-%dT%H:%M:%SZ")))
        self.soon(True)
        wait_until(lambda: time.time() >= int(end.timestamp()), 6, "its end")
        self.assertFalse(self.allows())
        wait_until(lambda: '"anybody" has ended' in self.log(), 3, "it is said")


class ConfigMap(ReloadCase):
    """As kubelet mounts it: policy.json -> ..data/policy.json, ..data -> a folder."""

    def write(self, number, policy):
        folder = self.judge.home / "etc" / f"..{number}"
        folder.mkdir(parents=True)
        (folder / "policy.json").write_text(json.dumps(policy))
        link = self.judge.home / "etc" / "..data_tmp"
        link.symlink_to(folder.name)
        link.rename(self.judge.home / "etc" / "..data")

    def prepare(self):
        self.judge.policy = self.judge.home / "etc" / "policy.json"
        self.write(1, STRICT)
        self.judge.policy.symlink_to("..data/policy.json")

    def test_a_folder_that_is_swapped_is_taken(self):
        for number in range(2, 6):
            self.write(number, opening() if number % 2 == 0 else STRICT)
            self.soon(number % 2 == 0)


class LateFile(ReloadCase):
    def prepare(self):
        self.judge.policy = self.judge.home / "not" / "yet" / "policy.json"

    def test_a_file_that_comes_after_the_start_is_taken(self):
        self.assertFalse(self.allows())
        self.assertIn("every workload is denied", self.log())
        self.judge.policy.parent.mkdir(parents=True)
        self.judge.policy.write_text(json.dumps(opening()))
        self.soon(True)


class Shown(ReloadCase):
    """What `policy show` asks of a running judge."""

    def setUp(self):
        self.options = ("--admin-socket", str(DIR / "shown.sock"))
        super().setUp()

    def show(self, *options):
        done = subprocess.run([CLI, "policy", "show", "--admin-socket", self.options[1], *options],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_policy_in_force_is_shown_with_its_uses(self):
        self.judge.write_policy(opening(mode="enforce"))
        self.soon(True)
        self.allows()
        told = json.loads(self.show("--format", "json"))
        self.assertEqual(told["digest"], "sha256:" + hashlib.sha256(
            self.judge.policy.read_bytes()).hexdigest())
        self.assertEqual((told["exceptions"][0]["id"], told["exceptions"][0]["used"]),
                         ("anybody", 2))
        self.assertRegex(self.show(), r"(?m)^active +never +2 +forgeable +anybody ")
        self.judge.write_policy("{")
        wait_until(lambda: "degraded:" in self.show(), 5, "it is degraded")
        self.assertRegex(self.show(), r"(?m)^active +never +2 +forgeable +anybody ")


class Glass(ReloadCase):
    def break_glass(self, *options):
        return subprocess.run(
            [CLI, "policy", "break-glass", "--policy", str(self.judge.policy), "--state-dir",
             str(self.judge.state), *options], capture_output=True, text=True, timeout=60,
            check=False)

    def test_one_command_lets_in_for_a_while_and_on_record(self):
        before = self.judge.policy.read_bytes()
        self.assertFalse(self.allows())
        done = self.break_glass("--for", "6s", "--reason", "INC-7: nobody can work")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.soon(True)
        record = self.judge.records()[-1]
        self.assertEqual((record["decision"], record["reason"]), ("allow", "exception"))
        self.assertTrue(record["rule"].startswith("break-glass-"))
        self.assertIn("glass is broken", self.log())
        self.assertIn("INC-7: nobody can work", self.log())
        wait_until(lambda: not self.allows(), 8, "it ends by itself")
        wait_until(lambda: "has ended" in self.log(), 3, "it is said")
        done = self.break_glass("--end")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(self.judge.policy.read_text())["exceptions"], [])
        kept = self.judge.policy.with_name("policy.json.before-break-glass")
        self.assertEqual(kept.read_bytes(), before)

    def test_a_broken_file_is_repaired_if_that_is_wanted(self):
        self.judge.write_policy('{"version": 1,')
        wait_until(lambda: "not taken" in self.log(), 5, "it is refused")
        done = self.break_glass("--for", "1m", "--reason", "INC-8")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--repair", done.stderr)
        self.assertFalse(self.allows())
        done = self.break_glass("--for", "1m", "--reason", "INC-8", "--repair")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("last good policy", done.stdout)
        self.soon(True)
        broken = self.judge.policy.with_name("policy.json.broken")
        self.assertEqual(broken.read_text(), '{"version": 1,')
        self.assertNotIn("glass is mended", self.log())
        done = self.break_glass("--end")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.soon(False)
        self.assertRegex(self.log(), r'glass is mended: exception \"?\\?"?break-glass-[0-9]+')


class Often(ReloadCase):
    RELOADS = 1000

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.judge.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def ask_until(self, stop, wrong, counts):
        connection = UnixConnection(self.judge.socket, 30)
        while not stop.is_set():
            connection.request("POST", "/AuthZPlugin.AuthZReq", UNCONFINED,
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            # right under one policy or the other: denied by the default rule, or let through
            if response.status != 200 or (
                    not answer["Allow"] and "seccomp=unconfined" not in answer.get("Msg", "")):
                wrong.append(answer)
                return
            counts[answer["Allow"]] += 1
        connection.close()

    def test_a_thousand_reloads_under_load_answer_right_and_take_no_memory(self):
        stop, wrong = threading.Event(), []
        counts = [{True: 0, False: 0} for _ in range(3)]
        askers = [threading.Thread(target=self.ask_until, args=(stop, wrong, count))
                  for count in counts]
        for asker in askers:
            asker.start()
        self.addCleanup(stop.set)
        sizes = []
        deadline = time.monotonic() + 120
        for number in range(self.RELOADS):
            self.judge.write_policy(opening(f"number-{number}") if number % 2 else
                                    {**STRICT, "runtimes": [f"r{number}"]})
            digest = hashlib.sha256(self.judge.policy.read_bytes()).hexdigest()
            seen = self.judge.log_size()
            self.judge.process.send_signal(signal.SIGHUP)
            while digest not in self.log_from(seen):
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.0005)
            if number in (self.RELOADS // 5, self.RELOADS - 1):
                sizes.append(self.memory_kib())
        stop.set()
        for asker in askers:
            asker.join()
        self.assertEqual(wrong, [])
        for decision in (True, False):
            self.assertGreater(sum(count[decision] for count in counts), 100)
        taken = self.log().count(" in force, digest")
        self.assertGreaterEqual(taken, self.RELOADS) # and one for the start
        self.assertLess(sizes[1], sizes[0] * 1.1 + 1024, sizes)
        rules = {record["rule"] for record in self.judge.records()}
        self.assertTrue(all(rule == "default" or rule.startswith("number-") for rule in rules))


class CutOff(ReloadCase):
    def test_a_file_that_is_cut_off_anywhere_opens_nothing(self):
        text = json.dumps(opening(), indent=1)
        for length in range(len(text)):
            self.judge.policy.write_text(text[:length])
            seen = self.judge.log_size()
            self.judge.process.send_signal(signal.SIGHUP)
            wait_until(lambda: self.judge.log_size() > seen, 5, "it was looked at")
            self.assertFalse(self.allows(), text[:length])
        self.judge.policy.write_text(text)
        self.soon(True)


if __name__ == "__main__":
    unittest.main()
