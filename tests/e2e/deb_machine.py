# SPDX-License-Identifier: Apache-2.0
"""The Debian package on a clean machine that runs systemd and an engine (in namespaces):
built there, installed, used, upgraded under load, removed and purged. For each suite of
DEB_SUITES. Run by `make test-deb`."""

import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import unittest

from lab import DIR, HERE, PLUGIN
from test_systemd import PACKAGES, REFUSED, UNCONFINED, Machine

REPOSITORY = HERE.parent.parent
SUITES = os.environ.get("DEB_SUITES", "bookworm").split()

# What a machine writes by itself while it runs.
OWN = re.compile(r"/(proc|sys|dev|run|tmp|root|var/(lib/(dpkg|docker|containerd|systemd|apt)"
                 r"|cache|tmp|log/journal|log/(dpkg|alternatives|apt)[^/]*)|etc/docker"
                 r"|etc/(passwd|group|shadow|gshadow|subuid|subgid)-?)(/|$)")

LOAD = """
api() { curl -s -o /root/body -w '%{http_code}\\n' --unix-socket /run/docker.sock \
  -H 'Content-Type: application/json' "$@"; }
while [ ! -e /root/enough ]; do
  api http://e/containers/json
  api -X POST http://e/containers/create -d \
    '{"Image":"busybox","HostConfig":{"SecurityOpt":["seccomp=unconfined"]}}'
  grep -q decision /root/body || echo "not ours: $(cat /root/body)"
done
"""


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    for name in SUITES:
        case = type(f"Deb{name.capitalize()}", (Package,), {"suite": name})
        suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout[-3000:]}")
    return done.stdout


class Package(Machine):
    suite = None  # load_tests() says

    @classmethod
    def setUpClass(cls):
        cls.home = DIR / f"deb-{cls.suite}"
        cls.packages = cls.home / "packages"
        cls.packages.mkdir(parents=True)
        cls.build()
        super().setUpClass()

    @classmethod
    def base(cls, tar, *packages):
        run(HERE / "engine.sh", "base", tar, *packages,
            env={**os.environ, "BASE_SUITE": cls.suite})

    @classmethod
    def unpack_base(cls, root, *packages):
        tar = cls.home / "root.tar"
        cls.base(tar, *packages)
        root.mkdir()
        run("tar", "-x", "-C", root, "-f", tar)
        tar.unlink()

    @classmethod
    def build(cls):
        """Twice, in two places, on a machine of the suite: the bytes are the same."""
        root = cls.home / "builder"
        wanted = run(HERE / "setup.sh", "list", "deb").split()
        cls.unpack_base(root, *wanted)
        found = []
        for place in ("src", "home/other/place"):
            tree = root / place
            tree.mkdir(parents=True)
            for name in ("plugin", "include", "plugin-spec"):
                shutil.copytree(REPOSITORY / name, tree / name)
            for name in ("Makefile", "README.md", "LICENSE"):
                shutil.copy(REPOSITORY / name, tree / name)
            run("unshare", "--mount", "sh", "-c",
                f"mount -t proc proc {root}/proc && chroot {root} /{place}/plugin-spec/make-deb.sh"
                f" /{place}/deb")
            found.append(next((tree / "deb").glob("*.deb")))
        first, second = (path.read_bytes() for path in found)
        if first != second:
            raise AssertionError(f"{cls.suite}: two builds differ")
        lint = run("chroot", root, "lintian", "--fail-on", "error,warning",
                   f"/{found[0].relative_to(root)}")
        if re.search(r"^[EW]:", lint, re.M):
            raise AssertionError(lint)
        shutil.copy(found[0], cls.packages / "first.deb")
        shutil.rmtree(root)
        cls.bump("second", "0.1.0+1")

    @classmethod
    def bump(cls, name, version):
        """The same package as if it were a newer one."""
        folder = cls.home / name
        run("dpkg-deb", "-R", cls.packages / "first.deb", folder)
        control = folder / "DEBIAN/control"
        control.write_text(re.sub(r"^Version: .*", f"Version: {version}", control.read_text(),
                                  flags=re.M))
        run("dpkg-deb", "--root-owner-group", "-b", folder, cls.packages / f"{name}.deb")
        shutil.rmtree(folder)

    @classmethod
    def unpack(cls):
        depends = run("dpkg-deb", "-f", cls.packages / "first.deb", "Depends")
        needed = [word.split()[0] for word in depends.split(", ") if not word.startswith("systemd")]
        more = ["docker-cli"] if cls.suite != "bookworm" else []
        cls.unpack_base(cls.root, *PACKAGES, *needed, *more)
        run("systemctl", f"--root={cls.root}", "--quiet", "disable", "docker.service",
            "docker.socket")
        for package in cls.packages.iterdir():
            shutil.copy(package, cls.root / "root" / package.name)

    @classmethod
    def attach(cls):
        """Installed, as the package's own words say; see tests."""

    def files(self):
        listed = self.succeed("find", "/", "-xdev", "-not", "-type", "s")
        return {line for line in listed.splitlines() if not OWN.match(line)}

    def install(self, name):
        return self.succeed("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "-i",
                            f"/root/{name}.deb")

    def hammer(self):
        """Calls until /root/enough is there; returns their answers."""
        answers = []
        (self.root / "root/load.sh").write_text(LOAD)

        def work():
            done = subprocess.run(
                ["nsenter", "-t", self.init, "-a", "env", "-i",
                 "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "bash", "/root/load.sh"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                timeout=120)
            answers.extend(done.stdout.splitlines())
        thread = threading.Thread(target=work)
        thread.start()
        return thread, answers

    def test_installed_used_upgraded_under_load_removed_and_purged(self):
        before = self.files()
        users = (self.root / "etc/passwd").read_text()

        said = self.install("first")
        self.assertIn('"authorization-plugins": ["seccomp-authz"]', said)
        self.assertEqual(self.succeed("systemctl", "is-enabled", "seccomp-authz.socket",
                                      "seccomp-authz.service").split(), ["enabled"] * 2)
        for unit in ("audit.timer", "fetch.service", "ship.service"):
            _, out = self.run_inside("systemctl", "is-enabled", f"seccomp-authz-{unit}")
            self.assertEqual(out.strip(), "disabled", unit)
        self.assertFalse((self.root / "etc/docker/daemon.json").exists())
        Machine.attach.__func__(type(self))
        self.assert_guarded()

        thread, answers = self.hammer()
        for name in ("second", "first", "second"):
            time.sleep(1)
            pid = self.judge_pid()
            self.install(name) if name == "second" else self.succeed(
                "dpkg", "--force-downgrade", "-i", "/root/first.deb")
            self.assertNotEqual(self.judge_pid(), pid, "the new judge runs")
        time.sleep(1)
        (self.root / "root/enough").touch()
        thread.join()
        self.assertEqual(set(answers), {"200", "403"}, "no call was lost, nothing got through")
        print(f"{self.suite}: {len(answers)} calls while it was upgraded three times: "
              f"{answers.count('200')} answered, {answers.count('403')} refused, none lost")
        self.assertGreater(len(answers), 100)
        self.assert_guarded()

        said = self.succeed("dpkg", "--remove", "seccomp-authz")
        self.assertIn("refuses every call", said)
        self.assertTrue((self.root / "etc/seccomp-authz/policy.json").exists())
        self.succeed("systemctl", "stop", "docker")
        self.succeed("dpkg", "--purge", "seccomp-authz")
        self.assertEqual(sorted(self.files() - before), [])
        self.assertEqual((self.root / "etc/passwd").read_text(), users)
        self.assertNotIn(PLUGIN, self.succeed("systemctl", "list-units", "--all"))


# These are of the machine that `make install` made.
for name in [name for name in dir(Machine) if name.startswith("test_")]:
    setattr(Package, name, None)
