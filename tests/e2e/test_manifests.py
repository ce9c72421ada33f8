# SPDX-License-Identifier: Apache-2.0
"""The manifests for Kubernetes and the stack for Swarm: they are what their schemas allow, and
they do as they preach. No cluster is needed; `make e2e-kubernetes` applies them to one."""

import base64
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import jsonschema
import yaml

from lab import BUILD, DIR, HERE

SPEC = HERE.parent.parent / "plugin-spec"
SCHEMA = json.loads((HERE / "kubernetes" / "schema.json").read_text())
OVERLAYS = ("enforce-cert-manager", "enforce-openssl", "observe-cert-manager", "observe-openssl")
WEBHOOKS = ("pods.admission.seccomp-authz", "workloads.admission.seccomp-authz")


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=120, check=False, **more)


def validate(thing):
    """As `kubectl apply --validate=strict` would; cert-manager's kinds have no schema here."""
    kind = f"{thing['apiVersion']}/{thing['kind']}"
    if kind.startswith("cert-manager.io/v1/"):
        return
    definition = {"$ref": f"#/definitions/{SCHEMA['kinds'][kind]}",
                  "definitions": SCHEMA["definitions"]}
    jsonschema.Draft4Validator(definition).validate(thing)


class Manifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(dir=DIR)
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name) / "kubernetes"
        shutil.copytree(SPEC / "kubernetes", cls.root)
        found = run(HERE / "kubernetes" / "kubectl.sh", DIR / "kubectl")
        if found.returncode != 0:
            raise AssertionError(f"kubectl.sh: {found.stderr}")
        cls.kubectl = found.stdout.strip()
        made = run(cls.root / "openssl" / "certificate.sh")
        if made.returncode != 0:
            raise AssertionError(f"certificate.sh: {made.stderr}")
        cls.rendered = {overlay: cls.render(overlay) for overlay in OVERLAYS}

    @classmethod
    def render(cls, overlay):
        done = run(cls.kubectl, "kustomize", cls.root / "overlays" / overlay)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"{overlay}: {done.stderr}")
        return list(yaml.safe_load_all(done.stdout))

    def one(self, overlay, kind):
        thing, = (thing for thing in self.rendered[overlay] if thing["kind"] == kind)
        return thing

    def check(self, thing, policy):
        """What `seccomp-authz check` says of an object under a policy."""
        folder = pathlib.Path(self.folder.name)
        (folder / "policy").write_text(policy)
        (folder / "thing").write_text(json.dumps(thing))
        done = run(BUILD / "seccomp-authz", "check", "--as", "manifest", "--policy",
                   folder / "policy", folder / "thing")
        return done.returncode, done.stdout + done.stderr

    def policy(self, overlay):
        return self.one(overlay, "ConfigMap")["data"]["policy.json"]

    def test_every_object_is_what_the_api_allows(self):
        for overlay, things in self.rendered.items():
            kinds = [thing["kind"] for thing in things]
            self.assertEqual(len(kinds), 12 if "cert-manager" in overlay else 9, (overlay, kinds))
            for thing in things:
                with self.subTest(overlay=overlay, kind=thing["kind"]):
                    validate(thing)

    def test_the_schemas_do_find_mistakes(self):
        thing = json.loads(json.dumps(self.one("enforce-openssl", "Deployment")))
        thing["spec"]["template"]["spec"]["containers"][0]["readonlyRootFilesystem"] = True
        with self.assertRaises(jsonschema.ValidationError):
            validate(thing)
        thing = json.loads(json.dumps(self.one("enforce-openssl", "ValidatingWebhookConfiguration")))
        thing["webhooks"][0]["timeoutSeconds"] = "10"
        with self.assertRaises(jsonschema.ValidationError):
            validate(thing)

    def test_pods_fail_closed_under_enforce_and_nothing_is_refused_under_observe(self):
        for overlay in OVERLAYS:
            webhooks = self.one(overlay, "ValidatingWebhookConfiguration")["webhooks"]
            policies = {hook["name"]: hook["failurePolicy"] for hook in webhooks}
            enforce = overlay.startswith("enforce")
            self.assertEqual(policies, {WEBHOOKS[0]: "Fail" if enforce else "Ignore",
                                        WEBHOOKS[1]: "Ignore"})
            self.assertEqual(json.loads(self.policy(overlay))["mode"],
                             "enforce" if enforce else "observe")

    def test_the_webhooks_see_all_that_runs_containers_and_nobody_can_leave_himself_out(self):
        webhooks = self.one("enforce-openssl", "ValidatingWebhookConfiguration")["webhooks"]
        seen = set()
        for hook in webhooks:
            self.assertEqual((hook["sideEffects"], hook["matchPolicy"], hook["timeoutSeconds"],
                              hook["admissionReviewVersions"]), ("None", "Equivalent", 10, ["v1"]))
            self.assertNotIn("objectSelector", hook)
            self.assertNotIn("matchConditions", hook)
            self.assertEqual(hook["namespaceSelector"], {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn",
                 "values": ["seccomp-authz"]}]})
            for rule in hook["rules"]:
                self.assertEqual(rule["operations"], ["CREATE", "UPDATE"])
                seen |= set(rule["resources"])
        self.assertEqual(seen, {
            "pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers",
            "deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "cronjobs"})

    def test_webhook_service_port_and_certificate_belong_together(self):
        for overlay in OVERLAYS:
            service, deployment = self.one(overlay, "Service"), self.one(overlay, "Deployment")
            container, = deployment["spec"]["template"]["spec"]["containers"]
            port, = container["ports"]
            self.assertEqual(service["spec"]["ports"][0]["targetPort"], port["name"])
            self.assertIn(f"--webhook-listen=[::]:{port['containerPort']}", container["args"])
            labels = deployment["spec"]["template"]["metadata"]["labels"]
            for selector in (service["spec"]["selector"],
                             deployment["spec"]["selector"]["matchLabels"],
                             self.one(overlay, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
                             self.one(overlay, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]):
                self.assertLessEqual(selector.items(), labels.items())
            for hook in self.one(overlay, "ValidatingWebhookConfiguration")["webhooks"]:
                wanted = {"namespace": service["metadata"]["namespace"],
                          "name": service["metadata"]["name"], "path": "/validate"}
                self.assertEqual(hook["clientConfig"]["service"], wanted)
            secret = deployment["spec"]["template"]["spec"]["volumes"][1]["secret"]["secretName"]
            names = [thing["spec"]["secretName"] for thing in self.rendered[overlay]
                     if thing["kind"] == "Certificate"] or [self.one(overlay, "Secret")["metadata"]["name"]]
            self.assertIn(secret, names)

    def test_with_openssl_the_api_server_trusts_exactly_this_certificate(self):
        secret = self.one("enforce-openssl", "Secret")["data"]
        for hook in self.one("enforce-openssl", "ValidatingWebhookConfiguration")["webhooks"]:
            folder = pathlib.Path(self.folder.name)
            (folder / "ca").write_bytes(base64.b64decode(hook["clientConfig"]["caBundle"]))
            (folder / "crt").write_bytes(base64.b64decode(secret["tls.crt"]))
            done = run("openssl", "verify", "-CAfile", folder / "ca", "-purpose", "sslserver",
                       "-verify_hostname", "seccomp-authz.seccomp-authz.svc", folder / "crt")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_renewal_keeps_the_ca_and_changes_the_rest(self):
        before = {name: (self.root / "openssl" / name).read_text()
                  for name in ("ca.crt", "ca.key", "ca-bundle.yaml", "tls.crt", "tls.key")}
        self.assertEqual(run(self.root / "openssl" / "certificate.sh", "30").returncode, 0)
        after = {name: (self.root / "openssl" / name).read_text() for name in before}
        self.assertEqual({name for name in before if before[name] != after[name]},
                         {"tls.crt", "tls.key"})
        for name in ("ca.key", "tls.key"):
            self.assertEqual((self.root / "openssl" / name).stat().st_mode & 0o077, 0)

    def test_with_cert_manager_the_ca_is_injected_from_the_certificate_that_is_served(self):
        things = self.rendered["enforce-cert-manager"]
        certificates = {thing["metadata"]["name"]: thing for thing in things
                        if thing["kind"] == "Certificate"}
        issuers = {thing["metadata"]["name"] for thing in things if thing["kind"] == "Issuer"}
        webhook = self.one("enforce-cert-manager", "ValidatingWebhookConfiguration")
        self.assertEqual(webhook["metadata"]["annotations"]["cert-manager.io/inject-ca-from"],
                         "seccomp-authz/seccomp-authz-tls")
        self.assertEqual(certificates["seccomp-authz-tls"]["spec"]["dnsNames"],
                         ["seccomp-authz.seccomp-authz.svc"])
        for certificate in certificates.values():
            self.assertIn(certificate["spec"]["issuerRef"]["name"], issuers)
            self.assertEqual(certificate["metadata"]["namespace"], "seccomp-authz")

    def test_our_own_pods_would_be_let_in_and_are_locked_down(self):
        deployment = self.one("enforce-openssl", "Deployment")
        code, said = self.check(deployment, self.policy("enforce-openssl"))
        self.assertEqual((code, said.split()[0]), (0, "allow"), said)
        spec = deployment["spec"]["template"]["spec"]
        container, = spec["containers"]
        self.assertGreaterEqual(deployment["spec"]["replicas"], 2)
        self.assertIs(spec["automountServiceAccountToken"], False)
        self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
        self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(container["securityContext"], {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]}})
        self.assertEqual({probe: container[probe]["httpGet"]["path"] for probe in
                          ("startupProbe", "readinessProbe", "livenessProbe")},
                         {"startupProbe": "/readyz", "readinessProbe": "/readyz",
                          "livenessProbe": "/healthz"})
        self.assertFalse([mount for mount in container["volumeMounts"] if "subPath" in mount])

    def test_our_own_arguments_are_ones_that_the_judge_takes(self):
        args = self.one("enforce-openssl", "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
        done = run(BUILD / "seccomp-authzd", *args, "--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_kube_system_is_excepted_narrowly(self):
        def proxy(namespace="kube-system", name="kube-proxy", image="registry.k8s.io/kube-proxy:v1.30.0",
                  **context):
            return {"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": "kube-proxy-x", "namespace": namespace},
                    "spec": {"containers": [{"name": name, "image": image,
                                             "securityContext": {"privileged": True, **context}}]}}

        policy = self.policy("enforce-openssl")
        self.assertEqual(self.check(proxy(), policy)[0], 0)
        unconfined = {"seccompProfile": {"type": "Unconfined"}}
        for other in (proxy(namespace="default"), proxy(name="shell"), proxy(image="kube-proxy"),
                      proxy(image="registry.k8s.io/kube-proxy-debug:1"), proxy(**unconfined)):
            self.assertEqual(self.check(other, policy)[0], 1, other)


class Swarm(unittest.TestCase):
    def test_the_stack_is_for_every_manager_and_carries_the_policy(self):
        stack = yaml.safe_load((SPEC / "swarm" / "stack.yml").read_text())
        service = stack["services"]["policy"]
        self.assertEqual((service["deploy"]["mode"], service["deploy"]["placement"]["constraints"]),
                         ("global", ["node.role == manager"]))
        self.assertNotEqual(service["deploy"]["update_config"]["failure_action"], "rollback")
        self.assertEqual(stack["configs"]["policy"]["file"], "./policy.json")
        self.assertTrue((SPEC / "swarm" / "policy.json").exists())

    def test_its_policy_is_one_that_the_judge_takes_with_the_guards_of_a_swarm_on(self):
        policy = SPEC / "swarm" / "policy.json"
        done = run(BUILD / "seccomp-authz", "check", "--policy", policy, "--as", "create", "-",
                   input='{"Image": "nginx"}')
        self.assertEqual((done.returncode, done.stdout.split()[0]), (0, "allow"), done.stderr)
        self.assertLessEqual({"rollback", "swarm-membership"}, set(json.loads(policy.read_text())["guard"]))
        self.assertTrue(re.search("failure_action", (SPEC / "swarm" / "README.md").read_text()))
