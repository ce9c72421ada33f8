# SPDX-License-Identifier: Apache-2.0
"""What the judge tells about itself: metrics, health, its policy; and to whom."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import test_judge
from lab import BUILD, DIR, HERE, Judge, call, talk, wait_until
from test_judge import MIB, PLAIN, PS, UNCONFINED, envelope, post

REPOSITORY = HERE.parent.parent
ALERTS = REPOSITORY / "plugin-spec" / "prometheus" / "alerts.yml"
DASHBOARD = REPOSITORY / "plugin-spec" / "grafana" / "dashboard.json"
OURS = re.compile(r"\b(?:seccomp_authz|process)_[a-z_]+")
SERIES = re.compile(r'([a-z_]+)((?:\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\})?) (\S+)')


def exception(name, **more):
    return {"id": name, "allow": ["unconfined"], "reason": "test", "match": {"name": [name]},
            **more}


POLICY = {"version": 1, "observe": ["privileged"], "exceptions": [
    exception("debug", expires="2999-01-01T00:00:00Z"), exception("try", mode="observe"),
    exception("old", expires="2020-01-01T00:00:00Z")]}


def named(name, option="seccomp=unconfined"):
    return envelope({"Image": "x", "HostConfig": {"SecurityOpt": [option]}},
                    uri=f"/v1.41/containers/create?name={name}")


PRIVILEGED = envelope({"Image": "x", "HostConfig": {"Privileged": True}})


def promtool(*arguments, text=None, cwd=None):
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True,
                          timeout=60, check=False, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


def decisions(posture, reason, decision):
    return (f'seccomp_authz_decisions_total{{door="docker",posture="{posture}",'
            f'reason="{reason}",decision="{decision}"}}')


def duration_count(decision):
    return f'seccomp_authz_decision_duration_seconds_count{{decision="{decision}"}}'


class AdminCase(unittest.TestCase):
    policy = POLICY
    record_size = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=DIR)
        self.addCleanup(self.folder.cleanup)
        self.judge = Judge(pathlib.Path(self.folder.name))
        self.admin = self.judge.home / "admin" / "admin.sock"
        self.judge.write_policy(self.policy)
        self.start()
        self.addCleanup(self.judge.stop)

    def start(self):
        before = len(self.ports())
        self.judge.start(*self.options(), record_size=self.record_size)
        wait_until(lambda: len(self.ports()) > before, 10, "it says where")
        self.port = int(self.ports()[-1])

    def ports(self):
        """Of each start so far."""
        text = self.judge.log.read_text() if self.judge.log.exists() else ""
        return re.findall(r"metrics: http://127\.0\.0\.1:(\d+)/metrics", text)

    def options(self):
        return "--admin-socket", str(self.admin), "--metrics-listen", "127.0.0.1:0"

    def ask(self, data):
        connection = test_judge.Connection(self.judge.socket)
        self.addCleanup(connection.close)
        return connection.ask(data)

    def get(self, path, method="GET"):
        status, body = call(self.admin, method, path)
        return status, body.decode()

    def get_by_port(self, path, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def series(self):
        """{"name{labels}": value} of all that is shown."""
        found = {}
        for line in self.get("/metrics")[1].splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = SERIES.fullmatch(line).groups()
            self.assertNotIn(name + labels, found)
            found[name + labels] = float(value)
        return found

    def ready(self):
        return self.get("/readyz")


class Counting(AdminCase):
    def test_each_decision_moves_its_own_counter_and_no_other(self):
        table = (
            (PS, 3, decisions("none", "not-judged", "allow")),
            (PLAIN, 2, decisions("default", "allowed", "allow")),
            (UNCONFINED, 4, decisions("unconfined", "posture", "deny")),
            (PRIVILEGED, 1, decisions("privileged", "posture", "observe")),
            (named("debug"), 5, decisions("unconfined", "exception", "allow")),
            (named("old"), 1, decisions("unconfined", "posture", "deny")),
            (envelope(b"{"), 2, decisions("unreadable", "unreadable", "deny")),
            ("", 1, decisions("none", "empty-envelope", "deny")),
            ("x", 2, decisions("none", "bad-envelope", "deny")),
            (b" " * (16 * MIB), 1, decisions("none", "too-large", "deny")),
        )
        wanted = {name: value for name, value in self.series().items()
                  if name.startswith("seccomp_authz_decisions_total")}
        self.assertEqual(set(wanted.values()), {0})
        for question, times, name in table:
            for _ in range(times):
                self.ask(question)
            wanted[name] = wanted.get(name, 0) + times
        shown = self.series()
        self.assertEqual({name: value for name, value in shown.items()
                          if name.startswith("seccomp_authz_decisions_total")}, wanted)
        self.assertEqual([shown[duration_count(decision)]
                          for decision in ("allow", "deny", "observe", "error")], [10, 11, 1, 0])
        self.assertEqual(shown["seccomp_authz_record_lines_total"], len(self.judge.records()))
        self.assertEqual(shown["seccomp_authz_requests_in_flight"], 0)
        self.assertEqual(shown["seccomp_authz_in_flight_bytes"], 0)

    def test_what_is_no_decision_is_not_counted(self):
        before = self.series()
        for path in ("/Plugin.Activate", "/AuthZPlugin.AuthZRes", "/nope"):
            connection = test_judge.Connection(self.judge.socket)
            connection.ask("", path)
            connection.close()
        after = self.series()
        for name in before:
            if "decision" in name:
                self.assertEqual(after[name], before[name], name)

    def test_uses_of_exceptions_are_counted_and_survive_a_reload(self):
        for name, times in (("debug", 3), ("try", 2), ("old", 1)):
            for _ in range(times):
                self.ask(named(name))
        wanted = {"debug": 3, "try": 2, "old": 0}

        def uses():
            told = {e["id"]: e["used"] for e in json.loads(self.get("/policy")[1])["exceptions"]}
            shown = self.series()
            self.assertEqual(told, {name: shown[f'seccomp_authz_exception_uses_total{{id="{name}"}}']
                                    for name in told})
            return told

        self.assertEqual(uses(), wanted)
        self.judge.reload({**POLICY, "exceptions": POLICY["exceptions"][:1] + [exception("new")]})
        self.ask(named("debug"))
        self.assertEqual(uses(), {"debug": 4, "new": 0})
        self.judge.reload("{")
        self.ask(named("debug"))
        self.assertEqual(uses(), {"debug": 5, "new": 0})
        shown = self.series()
        # SIGHUP may come before or after it was seen that the file has changed
        self.assertGreaterEqual(shown["seccomp_authz_policy_reloads_total"], 2)
        self.assertGreaterEqual(shown["seccomp_authz_policy_reload_failures_total"], 1)

    def test_what_is_in_flight_is_shown_and_given_back(self):
        connections = [test_judge.Connection(self.judge.socket) for _ in range(3)]
        for connection in connections:
            connection.send(post("/AuthZPlugin.AuthZReq", b" " * MIB)[:-1])
        wait_until(lambda: self.series()["seccomp_authz_requests_in_flight"] == 3, 10, "three")
        self.assertGreaterEqual(self.series()["seccomp_authz_in_flight_bytes"], 3 * MIB)
        connections[0].send(b" ") # decided, and the connection stays
        self.assertFalse(connections[0].answer()[1]["Allow"])
        for connection in connections[1:]:
            connection.close()
        wait_until(lambda: self.series()["seccomp_authz_requests_in_flight"] == 0, 10, "none")
        self.assertEqual(self.series()["seccomp_authz_in_flight_bytes"], 0)
        connections[0].close()

    def test_durations_are_those_of_the_decisions(self):
        begin = time.monotonic()
        for _ in range(50):
            self.ask(UNCONFINED)
        took = time.monotonic() - begin
        shown = self.series()
        name = "seccomp_authz_decision_duration_seconds"
        total = shown[f'{name}_sum{{decision="deny"}}']
        self.assertGreater(total, 0)
        self.assertLess(total, took)
        buckets = [value for key, value in shown.items()
                   if key.startswith(f'{name}_bucket{{decision="deny"')]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual((len(buckets), buckets[-1]), (16, 50))

    def test_who_asks_all_the_time_holds_up_nobody(self):
        stop = threading.Event()

        def scrape():
            while not stop.is_set():
                self.series()

        scrapers = [threading.Thread(target=scrape) for _ in range(2)]
        for scraper in scrapers:
            scraper.start()
        connection = test_judge.Connection(self.judge.socket)
        for number in range(400):
            self.assertEqual(connection.ask(PS if number % 2 else UNCONFINED)[0], 200)
        stop.set()
        for scraper in scrapers:
            scraper.join()
        connection.close()
        self.assertEqual(self.series()[decisions("unconfined", "posture", "deny")], 200)


class Format(AdminCase):
    def make_traffic(self):
        for question in (PS, PLAIN, UNCONFINED, named("debug"), named("try"), "x", envelope(b"{")):
            self.ask(question)

    def test_promtool_has_nothing_to_say_about_the_metrics(self):
        self.make_traffic()
        self.judge.reload({**POLICY, "exceptions": [exception('quote"back\\slash ünïcode')]})
        for text in (self.get("/metrics")[1], self.get_by_port("/metrics")[1]):
            self.assertEqual(promtool("check", "metrics", text=text), (0, ""))
        self.assertIn('{id="quote\\"back\\\\slash ünïcode"}', text)

    def test_promtool_has_nothing_to_say_about_the_metrics_of_a_broken_policy(self):
        self.judge.stop()
        self.judge.write_policy("{")
        self.judge.state = self.judge.home / "other-state"
        self.start()
        self.make_traffic()
        text = self.get("/metrics")[1]
        self.assertEqual(promtool("check", "metrics", text=text), (0, ""))
        self.assertIn("\nseccomp_authz_policy_broken 1\n", text)
        self.assertNotIn("policy_info", text)

    def names(self):
        self.make_traffic()
        self.judge.policy.with_suffix(".json.fetch").touch()
        found = {re.match("[a-z_]+", series).group() for series in self.series()}
        return found | self.names_of_a_webhook()

    def names_of_a_webhook(self):
        """What is told only where one is served; its certificate is not there."""
        judge = Judge(self.judge.home / "webhook")
        judge.home.mkdir(exist_ok=True)
        judge.write_policy(POLICY)
        admin = judge.home / "admin.sock"
        judge.start("--admin-socket", str(admin), "--webhook-listen", "127.0.0.1:0",
                    "--tls-cert", "/nonexistent", "--tls-key", "/nonexistent")
        try:
            wait_until(admin.exists, 10, "it tells")
            text = call(admin, "GET", "/metrics")[1].decode()
        finally:
            judge.process.send_signal(signal.SIGINT)
            judge.process.wait(20)
        self.assertEqual(promtool("check", "metrics", text=text), (0, ""))
        return set(re.findall("^[a-z_]+", text, re.M))

    def test_the_process_is_described(self):
        shown = self.series()
        pid = self.judge.process.pid
        # the connection that asked may be closed by now
        self.assertAlmostEqual(shown["process_open_fds"], len(os.listdir(f"/proc/{pid}/fd")), delta=1)
        self.assertGreater(shown["process_resident_memory_bytes"], MIB)
        self.assertAlmostEqual(shown["process_start_time_seconds"], time.time(), delta=60)
        self.assertEqual(sum(name.startswith("seccomp_authz_build_info{version=") for name in shown), 1)

    def test_alert_rules_are_sound_and_about_metrics_that_exist(self):
        code, text = promtool("check", "rules", str(ALERTS))
        self.assertEqual(code, 0, text)
        used = set(re.findall(r"\bseccomp_authz_[a-z_]+", ALERTS.read_text()))
        self.assertGreater(len(used), 6)
        self.assertEqual(used - self.names(), set())

    def test_alerts_are_raised_when_they_should(self):
        code, text = promtool("test", "rules", "alerts_test.yml", cwd=HERE)
        self.assertEqual(code, 0, text)

    def expressions(self):
        dashboard = json.loads(DASHBOARD.read_text())
        found = [target["expr"] for panel in dashboard["panels"]
                 for target in panel.get("targets", [])]
        found += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
        return found + [re.sub(r"^label_values\((.*), [a-z]+\)$", r"\1", variable["definition"])
                        for variable in dashboard["templating"]["list"] if "definition" in variable]

    def test_the_dashboard_uses_metrics_that_exist_and_all_of_them(self):
        used = {name for text in self.expressions() for name in OURS.findall(text)}
        self.assertEqual(used, self.names())

    def test_the_dashboards_expressions_are_sound(self):
        rules = [{"record": f"test:{number}", "expr": text.replace("$__rate_interval", "5m")}
                 for number, text in enumerate(self.expressions())]
        path = self.judge.home / "rules.yml" # JSON is YAML
        path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
        code, text = promtool("check", "rules", "--lint=none", str(path))
        self.assertEqual(code, 0, text)

    def test_the_dashboard_is_one_that_can_be_laid_out(self):
        dashboard = json.loads(DASHBOARD.read_text())
        self.assertIsNone(dashboard["id"])
        panels = dashboard["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            self.assertEqual(cells & taken, set(), panel["title"])
            taken |= cells
            references = [target["refId"] for target in panel.get("targets", [])]
            self.assertEqual(len(set(references)), len(references))
            self.assertTrue(panel["title"] and (references or panel["type"] == "row"))


class Readiness(AdminCase):
    def test_a_policy_that_is_not_taken_is_not_ready_until_it_is(self):
        self.assertEqual(self.ready(), (200, "ready\n"))
        self.judge.reload('{"version": 2}')
        status, text = self.ready()
        self.assertEqual(status, 503)
        self.assertRegex(text, r"\Apolicy degraded: .*policy\.json: [^\n]+\n\Z")
        told = json.loads(self.get("/policy")[1])
        self.assertEqual((told["degraded"], told["source"]), (True, str(self.judge.policy)))
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        self.assertEqual(self.series()['seccomp_authz_degraded{part="policy"}'], 1)
        self.assertEqual(self.series()["seccomp_authz_policy_broken"], 0)
        self.judge.reload(POLICY)
        self.assertEqual(self.ready(), (200, "ready\n"))
        self.assertEqual(self.series()['seccomp_authz_degraded{part="policy"}'], 0)

    def test_a_policy_that_never_was_good_is_not_ready_until_it_is(self):
        self.judge.stop()
        self.judge.state = self.judge.home / "other-state"
        self.judge.write_policy(None)
        self.start()
        status, text = self.ready()
        self.assertEqual(status, 503)
        self.assertRegex(text, r"\Apolicy broken: .*policy\.json: [^\n]+\n\Z")
        told = json.loads(self.get("/policy")[1])
        self.assertEqual((told["degraded"], told["digest"], told["exceptions"]), (True, None, []))
        self.assertIn("policy.json", told["reason"])
        self.ask(PLAIN)
        self.assertEqual(self.series()[decisions("none", "policy-broken", "deny")], 1)
        self.judge.reload(POLICY)
        self.assertEqual(self.ready(), (200, "ready\n"))

    def test_the_policy_is_told(self):
        told = json.loads(self.get("/policy")[1])
        self.assertRegex(told["digest"], r"\Asha256:[0-9a-f]{64}\Z")
        self.assertRegex(told["loaded"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")
        self.assertEqual((told["source"], told["degraded"], told["mode"]),
                         (str(self.judge.policy), False, "enforce"))
        told_of = ("id", "state", "expires", "used")
        self.assertEqual([{key: e[key] for key in told_of} for e in told["exceptions"]], [
            {"id": "debug", "state": "active", "expires": "2999-01-01T00:00:00Z", "used": 0},
            {"id": "try", "state": "observed", "expires": None, "used": 0},
            {"id": "old", "state": "expired", "expires": "2020-01-01T00:00:00Z", "used": 0}])


class FullRecord(AdminCase):
    record_size = 65536

    def test_a_full_disk_is_not_ready_until_there_is_room(self):
        filler = self.judge.record_seen.parent / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass
        status = 200
        for _ in range(64): # until the record's last block is full
            status, answer = self.ask(UNCONFINED)
            if status != 200:
                break
        self.assertEqual(status, 500, answer)
        status, text = self.ready()
        self.assertEqual(status, 503)
        self.assertRegex(text, r"\Arecord degraded: [^\n]*record\.jsonl[^\n]*\n\Z")
        shown = self.series()
        self.assertEqual(shown['seccomp_authz_degraded{part="record"}'], 1)
        self.assertEqual(shown[decisions("unconfined", "posture", "error")], 1)
        self.assertEqual(shown["seccomp_authz_record_failed_lines_total"], 1)
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))
        filler.unlink()
        self.assertEqual(self.ask(UNCONFINED)[0], 200)
        self.assertEqual(self.ready(), (200, "ready\n"))
        self.assertEqual(self.series()['seccomp_authz_degraded{part="record"}'], 0)


class HangingRecord(AdminCase):
    """The first sink is a pipe that nobody reads."""

    def start(self):
        self.pipe, write = os.pipe()
        self.addCleanup(os.close, self.pipe)
        command = [str(BUILD / "seccomp-authzd"), "--socket", str(self.judge.socket), "--policy",
                   str(self.judge.policy), "--state-dir", str(self.judge.state), "--record",
                   "stdout", "--admin-socket", str(self.admin)]
        self.judge.socket.parent.mkdir()
        with open(self.judge.log, "ab") as log:
            self.judge.process = subprocess.Popen(command, stdout=write, stderr=log)
        os.close(write)
        wait_until(self.judge.listens, 10, "the judge listens")
        wait_until(self.admin.exists, 10, "the admin socket is there")

    def hang(self):
        connection = test_judge.Connection(self.judge.socket)
        self.addCleanup(connection.close)
        for number in range(400):
            if connection.ask(UNCONFINED)[0] == 500:
                return connection, number
        raise AssertionError("the pipe is never full")

    def test_a_record_that_hangs_is_not_ready_until_it_goes_on(self):
        connection, recorded = self.hang()
        status, text = self.ready()
        self.assertEqual(status, 503)
        self.assertIn("record degraded: stdout did not take the line in 2000 ms\n", text)
        begin = time.monotonic()
        shown = self.series()
        self.assertLess(time.monotonic() - begin, 1)
        self.assertEqual(shown[decisions("unconfined", "posture", "deny")], recorded)
        self.assertEqual(shown[decisions("unconfined", "posture", "error")], 1)
        self.assertEqual(shown['seccomp_authz_decision_duration_seconds_bucket'
                               '{decision="error",le="1"}'], 0)
        self.assertEqual(shown['seccomp_authz_decision_duration_seconds_bucket'
                               '{decision="error",le="2.5"}'], 1)
        connection.send(post("/AuthZPlugin.AuthZReq", UNCONFINED))
        wait_until(lambda: self.series()["seccomp_authz_record_waiting_lines"] == 1, 2, "backlog")
        self.assertEqual(connection.answer()[0], 500)
        os.set_blocking(self.pipe, False)

        def goes_on():
            try:
                while os.read(self.pipe, 65536):
                    pass
            except BlockingIOError:
                pass
            return connection.ask(UNCONFINED)[0] == 200

        wait_until(goes_on, 10, "the record goes on")
        self.assertEqual(self.ready(), (200, "ready\n"))
        self.judge.process.terminate()
        self.assertEqual(self.judge.process.wait(20), 0)

    def test_a_judge_that_stops_says_so_while_it_drains(self):
        connection, _ = self.hang()
        connection.send(post("/AuthZPlugin.AuthZReq", UNCONFINED))
        wait_until(lambda: self.series()["seccomp_authz_requests_in_flight"] == 1, 2, "asked")
        self.judge.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.ready()[1].endswith("stopping\n"), 2, "it says that it stops")
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))
        self.judge.process.wait(20)

    def test_who_is_gone_before_the_answer_is_counted_all_the_same(self):
        self.hang()
        before = self.series()
        connection = test_judge.Connection(self.judge.socket)
        connection.send(post("/AuthZPlugin.AuthZReq", UNCONFINED))
        wait_until(lambda: self.series()["seccomp_authz_requests_in_flight"] == 1, 2, "asked")
        connection.close()
        name = decisions("unconfined", "posture", "error")
        wait_until(lambda: self.series()[name] == before[name] + 1, 10, "it is counted")
        self.assertEqual(self.series()["seccomp_authz_requests_in_flight"], 0)
        self.judge.kill()


class Access(AdminCase):
    def test_the_socket_is_for_its_owner_alone(self):
        self.assertEqual(self.admin.stat().st_mode & 0o777, 0o600)
        for folder in (DIR, self.judge.home, self.admin.parent):
            os.chmod(folder, 0o755)
        code = ("import socket,sys; s=socket.socket(socket.AF_UNIX);"
                "s.connect(sys.argv[1]); print('connected')")
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                               "python3", "-c", code, str(self.admin)], capture_output=True,
                              text=True, timeout=20, check=False)
        self.assertIn("PermissionError", done.stderr)
        self.assertEqual(done.stdout, "")

    def test_the_socket_goes_with_the_judge_and_a_stale_one_is_replaced(self):
        self.judge.stop()
        self.assertFalse(self.admin.exists())
        self.start()
        self.judge.kill()
        self.assertTrue(self.admin.exists())
        self.start()
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))

    def test_the_port_is_on_loopback_alone(self):
        inode = {os.readlink(path) for path in
                 pathlib.Path(f"/proc/{self.judge.process.pid}/fd").iterdir()}
        listening = [line.split() for table in ("tcp", "tcp6")
                     for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
        ours = [fields[1] for fields in listening
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in inode]
        self.assertEqual(ours, [f"0100007F:{self.port:04X}"])

    def test_the_port_tells_all_but_the_policy(self):
        for path in ("/metrics", "/healthz", "/readyz"):
            self.assertEqual(self.get_by_port(path)[0], 200, path)
        self.assertEqual(self.get_by_port("/policy"),
                         (404, "there are /metrics /healthz /readyz\n"))
        self.assertEqual(self.get("/policy")[0], 200)

    def test_nothing_but_get_is_answered(self):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            self.assertEqual(self.get("/metrics", method)[0], 405, method)
            self.assertEqual(self.get_by_port("/readyz", method)[0], 405, method)
        self.assertEqual(self.get("/metrics", "HEAD"), (200, ""))
        self.assertEqual(call(self.admin, "POST", "/metrics", b"x" * MIB)[0], 405)

    def test_neither_side_does_the_work_of_the_other(self):
        self.assertEqual(call(self.admin, "POST", "/AuthZPlugin.AuthZReq", PS)[0], 405)
        self.assertEqual(call(self.judge.socket, "GET", "/metrics")[0], 405)

    def test_garbage_and_idlers_stop_neither_it_nor_the_judge(self):
        idlers = [socket.socket(socket.AF_UNIX) for _ in range(100)]
        for idler in idlers:
            idler.connect(str(self.admin))
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))
        self.assertEqual(self.get_by_port("/readyz")[0], 200)
        for idler in idlers:
            idler.close()
        for data in (b"\x16\x03\x01\x02\x00", b"\n" * 5000, b"GET " + b"a" * 70000, b"\x00"):
            try:
                talk(self.admin, data, timeout=1)
            except TimeoutError:
                pass
        wait_until(lambda: self.get("/healthz") == (200, "ok\n"), 10, "it answers")
        self.assertEqual(self.ask(PS), (200, {"Allow": True}))

    def test_a_port_that_is_taken_leaves_the_judge_at_work(self):
        other = Judge(self.judge.home / "other")
        other.home.mkdir()
        other.write_policy(POLICY)
        other.start("--metrics-listen", f"127.0.0.1:{self.port}", "--admin-socket",
                    str(self.admin))
        self.addCleanup(other.stop)
        wait_until(lambda: "in use" in other.log.read_text(), 10, "it says so")
        self.assertIn("there is no admin socket", other.log.read_text())
        connection = test_judge.Connection(other.socket)
        self.assertEqual(connection.ask(PS), (200, {"Allow": True}))
        connection.close()
        self.assertEqual(self.get("/healthz"), (200, "ok\n"))


class Options(unittest.TestCase):
    def run_judge(self, *arguments, env=None):
        done = subprocess.run([str(BUILD / "seccomp-authzd"), *arguments], capture_output=True,
                              text=True, timeout=20, env={**os.environ, **(env or {})}, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_an_address_that_others_reach_is_refused_with_the_reason(self):
        for address in ("0.0.0.0:9464", "[::]:9464", "192.0.2.1:9464", "localhost:9464"):
            for arguments, env, name in (
                    (("--metrics-listen", address), {}, "--metrics-listen"),
                    ((f"--metrics-listen={address}",), {}, "--metrics-listen"),
                    ((), {"SECCOMP_AUTHZ_METRICS_LISTEN": address}, "SECCOMP_AUTHZ_METRICS_LISTEN")):
                code, out, err = self.run_judge(*arguments, env=env)
                self.assertEqual((code, out), (2, ""), address)
                self.assertRegex(err, r"\Aseccomp-authz: [^\n]+\n\Z")
                self.assertIn(f"{name}: {address}: ", err)
                self.assertIn("only to this machine", err)

    def test_what_is_no_address_and_no_path_is_refused(self):
        for arguments in (("--metrics-listen", "9464"), ("--metrics-listen", "127.0.0.1"),
                          ("--metrics-listen", "127.0.0.1:65536"), ("--metrics-listen", ""),
                          ("--metrics-listen",), ("--admin-socket", "relative"),
                          ("--admin-socket", ""), ("--admin-socket",)):
            code, out, err = self.run_judge(*arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertRegex(err, r"\Aseccomp-authz: [^\n]+\n\Z", arguments)

    def test_help_names_both(self):
        code, out, err = self.run_judge("--help")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("--admin-socket PATH", out)
        self.assertIn("--metrics-listen ADDR:PORT", out)
