#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py [NAME]... - runs the test files (all, or those named) against one engine.

One line a test, the reasons of failures as they come, and 'SUITE: N passed, N failed' at
the end. Called by run.sh, which makes the engine's root and cleans up.
"""

import sys
import time
import unittest

import lab


class Lines(unittest.TestResult):
    """One line a test: ok, FAIL or skip, and what it says."""

    def __init__(self):
        super().__init__()
        self.passed = 0
        self.begin = 0.0

    def startTest(self, test):
        super().startTest(test)
        self.begin = time.monotonic()

    def say(self, word, test):
        name = getattr(test, "_testMethodName", str(test)).removeprefix("test_")
        family = type(test).__name__.lower()
        seconds = time.monotonic() - self.begin
        print(f"{word:4} {lab.SUITE} {family}: {name.replace('_', ' ')} ({seconds:.1f} s)",
              flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1
        self.say("ok", test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.say("FAIL", test)
        print(self.failures[-1][1], flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.say("FAIL", test)
        print(self.errors[-1][1], flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.say("skip", test)
        print(f"     {reason}", flush=True)


def main():
    loader = unittest.TestLoader()
    names = sys.argv[1:] or sorted(path.stem for path in lab.HERE.glob("test_*.py"))
    result = Lines()
    for name in names:
        loader.loadTestsFromName(name).run(result)
    failed = len(result.failures) + len(result.errors)
    skipped = f", {len(result.skipped)} skipped" if result.skipped else ""
    print(f"{lab.SUITE}: {result.passed} passed, {failed} failed{skipped}", flush=True)
    # A run that tests nothing, or less than all where that matters, is no success.
    if lab.STRICT and result.skipped:
        print(f"{lab.SUITE}: nothing may be skipped here (CI is set)")
        failed += len(result.skipped)
    with open(lab.DIR / "counts", "a", encoding="ascii") as counts:
        counts.write(f"{result.passed} {failed}\n")
    return 1 if failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main())
