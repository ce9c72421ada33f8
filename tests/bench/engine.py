#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""engine.py BUILD TOOLS - what a plugin costs the API calls of a real engine.

The same calls to an engine without a plugin, with the judge of BUILD, and with the two
servers of TOOLS/bare, which answer a constant: libmicrohttpd (`bare`) and no HTTP library at
all (`raw`, the best that any plugin could do). One throwaway engine after the other; the
rounds of all calls are spread over ROUNDS turns (environment; 3). Root.

Milliseconds, median of all. Writes bench-engine.json and bench-engine.txt beside TOOLS.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD, TOOLS = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
ROUNDS = int(os.environ.get("ROUNDS", "3"))
DIR = tempfile.mkdtemp(prefix="bench-engine.", dir=os.environ.get("TMPDIR", "/var/tmp"))
os.chmod(DIR, 0o755)
os.environ.update(E2E_DIR=DIR, E2E_BUILD=str(BUILD))
sys.path.insert(0, str(HERE.parent / "e2e"))
import lab  # noqa: E402 (it reads the environment)

PLUGINS = ("none", "raw", "bare", "ours")
CALLS = {"GET containers/json": 400, "create, no such image": 400, "create": 40,
         "docker ps": 20}


class Client:
    """One connection, kept open, as API clients have it."""

    def __init__(self, engine):
        self.engine = engine
        self.connection = lab.UnixConnection(engine.socket, 60)

    def time(self, method, target, body, wanted):
        headers = {"Content-Type": "application/json"} if body else {}
        begin = time.perf_counter()
        self.connection.request(method, f"/{self.engine.api}{target}", body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        took = time.perf_counter() - begin
        if answer.status != wanted:
            raise AssertionError(f"{method} {target}: {answer.status} {text!r}")
        return took, text


def create_body(image):
    return json.dumps({"Image": image, "Cmd": ["true"], "HostConfig": {"NetworkMode": "none"}})


def one(name, client):
    """Seconds of one call."""
    if name == "GET containers/json":
        return client.time("GET", "/containers/json", None, 200)[0]
    if name == "create, no such image":
        return client.time("POST", "/containers/create", create_body("nothing:1"), 404)[0]
    if name == "create":
        took, text = client.time("POST", "/containers/create", create_body(lab.IMAGE), 201)
        client.time("DELETE", f"/containers/{json.loads(text)['Id']}", None, 204)
        return took
    begin = time.perf_counter()
    subprocess.run([lab.DOCKER, "-H", f"unix://{client.engine.socket}", "ps", "-q"], check=True,
                   stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def start_plugin(plugin, home):
    """The process, if it is one that we start; lab.Judge otherwise."""
    if plugin == "none":
        return None
    if plugin == "ours":
        judge = lab.Judge(home)
        judge.write_policy({"version": 1})
        judge.start()
        return judge
    (home / "plugins").mkdir(parents=True, exist_ok=True)
    socket = home / "plugins" / f"{lab.PLUGIN}.sock"
    process = subprocess.Popen(
        lab.TIED + [str(TOOLS / "bare"), str(socket)] + (["raw"] if plugin == "raw" else []))
    lab.wait_until(socket.exists, 10, f"{plugin} listens")
    return process


def stop_plugin(server):
    if isinstance(server, lab.Judge):
        server.stop()
    elif server:
        server.kill()
        server.wait()


def measure(plugin, turn, times):
    engine = lab.Engine(f"{plugin}{turn}")
    server = start_plugin(plugin, engine.home)
    try:
        engine.start(plugins=() if plugin == "none" else (lab.PLUGIN,))
        engine.import_image()
        client = Client(engine)
        for name, count in CALLS.items():
            one(name, client)
            times[plugin][name] += [one(name, client) for _ in range(count)]
    finally:
        engine.stop()
        stop_plugin(server)


def table(medians):
    lines = [f"{'ms, median':24}" + "".join(f"{plugin:>10}" for plugin in PLUGINS) +
             "   of what raw adds, ours adds"]
    for name in CALLS:
        row = [medians[plugin][name] for plugin in PLUGINS]
        added = row[1] - row[0]
        share = f"{(row[3] - row[0]) / added:10.2f}" if added > 0 else f"{'-':>10}"
        lines.append(f"{name:24}" + "".join(f"{value:10.3f}" for value in row) + share)
    return "\n".join(lines) + "\n"


def main():
    times = {plugin: {name: [] for name in CALLS} for plugin in PLUGINS}
    try:
        for turn in range(ROUNDS):
            for plugin in PLUGINS:
                measure(plugin, turn, times)
    finally:
        subprocess.run([str(lab.HERE / "engine.sh"), "clean"], check=False)
        shutil.rmtree(DIR, ignore_errors=True)
    medians = {plugin: {name: round(statistics.median(values) * 1000, 3)
                        for name, values in calls.items()} for plugin, calls in times.items()}
    text = table(medians)
    (TOOLS.parent / "bench-engine.json").write_text(json.dumps(medians, indent=1) + "\n")
    (TOOLS.parent / "bench-engine.txt").write_text(text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
