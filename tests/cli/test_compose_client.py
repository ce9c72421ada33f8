#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What Compose clients make of files that are merged, beside what `check` says of them.

usage: test_compose_client.py PROGRAM

Each client that is here (docker compose, docker-compose; COMPOSE=FILE names another) prints
its model of each project; no engine is needed. What would run without a filter there must
not be allowed here.
"""
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

PROGRAM = os.path.abspath(sys.argv.pop(1)) if len(sys.argv) > 1 else "seccomp-authz"
POLICY = '{"version": 1, "exceptions": []}'
PROFILES = {"strict.json": '{"defaultAction": "SCMP_ACT_ERRNO"}',
            "also.json": '{"defaultAction": "SCMP_ACT_KILL_PROCESS"}',
            "open.json": '{"defaultAction": "SCMP_ACT_LOG"}'}
BLOCKS = {name: "LOG" not in text for name, text in PROFILES.items()}
UNCONFINED = "security_opt: ['seccomp:unconfined']"
EXTENDED = {"sub/base.yml": "services:\n"
                            "  a: {image: i, privileged: true}\n"
                            "  b: {extends: {file: more.yml, service: b}}\n",
            "sub/more.yml": f"services:\n  b: {{image: i, {UNCONFINED}}}\n",
            "more.yml": "services:\n  b: {image: i}\n  off: {image: i, privileged: false}\n"}


def web(fields):
    return f"services:\n  web: {{image: i, {fields}}}\n"


def options(*names):
    return "security_opt: [" + ", ".join(f"'seccomp={name}'" for name in names) + "]"


# lower, upper, what they come to in the client that would take it worst
ALLOW, DENY = 0, 1
ROWS = [
    (web(lower), web(upper), wanted)
    for lower, upper, wanted in (
        (options("unconfined"), options("strict.json"), ALLOW),
        (options("strict.json"), options("unconfined"), DENY),
        (UNCONFINED, "security_opt: []", DENY),
        (UNCONFINED, "security_opt: ['no-new-privileges:true']", DENY),
        (UNCONFINED, "security_opt: !reset []", DENY),
        (UNCONFINED, "security_opt: !override []", DENY),
        (options("strict.json"), "security_opt: !override ['seccomp:unconfined']", DENY),
        (options("open.json"), options("strict.json"), DENY),
        (options("strict.json"), options("open.json"), DENY),
        (options("strict.json"), options("also.json"), ALLOW),
        (options("open.json", "strict.json"), "labels: {a: b}", DENY),
        ("privileged: true", "privileged: false", ALLOW),
        ("privileged: false", "privileged: true", DENY),
        ("privileged: true", "labels: {a: b}", DENY),
        ("privileged: true", "privileged: !reset null", DENY),
        ("privileged: true", "privileged: !override false", ALLOW),
        ("privileged: false", "privileged: 'yes'", DENY),
        ("privileged: '${NONE:-true}'", "labels: {a: b}", DENY),
        ("privileged: false", "security_opt: ['${NONE:-seccomp:unconfined}']", DENY),
        (UNCONFINED + ", profiles: [debug]", "labels: {a: b}", DENY),
        ("extends: {file: sub/base.yml, service: a}", "privileged: false", ALLOW),
        ("extends: {file: sub/base.yml, service: a}", "labels: {a: b}", DENY),
        ("extends: {file: sub/base.yml, service: b}", "labels: {a: b}", DENY),
        ("extends: {file: more.yml, service: b}", "labels: {a: b}", ALLOW),
        ("labels: {a: b}", "extends: {file: sub/base.yml, service: a}", DENY),
        ("privileged: false", "extends: {file: sub/base.yml, service: a}", DENY),
        ("privileged: true", "extends: {file: more.yml, service: off}", DENY),
        ("privileged: true", "extends: {file: more.yml, service: off}, privileged: false",
         ALLOW),
        ("extends: {file: sub/base.yml, service: a}, privileged: false",
         "extends: {file: more.yml, service: off}", ALLOW),
        ("build: {context: ., privileged: true}", "build: {context: .}", DENY),
        ("build: {context: .}", "build: {context: ., privileged: true}", DENY),
    )
] + [
    ("x-a: &a {privileged: true}\n" + web("<<: *a"), web("labels: {a: b}"), DENY),
    ("x-a: &a {privileged: true}\n" + web("<<: *a, privileged: false"),
     web("labels: {a: b}"), ALLOW),
    (web("labels: {a: b}"), "x-a: &a [seccomp=unconfined]\n" + web("security_opt: *a"), DENY),
    (web("labels: {a: b}"), "services:\n  other: {image: i, privileged: true}\n", DENY),
    ("include: [sub/more.yml]\n", web("labels: {a: b}"), DENY),
    ("include: [sub/more.yml]\n", "services:\n  b: {security_opt: ['seccomp=strict.json']}\n",
     ALLOW),
    ("include: [{path: [more.yml, sub/more.yml]}]\n", web("labels: {a: b}"), DENY),
    ("include: [{path: [sub/more.yml], project_directory: .}]\n", web("labels: {a: b}"), DENY),
    (web("labels: {a: b}"), "include: [sub/more.yml]\n", DENY),
    (web("labels: {a: b}"), web("labels: {a: b}") + "---\n" + web("privileged: true"), DENY),
    (web("privileged: true") + "---\n" + web("privileged: false"), web("labels: {a: b}"), ALLOW),
    (web("privileged: true"), "services: !reset {}\n", DENY),
    (web("privileged: true"), "services: {web: !override {image: i}}\n", DENY),
    (web("privileged: true"), "services: {web: !reset null}\n", DENY),
]


@functools.cache
def clients():
    """The words that start each."""
    found = []
    for words in ([os.environ.get("COMPOSE", "")], ["docker", "compose"], ["docker-compose"]):
        if shutil.which(words[0]) and subprocess.run([*words, "version"], capture_output=True,
                                                     check=False).returncode == 0:
            found.append(words)
    return found


def runs_without(service):
    """Does the service of a client's model run, or build, without a filter?"""
    build, last = service.get("build"), ""
    for option in service.get("security_opt") or []:
        key, _, value = option.partition("=" if "=" in option else ":")
        last = value if key == "seccomp" else last
    return bool(service.get("privileged") or
                (isinstance(build, dict) and build.get("privileged")) or
                last == "unconfined" or not BLOCKS.get(last, True))


def model_of(words, home, files):
    """The services as that client would run them; None: it refuses."""
    chosen = [word for name in files for word in ("-f", name)]
    done = subprocess.run([*words, *chosen, "--profile", "debug", "config"], cwd=home,
                          capture_output=True, text=True, timeout=120, check=False,
                          env={"PATH": os.environ["PATH"], "HOME": str(home)})
    if done.returncode != 0:
        return None
    return yaml.safe_load(done.stdout).get("services") or {}


def write_project(home, lower, upper):
    texts = {**PROFILES, **EXTENDED, "lower.yml": lower, "upper.yml": upper,
             "policy.json": POLICY}
    (home / "sub").mkdir()
    for name, text in texts.items():
        (home / name).write_text(text, encoding="utf-8")


class Merged(unittest.TestCase):
    def compare(self, home, wanted):
        """How many clients take the project."""
        files = ("lower.yml", "upper.yml")
        models = [model for model in (model_of(words, home, files) for words in clients())
                  if model is not None]
        done = subprocess.run([PROGRAM, "check", "--policy", "policy.json", "--merge", *files],
                              cwd=home, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, wanted, done.stdout + done.stderr)
        for model in models:
            if any(map(runs_without, model.values())):
                self.assertEqual(wanted, DENY, model)
        return len(models)

    def test_nothing_is_allowed_that_a_client_would_run_without_a_filter(self):
        taken = 0
        if not clients():
            self.skipTest("no Compose client is here (docker compose, docker-compose)")
        for lower, upper, wanted in ROWS:
            with self.subTest(lower=lower, upper=upper), tempfile.TemporaryDirectory() as folder:
                home = pathlib.Path(folder)
                write_project(home, lower, upper)
                taken += self.compare(home, wanted)
        self.assertGreater(taken, len(ROWS) // 3, "the clients refuse nearly all")


if __name__ == "__main__":
    program = unittest.main(exit=False)
    failed = int(not program.result.wasSuccessful())
    skipped = len(program.result.skipped) if os.environ.get("CI") == "true" else 0
    print(f"{program.result.testsRun - failed - skipped} passed, {failed + skipped} failed")
    sys.exit(1 if failed + skipped else 0)
