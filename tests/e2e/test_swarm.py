# SPDX-License-Identifier: Apache-2.0
"""The stack that carries the policy to the managers of a swarm, on a real manager."""

import os
import pathlib
import shutil
import signal
import subprocess

from lab import DOCKER, HERE, GuardedCase, wait_until

SWARM = HERE.parent.parent / "plugin-spec" / "swarm"


class Stack(GuardedCase):
    def deploy(self, folder, version):
        """The command at the head of stack.yml."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.engine.home),
                       "DOCKER_HOST": f"unix://{self.engine.socket}", "POLICY_VERSION": version,
                       "POLICY_IMAGE": "busybox:latest", "SECCOMP_AUTHZ_DIR": str(self.shared)}
        return subprocess.run([DOCKER, "stack", "deploy", "--resolve-image", "never",
                               "-c", "stack.yml", "seccomp-authz"], cwd=folder, env=environment,
                              capture_output=True, text=True, timeout=120, check=False)

    def test_the_policy_arrives_is_replaced_and_guards_the_swarm(self):
        self.shared = self.engine.home / "etc"
        self.shared.mkdir()
        folder = pathlib.Path(shutil.copytree(SWARM, self.engine.home / "stack"))
        code, _, err = self.engine.docker("swarm", "init", "--advertise-addr", "127.0.0.1",
                                          "--listen-addr", "127.0.0.1:2377", inside=True)
        self.assertEqual(code, 0, err)
        arrived = self.shared / "policy.json"
        for version, text in (("one", '{"version": 1}\n'),
                              ("two", (SWARM / "policy.json").read_text())):
            (folder / "policy.json").write_text(text)
            done = self.deploy(folder, version)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            wait_until(lambda text=text: arrived.exists() and arrived.read_text() == text, 60,
                       self.engine.docker("service", "ps", "--no-trunc", "seccomp-authz_policy"))
        self.assertEqual(arrived.stat().st_mode & 0o777, 0o644)
        # a manager's judge under the policy that came
        self.judge.reload(arrived.read_text())
        code, _, err = self.engine.docker("swarm", "join-token", "--rotate", "manager")
        self.assertEqual(code, 1)
        self.assertIn("authorization denied by plugin", err)
        code, _, err = self.engine.docker("service", "rollback", "--detach", "seccomp-authz_policy")
        self.assertTrue(code == 0 or "authorization denied by plugin" in err, err)
        self.judge.process.send_signal(signal.SIGHUP)
