# SPDX-License-Identifier: Apache-2.0
"""The systemd units, installed and started as the README says, on a machine that runs
systemd and an engine of its own (in namespaces, made of this machine's Debian suite)."""

import json
import shutil
import subprocess
import time
import unittest

from lab import BUILD, DIR, HERE, PLUGIN, SUITE, TIED, image_layer, wait_until

REPOSITORY = HERE.parent.parent
PACKAGES = ("systemd", "systemd-sysv", "dbus", "libnss-systemd", "docker.io", "iproute2",
            "iptables", "procps", "busybox-static", "curl", "jq")
RECORD = "var/log/seccomp-authz/record.jsonl"
UNCONFINED = ("--security-opt", "seccomp=unconfined")
SHOW_SECCOMP = ("grep", "Seccomp:", "/proc/self/status")
REFUSED = "would run without a seccomp filter"


def load_tests(_loader, tests, _pattern):
    """One machine is enough; it has no part in the engines of other suites."""
    return tests if SUITE == "host" else unittest.TestSuite()


class Machine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = DIR / "machine"
        cls.root = cls.home / "root"
        cls.home.mkdir(parents=True)
        cls.addClassCleanup(cls.clean)
        cls.unpack()
        cls.process = subprocess.Popen(
            [*TIED, HERE / "engine.sh", "boot", "machine", cls.root],
            stdin=subprocess.DEVNULL, start_new_session=True)
        cls.init = wait_until(cls.find_init, 20, "systemd starts")
        wait_until(cls.is_up, 60, "systemd is up")
        cls.attach()

    @classmethod
    def clean(cls):
        if hasattr(cls, "process"):
            cls.process.kill()
            cls.process.wait()
        subprocess.run([HERE / "engine.sh", "down", "machine"], check=True)

    @classmethod
    def unpack(cls):
        tar = cls.home / "root.tar"
        packages = [*PACKAGES]
        if subprocess.run(["apt-cache", "show", "docker-cli"], capture_output=True,
                          check=False).returncode == 0:
            packages.append("docker-cli")
        subprocess.run([HERE / "engine.sh", "base", tar, *packages], check=True)
        cls.root.mkdir()
        subprocess.run(["tar", "-x", "-C", cls.root, "-f", tar], check=True)
        tar.unlink()
        subprocess.run(["make", "-s", "-C", REPOSITORY, "install", f"DESTDIR={cls.root}"],
                       check=True, stdout=subprocess.DEVNULL)
        # The libraries of this machine: it is of the same suite.
        found = subprocess.run(f"ldd {BUILD}/seccomp-authzd {BUILD}/seccomp-authz |"
                               " grep -o '/[^ :]*lib[^ :]*' | sort -u",
                               shell=True, check=True, text=True, capture_output=True)
        for library in found.stdout.split():
            if not (cls.root / library[1:]).exists():
                shutil.copy(library, cls.root / "usr" / library[1:].removeprefix("usr/"))
        shutil.copytree(HERE, cls.root / "root/e2e")
        subprocess.run(["systemctl", f"--root={cls.root}", "--quiet", "disable",
                        "docker.service", "docker.socket"], check=True)

    @classmethod
    def find_init(cls):
        """The child of unshare, once it has become systemd."""
        found = subprocess.run(["pgrep", "-P", str(cls.process.pid), "-x", "systemd"],
                               text=True, capture_output=True, check=False)
        return found.stdout.strip()

    @classmethod
    def run_inside(cls, *command):
        """(exit code, stdout and stderr) of a command on the machine."""
        done = subprocess.run(
            ["nsenter", "-t", cls.init, "-a", "env", "-i", "HOME=/root",
             "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=90, check=False)
        return done.returncode, done.stdout

    @classmethod
    def succeed(cls, *command):
        code, out = cls.run_inside(*command)
        if code != 0:
            _, journal = cls.run_inside("journalctl", "--no-pager", "-n", "30")
            raise AssertionError(f"{command}: {out}\n{journal}")
        return out

    @classmethod
    def is_up(cls):
        return cls.run_inside("systemctl", "is-system-running")[1].strip() in ("running",
                                                                               "degraded")

    @classmethod
    def write(cls, path, content):
        (cls.root / path).parent.mkdir(parents=True, exist_ok=True)
        (cls.root / path).write_text(content if isinstance(content, str)
                                     else json.dumps(content))

    @classmethod
    def attach(cls):
        """The README's "Attach it to your engine"."""
        cls.write("etc/seccomp-authz/policy.json", {"version": 1})
        cls.succeed("systemctl", "enable", "--now", "seccomp-authz.socket",
                    "seccomp-authz.service")
        cls.write("etc/docker/daemon.json", {"bridge": "none", "iptables": False,
                                             "ip6tables": False})
        cls.succeed("systemctl", "start", "docker")
        cls.write("etc/docker/daemon.json", {"bridge": "none", "iptables": False,
                                             "ip6tables": False,
                                             "authorization-plugins": [PLUGIN]})
        cls.succeed("systemctl", "reload", "docker")
        (cls.root / "root/image.tar").write_bytes(image_layer())
        cls.succeed("docker", "import", "/root/image.tar", "busybox:latest")
        wait_until(lambda: REFUSED in cls.docker_run(*UNCONFINED)[1], 10, "it is guarded")

    @classmethod
    def docker_run(cls, *options):
        return cls.run_inside("docker", "run", "--rm", *options, "busybox", *SHOW_SECCOMP)

    def assert_guarded(self):
        code, out = self.docker_run(*UNCONFINED)
        self.assertEqual(code, 125, out)
        self.assertIn(REFUSED, out)
        code, out = self.docker_run()
        self.assertEqual((code, out.split()[-1:]), (0, ["2"]), out)

    def judge_pid(self):
        return self.succeed("systemctl", "show", "-P", "MainPID", "seccomp-authz").strip()

    def test_engine_is_guarded_and_refusals_are_on_record(self):
        self.assert_guarded()
        record = json.loads((self.root / "var/log/private" / RECORD.removeprefix("var/log/"))
                            .read_text().splitlines()[-1])
        self.assertEqual((record["decision"], record["posture"]), ("deny", "unconfined"))

    def test_judge_runs_without_root_and_with_a_filter_of_its_own(self):
        status = dict(line.split(":", 1) for line in self.succeed(
            "cat", f"/proc/{self.judge_pid()}/status").splitlines())
        self.assertNotEqual(status["Uid"].split()[0], "0")
        self.assertEqual(int(status["CapBnd"], 16), 0)
        self.assertEqual((status["NoNewPrivs"].strip(), status["Seccomp"].strip()), ("1", "2"))

    def test_judge_puts_a_narrower_filter_on_itself_and_shuts_other_folders(self):
        status = self.succeed("cat", f"/proc/{self.judge_pid()}/status")
        filters = int(status.split("Seccomp_filters:")[1].split()[0])
        self.assertGreaterEqual(filters, 2)  # systemd's and its own
        journal = self.succeed("journalctl", "-u", "seccomp-authz", "--no-pager")
        line = [line for line in journal.splitlines() if "sandbox: " in line][-1]
        self.assertRegex(line, "sandbox: no capabilities, no new privileges, "
                         r"(only its folders \(Landlock \d\)|all folders \(this kernel has no "
                         r"Landlock\)), \d+ system calls$")

    def test_restarts_lose_no_request_of_a_client_that_hammers(self):
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-static", "-o",
                        str(self.root / "root/hammer"), str(HERE / "hammer.c"), "-lpthread"],
                       check=True)
        client = subprocess.Popen(
            [*TIED, "nsenter", "-t", self.init, "-a", "/root/hammer", "-s", "8", "-c", "6",
             f"/run/docker/plugins/{PLUGIN}.sock"], stdout=subprocess.PIPE, text=True)
        for _ in range(3):
            time.sleep(1)
            self.succeed("systemctl", "restart", "seccomp-authz")
        out, _ = client.communicate(timeout=90)
        seen = dict(word.split("=") for word in out.split())
        self.assertEqual((client.returncode, seen["lost"], seen["refused"], seen["wrong"]),
                         (0, "0", "0", "0"), out)
        self.assertGreater(int(seen["asked"]), 1000)
        print(f"     three restarts: {out.strip()}")

    def test_judge_that_hangs_is_started_anew(self):
        self.assertEqual(self.succeed("systemctl", "show", "-P", "WatchdogUSec",
                                      "seccomp-authz").strip(), "30s")
        drop_in = "run/systemd/system/seccomp-authz.service.d/watchdog.conf"
        self.succeed("mkdir", "-p", f"/{drop_in.rsplit('/', 1)[0]}")
        self.succeed("sh", "-c", f"printf '[Service]\\nWatchdogSec=2s\\n' >/{drop_in}")
        self.succeed("systemctl", "daemon-reload")
        self.succeed("systemctl", "restart", "seccomp-authz")
        self.addCleanup(self.succeed, "systemctl", "daemon-reload")
        self.addCleanup(self.succeed, "rm", f"/{drop_in}")
        pid = self.judge_pid()
        time.sleep(4)
        self.assertEqual(self.judge_pid(), pid)  # it is well, and says so
        self.succeed("kill", "-STOP", pid)
        wait_until(lambda: self.judge_pid() not in (pid, "0"), 20, "another one is there")
        self.assert_guarded()

    def test_audit_by_its_timer_writes_its_page_and_tells_of_failures(self):
        unit, page = "seccomp-authz-audit", self.root / "var/log/seccomp-authz-audit.html"
        folder = "etc/systemd/system"
        exception = {"id": "debug", "allow": ["unconfined"], "reason": "TEST-1",
                     "match": {"name": ["dbg-*"]}}
        self.write("etc/seccomp-authz/policy.json", {"version": 1, "exceptions": [exception]})
        self.succeed("systemctl", "reload", "seccomp-authz")
        self.succeed("docker", "create", "--name", "dbg-old", *UNCONFINED, "busybox", "true")
        self.succeed("docker", "run", "-d", "--name", "plain", "busybox", "sleep", "600")
        self.write("etc/seccomp-authz/policy.json", {"version": 1})
        self.succeed("systemctl", "reload", "seccomp-authz")
        self.write(f"{folder}/tell.service", "[Service]\nType=oneshot\n"
                   "ExecStart=/bin/touch /root/told\n")
        self.write(f"{folder}/{unit}.service.d/tell.conf", "[Unit]\nOnFailure=tell.service\n")
        self.write(f"{folder}/{unit}.timer.d/soon.conf", "[Timer]\nOnCalendar=\n"
                   "OnCalendar=*:*:0/2\nRandomizedDelaySec=0\nAccuracySec=100ms\n")
        self.succeed("systemctl", "daemon-reload")
        self.succeed("systemctl", "start", f"{unit}.timer")
        wait_until((self.root / "root/told").exists, 20, "the timer's audit failed and told")
        self.succeed("systemctl", "stop", f"{unit}.timer")
        wait_until(lambda: self.run_inside("systemctl", "is-active", unit)[1].strip()
                   in ("failed", "inactive"), 20, "the audit is over")
        self.assertEqual(self.succeed("systemctl", "show", "-P", "ExecMainStatus", unit).strip(),
                         "1")
        report = page.read_text()
        self.assertRegex(report, '<tr data-verdict="deny" data-check="unconfined">.*dbg-old')
        self.assertRegex(report, "plain</th>.*Seccomp: 2")  # it sees other users' processes
        self.assertEqual(page.stat().st_mode & 0o077, 0)

        self.succeed("docker", "rm", "-f", "dbg-old", "plain")
        self.write("etc/default/seccomp-authz-audit", 'AUDIT_OPTIONS="--probe"\n')
        self.succeed("systemctl", "start", unit)
        report = page.read_text()
        self.assertIn('<tr data-verdict="pass" data-check="engine-probe">', report)
        self.assertNotIn("dbg-old", report)
        self.assertTrue(report.endswith("</html>\n"))

    def test_socket_is_for_root_only(self):
        out = self.succeed("stat", "-c", "%a %U", f"/run/docker/plugins/{PLUGIN}.sock")
        self.assertEqual(out.strip(), "600 root")

    def test_killed_judge_is_back_before_anybody_notices(self):
        self.succeed("kill", "-KILL", self.judge_pid())
        begin = time.monotonic()
        self.assert_guarded()
        self.assertLess(time.monotonic() - begin, 10)

    def test_stopped_judge_is_started_by_the_next_request(self):
        self.succeed("systemctl", "stop", "seccomp-authz.service")
        self.assert_guarded()
        self.assertEqual(self.succeed("systemctl", "is-active", "seccomp-authz").strip(),
                         "active")

    def test_reload_takes_a_changed_policy(self):
        exception = {"id": "all", "allow": ["unconfined"], "reason": "TEST-1",
                     "match": {"door": ["docker"]}}
        self.write("etc/seccomp-authz/policy.json", {"version": 1, "exceptions": [exception]})
        self.succeed("systemctl", "reload", "seccomp-authz")
        wait_until(lambda: self.docker_run(*UNCONFINED)[0] == 0, 10, "the exception is there")
        self.write("etc/seccomp-authz/policy.json", {"version": 1})
        self.succeed("systemctl", "reload", "seccomp-authz")
        wait_until(lambda: self.docker_run(*UNCONFINED)[0] == 125, 10, "it is gone")

    def test_engine_stays_guarded_through_reload_and_restart(self):
        self.succeed("systemctl", "reload", "docker")
        self.assert_guarded()
        self.succeed("systemctl", "restart", "docker")
        self.assert_guarded()

    def test_show_runs_beside_an_engine_and_leaves_it_alone(self):
        self.succeed("docker", "run", "-d", "--name", "mine", "busybox", "sleep", "600")
        self.addCleanup(self.run_inside, "docker", "rm", "--force", "mine")
        before = self.succeed("docker", "inspect", "mine")
        out = self.succeed("/root/e2e/show.sh", "/usr/bin")
        self.assertIn(f"authorization denied by plugin {PLUGIN}", out)
        self.assertEqual(self.succeed("docker", "inspect", "mine"), before)
        self.assertNotEqual(self.run_inside("sh", "-c", "ls -d /var/tmp/seccomp-authz.*")[0], 0)


if __name__ == "__main__":
    unittest.main()
