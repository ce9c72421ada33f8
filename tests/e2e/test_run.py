# SPDX-License-Identifier: Apache-2.0
"""What `docker run` does on a guarded engine."""

import json
import os
import signal
import unittest

from lab import HERE, GuardedCase, rows, spread

ALLOW_ALL = json.dumps({"defaultAction": "SCMP_ACT_ALLOW"})
LOG_ALL = json.dumps({"defaultAction": "SCMP_ACT_LOG"})
PROFILES = sorted((HERE.parent / "profiles").glob("docker-*.json"))
DEBUG_IMAGE = "debug:1"
OTHER_IMAGE = "debug-else:1"


@spread
class Plain(GuardedCase):
    """Under a policy without exceptions."""

    def test_plain_container_runs_under_a_filter_that_blocks(self):
        self.assert_runs(2)
        code, _, err = self.run_container(command=["unshare", "-U", "true"])
        self.assertNotEqual(code, 0)
        self.assertIn("Operation not permitted", err)

    def test_plain_container_is_not_recorded(self):
        self.assert_runs(2)
        self.assertEqual(self.new_records(), [])

    @rows({
        "unconfined_with_equals_sign_is_refused":
            (["--security-opt", "seccomp=unconfined"], "unconfined"),
        "unconfined_with_colon_is_refused":
            (["--security-opt", "seccomp:unconfined"], "unconfined"),
        "unconfined_under_a_name_is_refused":
            (["--name", "web", "--security-opt", "seccomp=unconfined"], "unconfined"),
        "last_of_several_options_unconfined_is_refused":
            (["--security-opt", "no-new-privileges", "--security-opt", "seccomp=unconfined"],
             "unconfined"),
        "privileged_is_refused": (["--privileged"], "privileged"),
    })
    def refused(self, options, posture):
        self.assert_refused(*options, posture=posture, says="seccomp filter")

    @rows({
        "empty_profile_is_refused": ("{}", "unconfined"),
        "profile_without_action_is_refused": ('{"syscalls":[]}', "unconfined"),
        "allow_all_profile_is_refused": (ALLOW_ALL, "permissive"),
        "log_all_profile_is_refused": (LOG_ALL, "permissive"),
    })
    def profile_refused(self, text, posture):
        option = self.profile("profile.json", text)
        self.assert_refused("--security-opt", option, posture=posture)

    @rows({f"default_profile_of_{path.stem.replace('-', '_')}_handed_in_runs": (path,)
           for path in PROFILES})
    def default_profile(self, path):
        self.assert_runs(2, "--security-opt", f"seccomp={path}")

    def test_create_is_refused_as_run_is(self):
        code, out, err = self.engine.docker("create", "--security-opt", "seccomp=unconfined",
                                            "busybox", "true")
        self.assertEqual((code, out), (1, ""), err)
        self.assertIn("would run without a seccomp filter", err)
        self.assertEqual(self.engine.containers(), [])

    def test_sentence_names_container_image_and_option(self):
        record = self.assert_refused("--name", "web", "--security-opt", "seccomp=unconfined")
        for part in ('"web"', "docker.io/library/busybox:latest", "seccomp=unconfined"):
            self.assertIn(part, record["message"])

    def test_exec_logs_ps_and_restart_work(self):
        code, out, err = self.engine.docker("run", "-d", "--name", "long", "busybox", "sleep",
                                            "600")
        self.assertEqual(code, 0, err)
        self.addCleanup(self.engine.remove_all)
        for command in (["exec", "long", "true"], ["logs", "long"], ["ps"], ["images"],
                        ["inspect", "long"], ["restart", "-t", "0", "long"], ["info"]):
            code, _, err = self.engine.docker(*command)
            self.assertEqual(code, 0, f"docker {command}: {err}")

    def test_sighup_of_the_engine_keeps_the_plugin(self):
        os.kill(int(self.engine.dockerd_pid()), signal.SIGHUP)
        self.assert_refused("--security-opt", "seccomp=unconfined")
        self.assert_runs(2)


@spread
class Guards(GuardedCase):
    """What is no container but would end without a filter."""

    def test_creating_a_managed_plugin_is_refused(self):
        folder = self.engine.home / "plugin"
        os.makedirs(folder / "rootfs", exist_ok=True)
        (folder / "config.json").write_text('{"interface": {}, "entrypoint": ["/x"]}')
        code, _, err = self.engine.docker("plugin", "create", "some/plugin", str(folder))
        self.assertEqual(code, 1)
        self.assertIn("managed plugins run without a seccomp filter", err)
        self.assertEqual(self.new_records()[-1]["rule"], "plugins")

    def test_shadowing_the_plugin_is_refused(self):
        status, answer = self.engine.call(
            "POST", f"/{self.engine.api}/plugins/create?name=seccomp-authz", b"x",
            content_type="application/x-tar")
        self.assertEqual(status, 403, answer)
        self.assertEqual(self.new_records()[-1]["rule"], "self")

    def test_runtime_that_is_not_listed_is_refused(self):
        self.assert_refused("--runtime", "io.containerd.other.v1", says="runtime")


@spread
class Exceptions(GuardedCase):
    """Under a policy that lets a debugging image run unconfined."""

    policy = {
        "version": 1,
        "exceptions": [
            {"id": "debug-image", "allow": ["unconfined"], "reason": "TEST-1",
             "match": {"image": [f"docker.io/library/{DEBUG_IMAGE}"]}},
            {"id": "long-gone", "allow": ["unconfined"], "reason": "TEST-2",
             "expires": "2020-01-01T00:00:00Z", "match": {"name": ["late-*"]}},
            {"id": "labelled", "allow": ["unconfined", "privileged"], "reason": "TEST-3",
             "match": {"label": {"team": "tools"}, "name": ["dbg-*"]}},
        ],
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for image in (DEBUG_IMAGE, OTHER_IMAGE):
            cls.engine.import_image(image)

    UNCONFINED = ("--security-opt", "seccomp=unconfined")

    def test_matching_image_runs_without_a_filter_and_the_record_names_the_exception(self):
        self.assert_runs(0, *self.UNCONFINED, image=DEBUG_IMAGE)
        record = self.new_records()[-1]
        self.assertEqual((record["decision"], record["rule"]), ("allow", "debug-image"))

    def test_matching_name_and_label_run_privileged(self):
        self.assert_runs(0, "--privileged", "--name", "dbg-1", "--label", "team=tools")
        self.assertEqual(self.new_records()[-1]["rule"], "labelled")

    @rows({
        "other_image_is_refused": ([*UNCONFINED], OTHER_IMAGE, "unconfined"),
        "privileged_under_an_exception_for_unconfined_is_refused":
            (["--privileged"], DEBUG_IMAGE, "privileged"),
        "privileged_and_unconfined_under_it_is_refused":
            (["--privileged", *UNCONFINED], DEBUG_IMAGE, "privileged"),
        "expired_exception_is_gone": (["--name", "late-1", *UNCONFINED], OTHER_IMAGE, None),
        "one_of_two_criteria_is_not_enough":
            (["--name", "dbg-1", *UNCONFINED], OTHER_IMAGE, None),
        "another_label_is_not_enough":
            (["--name", "dbg-1", "--label", "team=web", *UNCONFINED], OTHER_IMAGE, None),
    })
    def refused(self, options, image, posture):
        self.assert_refused(*options, image=image, posture=posture)

    def test_matching_image_plain_runs_under_a_filter(self):
        self.assert_runs(2, image=DEBUG_IMAGE)


class Observed(GuardedCase):
    """Under a policy that refuses nothing yet."""

    policy = {"version": 1, "mode": "observe"}

    def test_unconfined_runs_and_the_record_says_what_would_have_been(self):
        self.assert_runs(0, "--security-opt", "seccomp=unconfined")
        record = self.new_records()[-1]
        self.assertEqual((record["decision"], record["posture"]), ("observe", "unconfined"))


if __name__ == "__main__":
    unittest.main()
