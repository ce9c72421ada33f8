# SPDX-License-Identifier: Apache-2.0
"""Many denials through a real socket into the record and to a collector, while the disk
fills and is freed, the collector and the judge are killed, and the file is rotated.

run.sh BUILD soak_record; not among the tests (it takes minutes). DENIALS says how many.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

import lab
from collector import Certificates, Collector
from lab import BUILD, TIED, Judge, wait_until
from test_judge import UNCONFINED, post

DENIALS = int(os.environ.get("DENIALS", "300000"))
CLIENTS, PIPELINE = 4, 32
ROTATIONS, KILLS, COLLECTOR_RESTARTS = 10, 3, 2
QUESTION = post("/AuthZPlugin.AuthZReq", UNCONFINED)


class Client(threading.Thread):
    """Asks until enough was told in all; remembers the ids of the denials it was told of."""

    def __init__(self, path, enough):
        super().__init__(daemon=True)
        self.path, self.enough = path, enough
        self.told, self.failed = [], 0

    def run(self):
        while not self.enough():
            try:
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.settimeout(10)
                    sock.connect(str(self.path))
                    while not self.enough():
                        self.batch(sock)
            except OSError:
                time.sleep(0.02)  # the judge is away

    def batch(self, sock):
        sock.sendall(QUESTION * PIPELINE)
        data, left = b"", PIPELINE
        while left:
            block = sock.recv(1 << 16)
            if not block:
                raise ConnectionError
            data += block
            while (end := data.find(b"\r\n\r\n")) >= 0:
                length = int(re.search(rb"(?i)content-length: (\d+)", data[:end]).group(1))
                if len(data) < end + 4 + length:
                    break
                body, status = data[end + 4:end + 4 + length], int(data[9:12])
                data, left = data[end + 4 + length:], left - 1
                if status == 200:
                    answer = json.loads(body)
                    assert answer["Allow"] is False
                    self.told.append(answer["Msg"].split("decision ")[1][:26])
                else:
                    assert b'"Allow":true' not in body
                    self.failed += 1


class Soak(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(dir=lab.DIR, prefix="soak-"))
        disk = self.home / "record"
        disk.mkdir()
        subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", f"size={DENIALS * 1500 + (64 << 20)}",
                        "tmpfs", str(disk)], check=True)
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=False)
        self.judge = Judge(self.home)
        self.judge.write_policy({"version": 1})
        self.judge.start()
        self.addCleanup(self.judge.kill)
        certificates = Certificates(self.home / "tls")
        self.collector = Collector(certificates.make("server", "IP:127.0.0.1")).start()
        self.addCleanup(self.collector.stop)
        self.ship = subprocess.Popen(
            [*TIED, str(BUILD / "seccomp-authz"), "ship", "--interval", "0.2", "--retry-max", "1",
             "--timeout", "5", "--gzip", "--batch-lines", "2000", "--cacert", str(certificates.ca),
             "--state", str(self.home / "ship.state"), str(self.judge.record), self.collector.url],
            stdin=subprocess.DEVNULL, stderr=open(self.home / "ship.log", "ab"))
        self.addCleanup(self.ship.kill)
        self.clients = [Client(self.judge.socket, self.enough) for _ in range(CLIENTS)]
        self.resident = []
        self.rotations = 0
        self.all_happened = False

    def told(self):
        return sum(len(client.told) for client in self.clients)

    def enough(self):
        return self.all_happened and self.told() >= DENIALS

    def parts(self):
        return sorted(self.judge.record.parent.glob("record.jsonl*"),
                      key=lambda path: int(path.suffix[1:]) if path.suffix != ".jsonl" else 0,
                      reverse=True)

    def rotate(self):
        """Now and then of nothing, too, which leaves numbers without a file."""
        wait_until(lambda: self.judge.record.exists() and self.judge.record.stat().st_size, 20,
                   "there is something to rotate")
        self.rotations += 1
        for _ in range(3 if self.rotations % 3 == 0 else 1):
            for path in self.parts():
                number = int(path.suffix[1:]) if path.suffix != ".jsonl" else 0
                path.rename(self.judge.record.with_name(f"record.jsonl.{number + 1}"))
        self.judge.process.send_signal(signal.SIGHUP)

    def kill_judge(self):
        self.judge.kill()
        self.judge.start()

    def fill_disk(self):
        filler = self.judge.record.parent / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            except OSError:
                pass
        failed = sum(client.failed for client in self.clients)
        wait_until(lambda: sum(client.failed for client in self.clients) > failed, 20,
                   "denials fail on a full disk")
        time.sleep(1)
        filler.unlink()

    def restart_collector(self):
        self.collector.stop()
        time.sleep(1)
        self.collector.start()

    def measure(self):
        status = pathlib.Path(f"/proc/{self.judge.process.pid}/status").read_text()
        self.resident.append(int(re.search(r"VmRSS:\s+(\d+)", status).group(1)))

    def check_record(self):
        ids, lines, recovered = [], [], 0
        for path in self.parts():
            for line in path.read_bytes().splitlines():
                lines.append(line)
                try:
                    record = json.loads(line)
                except ValueError:
                    continue  # torn; log verify names it
                if record.get("event") == "recovery":
                    recovered += 1
                else:
                    ids.append(record["id"])
        self.assertEqual(len(ids), len(set(ids)), "a denial is in the record twice")
        told = {one for client in self.clients for one in client.told}
        self.assertEqual(told - set(ids), set(), "a denial that was told is not in the record")
        verify = subprocess.run([str(BUILD / "seccomp-authz"), "log", "verify",
                                 *map(str, self.parts())], capture_output=True, text=True,
                                check=False)
        parts = [(path.name, path.stat().st_size, path.read_bytes()[-160:])
                 for path in self.parts()]
        self.assertEqual(verify.returncode, 0, f"{verify.stdout}{verify.stderr}{parts}"
                         + self.judge.log.read_text()[-3000:])
        return lines, recovered, verify.stdout

    def check_collector(self, lines):
        wanted = [line for line in lines if line.endswith(b"}")]
        wait_until(lambda: wanted[-1] == self.collector.last(), 120, "the last line arrives")
        place = {line: number for number, line in enumerate(wanted)}
        new = 0
        for line in self.collector.taken():
            at = place.get(line)
            if at is None:
                self.assertIn(b'"unreadable"', line)
                continue
            self.assertLessEqual(at, new, "a line came before the one before it; "
                                 + (self.home / "ship.log").read_text()[-2000:])
            new = max(new, at + 1)
        self.assertEqual(new, len(wanted), "lines did not arrive")

    def test_nothing_told_is_lost(self):
        begin = time.monotonic()
        for client in self.clients:
            client.start()
        events = ([self.rotate] * ROTATIONS + [self.kill_judge] * KILLS + [self.fill_disk]
                  + [self.restart_collector] * COLLECTOR_RESTARTS)
        events = events[::3] + events[1::3] + events[2::3]  # mixed, the same each time
        for number, event in enumerate(events, 1):
            wait_until(lambda n=number: self.told() >= DENIALS * n // (len(events) + 1), 600,
                       "denials go on")
            event()
            self.measure()
        self.all_happened = True
        wait_until(self.enough, 600, "enough denials")
        for client in self.clients:
            client.join(30)
        seconds = time.monotonic() - begin
        self.measure()
        self.assertGreater(len(self.parts()), ROTATIONS)
        lines, recovered, verified = self.check_record()
        self.check_collector(lines)
        print(f"     {self.told()} denials told, {sum(c.failed for c in self.clients)} refused "
              f"unrecorded, {len(lines)} lines in {len(self.parts())} files, {recovered} recovery "
              f"records, {len(self.collector.taken())} lines at the collector, {seconds:.0f} s; "
              f"resident kB {min(self.resident)}..{max(self.resident)}; {verified.strip()}")
        self.assertLess(max(self.resident), 24 * 1024)
