# SPDX-License-Identifier: Apache-2.0
"""Users by TLS certificate: the engine tells the plugin the common name."""

import subprocess
import unittest

from lab import DIR, IMAGE, SHOW_SECCOMP, DENIED, GuardedCase

ADDRESS = "127.0.0.1:2376"
UNCONFINED = ("--security-opt", "seccomp=unconfined")
CERTS = DIR / "certs"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=CERTS)


def make_certificate(name, common_name, extensions):
    """CERTS/name.pem and name.key, signed by the throwaway CA."""
    (CERTS / f"{name}.ext").write_text(extensions)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common_name}")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-out", f"{name}.pem", "-extfile", f"{name}.ext")


def make_certificates():
    CERTS.mkdir(exist_ok=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")
    make_certificate("server", "engine",
                     "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    for user in ("ci-bot", "eve"):
        make_certificate(user, user, "extendedKeyUsage=clientAuth\n")


class Users(GuardedCase):
    policy = {
        "version": 1,
        "exceptions": [{"id": "ci", "allow": ["unconfined"], "reason": "TEST-1",
                        "match": {"door": ["docker"], "user": ["ci-*"]}}],
    }

    @classmethod
    def setUpClass(cls):
        make_certificates()
        # Seen under the same path inside the namespaces of an engine of another suite.
        folder = DIR / cls.__name__.lower()
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("ca.pem", "server.pem", "server.key"):
            (folder / name).write_bytes((CERTS / name).read_bytes())
        cls.engine_options = (
            "-H", f"tcp://{ADDRESS}", "--tlsverify", "--tlscacert", str(folder / "ca.pem"),
            "--tlscert", str(folder / "server.pem"), "--tlskey", str(folder / "server.key"))
        super().setUpClass()

    def run_as(self, user, *options):
        """The engine's loopback is in its own network namespace."""
        return self.engine.docker(
            "--tlsverify", "--tlscacert", str(CERTS / "ca.pem"),
            "--tlscert", str(CERTS / f"{user}.pem"), "--tlskey", str(CERTS / f"{user}.key"),
            "run", "--rm", *options, IMAGE, *SHOW_SECCOMP, inside=True,
            host=f"tcp://{ADDRESS}")

    def test_user_of_the_exception_runs_without_a_filter_and_is_on_record(self):
        code, out, err = self.run_as("ci-bot", *UNCONFINED)
        self.assertEqual((code, out.split()), (0, ["Seccomp:", "0"]), err)
        record = self.new_records()[-1]
        self.assertEqual((record["rule"], record["user"], record["auth"]), ("ci", "ci-bot", "TLS"))

    def test_another_user_is_refused(self):
        code, _, err = self.run_as("eve", *UNCONFINED)
        self.assertEqual(code, 125, err)
        self.assertIn(DENIED, err)
        self.assertEqual(self.new_records()[-1]["user"], "eve")

    def test_nobody_on_the_unix_socket_is_refused(self):
        self.assert_refused(*UNCONFINED)

    def test_another_user_runs_under_a_filter(self):
        code, out, err = self.run_as("eve")
        self.assertEqual((code, out.split()), (0, ["Seccomp:", "2"]), err)


if __name__ == "__main__":
    unittest.main()
