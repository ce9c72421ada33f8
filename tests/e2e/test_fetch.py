# SPDX-License-Identifier: Apache-2.0
"""`seccomp-authz fetch` against a real HTTPS server (nginx) with an authority of its own: the
policy file is what the server has, or stays as it was. Needs no engine."""

import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import lab
from collector import Certificates
from lab import BUILD, TIED, Judge, UnixConnection, rows, spread, wait_until

GOOD = {"version": 1}
OTHER = {"version": 1, "observe": ["weak"]}
SECRET = "S3cr3t-T0ken-abcdef"

NGINX = """
daemon off; master_process off; pid {home}/nginx.pid; error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log {home}/access.log; types {{}} default_type application/json;
  client_body_temp_path {home}/tmp; proxy_temp_path {home}/tmp; fastcgi_temp_path {home}/tmp;
  uwsgi_temp_path {home}/tmp; scgi_temp_path {home}/tmp;
  ssl_certificate {tls}/server.crt; ssl_certificate_key {tls}/server.key;
  ssl_client_certificate {tls}/ca.pem; ssl_verify_client optional;
  server {{
    listen 127.0.0.1:{https} ssl;
    root {home}/www;
    location = /moved.json {{ return 302 https://127.0.0.1:{https}/policy.json; }}
    location = /lowered.json {{ return 302 http://127.0.0.1:{http}/policy.json; }}
    location = /round.json {{ return 302 https://127.0.0.1:{https}/round.json; }}
    location = /local.json {{ return 302 file://{home}/www/policy.json; }}
    location = /client.json {{ if ($ssl_client_verify != SUCCESS) {{ return 403; }} }}
    location = /token.json {{ if ($http_authorization != "Bearer {secret}") {{ return 401; }} }}
    location = /created.json {{ return 201 '{{"version":1}}'; }}
    location = /busy.json {{ add_header Retry-After 1 always; return 503; }}
  }}
  server {{ listen 127.0.0.1:{http}; root {home}/www; }}
}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class FetchCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(dir=lab.DIR, prefix="fetch-"))
        cls.folder.chmod(0o755)
        cls.certificates = Certificates(cls.folder / "tls")
        cls.certificates.make("server", "IP:127.0.0.1")
        cls.client_pem = cls.certificates.make("client", "DNS:client")
        cls.stranger = Certificates(cls.folder / "stranger")
        cls.https, cls.http = free_port(), free_port()
        cls.www = cls.folder / "www"
        cls.www.mkdir()
        (cls.folder / "tmp").mkdir()
        (cls.folder / "nginx.conf").write_text(NGINX.format(
            home=cls.folder, tls=cls.folder / "tls", https=cls.https, http=cls.http,
            secret=SECRET))
        cls.server = None
        cls.start_server()

    @classmethod
    def tearDownClass(cls):
        cls.stop_server()

    @classmethod
    def start_server(cls):
        binary = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        cls.server = subprocess.Popen(
            TIED + [binary, "-p", str(cls.folder), "-c", str(cls.folder / "nginx.conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def listens():
            with socket.socket() as sock:
                return sock.connect_ex(("127.0.0.1", cls.https)) == 0
        wait_until(listens, 20, "nginx listens")

    @classmethod
    def stop_server(cls):
        cls.server.terminate()
        cls.server.wait(20)

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.file = self.home / "policy.json"
        self.state = self.home / "policy.json.fetch"
        self.serve(GOOD)
        self.addCleanup(self.end)
        self.process = None

    def serve(self, policy, name="policy.json"):
        text = policy if isinstance(policy, (str, bytes)) else json.dumps(policy)
        fresh = self.www / "new"
        fresh.write_bytes(text.encode() if isinstance(text, str) else text)
        fresh.rename(self.www / name)

    def command(self, *options, url="policy.json", ca=None):
        if "://" not in url:
            url = f"https://127.0.0.1:{self.https}/{url}"
        return [str(BUILD / "seccomp-authz"), "fetch", "--cacert",
                str(ca or self.certificates.ca), *options, url, str(self.file)]

    def once(self, *options, **more):
        done = subprocess.run(self.command("--once", "--timeout", "5", *options, **more),
                              check=False, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stdout, "")
        return done.returncode, done.stderr

    def start(self, *options, **more):
        self.log = self.home / "log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                TIED + self.command("--interval", "0.2", "--timeout", "2", *options, **more),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self):
        if self.process:
            self.process.terminate()
            self.assertEqual(self.process.wait(20), 0, self.log.read_text())
            self.process = None

    def assert_kept(self, result, says, code=2):
        self.assertEqual(result[0], code, result[1])
        self.assertEqual(len(result[1].splitlines()), 1 if code == 2 else 2, result[1])
        self.assertIn(says, result[1])
        self.assertEqual(json.loads(self.file.read_text()), OTHER)
        self.assertEqual(sorted(p.name for p in self.home.iterdir()
                                if p.suffix not in (".lock", ".fetch")), ["policy.json"])


@spread
class Once(FetchCase):
    def test_a_policy_becomes_the_file(self):
        code, said = self.once()
        self.assertEqual(code, 0, said)
        self.assertIn("policy.json is now policy sha256:", said)
        self.assertEqual(json.loads(self.file.read_text()), GOOD)
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o644)

    def test_what_has_not_changed_is_not_sent_again(self):
        self.once()
        before = self.file.stat()
        time.sleep(0.02)
        checked = self.state.stat().st_mtime_ns
        self.assertEqual(self.once(), (0, ""))
        self.assertEqual(self.file.stat(), before)
        self.assertGreater(self.state.stat().st_mtime_ns, checked)
        self.assertIn(" 304 ", (self.folder / "access.log").read_text().splitlines()[-1])

    def test_a_file_that_somebody_changed_is_fetched_anew(self):
        self.once()
        self.file.write_text(json.dumps(OTHER))
        code, said = self.once()
        self.assertEqual(code, 0, said)
        self.assertEqual(json.loads(self.file.read_text()), GOOD)

    def test_the_state_of_another_url_is_not_used(self):
        self.once()
        self.serve(OTHER, "other.json")
        state = json.loads(self.state.read_text())
        code, said = self.once(url="other.json")
        self.assertEqual(code, 0, said)
        self.assertEqual(json.loads(self.file.read_text()), OTHER)
        self.assertNotEqual(json.loads(self.state.read_text())["url"], state["url"])

    def test_a_broken_state_costs_a_transfer_only(self):
        self.once()
        for text in ("", "[]", "{", '{"version":1,"url":3}', "\0" * 9000):
            self.state.write_text(text)
            self.assertEqual(self.once()[0], 0)
        self.assertEqual(json.loads(self.file.read_text()), GOOD)

    def test_an_etag_in_the_state_cannot_add_a_header(self):
        self.once()
        state = json.loads(self.state.read_text())
        state["etag"] = '"x"\r\nX-Evil: 1'
        self.state.write_text(json.dumps(state))
        self.assertEqual(self.once(), (0, ""))
        self.assertNotIn("\r", json.loads(self.state.read_text())["etag"])

    def test_mode_of_the_file_and_a_symbolic_link_to_it_stay(self):
        real = self.home / "real.json"
        real.write_text(json.dumps(OTHER))
        real.chmod(0o640)
        self.file.symlink_to(real)
        self.assertEqual(self.once()[0], 0)
        self.assertTrue(self.file.is_symlink())
        self.assertEqual(json.loads(real.read_text()), GOOD)
        self.assertEqual(real.stat().st_mode & 0o777, 0o640)

    def test_a_redirect_from_https_to_https_is_followed(self):
        code, said = self.once(url="moved.json")
        self.assertEqual(code, 0, said)
        self.assertEqual(json.loads(self.file.read_text()), GOOD)

    def test_a_client_certificate_is_shown(self):
        self.serve(GOOD, "client.json")
        code, said = self.once("--cert", str(self.client_pem), url="client.json")
        self.assertEqual(code, 0, said)

    def test_a_token_is_sent_and_never_shown(self):
        self.serve(GOOD, "token.json")
        token = self.home.with_suffix(".token")
        token.write_text(SECRET + "\n")
        code, said = self.once("--token-file", str(token), url="token.json")
        self.assertEqual(code, 0, said)
        self.assertNotIn(SECRET, said)


@spread
class Kept(FetchCase):
    """The file stays as it was after"""

    @rows({
        "an_answer_of_another_authority": ({"ca": "stranger"}, "certificate"),
        "a_server_that_is_not_there": ({"url": "https://127.0.0.1:1/p"}, "onnect"),
        "a_name_that_does_not_resolve": ({"url": "https://nowhere.invalid/p"}, "resolve"),
        "a_missing_document": ({"url": "none.json"}, "it answered 404"),
        "a_refusal": ({"url": "client.json"}, "it answered 403"),
        "another_status_of_success": ({"url": "created.json"}, "it answered 201"),
        "a_server_that_is_busy": ({"url": "busy.json"}, "it answered 503"),
        "a_redirect_to_http": ({"url": "lowered.json"}, "not https"),
        "a_redirect_to_a_file": ({"url": "local.json"}, "not https"),
        "a_redirect_without_end": ({"url": "round.json"}, "redirect"),
        "plain_http_to_another_host": ({"url": "http://192.0.2.1/p"}, "use https://"),
        "another_scheme": ({"url": "file:///etc/passwd"}, "should begin with https://"),
        "no_url_at_all": ({"url": "ftp://x"}, "should begin with https://"),
    })
    def check(self, more, says):
        self.file.write_text(json.dumps(OTHER))
        if "ca" in more:
            more = {"ca": self.stranger.ca}
        self.assert_kept(self.once(**more), says)


@spread
class Refused(FetchCase):
    """The file stays as it was when the server sends"""

    @rows({
        "nothing": ("", "policy.json"),
        "no_json": ("<html>", "line 1"),
        "half_of_a_policy": ('{"version": 1, "exceptions": [', "line 1"),
        "another_version": ('{"version": 2}', "/version"),
        "an_unknown_key": ('{"version": 1, "alow": []}', "alow"),
    })
    def check(self, text, says):
        self.file.write_text(json.dumps(OTHER))
        self.serve(text)
        result = self.once()
        self.assertEqual(result[0], 1, result[1])
        self.assertIn(says, result[1])
        self.assertIn("is no policy", result[1])
        self.assertEqual(json.loads(self.file.read_text()), OTHER)


class Handler(http.server.BaseHTTPRequestHandler):
    """What nginx never does."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = json.dumps(GOOD).encode()
        if self.path == "/cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body) + 10))
            self.end_headers()
            self.wfile.write(body)
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            for byte in body * 50:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.3)
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b" " * 65536)
        elif self.path == "/unasked":
            self.send_response(304)
            self.end_headers()


@spread
class Hostile(FetchCase):
    def setUp(self):
        super().setUp()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "tls" / "server.pem")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.handle_error = lambda *_: None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.base = f"https://127.0.0.1:{server.server_port}"
        self.file.write_text(json.dumps(OTHER))

    def test_a_body_that_is_cut_short_is_not_taken(self):
        self.assert_kept(self.once(url=self.base + "/cut"), "")

    def test_a_body_that_takes_too_long_is_not_taken(self):
        self.assert_kept(self.once("--timeout", "1", url=self.base + "/slow"), "imed out")

    def test_a_body_without_end_is_not_taken(self):
        self.assert_kept(self.once("--max-bytes", "1000000", url=self.base + "/endless"),
                         "larger than 1000000 bytes")

    def test_not_modified_without_being_asked_is_no_answer(self):
        self.assert_kept(self.once(url=self.base + "/unasked"), "it answered 304")


@spread
class Running(FetchCase):
    def served(self, policy):
        return lambda: self.file.exists() and json.loads(self.file.read_text()) == policy

    def test_the_file_follows_the_server(self):
        self.start()
        wait_until(self.served(GOOD), 10, "the first policy comes")
        for policy in (OTHER, {"version": 1, "mode": "observe"}, GOOD):
            self.serve(policy)
            wait_until(self.served(policy), 10, "the next policy comes")
        self.end()

    def test_a_bad_policy_is_told_once_and_mended_by_a_good_one(self):
        self.start()
        wait_until(self.served(GOOD), 10, "the policy comes")
        self.serve("{")
        wait_until(lambda: "is no policy" in self.log.read_text(), 10, "it says so")
        time.sleep(1)
        self.assertEqual(self.log.read_text().count("is no policy"), 1)
        self.serve(OTHER)
        wait_until(self.served(OTHER), 10, "the good policy comes")
        self.end()

    def test_a_server_that_goes_and_comes_back_is_asked_again(self):
        self.start("--retry-max", "0.5")
        wait_until(self.served(GOOD), 10, "the policy comes")
        self.stop_server()
        wait_until(lambda: "stays as it is" in self.log.read_text(), 10, "it says so")
        time.sleep(1)
        self.assertEqual(self.log.read_text().count("stays as it is"), 1)
        self.serve(OTHER)
        self.start_server()
        wait_until(self.served(OTHER), 20, "the new policy comes")
        wait_until(lambda: "answers again" in self.log.read_text(), 10, "it says so")
        self.end()

    def test_a_second_fetcher_of_the_same_file_is_refused(self):
        self.start()
        wait_until(self.served(GOOD), 10, "the policy comes")
        code, said = self.once()
        self.assertEqual(code, 2)
        self.assertIn("locked", said)
        self.end()

    def test_a_password_in_the_url_is_not_shown(self):
        self.start(url=f"https://user:{SECRET}@127.0.0.1:{self.https}/policy.json")
        wait_until(self.served(GOOD), 10, "the policy comes")
        for name in ("cmdline",):
            shown = pathlib.Path(f"/proc/{self.process.pid}/{name}").read_bytes()
            self.assertNotIn(SECRET.encode(), shown)
        self.end()
        self.assertNotIn(SECRET, self.log.read_text())
        self.assertNotIn(SECRET, self.state.read_text())

    def test_a_judge_takes_what_was_fetched_and_shows_how_current_it_is(self):
        judge = Judge(self.home)
        admin = self.home / "admin.sock"
        self.start()
        wait_until(lambda: self.state.exists(), 10, "the policy comes")
        judge.start("--admin-socket", str(admin))
        self.addCleanup(judge.stop)

        def metrics():
            connection = UnixConnection(str(admin), 10)
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()

        def fetched():
            name = "seccomp_authz_policy_fetched_timestamp_seconds "
            return [float(line[len(name):]) for line in metrics().splitlines()
                    if line.startswith(name)][0]
        self.assertLess(abs(time.time() - fetched()), 30)
        first = fetched()
        wait_until(lambda: fetched() > first, 10, "it is seen to be current again")
        self.serve({"version": 1, "mode": "observe"})
        wait_until(lambda: 'mode="observe"' in metrics(), 15, "the judge reloads by itself")
        self.end()


@spread
class Usage(unittest.TestCase):
    """One line and exit 2 for"""

    @rows({
        "nothing": ([], "which URL and FILE?"),
        "no_url": (["p.json"], "from which URL?"),
        "three_words": (["https://x/", "p.json", "q"], "q: one word too many"),
        "an_unknown_option": (["--etag", "https://x/", "p"], "--etag: no such option"),
        "no_number": (["--interval", "soon", "https://x/", "p"], "--interval"),
        "a_key_alone": (["--key", "k", "https://x/", "p"], "--key without --cert"),
    })
    def check(self, words, says):
        done = subprocess.run([str(BUILD / "seccomp-authz"), "fetch", *words], check=False,
                              capture_output=True, text=True, timeout=20)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn(says, done.stderr)
