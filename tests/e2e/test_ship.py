# SPDX-License-Identifier: Apache-2.0
"""`seccomp-authz ship` against a collector that fails in every way: each line arrives at
least once, in order. Needs no engine."""

import base64
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import lab
from collector import Certificates, Collector
from lab import BUILD, TIED, Judge, call, rows, spread, wait_until

SECRET = "S3cr3t-T0ken-abcdef"
BODY = b'{"Image":"nginx","HostConfig":{"SecurityOpt":["seccomp=unconfined"]}}'
DENIED = json.dumps({"RequestMethod": "POST", "RequestUri": "/v1.44/containers/create?name=web",
                     "RequestHeaders": {"Content-Type": "application/json"},
                     "RequestBody": base64.b64encode(BODY).decode()})
FAST = ("--interval", "0.05", "--retry-max", "0.2", "--timeout", "2")


class Record:
    """A record as the judge writes it."""

    def __init__(self, path, hour=3):
        self.path = path
        self.hour = hour
        self.lines = []
        self.prev = ""

    def write(self, count=1, size=0):
        with open(self.path, "ab") as file:
            for _ in range(count):
                seq = len(self.lines) + 1
                line = (f'{{"time":"2026-11-25T{self.hour:02}:17:23.{seq:06}Z","decision":"deny",'
                        f'"message":"{"x" * size}","seq":{seq},"prev":"{self.prev}"}}').encode()
                self.prev = hashlib.sha256(line).hexdigest()
                self.lines.append(line)
                file.write(line + b"\n")

    def rotate(self, keep=50):
        for i in range(keep, -1, -1):
            old = self.path.with_name(f"{self.path.name}.{i}") if i else self.path
            if old.exists():
                old.rename(self.path.with_name(f"{self.path.name}.{i + 1}"))


class ShipCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=lab.DIR, prefix="ship-"))
        cls.certificates = Certificates(cls.folder / "tls")
        cls.server_pem = cls.certificates.make("server", "IP:127.0.0.1,DNS:localhost")
        cls.client_pem = cls.certificates.make("client", "DNS:client")
        cls.other_name_pem = cls.certificates.make("other", "DNS:other.example")

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.record = Record(self.home / "record.jsonl")
        self.log = self.home / "log"
        self.process = None
        self.collector = self.start_collector(self.server_pem)
        self.addCleanup(self.kill)

    def start_collector(self, *options, **more):
        collector = Collector(*options, **more).start()
        self.addCleanup(collector.stop)
        return collector

    def command(self, *options, url=None):
        url = [] if url == "" else [url or self.collector.url]
        return [str(BUILD / "seccomp-authz"), "ship", *FAST, "--cacert",
                str(self.certificates.ca), *options, str(self.record.path), *url]

    def start(self, *options, **more):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(TIED + self.command(*options, **more),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def once(self, *options, timeout=60, environment=None, **more):
        done = subprocess.run(self.command("--once", *options, **more), check=False,
                              capture_output=True, text=True, timeout=timeout,
                              env=environment)
        self.assertEqual(done.stdout, "")
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(done.stderr)
        return done.returncode, done.stderr

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self):
        """As a service manager does."""
        self.process.terminate()
        code = self.process.wait(20)
        self.process = None
        self.assertEqual(code, 0, self.log.read_text())

    def arrived(self):
        """True once the last line did."""
        return self.record.lines[-1] == self.collector.last()

    def wait_arrived(self, seconds=30):
        wait_until(self.arrived, seconds, "the last line arrives; log: "
                   + (self.log.read_text()[-500:] if self.log.exists() else ""))

    def assert_carried(self, lines=None, once=False):
        """Each line at least once; in order: a line comes when all before it have come;
        what is repeated is repeated in order, too."""
        want = lines or self.record.lines
        got = self.collector.taken()
        place = {line: i for i, line in enumerate(want)}
        new, before = 0, -1
        for line in got:
            if line not in place:
                self.fail(f"this is no line of the record: {line[:200]}")
            at = place[line]
            self.assertLessEqual(at, new, "a line came before the one before it")
            if at == new:
                new += 1
            elif at != before + 1:  # goes back only to begin a batch again
                self.assertLessEqual(at, before)
            before = at
        self.assertEqual(new, len(want), "lines did not arrive")
        if once:
            self.assertEqual(len(got), len(want))


@spread
class Carries(ShipCase):
    @rows({
        "lines": ((), "application/x-ndjson", None),
        "an_array": (("--format", "array"), "application/json", None),
        "gzip": (("--gzip",), "application/x-ndjson", "gzip"),
        "an_array_in_gzip": (("--gzip", "--format=array"), "application/json", "gzip"),
        "line_by_line": (("--batch-lines", "1"), "application/x-ndjson", None),
        "small_batches": (("--batch-bytes", "16384"), "application/x-ndjson", None),
    })
    def way(self, options, content_type, encoding):
        self.record.write(200, size=300)
        self.record.rotate()
        self.record.write(37)
        code, err = self.once(*options)
        self.assertEqual((code, err), (0, ""))
        self.assert_carried(once=True)
        headers = self.collector.requests[0].headers
        self.assertEqual(headers["Content-Type"], content_type)
        self.assertEqual(headers.get("Content-Encoding"), encoding)
        self.assertTrue(headers["User-Agent"].startswith("seccomp-authz/"))

    def test_follows_what_is_written_and_rotated(self):
        self.start()
        for count in (1, 50, 0, 700, 3):
            self.record.write(count)
            time.sleep(0.1)
            self.record.rotate()
        self.record.write(5)
        self.wait_arrived()
        self.stop()
        self.assert_carried(once=True)
        self.assertLess(len(self.collector.requests), 60)

    def test_record_that_comes_later_is_waited_for(self):
        self.start()
        time.sleep(0.3)
        self.record.write(3)
        self.wait_arrived()
        self.assert_carried(once=True)

    def test_a_second_run_sends_only_what_is_new(self):
        for count in (5, 0, 3):
            self.record.write(count)
            self.assertEqual(self.once(), (0, ""))
        self.assert_carried(once=True)

    def test_a_line_is_sent_once_it_has_its_end(self):
        self.record.write(2)
        self.record.write(1)
        whole = self.record.path.read_bytes()
        self.record.path.write_bytes(whole[:-20])
        self.start()
        wait_until(lambda: len(self.collector.taken()) == 2, 10, "two lines arrive")
        time.sleep(0.3)
        with open(self.record.path, "ab") as file:
            file.write(whole[-20:])
        self.wait_arrived()
        self.assert_carried(once=True)

    def test_a_torn_line_goes_as_its_hash(self):
        self.record.write(2)
        with open(self.record.path, "ab") as file:
            file.write(b'{"time":"20\n')
        self.record.prev = hashlib.sha256(b'{"time":"20').hexdigest()
        self.record.write(2)
        code, err = self.once()
        self.assertEqual(code, 1)  # no recovery record follows
        self.assertIn("none of a record", err)
        lines = [json.loads(line) for line in self.collector.taken()]
        self.assertEqual([line.get("seq") for line in lines], [1, 2, None, 3, 4])
        self.assertEqual(lines[2]["event"], "unreadable")
        self.assertEqual(lines[2]["sha256"], lines[3]["prev"])

    def test_memory_does_not_grow_with_the_record(self):
        self.record.write(12000, size=400)
        self.start("--gzip")
        self.wait_arrived(60)
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        sanitized = b"__asan_init" in (BUILD / "seccomp-authz").read_bytes()
        self.assertLess(int(peak.split()[1]), (400 if sanitized else 40) * 1024, peak)
        self.stop()
        self.assert_carried(once=True)


@spread
class Fails(ShipCase):
    @rows({name: (action,) for name, action in {
        "before_it_read_all": "reset_early",
        "after_it_read_all": "reset",
        "within_the_answer": "reset_within_answer",
        "within_the_headers": "reset_within_headers",
        "without_an_answer": "close",
        "by_a_truncated_connection": "truncate",
        "by_nonsense": "nonsense",
        "by_hanging": "hang",
        "by_slowness": "slow",
        "with_500": 500, "with_502": 502, "with_401": 401, "with_403": 403, "with_404": 404,
        "with_408": 408, "with_429": 429, "with_503": 503, "with_301": 301, "with_304": 304,
        "with_100_and_nothing_else": 100,
    }.items()})
    def way(self, action):
        self.record.write(40)
        self.collector.script.extend(["take", action, "take", action, action, "take"])
        self.start("--batch-lines", "10", "--timeout", "1")
        self.wait_arrived()
        self.record.write(3)
        self.wait_arrived()
        self.stop()
        self.assert_carried()
        if action != "slow":
            self.assertIn("takes no lines, they wait", self.log.read_text())
            self.assertIn("takes lines again", self.log.read_text())

    def test_restarts_of_the_collector_and_rotation_meanwhile(self):
        self.start("--batch-lines", "7")
        for _ in range(4):
            self.record.write(20)
            time.sleep(0.1)
            self.collector.stop()
            for _ in range(3):
                self.record.write(10)
                time.sleep(0.05)
                self.record.rotate()
            time.sleep(0.3)
            self.collector.start()
            self.record.write(1)
            self.wait_arrived()
        self.stop()
        self.assert_carried()

    def test_killed_at_random_points(self):
        done = threading.Event()

        def write():
            while not done.is_set():
                self.record.write(random.randrange(1, 30))
                if random.random() < 0.2:
                    self.record.rotate(keep=400)
                time.sleep(random.random() * 0.03)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for i in range(40):
                self.collector.script.extend(random.choices(
                    ["take", "slow", "reset_within_answer", 500, "close"], [6, 1, 1, 1, 1], k=5))
                self.start("--batch-lines", str(random.randrange(1, 40)))
                time.sleep(random.random() * 0.25)
                self.kill()
        finally:
            done.set()
            writer.join()
        self.collector.script.clear()
        self.record.write(1)
        self.assertEqual(self.once()[0], 0)
        self.assert_carried()
        self.assertGreater(len(self.record.lines), 300)

    def test_waits_as_long_as_it_is_asked_to(self):
        for action, least in (("later", 2.0), ("later_by_date", 1.9)):
            self.record.write(1)
            self.collector.script.append(action)
            before = len(self.collector.requests)
            self.assertEqual(self.once()[0], 0)
            refused, taken = self.collector.requests[before:]
            self.assertGreaterEqual(taken.when - refused.when, least)

    def test_tries_again_ever_more_slowly(self):
        self.collector.always = 500
        self.record.write(1)
        self.start("--retry-max", "60")
        time.sleep(6)
        # 6 s: on average at 0.25, 0.75, 1.75, 3.75; all draws short is not to be expected
        self.assertLess(len(self.collector.requests), 16)
        self.assertGreater(len(self.collector.requests), 1)

    def test_a_batch_that_is_too_large_is_halved(self):
        self.collector.always = "few"
        self.record.write(50)
        self.assertEqual(self.once("--batch-lines", "48"), (0, ""))
        self.assert_carried(once=True)
        self.assertLess(len(self.collector.requests), 60)

    def test_a_line_that_is_refused_holds_up_the_rest_and_is_never_dropped(self):
        self.record.write(40)
        self.collector.always = "dislike"
        self.collector.disliked = b'"seq":23,'
        self.start("--batch-lines", "16")
        wait_until(lambda: len(self.collector.taken()) == 22, 20, "what is before it arrives")
        wait_until(lambda: "refuses the line" in self.log.read_text(), 10, "it is named")
        self.assertIn("(seq 23)", self.log.read_text())
        time.sleep(0.5)
        self.assertEqual(len(self.collector.taken()), 22)
        self.collector.always = "take"
        self.wait_arrived()
        self.stop()
        self.assert_carried(once=True)

    def test_gives_up_where_it_is_asked_to_end(self):
        self.record.write(5)
        self.collector.always = 500
        begin = time.monotonic()
        code, err = self.once("--give-up", "1", "--retry-max", "60")
        self.assertEqual(code, 2)
        self.assertIn("not all lines were taken: it answered 500", err)
        self.assertLess(time.monotonic() - begin, 5)
        self.collector.always = "take"
        self.assertEqual(self.once()[0], 0)
        self.assert_carried(once=True)


class Trusts(ShipCase):
    def assert_never_asked(self, collector, says, *options, **more):
        self.record.write(1)
        code, err = self.once("--give-up", "0.5", *options, url=collector.url, **more)
        self.assertEqual(code, 2, err)
        self.assertIn(says, err)
        self.assertEqual(collector.requests, [])

    def test_nothing_goes_to_a_server_whose_authority_is_unknown(self):
        strange = Certificates(self.home / "strange").make("server", "IP:127.0.0.1")
        self.assert_never_asked(self.start_collector(strange), "certificate")

    def test_nothing_goes_to_a_server_of_another_name(self):
        self.assert_never_asked(self.start_collector(self.other_name_pem), "certificate")

    def test_nothing_goes_to_the_system_s_authorities_if_others_are_named(self):
        strange = Certificates(self.home / "strange")
        self.assert_never_asked(self.collector, "certificate", "--cacert", str(strange.ca))

    def test_nothing_goes_to_plain_http_on_the_port_of_tls(self):
        plain = self.start_collector()
        self.record.write(1)
        code, _ = self.once("--give-up", "0.5", url=plain.url.replace("http:", "https:"))
        self.assertEqual((code, plain.requests), (2, []))

    def test_a_client_certificate_is_shown(self):
        strict = self.start_collector(self.server_pem, client_ca=self.certificates.ca)
        self.assert_never_asked(strict, "")
        self.assertEqual(self.once("--cert", str(self.client_pem), url=strict.url)[0], 0)
        key = self.certificates.folder / "client.key"
        certificate = self.certificates.folder / "client.crt"
        self.record.write(1)
        self.assertEqual(self.once("--cert", str(certificate), "--key", str(key),
                                   url=strict.url)[0], 0)
        self.assertEqual(len(strict.taken()), 2)

    def test_redirects_are_not_followed(self):
        for there in (self.start_collector(), self.start_collector(self.server_pem)):
            self.collector.elsewhere = there.url
            self.collector.always = "redirect"
            self.record.write(1)
            token = self.home / "token"
            token.write_text(SECRET)
            code, err = self.once("--give-up", "0.5", "--token-file", str(token))
            self.assertEqual(code, 2)
            self.assertIn("a redirect, which is not followed", err)
            self.assertEqual(there.requests, [])

    def test_plain_http_is_for_this_host_only(self):
        self.record.write(2)
        plain = self.start_collector()
        self.assertEqual(self.once(url=plain.url)[0], 0)
        self.assertEqual(len(plain.taken()), 2)
        for url in ("http://collector.example/in", "http://192.0.2.1/in", "http://[2001:db8::1]/",
                    "http://127.0.0.1.example/", "http://localhost.example/"):
            code, err = self.once(url=url)
            self.assertEqual(code, 2)
            self.assertIn("use https://", err)
        for url in ("ftp://127.0.0.1/", "file:///etc/passwd", "collector", "https://", "//x/"):
            code, err = self.once(url=url)
            self.assertEqual(code, 2, url)
            self.assertIn("the URL", err)

    def test_no_proxy_reads_plain_http(self):
        proxy = self.start_collector()
        plain = self.start_collector()
        self.record.write(1)
        environment = dict(os.environ, http_proxy=proxy.url, HTTP_PROXY=proxy.url,
                           all_proxy=proxy.url, ALL_PROXY=proxy.url)
        self.assertEqual(self.once(url=plain.url, environment=environment)[0], 0)
        self.assertEqual((len(plain.taken()), proxy.requests), (1, []))


class Secrets(ShipCase):
    def test_the_token_is_sent_and_read_again(self):
        token = self.home / "token"
        token.write_text(SECRET + "\n")
        self.record.write(1)
        self.start("--token-file", str(token))
        self.wait_arrived()
        token.write_text("another")
        self.record.write(1)
        self.wait_arrived()
        seen = [request.headers["Authorization"] for request in self.collector.requests]
        self.assertEqual(seen, [f"Bearer {SECRET}", "Bearer another"])

    def test_a_token_that_is_none_is_not_sent(self):
        token = self.home / "token"
        self.record.write(1)
        for text in ("", "\n", "a b", "a\nX-Header: b", "a\x7f", "\u00e9"):
            token.write_text(text)
            code, err = self.once("--token-file", str(token), "--give-up", "0.1")
            self.assertEqual(code, 2)
            self.assertIn(str(token), err)
        token.unlink()
        self.assertEqual(self.once("--token-file", str(token), "--give-up", "0.1")[0], 2)
        self.assertEqual(self.collector.requests, [])

    def test_no_secret_is_ever_logged_or_listed(self):
        token = self.home / "token"
        token.write_text(SECRET)
        self.record.write(30)
        url = self.collector.url.replace("://", f"://user:{SECRET}@") + f"?key={SECRET}"
        self.collector.elsewhere = url
        self.collector.script.extend([500, 401, "reset", "redirect", "nonsense", "hang", "few",
                                      "later", "close", "truncate", "reset_within_headers"])
        self.start("--token-file", str(token), "--timeout", "0.5", "--batch-lines", "5", url=url)
        command = pathlib.Path(f"/proc/{self.process.pid}/cmdline")
        wait_until(lambda: b"ship" in command.read_bytes() and
                   f"user:{SECRET}".encode() not in command.read_bytes(), 5, "the URL is wiped")
        self.wait_arrived()
        self.collector.stop()
        self.record.write(1)
        time.sleep(0.5)
        self.stop()
        for bad in (url.replace("https", "http").replace("127.0.0.1", "192.0.2.1"),
                    url.replace("https", "ftp"), url.replace("127.0.0.1", "300.bad host")):
            self.assertEqual(self.once(url=bad)[0], 2)
        self.assertEqual(self.once("--give-up", "0.2", url=url)[0], 2)
        log = self.log.read_text()
        self.assertIn("takes no lines", log)
        self.assertNotIn(SECRET, log)
        self.assertNotIn("user:", log)

    def test_the_url_may_come_from_the_environment(self):
        self.record.write(2)
        environment = dict(os.environ, SECCOMP_AUTHZ_SHIP_URL=self.collector.url)
        self.assertEqual(self.once(url="", environment=environment), (0, ""))
        self.assert_carried(once=True)
        environment.pop("SECCOMP_AUTHZ_SHIP_URL")
        code, err = self.once(url="", environment=environment)
        self.assertEqual(code, 2)
        self.assertIn("to which URL?", err)


class Keeps(ShipCase):
    def test_sigterm_finishes_the_batch(self):
        self.record.write(30)
        self.collector.always = "wait"
        self.start("--batch-lines", "10")
        wait_until(lambda: self.collector.requests, 10, "the first batch is sent")
        self.stop()
        self.assertEqual(len(self.collector.taken()), 10)
        self.collector.always = "take"
        self.assertEqual(self.once()[0], 0)
        self.assert_carried(once=True)

    def test_sigterm_ends_a_wait(self):
        self.record.write(1)
        self.collector.always = "later"
        for number in (signal.SIGTERM, signal.SIGINT):
            self.start("--retry-max", "60")
            before = len(self.collector.requests)
            wait_until(lambda: len(self.collector.requests) > before, 10, "it was refused")
            time.sleep(0.2)
            begin = time.monotonic()
            self.process.send_signal(number)
            self.assertEqual(self.process.wait(10), 0)
            self.assertLess(time.monotonic() - begin, 1)

    def test_two_do_not_carry_from_one_place(self):
        self.record.write(1)
        self.start()
        self.wait_arrived()
        code, err = self.once()
        self.assertEqual(code, 2)
        self.assertIn("another process", err)

    def test_a_state_that_is_none_is_not_taken_for_one(self):
        self.record.write(1)
        state = self.home / "state"
        state.write_text("{}")
        code, err = self.once("--state", str(state))
        self.assertEqual(code, 2)
        self.assertIn(f"{state}: is no state of ship", err)
        self.assertEqual(self.collector.requests, [])

    def test_copytruncate_is_refused(self):
        self.record.write(5)
        self.start()
        self.wait_arrived()
        with open(self.record.path, "r+b") as file:
            file.truncate(0)
        self.assertEqual(self.process.wait(10), 2)
        self.assertIn("not copytruncate", self.log.read_text())
        self.process = None

    def test_a_state_that_can_not_be_written_stops_nothing(self):
        self.record.write(5)
        state = self.home / "folder"
        state.mkdir()
        (state / "s.new").mkdir()  # in the way, for root too
        code, err = self.once("--state", str(state / "s"))
        self.assertEqual(code, 0)
        self.assertIn("can't be written", err)
        self.assert_carried(once=True)

    def test_lines_that_are_gone_are_told(self):
        self.record.write(5)
        self.assertEqual(self.once()[0], 0)
        self.record.write(5)
        self.record.path.unlink()
        self.record.write(5)
        code, err = self.once()
        self.assertEqual(code, 1)
        self.assertIn("seq 6 to 10 are missing and can't be carried", err)
        self.assert_carried(self.record.lines[:5] + self.record.lines[10:], once=True)

    def test_a_record_whose_beginning_is_not_there_is_told(self):
        self.record.write(5)
        self.record.path.unlink()
        self.record.write(5)
        code, err = self.once()
        self.assertEqual(code, 1)
        self.assertIn("seq 1 to 5 are missing and can't be carried", err)
        self.assert_carried(self.record.lines[5:], once=True)

    def test_another_record_is_carried_as_a_whole_though_it_was_rotated_meanwhile(self):
        """Its numbers may be what the old one's would have been next."""
        for kept in (True, False):
            for count in (5, 20, 50):
                with self.subTest(kept=kept, count=count):
                    for path in self.home.glob("record.jsonl*"):
                        path.unlink()
                    old = self.record = Record(self.record.path)
                    old.write(20)
                    self.assertEqual(self.once()[0], 0)
                    if kept:
                        old.rotate()
                    else:
                        old.path.unlink()
                    self.record = Record(old.path, hour=4)
                    for _ in range(3):
                        self.record.write(count)
                        self.record.rotate()
                    self.record.write(2)
                    self.collector.requests.clear()
                    _, err = self.once()
                    self.assert_carried(once=True)
                    self.assertRegex(err, "another record begins|is not there any more")

    def test_another_record_that_is_rotated_while_the_collector_is_away_is_carried(self):
        self.record.write(20)
        self.start()
        self.wait_arrived()
        old = list(self.record.lines)
        self.collector.stop()
        self.record.write(3)
        self.record.rotate()
        lines = [*old, *self.record.lines[20:]]
        self.record = Record(self.record.path, hour=4)
        for _ in range(4):
            self.record.write(30)
            self.record.rotate()
        self.record.write(1)
        time.sleep(0.3)
        self.collector.start()
        self.wait_arrived()
        self.assert_carried([*lines, *self.record.lines], once=True)


class WithJudge(ShipCase):
    """A real judge under load, killed and rotated, and a collector that goes and comes."""

    def setUp(self):
        super().setUp()
        self.judge = Judge(self.home)
        self.judge.write_policy({"version": 1})
        self.judge.start()
        self.addCleanup(self.judge.stop)
        self.judge.record.parent.mkdir(exist_ok=True)
        self.record.path = self.judge.record
        self.told = []  # decisions that clients were told of

    def deny(self, done):
        while not done.is_set():
            try:
                status, answer = call(self.judge.socket, "POST", "/AuthZPlugin.AuthZReq", DENIED)
            except OSError:
                time.sleep(0.01)  # it is dead
                continue
            if status == 200:
                self.told.append(re.search(r"decision (\w{26})", answer.decode()).group(1))

    def written(self):
        """Lines on record, oldest first; for one that was torn, what is sent for it."""
        names = [self.judge.record.with_name(f"record.jsonl.{i}") for i in range(20, 0, -1)]
        for path in [name for name in names if name.exists()] + [self.judge.record]:
            lines = path.read_bytes().split(b"\n")
            for line in lines if lines[-1] else lines[:-1]:
                yield line

    def test_every_denial_that_was_told_is_on_record_once_and_arrives_in_order(self):
        done = threading.Event()
        clients = [threading.Thread(target=self.deny, args=(done,)) for _ in range(4)]
        self.start("--gzip", "--batch-lines", "100")
        for client in clients:
            client.start()
        try:
            for i in range(12):
                time.sleep(0.3)
                if i % 2 == 0:
                    self.record.rotate()
                if i % 4 == 1:
                    self.judge.kill()
                    with open(self.judge.record, "ab") as file:
                        file.write(b'{"time":"20')  # the write that it was killed in
                    self.judge.start()
                if i % 5 == 2:
                    self.collector.stop()
                if i % 5 == 4:
                    self.collector.start()
        finally:
            done.set()
            for client in clients:
                client.join()
        if not self.collector.server:
            self.collector.start()
        self.judge.stop()
        lines = list(self.written())
        wait_until(lambda: lines[-1] in self.collector.taken()[-1:], 30, "the last one arrives")
        self.stop()

        verify = subprocess.run([str(BUILD / "seccomp-authz"), "log", "verify", "--all",
                                 str(self.judge.record)], capture_output=True, text=True,
                                check=False)
        self.assertEqual(verify.returncode, 0, verify.stdout)
        self.assertEqual(verify.stdout.count("closed by the recovery record"), 3)
        ids = [json.loads(line).get("id") for line in lines if line.endswith(b"}")]
        self.assertGreater(len(self.told), 300)
        self.assertEqual([ids.count(told) for told in set(self.told)], [1] * len(set(self.told)))
        torn = {hashlib.sha256(line).hexdigest(): line for line in lines
                if not line.endswith(b"}")}
        got = []
        for line in self.collector.taken():
            record = json.loads(line)
            if record.get("event") == "unreadable":
                line = torn[record["sha256"]]
            if line not in got[-150:]:  # sent again
                got.append(line)
        self.assertEqual([hashlib.sha256(line).hexdigest() for line in got],
                         [hashlib.sha256(line).hexdigest() for line in lines])


def load_tests(loader, tests, _):
    """Once is enough: no engine takes part."""
    return tests if lab.SUITE == "host" else loader.suiteClass()


if __name__ == "__main__":
    unittest.main()
