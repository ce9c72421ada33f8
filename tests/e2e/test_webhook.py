# SPDX-License-Identifier: Apache-2.0
"""The admission webhook over real TLS: what an API server is told, and that it is always told."""

import http.client
import json
import os
import pathlib
import re
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from lab import BUILD, DIR, wait_until
from webhook import (HOST, MIB, Authority, Caller, Load, WebhookCase, WebhookJudge, openssl, padded,
                     pod, review)

ROOM = 128 * MIB            # review.h: REVIEWS_ROOM
REVIEW_MAX = 40 * MIB       # core/kubernetes.h: ADMISSION_REVIEW_MAX
LARGE = 18 * 1000 * 1000    # what an API server makes of the largest Pod that it takes


def decisions(posture, reason, decision):
    return (f'seccomp_authz_decisions_total{{door="kubernetes",posture="{posture}",'
            f'reason="{reason}",decision="{decision}"}}')


class Answers(WebhookCase):
    def test_a_review_is_answered_by_its_uid_and_a_denial_is_on_record(self):
        caller = self.caller()
        response = caller.ask(review(uid="first"))
        self.assertEqual((response["uid"], response["allowed"]), ("first", True))
        response = caller.ask(review(pod("Unconfined"), uid="second"))
        self.assertEqual((response["uid"], response["allowed"]), ("second", False))
        self.assertEqual((response["status"]["code"], response["status"]["reason"]),
                         (403, "Forbidden"))
        self.assertIn('container "c"', response["status"]["message"])
        record, = self.judge.records()
        self.assertEqual((record["door"], record["decision"], record["user"], record["namespace"]),
                         ("kubernetes", "deny", "alice", "n"))
        self.assertIn(record["id"], response["status"]["message"])

    def test_a_dry_run_is_judged_and_recorded_as_such(self):
        response = self.caller().ask(review(pod("Unconfined"), dryRun=True))
        self.assertFalse(response["allowed"])
        self.assertIs(self.judge.records()[0]["dry_run"], True)

    def test_the_answer_has_the_version_of_the_question(self):
        question = review()
        for version in ("admission.k8s.io/v1", "admission.k8s.io/v1beta1"):
            question["apiVersion"] = version
            status, answer = self.caller().request("POST", "/validate",
                                                   json.dumps(question).encode())
            self.assertEqual((status, json.loads(answer)["apiVersion"]), (200, version))

    def test_other_paths_and_methods_are_refused_in_plain_text(self):
        caller = self.caller()
        for method, path, wanted in (
                ("POST", "/", 404), ("POST", "/validate/", 404), ("GET", "/policy", 404),
                ("POST", "/AuthZPlugin.AuthZReq", 404), ("GET", "/validate", 405),
                ("PUT", "/validate", 405), ("POST", "/readyz", 405), ("DELETE", "/metrics", 405)):
            status, body = caller.request(method, path, b"{}" if method != "GET" else None)
            self.assertEqual(status, wanted, (method, path))
            self.assertRegex(body, rb"\A[^{}<>\n]+\n\Z")
        self.assertEqual(self.judge.records(), [])

    def test_probes_and_metrics_are_answered(self):
        caller = self.caller()
        self.assertEqual(caller.request("GET", "/healthz"), (200, b"ok\n"))
        self.assertEqual(caller.request("GET", "/readyz"), (200, b"ready\n"))
        self.assertEqual(caller.request("HEAD", "/readyz"), (200, b""))
        caller.ask(review())
        caller.ask(review(pod("Unconfined")))
        shown = self.metrics()
        self.assertEqual(shown[decisions("default", "allowed", "allow")], 1)
        self.assertEqual(shown[decisions("unconfined", "posture", "deny")], 1)
        self.assertEqual(shown[decisions("unset", "posture", "deny")], 0)
        self.assertAlmostEqual(shown["seccomp_authz_certificate_expiry_timestamp_seconds"],
                               time.time() + 10 * 86400, delta=3600)

    def test_what_is_no_review_is_no_allowance(self):
        for body in (b"", b"{}", b"garbage", b'{"request":{}}', b"\x00" * 1000, b"[" * 100000):
            status, answer = self.caller().request("POST", "/validate", body)
            self.assertEqual(status, 400, body[:20])
            self.assertNotIn(b"allowed", answer)
        for body in (b'{"request":{"uid":"u","object":', b'{"request":{"uid":"u"}} trailing',
                     b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",'
                     b'"request":{"uid":"u","object":{"kind":"Pod"},"object":null}}'):
            response = self.caller().ask(body)
            self.assertEqual((response["uid"], response["allowed"]), ("u", False), body)

    def test_a_policy_that_never_was_good_denies_and_stays_in_service(self):
        self.judge.interrupt()
        self.judge.state = self.judge.home / "other-state"
        self.judge.write_policy("{")
        self.judge.start()
        response = self.caller().ask(review())
        self.assertFalse(response["allowed"])
        self.assertIn("policy broken", response["status"]["message"])
        # taken out of service, nobody would deny where failurePolicy is Ignore
        self.assertEqual(self.caller().request("GET", "/readyz"), (200, b"ready\n"))

    def test_one_connection_is_kept_and_several_are_served_at_once(self):
        slow = self.caller()
        slow.connection.connect()
        body = json.dumps(review()).encode()
        slow.connection.sock.sendall(b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n"
                                     b"\r\n" % len(body) + body[:50])
        caller = self.caller()
        for _ in range(50):
            self.assertTrue(caller.ask(review())["allowed"])
        slow.connection.sock.sendall(body[50:])
        self.assertTrue(slow.connection.sock.recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertEqual(self.judge.log.read_text().count("handshake"), 0)


class Large(WebhookCase):
    def test_a_review_of_40_MiB_is_judged_and_a_larger_one_denied_by_its_uid(self):
        caller = self.caller()
        for size, profile, allowed, says in (
                (REVIEW_MAX, "RuntimeDefault", True, None),
                (REVIEW_MAX, "Unconfined", False, "without a seccomp filter"),
                (REVIEW_MAX + 1, "RuntimeDefault", False, "larger than is judged"),
                (100 * MIB, "RuntimeDefault", False, "larger than is judged")):
            response = caller.ask(padded(size, profile, uid=f"u{size}"))
            self.assertEqual((response["uid"], response["allowed"]), (f"u{size}", allowed))
            if says:
                self.assertIn(says, response["status"]["message"])
        self.assertEqual([record["reason"] for record in self.judge.records()],
                         ["posture", "too-large", "too-large"])

    def test_a_review_without_a_length_is_judged_too(self):
        for size, allowed in ((1000, True), (5 * MIB, True), (REVIEW_MAX + MIB, False)):
            body = padded(size)
            parts = (body[at:at + 70000] for at in range(0, len(body), 70000))
            caller = self.caller()
            caller.connection.request("POST", "/validate", parts, encode_chunked=True,
                                      headers={"Transfer-Encoding": "chunked"})
            told = json.loads(caller.connection.getresponse().read())["response"]
            self.assertEqual((told["uid"], told["allowed"]), ("u", allowed), size)

    def test_twenty_reviews_of_18_MB_at_once_are_judged_in_time_and_the_memory_is_bounded(self):
        body, before = padded(LARGE), self.judge.memory()[0]
        bad = padded(LARGE, "Unconfined")
        results, gate = [], threading.Barrier(20)

        def ask(number):
            caller = self.caller()
            caller.connection.connect()
            gate.wait()
            begin = time.monotonic()
            response = caller.ask(bad if number % 4 == 0 else body)
            results.append((response["allowed"], time.monotonic() - begin))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(allowed for allowed, _ in results), [False] * 5 + [True] * 15)
        slowest = max(seconds for _, seconds in results)
        self.assertLess(slowest, 10)
        after, most = self.judge.memory()
        print(f"     20 x 18 MB: the slowest took {slowest:.2f} s; memory {before / MIB:.1f} MiB "
              f"before, {most / MIB:.1f} at most, {after / MIB:.1f} after", flush=True)
        self.assertLess(most, ROOM + 32 * MIB)
        self.assertLess(after, before + 16 * MIB)
        self.assertEqual({record["reason"] for record in self.judge.records()}, {"posture"})
        self.assertEqual(self.metrics()["seccomp_authz_in_flight_bytes"], 0)

    def test_without_memory_a_review_is_denied_by_its_uid_and_small_ones_go_on(self):
        self.caller().ask(review())
        status = pathlib.Path(f"/proc/{self.judge.process.pid}/status").read_text()
        size = int(re.search(r"VmSize:\s+(\d+) kB", status).group(1)) * 1024
        resource.prlimit(self.judge.process.pid, resource.RLIMIT_AS, (size + 10 * MIB, size + 10 * MIB))
        response = self.caller().ask(padded(LARGE, uid="large"))
        self.assertEqual((response["uid"], response["allowed"]), ("large", False))
        self.assertIn("no memory", response["status"]["message"])
        self.assertEqual(self.judge.records()[-1]["reason"], "no-memory")
        self.assertTrue(self.caller().ask(review())["allowed"])
        self.assertEqual(self.metrics()["seccomp_authz_in_flight_bytes"], 0)

    def hold(self, count, size):
        """Callers who announce `size` bytes and send the first of them."""
        callers = [self.caller(timeout=60) for _ in range(count)]
        body = padded(size, uid="held")
        for caller in callers:
            caller.connection.connect()
            caller.connection.sock.sendall(
                b"POST /validate?timeout=30s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                % size + body[:70000])
        wait_until(lambda: self.metrics()["seccomp_authz_requests_in_flight"] >= count, 10, "held")
        return callers, body

    def test_without_room_a_review_waits_and_is_then_denied_by_its_uid(self):
        holders, body = self.hold(3, REVIEW_MAX)
        caller, begin = self.caller(), time.monotonic()
        response = caller.ask(padded(LARGE, uid="late"), "/validate?timeout=5s")
        took = time.monotonic() - begin
        self.assertEqual((response["uid"], response["allowed"]), ("late", False))
        self.assertIn("Repeat the command", response["status"]["message"])
        self.assertGreater(took, 2.5)
        self.assertLess(took, 5)
        self.assertEqual(self.judge.records()[-1]["reason"], "busy")
        # small ones need no room
        self.assertTrue(self.caller().ask(review())["allowed"])
        self.assertTrue(self.caller().ask(padded(60000))["allowed"])
        # the held ones are whole in the end, and judged
        for holder in holders:
            holder.connection.sock.sendall(body[70000:])
            self.assertTrue(holder.connection.sock.recv(100).startswith(b"HTTP/1.1 200 "))
        self.assertTrue(self.caller().ask(padded(LARGE))["allowed"])

    def test_room_that_becomes_free_is_given_to_who_waits(self):
        holders, body = self.hold(3, REVIEW_MAX)
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(
            self.caller().ask(padded(LARGE, uid="waited"))))
        waiting.start()
        time.sleep(1)
        self.assertEqual(answers, [])
        holders[0].connection.sock.sendall(body[70000:])
        waiting.join(10)
        self.assertEqual([(a["uid"], a["allowed"]) for a in answers], [("waited", True)])
        holders[1].close() # gone half-way, and so is what it held
        self.assertTrue(self.caller().ask(padded(REVIEW_MAX))["allowed"])
        for holder in holders:
            holder.close()
        wait_until(lambda: self.metrics()["seccomp_authz_in_flight_bytes"] == 0, 10, "given back")

    def test_who_is_gone_while_he_waits_takes_no_room(self):
        holders, _ = self.hold(3, REVIEW_MAX)
        gone, _ = self.hold(5, LARGE)
        for caller in gone:
            caller.close()
        for holder in holders:
            holder.close()
        for _ in range(3):
            self.assertTrue(self.caller().ask(padded(REVIEW_MAX))["allowed"])
        wait_until(lambda: self.metrics()["seccomp_authz_in_flight_bytes"] == 0, 15, "given back")

    def test_a_body_that_trickles_holds_its_room_only_as_long_as_its_caller_waits(self):
        caller = self.caller()
        caller.connection.connect()
        sock = caller.connection.sock
        sock.sendall(b"POST /validate?timeout=1s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
                     % REVIEW_MAX)
        begin = time.monotonic()
        with self.assertRaises(OSError):
            while time.monotonic() < begin + 20:
                sock.sendall(b" ")
                time.sleep(0.1)
        self.assertLess(time.monotonic() - begin, 5)
        wait_until(lambda: self.metrics()["seccomp_authz_in_flight_bytes"] == 0, 5, "given back")


class Record(WebhookCase):
    record_size = 65536

    def test_what_can_not_be_recorded_is_denied_with_http_200(self):
        filler = self.judge.record_seen.parent / "filler"
        with open(filler, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 512)
            except OSError:
                pass
        caller = self.caller()
        response = None
        for number in range(64): # until the record's last block is full
            response = caller.ask(review(pod("Unconfined"), uid=f"u{number}"))
            self.assertEqual((response["uid"], response["allowed"]), (f"u{number}", False))
            if "put on record" in response["status"]["message"]:
                break
        self.assertIn("could not be put on record", response["status"]["message"])
        self.assertTrue(caller.ask(review())["allowed"])
        self.assertEqual(self.metrics()[decisions("unconfined", "posture", "error")], 1)
        filler.unlink()
        self.assertIn("would run", caller.ask(review(pod("Unconfined")))["status"]["message"])


class HangingRecord(WebhookCase):
    def prepare(self):
        self.renew()
        self.pipe = self.judge.home / "pipe"
        os.mkfifo(self.pipe)
        self.reader = os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, self.reader)
        self.judge.first_sink = "stdout"

    def test_a_record_that_hangs_denies_in_time_and_holds_up_nobody(self):
        self.judge.interrupt()
        with open(self.judge.log, "ab") as log, open(self.pipe, "wb") as pipe:
            before = len(self.judge.served())
            self.judge.process = subprocess.Popen(self.judge.command(), stdout=pipe, stderr=log)
        wait_until(lambda: len(self.judge.served()) > before, 10, "it serves")
        self.judge.port = int(self.judge.served()[-1])
        caller = self.caller()
        for number in range(400):
            begin = time.monotonic()
            response = caller.ask(review(pod("Unconfined"), uid=f"u{number}"))
            self.assertEqual((response["uid"], response["allowed"]), (f"u{number}", False))
            if "put on record" in response["status"]["message"]:
                break
        self.assertIn("did not take the line in 2000 ms", response["status"]["message"])
        self.assertLess(time.monotonic() - begin, 5)
        self.assertTrue(self.caller().ask(review())["allowed"])
        self.judge.kill()


class Certificate(WebhookCase):
    def test_a_renewed_certificate_is_taken_and_connections_are_kept(self):
        old = self.caller()
        first = old.serial()
        old.ask(review())
        wanted = self.renew("renewed")
        wait_until(lambda: self.caller().serial() == wanted, 5, "the new one is served")
        self.assertNotEqual(first, wanted)
        self.assertTrue(old.ask(review())["allowed"])
        self.assertEqual(old.serial(), first)
        shown = self.metrics()
        self.assertEqual(shown["seccomp_authz_certificate_reloads_total"], 1)
        self.assertEqual(shown["seccomp_authz_certificate_reload_failures_total"], 0)

    def test_files_that_are_written_in_place_or_renamed_are_taken(self):
        folder = self.judge.home / "plain"
        folder.mkdir()
        paths = [folder / "crt", folder / "key"]
        self.judge.interrupt()
        self.judge.tls.path = lambda name: str(folder / name[4:])

        def put(in_place):
            texts = self.authority.issue("plain")
            for path, text in zip(paths, texts):
                fresh = path if in_place else path.with_suffix(".new")
                fresh.write_text(text)
                fresh.rename(path)
            return openssl("x509", "-noout", "-serial", text=texts[0]).strip()

        put(True)
        self.judge.start()
        for in_place in (True, False, True):
            wanted = put(in_place)
            wait_until(lambda wanted=wanted: self.caller().serial() == wanted, 5, "it is served")

    def test_what_does_not_fit_or_parse_is_not_taken_and_said(self):
        cert, key = self.authority.issue("good")
        other = self.authority.issue("other")[1]
        serial = self.renew()
        wait_until(lambda: self.caller().serial() == serial, 5, "it is served")
        for number, (files, says) in enumerate((
                ({"tls.crt": cert, "tls.key": other}, "is not the key of"),
                ({"tls.crt": "garbage", "tls.key": key}, "tls.crt: "),
                ({"tls.crt": cert, "tls.key": "garbage"}, "tls.key: "),
                ({"tls.crt": "", "tls.key": key}, "tls.crt: is empty"),
                ({"tls.crt": cert}, "tls.key: can't be opened"),
                ({"tls.crt": cert[:300], "tls.key": key}, "tls.crt: ")), 1):
            size = self.judge.log_size()
            self.judge.tls.put(files)
            wait_until(lambda size=size: self.judge.log_size() > size, 5, "it says so")
            with open(self.judge.log, encoding="utf-8") as log:
                log.seek(size)
                said = log.read()
            self.assertIn("certificate not taken, the earlier one stays in use: ", said)
            self.assertIn(says, said)
            self.assertEqual(self.caller().serial(), serial, files)
            self.assertTrue(self.caller().ask(review())["allowed"])
            shown = self.metrics()
            self.assertEqual(shown["seccomp_authz_certificate_reload_failures_total"], number)
            self.assertEqual(shown['seccomp_authz_degraded{part="certificate"}'], 1)
        time.sleep(2.5) # said once, not every second
        self.assertEqual(self.judge.log.read_text().count("certificate not taken"), 6)
        self.judge.tls.put({"tls.crt": cert, "tls.key": key})
        wait_until(lambda: self.metrics()['seccomp_authz_degraded{part="certificate"}'] == 0, 5, "good")
        self.assertNotEqual(self.caller().serial(), serial)

    def test_a_certificate_is_renewed_under_load_without_a_failed_call(self):
        fresh = lambda: Caller(self.judge, self.authority.cert)
        with Load(self.caller, 4) as kept, Load(fresh, 4, reconnect_every=3) as new:
            serials = set()
            for number in range(6):
                serials.add(self.renew(f"round-{number}"))
                time.sleep(1.5)
            # a slow machine takes longer for as many
            wait_until(lambda: min(kept.answered, new.answered) > 100, 60, "there is load")
        self.assertEqual(kept.failures + new.failures, [])
        self.assertEqual(kept.let_in + new.let_in, 0)
        self.assertGreater(kept.answered, 100)
        self.assertGreater(new.answered, 100)
        self.assertEqual(serials - new.serials, set()) # each of them was served
        print(f"     6 renewals, {kept.answered + new.answered} calls, none failed", flush=True)

    def test_every_usual_kind_of_key_is_served(self):
        for kind in (("rsa", "rsa_keygen_bits:2048"), ("ed25519", None),
                     ("ec", "ec_paramgen_curve:P-384")):
            wanted = self.renew(kind[0], key=kind)
            wait_until(lambda wanted=wanted: self.caller().serial() == wanted, 5, kind[0])

    def test_before_there_is_a_certificate_nobody_is_served_and_it_is_not_ready(self):
        self.judge.interrupt()
        self.judge.tls.put({})
        self.judge.start("--metrics-listen", "127.0.0.1:0")
        self.assertTrue(self.judge.says("there is no certificate, nobody is answered"))
        with self.assertRaises(OSError):
            self.caller().request("GET", "/readyz")
        port = re.findall(r"metrics: http://127\.0\.0\.1:(\d+)/", self.judge.log.read_text())[-1]
        plain = http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)
        plain.request("GET", "/readyz")
        response = plain.getresponse()
        self.assertEqual(response.status, 503)
        self.assertIn(b"certificate missing: ", response.read())
        self.renew()

        def ready():
            try:
                return self.caller().request("GET", "/readyz") == (200, b"ready\n")
            except OSError:
                return False

        wait_until(ready, 5, "it is ready")
        plain.request("GET", "/readyz")
        self.assertEqual(plain.getresponse().status, 200)
        plain.close()


class Protocol(WebhookCase):
    def handshake(self, version):
        context = ssl.create_default_context(cafile=str(self.authority.cert))
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
        with socket.create_connection((HOST, self.judge.port), timeout=10) as sock:
            with context.wrap_socket(sock, server_hostname=HOST) as tls:
                return tls.version()

    def test_tls_1_2_and_1_3_and_nothing_older(self):
        self.assertEqual(self.handshake(ssl.TLSVersion.TLSv1_2), "TLSv1.2")
        self.assertEqual(self.handshake(ssl.TLSVersion.TLSv1_3), "TLSv1.3")
        for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1):
            with self.assertRaises(ssl.SSLError):
                self.handshake(version)

    def test_http_2_is_declined_and_http_1_1_agreed(self):
        context = ssl.create_default_context(cafile=str(self.authority.cert))
        context.set_alpn_protocols(["h2", "http/1.1"])
        with socket.create_connection((HOST, self.judge.port), timeout=10) as sock:
            with context.wrap_socket(sock, server_hostname=HOST) as tls:
                self.assertEqual(tls.selected_alpn_protocol(), "http/1.1")

    def test_plain_http_and_garbage_harm_nobody(self):
        for data in (b"GET /readyz HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\n"):
            with socket.create_connection((HOST, self.judge.port), timeout=5) as sock:
                try:
                    sock.sendall(data)
                    self.assertNotIn(b"HTTP/1.1 200", sock.recv(1000))
                except OSError:
                    pass
        self.assertTrue(self.caller().ask(review())["allowed"])

    def test_idlers_are_closed_and_stop_nobody(self):
        idlers = [socket.create_connection((HOST, self.judge.port), timeout=20) for _ in range(200)]
        self.assertTrue(self.caller().ask(review())["allowed"])
        while idlers[0].recv(100): # an alert, then the end, after WEBHOOK_BUSY_S
            pass
        for idler in idlers:
            idler.close()


class ClientCertificates(WebhookCase):
    def prepare(self):
        self.renew()
        self.callers_ca = Authority(self.judge.home / "callers", "callers-ca")
        self.ca = self.judge.home / "client-ca.crt"
        self.ca.write_text(self.callers_ca.cert.read_text())
        self.options = ("--tls-client-ca", str(self.ca))

    def certificate(self, authority, name, **more):
        cert, key = authority.issue(name, **more)
        paths = self.judge.home / f"{name}.crt", self.judge.home / f"{name}.key"
        for path, text in zip(paths, (cert, key)):
            path.write_text(text)
        return paths

    def test_only_who_has_a_certificate_is_judged_and_all_others_are_denied(self):
        good = self.certificate(self.callers_ca, "apiserver", usage="clientAuth")
        self.assertTrue(self.caller(cert=good).ask(review())["allowed"])
        strangers = {
            "none": None,
            "other": self.certificate(self.authority, "other", usage="clientAuth"),
            "usage": self.certificate(self.callers_ca, "usage", usage="serverAuth"),
        }
        for name, cert in strangers.items():
            response = self.caller(cert=cert).ask(review(uid=name))
            self.assertEqual((response["uid"], response["allowed"]), (name, False))
            self.assertIn("certificate", response["status"]["message"])
        large = self.caller().ask(padded(LARGE, uid="large")) # takes no room, is denied at its end
        self.assertEqual((large["uid"], large["allowed"]), ("large", False))
        self.assertEqual([record["reason"] for record in self.judge.records()],
                         ["no-client-certificate"] * 4)

    def test_probes_need_no_certificate_but_metrics_do(self):
        good = self.certificate(self.callers_ca, "prometheus", usage="clientAuth")
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.caller().request("GET", path)[0], 200)
        self.assertEqual(self.caller().request("GET", "/metrics")[0], 404)
        self.assertEqual(self.caller(cert=good).request("GET", "/metrics")[0], 200)

    def test_a_ca_that_is_replaced_counts_for_new_connections(self):
        first = self.certificate(self.callers_ca, "first", usage="clientAuth")
        kept = self.caller(cert=first)
        self.assertTrue(kept.ask(review())["allowed"])
        successor = Authority(self.judge.home / "successor", "successor-ca")
        second = self.certificate(successor, "second", usage="clientAuth")
        self.assertFalse(self.caller(cert=second).ask(review())["allowed"])
        self.ca.write_text(successor.cert.read_text())
        wait_until(lambda: self.caller(cert=second).ask(review())["allowed"], 5, "it is taken")
        self.assertFalse(self.caller(cert=first).ask(review())["allowed"])
        self.assertTrue(kept.ask(review())["allowed"])


class Life(WebhookCase):
    def test_on_sigterm_it_goes_on_to_answer_and_says_that_it_is_not_ready(self):
        caller, begin = self.caller(), time.monotonic()
        self.judge.process.send_signal(signal.SIGTERM)
        wait_until(lambda: caller.request("GET", "/readyz") == (503, b"stopping\n"), 3, "not ready")
        answered = 0
        while time.monotonic() < begin + 4:
            self.assertTrue(self.caller().ask(review())["allowed"])
            self.assertFalse(self.caller().ask(review(pod("Unconfined")))["allowed"])
            answered += 1
        self.assertGreater(answered, 10)
        self.assertEqual(self.judge.process.wait(10), 0)
        self.assertEqual(len(self.judge.records()), answered)

    def test_a_second_signal_ends_it_at_once(self):
        self.judge.process.send_signal(signal.SIGTERM)
        wait_until(lambda: self.judge.says("stopping"), 5, "it stops")
        begin = time.monotonic()
        self.judge.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.judge.process.wait(10), 0)
        self.assertLess(time.monotonic() - begin, 2)

    def test_what_waits_for_room_at_the_end_is_denied(self):
        holders = []
        for _ in range(3):
            holder = self.caller()
            holder.connection.connect()
            holder.connection.sock.sendall(b"POST /validate HTTP/1.1\r\nHost: x\r\n"
                                           b"Content-Length: %d\r\n\r\n " % REVIEW_MAX)
            holders.append(holder)
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(
            self.caller().ask(padded(LARGE, uid="w"))))
        waiting.start()
        wait_until(lambda: self.metrics()["seccomp_authz_requests_in_flight"] == 4, 5, "it waits")
        self.judge.process.send_signal(signal.SIGINT)
        waiting.join(10)
        self.assertEqual([(a["uid"], a["allowed"]) for a in answers], [("w", False)])
        self.assertEqual(self.judge.process.wait(20), 0)

    def test_killed_and_replaced_under_load_none_is_let_in(self):
        def fresh():
            return Caller(self.judge, self.authority.cert)

        self.judge.address = f"{HOST}:{self.judge.port}"
        with Load(fresh, 6) as load:
            for _ in range(4):
                time.sleep(0.7)
                self.judge.kill()
                time.sleep(0.2)
                self.judge.start()
            time.sleep(0.7)
        self.assertEqual(load.let_in, 0)
        self.assertGreater(load.answered, 100)
        self.assertGreater(len(load.failures), 0) # calls do fail meanwhile: failurePolicy's turn
        self.judge.records() # whole, in spite of it

    def test_with_a_socket_both_doors_are_served_and_without_only_the_webhook(self):
        self.assertFalse(self.judge.says("as plugin"))
        self.assertFalse(pathlib.Path("/run/docker/plugins/seccomp-authz.sock").exists() and
                         self.judge.says("/run/docker/plugins"))
        self.judge.interrupt()
        self.judge.start("--socket", str(self.judge.socket))
        self.assertTrue(self.judge.listens())
        self.assertTrue(self.judge.says(f"serving {self.judge.socket} as plugin seccomp-authz"))
        self.assertTrue(self.caller().ask(review())["allowed"])

    def test_addresses_of_every_family_are_served(self):
        for address, host in (("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "::1"), ("[::]:0", "127.0.0.1"),
                              ("[::1]:0", "::1")):
            self.judge.interrupt()
            self.judge.address = address
            self.judge.start()
            self.assertTrue(self.caller(host=host).ask(review())["allowed"], address)


class Options(unittest.TestCase):
    def run_judge(self, *arguments, env=None):
        done = subprocess.run([str(BUILD / "seccomp-authzd"), *arguments], capture_output=True,
                              text=True, timeout=20, env={**os.environ, **(env or {})}, check=False)
        return done.returncode, done.stdout, done.stderr

    def test_what_does_not_belong_together_is_a_mistake(self):
        for arguments, says in (
                (("--webhook-listen", "0.0.0.0:8443"), "needs --tls-cert and --tls-key"),
                (("--webhook-listen", "0.0.0.0:8443", "--tls-cert", "x"), "needs --tls-cert and"),
                (("--tls-cert", "x", "--tls-key", "y"), "belong to --webhook-listen"),
                (("--tls-client-ca", "x"), "belong to --webhook-listen"),
                (("--webhook-listen", "8443", "--tls-cert", "x", "--tls-key", "y"), "ADDR:PORT"),
                (("--webhook-listen", "localhost:1", "--tls-cert", "x", "--tls-key", "y"), "ADDR:PORT"),
                (("--tls-cert", ""), "should be a file")):
            code, out, err = self.run_judge(*arguments)
            self.assertEqual((code, out), (2, ""), arguments)
            self.assertRegex(err, r"\Aseccomp-authz: [^\n]+\n\Z")
            self.assertIn(says, err)

    def test_all_of_them_can_come_from_the_environment(self):
        code, _, err = self.run_judge(env={"SECCOMP_AUTHZ_WEBHOOK_LISTEN": "x"})
        self.assertEqual(code, 2)
        self.assertIn("SECCOMP_AUTHZ_WEBHOOK_LISTEN: x: ", err)
        with tempfile.TemporaryDirectory(dir=DIR) as folder:
            judge = WebhookJudge(pathlib.Path(folder))
            authority = Authority(judge.home / "ca")
            cert, key = authority.issue("env")
            judge.tls.put({"tls.crt": cert, "tls.key": key})
            judge.write_policy({"version": 1})
            judge.environment = {
                "SECCOMP_AUTHZ_WEBHOOK_LISTEN": f"{HOST}:0",
                "SECCOMP_AUTHZ_TLS_CERT": judge.tls.path("tls.crt"),
                "SECCOMP_AUTHZ_TLS_KEY": judge.tls.path("tls.key"),
                "SECCOMP_AUTHZ_TLS_CLIENT_CA": str(authority.cert)}
            judge.command = lambda *options: [
                str(BUILD / "seccomp-authzd"), "--policy", str(judge.policy), "--state-dir",
                str(judge.state), "--record", f"file:{judge.record}"]
            judge.start()
            try:
                self.assertTrue(judge.says("to callers with a client certificate"))
            finally:
                judge.interrupt()

    def test_a_port_that_is_taken_is_a_failure_to_start(self):
        with socket.create_server((HOST, 0)) as taken:
            code, _, err = self.run_judge("--webhook-listen", f"{HOST}:{taken.getsockname()[1]}",
                                          "--tls-cert", "x", "--tls-key", "y", "--record", "stdout",
                                          "--state-dir", str(DIR / "unused-state"))
        self.assertEqual(code, 1)
        self.assertIn("--webhook-listen: ", err)
        self.assertIn("in use", err)
