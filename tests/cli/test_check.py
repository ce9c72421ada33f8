#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`seccomp-authz check` as a person, a hook and a CI use it: files, formats, exit codes.

usage: test_check.py PROGRAM
"""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
CASES = HERE.parent / "cases"
CI = PROJECT / "plugin-spec" / "ci"
PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "seccomp-authz"

BAD = 'services:\n  web:\n    image: nginx\n    security_opt:\n      - seccomp:unconfined\n'
GOOD = "services:\n  web:\n    image: nginx\n"
POD = """apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
    - name: a
      image: nginx
"""


def run(*words, cwd, data=None, env=None):
    return subprocess.run(words, cwd=cwd, input=data, capture_output=True, text=True,
                          env=env, timeout=120)


def check(*words, cwd, data=None):
    return run(PROGRAM, "check", *words, cwd=cwd, data=data)


class Folder(unittest.TestCase):
    """A scratch folder for each test, with files written by name."""

    def setUp(self):
        with contextlib.ExitStack() as stack:
            self.home = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
            self.addCleanup(stack.pop_all().close)

    def write(self, name, text):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name


class Answers(Folder):
    def test_exit_code_is_the_worst_of_all_files(self):
        good, bad = self.write("good.yml", GOOD), self.write("bad.yml", BAD)
        for files, code in (((good,), 0), ((good, bad), 1), ((bad, good), 1),
                            ((bad, "none.yml"), 2), (("none.yml", good), 2)):
            self.assertEqual(check(*files, cwd=self.home).returncode, code, files)

    def test_standard_input_is_a_file_called_minus(self):
        done = check("-", cwd=self.home, data=BAD)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stdout.startswith('deny -:5 "web" unconfined default: '), done.stdout)

    def test_file_of_no_known_kind_is_could_not_tell(self):
        for text in ("a: b\n", "{}", "[1, 2", "plain words", "", "- a\n", "{\"a\": 1}\n"):
            done = check(self.write("f", text), cwd=self.home)
            self.assertEqual((done.returncode, done.stdout), (2, ""), text)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertIn("--as", done.stderr)

    def test_keys_of_another_kind_do_not_disguise_a_file(self):
        pod = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
                          "spec": {"containers": [{"name": "a", "image": "nginx"}]}})
        for key in ("defaultAction", "TaskTemplate", "Image", "State", "services"):
            done = check(self.write("f", '{"%s": {}, %s' % (key, pod[1:])), cwd=self.home)
            self.assertEqual((done.returncode, done.stdout), (2, ""), key)
            self.assertIn("of kind", done.stderr)
        for text in ("services: {}\n---\nname: x\n" + POD, "services: {}\n" + POD,
                     "name: x\nservices: {}\n---\n" + POD,
                     "services: {}\n---\nname: x\nkind: List\nitems: []\n"):
            done = check(self.write("f", text), cwd=self.home)
            self.assertEqual((done.returncode, done.stdout), (2, ""), text)
            self.assertIn("manifest", done.stderr)

    def test_json_list_of_objects_is_a_manifest(self):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
               "spec": {"containers": [{"name": "a", "image": "nginx"}]}}
        done = check(self.write("f", json.dumps([pod])), cwd=self.home)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn('"a" unset', done.stdout)
        done = check(self.write("f", json.dumps([pod, {"HostConfig": {}}])), cwd=self.home)
        self.assertEqual(done.returncode, 2)

    def test_what_of_a_manifest_was_not_reached_is_denied(self):
        good = json.dumps({"apiVersion": "v1", "kind": "ConfigMap"})
        pod = '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a"}]}}'
        deep = pod
        for _ in range(12):
            deep = '{"apiVersion": "v1", "kind": "List", "items": [%s]}' % deep
        for items in ("%s, null, %s" % (good, pod), "%s, 7, %s" % (good, pod), deep):
            text = '{"apiVersion": "v1", "kind": "List", "items": [\n%s]}' % items
            done = check(self.write("f", text), cwd=self.home)
            self.assertEqual(done.returncode, 1, items)
            self.assertIn("deny f:2 - unreadable", done.stdout)

    def test_profile_of_an_included_service_is_sought_beside_the_first_file(self):
        self.write("sub/x.yml", GOOD + "    security_opt: [seccomp:p.json]\n")
        self.write("sub/p.json", '{"defaultAction": "SCMP_ACT_ERRNO"}')
        self.write("p.json", '{"defaultAction": "SCMP_ACT_ALLOW"}')
        done = check(self.write("c.yml", "include: [sub/x.yml]\n"), cwd=self.home)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn('deny sub/x.yml:4 "web" permissive', done.stdout)

    def test_what_is_said_to_be_a_kind_is_judged(self):
        for how in ("compose", "manifest", "admission", "profile", "inspect", "envelope",
                    "create", "service"):
            for text in ("[1, 2", "plain words", "", "\0", "{]"):
                done = check("--as", how, self.write("f", text), cwd=self.home)
                self.assertEqual(done.returncode, 1, (how, text, done.stderr))
                self.assertTrue(done.stdout.startswith("deny f"), done.stdout)

    def test_folder_is_a_clear_error(self):
        done = check(".", cwd=self.home)
        self.assertEqual(done.returncode, 2)
        self.assertIn("seccomp-authz: .: ", done.stderr)
        self.assertIn("name the files in it", done.stderr)

    def test_mistakes_on_the_command_line(self):
        for words in ((), ("--as", "yaml", "f"), ("--format", "xml", "f"), ("--what", "f"),
                      ("f", "--as")):
            done = check(*words, cwd=self.home)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn("see seccomp-authz check --help", done.stderr)

    def test_formats_in_the_usage_are_those_that_are_taken(self):
        listed = set(re.findall(r"^ {19}([a-z]+) +\S", check("--help", cwd=self.home).stdout,
                                re.M))
        error = check("--as", "none", "f", cwd=self.home).stderr
        taken = set(re.findall(r"[a-z]+", error.split("should be ")[1].split(";")[0])) - {"or"}
        self.assertEqual(listed, taken)

    def test_name_of_a_file_forges_no_line(self):
        name = self.write("a\nallow compose.yml: x.yml", BAD)
        done = check(name, cwd=self.home)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertTrue(done.stdout.startswith('deny "a\\nallow'), done.stdout)

    def test_value_in_a_file_forges_no_line(self):
        self.write("c.yml", 'services:\n  "web\\nallow x":\n    image: nginx\n'
                            '    security_opt: ["seccomp=\\nallow: \\u202e"]\n')
        done = check("c.yml", cwd=self.home)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertNotIn("\u202e", done.stdout)

    def test_profile_is_read_from_the_folder_of_the_file_that_was_given(self):
        strict = '{"defaultAction": "SCMP_ACT_ERRNO"}'
        self.write("app/base/base.yml", "services:\n  base:\n    image: nginx\n"
                                        "    security_opt: ['seccomp:p.json']\n")
        self.write("app/c.yml", "services:\n  web:\n    extends:\n"
                                "      {file: base/base.yml, service: base}\n")
        self.write("app/p.json", strict)
        self.write("app/base/p.json", '{"defaultAction": "SCMP_ACT_ALLOW"}')
        done = check("app/c.yml", cwd=self.home)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue(done.stdout.startswith('allow app/base/base.yml:4 "web" custom '),
                        done.stdout)

    def test_pipe_that_a_file_names_keeps_nobody(self):
        os.mkfifo(self.home / "p.json")
        os.mkfifo(self.home / "base.yml")
        self.write("c.yml", "include: [base.yml]\nservices:\n  web:\n    image: nginx\n"
                            "    security_opt: ['seccomp:p.json']\n"
                            "  api:\n    extends: {file: base.yml, service: x}\n")
        done = check("c.yml", cwd=self.home)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count("is no plain file"), 3, done.stdout)

    policy = json.dumps({"version": 1, "exceptions": [
        {"id": "e", "allow": ["unconfined"], "reason": "TEST-1",
         "match": {"image": ["debug/*"]}}]})

    def test_files_are_merged_when_that_is_asked_for(self):
        self.write("policy.json", self.policy)
        self.write("app/a.yml", "services:\n  web:\n    image: debug/x\n"
                                "    security_opt: [seccomp:unconfined]\n")
        self.write("app/b.yml", "services:\n  web: {image: evil}\n")
        words = ("--policy", "policy.json", "app/a.yml", "app/b.yml")
        done = check(*words, cwd=self.home)
        self.assertEqual((done.returncode, done.stdout.count("allow")), (0, 2), done.stdout)
        done = check("--merge", *words, cwd=self.home)
        self.assertEqual(done.returncode, 1)
        self.assertTrue(done.stdout.startswith('deny app/a.yml:4 "web" unconfined default: '))
        self.assertEqual(len(done.stdout.splitlines()), 1)
        done = check("--merge", *words[:2], "app/b.yml", "app/a.yml", cwd=self.home)
        self.assertEqual(done.returncode, 0, done.stdout)
        for bad, code in ((("--as", "create", "app/a.yml"), 2), (("none.yml",), 2),
                          (("app",), 2), ((), 2), (("app/a.yml", "policy.json"), 1)):
            done = check("--merge", *bad, cwd=self.home)
            self.assertEqual(done.returncode, code, bad)

    def test_extends_and_profiles_of_merged_files_are_sought_beside_the_first(self):
        self.write("a/a.yml", "services:\n  web: {image: x}\n")
        self.write("b/b.yml", "services:\n  web:\n    extends: {file: base.yml, service: s}\n")
        self.write("a/base.yml", "services:\n  s: {security_opt: ['seccomp:p.json']}\n")
        self.write("b/base.yml", "services:\n  s: {image: x}\n")
        self.write("a/p.json", '{"defaultAction": "SCMP_ACT_LOG"}')
        done = check("--merge", "a/a.yml", "b/b.yml", cwd=self.home)
        self.assertIn('deny a/base.yml:2 "web" permissive', done.stdout)

    def test_what_an_upper_file_extends_is_no_fact_above_the_lower_file(self):
        """docker-compose 1.29 puts what is extended under both files, later ones only under
        the file that extends it."""
        self.write("policy.json", self.policy)
        self.write("base.yml", "services:\n  s: {image: debug/x}\n")
        self.write("upper.yml", "services:\n  web: {extends: {file: base.yml, service: s}}\n")
        lower = "services:\n  web: {%ssecurity_opt: [seccomp:unconfined]}\n"
        for image, code in (("image: evil, ", 1), ("", 0)):
            self.write("lower.yml", lower % image)
            done = check("--policy", "policy.json", "--merge", "lower.yml", "upper.yml",
                         cwd=self.home)
            self.assertEqual(done.returncode, code, done.stdout)

    def test_each_profile_of_what_is_merged_counts(self):
        """docker-compose 1.29 sorts merged options by what is in the files."""
        self.write("open.json", '{"defaultAction": "SCMP_ACT_LOG"}')
        self.write("strict.json", '{"defaultAction": "SCMP_ACT_ERRNO"}')
        self.write("also.json", '{"defaultAction": "SCMP_ACT_KILL_PROCESS"}')
        service = "services:\n  web: {image: x, security_opt: ['seccomp:%s.json']}\n"
        for name in ("open", "strict", "also"):
            self.write(f"{name}.yml", service % name)
        self.write("list.yml", service % "open.json', 'seccomp=strict")
        self.write("none.yml", "services:\n  web: {image: y}\n")
        for files, wanted in ((("open.yml", "strict.yml"), 'deny open.yml:2 "web" permissive'),
                              (("strict.yml", "open.yml"), 'deny open.yml:2 "web" permissive'),
                              (("strict.yml", "also.yml"), 'allow also.yml:2 "web" custom'),
                              (("list.yml", "none.yml"), 'deny list.yml:2 "web" permissive'),
                              (("list.yml",), 'allow list.yml:2 "web" custom')):
            done = check("--merge", *files, cwd=self.home)
            self.assertTrue(done.stdout.startswith(wanted), (files, done.stdout))
        self.write("app/docker-compose.yml", service % "open.json', 'seccomp=strict")
        for name in ("open.json", "strict.json"):
            self.write(f"app/{name}", (self.home / name).read_text())
        for name, wanted in (("none", "allow"), ("docker-compose.override", "deny")):
            self.write(f"app/{name}.yml", "services:\n  other: {image: y}\n")
            done = check("app/docker-compose.yml", cwd=self.home)
            self.assertTrue(done.stdout.startswith(f'{wanted} app/docker-compose.yml:2 "web"'))
        os.unlink(self.home / "open.json")
        done = check("--merge", "open.yml", "strict.yml", cwd=self.home)
        self.assertIn('deny open.yml:2 "web" unreadable', done.stdout)

    def test_override_is_judged_with_its_file_and_once(self):
        self.write("policy.json", self.policy)
        self.write("app/docker-compose.yml", "services:\n  web:\n    image: debug/x\n"
                                             "    security_opt: [seccomp:unconfined]\n"
                                             "  db: {image: db}\n")
        self.write("app/compose.override.yaml", "services:\n  web: {image: evil}\n")
        lines = {"base": ['allow app/docker-compose.yml:4 "web"',
                          'allow app/docker-compose.yml:5 "db"'],
                 "pair": ['deny app/docker-compose.yml:4 "web"']}
        for files, wanted in ((("app/docker-compose.yml",), ("base", "pair")),
                              (("app/compose.override.yaml",), ("pair",)),
                              (("app/docker-compose.yml", "app/compose.override.yaml"),
                               ("base", "pair")),
                              (("app/compose.override.yaml", "app/docker-compose.yml"),
                               ("pair", "base"))):
            done = check("--policy", "policy.json", *files, cwd=self.home)
            got = [line.split(" unconfined")[0].split(" default")[0]
                   for line in done.stdout.splitlines()]
            self.assertEqual(got, [line for part in wanted for line in lines[part]], files)
            self.assertEqual(done.returncode, 1)

    def test_override_without_services_or_without_a_file_of_its_own(self):
        self.write("compose.override.yml", "services:\n  web: {privileged: true}\n")
        done = check("compose.override.yml", cwd=self.home)
        self.assertTrue(done.stdout.startswith('deny compose.override.yml:2 "web" privileged'))
        self.write("compose.yml", GOOD)
        self.write("compose.override.yml", "networks: {a: {}}\nservices: {}\n")
        for name in ("compose.yml", "compose.override.yml"):
            done = check(name, cwd=self.home)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn("allow", done.stdout)
        os.unlink(self.home / "compose.override.yml")
        os.mkfifo(self.home / "compose.override.yml")
        done = check("compose.yml", cwd=self.home)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is no plain file", done.stdout)

    def test_a_file_is_one_however_its_path_is_written(self):
        self.write("sub/a.yml", "include: [../x/../c.yml, .//c.yml/../../c.yml, ./../c.yml]\n")
        self.write("c.yml", "services: {db: {image: db}}\n")
        self.write("m.yml", "include: [c.yml, ./c.yml, sub/a.yml, sub/.././c.yml]\n")
        path = self.home / "c.yml"
        self.write("abs.yml", f"include: [c.yml, {path}, /../{path}]\n")
        for name, folder in (("m.yml", self.home), ("../m.yml", self.home / "sub")):
            done = check(name, cwd=folder)
            self.assertEqual((done.returncode, done.stdout.count("\n")), (0, 1), done.stdout)
        done = check("abs.yml", cwd=self.home) # by another path it is another file
        self.assertIn("Compose refuses that", done.stdout)

    def test_includes_of_includes_end(self):
        self.write("c.yml", "include: [%s]\n" % ", ".join("i%d.yml" % i for i in range(60)))
        for i in range(60):
            self.write("i%d.yml" % i, "include: [%s]\nservices: {s%d: {image: x}}\n"
                       % (", ".join("i%d.yml" % k for k in range(i + 1, 60)), i))
        done = check("c.yml", cwd=self.home)
        self.assertEqual(done.returncode, 1)
        self.assertIn("documents in all", done.stdout)

    def test_huge_file_is_refused(self):
        self.write("c.yml", "services:\n  a: {image: x}\n#" + "x" * (16 << 20) + "\n")
        done = check("--as", "compose", "c.yml", cwd=self.home)
        self.assertEqual(done.returncode, 1)
        self.assertIn("larger than 16777216 bytes", done.stdout)


class Reports(Folder):
    """--format json and sarif, beside the text, on every case that has lines."""

    schema = json.loads((PROJECT / "plugin-spec" / "check.schema.json").read_text("utf-8"))
    sarif = json.loads((HERE.parent / "schemas" / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))

    def each(self):
        for lines in sorted(CASES.glob("*/*/lines")):
            names = [path.name for path in lines.parent.iterdir()
                     if path.stem in ("compose", "manifest", "inspect", "create", "service",
                                      "profile", "envelope")]
            policy = ["--policy", "policy.json"] if (lines.parent / "policy.json").exists() else []
            yield lines.parent, [*policy, "--as", names[0].split(".")[0], names[0]]

    def test_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_json_says_what_the_text_says(self):
        validator = jsonschema.Draft202012Validator(self.schema)
        seen = 0
        for folder, words in self.each():
            text = check(*words, cwd=folder)
            done = check("--format=json", *words, cwd=folder)
            self.assertEqual(done.returncode, text.returncode, folder)
            report = json.loads(done.stdout)
            validator.validate(report)
            lines = text.stdout.splitlines()
            self.assertEqual(len(lines), len(report["results"]), folder)
            for line, result in zip(lines, report["results"]):
                name = result.get("container")
                head = "%s %s:%d %s %s %s: " % (
                    result["decision"], result["file"], result["line"],
                    f'"{name}"' if name else "-", result.get("posture", "-"), result["rule"])
                self.assertTrue(line.startswith(head), (line, head))
                seen += 1
            for word in ("deny", "observe", "allow"):
                self.assertEqual(report["summary"][word],
                                 sum(line.startswith(word) for line in lines))
        self.assertGreater(seen, 60)

    def test_sarif_is_2_1_0_and_holds_what_is_denied_at_its_line(self):
        validator = jsonschema.Draft4Validator(self.sarif)
        seen = 0
        for folder, words in self.each():
            denied = [line for line in check(*words, cwd=folder).stdout.splitlines()
                      if line.startswith("deny ")]
            log = json.loads(check("--format", "sarif", *words, cwd=folder).stdout)
            validator.validate(log)
            rules = {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
            results = log["runs"][0]["results"]
            self.assertEqual(len(denied), len(results), folder)
            for line, result in zip(denied, results):
                place = result["locations"][0]["physicalLocation"]
                self.assertIn(result["ruleId"], rules)
                self.assertEqual(result["level"], "error")
                self.assertEqual(line.split()[1], "%s:%d" % (
                    place["artifactLocation"]["uri"], place["region"]["startLine"]))
                seen += 1
        self.assertGreater(seen, 50)

    def test_file_that_cant_be_read_is_in_both_reports(self):
        self.write("c.yml", BAD)
        done = check("--format=json", "c.yml", "none.yml", cwd=self.home)
        report = json.loads(done.stdout)
        jsonschema.Draft202012Validator(self.schema).validate(report)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(report["errors"], [{"file": "none.yml",
                                             "message": "No such file or directory"}])
        log = json.loads(check("--format=sarif", "none.yml", "c.yml", cwd=self.home).stdout)
        jsonschema.Draft4Validator(self.sarif).validate(log)
        self.assertFalse(log["runs"][0]["invocations"][0]["executionSuccessful"])

    def test_observed_is_a_warning(self):
        self.write("policy.json", '{"version": 1, "mode": "observe"}')
        self.write("c.yml", BAD)
        done = check("--policy", "policy.json", "--format", "sarif", "c.yml", cwd=self.home)
        self.assertEqual(done.returncode, 0)
        result = json.loads(done.stdout)["runs"][0]["results"][0]
        self.assertEqual((result["level"], result["ruleId"]), ("warning", "unconfined"))

    def test_odd_path_is_a_uri(self):
        self.write("a b#%\u00e9/c.yml", BAD)
        log = json.loads(check("--format=sarif", "./a b#%\u00e9/c.yml", cwd=self.home).stdout)
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "a%20b%23%25%C3%A9/c.yml")


class Examples(Folder):
    """The examples of plugin-spec/ci, run for real in a repository."""

    def setUp(self):
        super().setUp()
        tools = self.home.parent / (self.home.name + "-bin")
        tools.mkdir()
        self.addCleanup(lambda: (os.unlink(tools / "seccomp-authz"), tools.rmdir()))
        os.symlink(PROGRAM, tools / "seccomp-authz")
        self.env = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(self.home),
                    "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.com",
                    "GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@example.com"}
        self.git("init", "-q")

    def git(self, *words):
        return run("git", *words, cwd=self.home, env=self.env)

    def install_hook(self):
        hook = self.home / ".git" / "hooks" / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes((CI / "pre-commit").read_bytes())
        hook.chmod(0o755)

    def commit(self, *words):
        self.git("add", "-A")
        return self.git("commit", "-q", "-m", "x", *words)

    def test_hook_refuses_a_commit_and_says_the_line(self):
        self.install_hook()
        self.write("docker-compose.yml", BAD)
        done = self.commit()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('deny docker-compose.yml:5 "web" unconfined', done.stderr)
        self.write("docker-compose.yml", GOOD)
        done = self.commit()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_hook_judges_what_is_committed_and_not_the_work_tree(self):
        self.install_hook()
        self.write("app/compose.yaml", BAD)
        self.git("add", "-A")
        self.write("app/compose.yaml", GOOD)
        self.assertNotEqual(self.git("commit", "-q", "-m", "x").returncode, 0)
        self.git("add", "-A")
        self.write("app/compose.yaml", BAD)
        done = self.git("commit", "-q", "-m", "x")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_hook_takes_the_policy_of_the_repository(self):
        self.install_hook()
        self.write("compose.yml", BAD)
        self.write("seccomp-policy.json", json.dumps({
            "version": 1, "exceptions": [{"id": "e", "allow": ["unconfined"], "reason": "TEST-1",
                                          "match": {"image": ["nginx"]}}]}))
        done = self.commit()
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_hook_reads_what_a_file_names_and_manifests_too(self):
        self.install_hook()
        self.write("compose.yml", "services:\n  web:\n    image: nginx\n"
                                  "    security_opt: ['seccomp:profiles/p.json']\n")
        self.write("profiles/p.json", '{"defaultAction": "SCMP_ACT_LOG"}')
        self.write("k8s/my pod.yaml", POD)
        done = self.commit()
        self.assertIn('deny compose.yml:4 "web" permissive', done.stderr)
        self.assertIn('deny "k8s/my pod.yaml":6 "a" unset', done.stderr)

    def test_hook_lets_a_commit_of_other_files_pass(self):
        self.install_hook()
        self.write("README.md", "x")
        self.write("notes.yml", BAD)
        self.assertEqual(self.commit().returncode, 0)

    def hooks(self):
        text = (CI / "pre-commit-hooks.yaml").read_text("utf-8")
        for block in text.split("- id: ")[1:]:
            entry = re.search(r"entry: seccomp-authz (.*)", block).group(1).split()
            yield entry, re.compile(re.search(r"files: (.*)", block).group(1))

    def test_hooks_of_the_framework_know_their_files(self):
        found = {}
        for entry, files in self.hooks():
            for name, text in (("docker-compose.yml", BAD), ("a/compose.prod.yaml", BAD),
                               ("deploy/pod.yml", POD), ("seccomp/seccomp-x.json",
                                                         '{"defaultAction":"SCMP_ACT_ALLOW"}')):
                if files.search(name):
                    found[name] = run(PROGRAM, *entry, self.write(name, text),
                                      cwd=self.home).returncode
        self.assertEqual(found, {"docker-compose.yml": 1, "a/compose.prod.yaml": 1,
                                 "deploy/pod.yml": 1, "seccomp/seccomp-x.json": 1})

    def test_steps_of_the_workflows_run(self):
        self.write("docker-compose.yml", BAD)
        self.write("app/compose.yaml", GOOD)
        self.write("k8s/pod.yml", POD)
        self.write("app/deploy/manifests/a/pod.yaml", POD)
        self.write("k8s/kustomization.yaml", "resources: [pod.yml]\n")
        self.write("k8s/chart/templates/pod.yaml", "{{ include }}\n")
        self.git("add", "-A")
        for name, kind in (("github.yml", "sarif"), ("gitlab.yml", "json")):
            steps = re.findall(r"git ls-files[^>]*> \S+", (CI / name).read_text("utf-8"))
            self.assertEqual(len(steps), 2, name)
            found = {}
            for step in steps:
                if kind == "json": # YAML folds the lines of a plain scalar
                    step = " ".join(step.split())
                done = run("sh", "-c", step, cwd=self.home, env=self.env)
                self.assertNotEqual(done.returncode, 0, name)
                report = step.rsplit(" ", 1)[1]
                data = json.loads((self.home / report).read_text("utf-8"))
                results = data["runs"][0]["results"] if "runs" in data else data["results"]
                found[report] = len(results)
            self.assertEqual(found, {"compose.sarif": 1, "manifests.sarif": 2} if kind == "sarif"
                             else {"compose.json": 2, "manifests.json": 2}, name)


class Lines(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


if __name__ == "__main__":
    program = unittest.main(exit=False, testRunner=unittest.TextTestRunner(resultclass=Lines))
    failed = len(program.result.failures) + len(program.result.errors)
    skipped = len(program.result.skipped) if os.environ.get("CI") == "true" else 0
    print(f"{program.result.passed} passed, {failed + skipped} failed")
    sys.exit(1 if failed + skipped or not program.result.passed else 0)
