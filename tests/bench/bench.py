#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench.py JUDGE TOOLS - the judge beside the practical limit, as ratios in one run.

JUDGE is seccomp-authzd, TOOLS the folder with `bare` and `load`. The limit is `bare`, a
libmicrohttpd server that reads each body and answers a constant. Rounds alternate between
the servers; of each figure the best round counts, since other load only ever makes it worse.
Writes build/bench.json and build/bench.txt; the table is printed too.

  --rounds N      rounds of each row [5]
  --quick         a tenth of the requests: to see that it works, not for figures
  --only WORD     rows whose name holds WORD
  --peer NAME=COMMAND
                  one more server to measure on the same rows; {socket} in COMMAND is where
                  it must listen
  --modes         the other ways in which libmicrohttpd can serve, as peers of `bare`
  --strict        exit code 1 if a goal is missed
"""

import argparse
import base64
import json
import os
import pathlib
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ASK, ASK_BEHIND = "/AuthZPlugin.AuthZReq", "/AuthZPlugin.AuthZRes"
KIB, MIB = 1024, 1024 * 1024

# ---- what is asked ----------------------------------------------------------------------


def recorded(name):
    return (HERE / "requests" / f"{name}.json").read_bytes()


def answer_of_64_kib():
    """AuthZRes of a `docker inspect` or the like: what the engine is about to answer."""
    envelope = json.loads(recorded("ps"))
    body = json.dumps([{"Id": "0" * 64, "Names": ["/web"]}] * 600)[: 64 * KIB]
    envelope["ResponseBody"] = base64.b64encode(body.encode()).decode()
    envelope["ResponseStatusCode"] = 200
    return json.dumps(envelope, separators=(",", ":")).encode()


def body_of_4_mib():
    """A create whose environment fills a body of 4 MiB, the most that engines forward."""
    envelope = json.loads(recorded("create_plain"))
    body = json.loads(base64.b64decode(envelope["RequestBody"]))
    body["Env"] = []
    empty = len(json.dumps(body, separators=(",", ":")))
    line = "NAME=" + "x" * 1000
    count = (4 * MIB - empty - 64) // (len(line) + 3)
    body["Env"] = [line] * count
    text = json.dumps(body, separators=(",", ":"))
    envelope["RequestBody"] = base64.b64encode(text.encode()).decode()
    return json.dumps(envelope, separators=(",", ":")).encode()


REQUESTS = {
    "ps": (ASK, lambda: recorded("ps"), "allow"),
    "create": (ASK, lambda: recorded("create_plain"), "allow"),
    "create with 12 kB profile": (ASK, lambda: recorded("create_profile"), "allow"),
    "denied create": (ASK, lambda: recorded("create_unconfined"), "deny"),
    "AuthZRes of 64 KiB": (ASK_BEHIND, answer_of_64_kib, "allow"),
    "create of 4 MiB": (ASK, body_of_4_mib, "allow"),
}

# Requests, connections, how many in a round; a new connection for each; one processor for
# both sides.
ROWS = [
    *(("pinned", name, 1, 6000, False) for name in REQUESTS if "4 MiB" not in name),
    *(
        ("load", name, connections, 20000, False)
        for name in ("ps", "create", "create with 12 kB profile", "denied create",
                     "AuthZRes of 64 KiB")
        for connections in (1, 4, 16, 64)
    ),
    ("churn", "create", 16, 20000, True),
    *(("load", "create of 4 MiB", connections, 120, False) for connections in (1, 4)),  # 16 pass the cap
]

# ---- servers ----------------------------------------------------------------------------


class Server:
    def __init__(self, name, command, home):
        self.name, self.command = name, command
        self.socket = home / f"{name}.sock"
        self.process = None

    def argv(self):
        return [part.replace("{socket}", str(self.socket)) for part in self.command]

    def start(self):
        self.socket.unlink(missing_ok=True)
        begin = time.monotonic()
        self.process = subprocess.Popen(self.argv(), stdout=subprocess.DEVNULL)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - begin > 30:
                sys.exit(f"bench: {self.name} does not answer")
            time.sleep(0.0002)
        return time.monotonic() - begin

    def answers(self):
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(str(self.socket))
                sock.sendall(b"POST /Plugin.Activate HTTP/1.1\r\nHost: \r\n"
                             b"Content-Length: 0\r\n\r\n")
                return bool(sock.recv(4096))
            except OSError:
                return False

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def pin(self, processors):
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            os.sched_setaffinity(int(thread), processors)

    def memory_kib(self, field="VmRSS"):
        for line in open(f"/proc/{self.process.pid}/status", encoding="ascii"):
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise AssertionError(field)

    def forget_peak(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


# ---- measuring --------------------------------------------------------------------------


class Bench:
    def __init__(self, options, home):
        self.options, self.home = options, home
        self.load = pathlib.Path(options.tools) / "load"
        self.files = {}
        self.processors = sorted(os.sched_getaffinity(0))
        self.servers = [
            Server("bare", [str(pathlib.Path(options.tools) / "bare"), "{socket}"], home),
            Server("ours", [
                options.judge, "--socket", "{socket}", "--state-dir", str(home / "state"),
                "--record", f"file:{home / 'record.jsonl'}", "--log-level", "error"], home),
        ]
        bare = self.servers[0].command
        for mode in ("pool", "threads") if options.modes else ():
            self.servers.append(Server(mode, [*bare, mode], home))
        self.peers = []
        for peer in options.peer:
            name, _, command = peer.partition("=")
            self.servers.append(Server(name, shlex.split(command), home))
            self.peers.append(name)

    def body(self, name):
        if name not in self.files:
            self.files[name] = self.home / f"request{len(self.files)}"
            self.files[name].write_bytes(REQUESTS[name][1]())
        return self.files[name]

    def ask(self, server, row):
        kind, name, connections, count, fresh = row
        path, _, answer = REQUESTS[name]
        if self.options.quick:
            count = max(count // 10, connections)
        pinned = {self.processors[-1]} if kind == "pinned" else set(self.processors)
        server.pin(pinned)
        run = subprocess.run(
            [self.load, server.socket, path, self.body(name), str(connections), str(count),
             "1" if fresh else "0"],
            stdout=subprocess.PIPE, check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, pinned))
        figures = json.loads(run.stdout or b"{}")
        if run.returncode != 0 or (server.name == "ours" and
                                   figures[answer] != figures["requests"]):
            sys.exit(f"bench: {server.name}: {name}: answered {figures}")
        return figures

    def row(self, row):
        """The best of the rounds: each figure by itself."""
        rounds = {server.name: [] for server in self.servers}
        for _ in range(1 if "4 MiB" in row[1] else self.options.rounds):
            for server in self.servers:
                rounds[server.name].append(self.ask(server, row))
        best = {}
        for name, figures in rounds.items():
            best[name] = {
                "rps": max(f["rps"] for f in figures),
                "p50_us": min(f["p50_us"] for f in figures),
                "p99_us": min(f["p99_us"] for f in figures),
                # of one round, so that the two belong together
                "p99_to_p50": min(f["p99_us"] / f["p50_us"] for f in figures),
            }
        kind, name, connections, _, fresh = row
        return {"kind": kind, "request": name, "connections": connections,
                "new_connection_each": fresh, "servers": best}

    def start_times(self):
        """Milliseconds from exec to an answered Plugin.Activate: the median of starts that
        take turns."""
        times = {server.name: [] for server in self.servers}
        for _ in range(5 if self.options.quick else 25):
            for server in self.servers:
                times[server.name].append(server.start() * 1000)
                server.stop()
        return {name: round(statistics.median(values), 2) for name, values in times.items()}

    def memory(self):
        return {server.name: server.memory_kib() for server in self.servers}

    def large_bodies(self):
        """64 connections with 4 MiB each: the peak, and what is left of it behind them."""
        seen = {}
        for server in self.servers:
            server.forget_peak()
            self.ask_for_peak(server)
            time.sleep(0.5)
            seen[server.name] = {"peak_kib": server.memory_kib("VmHWM"),
                                 "after_kib": server.memory_kib()}
        return seen

    def ask_for_peak(self, server):
        # past the cap on bytes in flight the answer is a denial: any answer will do
        subprocess.run([self.load, server.socket, ASK, self.body("create of 4 MiB"), "64",
                        "256"], stdout=subprocess.DEVNULL, check=False)

    def run(self):
        result = {"start_ms": self.start_times()}
        for server in self.servers:
            server.start()
        result["idle_kib"] = self.memory()
        result["rows"] = [self.row(row) for row in ROWS
                          if self.options.only in row[1] and "4 MiB" not in row[1]]
        result["loaded_kib"] = self.memory()
        for row in ROWS:
            if row[1] == "create" and row[0] == "load":
                self.row(row)
        result["loaded_again_kib"] = self.memory()
        result["rows"] += [self.row(row) for row in ROWS
                           if self.options.only in row[1] and "4 MiB" in row[1]]
        result["large"] = self.large_bodies()
        for server in self.servers:
            server.stop()
        return result


# ---- goals ------------------------------------------------------------------------------


def find(result, kind, request, connections):
    for row in result["rows"]:
        if (row["kind"], row["request"], row["connections"]) == (kind, request, connections):
            return row["servers"]
    return None


def ratio(result, kind, request, connections, figure):
    servers = find(result, kind, request, connections)
    return servers and servers["ours"][figure] / servers["bare"][figure]


def goals(result):
    """(what, figure, "<=" or ">=", goal); a figure of None was not measured."""
    def pinned(request):
        return ratio(result, "pinned", request, 1, "p50_us")

    at_64 = find(result, "load", "create", 64)
    large = result["large"]["ours"]
    cap_kib = 64 * KIB
    rows = [
        ("pinned p50: create", pinned("create"), "<=", 1.35),
        ("pinned p50: create with 12 kB profile", pinned("create with 12 kB profile"),
         "<=", 2.0),
        ("pinned p50: ps", pinned("ps"), "<=", 1.05),
        ("pinned p50: AuthZRes of 64 KiB", pinned("AuthZRes of 64 KiB"), "<=", 1.05),
        ("pinned p50: denied create, on record in a file", pinned("denied create"), "<=", 2.0),
        ("throughput at 16 connections: create",
         ratio(result, "load", "create", 16, "rps"), ">=", 0.7),
        ("throughput, a new connection each: create",
         ratio(result, "churn", "create", 16, "rps"), ">=", 0.85),
        ("p99 over p50 at 64 connections: create", at_64 and at_64["ours"]["p99_to_p50"],
         "<=", 2.5),
        ("resident memory, idle", result["idle_kib"]["ours"] / result["idle_kib"]["bare"],
         "<=", 1.15),
        ("resident MiB after the load", result["loaded_kib"]["ours"] / KIB, "<=", 8),
        ("resident memory after more load, over before",
         result["loaded_again_kib"]["ours"] / result["loaded_kib"]["ours"], "<=", 1.05),
        ("64 x 4 MiB: peak over the cap on bytes in flight and what they decode to",
         large["peak_kib"] / (2 * cap_kib), "<=", 1.0),
        ("64 x 4 MiB: resident MiB after them", large["after_kib"] / KIB, "<=", 8),
        ("ready after exec", result["start_ms"]["ours"] / result["start_ms"]["bare"],
         "<=", 1.5),
    ]
    for peer in result["peers"]:
        servers = find(result, "load", "create", 16)
        rows.append((f"throughput at 16 connections, over {peer}: create",
                     servers and servers["ours"]["rps"] / servers[peer]["rps"], ">=", 8.0))
    return [{"what": what, "figure": figure and round(figure, 3), "goal": f"{sign} {goal}",
             "met": figure is not None and
             (figure <= goal if sign == "<=" else figure >= goal)}
            for what, figure, sign, goal in rows]


def table(result):
    names = list(result["start_ms"])
    lines = [f"{'row':34} {'conns':>5}  " + "  ".join(
        f"{name + ' rps':>12} {'p50 us':>8} {'p99 us':>8}" for name in names)]
    for row in result["rows"]:
        name = f"{row['kind']}: {row['request']}"
        cells = [row["servers"][server] for server in names]
        lines.append(f"{name:34} {row['connections']:5}  " + "  ".join(
            f"{cell['rps']:12,.0f} {cell['p50_us']:8.1f} {cell['p99_us']:8.1f}"
            for cell in cells))
    lines.append("")
    for key, what in (("start_ms", "ms from exec to an answer"), ("idle_kib", "KiB idle"),
                      ("loaded_kib", "KiB after the load"),
                      ("loaded_again_kib", "KiB after more of it")):
        lines.append(f"{what:34} " + "  ".join(
            f"{name} {result[key][name]:,}" for name in names))
    for name in names:
        large = result["large"][name]
        lines.append(f"{'KiB, 64 connections x 4 MiB':34} {name} peak {large['peak_kib']:,}, "
                     f"after {large['after_kib']:,}")
    lines.append("")
    for goal in result["goals"]:
        state = "met" if goal["met"] else "MISSED"
        if goal["figure"] is None:
            state = "not measured"
        lines.append(f"{state:12} {goal['what']:74} {goal['figure']} ({goal['goal']})")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judge")
    parser.add_argument("tools")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--peer", action="append", default=[])
    parser.add_argument("--modes", action="store_true")
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    home = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    bench = Bench(options, home)
    try:
        result = bench.run()
    finally:
        for server in bench.servers:
            server.stop()
        shutil.rmtree(home)
    result["peers"] = bench.peers
    result["goals"] = goals(result)
    text = table(result)
    out = pathlib.Path(options.tools).parent
    (out / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "bench.txt").write_text(text)
    print(text, end="")
    missed = [goal for goal in result["goals"] if not goal["met"]]
    return 1 if options.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
