# SPDX-License-Identifier: Apache-2.0
"""The judge as a managed plugin: built by the engine, from the Dockerfile, and enforcing.

The base image has all build packages, so nothing is fetched during the build.
"""

import json
import os
import subprocess
import unittest

from lab import DIR, DOCKER, HERE, IMAGE, PLUGIN, SHOW_SECCOMP, Engine

BASE = "base:1"
UNCONFINED = ("--security-opt", "seccomp=unconfined")


def base_tar():
    """Made once for all suites."""
    tar = DIR / "base.tar"
    if not tar.exists():
        packages = subprocess.run([HERE / "setup.sh", "list", "build"], check=True, text=True,
                                  capture_output=True).stdout.split()
        subprocess.run([HERE / "engine.sh", "base", tar, *packages], check=True)
    return tar


def ancestors(pid):
    """The processes that a process descends from."""
    found = []
    while pid not in ("0", ""):
        done = subprocess.run(["ps", "-o", "ppid=", "-p", pid], text=True,
                              capture_output=True, check=False)
        pid = done.stdout.strip()
        found.append(pid)
    return found


class Managed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = Engine("managed")
        cls.addClassCleanup(cls.engine.stop)
        cls.engine.start(plugins=())
        with open(base_tar(), "rb") as tar:
            cls.engine.import_image(BASE, tar)
        cls.engine.import_image()
        cls.make_plugin()
        cls.enable_plugin()

    @classmethod
    def make_plugin(cls):
        environment = {**os.environ, "DOCKER_HOST": f"unix://{cls.engine.socket}",
                       "DOCKER_CONFIG": str(cls.engine.home / "client"), "DOCKER": DOCKER,
                       "BASE": BASE, "BUILD_FLAGS": "--network none"}
        done = subprocess.run([HERE.parent.parent / "plugin-spec" / "make-plugin.sh"],
                              env=environment, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"make-plugin.sh: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    @classmethod
    def enable_plugin(cls):
        """As its maker is told to: folders, enable, daemon.json; here with a restart."""
        folders = {name: cls.engine.home / name for name in ("policy", "state", "record")}
        for folder in folders.values():
            folder.mkdir()
        (folders["policy"] / "policy.json").write_text(json.dumps({"version": 1}))
        cls.record = folders["record"] / "record.jsonl"
        cls.docker("plugin", "set", PLUGIN,
                   *(f"{name}.source={folder}" for name, folder in folders.items()))
        cls.docker("plugin", "enable", PLUGIN)
        cls.engine.halt()
        cls.engine.start()

    @classmethod
    def docker(cls, *arguments):
        code, out, err = cls.engine.docker(*arguments)
        if code != 0:
            raise AssertionError(f"docker {arguments}: {err}")
        return out

    def run_container(self, *options):
        return self.engine.docker("run", "--rm", *options, IMAGE, *SHOW_SECCOMP)

    def records(self):
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def test_plain_container_runs_under_a_filter(self):
        code, out, err = self.run_container()
        self.assertEqual((code, out.split()), (0, ["Seccomp:", "2"]), err)

    def test_unconfined_is_refused_and_on_record_on_the_host(self):
        code, out, err = self.run_container(*UNCONFINED)
        self.assertEqual((code, out), (125, ""), err)
        self.assertIn(f"authorization denied by plugin {PLUGIN}", err)
        self.assertIn("would run without a seccomp filter", err)
        record = self.records()[-1]
        self.assertEqual((record["decision"], record["posture"]), ("deny", "unconfined"))
        self.assertIn(record["id"], err)

    def test_it_refuses_to_be_disabled_set_or_removed(self):
        plugin = json.loads(self.docker("plugin", "inspect", PLUGIN))[0]
        for name in (PLUGIN, f"{PLUGIN}:latest", plugin["Id"], plugin["Id"][:6]):
            for command in (["disable"], ["disable", "--force"], ["rm", "--force"]):
                code, _, err = self.engine.docker("plugin", *command, name)
                self.assertEqual(code, 1, f"plugin {command} {name}")
                self.assertIn("authorization denied by plugin", err)
        code, _, err = self.engine.docker("plugin", "set", PLUGIN, "SECCOMP_AUTHZ_POLICY=/x")
        self.assertIn("authorization denied by plugin", err)
        self.assertEqual(self.run_container(*UNCONFINED)[0], 125)

    def test_it_has_no_network(self):
        space = os.readlink(f"/proc/{self.judge_pid()}/ns/net")
        self.assertNotEqual(space, os.readlink(f"/proc/{self.engine.dockerd_pid()}/ns/net"))
        self.assertNotEqual(space, os.readlink("/proc/self/ns/net"))

    def judge_pid(self):
        """Of all judges on this machine, the one that our engine started."""
        found = subprocess.run(["pgrep", "-x", "seccomp-authzd"], check=True, text=True,
                               capture_output=True).stdout.split()
        return next(pid for pid in found if str(self.engine.process.pid) in ancestors(pid))

    def test_image_holds_the_programs_and_their_libraries_only(self):
        code, out, err = self.engine.docker("run", "--rm", "seccomp-authz-rootfs", "--version")
        self.assertEqual(code, 0, err)
        self.assertIn(PLUGIN, out)
        image = json.loads(self.docker("image", "inspect", "seccomp-authz-rootfs"))[0]
        self.assertLess(image["Size"], 24 * 1024 * 1024)


if __name__ == "__main__":
    unittest.main()
