#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the objects of other projects' suites and compares our decisions with theirs.

usage: conformance.py [--fixtures DIR] [--verbose] PROGRAM
       conformance.py [--fixtures DIR] [--verbose] --url URL --ca FILE [--cert FILE --key FILE]
                      --policy-file FILE [--reload COMMAND]

Each suite is judged under the policy that says in our words what its own settings say.
PROGRAM is seccomp-authz: then `check --as admission` decides. With --url every object is
posted to a webhook that runs already: the policy of each suite is put into --policy-file,
COMMAND is run (a webhook that watches its policy needs none), and nothing is posted before
an answer names the digest of that policy.

Exit code: 0 all agreed but for differences whose reason is known and printed; 1 others
differ; 2 could not tell.
"""
import argparse
import collections
import csv
import json
import os
import sys

import judges
import policies
import reasons

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, '..', '..', '..', 'shared', 'fixtures')

Case = collections.namedtuple('Case', 'suite path want policy note')


def rows(*parts):
    path = os.path.join(*parts)
    with open(os.path.join(path, 'index.tsv'), encoding='utf-8', newline='') as f:
        for row in csv.DictReader(f, delimiter='\t'):
            yield os.path.join(path, row['file']), row


def psa(root, *folder):
    """Pod Security Admission: the seccomp and privileged checks of both levels, as of the
    Kubernetes version that the object was written for. Below 1.19 `restricted` asks for no
    profile (PSA policy/check_seccompProfile_restricted.go)."""
    suite = '/'.join(folder)
    for path, row in rows(root, *folder):
        asks = int(row['psa_version'].split('.')[1]) >= 19
        yield Case(suite + ' baseline', path, row['expect_baseline'], policies.psa(False), '')
        yield Case(suite + ' restricted', path, row['expect_restricted'],
                   policies.psa(asks), '')


def gatekeeper(root):
    for path, row in rows(root, 'gatekeeper-fixtures'):
        yield Case('gatekeeper ' + row['policy'], path, row['expect_gatekeeper'],
                   policies.gatekeeper(row['policy'], json.loads(row['parameters'])),
                   row['parameters'])


def issues(root):
    """What people reported, with and without kubelets that have seccompDefault."""
    columns = (('psa_baseline', False), ('psa_restricted', True),
               ('confined_with_SeccompDefault', False),
               ('confined_without_SeccompDefault', True))
    for path, row in rows(root, 'issue-fixtures'):
        for column, asks in columns:
            yield Case('issues ' + column, path, row[column], policies.psa(asks),
                       row['report'])


def recordings(root):
    """What a real API server sent; there are no verdicts with it, so PSA's rules, written
    once more in reasons.py, say what is right."""
    folder = os.path.join(root, 'apiserver-recordings')
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.json'):
            continue
        path = os.path.join(folder, name)
        with open(path, encoding='utf-8') as f:
            review = json.load(f)
        for asks in (False, True):
            yield Case('recorded ' + ('restricted' if asks else 'baseline'), path,
                       reasons.by_psa_rules(review, asks), policies.psa(asks), '')


def all_cases(root):
    yield from psa(root, 'psa-fixtures')
    yield from psa(root, 'psa-fixtures', 'workloads')
    yield from gatekeeper(root)
    yield from issues(root)
    yield from recordings(root)


def run(cases, judge, verbose):
    by_policy = collections.OrderedDict()
    for case in cases:
        by_policy.setdefault(json.dumps(case.policy), []).append(case)
    counts = collections.OrderedDict()
    differences = []
    for policy, group in by_policy.items():
        judge.use(policy)
        for case, answer in zip(group, judge.decide([case.path for case in group])):
            agreed = answer.decision == case.want
            counts.setdefault(case.suite, [0, 0, 0])[0 if agreed else 1] += 1
            if not agreed:
                why = reasons.of(case, answer, judge)
                counts[case.suite][2] += not why
                differences.append((case, answer, why))
            if verbose:
                print('%s %s: %s %s' % ('agreed' if agreed else 'DIFFERED', case.suite,
                                        os.path.basename(case.path), answer.decision))
    return counts, differences


def report(counts, differences):
    for case, answer, why in differences:
        print('differed: %s: %s\n  theirs %s, ours %s: %s\n  reason: %s' %
              (case.suite, os.path.basename(case.path), case.want, answer.decision,
               answer.text, why or 'NOT KNOWN'))
    width = max(len(suite) for suite in counts)
    for suite, (agreed, differed, unknown) in sorted(counts.items()):
        print('%-*s  agreed %4d  differed %3d%s' %
              (width, suite, agreed, differed,
               '  of these without a reason: %d' % unknown if unknown else ''))
    total = [sum(column) for column in zip(*counts.values())]
    print('%-*s  agreed %4d  differed %3d, each with its reason above' %
          (width, 'all', total[0], total[1]) if not total[2] else
          '%-*s  agreed %4d  differed %3d, %d of them WITHOUT A REASON' %
          (width, 'all', *total))
    return 1 if total[2] else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('\n\n')[1])
    parser.add_argument('--fixtures', default=FIXTURES)
    parser.add_argument('--verbose', action='store_true')
    parser.add_argument('--url')
    parser.add_argument('--ca')
    parser.add_argument('--cert')
    parser.add_argument('--key')
    parser.add_argument('--policy-file')
    parser.add_argument('--reload', default='')
    parser.add_argument('program', nargs='?')
    options = parser.parse_args()
    if not os.path.isdir(options.fixtures):
        print('SKIPPED conformance: the suites (../shared/fixtures) are not here')
        return 0
    if options.url and options.policy_file:
        judge = judges.Webhook(options)
    elif options.program and not options.url:
        judge = judges.Check(options.program)
    else:
        parser.error('name PROGRAM, or --url and --policy-file')
    with judge:
        counts, differences = run(all_cases(options.fixtures), judge, options.verbose)
    return report(counts, differences)


if __name__ == '__main__':
    sys.exit(main())
