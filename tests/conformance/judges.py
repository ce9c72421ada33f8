# SPDX-License-Identifier: Apache-2.0
"""judges.py - who decides: `seccomp-authz check`, or a webhook over HTTPS."""
import collections
import hashlib
import http.client
import json
import os
import ssl
import subprocess
import tempfile
import time
import urllib.parse

BATCH = 200
PATIENCE = 20  # seconds until a webhook has a new policy

Answer = collections.namedtuple('Answer', 'decision text')

# of a request that is not judged, to learn which policy is in force
PROBE = {'apiVersion': 'admission.k8s.io/v1', 'kind': 'AdmissionReview',
         'request': {'uid': 'conformance-probe', 'operation': 'DELETE',
                     'kind': {'group': '', 'version': 'v1', 'kind': 'Pod'},
                     'resource': {'group': '', 'version': 'v1', 'resource': 'pods'}}}


def by_file(paths, lines):
    """A file has a line, or one for each container: the worst of them is its answer."""
    worst = {}
    for line in lines:
        decision, where, text = line.split(' ', 2)
        path = where if where in paths else where.rsplit(':', 1)[0]
        rank = ('allow', 'observe', 'deny').index(decision)
        if path not in worst or rank > worst[path][0]:
            worst[path] = rank, Answer(decision, text)
    for path in paths:
        if path not in worst:
            raise SystemExit('check says nothing of %s' % path)
        yield worst[path][1]


class Check:
    def __init__(self, program):
        self.program = program
        self.folder = tempfile.TemporaryDirectory()
        self.policy = os.path.join(self.folder.name, 'policy.json')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def use(self, policy):
        with open(self.policy, 'w', encoding='utf-8') as f:
            f.write(policy)

    def decide(self, paths):
        for i in range(0, len(paths), BATCH):
            batch = paths[i:i + BATCH]
            done = subprocess.run(
                [self.program, 'check', '--policy', self.policy, '--as', 'admission'] + batch,
                stdout=subprocess.PIPE, check=False)
            if done.returncode > 1:
                raise SystemExit('check failed: %r' % done)
            yield from by_file(batch, done.stdout.decode().splitlines())

    def decide_review(self, review):
        path = os.path.join(self.folder.name, 'review.json')
        with open(path, 'w', encoding='utf-8') as f:
            json.dump(review, f)
        return next(self.decide([path]))


class Webhook:
    def __init__(self, options):
        self.url = urllib.parse.urlsplit(options.url)
        self.policy_file, self.reload = options.policy_file, options.reload
        self.context = ssl.create_default_context(cafile=options.ca)
        if options.cert:
            self.context.load_cert_chain(options.cert, options.key)
        self.connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.connection:
            self.connection.close()

    def post(self, body):
        """As an API server does: one connection, HTTP 200 or it is a failure."""
        for again in (True, False):
            try:
                if not self.connection:
                    self.connection = http.client.HTTPSConnection(
                        self.url.hostname, self.url.port or 443, context=self.context,
                        timeout=30)
                self.connection.request(
                    'POST', (self.url.path or '/') + '?timeout=10s', body,
                    {'Content-Type': 'application/json',
                     'Accept': 'application/json, */*',
                     'User-Agent': 'kube-apiserver-admission'})
                response = self.connection.getresponse()
                content = response.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection = None
                if not again:
                    raise
        if response.status != 200:
            raise SystemExit('HTTP %d: %s' % (response.status, content[:300]))
        return json.loads(content)

    def use(self, policy):
        data = policy.encode()
        with open(self.policy_file + '.new', 'wb') as f:
            f.write(data)
        os.rename(self.policy_file + '.new', self.policy_file)
        if self.reload:
            subprocess.run(self.reload, shell=True, check=True)
        want = 'sha256:' + hashlib.sha256(data).hexdigest()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.post(json.dumps(PROBE).encode())
            if answer['response']['auditAnnotations']['policy'] == want:
                return
            time.sleep(0.05)
        raise SystemExit('the webhook did not take up the policy within %d s' % PATIENCE)

    def answer(self, body):
        answer = self.post(body)
        request, response = json.loads(body), answer['response']
        for key in ('apiVersion', 'kind'):
            if answer[key] != request[key]:
                raise SystemExit('%s of the answer is %r' % (key, answer[key]))
        if response['uid'] != request['request']['uid']:
            raise SystemExit('the answer is to another review: %r' % response['uid'])
        if response['allowed']:
            return Answer('allow', '')
        if response['status']['code'] != 403:
            raise SystemExit('status %r' % response['status'])
        return Answer('deny', response['status']['message'])

    def decide(self, paths):
        for path in paths:
            with open(path, 'rb') as f:
                yield self.answer(f.read())

    def decide_review(self, review):
        return self.answer(json.dumps(review).encode())
