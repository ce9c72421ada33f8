# SPDX-License-Identifier: Apache-2.0
"""`seccomp-authz audit` on a fleet in every posture, beside /proc and beside grep."""

import base64
import contextlib
import fcntl
import hashlib
import http.server
import json
import os
import pathlib
import pty
import re
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import termios
import threading
import time
import unittest
import xml.dom.minidom

import jsonschema

from lab import (BUILD, DIR, HERE, IMAGE, ROOT, UNCONFINED, Engine, Judge, UnixConnection,
                 wait_until)
from test_tls import ADDRESS, CERTS, make_certificates

PROJECT = HERE.parent.parent
PROGRAM = str(BUILD / "seccomp-authz")
ALLOW_ALL = '{"defaultAction":"SCMP_ACT_ALLOW"}'
LOG_ALL = '{"defaultAction":"SCMP_ACT_LOG"}'
BUILTIN = (HERE.parent / "profiles" / "docker-20.10.json").read_text(encoding="ascii")


def weak_profile():
    profile = json.loads(BUILTIN)
    profile["syscalls"].append({"names": ["unshare", "mount"], "action": "SCMP_ACT_ALLOW"})
    return json.dumps(profile)


POLICY = {
    "version": 1,
    "observe": ["weak"],
    "exceptions": [
        {"id": "debug", "allow": ["unconfined"], "reason": "TEST-1",
         "match": {"label": {"team": "debug"}, "name": ["excepted*"]},
         "expires": "2999-01-31T00:00:00Z"},
        {"id": "over", "allow": ["privileged"], "reason": "TEST-2",
         "match": {"name": ["expired*"]}, "expires": "2020-01-31T00:00:00Z"},
        {"id": "by-user", "allow": ["unconfined"], "reason": "TEST-3",
         "match": {"user": ["*"]}},
    ],
}


def options(*texts, **more):
    return {"HostConfig": {"SecurityOpt": list(texts), **more}}


# name -> (what is asked for, runs, verdict, check)
FLEET = {
    "plain": ({}, True, "allow", "default"),
    "plain-stopped": ({}, False, "allow", "default"),
    "no-new-privileges": (options("no-new-privileges"), True, "allow", "default"),
    "capability": ({"HostConfig": {"CapAdd": ["SYS_PTRACE"]}}, True, "allow", "default"),
    "empty-value": (options("seccomp="), True, "allow", "default"),
    "last-is-default": (options("seccomp=unconfined", "seccomp="), True, "allow", "default"),
    "paused": ({}, True, "allow", "default"),
    "busy": ({}, True, "allow", "default"),
    "custom": (options("seccomp=" + BUILTIN), True, "allow", "custom"),
    "custom-stopped": (options("seccomp=" + BUILTIN), False, "allow", "custom"),
    "excepted": ({**options("seccomp=unconfined"), "Labels": {"team": "debug"}}, True,
                 "allow", "unconfined"),
    "excepted-stopped": ({**options("seccomp=unconfined"), "Labels": {"team": "debug"}},
                         False, "allow", "unconfined"),
    "weak": (options("seccomp=" + weak_profile()), True, "observe", "weak"),
    "weak-stopped": (options("seccomp=" + weak_profile()), False, "observe", "weak"),
    "unconfined": (options("seccomp=unconfined"), True, "deny", "unconfined"),
    "unconfined-stopped": (options("seccomp=unconfined"), False, "deny", "unconfined"),
    "colon": (options("seccomp:unconfined"), True, "deny", "unconfined"),
    "last-is-unconfined": (options("seccomp=", "seccomp=unconfined"), True, "deny",
                           "unconfined"),
    "empty-profile": (options("seccomp={}"), True, "deny", "unconfined"),
    "null-profile": (options("seccomp=null"), True, "deny", "unconfined"),
    "no-action": (options('seccomp={"syscalls":[]}'), False, "deny", "unconfined"),
    "label-only": ({**options("seccomp=unconfined"), "Labels": {"team": "debug"}}, False,
                   "deny", "unconfined"),
    "allow-all": (options("seccomp=" + ALLOW_ALL), True, "deny", "permissive"),
    "log-all": (options("seccomp=" + LOG_ALL), False, "deny", "permissive"),
    "privileged": (options(Privileged=True), True, "deny", "privileged"),
    "privileged-stopped": (options(Privileged=True), False, "deny", "privileged"),
    "privileged-custom": (options("seccomp=" + BUILTIN, Privileged=True), True, "deny",
                          "privileged"),
    "expired": (options(Privileged=True), False, "deny", "privileged"),
    "garbage": (options("seccomp=garbage"), False, "deny", "unreadable"),
    "other-runtime": ({"HostConfig": {"Runtime": "other"}}, False, "deny", "runtimes"),
}


def audit(*arguments, host=None, environment=None, enter=(), timeout=60, **more):
    """Returns (exit code, stdout, stderr)."""
    hosts = ["--host", f"unix://{host}"] if host else []
    done = subprocess.run([*enter, PROGRAM, "audit", *hosts, *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                          env={"PATH": os.environ["PATH"], "HOME": str(DIR),
                               **(environment or {})}, check=False, **more)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check_junit(text):
    """Against what Jenkins and Surefire both take."""
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema",
                           str(HERE.parent / "schemas" / "junit.xsd"), "-"],
                          input=text.encode(), capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())


def only_containers(report):
    return {finding["name"]: finding for finding in report["findings"]
            if finding["kind"] == "container"}


def checks_of(report, kind):
    return {finding["check"] for finding in report["findings"] if finding["kind"] == kind}


class Fleet(unittest.TestCase):
    """Every test looks at the same engine; no plugin guards it."""

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine("fleet")
        cls.addClassCleanup(cls.engine.stop)
        cls.engine.start("--add-runtime", "other=/usr/sbin/runc", plugins=())
        cls.engine.import_image()
        cls.old = cls.engine.api < "v1.44"
        cls.policy = cls.engine.home / "policy.json"
        cls.policy.write_text(json.dumps(POLICY))
        cls.proc = f"/proc/{cls.engine.dockerd_pid()}/root/proc"
        cls.fleet = dict(FLEET)
        for name, (wants, runs, _, _) in FLEET.items():
            cls.create(name, wants)
            if runs:
                cls.start(name)
        cls.post("/containers/paused/pause")
        # What is frozen can't be killed.
        cls.addClassCleanup(cls.post, "/containers/paused/unpause")
        cls.engine.docker("exec", "-d", "--privileged", "busy", "sleep", "1000")
        cls.create_own_filters()
        if cls.old:
            cls.start_with_bodies()
        else:
            cls.create_services()
        code, cls.text, _ = cls.run_audit("--format", "json")
        cls.report = json.loads(cls.text)
        if code != 1:
            raise AssertionError(f"exit code {code}")

    @classmethod
    def post(cls, path, body=None, expect=204):
        status, answer = cls.engine.call("POST", path, body)
        if status != expect:
            raise AssertionError(f"{path}: {status} {answer!r}")
        return json.loads(answer or "{}")

    @classmethod
    def create(cls, name, wants):
        cls.post(f"/containers/create?name={name}",
                 {"Image": IMAGE, "Cmd": ["sleep", "1000"], **wants}, expect=201)

    @classmethod
    def start(cls, name):
        cls.post(f"/containers/{name}/start")

    @classmethod
    def create_own_filters(cls):
        """Programs with a filter that no engine gave them."""
        program = cls.engine.home / "own_filter"
        subprocess.run(["gcc", "-static", "-pthread", "-o", str(program),
                        str(HERE / "own_filter.c")], check=True)
        for name, words, privileged in (("own-filter", [], True),
                                        ("own-filter-thread", ["thread"], False)):
            asked = {"Binds": [f"{program}:/own_filter"], "Privileged": privileged,
                     "SecurityOpt": [] if privileged else ["seccomp=unconfined"]}
            cls.create(name, {"Cmd": ["/own_filter", *words], "HostConfig": asked})
            cls.start(name)
        cls.fleet["own-filter"] = ({}, True, "deny", "privileged")
        cls.fleet["own-filter-thread"] = ({}, True, "deny", "unconfined")

    @classmethod
    def start_with_bodies(cls):
        """Settings that a start brings along, or keeps while inspect forgets them."""
        cls.create("started-unconfined", {})
        cls.post("/v1.23/containers/started-unconfined/start",
                 {"SecurityOpt": ["seccomp=unconfined"]})
        cls.fleet["started-unconfined"] = ({}, True, "deny", "unconfined")
        cls.create("started-hidden", options("seccomp=unconfined"))
        cls.post("/v1.23/containers/started-hidden/start", {"Dns": ["127.0.0.1"]})
        cls.fleet["started-hidden"] = ({}, True, "deny", "kernel")

    @classmethod
    def create_services(cls):
        cls.post("/swarm/init", {"ListenAddr": "127.0.0.1:2377",
                                 "AdvertiseAddr": "127.0.0.1"}, expect=200)
        empty = base64.b64encode(b"{}").decode()
        for name, seccomp in (("loose", {"Mode": "unconfined"}), ("tight", None),
                              ("empty", {"Mode": "custom", "Profile": empty}),
                              ("reformed", {"Mode": "unconfined"})):
            cls.post("/services/create", cls.service(name, seccomp), expect=201)
        found = json.loads(cls.engine.call("GET", "/services/reformed")[1])
        cls.post(f"/services/reformed/update?version={found['Version']['Index']}",
                 cls.service("reformed", None), expect=200)

        def task_runs():
            return any("loose" in c["Names"][0] and c["State"] == "running"
                       for c in cls.engine.containers())

        wait_until(task_runs, 60, "a task of the service runs")

    @staticmethod
    def service(name, seccomp):
        return {"Name": name, "Mode": {"Replicated": {"Replicas": 1}},
                "TaskTemplate": {"ContainerSpec": {
                    "Image": IMAGE, "Command": ["sleep", "1000"],
                    "Privileges": {"Seccomp": seccomp} if seccomp else None}}}

    @classmethod
    def run_audit(cls, *arguments, **more):
        return audit("--policy", str(cls.policy), "--proc", cls.proc, *arguments,
                     host=cls.engine.socket, **more)

    def test_each_container_has_its_verdict(self):
        found = {name: (finding["verdict"], finding["check"])
                 for name, finding in only_containers(self.report).items()
                 if name in self.fleet}
        self.maxDiff = None
        self.assertEqual(found, {name: row[2:] for name, row in self.fleet.items()})

    def test_none_is_missing_and_none_is_invented(self):
        names = {c["Names"][0].removeprefix("/") for c in self.engine.containers()}
        self.assertEqual(set(only_containers(self.report)), names)

    def test_kernel_is_reported_as_proc_says(self):
        seen = 0
        for name, finding in only_containers(self.report).items():
            state = json.loads(self.engine.call("GET", f"/containers/{name}/json")[1])
            pid = state["State"]["Pid"]
            if pid == 0:
                self.assertNotIn("kernel", finding, name)
                continue
            status = pathlib.Path(f"{self.proc}/{pid}/status").read_text(encoding="utf-8")
            seccomp = int(re.search(r"^Seccomp:\s(\d)", status, re.M).group(1))
            self.assertEqual(finding["kernel"]["seccomp"], seccomp, name)
            if seccomp == 0:
                self.assertEqual(finding["cis"]["result"], "fail", name)
                self.assertTrue(finding["verdict"] == "deny" or "exception" in finding, name)
            seen += 1
        self.assertGreaterEqual(seen, 15)

    def test_process_of_a_privileged_exec_is_counted_and_has_the_filter(self):
        kernel = only_containers(self.report)["busy"]["kernel"]
        self.assertEqual((kernel["processes"], kernel["unfiltered"]), (2, 0))

    def test_filter_that_a_program_gave_itself_is_no_profile(self):
        found = only_containers(self.report)["own-filter"]
        self.assertEqual((found["kernel"]["seccomp"], found["cis"]["result"]), (2, "fail"))

    def test_thread_without_a_filter_counts(self):
        kernel = only_containers(self.report)["own-filter-thread"]["kernel"]
        self.assertEqual((kernel["seccomp"], kernel["processes"], kernel["unfiltered"]),
                         (2, 1, 1))

    def test_kernel_is_asked_where_pids_are_counted_differently(self):
        """By this machine's /proc, where the engine's pids are those of others."""
        code, out, err = audit("--policy", str(self.policy), "--format", "json",
                               host=self.engine.socket)
        self.assertEqual((code, err), (1, ""))
        found, seen = only_containers(json.loads(out)), 0
        for name, finding in only_containers(self.report).items():
            kernel = finding.get("kernel")
            if kernel and name in self.fleet:
                here = found[name]["kernel"]
                self.assertEqual(here["unfiltered"], kernel["unfiltered"], name)
                self.assertEqual(found[name]["verdict"], finding["verdict"], name)
                seen += 1
        self.assertGreaterEqual(seen, 15)

    def test_folder_that_is_no_proc_is_an_error(self):
        code, out, err = audit("--proc", str(self.engine.home), host=self.engine.socket)
        self.assertEqual((code, out, len(err.splitlines())), (2, "", 1), err)
        self.assertIn("no process is to be seen there", err)

    def test_report_that_can_not_be_written_is_an_error(self):
        for form in ("table", "json", "cis", "junit", "sarif", "html"):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([PROGRAM, "audit", "--format", form, "--host",
                                       f"unix://{self.engine.socket}"], stdout=full,
                                      stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 2, form)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_grep_finds_less(self):
        """What the known scripts do, on the same containers."""
        missed, found = [], 0
        for name, finding in only_containers(self.report).items():
            text = self.engine.call("GET", f"/containers/{name}/json")[1].decode()
            if re.search(r"seccomp[:=]unconfined", text):
                found += 1
            elif finding["verdict"] == "deny":
                missed.append(name)
        print(f"     grep: {found} found; denied and missed: {', '.join(sorted(missed))}")
        self.assertIn("privileged", missed)
        self.assertIn("empty-profile", missed)
        if self.old:
            self.assertIn("started-hidden", missed)

    def test_exception_is_named_with_its_end(self):
        exception = only_containers(self.report)["excepted"]["exception"]
        self.assertEqual(exception, {"id": "debug", "reason": "TEST-1",
                                     "expires": "2999-01-31T00:00:00Z"})

    def test_services_and_their_previous_specs_are_judged(self):
        if self.old:
            self.assertEqual(self.report["summary"]["services"], 0)
            return
        found = {(f["name"], f["kind"]): f["verdict"] for f in self.report["findings"]}
        self.assertEqual(found["loose", "service"], "deny")
        self.assertEqual(found["empty", "service"], "deny")
        self.assertEqual(found["tight", "service"], "allow")
        self.assertEqual(found["reformed", "service"], "allow")
        self.assertEqual(found["reformed", "previous spec"], "deny")

    def test_json_is_as_its_schema_says(self):
        schema = json.loads((PROJECT / "plugin-spec" / "audit.schema.json").read_text())
        jsonschema.validate(self.report, schema)
        summary, found = self.report["summary"], list(only_containers(self.report).values())
        self.assertEqual(summary["containers"], len(found))
        self.assertEqual(summary["cis"]["fail"],
                         sum(f["cis"]["result"] == "fail" for f in found))
        self.assertEqual(sum(summary["postures"].values()),
                         sum(f["kind"] != "engine" for f in self.report["findings"]))

    def test_worst_comes_first(self):
        rank = {"deny": 0, "fail": 0, "observe": 1, "advice": 1, "allow": 2, "pass": 2}
        ranks = [rank[finding["verdict"]] for finding in self.report["findings"]]
        self.assertEqual(ranks, sorted(ranks))

    def test_advice_is_that_of_the_version(self):
        found = checks_of(self.report, "engine")
        self.assertIn("engine-chain", found)
        self.assertIn("engine-large-body", found)
        self.assertIn("engine-buildkit", found)
        self.assertEqual("engine-body" in found, self.old)

    def test_table_has_verdict_and_totals(self):
        code, out, err = self.run_audit()
        self.assertEqual((code, err), (1, ""))
        lines = out.splitlines()
        self.assertTrue(lines[0].startswith("VERDICT"))
        self.assertTrue(lines[1].startswith("deny"))
        self.assertIn("What to do:", out)

    def test_cis_lines_begin_as_the_manual_command_prints_them(self):
        code, manual, _ = self.engine.docker(
            "inspect", "--format", "{{.Id}}: SecurityOpt={{.HostConfig.SecurityOpt}}",
            "plain", "unconfined", "colon", "no-new-privileges", "excepted-stopped")
        self.assertEqual(code, 0)
        _, out, _ = self.run_audit("--format", "cis")
        lines = {line[:64]: line for line in out.splitlines()}
        for line in manual.splitlines():
            self.assertTrue(lines[line[:64]].startswith(line.replace("<no value>", "[]")),
                            (line, lines[line[:64]]))

    def test_junit_counts_as_json_does(self):
        _, out, _ = self.run_audit("--format", "junit")
        check_junit(out)
        suite = xml.dom.minidom.parseString(out).getElementsByTagName("testsuite")[0]
        self.assertEqual(int(suite.getAttribute("tests")), len(self.report["findings"]))
        self.assertEqual(int(suite.getAttribute("failures")), self.report["summary"]["fail"])
        self.assertEqual(len(suite.getElementsByTagName("failure")),
                         self.report["summary"]["fail"])

    def test_sarif_names_a_rule_of_its_own_for_each_result(self):
        _, out, _ = self.run_audit("--format", "sarif")
        schema = HERE.parent / "schemas" / "sarif-2.1.0-rtm.5.json"
        jsonschema.Draft4Validator(json.loads(schema.read_text("utf-8"))).validate(
            json.loads(out))
        run = json.loads(out)["runs"][0]
        rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
        self.assertLessEqual({result["ruleId"] for result in run["results"]}, rules)
        self.assertEqual(len(run["results"]), len(self.report["findings"]))
        self.assertTrue(run["invocations"][0]["executionSuccessful"])

    def test_html_fetches_nothing(self):
        _, out, _ = self.run_audit("--format", "html")
        self.assertNotRegex(out, r"(?i)(src|href|action|data)\s*=|url\(|@import|fetch\(")
        self.assertIn("TEST-2", out)
        self.assertIn("(expired)", out)

    def test_stopped_engine_is_said_and_exit_is_2(self):
        code, out, err = audit("--format", "json", "--host", "unix:///nowhere/docker.sock",
                               "--policy", str(self.policy), host=self.engine.socket)
        self.assertEqual(code, 2)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertIn("unix:///nowhere/docker.sock: No such file", err)
        report = json.loads(out)
        self.assertGreaterEqual(len(only_containers(report)), 30)
        self.assertEqual([e["complete"] for e in report["engines"]], [True, False])

    def test_no_permission_is_said(self):
        os.chmod(self.engine.socket, 0o600)
        code, out, err = audit("--format", "json", host=self.engine.socket,
                               enter=["setpriv", "--reuid", "65534", "--clear-groups"])
        self.assertEqual((code, json.loads(out)["findings"]), (2, []))
        self.assertIn("Permission denied; run as root", err)
        self.assertEqual(len(err.splitlines()), 1)

    def test_clean_engine_is_exit_0(self):
        lenient = self.engine.home / "lenient.json"
        lenient.write_text(json.dumps({"version": 1, "mode": "observe"}))
        code, out, _ = audit("--policy", str(lenient), "--format", "json",
                             host=self.engine.socket)
        self.assertEqual((code, json.loads(out)["summary"]["fail"]), (0, 0))

    def test_probe_of_an_unguarded_engine_fails(self):
        before = len(self.engine.containers())
        _, out, _ = self.run_audit("--format", "json", "--probe")
        found = [f for f in json.loads(out)["findings"] if f["check"] == "engine-probe"]
        self.assertEqual([f["verdict"] for f in found], ["fail"])
        self.assertEqual(len(self.engine.containers()), before)

    def test_check_reads_what_inspect_prints(self):
        _, out, _ = self.engine.docker("inspect", "plain", "unconfined", "privileged")
        done = subprocess.run([PROGRAM, "check", "--policy", str(self.policy), "-"], input=out,
                              capture_output=True, text=True, check=False)
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual([line[2] for line in lines],
                         ['"plain"', '"unconfined"', '"privileged"'])
        self.assertEqual([line[3] for line in lines[1:]], ["unconfined", "privileged"])
        self.assertEqual(done.returncode, 1)


class Guarded(unittest.TestCase):
    """An engine with the plugin, by TLS, watched across a restart."""

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine("watched")
        cls.addClassCleanup(cls.engine.stop)
        cls.judge = Judge(cls.engine.home)
        cls.judge.write_policy({"version": 1, "mode": "enforce", "exceptions": [
            {"id": "all", "allow": ["unconfined"], "reason": "TEST-1",
             "match": {"name": ["dbg-*"]}}]})
        cls.judge.start()
        cls.addClassCleanup(cls.judge.stop)
        make_certificates()
        for name in ("ca.pem", "server.pem", "server.key"):
            (cls.engine.home / name).write_bytes((CERTS / name).read_bytes())
        cls.options = ("-H", f"tcp://{ADDRESS}", "--tlsverify",
                       "--tlscacert", str(cls.engine.home / "ca.pem"),
                       "--tlscert", str(cls.engine.home / "server.pem"),
                       "--tlskey", str(cls.engine.home / "server.key"))
        cls.engine.start(*cls.options)
        cls.engine.import_image()
        cls.certificates = cls.engine.home / "client-certificates"
        cls.certificates.mkdir()
        for name, file in (("ca.pem", "ca.pem"), ("cert.pem", "ci-bot.pem"),
                           ("key.pem", "ci-bot.key")):
            (cls.certificates / name).write_bytes((CERTS / file).read_bytes())

    def audit_tcp(self, environment, *arguments):
        """The engine's loopback is in its own network namespace."""
        enter = ["nsenter", f"--net=/proc/{self.engine.dockerd_pid()}/ns/net"]
        return audit("--format", "json", *arguments, environment=environment, enter=enter)

    def test_probe_comes_back_refused(self):
        _, out, err = audit("--format", "json", "--probe", host=self.engine.socket)
        found = {f["check"]: f for f in json.loads(out)["findings"]}
        self.assertEqual(found["engine-probe"]["verdict"], "pass", found["engine-probe"])
        self.assertIn("authorization denied by plugin seccomp-authz",
                      found["engine-probe"]["message"])
        self.assertNotIn("engine-chain", found)
        self.assertEqual(self.judge.records()[-1]["posture"], "unreadable", err)

    def test_plugin_of_the_command_line_alone_is_told(self):
        config = self.engine.home / "other.json"
        for text, told in (("{}", True),
                           ('{"authorization-plugins": ["seccomp-authz"]}', False)):
            config.write_text(text)
            _, out, _ = audit("--format", "json", "--daemon-json", str(config),
                              host=self.engine.socket)
            self.assertEqual("engine-flag" in checks_of(json.loads(out), "engine"), told)

    def test_configuration_is_read_as_engines_read_it(self):
        config = self.engine.home / "config.json"
        chain = '"authorization-plugins": ["seccomp-authz"]'
        for text, checks in (
                (b"\xef\xbb\xbf{%s}" % chain.encode(), set()),
                (b"", {"engine-flag"}), (b" \n", {"engine-flag"}), (b"{}", {"engine-flag"}),
                (b"{%s} // mine" % chain.encode(), {"engine-config"}),
                (b"{%s}{}" % chain.encode(), {"engine-config"}),
                (b"[]", {"engine-config"}), (b"\xff\xfe{\0}\0", {"engine-config"}),
                (None, {"engine-config"}),
                (b'{%s, "seccomp-profile": "unconfined"}' % chain.encode(), {"engine-next"}),
                (b'{%s, "builder": {"entitlements": {"security-insecure": true}}}'
                 % chain.encode(), {"engine-entitlement"}),
                (b'{%s, "builder": {"Entitlements": {"Security-Insecure": true}}}'
                 % chain.encode(), {"engine-entitlement"}),
                (b'{"builder": {"entitlements": {"security-insecure": true}}, %s, "builder": {}}'
                 % chain.encode(), {"engine-config"}),
                (b'{"authorization-plugins": ["Seccomp-Authz"]}', {"engine-flag"})):
            config.unlink(missing_ok=True)
            if text is not None:
                config.write_bytes(text)
            code, out, err = audit("--format", "json", "--daemon-json", str(config),
                                   host=self.engine.socket)
            found = checks_of(json.loads(out), "engine")
            self.assertEqual(found & {"engine-flag", "engine-config", "engine-next",
                                      "engine-entitlement"}, checks, text)
            self.assertEqual((code, err), (int("engine-next" in checks), ""), text)

    def test_configuration_that_is_hidden_is_not_taken_for_none(self):
        """At its usual place, by somebody who may use the socket and read no more."""
        os.chmod(self.engine.socket, 0o666)
        self.addCleanup(os.chmod, self.engine.socket, 0o660)
        places = ("mount -n -t tmpfs -o mode=755 tmpfs /etc && mkdir -m {mode} /etc/docker &&"
                  " mount -n -t tmpfs -o mode=755 tmpfs /run &&"
                  " ln -s {socket} /run/docker.sock"
                  " && exec setpriv --reuid 65534 --clear-groups \"$@\"")
        for mode, check in (("700", "engine-config"), ("755", "engine-flag")):
            enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                     places.format(mode=mode, socket=self.engine.socket), "sh"]
            _, out, err = audit("--format", "json", enter=enter)
            found = checks_of(json.loads(out), "engine")
            self.assertEqual((found & {"engine-config", "engine-flag"}, err), ({check}, ""))

    def test_tls_by_environment(self):
        code, out, err = self.audit_tcp({"DOCKER_HOST": f"tcp://{ADDRESS}",
                                         "DOCKER_TLS_VERIFY": "1",
                                         "DOCKER_CERT_PATH": str(self.certificates)})
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(out)["engines"][0]["host"], f"tcp://{ADDRESS}")

    def test_tls_by_context(self):
        home = self.engine.home / "docker-home"
        name = hashlib.sha256(b"prod").hexdigest()
        meta, tls = home / "contexts/meta" / name, home / "contexts/tls" / name / "docker"
        meta.mkdir(parents=True, exist_ok=True)
        tls.parent.mkdir(parents=True, exist_ok=True)
        if not tls.exists():
            tls.symlink_to(self.certificates)
        (meta / "meta.json").write_text(json.dumps(
            {"Name": "prod", "Endpoints": {"docker": {"Host": f"tcp://{ADDRESS}",
                                                      "SkipTLSVerify": False}}}))
        (home / "config.json").write_text('{"currentContext": "prod"}')
        code, _, err = self.audit_tcp({"DOCKER_CONFIG": str(home)})
        self.assertEqual((code, err), (0, ""))

    def test_tls_by_context_as_the_client_keeps_it(self):
        """In ~/.docker, chosen by DOCKER_CONTEXT; another context is the current one."""
        home = self.engine.home / "user-home"
        store = home / ".docker/contexts"
        for name, host in (("ci", f"tcp://{ADDRESS}"), ("other", "unix:///nowhere.sock")):
            folder = hashlib.sha256(name.encode()).hexdigest()
            (store / "meta" / folder).mkdir(parents=True, exist_ok=True)
            (store / "meta" / folder / "meta.json").write_text(json.dumps(
                {"Name": name, "Metadata": {}, "Endpoints": {
                    "docker": {"Host": host, "SkipTLSVerify": False}}}))
        tls = store / "tls" / hashlib.sha256(b"ci").hexdigest() / "docker"
        tls.mkdir(parents=True, exist_ok=True)
        for name in ("ca.pem", "cert.pem", "key.pem"):
            (tls / name).write_bytes((self.certificates / name).read_bytes())
        (home / ".docker/config.json").write_text('{"currentContext": "other"}')
        told = {"HOME": str(home), "DOCKER_CONTEXT": "ci"}
        code, out, err = self.audit_tcp(told)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(json.loads(out)["engines"][0]["host"], f"tcp://{ADDRESS}")
        # The variables of a host without context are none of a context's.
        code, _, err = self.audit_tcp({**told, "DOCKER_TLS_VERIFY": "1",
                                       "DOCKER_CERT_PATH": "/nowhere"})
        self.assertEqual((code, err), (0, ""))
        code, _, err = self.audit_tcp({"HOME": str(home)})
        self.assertEqual((code, "nowhere.sock" in err), (2, True), err)
        for name, said in (("cert.pem", "client certificate"), ("ca.pem", "certificate")):
            (tls / name).unlink()
            code, _, err = self.audit_tcp(told)
            self.assertEqual((code, len(err.splitlines())), (2, 1), err)
            self.assertIn(said, err)

    def test_certificate_of_another_authority_is_an_error(self):
        folder = self.engine.home / "wrong"
        folder.mkdir(exist_ok=True)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                        "/CN=other", "-keyout", "/dev/null", "-out", str(folder / "ca.pem")],
                       check=True, capture_output=True)
        code, out, err = self.audit_tcp({"DOCKER_HOST": f"tcp://{ADDRESS}",
                                         "DOCKER_TLS_VERIFY": "1",
                                         "DOCKER_CERT_PATH": str(folder)})
        self.assertEqual((code, json.loads(out)["findings"]), (2, []))
        self.assertEqual(len(err.splitlines()), 1)
        self.assertIn("its certificate is of no authority in ca.pem", err)

    def test_client_without_a_certificate_that_the_engine_knows_is_an_error(self):
        folder = self.engine.home / "stranger"
        folder.mkdir(exist_ok=True)
        (folder / "ca.pem").write_bytes((CERTS / "ca.pem").read_bytes())
        told = {"DOCKER_HOST": f"tcp://{ADDRESS}", "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": str(folder)}
        for stranger in (False, True):
            if stranger:
                subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                                "-subj", "/CN=other", "-keyout", str(folder / "key.pem"),
                                "-out", str(folder / "cert.pem")], check=True,
                               capture_output=True)
            code, out, err = self.audit_tcp(told)
            self.assertEqual((code, json.loads(out)["findings"]), (2, []))
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertIn("client certificate", err)
        (folder / "key.pem").write_text("broken")
        code, _, err = self.audit_tcp(told)
        print(f"     {err}", end="")
        self.assertEqual((code, len(err.splitlines())), (2, 1), err)
        self.assertIn("key.pem", err)

    def test_plain_request_to_a_tls_port_is_an_error(self):
        code, _, err = self.audit_tcp({"DOCKER_HOST": f"tcp://{ADDRESS}"})
        self.assertEqual((code, len(err.splitlines())), (2, 1))

    def test_watch_goes_on_after_a_restart_of_the_engine(self):
        record = self.engine.home / "watch" / "audit.jsonl"
        record.parent.mkdir(exist_ok=True)
        out = self.engine.home / "watch" / "out"
        with open(out, "wb") as file:
            watch = subprocess.Popen([PROGRAM, "audit", "--watch", "--format", "json",
                                      "--host", "unix:///nowhere/docker.sock",
                                      "--host", f"unix://{self.engine.socket}",
                                      "--record", f"file:{record}"],
                                     stdout=file, stderr=subprocess.DEVNULL)
        self.addCleanup(watch.kill)

        def names():
            lines = out.read_text(encoding="utf-8").splitlines()
            return [json.loads(line).get("name") for line in lines]

        def run(name):
            code, _, err = self.engine.docker("run", "-d", "--name", name, "--security-opt",
                                              "seccomp=unconfined", "busybox", "sleep", "900")
            self.assertEqual(code, 0, err)
            wait_until(lambda: name in names(), 20, f"{name} was judged")

        wait_until(names, 20, "the watch looked at the engine")
        run("dbg-1")
        self.engine.halt()
        self.engine.start(*self.options)
        time.sleep(1)
        run("dbg-2")
        watch.send_signal(signal.SIGTERM)
        self.assertEqual(watch.wait(20), 0)
        records = [json.loads(line) for line in record.read_text().splitlines()]
        self.assertEqual({r["containers"][0]["name"] for r in records}, {"dbg-1", "dbg-2"})
        self.assertEqual({r["decision"] for r in records}, {"deny"})
        self.assertEqual({r["operation"] for r in records}, {"inspect"})
        subprocess.run([PROGRAM, "log", "verify", str(record)], check=True,
                       capture_output=True)


class Certificates(unittest.TestCase):
    """Of an engine, shown by a server of ours: no engine starts with these."""

    CONFIG = """[ca]
default_ca = own
[own]
database = index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[ext]
subjectAltName = {names}
basicConstraints = CA:TRUE
"""

    def make(self, folder, names, end):
        """ca.pem and own.key, for `names`, until `end`."""
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(self.CONFIG.format(names=names))
        (folder / "index").write_text("")
        for words in (["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
                       "-keyout", "own.key", "-out", "request"],
                      ["ca", "-batch", "-selfsign", "-config", "config", "-extensions", "ext",
                       "-keyfile", "own.key", "-in", "request", "-notext", "-outdir", ".",
                       "-startdate", "20200101000000Z", "-enddate", end, "-out", "ca.pem"]):
            subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    def test_expired_or_of_another_name_is_an_error(self):
        for number, (names, end, said) in enumerate((
                ("DNS:other.example.com", "29991231235959Z", "not match"),
                ("DNS:localhost", "29991231235959Z", "not match"),
                ("DNS:localhost,IP:127.0.0.1", "20200102000000Z", "has expired"))):
            folder = DIR / f"own-ca-{number}"
            self.make(folder, names, end)
            server = subprocess.Popen(["openssl", "s_server", "-quiet", "-accept",
                                       "127.0.0.1:23760", "-cert", str(folder / "ca.pem"),
                                       "-key", str(folder / "own.key")],
                                      stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            self.addCleanup(server.wait)
            self.addCleanup(server.kill)
            wait_until(self.is_open, 10, "the server listens")
            code, out, err = audit("--format", "json", environment={
                "DOCKER_HOST": "tcp://127.0.0.1:23760", "DOCKER_TLS_VERIFY": "1",
                "DOCKER_CERT_PATH": str(folder)})
            server.kill()
            server.wait()
            print(f"     {err}", end="")
            self.assertEqual((code, json.loads(out)["findings"]), (2, []))
            self.assertEqual(len(err.splitlines()), 1, err)
            self.assertIn(said, err.lower())

    @staticmethod
    def is_open():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", 23760)) == 0


class DefaultOff(unittest.TestCase):
    """An engine that gives no filter unless asked to (23.0 and later)."""

    def test_engine_and_each_plain_container_are_found(self):
        engine = Engine("defaultoff")
        self.addCleanup(engine.stop)
        profile = "unconfined"
        if engine_version() < 23:  # takes it for a file
            profile = str(engine.home / "open.json")
            pathlib.Path(profile).write_text("{}")
        engine.start("--seccomp-profile", profile, plugins=())
        engine.import_image()
        engine.docker("create", "--name", "plain", "busybox", "true")
        engine.docker("create", "--name", "builtin", "--security-opt", f"seccomp={self.file()}",
                      "busybox", "true")
        code, out, err = audit("--format", "json", host=engine.socket)
        report = json.loads(out)
        self.assertEqual((code, err), (1, ""))
        self.assertEqual(only_containers(report)["plain"]["check"], "unconfined")
        self.assertEqual(only_containers(report)["builtin"]["check"], "custom")
        self.assertTrue({"engine-default", "engine-profile"} & checks_of(report, "engine"))

    @staticmethod
    def file():
        return HERE.parent / "profiles" / "docker-20.10.json"


class DefaultFile(unittest.TestCase):
    """An engine whose own default is a file, in every shape of one."""

    PROFILES = {  # -> posture of a plain container, verdict, whether the engine itself fails
        "weak": (weak_profile, "weak", "deny"),
        "strict": (lambda: BUILTIN, "default", "allow"),
        "denies-one": (lambda: json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["reboot"], "action": "SCMP_ACT_ERRNO"}]}), "weak", "deny"),
        "logs": (lambda: LOG_ALL, "permissive", "deny"),
    }

    def test_plain_container_has_the_posture_of_the_file(self):
        for name, (make, posture, verdict) in self.PROFILES.items():
            engine = Engine("defaultfile")
            try:
                self.check(engine, make(), posture, verdict, name)
            finally:
                engine.stop()

    def check(self, engine, profile, posture, verdict, name):
        path = engine.home / "default.json"
        path.write_text(profile)
        engine.start("--seccomp-profile", str(path), plugins=())
        engine.import_image()
        for container, wanted in (("plain", []), ("loose", UNCONFINED),
                                  ("own", [f"seccomp={BUILTIN}"])):
            status, answer = engine.call("POST", f"/containers/create?name={container}",
                                         {"Image": IMAGE, "Cmd": ["true"], **options(*wanted)})
            self.assertEqual(status, 201, answer)
        _, out, err = audit("--format", "json", host=engine.socket)
        self.assertEqual(err, "")
        report = json.loads(out)
        found = only_containers(report)
        self.assertEqual((found["plain"]["check"], found["plain"]["verdict"]),
                         (posture, verdict), name)
        self.assertEqual((found["loose"]["check"], found["own"]["check"]),
                         ("unconfined", "custom"))
        own = [f for f in report["findings"] if f["check"] == "engine-profile"]
        self.assertEqual([f["verdict"] for f in own],
                         ["fail" if verdict == "deny" else "advice"], name)
        self.assertIn("custom" if posture == "default" else posture, own[0]["message"])
        self.accept(engine, found["plain"])

    def accept(self, engine, plain):
        """What the policy says of it holds, as at the door: here by digest."""
        if plain["check"] != "weak":
            return
        policy = engine.home / "accept.json"
        policy.write_text(json.dumps({"version": 1, "exceptions": [
            {"id": "site", "allow": ["weak"], "reason": "TEST-1",
             "match": {"profile": [plain["profile_digest"]]}}]}))
        _, out, _ = audit("--format", "json", "--policy", str(policy), host=engine.socket)
        report = json.loads(out)
        self.assertEqual(only_containers(report)["plain"]["verdict"], "allow")
        own = [f for f in report["findings"] if f["check"] == "engine-profile"]
        self.assertEqual([f["verdict"] for f in own], ["advice"])

    def test_file_of_the_next_start_is_judged_too(self):
        engine = Engine("defaultnext")
        self.addCleanup(engine.stop)
        engine.start(plugins=())
        path, config = engine.home / "next.json", engine.home / "next-daemon.json"
        config.write_text(json.dumps({"seccomp-profile": str(path)}))
        for profile, verdict in ((weak_profile(), "fail"), (BUILTIN, "advice"), ("{}", "fail"),
                                 ("garbage", "fail"), ("", "fail"), (None, "advice")):
            path.unlink(missing_ok=True)
            if profile is not None:
                path.write_text(profile)
            code, out, _ = audit("--format", "json", "--daemon-json", str(config),
                                 host=engine.socket)
            found = [f for f in json.loads(out)["findings"] if f["check"] == "engine-next"]
            self.assertEqual([f["verdict"] for f in found], [verdict], profile)
            self.assertEqual(code, int(verdict == "fail"))


def engine_version():
    command = ["chroot", ROOT] if ROOT != "/" else []
    out = subprocess.run([*command, "dockerd", "--version"], check=True, text=True,
                         capture_output=True).stdout
    return int(re.search(r"version (\d+)\.", out).group(1))


# Code, seconds and kilobytes of a command. A child's peak counts what its parent had before
# the exec, so the parent is a small one.
MEASURE = """if True:
    import os, sys, time
    begin = time.monotonic()
    _, status, usage = os.wait4(os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:]), 0)
    print(os.waitstatus_to_exitcode(status), time.monotonic() - begin, usage.ru_maxrss,
          file=sys.stderr)
"""


class Many(unittest.TestCase):
    """Thousands of stopped containers: time and memory."""

    COUNT = 2000

    def create_all(self, engine):
        names = iter(range(self.COUNT))
        lock = threading.Lock()

        def create():
            connection = UnixConnection(engine.socket, 60)
            while True:
                with lock:
                    number = next(names, None)
                if number is None:
                    connection.close()
                    return
                asked = options(*(UNCONFINED if number % 10 == 0 else ()))
                connection.request("POST", f"/containers/create?name=many-{number}",
                                   json.dumps({"Image": IMAGE, "Cmd": ["true"], **asked}),
                                   {"Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 201:
                    raise AssertionError(answer.status)

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def test_two_thousand_take_less_than_10_s_and_30_mb(self):
        engine = Engine("many")
        self.addCleanup(engine.stop)
        engine.start(plugins=())
        engine.import_image()
        self.create_all(engine)
        for form in ("json", "html"):
            with open(engine.home / form, "wb") as file:
                done = subprocess.run([sys.executable, "-S", "-c", MEASURE, PROGRAM, "audit",
                                       "--format", form, "--host", f"unix://{engine.socket}"],
                                      stdout=file, stderr=subprocess.PIPE, check=True)
            code, seconds, kilobytes = map(float, done.stderr.split())
            print(f"     {form}: {self.COUNT} containers in {seconds:.1f} s,"
                  f" {kilobytes / 1024:.1f} MB")
            self.assertEqual(code, 1)
            self.assertLess(seconds, 10)
            self.assertLess(kilobytes, 30 * 1000)
        report = json.loads((engine.home / "json").read_text())
        self.assertEqual(report["summary"]["containers"], self.COUNT)
        self.assertEqual(report["summary"]["postures"]["unconfined"], self.COUNT // 10)


# ---- an engine that says what it likes ----------------------------------------------------


HANG = object()  # an answer that never comes


class Liar(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers from a dict: path -> object, or bytes to send as they are before it hangs up."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path, answers):
        path.unlink(missing_ok=True)
        self.answers = {
            "/version": {"Version": "29.7.2"},
            "/info": {"Name": "liar", "DefaultRuntime": "runc",
                      "SecurityOptions": ["name=seccomp,profile=builtin"],
                      "Plugins": {"Authorization": ["seccomp-authz"]}},
            "/plugins": [], **answers}
        super().__init__(str(path), LiarHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish(self):
        self.shutdown()
        self.server_close()


class LiarHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "-"

    def log_message(self, *_):
        pass

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has heard enough

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self):
        answer = self.server.answers.get(self.path.split("?")[0])
        if answer is HANG:
            time.sleep(3600)
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            self.close_connection = True
            return
        status, answer = (404, {"message": "no such thing"}) if answer is None else (200, answer)
        if isinstance(answer, tuple):
            status, answer = answer
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def document(number, name="web", **more):
    return {"Id": f"{number:064x}", "Name": f"/{name}", "State": {"Status": "exited"},
            "Config": {"Image": "nginx"}, "HostConfig": {}, **more}


class Lies(unittest.TestCase):
    """What no engine would say, or only one that breaks."""

    def audit_liar(self, documents, *arguments, **answers):
        listed = [{"Id": f"{number:064x}"} for number in documents]
        answers = {"/containers/json": listed, **answers}
        for number, answer in documents.items():
            answers[f"/containers/{number:064x}/json"] = answer
        path = DIR / "liar.sock"
        liar = Liar(path, answers)
        try:
            return audit(*arguments, host=path)
        finally:
            liar.finish()

    def test_markup_in_names_is_shown_and_not_run(self):
        name = "<script>alert(1)</script>"
        evil = document(1, name, Config={"Image": "<img src=x onerror=alert(2)>\u202e\x1b[2J"},
                        HostConfig={"SecurityOpt": ["seccomp=\"><b>&'"]})
        for form in ("html", "junit"):
            _, out, _ = self.audit_liar({1: evil}, "--format", form)
            self.assertIn("&lt;script&gt;alert(1)&lt;/script&gt;", out)
            self.assertIn("&lt;img src=x", out)
            for raw in ("<script>alert", "<img", "<b>", "\u202e", "\x1b"):
                self.assertNotIn(raw, out)
        for form in ("table", "cis"):
            _, out, _ = self.audit_liar({1: evil}, "--format", form)
            self.assertNotIn("\x1b", out)
            self.assertNotIn("\u202e", out)
        _, out, _ = self.audit_liar({1: evil}, "--format", "json")
        self.assertEqual(json.loads(out)["findings"][0]["name"], name)

    def test_what_was_judged_before_the_engine_died_is_shown(self):
        documents = {number: document(number, f"web-{number}") for number in range(1, 40)}
        documents[20] = b""
        code, out, err = self.audit_liar(documents, "--format", "json")
        report = json.loads(out)
        self.assertEqual(code, 2)
        self.assertEqual(len(err.splitlines()), 1, err)
        self.assertFalse(report["engines"][0]["complete"])
        self.assertGreaterEqual(len(report["findings"]), 15)

    def test_every_format_shows_what_was_judged_before_the_engine_died(self):
        documents = {number: document(number, f"web-{number}") for number in range(1, 40)}
        documents[30] = b""
        for form in ("table", "json", "cis", "junit", "sarif", "html"):
            code, out, err = self.audit_liar(documents, "--format", form)
            self.assertEqual((code, len(err.splitlines())), (2, 1), (form, err))
            words = f"{5:064x}" if form == "cis" else "web-5"
            self.assertIn(words, out, form)
            if form == "table":
                self.assertIn("not seen whole: 1 of 1 engines", out)
            if form == "junit":
                self.assertIn('errors="1"', out)
                check_junit(out)
            if form == "sarif":
                self.assertFalse(
                    json.loads(out)["runs"][0]["invocations"][0]["executionSuccessful"])
            if form == "cis":
                self.assertIn("liar.sock: not seen whole\n", out)

    def test_host_that_can_not_be_meant_holds_up_no_other(self):
        """Every report says which engine is missing, whatever is wrong with it."""
        names = {str(DIR / "no.sock"): "no.sock: No such file", "ssh://host": "ssh",
                 "tcp://": "which host"}
        for bad, said in names.items():
            bad = bad if "://" in bad else f"unix://{bad}"
            for form in ("table", "json", "cis", "junit", "sarif", "html"):
                code, out, err = self.audit_liar({1: document(1)}, "--host", bad, "--host",
                                                 "unix://" + str(DIR / "liar.sock"),
                                                 "--format", form)
                self.assertEqual((code, len(err.splitlines())), (2, 1), (form, err))
                self.assertIn(said, err)
                self.assertIn(f"{1:064x}" if form == "cis" else "web", out, form)
                self.assertIn("not seen whole" if form in ("table", "cis", "html", "junit")
                              else bad, out, form)
                self.assertIn(bad, out, form)
                if form == "json":
                    self.assertEqual([e["complete"] for e in json.loads(out)["engines"]],
                                     [True, False, True])
                if form == "junit":
                    check_junit(out)
                if form == "sarif":
                    run = json.loads(out)["runs"][0]["invocations"][0]
                    self.assertFalse(run["executionSuccessful"])
                    self.assertEqual(len(run["toolExecutionNotifications"]), 1)

    def test_probe_believes_our_refusal_only(self):
        ours = "authorization denied by plugin seccomp-authz: container is refused"
        for status, message, verdict in (
                (403, ours, "pass"), (400, ours, "fail"), (200, ours, "fail"),
                (403, "authorization denied by plugin other: no", "fail"),
                (403, f"authorization denied by plugin other: \"{ours}", "fail"),
                (403, "authorization denied by plugin seccomp-authz2: no", "fail"),
                (500, "plugin seccomp-authz failed with error: EOF", "fail"),
                (404, "No such image: probe", "fail")):
            code, out, _ = self.audit_liar({}, "--format", "json", "--probe", **{
                "/containers/create": (status, {"message": message})})
            found = [f for f in json.loads(out)["findings"] if f["check"] == "engine-probe"]
            self.assertEqual([f["verdict"] for f in found], [verdict], message)
            self.assertEqual(code, int(verdict == "fail"))

    def test_context_that_can_not_be_read_is_an_engine_that_was_not_seen(self):
        code, out, err = audit("--format", "json", environment={"DOCKER_CONTEXT": "nowhere"})
        self.assertEqual((code, len(err.splitlines())), (2, 1), err)
        self.assertIn("docker context nowhere: ", err)
        engine = json.loads(out)["engines"][0]
        self.assertEqual((engine["host"], engine["complete"]), ("the default engine", False))

    def test_table_fits_the_terminal(self):
        """The last columns go first; verdict, posture and name always stay."""
        path = DIR / "liar.sock"
        made = document(1, "a-rather-long-name-of-a-container" * 3,
                        HostConfig={"SecurityOpt": ["seccomp=unconfined"]})
        liar = Liar(path, {"/containers/json": [{"Id": made["Id"]}],
                           f"/containers/{made['Id']}/json": made})
        self.addCleanup(liar.finish)
        for width, last in ((200, "RULE"), (80, "RULE"), (70, "SECCOMP"), (60, "STATE"),
                            (40, "NAME"), (33, "NAME")):
            controller, terminal = pty.openpty()
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
            done = subprocess.run([PROGRAM, "audit", "--host", f"unix://{path}"],
                                  stdout=terminal, stderr=subprocess.PIPE, check=False)
            os.close(terminal)
            out = b""
            with contextlib.suppress(OSError):  # all is read
                while block := os.read(controller, 65536):
                    out += block
            os.close(controller)
            rows = out.decode().split("\r\n\r\n")[0].splitlines()
            self.assertEqual((done.returncode, done.stderr), (1, b""))
            self.assertEqual(rows[0].split()[-1], last, width)
            self.assertRegex(rows[1], "^deny +unconfined +a-rather")
            self.assertLessEqual(max(map(len, rows)), width, rows)
            self.assertLessEqual(max(map(len, out.decode().split("\r\n"))), width, out.decode())
            done = subprocess.run([PROGRAM, "audit", "--host", f"unix://{path}"],
                                  stdout=subprocess.PIPE, env={"COLUMNS": str(width)},
                                  check=False)
            self.assertEqual(done.stdout.replace(b"\n", b"\r\n"), out)

    def test_half_an_answer_is_none(self):
        half = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"Id\":"
        code, out, _ = self.audit_liar({1: half}, "--format", "json")
        self.assertEqual((code, only_containers(json.loads(out))), (2, {}))

    def test_what_can_not_be_read_is_denied(self):
        for answer in ({}, [], "x", {"Id": f"{1:064x}"}, (500, {"message": "broken"}),
                       document(1, HostConfig=None),
                       document(1, HostConfig={"Privileged": "no"}),
                       document(1, HostConfig={"SecurityOpt": [None]})):
            code, out, _ = self.audit_liar({1: answer}, "--format", "json")
            found = [f for f in json.loads(out)["findings"] if f["kind"] == "container"]
            self.assertEqual([f["check"] for f in found], ["unreadable"], (answer, out))
            self.assertEqual(code, 1)

    def test_container_that_is_gone_is_no_finding(self):
        code, out, err = self.audit_liar({1: None, 2: document(2)}, "--format", "json")
        self.assertEqual((code, err, len(only_containers(json.loads(out)))), (0, "", 1))

    def test_answers_that_are_none_of_an_engine_are_an_error(self):
        for answers in ({"/info": [1]}, {"/info": b"garbage"}, {"/containers/json": {"x": 1}},
                        {"/containers/json": [{"Id": "../../etc"}]}, {"/version": (500, {})}):
            code, out, err = self.audit_liar({}, "--format", "json", **answers)
            self.assertEqual(code, 2, (answers, out))
            self.assertEqual(len(err.splitlines()), 1, err)
            json.loads(out)


if __name__ == "__main__":
    unittest.main()
