#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases through `seccomp-authz check` and compares.

usage: run.py [--wrap COMMAND] [--sample N] PROGRAM

Own cases: each folder tests/cases/FAMILY/NAME/ holds
  FORMAT.json   the input, FORMAT being what --as takes (create, admission, manifest, ...)
  want          first line: deny|allow|observe POSTURE RULE ('*' for any of the last two);
                following lines: texts that the sentence must hold, or, behind '!', must not
  policy.json   optional; without it the built-in policy decides
  grow          optional; so many bytes of white space are put before the last '}'
Cases of files, with lines: each folder holds
  NAME.yml or NAME.json   the file that is checked, NAME being what --as takes; what it
                extends and names lies beside it
  lines         each line of output as far as the sentence, in order; behind it, two spaces
                in front, texts that the sentence must hold
  policy.json   as above
They must come out the same with --as and without, unless the first of the lines is
"# known by --as only".
public.txt names the cases of requests that came from public bug reports.
Cases beside the project, in ../shared (skipped with a message when absent): create bodies
with what real engines made of them, and what real clients sent.
"""
import argparse
import base64
import glob
import json
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(HERE, '..', '..', '..', 'shared')
BATCH = 200
FILE_FORMATS = {'compose', 'manifest', 'inspect', 'create', 'service', 'profile', 'envelope'}

# of the fixed bodies, those that an honest client sends
HONEST = {'plain', 'plain null SecurityOpt', 'no-new-privileges only',
          'no-new-privileges=true', 'label disable', 'apparmor unconfined only',
          'seccomp=', 'seccomp:', 'seccomp=builtin', 'leading white space'}


class Runner:
    def __init__(self, program, wrap):
        self.command = shlex.split(wrap or '') + [program]
        self.passed = self.failed = self.skipped = 0

    def check(self, how, inputs, policy=None):
        """One output line for each of `inputs` (bytes), in order."""
        lines = []
        with tempfile.TemporaryDirectory() as folder:
            for start in range(0, len(inputs), BATCH):
                paths = []
                for i, data in enumerate(inputs[start:start + BATCH]):
                    paths.append(os.path.join(folder, 'i%d' % i))
                    with open(paths[-1], 'wb') as f:
                        f.write(data)
                options = ['--policy', policy] if policy else []
                done = subprocess.run(self.command + ['check', *options, '--as', how, *paths],
                                      capture_output=True, timeout=600)
                got = done.stdout.decode('utf-8', 'replace').splitlines()
                denied = any(line.startswith('deny ') for line in got)
                if len(got) != len(paths) or done.returncode != (1 if denied else 0):
                    got = ['exit %d: %s' % (done.returncode,
                                            done.stderr.decode('utf-8', 'replace')[:300])
                           ] * len(paths)
                lines += got
        return lines

    def expect(self, name, good, line):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print('FAILED %s\n  got: %s' % (name, line[:2000]), file=sys.stderr)

    def skip(self, what):
        self.skipped += 1
        print('SKIPPED %s' % what)
        if os.environ.get('CI') == 'true':
            self.failed += 1


def matches(line, want):
    fields = line.split(' ', 5)
    if len(fields) < 6:
        return False
    head = want[0].split()
    got = [fields[0], fields[3], fields[4].rstrip(':')]
    for have, should in zip(got, head):
        if should != '*' and have != should:
            return False
    for text in want[1:]:
        if text.startswith('!') and text[1:] in fields[5]:
            return False
        if not text.startswith('!') and text not in fields[5]:
            return False
    return True


def own_cases():
    for folder, folders, files in sorted(os.walk(HERE)):
        folders.sort()
        if 'want' not in files:
            continue
        with open(os.path.join(folder, 'want')) as f:
            want = [line for line in f.read().splitlines() if line]
        for name in files:
            how = name[:-5]
            if name.endswith('.json') and how != 'policy':
                policy = os.path.join(folder, 'policy.json')
                yield (os.path.relpath(folder, HERE), how, read_input(folder, name),
                       policy if os.path.exists(policy) else None, want)


def read_input(folder, name):
    with open(os.path.join(folder, name), 'rb') as f:
        data = f.read()
    if os.path.exists(os.path.join(folder, 'grow')):
        with open(os.path.join(folder, 'grow')) as f:
            end = data.rindex(b'}')
            data = data[:end] + b' ' * int(f.read()) + data[end:]
    return data


def run_own(runner):
    """Returns the names of all that there are."""
    names = set()
    for name, how, data, policy, want in own_cases():
        line = runner.check(how, [data], policy)[0]
        runner.expect(name, matches(line, want), line)
        names.add(name)
    return names


def is_e2e(name):
    """Is 'e2e:CLASS.TEST' a test of tests/e2e, or a row of one?"""
    family, _, test = name.removeprefix('e2e:').partition('.')
    for path in glob.glob(os.path.join(HERE, '..', 'e2e', 'test_*.py')):
        with open(path) as f:
            text = f.read()
        if name.startswith('e2e:') and test in text and 'class %s(' % family in text:
            return True
    return False


def run_public(runner, names):
    """Each row of the page has a line here, and each line cases that exist."""
    rows = {}
    with open(os.path.join(HERE, 'public.txt')) as f:
        for line in f:
            if line.strip() and not line.startswith('#'):
                row, *cases = line.split()
                rows.setdefault(row, []).extend(cases)
    for row, cases in rows.items():
        missing = [case for case in cases if case not in names and not is_e2e(case)]
        runner.expect('public report %s' % row, cases and not missing,
                      'no such case: %s' % ' '.join(missing))
    page = os.path.join(SHARED, 'cases', 'public.md')
    if not os.path.exists(page):
        runner.skip('public reports: ../shared/cases/public.md is not here')
        return
    with open(page) as f:
        there = re.findall(r'^\| (\d+) \|', f.read(), re.M)
    runner.expect('public reports, all rows', there and not set(there) - set(rows),
                  'no case of row %s' % ' '.join(sorted(set(there) - set(rows), key=int)))


def file_cases():
    for folder, folders, files in sorted(os.walk(HERE)):
        folders.sort()
        if 'lines' not in files:
            continue
        wants = []
        with open(os.path.join(folder, 'lines')) as f:
            for line in f.read().splitlines():
                if line.startswith('  '):
                    wants[-1][1].append(line[2:])
                elif not line.startswith('#'):
                    wants.append((line, []))
        names = [name for name in files
                 if name.rsplit('.', 1)[0] in FILE_FORMATS and name.endswith(('.yml', '.json'))]
        with open(os.path.join(folder, 'lines')) as f:
            silent = f.readline() != '# known by --as only\n'
        yield folder, names[0], 'policy.json' in files, silent, wants


def run_files(runner, sample):
    cases = list(file_cases())
    if sample:
        cases = random.Random(1).sample(cases, min(sample // 3, len(cases)))
    for folder, name, policy, silent, wants in cases:
        options = ['--policy', 'policy.json'] if policy else []
        for how in (['--as', name.rsplit('.', 1)[0]], [])[:2 if silent else 1]:
            done = subprocess.run(runner.command + ['check', *options, *how, name], cwd=folder,
                                  capture_output=True, timeout=600)
            got = done.stdout.decode('utf-8', 'replace').splitlines()
            denied = any(line.startswith('deny ') for line in got)
            good = len(got) == len(wants) and done.returncode == (1 if denied else 0)
            for line, (head, texts) in zip(got, wants):
                good = good and line.startswith(head + ': ')
                good = good and all(text in line[len(head):] for text in texts)
            runner.expect(os.path.relpath(folder, HERE) + ' ' + ' '.join(how), good,
                          '\n       '.join(line[:200] for line in got)
                          or done.stderr.decode('utf-8', 'replace'))


def run_engine_cases(runner, sample):
    folder = os.path.join(SHARED, 'cases')
    if not os.path.isdir(folder):
        runner.skip('bodies judged by real engines: ../shared/cases is not here')
        return
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.jsonl'):
            continue
        with open(os.path.join(folder, name)) as f:
            rows = [json.loads(line) for line in f]
        if sample:
            rows = random.Random(1).sample(rows, min(sample, len(rows)))
        bodies = [row['body'].encode('utf-8', 'surrogatepass') for row in rows]
        for row, line in zip(rows, runner.check('create', bodies)):
            title = '%s: %s' % (name, row['name'])
            if row['want'] == 'deny':
                runner.expect(title, line.startswith('deny '), line)
            elif row['want'] == 'allow-if-plain' and row['name'] in HONEST:
                runner.expect(title, line.startswith('allow '), line)
            else:
                runner.expect(title, line.startswith(('allow ', 'deny ')), line)


def asks_for_less(envelope):
    """What an honest client asked for: 'less', 'profile' (may be either), or 'nothing'."""
    uri, method = envelope.get('RequestUri', ''), envelope.get('RequestMethod')
    path = uri.split('?')[0]
    if '/plugins/' in path and method == 'POST':
        what = path.rsplit('/', 1)[1]
        return 'nothing' if what == 'disable' else 'less'
    if '/services/' in path and 'rollback=' in uri:
        return 'nothing'
    if method != 'POST' or not path.endswith('/containers/create'):
        return 'nothing'
    host = json.loads(base64.b64decode(envelope['RequestBody'])).get('HostConfig') or {}
    options = [o for o in host.get('SecurityOpt') or [] if o.startswith('seccomp')]
    if host.get('Privileged') or any(o.endswith('unconfined') for o in options):
        return 'less'
    return 'profile' if any('{' in o for o in options) else 'nothing'


def run_recordings(runner, sample):
    folder = os.path.join(SHARED, 'recordings')
    if not os.path.isdir(folder):
        runner.skip('what real clients sent: ../shared/recordings is not here')
        return
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.jsonl'):
            continue
        with open(os.path.join(folder, name)) as f:
            rows = [json.loads(line) for line in f]
        rows = [row for row in rows if row['client'] != 'raw']
        if sample:
            rows = random.Random(1).sample(rows, min(sample, len(rows)))
        lines = runner.check('envelope', [row['raw'].encode() for row in rows])
        for row, line in zip(rows, lines):
            asked = asks_for_less(json.loads(row['raw']))
            good = {'less': line.startswith('deny '), 'nothing': line.startswith('allow '),
                    'profile': line.startswith(('allow ', 'deny '))}[asked]
            if asked == 'profile' and line.startswith('deny '):
                good = ' weak ' in line
            runner.expect('%s: %s by %s' % (name, row['case'], row['client']), good, line)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--wrap')
    parser.add_argument('--sample', type=int, default=0)
    parser.add_argument('program')
    args = parser.parse_args()
    runner = Runner(os.path.abspath(args.program), args.wrap)
    run_public(runner, run_own(runner))
    run_files(runner, args.sample)
    run_engine_cases(runner, args.sample)
    run_recordings(runner, args.sample)
    print('cases: %d passed, %d failed, %d skipped'
          % (runner.passed, runner.failed, runner.skipped))
    sys.exit(1 if runner.failed else 0)


main()
