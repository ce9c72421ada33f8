# SPDX-License-Identifier: Apache-2.0
"""The policy file while an engine runs: reload, and files that can't be used."""

import json
import shutil
import unittest

from lab import GuardedCase, rows, spread, wait_until

UNCONFINED = ("--security-opt", "seccomp=unconfined")
STRICT = {"version": 1}
OPEN = {
    "version": 1,
    "exceptions": [{"id": "anybody", "allow": ["unconfined"], "reason": "TEST-1",
                    "match": {"door": ["docker"]}}],
}
HALF = json.dumps(OPEN)[:60]


@spread
class Policies(GuardedCase):
    def restart_judge(self):
        self.judge.stop()
        self.judge.start()
        wait_until(lambda: self.engine.call("GET", "/_ping")[0] == 200, 20, "the engine is back")
        self.seen = len(self.judge.records())

    def tearDown(self):
        shutil.rmtree(self.judge.policy, ignore_errors=True)
        shutil.rmtree(self.judge.state, ignore_errors=True)
        self.judge.write_policy(STRICT)
        self.restart_judge()

    def test_sighup_puts_a_changed_policy_in_force(self):
        self.assert_refused(*UNCONFINED)
        self.judge.reload(OPEN)
        self.assert_runs(0, *UNCONFINED)
        self.judge.reload(STRICT)
        self.assert_refused(*UNCONFINED)

    def test_changed_file_is_taken_without_sighup(self):
        self.assert_refused(*UNCONFINED)
        before = self.judge.log_size()
        self.judge.write_policy(OPEN)
        wait_until(lambda: self.judge.log_size() > before, 5, "it is seen")
        self.assert_runs(0, *UNCONFINED)

    @rows({
        "reload_of_an_empty_file_keeps_the_policy": ("",),
        "reload_of_a_half_written_file_keeps_the_policy": (HALF,),
        "reload_of_another_version_keeps_the_policy": ('{"version":2}',),
        "reload_without_the_file_keeps_the_policy": (None,),
    })
    def broken_reload(self, text):
        self.judge.reload(text)
        self.assert_refused(*UNCONFINED, posture="unconfined")
        self.assert_runs(2)

    def test_broken_reload_keeps_exceptions_too(self):
        self.judge.reload(OPEN)
        self.judge.reload(HALF)
        self.assert_runs(0, *UNCONFINED)

    def test_broken_file_at_start_uses_the_last_good_policy(self):
        self.judge.reload(OPEN)
        self.judge.write_policy(HALF)
        self.restart_judge()
        self.assert_runs(0, *UNCONFINED)
        self.assert_refused("--privileged", posture="privileged")

    @rows({
        "start_without_the_file_never_opens": (None,),
        "start_with_an_empty_file_never_opens": ("",),
        "start_with_no_json_never_opens": ("version: 1\n",),
        "start_with_a_half_written_file_never_opens": (HALF,),
        "start_with_a_list_never_opens": ("[]",),
        "start_with_another_version_never_opens": ('{"version":2}',),
        "start_without_a_version_never_opens": ("{}",),
        "start_with_an_unknown_key_never_opens": ('{"version":1,"exceptoins":[]}',),
        "start_with_a_folder_never_opens": (shutil,),
    })
    def broken_start(self, text):
        """Without a last good policy every workload is refused, and nothing else is."""
        self.judge.stop()
        shutil.rmtree(self.judge.state)
        if text is shutil:
            self.judge.policy.unlink()
            self.judge.policy.mkdir()
        else:
            self.judge.write_policy(text)
        self.restart_judge()
        self.assert_refused(says="policy broken")
        self.assert_refused(*UNCONFINED, says="policy broken")
        for command in (["ps"], ["images"], ["info"]):
            self.assertEqual(self.engine.docker(*command)[0], 0, command)

    def test_policy_that_was_repaired_is_taken_on_sighup(self):
        self.judge.stop()
        shutil.rmtree(self.judge.state)
        self.judge.write_policy(HALF)
        self.restart_judge()
        self.assert_refused(says="policy broken")
        self.judge.reload(STRICT)
        self.assert_runs(2)
        self.assert_refused(*UNCONFINED, posture="unconfined")


if __name__ == "__main__":
    unittest.main()
