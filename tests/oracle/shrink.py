# SPDX-License-Identifier: Apache-2.0
"""shrink.py - the smallest request that still fails, found by leaving things out."""

import time

import document
import generate
from document import COMPACT


def plainer(case):
    """Ways in which the request could be less odd around its body."""
    return ({"pad": 0}, {"before": ""}, {"after": ""}, {"framing": "length"},
            {"headers": generate.JSON_TYPE}, {"target": generate.TARGETS[case.kind]},
            {"style": COMPACT}, {"pad": case.pad // 2})


def shrink(case, fails, seconds):
    """`case`, or a smaller one for which fails(case) is true; stops trying after a while."""
    deadline = time.monotonic() + seconds

    def tried(candidate):
        return time.monotonic() < deadline and fails(candidate)

    for change in plainer(case):
        changed = any(getattr(case, key) != value for key, value in change.items())
        if changed and tried(case.but(**change)):
            case = case.but(**change)
    body = document.reduced(case.body, lambda less: tried(case.but(body=less)))
    return case.but(body=body)
