# SPDX-License-Identifier: Apache-2.0
"""What `check` says of a Compose file, beside what docker-compose gets from a guarded engine.

The client of this machine: docker-compose 1.29 (Debian 12) or docker compose v2 (13).
"""

import os
import shutil
import subprocess

from lab import BUILD, DENIED, IMAGE, GuardedCase, rows, spread

CLIENT = shutil.which("docker-compose")
STRICT = ('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"action": "SCMP_ACT_ALLOW", '
          '"names": ["read", "write", "execve", "exit_group", "brk", "mmap", "futex"]}]}')
HEAD = 'version: "3.7"\n'
SERVICE = HEAD + f"services:\n  web:\n    image: {IMAGE}\n    command: ['true']\n"


def options(*entries):
    return SERVICE + "    security_opt:\n" + "".join(f"      - {entry}\n" for entry in entries)


def template(entry, use):
    return (HEAD + f"x-base: &base\n  image: {IMAGE}\n  command: ['true']\n"
            f"  security_opt: [{entry!r}]\nservices:\n  web:\n{use}")


# name -> (Compose file, what is to come of it: "created", "refused" by the plugin, or "failed"
# before the engine was asked to create anything)
FILES = {
    "plain": (SERVICE, "created"),
    "no_new_privileges": (options("no-new-privileges:true"), "created"),
    "colon_form": (options("seccomp:unconfined"), "refused"),
    "equals_form": (options("seccomp=unconfined"), "refused"),
    "quoted_form": (options('"seccomp:unconfined"'), "refused"),
    "flow_list": (SERVICE + '    security_opt: ["seccomp:unconfined"]\n', "refused"),
    "behind_other_options": (options("apparmor:unconfined", "'seccomp:unconfined'"), "refused"),
    "block_scalar": (options(">-\n        seccomp:unconfined"), "refused"),
    "anchor": (template("seccomp:unconfined", "    <<: *base\n    tty: true\n"), "refused"),
    "merge_overridden": (template("seccomp:unconfined",
                                  "    <<: *base\n    security_opt: []\n"), "created"),
    "merge_behind_its_override": (template("seccomp:unconfined",
                                           "    security_opt: []\n    <<: *base\n"), "created"),
    "extends": (HEAD.replace("3.7", "2.4") + "services:\n  web:\n    extends: base\n  base:\n"
                f"    image: {IMAGE}\n    security_opt: ['seccomp:unconfined']\n", "refused"),
    "extends_a_file": (HEAD.replace("3.7", "2.4") + "services:\n  web:\n    extends:\n"
                       "      {file: sub/base.yml, service: base}\n", "refused"),
    "strict_profile": (options("seccomp:strict.json"), "created"),
    "open_profile": (options("seccomp:./open.json"), "refused"),
    "empty_object_as_profile": (options("seccomp=none.json"), "refused"),
    "last_option_wins": (options("seccomp=unconfined", "seccomp=strict.json"), "created"),
    "last_option_unconfined": (options("seccomp=strict.json", "seccomp=unconfined"), "refused"),
    "profile_that_is_not_there": (options("seccomp:nowhere.json"), "failed"),
    "empty_file_as_profile": (options("seccomp:empty.json"), "failed"),
    "option_with_a_space": (options("seccomp: unconfined"), "failed"),
    "option_that_is_no_list": (SERVICE + "    security_opt: seccomp:unconfined\n", "failed"),
    "key_given_twice": (SERVICE + "    security_opt: ['seccomp:unconfined']\n"
                        "    security_opt: []\n", None),
    "variable": (options("seccomp:${HOPE_SO:-unconfined}"), "refused"),
    "privileged": (SERVICE + "    privileged: true\n", "refused"),
    "not_privileged": (SERVICE + "    privileged: false\n", "created"),
    "privileged_by_a_variable": (SERVICE + "    privileged: ${HOPE_SO:-true}\n", "refused"),
}

UNDER = HEAD + "services:\n  web:\n"
# name -> (docker-compose.override.yml over the second, the file below, what is to come of it)
PAIRS = {
    "override_says_nothing_of_it": (UNDER + "    tty: true\n", SERVICE, "created"),
    "override_asks_for_no_filter": (UNDER + "    security_opt: ['seccomp:unconfined']\n", SERVICE,
                                    "refused"),
    "override_leaves_no_filter": (UNDER + "    security_opt: ['no-new-privileges']\n",
                                  options("seccomp:unconfined"), "refused"),
    "override_by_a_profile": (UNDER + "    security_opt: ['seccomp:strict.json']\n",
                              options("seccomp:unconfined"), "created"),
    "override_of_privileged": (UNDER + "    privileged: false\n",
                               SERVICE + "    privileged: true\n", "created"),
    "override_is_privileged": (UNDER + "    privileged: true\n", SERVICE, "refused"),
}


@spread
class Compose(GuardedCase):
    def setUp(self):
        super().setUp()
        if not CLIENT:
            self.skipTest("docker-compose is not installed")
        self.folder = self.engine.home / "project"
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "sub").mkdir(parents=True)
        for name, text in (("strict.json", STRICT), ("none.json", "{}"), ("empty.json", ""),
                           ("open.json", '{"defaultAction": "SCMP_ACT_ALLOW"}'),
                           ("sub/base.yml", HEAD.replace("3.7", "2.4") + "services:\n  base:\n"
                            f"    image: {IMAGE}\n    security_opt: ['seccomp:unconfined']\n")):
            (self.folder / name).write_text(text)

    def ask_engine(self):
        """What comes of it when the client creates the containers of the file."""
        environment = {**os.environ, "DOCKER_HOST": f"unix://{self.engine.socket}",
                       "HOME": str(self.engine.home), "COMPOSE_PROJECT_NAME": "t"}
        done = subprocess.run([CLIENT, "up", "--no-start"], cwd=self.folder, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120)
        made = self.engine.containers()
        self.engine.remove_all()
        if done.returncode == 0:
            return "created" if made else "failed"
        text = " ".join((done.stdout + done.stderr).split())
        return "refused" if " ".join(DENIED.split()) in text else "failed"

    def check(self, *words):
        return subprocess.run([BUILD / "seccomp-authz", "check", "--policy", self.judge.policy,
                               "--as", "compose", *words], cwd=self.folder,
                              capture_output=True, text=True, timeout=60)

    @rows(PAIRS)
    def check_and_engine_merge_alike(self, upper, lower, want):
        (self.folder / "docker-compose.yml").write_text(lower)
        (self.folder / "docker-compose.override.yml").write_text(upper)
        self.assertEqual(self.ask_engine(), want)
        code = 0 if want == "created" else 1
        for words in (("--merge", "docker-compose.yml", "docker-compose.override.yml"),
                      ("docker-compose.override.yml",)):
            done = self.check(*words)
            self.assertEqual(done.returncode, code, done.stdout + done.stderr)

    @rows(FILES)
    def check_and_engine_agree(self, text, want):
        (self.folder / "docker-compose.yml").write_text(text)
        done = self.check("docker-compose.yml")
        came = self.ask_engine()
        if want:
            self.assertEqual(came, want)
        # stricter than the client is allowed for what readers could take differently only
        self.assertEqual(done.returncode, 0 if want == "created" else 1, done.stdout + done.stderr)
