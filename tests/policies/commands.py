#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""commands.py PROGRAM - `seccomp-authz policy` on real input, and the shells' completions."""

import base64
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
SPEC = HERE.parent.parent / "plugin-spec"
RECORDINGS = HERE.parent.parent.parent / "shared" / "recordings"
PROGRAM = os.path.realpath(sys.argv[1]) if len(sys.argv) > 1 else "seccomp-authz"
EXAMPLE = str(SPEC / "policy.example.json")
CASES = str(SPEC / "policy-tests.example.json")
NOW = datetime.datetime.now(datetime.timezone.utc)


def later(**delta):
    return (NOW + datetime.timedelta(**delta)).strftime("%Y-%m-%dT%H:%M:%SZ")


def exception(name, **more):
    return {"id": name, "allow": ["unconfined"], "reason": "TEST-1", "expires": later(days=90),
            "match": {"door": ["docker"], "user": [name]}, **more}


def envelope(user, options=("seccomp=unconfined",)):
    body = json.dumps({"Image": "nginx", "HostConfig": {"SecurityOpt": list(options)}})
    return json.dumps({"User": user, "UserAuthNMethod": "TLS", "RequestMethod": "POST",
                       "RequestUri": "/v1.41/containers/create?name=web",
                       "RequestBody": base64.b64encode(body.encode()).decode()})


def review(user, profile="Unconfined", namespace="shop"):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0"},
           "spec": {"containers": [{"name": "web", "image": "nginx",
                                    "securityContext": {"seccompProfile": {"type": profile}}}]}}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "name": "web-0",
        "namespace": namespace, "operation": "CREATE", "userInfo": {"username": user},
        "object": pod}}


class PolicyCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content),
                        encoding="utf-8")
        return str(path)

    def run_policy(self, *arguments, code=0, text=None):
        done = subprocess.run([PROGRAM, "policy", *arguments], capture_output=True, text=True,
                              input=text, timeout=60, check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        for line in done.stderr.splitlines():
            self.assertTrue(line.startswith("seccomp-authz: "), line)
        return done.stdout, done.stderr


class Lint(PolicyCase):
    def test_a_good_policy_is_ok(self):
        path = self.write("p.json", {"version": 1, "exceptions": [exception("a")]})
        self.assertEqual(self.run_policy("lint", "--strict", path)[0], f"ok {path}\n")

    def test_warnings_count_with_strict_only(self):
        path = self.write("p.json", {"version": 1, "exceptions": [
            exception("a", match={"name": ["web"]})]})
        self.assertIn("[forgeable]", self.run_policy("lint", path)[0])
        self.run_policy("lint", "--strict", path, code=1)

    def test_errors_have_their_line_and_all_are_told(self):
        path = self.write("p.json", '{\n "version": 1,\n "alow": [],\n "mode": "of"\n}')
        out = self.run_policy("lint", path, code=1)[0]
        self.assertRegex(out, rf'error {re.escape(path)}:3:10: /alow: .*did you mean "allow"')
        self.assertRegex(out, rf"error {re.escape(path)}:4:10: /mode: ")
        self.assertIn("errors: 2, warnings: 0", out)

    def test_syntax_is_an_error_and_a_missing_file_is_none(self):
        path = self.write("p.json", '{"version": 1,}')
        self.assertIn(f"error {path}:1:15: ", self.run_policy("lint", path, code=1)[0])
        _, err = self.run_policy("lint", str(self.folder / "none"), code=2)
        self.assertIn("No such file", err)

    def test_the_line_of_each_exception_is_found_in_a_long_file(self):
        policy = {"version": 1, "exceptions": [
            exception(f"e{i}", match={"name": [f"n{i}"]}) for i in range(300)]}
        path = self.write("p.json", json.dumps(policy, indent=1))
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
        told = json.loads(self.run_policy("lint", "--format", "json", path)[0])
        findings = told["files"][0]["findings"]
        self.assertEqual((len(findings), told["warnings"]), (300, 300))
        for finding in findings:
            above = "".join(lines[max(0, finding["line"] - 12):finding["line"]])
            self.assertIn(f'"{finding["id"]}"', above)
            self.assertIn('"match": {', lines[finding["line"] - 1])

    def test_ten_thousand_exceptions_are_looked_at_in_time(self):
        path = self.write("p.json", {"version": 1, "exceptions": [
            exception(f"e{i}", match={"image": [f"registry.example.com/team-{i}/*"],
                                      "user": [f"ci-{i}"], "door": ["docker"]})
            for i in range(10000)]})
        self.assertEqual(self.run_policy("lint", "--strict", path)[0], f"ok {path}\n")

    def test_standard_input_is_read(self):
        self.assertEqual(self.run_policy("lint", "-", text='{"version":1}')[0], "ok -\n")


class ShowAndDefault(PolicyCase):
    def test_the_default_is_the_built_in_policy(self):
        text = self.run_policy("default")[0]
        path = self.write("p.json", text)
        self.assertEqual(self.run_policy("lint", "--strict", path)[0], f"ok {path}\n")
        minimal = self.write("m.json", {"version": 1})
        told = [json.loads(self.run_policy("show", "--format", "json", p)[0])
                for p in (path, minimal)]
        for one in told:
            del one["digest"], one["source"]
        self.assertEqual(told[0], told[1])

    def test_exceptions_are_shown_with_their_state(self):
        path = self.write("p.json", {"version": 1, "exceptions": [
            exception("now"), exception("gone", expires=later(days=-3)),
            exception("watched", mode="observe"), exception("weak", match={"name": ["x"]})]})
        told = json.loads(self.run_policy("show", "--format", "json", path)[0])
        self.assertEqual([(e["id"], e["state"], e["strong"]) for e in told["exceptions"]],
                         [("now", "active", True), ("gone", "expired", True),
                          ("watched", "observed", True), ("weak", "active", False)])
        out = self.run_policy("show", path)[0]
        self.assertRegex(out, r'(?m)^expired +"\d days ago" .*gone')
        self.assertRegex(out, r'(?m)^active +"in \d\d days" .*now')
        self.assertIn("guards off:      builds, rollback, swarm-membership", out)

    def test_exception_for_a_controller_is_an_error_and_no_strong_one(self):
        for namespace, code, strong in ((None, 1, False), (["build"], 0, True)):
            match = {"door": ["kubernetes"], "user": ["system:serviceaccount:kube-system:*"]}
            if namespace:
                match["namespace"] = namespace
            path = self.write("p.json", json.dumps({"version": 1, "exceptions": [
                {"id": "a", "allow": ["unset"], "match": match, "reason": "r"}]}))
            self.run_policy("lint", path, code=code)
            told = json.loads(self.run_policy("show", "--format", "json", path)[0])
            self.assertEqual(told["exceptions"][0]["strong"], strong)

    def test_what_is_shown_is_what_was_read(self):
        told = json.loads(self.run_policy("show", "--format", "json", EXAMPLE)[0])
        read = json.loads(pathlib.Path(EXAMPLE).read_text(encoding="utf-8"))
        for shown, meant in zip(told["exceptions"], read["exceptions"]):
            self.assertEqual(shown["match"], meant["match"])
            self.assertEqual(set(shown["allow"]), set(meant["allow"]))
            self.assertEqual(shown["reason"], meant["reason"])

    def test_no_policy_is_shown_of_a_broken_file_or_no_judge(self):
        self.run_policy("show", self.write("p.json", "{"), code=2)
        _, err = self.run_policy("show", "--admin-socket", str(self.folder / "none"), code=2)
        self.assertIn("none", err)


class Test(PolicyCase):
    def test_the_example_passes_and_is_what_its_schema_says(self):
        out = self.run_policy("test", "--policy", EXAMPLE, CASES)[0]
        self.assertTrue(out.endswith(" passed, 0 failed\n"), out)
        schema = json.loads((SPEC / "policy-tests.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.validate(json.loads(pathlib.Path(CASES).read_text(encoding="utf-8")), schema,
                            jsonschema.Draft202012Validator)

    def test_a_case_that_fails_says_why(self):
        path = self.write("c.json", {"cases": [
            {"case": "a \"quoted\" <case>", "create": {"Image": "x"}, "expect": "deny"},
            {"case": "two", "create": {"Image": "x"}, "expect": "allow"}]})
        junit = self.folder / "junit.xml"
        out = self.run_policy("test", "--policy", EXAMPLE, "--junit", str(junit), path, code=1)[0]
        self.assertRegex(out, r'FAIL .*c\.json: "a \\"quoted\\" <case>"\n +expected deny; got allow')
        self.assertIn("1 passed, 1 failed", out)
        subprocess.run(["xmllint", "--noout", "--nonet", "--schema",
                        str(HERE.parent / "schemas" / "junit.xsd"), str(junit)],
                       check=True, capture_output=True)
        suites = xml.etree.ElementTree.parse(junit).getroot()
        self.assertEqual((suites.get("tests"), suites.get("failures")), ("2", "1"))
        names = [case.get("name") for case in suites.iter("testcase")]
        self.assertEqual(names, ['a "quoted" <case>', "two"])
        printed = self.run_policy("test", "--policy", EXAMPLE, "--format", "junit", path, code=1)[0]
        self.assertEqual(len(list(xml.etree.ElementTree.fromstring(printed).iter("failure"))), 1)

    def test_a_folder_is_all_its_json(self):
        for name in ("a.json", "b.json"):
            self.write(name, {"cases": [{"case": name, "create": {"Image": "x"},
                                         "expect": "allow"}]})
        self.write("note.txt", "no cases")
        self.assertIn("2 passed", self.run_policy("test", "--policy", EXAMPLE, str(self.folder))[0])

    def test_each_expectation_can_fail(self):
        right = {"decision": "deny", "rule": "default", "posture": "unconfined",
                 "says": "would run without a seccomp filter"}
        create = {"Image": "x", "HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}}
        cases = [{"case": "right", "create": create, "expect": right}]
        for key, wrong in (("decision", "allow"), ("rule", "self"), ("posture", "weak"),
                           ("says", "nonsense"), ("would_match", "x")):
            cases.append({"case": key, "create": create, "expect": {**right, key: wrong}})
        out = self.run_policy("test", "--policy", EXAMPLE,
                              self.write("c.json", {"cases": cases}), code=1)[0]
        self.assertIn("1 passed, 5 failed", out)

    def test_a_review_is_decided_as_the_webhook_would(self):
        policy = self.write("p.json", {"version": 1, "exceptions": [
            exception("ann", match={"door": ["kubernetes"], "user": ["ann"],
                                    "namespace": ["shop"]})]})
        refused = {"decision": "deny", "rule": "default", "posture": "unconfined"}
        rows = [(review("ann"), {"decision": "allow", "rule": "ann"}),
                (review("ann", namespace="till"), refused), (review("bob"), refused),
                (json.dumps(review("bob", "RuntimeDefault")), "allow"),
                ({"request": {}}, "deny"), ("{", "deny"), ("", "deny")]
        path = self.write("c.json", {"cases": [
            {"case": str(i), "admission": sent, "expect": expect}
            for i, (sent, expect) in enumerate(rows)]})
        out = self.run_policy("test", "--policy", policy, path)[0]
        self.assertIn(f"{len(rows)} passed, 0 failed", out)

    def test_what_is_not_understood_is_never_a_pass(self):
        good = {"case": "x", "create": {}, "expect": "allow"}
        schema = json.loads((SPEC / "policy-tests.schema.json").read_text(encoding="utf-8"))
        for bad in ({**good, "expect": "refuse"}, {**good, "expcet": "allow"},
                    {"case": "x", "expect": "allow"}, {**good, "service": {}},
                    {"create": {}, "expect": "allow"}, {"case": "x", "create": {}}, [],
                    {**good, "create": 1}, {**good, "expect": {"rule": "x"}},
                    {**good, "expect": {"decision": "allow", "rules": "x"}},
                    {"case": "x", "envelope": {}, "user": "u", "expect": "allow"},
                    {"case": "x", "admission": {}, "name": "u", "expect": "deny"},
                    {"case": "x", "admission": {}, "envelope": {}, "expect": "deny"},
                    {"case": "x", "admission": [], "expect": "deny"},
                    {"case": "x", "request": {"method": "GET"}, "expect": "allow"},
                    {**good, "user": ""}):
            self.run_policy("test", "--policy", EXAMPLE,
                            self.write("c.json", {"cases": [bad]}), code=2)
            self.assertFalse(jsonschema.Draft202012Validator(schema).is_valid({"cases": [bad]}),
                             bad)
        for bad in ({"cases": []}, {}, {"cases": [good], "more": 1}, "{"):
            self.run_policy("test", "--policy", EXAMPLE, self.write("c.json", bad), code=2)
        self.run_policy("test", "--policy", EXAMPLE, str(self.folder / "none"), code=2)


class Diff(PolicyCase):
    def setUp(self):
        super().setUp()
        self.old = self.write("old.json", {"version": 1, "exceptions": [exception("alice")]})
        self.empty = self.write("empty.json", {"version": 1})
        self.new = self.write("new.json", {"version": 1, "exceptions": [
            exception("bob"), exception("carol", mode="observe")]})

    def test_whose_decision_changes_is_told(self):
        recorded = self.write("r.jsonl", "\n".join(
            [envelope("alice"), json.dumps({"raw": envelope("bob")}), "", envelope("eve"),
             envelope("eve", ())]) + "\n")
        out = self.run_policy("diff", self.old, self.new, "--recorded", recorded, code=1)[0]
        lines = out.splitlines()
        self.assertEqual(len(lines), 3, out)
        self.assertRegex(lines[0], r'^allow -> deny .*:1: POST .* by "alice" .*"alice" -> "default"')
        self.assertRegex(lines[1], r'^deny -> allow .*:2: POST .* by "bob" .*"default" -> "bob"')
        self.assertEqual(lines[2], "4 requests, 2 decisions change, 0 are made by another rule")
        told = self.run_policy("diff", self.old, self.new, "--recorded", recorded, "--format",
                               "json", code=1)[0]
        self.assertEqual([(row["line"], row["user"]) for row in map(json.loads, told.splitlines())],
                         [(1, "alice"), (2, "bob")])

    def test_reviews_are_decided_again_too(self):
        fits = {"door": ["kubernetes"], "user": ["ann"]}
        new = self.write("k.json", {"version": 1, "exceptions": [exception("ann", match=fits)]})
        sent = [json.dumps(review("ann")), json.dumps({"raw": json.dumps(review("ann"))}),
                envelope("ann"), json.dumps(review("bob")),
                json.dumps({"raw": json.dumps(review("ann"))[:-1]})]
        recorded = self.write("r.jsonl", "\n".join(sent))
        lines = self.run_policy("diff", self.old, new, "--recorded", recorded,
                                code=1)[0].splitlines()
        self.assertEqual(len(lines), 3, lines)
        self.assertRegex(lines[0], r'^deny -> allow .*:1: "CREATE" "Pod" in "shop" "web-0" by "ann"'
                                   r' name "web" image ".*nginx:latest" \("default" -> "ann"\)$')
        self.assertRegex(lines[1], r"^deny -> allow .*:2: ")
        self.assertEqual(lines[2], "5 requests, 2 decisions change, 0 are made by another rule")
        told = self.run_policy("diff", self.old, new, "--recorded", recorded, "--format", "json",
                               code=1)[0]
        self.assertEqual([(row["line"], row["user"], row["namespace"], row["kind"], row["object"])
                          for row in map(json.loads, told.splitlines())],
                         [(1, "ann", "shop", "Pod", "web-0"), (2, "ann", "shop", "Pod", "web-0")])

    def test_nothing_changes_between_a_policy_and_itself(self):
        recorded = self.write("r.jsonl", envelope("alice"))
        self.run_policy("diff", self.old, self.old, "--recorded", recorded)

    def test_what_is_there_is_a_recording_too(self):
        box = {"Id": "a" * 64, "Name": "/web", "State": {"Status": "running", "Pid": 0},
               "Config": {"Image": "nginx"}, "Image": "sha256:" + "b" * 64,
               "HostConfig": {"SecurityOpt": ["seccomp=unconfined"], "Runtime": "runc"}}
        plain = {**box, "HostConfig": {"Runtime": "runc"}}
        service = {"ID": "x", "Endpoint": {}, "Spec": {"Name": "svc", "TaskTemplate": {
            "ContainerSpec": {"Image": "nginx", "Privileges": {
                "Seccomp": {"Mode": "unconfined"}}}}}}
        pod = review("ann")["request"]["object"]
        body = {"Image": "nginx", "HostConfig": {"SecurityOpt": ["seccomp:unconfined"]}}
        pods = {"apiVersion": "v1", "kind": "List", "items": [pod, pod]}
        new = self.write("all.json", {"version": 1, "allow": ["default", "unconfined"]})
        for value, indent, wanted in (
                ([plain, box], 4, ["deny -> allow r:17: container name \"web\" image"]),
                ([plain, box], None, ["deny -> allow r:1: container name"]),
                (box, None, ["deny -> allow r:1: container"]),
                (body, None, ["r:1: body of \"/containers/create\""]),
                (body, 2, ["r:1: body of \"/containers/create\""]), (service, 1, ["r:1: service"]),
                (pods, None, ["r:1: manifest \"Pod\" \"web-0\""] * 2),
                (pods, 1, ["r:5: manifest", "r:25: manifest"])):
            path = self.write("r", json.dumps(value, indent=indent))
            for name in (path, "-"):
                done = subprocess.run(
                    [PROGRAM, "policy", "diff", self.empty, new, "--recorded", name],
                    input=pathlib.Path(path).read_text(encoding="utf-8"), text=True,
                    capture_output=True, check=False)
                self.assertEqual(done.returncode, 1, done)
                lines = done.stdout.replace(path, "r").replace(" -:", " r:").splitlines()[:-1]
                self.assertEqual(len(lines), len(wanted), done.stdout)
                for line, want in zip(lines, wanted):
                    self.assertIn(want, line)
        lines = [json.dumps(each) for each in (box, service, plain)]
        out = self.run_policy("diff", self.empty, new, "--recorded",
                              self.write("r", "\n".join(lines)), code=1)[0]
        self.assertIn("3 requests, 2 decisions change", out)
        out = self.run_policy("diff", self.empty, new, "--format", "json", "--recorded",
                              self.write("r", lines[0]), code=1)[0]
        self.assertEqual(json.loads(out)["name"], "web")
        for bad in ('{"version": 1}', "[", "{\n", '[{"a": 1}]', "{}", '{"a":\n1}', "services: {}"):
            self.run_policy("diff", self.empty, new, "--recorded", self.write("r", bad), code=2)

    def test_what_can_not_be_decided_again_is_said(self):
        for text, says in (('{"seq": 1, "prev": ""}', "no bodies"), ('{"a": 1}', "no envelope"),
                           ("nonsense", ":1: "), ("", "nothing was recorded")):
            _, err = self.run_policy("diff", self.old, self.new, "--recorded",
                                     self.write("r.jsonl", text), code=2)
            self.assertIn(says, err)

    @unittest.skipUnless(RECORDINGS.is_dir(), "what real clients sent is not here")
    def test_what_real_clients_sent_is_replayed(self):
        watch = self.write("watch.json", {"version": 1, "mode": "observe"})
        files = sorted(RECORDINGS.glob("*.jsonl"))
        recorded = [word for path in files for word in ("--recorded", str(path))]
        sent = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
        *changes, total = self.run_policy("diff", self.old, self.new, *recorded,
                                          code=1)[0].splitlines()
        self.assertTrue(total.startswith(f"{sent} requests, {len(changes)} decisions change"))
        for line in changes: # alice used TLS when the requests were recorded
            self.assertRegex(line, r'^allow -> deny .* by "alice" .*"alice" -> "default"')
        strict = self.write("strict.json", {"version": 1})
        out = self.run_policy("diff", strict, watch, *recorded, code=1)[0]
        self.assertTrue(all(line.startswith("deny -> observe ") for line in out.splitlines()[:-1]))


@unittest.skipUnless(os.geteuid() == 0, "breaking the glass is for root")
class BreakGlass(PolicyCase):
    def setUp(self):
        super().setUp()
        self.path = self.write("p.json", json.dumps({"version": 1, "exceptions": [exception("a")]},
                                                    indent=2) + "\n")
        self.before = pathlib.Path(self.path).read_bytes()

    def policy(self):
        return json.loads(pathlib.Path(self.path).read_text(encoding="utf-8"))

    def test_it_is_an_exception_that_ends(self):
        os.chmod(self.path, 0o640)
        os.chown(self.path, 1, 2)
        out = self.run_policy("break-glass", "--for", "2h", "--reason", 'INC-1 "quoted"',
                              "--policy", self.path)[0]
        glass, kept = self.policy()["exceptions"]
        self.assertEqual(kept["id"], "a")
        self.assertIn(glass["id"], out)
        self.assertIn('INC-1 "quoted"', glass["reason"])
        end = datetime.datetime.strptime(glass["expires"], "%Y-%m-%dT%H:%M:%SZ")
        left = end - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.assertTrue(datetime.timedelta(minutes=119) < left <= datetime.timedelta(hours=2))
        stat = os.stat(self.path)
        self.assertEqual((stat.st_mode & 0o7777, stat.st_uid, stat.st_gid), (0o640, 1, 2))
        self.assertEqual(pathlib.Path(self.path + ".before-break-glass").read_bytes(), self.before)
        self.run_policy("break-glass", "--end", "--policy", self.path)
        self.assertEqual(pathlib.Path(self.path).read_bytes(), self.before)

    def test_only_what_the_command_made_is_ended(self):
        theirs = [exception(name) for name in ("break-glass-because", "break-glass-",
                                               "break-glass-1-", "break-glass-1-2x",
                                               "break-glass-x-1", "break-glass-1-2 ")]
        before = json.dumps({"version": 1, "exceptions": theirs})
        path = self.write("q.json", json.loads(before))
        before = pathlib.Path(path).read_bytes()
        self.run_policy("break-glass", "--end", "--policy", path)
        self.assertEqual(pathlib.Path(path).read_bytes(), before)
        self.run_policy("break-glass", "--for", "1h", "--reason", "x", "--policy", path)
        glass = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))["exceptions"][0]["id"]
        out = self.run_policy("break-glass", "--end", "--reason", "done", "--policy", path)[0]
        self.assertIn("taken out: " + glass, out)
        self.assertEqual(pathlib.Path(path).read_bytes(), before)

    def test_an_exception_ends_by_the_clock_of_the_judge(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        words = ["break-glass", "--for", "1h", "--reason", "x", "--policy", self.path]
        for ahead, hours, code in ((-2, 1, 0), (3, 4, 0), (30, None, 2)):
            time = (now + datetime.timedelta(hours=ahead)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
            record = self.folder / "record.jsonl"
            record.write_text('{"time":"%s","id":"x","seq":1,"prev":""}\n' % time)
            pathlib.Path(self.path).write_bytes(self.before)
            err = self.run_policy(*words, "--record", str(record), code=code)[1]
            self.assertEqual("ahead" in err, ahead > 0, err)
            if hours is None:
                self.assertEqual(pathlib.Path(self.path).read_bytes(), self.before)
                continue
            end = datetime.datetime.strptime(self.policy()["exceptions"][0]["expires"],
                                             "%Y-%m-%dT%H:%M:%SZ")
            left = end - now.replace(tzinfo=None)
            self.assertLess(abs(left - datetime.timedelta(hours=hours)),
                            datetime.timedelta(minutes=1))

    def test_two_at_a_time_lose_nothing(self):
        command = [PROGRAM, "policy", "break-glass", "--for", "1h", "--reason", "x",
                   "--policy", self.path]
        running = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(8)]
        self.assertEqual([each.wait(60) for each in running], [0] * 8)
        self.assertEqual(len(self.policy()["exceptions"]), 9)

    def test_a_file_that_is_fetched_is_told(self):
        words = ("break-glass", "--for", "1h", "--reason", "x", "--policy", self.path)
        self.assertEqual(self.run_policy(*words)[1], "")
        self.write(pathlib.Path(self.path).name + ".fetch", "{}")
        self.assertIn("next request", self.run_policy(*words)[1])

    def test_no_container_is_refused_then_whatever_the_policy(self):
        path = self.write("none.json", {"version": 1, "allow": [], "engine_default": "unconfined"})
        profile = json.dumps({"defaultAction": "SCMP_ACT_ERRNO"})
        bodies = [{"Image": "x"}, {"Image": "x", "HostConfig": {"Privileged": True}}] + [
            {"Image": "x", "HostConfig": {"SecurityOpt": [f"seccomp={option}"]}}
            for option in ("unconfined", "builtin", profile, '{"defaultAction":"SCMP_ACT_ALLOW"}')]
        cases = [{"case": str(i), "create": body} for i, body in enumerate(bodies)]
        cases += [{"case": kind, "admission": review("ann", kind)}
                  for kind in ("Unconfined", "RuntimeDefault")]
        for decision in ("deny", "allow"):
            expected = self.write("c.json", {"cases": [{**case, "expect": decision}
                                                       for case in cases]})
            self.run_policy("test", "--policy", path, expected)
            self.run_policy("break-glass", "--for", "1h", "--reason", "x", "--policy", path)

    def test_what_is_asked_for_is_allowed_to_whom_it_is(self):
        self.run_policy("break-glass", "--for", "60s", "--reason", "x", "--allow",
                        "privileged,guard:plugins", "--user", "ops-*", "--user", "root",
                        "--policy", self.path)
        glass = self.policy()["exceptions"][0]
        self.assertEqual(glass["allow"], ["privileged", "guard:plugins"])
        self.assertEqual(glass["match"]["user"], ["ops-*", "root"])

    def test_what_is_not_understood_changes_nothing(self):
        for words in (["--for", "25h", "--reason", "x"], ["--for", "0s", "--reason", "x"],
                      ["--for", "2d", "--reason", "x"], ["--for", "99999999999999999999h",
                      "--reason", "x"], ["--for", "1", "--reason", "x"], ["--for", "1h"],
                      ["--for", "1h", "--reason", ""], ["--for", "1h", "--reason", "a\nb"],
                      ["--for", "1h", "--reason", "x", "--allow", "unreadable"],
                      ["--for", "1h", "--reason", "x", "--allow", ""],
                      ["--for", "1h", "--reason", "x", "--user", "["],
                      ["--end", "--for", "1h"],
                      ["--end", "--user", "x"],
                      ["--end", "--reason", "a\nb"], ["--for", "1h", "--reason", "x", "more"]):
            self.run_policy("break-glass", *words, "--policy", self.path, code=2)
            self.assertEqual(pathlib.Path(self.path).read_bytes(), self.before, words)
        self.assertEqual(os.listdir(self.folder), ["p.json"])

    def test_a_link_stays_and_its_file_is_changed(self):
        link = self.folder / "link.json"
        link.symlink_to("p.json")
        self.run_policy("break-glass", "--for", "1h", "--reason", "x", "--policy", str(link))
        self.assertTrue(link.is_symlink())
        self.assertEqual(len(self.policy()["exceptions"]), 2)

    def test_only_root_may(self):
        os.chmod(self.folder, 0o777)
        os.chmod(self.path, 0o666)
        done = subprocess.run(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                               PROGRAM, "policy", "break-glass", "--for", "1h", "--reason", "x",
                               "--policy", self.path], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, pathlib.Path(self.path).read_bytes()), (2, self.before))
        self.assertIn("only root may", done.stderr)

    def test_a_missing_file_is_made_if_that_is_wanted(self):
        os.unlink(self.path)
        words = ["break-glass", "--for", "1h", "--reason", "x", "--policy", self.path,
                 "--state-dir", str(self.folder / "state")]
        self.run_policy(*words, code=2)
        self.assertIn("built-in", self.run_policy(*words, "--repair")[0])
        self.assertEqual(len(self.policy()["exceptions"]), 1)
        self.assertEqual(os.stat(self.path).st_mode & 0o7777, 0o600)


class Completions(unittest.TestCase):
    """What the shells offer is what --help says."""

    def help(self, *command):
        return subprocess.run([PROGRAM, *command, "--help"], capture_output=True, text=True,
                              timeout=30, check=True).stdout

    def commands(self):
        """All commands and subcommands, from their own help."""
        for name in re.findall(r"(?m)^  ([a-z][a-z-]*) ", self.help()):
            usage = self.help(name).split("\n\n")[0]
            subcommands = sorted(set(re.findall(rf"seccomp-authz {name} ([a-z][a-z-]*)", usage)))
            yield (name,), subcommands
            for subcommand in subcommands:
                yield (name, subcommand), []

    def options(self, command):
        text = self.help(*command)
        if not text.startswith("usage:"):
            text = self.help(command[0])
        lines = [line for line in text.splitlines() if re.match(r" *--[a-z]", line)]
        found = re.findall(r"--[a-z][a-z0-9-]*", text.split("\n\n")[0] + "\n".join(lines))
        return sorted({*found, "--help"})

    def check_shell(self, offer):
        names = []
        for command, subcommands in self.commands():
            self.assertEqual(offer(*command, "--"), self.options(command), command)
            if subcommands:
                self.assertEqual(offer(*command, ""), subcommands)
            if len(command) == 1:
                names.append(command[0])
        self.assertEqual(offer(""), sorted([*names, "--help", "--version"]))
        self.assertEqual(offer("policy", "show", "--format", ""), ["json", "text"])
        self.assertEqual(offer("policy", "test", "--format", ""), ["junit", "text"])

    def test_bash_offers_what_the_help_says(self):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _seccomp_authz; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')

        def offer(*words):
            done = subprocess.run(["bash", "-c", script, SPEC / "completions/seccomp-authz.bash",
                                   PROGRAM, *words], capture_output=True, text=True, timeout=30,
                                  check=False)
            return sorted(set(done.stdout.split()))

        self.check_shell(offer)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_offers_what_the_help_says(self):
        script = ('compadd() { shift; print -rl -- "$@" }; _files() { }; '
                  'file=$1; shift; words=("$@"); CURRENT=$#; source $file')

        def offer(*words):
            done = subprocess.run(["zsh", "-f", "-c", script, "zsh",
                                   SPEC / "completions/_seccomp-authz", PROGRAM, *words],
                                  capture_output=True, text=True, timeout=30, check=False)
            return sorted(set(done.stdout.split()))

        self.check_shell(offer)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
