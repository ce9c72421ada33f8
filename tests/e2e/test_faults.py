# SPDX-License-Identifier: Apache-2.0
"""One fault after the other under load on a real engine: the judge is killed, hangs, runs out
of memory, files, threads and disk, the clock jumps, its socket vanishes, hostile clients come.
Each time the engine fails closed, all works again by itself, and no denial that a client was
told of is missing in the record. Ends with the fault table: what the clients saw, and what
was lost."""

import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

from engine_load import BAD, PLAIN, EngineLoad, recorded
from lab import BUILD, DIR, HERE, PLUGIN, ROOT, TIED, Engine, Judge, wait_until
from supervisor import Cgroup, SupervisedJudge
from test_judge import MIB, PS, UNCONFINED, Connection, envelope, post

TABLE = []
SANITIZED = any(word in str(BUILD) for word in ("asan", "tsan"))


def tearDownModule():
    width = max([len(fault) for fault, _, _ in TABLE], default=0)
    for fault, seen, lost in TABLE:
        print(f"     {fault:{width}}  clients saw: {seen}; lost: {lost}", flush=True)
    TABLE.clear()


def compile_c(name, *options):
    target = DIR / name.replace(".c", "")
    if not target.exists():
        subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-o", str(target),
                        str(HERE / name), "-lpthread", *options], check=True)
    return str(target)


class FaultCase(unittest.TestCase):
    """An engine, and a judge that a supervisor starts again. `wrapper` and `watchdog_s` are
    the supervisor's."""

    name = "faults"
    wrapper, watchdog_s, environment = (), None, None
    policy = {"version": 1}
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.engine = Engine(cls.__name__.lower())
        cls.addClassCleanup(cls.engine.stop)
        cls.prepare()
        cls.judge = SupervisedJudge(cls.engine.home, cls.wrapper, cls.watchdog_s)
        cls.judge.environment = cls.environment
        cls.judge.write_policy(cls.policy)
        cls.judge.start(*cls.options)
        cls.addClassCleanup(cls.judge.stop)
        cls.engine.start()
        cls.engine.import_image()

    @classmethod
    def prepare(cls):
        """What has to be there before the judge."""

    def survive(self, fault, inject, *, again=60, refused=True):
        """Runs `inject` under load and checks all that must hold after it; a row of the
        table. `again`: seconds until it works; `refused`: somebody was."""
        with EngineLoad(self.engine) as load:
            wait_until(lambda: load.works_since(0), 60, f"load before {fault}")
            inject(load)
            since = time.monotonic()
            wait_until(lambda: load.works_since(since), again, f"it works again after {fault}; "
                       f"{load.seen()}; {self.judge.log_tail()}")
        self.check(fault, load, refused)
        return load

    def check(self, fault, load, refused=True):
        seen = load.seen()
        self.assertLessEqual(set(seen), {"created", "denied", "refused: repeat it",
                                         "refused: plugin failed"}, fault)
        if refused:
            self.assertTrue({"refused: repeat it", "refused: plugin failed"} & set(seen), seen)
        self.assertTrue(self.engine.alive())
        ids = recorded(self.judge.record)
        lost = load.told() - set(ids)
        self.assertEqual(lost, set(), "denials that were told are not on record")
        self.assertEqual(len(ids), len(set(ids)))
        TABLE.append((fault, ", ".join(f"{kind} {count}x" for kind, count in
                                       sorted(seen.items())),
                      f"nothing ({len(load.told())} told, all on record)"))


class Ended(FaultCase):
    watchdog_s = 1.0

    def end_some_times(self, number):
        def inject(_load):
            for _ in range(4):
                time.sleep(0.4)
                self.judge.end(number)
        return inject

    def test_killed(self):
        self.survive("kill -9, four times", self.end_some_times(signal.SIGKILL), refused=False)

    def test_segmentation_fault(self):
        ends = len(self.judge.ends)
        self.survive("SIGSEGV, four times", self.end_some_times(signal.SIGSEGV), refused=False)
        self.assertEqual(set(self.judge.ends[ends:]), {-signal.SIGSEGV})
        self.assertEqual(list(self.judge.home.glob("core*")), [])

    def test_a_call_in_flight_is_refused_and_says_to_repeat_it(self):
        self.judge.process.send_signal(signal.SIGSTOP)
        with EngineLoad(self.engine, threads=0) as load:
            asking = [threading.Thread(target=load.ask, args=(bad,)) for bad in (False, True)]
            for thread in asking:
                thread.start()
            time.sleep(0.3)
            self.judge.end(signal.SIGKILL)
            for thread in asking:
                thread.join()
        # one goes over the connection that the engine kept; one that the dead judge had not
        # accepted yet waits at the socket, and is answered
        self.assertIn("refused: repeat it", load.seen())
        self.assertLessEqual(set(load.seen()), {"refused: repeat it", "created", "denied"})
        self.check("kill -9, calls in flight", load)

    def test_hung_judge_is_ended_by_its_watchdog(self):
        ends = len(self.judge.ends)

        def inject(_load):
            ready = self.judge.ready
            self.judge.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: self.judge.ready > ready, 20, "the watchdog bites")

        self.assertGreater(self.judge.heard.get("WATCHDOG=1", 0), 0)
        self.survive("hangs (SIGSTOP), watchdog", inject, refused=False)
        self.assertEqual(len(self.judge.ends), ends + 1)

    def test_server_that_hangs_is_noticed_although_the_main_loop_lives(self):
        """Only the thread of the connections is stopped, by a debugger's hand."""
        tracer = compile_c("hang_thread.c")
        ready = self.judge.ready
        threads = sorted(map(int, os.listdir(f"/proc/{self.judge.process.pid}/task")))
        server = threads[-1]  # started last
        hang = subprocess.Popen([*TIED, tracer, str(server)], stdout=subprocess.PIPE)
        self.addCleanup(hang.wait)
        self.addCleanup(hang.kill)
        self.assertEqual(hang.stdout.read(1), b"x", "the tracer stops it")
        hang.stdout.close()
        wait_until(lambda: self.judge.ready > ready, 20, "the watchdog bites")

    def test_orderly_restart_loses_no_request(self):
        ends = len(self.judge.ends)

        def inject(_load):
            for _ in range(3):
                time.sleep(0.5)
                self.judge.end(signal.SIGTERM)

        load = self.survive("orderly restart, three times", inject, refused=False)
        self.assertLessEqual(set(load.seen()), {"created", "denied"})
        self.assertEqual(self.judge.ends[ends:], [0, 0, 0])

    def test_orderly_restarts_lose_no_request_of_clients_that_hammer(self):
        hammer = compile_c("hammer.c")
        clients = [subprocess.Popen([*TIED, hammer, "-s", "6", *options, str(self.judge.socket)],
                                    stdout=subprocess.PIPE, text=True)
                   for options in (("-c", "8"), ("-c", "2", "-r"))]
        for _ in range(4):
            time.sleep(0.7)
            self.judge.end(signal.SIGTERM)
        for client in clients:
            out, _ = client.communicate(timeout=60)
            seen = dict(word.split("=") for word in out.split())
            self.assertEqual((client.returncode, seen["lost"], seen["refused"], seen["wrong"]),
                             (0, "0", "0", "0"), out)
            self.assertGreater(int(seen["asked"]), 1000)
            TABLE.append(("orderly restart, hammered", f"{seen['asked']} asked, refused 0x, "
                          f"longest wait {seen['longest_ms']} ms", "nothing"))


class NoMemory(FaultCase):
    LIMIT = 32 * MIB

    @classmethod
    def prepare(cls):
        try:
            cls.cgroup = Cgroup("memory", f"{DIR.name}-memory")
        except (LookupError, OSError) as error:
            raise unittest.SkipTest(f"no memory cgroup: {error}") from None
        cls.addClassCleanup(cls.cgroup.remove)
        cls.cgroup.set(cls.LIMIT, "memory.limit_in_bytes", "memory.max")
        cls.wrapper = cls.cgroup.wrapper

    @unittest.skipIf(SANITIZED, "a sanitizer takes more memory than the limit")
    def test_out_of_memory(self):
        ends = len(self.judge.ends)

        def inject(_load):
            held = []
            for _ in range(5):  # 50 MiB of bodies, which is within our own bound
                connection = Connection(self.judge.socket)
                self.addCleanup(connection.close)
                held.append(connection)
                try:
                    connection.send(post("/AuthZPlugin.AuthZReq", b" " * (10 * MIB))[:-1])
                except OSError:
                    break
            wait_until(lambda: len(self.judge.ends) > ends, 20, "the kernel ends it")

        self.survive("OOM kill in a memory cgroup", inject, refused=False)
        self.assertEqual(self.judge.ends[ends], -signal.SIGKILL)


class NoThreads(FaultCase):
    @classmethod
    def prepare(cls):
        try:
            cls.cgroup = Cgroup("pids", f"{DIR.name}-pids")
        except (LookupError, OSError) as error:
            raise unittest.SkipTest(f"no cgroup of processes: {error}") from None
        cls.addClassCleanup(cls.cgroup.remove)
        cls.wrapper = cls.cgroup.wrapper

    def test_threads_exhausted(self):
        def inject(_load):
            self.cgroup.set(1, "pids.max", "pids.max")
            ends = len(self.judge.ends)
            self.judge.process.kill()
            wait_until(lambda: len(self.judge.ends) > ends + 3, 20, "it can't start")
            self.cgroup.set("max", "pids.max", "pids.max")

        self.survive("no threads at its start", inject, refused=False)
        self.assertIn(1, self.judge.ends)


class NoFiles(FaultCase):
    def test_files_exhausted(self):
        def inject(load):
            pid = self.judge.process.pid
            before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            files = len(os.listdir(f"/proc/{pid}/fd"))
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (files, before[1]))
            self.hogs = []
            for _ in range(60):
                hog = socket.socket(socket.AF_UNIX)
                hog.settimeout(1)
                hog.connect(str(self.judge.socket))
                self.hogs.append(hog)
            # engines that keep a connection go on meanwhile
            time.sleep(3)
            self.assertTrue(self.judge.process.poll() is None)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
            self.assertEqual(load.seen()["created, unfiltered"], 0)

        load = self.survive("file descriptors exhausted", inject, again=20, refused=False)
        for hog in self.hogs:
            hog.close()
        self.assertEqual(self.judge.ends, [])
        self.assertLessEqual(set(load.seen()), {"created", "denied", "refused: plugin failed"})


class DiskFull(FaultCase):
    @classmethod
    def prepare(cls):
        folder = cls.engine.home / "record"
        folder.mkdir()
        subprocess.run(["mount", "-n", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
                       check=True)
        cls.addClassCleanup(subprocess.run, ["umount", "-l", str(folder)], check=True)

    def test_disk_full(self):
        filler = self.judge.record.parent / "filler"

        def inject(load):
            with self.assertRaises(OSError), open(filler, "wb", buffering=0) as file:
                while True:
                    file.write(bytes(512))
            since = time.monotonic()
            wait_until(lambda: any(answer.begin > since and b"No space left" in answer.text
                                   for answer in list(load.answers)), 30, "denials fail")
            filler.unlink()

        self.survive("disk full", inject)


class Clock(FaultCase):
    policy = {"version": 1, "exceptions": [{
        "id": "until-2030", "allow": ["unconfined"], "match": {"name": ["dbg-*"]},
        "expires": "2030-01-01T00:00:00Z", "reason": "TEST-1"}]}
    YEAR = 365 * 24 * 3600

    @classmethod
    def prepare(cls):
        library = cls.engine.home / "fault.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", str(library),
                        str(HERE / "fault.c")], check=True)
        cls.clock = cls.engine.home / "clock"
        cls.clock.write_bytes(struct.pack("=q", 0))
        cls.environment = {"LD_PRELOAD": str(library), "FAULTS": str(cls.engine.home),
                           "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def jump(self, seconds):
        with open(self.clock, "r+b") as file:  # in place: the judge has it mapped
            file.write(struct.pack("=q", seconds))

    def create_excepted(self):
        return self.engine.call("POST", f"/{self.engine.api}/containers/create?name=dbg-1", BAD)

    def test_clock_jumps(self):
        status, text = self.create_excepted()
        self.assertEqual(status, 201, text)
        self.engine.remove_all()
        load = self.survive("clock jumps a day on and back",
                            lambda load: (self.jump(24 * 3600), time.sleep(1), self.jump(0),
                                          time.sleep(1)), refused=False)
        self.assertLessEqual(set(load.seen()), {"created", "denied"})
        self.jump(20 * self.YEAR)
        self.assertEqual(self.create_excepted()[0], 403)
        self.jump(-self.YEAR)  # what has ended stays so
        self.assertEqual(self.create_excepted()[0], 403)
        times = [json.loads(line)["time"] for line in
                 self.judge.record.read_text().splitlines()]
        self.assertEqual(times, sorted(times))


class Vanished(unittest.TestCase):
    """A judge that made its socket itself, in the engine's own /run."""

    survive, check = FaultCase.survive, FaultCase.check

    @classmethod
    def setUpClass(cls):
        if ROOT != "/":
            raise unittest.SkipTest("the judge needs this machine's libraries beside the engine")
        cls.engine = Engine("vanished")
        cls.addClassCleanup(cls.engine.stop)
        first = Judge(cls.engine.home)  # an engine wants its plugin when it starts
        first.write_policy({"version": 1})
        first.start()
        cls.addClassCleanup(first.stop)
        cls.engine.start()
        cls.engine.import_image()
        first.stop()
        cls.judge = cls.judge_inside()

    @classmethod
    def judge_inside(cls):
        judge = Judge(cls.engine.home)
        judge.record = cls.engine.home / "inside" / "record.jsonl"
        enter = ["nsenter", f"--mount=/proc/{cls.engine.dockerd_pid()}/ns/mnt"]
        with open(judge.log, "ab") as log:
            judge.process = subprocess.Popen(
                [*TIED, *enter, str(BUILD / "seccomp-authzd"), "--socket",
                 f"/run/docker/plugins/{PLUGIN}.sock", "--policy", str(judge.policy),
                 "--state-dir", str(judge.state), "--record", f"file:{judge.record}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        cls.addClassCleanup(judge.stop)
        return judge

    def inside(self, command):
        subprocess.run(["nsenter", f"--mount=/proc/{self.engine.dockerd_pid()}/ns/mnt", "sh",
                        "-ec", command], check=True)

    def losing(self, command):
        """What loses the socket. Connections of the engine's go on, so wait for the new one."""
        def inject(_load):
            before = self.judge.log.read_text().count("made again")
            self.inside(command)
            wait_until(lambda: self.judge.log.read_text().count("made again") > before, 10,
                       f"it is made again; {self.judge.log_tail()}")
        return inject

    def test_run_mounted_anew(self):
        self.survive("/run mounted anew, socket gone", self.losing(
            "mount -n -t tmpfs -o mode=755 tmpfs /run"), refused=False)

    def test_socket_removed(self):
        self.survive("socket removed", self.losing(
            f"rm /run/docker/plugins/{PLUGIN}.sock"), refused=False)


class Hostile(FaultCase):
    """Who may ask, and means ill: the engine's own calls go on all the time."""

    LATE_S = 10.0  # what an engine's user would call hanging, on a busy machine too

    def attack(self, fault, begin):
        """`begin` starts it, and returns what ends it."""
        with EngineLoad(self.engine) as load:
            wait_until(lambda: load.works_since(0), 60, "load before it")
            begun = time.monotonic()
            end = begin()
            wait_until(lambda: load.works_since(begun), 20, f"it works during {fault}; "
                       f"{load.seen()}; {self.judge.log_tail()}")
            time.sleep(2)
            end()
            longest = max(answer.end - answer.begin for answer in load.answers
                          if answer.begin >= begun)
        self.assertLessEqual(set(load.seen()), {"created", "denied"})
        self.assertLess(longest, self.LATE_S if not SANITIZED else 3 * self.LATE_S)
        self.assertEqual(self.judge.ends, [])
        self.check(f"{fault} (longest call {longest * 1000:.0f} ms)", load, refused=False)

    def holding(self, connections, tick=None):
        """Keeps connections; tick(connection) is called for each all the time."""
        done = threading.Event()

        def run():
            while not done.is_set():
                for one in connections if tick else ():
                    try:
                        tick(one)
                    except OSError:
                        pass
                time.sleep(0.01)

        thread = threading.Thread(target=run)
        thread.start()

        def end():
            done.set()
            thread.join()
            for one in connections:
                one.close()
        return end

    def connections(self, count, first=b""):
        made = []
        for _ in range(count):
            one = socket.socket(socket.AF_UNIX)
            one.connect(str(self.judge.socket))
            if first:
                one.sendall(first)
            one.setblocking(False)
            made.append(one)
        return made

    def test_slowloris(self):
        self.attack("slowloris, 200 heads byte by byte", lambda: self.holding(
            self.connections(200, b"POST /AuthZPlugin.AuthZReq HTTP/1.1\r\nX-A: "),
            lambda one: one.send(b"a")))

    def test_half_open(self):
        question = post("/AuthZPlugin.AuthZReq", UNCONFINED)
        halves = []

        def begin():
            halves.extend(self.connections(200, question[:-10]))
            for one in halves[::2]:
                one.shutdown(socket.SHUT_WR)
            return self.holding(halves)

        self.attack("half-open, 200 questions without an end", begin)

    def test_heads_without_end(self):
        self.attack("heads without end", lambda: self.holding(
            self.connections(50, b"POST /AuthZPlugin.AuthZReq HTTP/1.1\r\n"),
            lambda one: one.send(b"X-Header: " + b"a" * 1000 + b"\r\n")))

    def test_garbage(self):
        def tick(_one):
            for data in (os.urandom(300), b"\r\n" * 500, b"GET / HTTP/9.9\r\n\r\n",
                         b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"):
                for one in self.connections(1, data):
                    one.close()

        self.attack("garbage", lambda: self.holding(self.connections(1), tick))

    def test_pipelining(self):
        questions = post("/AuthZPlugin.AuthZReq", PS) * 200

        def tick(one):
            one.send(questions)
            one.recv(1 << 20)

        self.attack("pipelining, 20 x 200 questions at once, answers read late",
                    lambda: self.holding(self.connections(20), tick))

    def test_ten_thousand_connections(self):
        code = ("import resource, socket, sys, time\n"
                "resource.setrlimit(resource.RLIMIT_NOFILE, (5000, 5000))\n"
                "held = []\n"
                "for _ in range(int(sys.argv[2])):\n"
                "    s = socket.socket(socket.AF_UNIX)\n"
                "    s.connect(sys.argv[1])\n"
                "    held.append(s)\n"
                "print('x', flush=True)\n"
                "time.sleep(600)\n")
        hogs = []

        def begin():
            for _ in range(3):
                hogs.append(subprocess.Popen(
                    [*TIED, "python3", "-c", code, str(self.judge.socket), "3400"],
                    stdout=subprocess.PIPE))
            for hog in hogs:
                self.assertEqual(hog.stdout.read(1), b"x", "it has its connections")
            return end

        def end():
            for hog in hogs:
                hog.kill()
                hog.wait()
                hog.stdout.close()

        def files():
            return len(os.listdir(f"/proc/{self.judge.process.pid}/fd"))

        before = files()
        self.attack("10,200 connections of 3 processes", begin)
        wait_until(lambda: files() < before + 100, 20, "they are given back")

    def test_one_process_that_takes_all_it_can_get(self):
        """Beyond its share it is hung up at once, and others find room."""
        made = self.connections(4096 + 500)
        self.addCleanup(lambda: [one.close() for one in made])

        def hung_up():
            count = 0
            for one in made:
                try:
                    count += one.recv(1) == b""
                except BlockingIOError:
                    pass
                except ConnectionError:
                    count += 1
            return count

        wait_until(lambda: hung_up() >= 500, 20, "what is beyond its share is hung up")
        self.assertLess(hung_up(), 600)
        status, answer = self.engine.call("POST", f"/{self.engine.api}/containers/create", PLAIN)
        self.assertEqual(status, 201, answer)

    def test_large_bodies_that_never_end(self):
        data = post("/AuthZPlugin.AuthZReq", b" " * (11 * MIB))[:-MIB]

        def begin():
            held = []
            for _ in range(5):
                connection = Connection(self.judge.socket)
                connection.send(data)
                held.append(connection.sock)
            return self.holding(held)

        self.attack("55 MiB of bodies without an end", begin)


resource.setrlimit(resource.RLIMIT_NOFILE, (min(20000, resource.getrlimit(
    resource.RLIMIT_NOFILE)[1]), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

if __name__ == "__main__":
    unittest.main()
