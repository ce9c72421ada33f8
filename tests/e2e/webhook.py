# SPDX-License-Identifier: Apache-2.0
"""webhook.py - the judge as an admission webhook: its certificates, and an API server's calls."""

import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

from lab import BUILD, DIR, TIED, Judge, wait_until

MIB = 1024 * 1024
HOST = "127.0.0.1"


def openssl(*arguments, text=None):
    done = subprocess.run(["openssl", *arguments], input=text, capture_output=True, text=True,
                          timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments[0]}: {done.stderr}")
    return done.stdout


class Authority:
    """A CA in a folder of its own."""

    def __init__(self, folder, name="test-ca"):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.cert, self.key = folder / "ca.crt", folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", f"/CN={name}", "-addext",
                "basicConstraints=critical,CA:TRUE", "-keyout", str(self.key), "-out",
                str(self.cert))

    def issue(self, name, usage="serverAuth", days=10, key=("ec", "ec_paramgen_curve:P-256")):
        """(certificate, key) as texts."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            at = pathlib.Path(folder)
            algorithm, option = key
            openssl("req", "-newkey", algorithm, *(["-pkeyopt", option] if option else []), "-nodes",
                    "-subj", f"/CN={name}", "-keyout", str(at / "key"), "-out", str(at / "csr"))
            (at / "ext").write_text(f"subjectAltName=IP:{HOST},IP:::1,DNS:localhost\n"
                                    f"extendedKeyUsage={usage}\n")
            openssl("x509", "-req", "-in", str(at / "csr"), "-CA", str(self.cert), "-CAkey",
                    str(self.key), "-set_serial", "0x" + uuid.uuid4().hex, "-days", str(days),
                    "-extfile", str(at / "ext"), "-out", str(at / "crt"))
            return (at / "crt").read_text(), (at / "key").read_text()


class Mounted:
    """Files as kubelet mounts a Secret: names are links into `..data`, which is a link to a
    folder; a change makes a new folder and swaps `..data` in one rename."""

    def __init__(self, folder):
        self.folder = folder
        self.number = 0
        folder.mkdir(parents=True, exist_ok=True)

    def put(self, files):
        self.number += 1
        fresh = self.folder / f"..{self.number}"
        fresh.mkdir()
        for name, text in files.items():
            (fresh / name).write_text(text)
            link = self.folder / name
            if not link.is_symlink():
                link.symlink_to(f"..data/{name}")
        link = self.folder / "..data_tmp"
        link.symlink_to(fresh.name)
        link.rename(self.folder / "..data")

    def path(self, name):
        return str(self.folder / name)


class WebhookJudge(Judge):
    """seccomp-authzd with a webhook and no plugin socket."""

    def __init__(self, home):
        super().__init__(home)
        self.address = f"{HOST}:0"
        self.tls = Mounted(home / "tls")
        self.port = None

    def command(self, *options):
        return [str(BUILD / "seccomp-authzd"), "--webhook-listen", self.address, "--tls-cert",
                self.tls.path("tls.crt"), "--tls-key", self.tls.path("tls.key"), "--policy",
                str(self.policy), "--state-dir", str(self.state), "--record",
                self.first_sink or f"file:{self.record}", *options]

    def start(self, *options, record_size=None):
        self.record.parent.mkdir(parents=True, exist_ok=True)
        command = self.command(*options)
        self.hidden = record_size is not None
        if self.hidden:
            mount = f"mount -n -t tmpfs -o size={record_size} tmpfs {self.record.parent}"
            command = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                       f'{mount} && exec "$@"', "sh", *command]
        before = len(self.served())
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(TIED + command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, start_new_session=True,
                                            env={**os.environ, **(self.environment or {})})
        wait_until(lambda: self.alive() and len(self.served()) > before, 20,
                   f"it serves; {self.log_tail()}")
        self.port = int(self.served()[-1])

    def alive(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the judge ended: {self.log_tail()}")
        return True

    def served(self):
        text = self.log.read_text() if self.log.exists() else ""
        return re.findall(r"serving https://\S+:(\d+)/validate ", text)

    def says(self, text):
        return text in self.log.read_text()

    def interrupt(self):
        """Ends it without its goodbye to API servers."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        if self.process.wait(30) != 0:
            raise AssertionError(f"the judge ended with {self.process.returncode}: "
                                 f"{self.log_tail()}")

    def memory(self):
        """(now, at most) in bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", text, re.M))
        return int(found["VmRSS"]) * 1024, int(found["VmHWM"]) * 1024


# ---- reviews ----------------------------------------------------------------------------


def pod(profile="RuntimeDefault", name="p", image="nginx", **container):
    spec = {"containers": [{"name": "c", "image": image, **container}]}
    if profile:
        spec["securityContext"] = {"seccompProfile": {"type": profile}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "n"},
            "spec": spec}


def review(thing=None, uid=None, **request):
    """An AdmissionReview as a dict, its members in the order in which API servers send them."""
    thing = pod() if thing is None else thing
    return {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {
        "uid": uid or str(uuid.uuid4()), "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "name": "p",
        "namespace": "n", "operation": "CREATE",
        "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
        "object": thing, "oldObject": None, "dryRun": False, "options": None, **request}}


def padded(size, profile="RuntimeDefault", uid="u"):
    """A review of `size` bytes: what Go makes of a Pod whose environment is full of '<'."""
    thing = pod(profile, env=[{"name": "X", "value": "@"}])
    head, tail = json.dumps(review(thing, uid=uid)).split("@")
    room = size - len(head) - len(tail)
    return (head + "\\u003c" * (room // 6) + "a" * (room % 6) + tail).encode()


class Caller:
    """One connection as an API server keeps it."""

    def __init__(self, judge, ca, cert=None, timeout=30, host=HOST):
        self.context = ssl.create_default_context(cafile=str(ca))
        if cert:
            self.context.load_cert_chain(*map(str, cert))
        self.connection = http.client.HTTPSConnection(host, judge.port, context=self.context,
                                                      timeout=timeout)

    def request(self, method, path, body=None, **headers):
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        return response.status, response.read()

    def ask(self, question, path="/validate?timeout=10s"):
        """The response to a review (a dict, or bytes as they are); HTTP 200 or a failure."""
        body = question if isinstance(question, bytes) else json.dumps(question).encode()
        status, answer = self.request("POST", path, body, **{
            "Content-Type": "application/json", "Accept": "application/json, */*",
            "User-Agent": "kube-apiserver-admission"})
        if status != 200:
            raise AssertionError(f"HTTP {status}: {answer[:300]!r}")
        told = json.loads(answer)
        if told["kind"] != "AdmissionReview" or "response" not in told:
            raise AssertionError(f"no AdmissionReview: {answer[:300]!r}")
        return told["response"]

    def serial(self):
        """Of the certificate that this connection began with."""
        if self.connection.sock is None:
            self.connection.connect()
        der = self.connection.sock.getpeercert(binary_form=True)
        return openssl("x509", "-noout", "-serial", text=ssl.DER_cert_to_PEM_cert(der)).strip()

    def close(self):
        self.connection.close()


class Load:
    """Callers who ask all the time, each on its own connection: all must be answered."""

    def __init__(self, make_caller, count, reconnect_every=0):
        self.make_caller, self.reconnect_every = make_caller, reconnect_every
        self.stopping = threading.Event()
        self.answered, self.failures, self.let_in, self.serials = 0, [], 0, set()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def run(self):
        caller, asked = None, 0
        while not self.stopping.is_set():
            bad = asked % 2
            try:
                if caller is None or (self.reconnect_every and asked % self.reconnect_every == 0):
                    caller = self.make_caller()
                response = caller.ask(review(pod("Unconfined" if bad else "RuntimeDefault")))
                with self.lock:
                    self.answered += 1
                    self.let_in += bool(bad and response["allowed"])
                    if not bad and not response["allowed"]:
                        self.failures.append(str(response))
                    if self.reconnect_every:
                        self.serials.add(caller.serial())
            except (OSError, http.client.HTTPException, AssertionError) as error:
                with self.lock:
                    self.failures.append(repr(error))
                caller = None
                time.sleep(0.05)
            asked += 1


class WebhookCase(unittest.TestCase):
    policy = {"version": 1, "allow": ["default"]}
    options = ()
    record_size = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir=DIR)
        self.addCleanup(self.folder.cleanup)
        home = pathlib.Path(self.folder.name)
        self.authority = Authority(home / "ca")
        self.judge = WebhookJudge(home)
        self.judge.write_policy(self.policy)
        self.prepare()
        self.judge.start(*self.options, record_size=self.record_size)
        self.addCleanup(self.judge.interrupt)

    def prepare(self):
        self.renew()

    def renew(self, name="webhook", **more):
        cert, key = self.authority.issue(name, **more)
        self.judge.tls.put({"tls.crt": cert, "tls.key": key})
        return openssl("x509", "-noout", "-serial", text=cert).strip()

    def caller(self, **more):
        caller = Caller(self.judge, self.authority.cert, **more)
        self.addCleanup(caller.close)
        return caller

    def metrics(self):
        status, text = self.caller().request("GET", "/metrics")
        self.assertEqual(status, 200)
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.decode().splitlines() if line[0] != "#")}
