#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""apiserver.py BUILD DIR - our manifests on a real kube-apiserver.

DIR is what build.sh made (kube-apiserver 1.20.2, etcd, kubectl), BUILD has seccomp-authzd. Two
judges run as the Deployment would run them, behind a proxy for the Service: the API server is
the real one, with its own TLS client; there are no kubelets, so nothing runs what it admits.
Everything is on loopback, in a folder that is removed at the end.

Exit code: 0 all behaved, 1 something did not, 2 could not start.
"""

import base64
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
SPEC = HERE.parent.parent.parent / "plugin-spec" / "kubernetes"
HOST = "127.0.0.1"
TIED = ["setpriv", "--pdeathsig", "KILL"]
TOKEN = "test"
PATIENCE = 60
CONTROLLER = "system:serviceaccount:kube-system:daemon-set-controller"


def wait_until(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise SystemExit(f"not within {seconds} s: {what}")


def free_port():
    with socket.create_server((HOST, 0)) as sock:
        return sock.getsockname()[1]


class Cluster:
    """etcd and kube-apiserver. The Service's address is the proxy's: 1.20 dials a Service's
    cluster IP only through kube-proxy, so the webhooks are given a URL instead (see manifests)."""

    def __init__(self, folder, programs):
        self.folder, self.programs = folder, programs
        self.port, self.etcd_port, peer = free_port(), free_port(), free_port()
        certs = folder / "apiserver"
        certs.mkdir()
        (folder / "tokens.csv").write_text(f'{TOKEN},admin,admin-uid,"system:masters"\n')
        subprocess.run(["openssl", "genrsa", "-out", certs / "sa.key", "2048"], check=True,
                       capture_output=True)
        etcd = f"http://{HOST}:{self.etcd_port}"
        self.etcd = self.spawn(
            "etcd", "--data-dir", folder / "etcd", "--listen-client-urls", etcd,
            "--advertise-client-urls", etcd, "--listen-peer-urls", f"http://{HOST}:{peer}",
            "--initial-advertise-peer-urls", f"http://{HOST}:{peer}", "--initial-cluster",
            f"default=http://{HOST}:{peer}")
        self.server = self.spawn(
            "kube-apiserver", "--etcd-servers", etcd, "--bind-address", HOST, "--secure-port",
            self.port, "--insecure-port", "0", "--cert-dir", certs,
            "--service-account-issuer", "https://kubernetes.default.svc",
            "--service-account-signing-key-file", certs / "sa.key",
            "--service-account-key-file", certs / "sa.key",
            "--service-cluster-ip-range", "10.99.0.0/24", "--authorization-mode", "RBAC",
            "--token-auth-file", folder / "tokens.csv", "--allow-privileged=true",
            "--enable-admission-plugins", "NamespaceLifecycle,ValidatingAdmissionWebhook",
            "--disable-admission-plugins", "ServiceAccount,Priority",
            "--feature-gates", "EphemeralContainers=true",
            "--audit-policy-file", self.audit_policy(), "--audit-log-path", folder / "audit.log")
        wait_until(lambda: self.kubectl("get", "--raw", "/readyz")[1].startswith("ok"),
                   f"the API server is ready; see {folder}")

    def audit_policy(self):
        path = self.folder / "audit.yaml"
        path.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n")
        return path

    def spawn(self, name, *arguments):
        with open(self.folder / f"{name}.log", "wb") as log:
            return subprocess.Popen([*TIED, self.programs / name, *map(str, arguments)], stdout=log,
                                    stderr=log, stdin=subprocess.DEVNULL)

    def kubectl(self, *arguments, text=None, user=None):
        """(exit code, stdout, stderr)"""
        done = subprocess.run(
            [self.programs / "kubectl", "--server", f"https://{HOST}:{self.port}",
             "--insecure-skip-tls-verify", "--token", TOKEN, "--cache-dir",
             self.folder / "kubectl-cache", *(["--as", user] if user else []), *arguments],
            input=text, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "HOME": str(self.folder), "KUBECONFIG": "/dev/null"})
        return done.returncode, done.stdout, done.stderr

    def apply(self, thing, *options, user=None):
        # who only creates may not look first, as `apply` does
        verb = "create" if user else "apply"
        return self.kubectl(verb, "-f", "-", *options, text=json.dumps(thing), user=user)

    def post_pod(self, thing):
        """A server-side dry run without a client's escapes; returns the answer as a dict."""
        done = subprocess.run(
            ["curl", "-sk", "-X", "POST", "-H", f"Authorization: Bearer {TOKEN}", "-H",
             "Content-Type: application/json", "--data-binary", "@-",
             f"https://{HOST}:{self.port}/api/v1/namespaces/default/pods?dryRun=All"],
            input=json.dumps(thing), capture_output=True, text=True, check=False)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {"message": f"the API server is gone? {done.stdout[:100]} {done.stderr[:100]}"}

    def stop(self):
        for process in (self.server, self.etcd):
            process.terminate()
            process.wait()


class Proxy:
    """What kube-proxy is for a Service: each new connection goes to a judge that is ready."""

    def __init__(self):
        self.listener = socket.create_server((HOST, 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.backends, self.next = [], 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        backends = list(self.backends)
        self.next += 1
        try:
            if not backends:
                raise OSError("no endpoints")
            server = socket.create_connection((HOST, backends[self.next % len(backends)]), 5)
        except OSError:
            client.close()
            return
        pairs = {client: server, server: client}
        try:
            while True:
                for ready in select.select(list(pairs), [], [])[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    pairs[ready].sendall(data)
        except OSError:
            pass
        finally:
            client.close()
            server.close()


class Replica:
    """One pod of the Deployment: the arguments are the manifest's, its mounts are folders."""

    def __init__(self, folder, program, arguments, name):
        self.folder, self.name = folder, name
        self.port = free_port()
        mounted = {"/etc/seccomp-authz/policy": folder / "policy", "/etc/seccomp-authz/tls":
                   folder / "tls", "/var/lib/seccomp-authz": folder / f"state-{name}"}
        self.command = [str(program)]
        for argument in arguments:
            argument = argument.replace("[::]:8443", f"{HOST}:{self.port}")
            for inside, outside in mounted.items():
                argument = argument.replace(inside, str(outside))
            self.command.append(argument)
        self.process = None

    def start(self):
        with open(self.folder / f"judge-{self.name}.log", "ab") as log, \
                open(self.folder / f"record-{self.name}.jsonl", "ab") as record:
            self.process = subprocess.Popen([*TIED, *self.command], stdout=record, stderr=log,
                                            stdin=subprocess.DEVNULL)
        wait_until(self.ready, f"judge {self.name} serves; see {self.folder}")

    def ready(self):
        done = subprocess.run(["curl", "-sk", f"https://{HOST}:{self.port}/readyz"],
                              capture_output=True, text=True, check=False)
        return done.stdout == "ready\n"

    def records(self):
        text = (self.folder / f"record-{self.name}.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


def pod_spec(profile, **container):
    spec = {"containers": [{"name": "c", "image": "nginx", **container}]}
    if profile:
        spec["securityContext"] = {"seccompProfile": {"type": profile}}
    return spec


def pod(name, profile, namespace="default", image="nginx", labels=None, **container):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": labels or {}},
            "spec": pod_spec(profile, image=image, **container)}


def deployment(name, profile):
    labels = {"app": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {"selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": pod_spec(profile)}}}


def daemon_set_pod(name, image, container="kube-proxy", namespace="kube-system"):
    thing = pod(name, None, namespace, image, securityContext={"privileged": True})
    thing["spec"]["containers"][0]["name"] = container
    return thing


class Show:
    def __init__(self, build, programs):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="seccomp-authz-kubernetes.",
                                                    dir=os.environ.get("TMPDIR", "/var/tmp")))
        self.program, self.programs = build / "seccomp-authzd", programs
        self.passed = self.failed = 0
        self.cluster, self.replicas = None, []
        self.proxy = Proxy()

    # ---- what is seen ----

    def check(self, what, good, seen=""):
        print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
        for line in str(seen).strip().splitlines()[:4]:
            print(f"       {line[:300]}", flush=True)
        self.passed += bool(good)
        self.failed += not good

    def refused(self, what, thing, says, user=None):
        code, out, err = self.cluster.apply(thing, user=user)
        self.check(f"refused: {what}", code != 0 and "denied the request: " in err and says in err,
                   out + err)

    def admitted(self, what, thing, warns=None, user=None):
        code, out, err = self.cluster.apply(thing, user=user)
        warned = "Warning: " in err
        self.check(f"admitted{' with a warning' if warns else ''}: {what}",
                   code == 0 and warned == bool(warns) and (not warns or warns in err), out + err)

    # ---- the manifests ----

    def render(self, overlay):
        """The overlay's objects as text, as this API server can take them."""
        done = subprocess.run([self.programs / "kubectl", "kustomize",
                               self.folder / "kubernetes" / "overlays" / overlay],
                              capture_output=True, text=True, check=True)
        # 1.20 has PodDisruptionBudgets as v1beta1 only
        text = done.stdout.replace("apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n")
        # no kube-proxy: the Service's address is our proxy's, its name the certificate's
        return re.sub(r"    service:\n      name: seccomp-authz\n      namespace: seccomp-authz\n"
                      r"      path: /validate\n",
                      f"    url: https://localhost:{self.proxy.port}/validate\n", text)

    def certificate(self):
        """certificate.sh, with the proxy's name beside the Service's."""
        script = self.folder / "kubernetes" / "openssl" / "certificate.sh"
        text = script.read_text()
        if "localhost" not in text:
            script.write_text(text.replace('"subjectAltName=DNS:$name"',
                                           '"subjectAltName=DNS:$name,DNS:localhost"'))
        subprocess.run([script], check=True, capture_output=True)

    def mount(self, name, files):
        """As kubelet does: a new folder, then `..data` swapped in one rename."""
        folder = self.folder / name
        fresh = folder / f"..{time.time_ns()}"
        fresh.mkdir(parents=True)
        for file, data in files.items():
            (fresh / file).write_bytes(data)
            if not (folder / file).is_symlink():
                (folder / file).symlink_to(f"..data/{file}")
        (folder / "..tmp").symlink_to(fresh.name)
        (folder / "..tmp").rename(folder / "..data")

    def mount_from_api(self):
        """The volumes of the Deployment hold what the API server has."""
        secret = json.loads(self.get("secret", "seccomp-authz-tls"))["data"]
        self.mount("tls", {name: base64.b64decode(data) for name, data in secret.items()})
        policy = json.loads(self.get("configmap", "seccomp-authz-policy"))["data"]
        self.mount("policy", {name: text.encode() for name, text in policy.items()})

    def get(self, kind, name):
        return self.cluster.kubectl("-n", "seccomp-authz", "get", kind, name, "-o", "json")[1]

    def apply_overlay(self, overlay):
        code, out, err = self.cluster.kubectl("apply", "-f", "-", text=self.render(overlay))
        self.check(f"kubectl apply -k overlays/{overlay}", code == 0, out + err)
        self.mount_from_api()

    def prepare(self):
        shutil.copytree(SPEC, self.folder / "kubernetes")
        self.certificate()
        print("     etcd and kube-apiserver start ...", flush=True)
        self.cluster = Cluster(self.folder, self.programs)
        self.apply_overlay("enforce-openssl")
        spec = json.loads(self.get("deployment", "seccomp-authz"))["spec"]
        for number in range(spec["replicas"]):
            replica = Replica(self.folder, self.program,
                              spec["template"]["spec"]["containers"][0]["args"], str(number))
            replica.start()
            self.replicas.append(replica)
        self.proxy.backends = [replica.port for replica in self.replicas]

    # ---- the show ----

    def pods(self):
        self.admitted("a pod with RuntimeDefault", pod("good", "RuntimeDefault"))
        self.refused("a pod with Unconfined", pod("bad", "Unconfined"), "without a seccomp filter")
        self.refused("a pod that asks for nothing", pod("unset", None), "asks for no seccomp profile")
        self.refused("a privileged pod", pod("priv", "RuntimeDefault",
                                             securityContext={"privileged": True}), "privileged")
        self.refused("a pod whose old annotation says unconfined",
                     {**pod("old", None), "metadata": {
                         "name": "old", "namespace": "default", "annotations": {
                             "seccomp.security.alpha.kubernetes.io/pod": "unconfined"}}}, "without")
        code, out, err = self.cluster.apply(pod("dry", "Unconfined"), "--dry-run=server")
        self.check("refused: the same as a dry run", code != 0 and "denied the request" in err,
                   out + err)
        code, out, err = self.cluster.kubectl("label", "pod", "good", "team=a")
        self.check("admitted: a label on a pod that was good", code == 0, out + err)
        thing = pod("good", "RuntimeDefault", image="nginx:2")
        self.admitted("another image, still good", thing)
        code, out, err = self.cluster.kubectl("get", "--raw", "/metrics")
        self.check("the API server has called the webhook, and no call failed",
                   code == 0 and "apiserver_admission_webhook_rejection_count" in out and
                   'error_type="calling_webhook_error",name="pods' not in out)

    def workloads(self):
        self.admitted("a Deployment with RuntimeDefault", deployment("good", "RuntimeDefault"))
        self.refused("a Deployment with Unconfined, at once and not only at its pods",
                     deployment("bad", "Unconfined"), "without a seccomp filter")
        for kind, version in (("DaemonSet", "apps/v1"), ("StatefulSet", "apps/v1"),
                              ("ReplicaSet", "apps/v1")):
            thing = deployment("bad", "Unconfined")
            thing.update(kind=kind, apiVersion=version)
            if kind == "StatefulSet":
                thing["spec"]["serviceName"] = "x"
            self.refused(f"a {kind} with Unconfined", thing, "without a seccomp filter")
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "bad"},
               "spec": {"template": {"spec": {**pod_spec("Unconfined"), "restartPolicy": "Never"}}}}
        self.refused("a Job with Unconfined", job, "without a seccomp filter")
        cron = {"apiVersion": "batch/v1beta1", "kind": "CronJob", "metadata": {"name": "bad"},
                "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": job["spec"]}}}
        self.refused("a CronJob with Unconfined", cron, "without a seccomp filter")

    def exceptions(self):
        proxy = "registry.k8s.io/kube-proxy:v1.20.2"
        self.admitted("kube-proxy in kube-system, by its exception, as its controller makes it",
                      daemon_set_pod("kube-proxy-a", proxy), user=CONTROLLER)
        self.refused("another image in kube-system",
                     daemon_set_pod("other", "registry.k8s.io/other:1"), "privileged")
        self.refused("kube-proxy's image under another container name",
                     daemon_set_pod("renamed", proxy, container="shell"), "privileged")
        self.cluster.kubectl("create", "namespace", "tenant")
        self.refused("kube-proxy's image in another namespace",
                     daemon_set_pod("kube-proxy-b", proxy, namespace="tenant"), "privileged")
        lines = [record for replica in self.replicas for record in replica.records()]
        uses = [record for record in lines if record["rule"] == "kube-proxy"]
        self.check("the use of the exception is on record, with who asked",
                   len(uses) == 1 and uses[0]["user"] == CONTROLLER, uses)
        self.check("every denial is on record", sum(r["decision"] == "deny" for r in lines) >= 14)
        audit = (self.folder / "audit.log").read_text()
        self.check("the API server's audit log has our decision",
                   "pods.admission.seccomp-authz/decision" in audit)

    def load(self, seconds, while_running, expect_failures=False):
        """Pods, good and bad by turns, from four clients all the time; server-side dry runs."""
        end = time.monotonic() + seconds
        counts = {"good": 0, "denied": 0, "failed": 0, "let in": 0}
        failures, lock = [], threading.Lock()

        def client(number):
            turn = 0
            while time.monotonic() < end:
                bad = turn % 2
                thing = pod(f"load-{number}-{turn}", "Unconfined" if bad else "RuntimeDefault")
                turn += 1
                answer = self.cluster.post_pod(thing)
                if answer.get("kind") == "Pod":
                    kind = "let in" if bad else "good"
                elif "denied the request: " in answer.get("message", ""):
                    kind = "denied" if bad else "failed"
                else:
                    kind = "failed"
                with lock:
                    counts[kind] += 1
                    if kind == "failed":
                        failures.append(answer.get("message", str(answer))[:200])

        threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        while_running()
        for thread in threads:
            thread.join()
        good = counts["let in"] == 0 and counts["good"] > 20 and counts["denied"] > 20
        good = good and bool(counts["failed"]) == expect_failures
        return good, f"{counts} {failures[:2]}"

    def rotation(self):
        served = []

        def serials():
            return [subprocess.run(
                f"openssl s_client -connect {HOST}:{r.port} </dev/null 2>/dev/null | "
                "openssl x509 -noout -serial", shell=True, capture_output=True, text=True,
                check=True).stdout for r in self.replicas]

        def rotate():
            for _ in range(5):
                time.sleep(2)
                self.certificate()
                self.cluster.kubectl("apply", "-f", "-", text=self.render("enforce-openssl"))
                self.mount_from_api()
                time.sleep(1.5)
                served.append(serials()[0])
                # new connections, so that the API server sees the new certificate
                self.proxy.backends = self.proxy.backends[::-1]

        good, seen = self.load(20, rotate)
        self.check("the certificate renewed 5 times under load, no call failed, none let in",
                   good and len(set(served)) == 5, seen)

    def replacement(self):
        def replace():
            for _ in range(3):
                for replica in self.replicas:
                    replica.process.kill()
                    replica.process.wait()
                time.sleep(1)
                for replica in self.replicas:
                    replica.start()
                time.sleep(1.5)

        good, seen = self.load(14, replace, expect_failures=True)
        self.check("all judges killed and replaced 3 times under load (failurePolicy Fail): calls "
                   "failed meanwhile, none let in", good, seen)

    def rollout(self):
        def roll():
            for replica in self.replicas:
                time.sleep(1)
                old, replica.port = replica.port, free_port()
                previous = replica.process
                replica.command = [a.replace(f":{old}", f":{replica.port}") for a in replica.command]
                replica.start()                                # maxSurge 1, maxUnavailable 0
                self.proxy.backends.append(replica.port)
                previous.terminate()                           # SIGTERM, and its endpoint ...
                time.sleep(1)
                self.proxy.backends.remove(old)                # ... goes a second later
                previous.wait()

        good, seen = self.load(18, roll)
        self.check("both judges replaced one after the other, as a rollout does: no call failed, "
                   "none let in", good, seen)

    def sizes(self):
        thing = pod("large", "RuntimeDefault", env=[{"name": "X", "value": "<" * int(2.9 * 2**20)}])
        began = time.monotonic()
        answer = self.cluster.post_pod(thing)
        self.check("admitted: a pod of 2.9 MiB of '<', an 18 MB review "
                   f"({time.monotonic() - began:.1f} s)", answer.get("kind") == "Pod",
                   answer.get("message", ""))
        thing["spec"]["securityContext"]["seccompProfile"]["type"] = "Unconfined"
        message = self.cluster.post_pod(thing).get("message", "let in")
        self.check("refused: the same with Unconfined", "denied the request: " in message, message)

    def reload(self):
        """SIGHUP, and a moment for it and for the API server's own watch of the webhooks."""
        for replica in self.replicas:
            replica.process.send_signal(signal.SIGHUP)
        time.sleep(1)

    def observing(self):
        self.apply_overlay("observe-openssl")
        self.reload()
        self.admitted("a pod with Unconfined, under overlays/observe", pod("seen", "Unconfined"),
                      warns="without a seccomp filter")
        self.admitted("a Deployment with Unconfined, under overlays/observe",
                      deployment("seen", "Unconfined"), warns="without a seccomp filter")
        self.apply_overlay("enforce-openssl")
        self.reload()
        self.refused("a pod with Unconfined, under overlays/enforce again", pod("no", "Unconfined"),
                     "without")
        code, out, err = self.cluster.kubectl("annotate", "pod", "seen", "note=x")
        self.check("admitted: a note on the pod that was let in then: nothing judged changes",
                   code == 0, out + err)
        self.refused("a label on it: exceptions depend on labels, so it is judged anew",
                     pod("seen", "Unconfined", labels={"team": "a"}), "without a seccomp filter")
        code, out, err = self.cluster.kubectl("delete", "pod", "seen", "--grace-period=0", "--force")
        self.check("it can be deleted", code == 0, out + err)

    def closing(self):
        for replica in self.replicas:
            replica.process.terminate()
        codes = [replica.process.wait() for replica in self.replicas]
        self.check("the judges end in good order", codes == [0] * len(codes), codes)
        code, _, err = self.cluster.apply(pod("nobody", "RuntimeDefault"))
        self.check("with no judge at all nothing is let in (failurePolicy Fail)", code != 0, err)
        code, out, err = self.cluster.apply(deployment("nobody", "RuntimeDefault"))
        self.check("and workloads are (Ignore): their pods would not be", code == 0, out + err)

    def run(self):
        try:
            self.prepare()
            for step in (self.pods, self.workloads, self.exceptions, self.sizes, self.rotation,
                         self.rollout, self.replacement, self.observing, self.closing):
                step()
        finally:
            for replica in self.replicas:
                replica.process.kill()
            if self.cluster:
                self.cluster.stop()
            if not self.failed:
                shutil.rmtree(self.folder)
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(Show(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])).run())
