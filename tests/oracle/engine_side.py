# SPDX-License-Identifier: Apache-2.0
"""engine_side.py - one engine, unguarded: sends requests, asks the judge about what the engine
would have asked it, and looks at what ran."""

import dataclasses
import http.client
import io
import itertools
import json
import tarfile
import threading
import time
import urllib.parse

import lab
import profiles
import wire
from document import render
from honest import IMAGE
from recorder import HEADER, NAME, Recorder

ENOSYS = "38"
RUN_TIMEOUT = 20
UPDATE_TRIES = 5  # the manager itself may touch a fresh service

# SecurityOpt for the default: the engine's own, and those of other versions inline.
DEFAULTS = [None] + [["seccomp=" + render(profiles.default(name))]
                     for name in profiles.DEFAULTS]


@dataclasses.dataclass
class Outcome:
    """What became of a request."""

    status: int = 0
    asked: bool = False       # the engine asked its plugin
    envelope: bytes = b""     # ... this
    allowed: bool = False     # and the judge said yes
    said: str = ""            # the judge's message
    ran: bool = False
    mode: int = -1            # Seccomp: of /proc/self/status
    open: tuple = ()          # weak calls that the default would have blocked
    blind: bool = False       # the probe could not try the calls
    error: str = ""           # why it didn't run, or what couldn't be seen

    @property
    def unfiltered(self):
        return self.ran and self.mode == 0

    @property
    def weak(self):
        return self.ran and self.mode != 0 and bool(self.open)


# ---- the probe's answers -----------------------------------------------------------------


def read_probe(text):
    """(mode, {call: [stacked64, plain64, stacked32, plain32]}); mode -1: it said nothing."""
    mode, calls = -1, {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["Seccomp:"] and len(words) == 2:
            mode = int(words[1])
        elif len(words) == 5:
            calls[words[0]] = words[1:]
    return mode, calls


def is_open(stacked, plain, plain_free):
    """Did the filter let the call through? `plain_free`: the kernel's own answer."""
    if stacked == ENOSYS:  # our filter answered, or the container's did with ENOSYS
        return plain not in (ENOSYS, "-")
    return stacked == "-" and plain not in ("-", "killed", "1", ENOSYS) and plain == plain_free


def open_calls(calls, free):
    """The calls that a filter lets through, under either number."""
    found = set()
    for name, answers in calls.items():
        for abi in (0, 2):
            if is_open(answers[abi], answers[abi + 1], free[name][abi + 1]):
                found.add(name)
    return found


def image_layer(probe):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as tar:
        tar.add(probe, "probe")
        for name in ("tmp", "data", "run", "etc"):
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(folder)
    return memory.getvalue()


class Side:
    """A context: the engine runs while it lasts."""

    def __init__(self, suite, probe):
        self.probe = probe
        self.engine = lab.Engine(suite)
        self.socket = self.engine.socket
        self.marks = itertools.count(1)
        self.local = threading.local()
        self.controls = {}
        self.lock = threading.Lock()
        self.recorder = Recorder(self.engine.home / "plugins" / f"{NAME}.sock")
        self.judge = lab.Judge(self.engine.home)

    def __enter__(self):
        self.judge.write_policy({"version": 1})
        self.judge.start()
        self.engine.start(plugins=(NAME,))
        self.version = wire.call(self.socket, "GET", "/version").json()
        self.api = self.version["ApiVersion"]
        changes = urllib.parse.quote('CMD ["/probe"]')
        answer = wire.send(self.socket, wire.request_bytes(
            "POST", f"/images/create?fromSrc=-&repo={IMAGE.replace(':', '&tag=')}"
            f"&changes={changes}", (("Content-Type", "application/x-tar"),),
            image_layer(self.probe)))
        if answer.status != 200 or b"error" in answer.body:
            raise AssertionError(f"import: {answer.status} {answer.body!r}")
        answer = wire.call(self.socket, "POST", "/swarm/init",
                           {"ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
        if answer.status != 200:
            raise AssertionError(f"swarm: {answer.status} {answer.body!r}")
        self.check_controls()
        return self

    def __exit__(self, *_):
        self.judge.stop()
        self.engine.stop()

    # ---- controls: what this engine and kernel do without us ----

    def check_controls(self):
        """Fails if the probe couldn't tell a filter from none here."""
        mode, self.free = self.run_plain({"SecurityOpt": ["seccomp=unconfined"]})
        if mode != 0:
            raise AssertionError(f"unconfined is Seccomp {mode} on this engine")
        self.seen = {name for name, answers in self.free.items()
                     if ENOSYS in (answers[0], answers[2])}
        mode, calls = self.run_plain({})
        found = open_calls(calls, self.free)
        if mode != 2 or found or not calls:
            raise AssertionError(f"the default is Seccomp {mode} and opens {sorted(found)}")

    def run_plain(self, host):
        body = {"Image": IMAGE, "HostConfig": {"NetworkMode": "none", **host}}
        answer = wire.call(self.socket, "POST", f"/v{self.api}/containers/create", body)
        if answer.status != 201:
            raise AssertionError(f"control {host}: {answer.status} {answer.body!r}")
        container = answer.json()["Id"]
        try:
            return read_probe(self.start(container, Outcome()))
        finally:
            self.remove(container)

    def default_opens(self, host):
        """What the default, of any engine version, opens with the same capabilities."""
        caps = {"CapAdd": host.get("CapAdd"), "CapDrop": host.get("CapDrop")}
        key = json.dumps(caps)
        with self.lock:
            if key not in self.controls:
                self.controls[key] = set()
                for options in DEFAULTS:
                    _, calls = self.run_plain({"SecurityOpt": options, **caps})
                    self.controls[key] |= open_calls(calls, self.free)
            return self.controls[key]

    # ---- one request ----

    def observe(self, case):
        """Sends it, lets it run, cleans up."""
        return getattr(self, f"observe_{case.kind}")(case)

    def submit(self, case, outcome, **places):
        mark = f"m{next(self.marks)}"
        target = case.target
        places |= {"name": f"o{mark}", "api": self.api, "minor": self.api.split(".")[1]}
        for key, value in places.items():
            target = target.replace("{%s}" % key, str(value))
        body = case.body_bytes() or b""
        answer = wire.send(self.socket, wire.request_bytes(
            case.method, target, ((HEADER, mark),) + case.headers, body, case.framing))
        outcome.status, outcome.error = answer.status, ""
        envelope = self.recorder.envelope(mark)
        outcome.asked = envelope is not None
        if outcome.asked:
            outcome.envelope = envelope
            outcome.allowed, outcome.said = self.ask(envelope)
        if answer.status >= 300 or answer.status == 0:
            outcome.error = answer.body[:200].decode("utf-8", "replace").strip()
        return answer

    def ask(self, envelope):
        """The judge's answer to an envelope, over a connection that is kept."""
        for _ in range(2):
            connection = getattr(self.local, "judge", None)
            if connection is None:
                connection = lab.UnixConnection(self.judge.socket, wire.TIMEOUT)
                self.local.judge = connection
            try:
                connection.request("POST", "/AuthZPlugin.AuthZReq", envelope)
                response = connection.getresponse()
                text = response.read()
                break
            except (OSError, http.client.HTTPException):
                connection.close()
                self.local.judge = None
        else:
            raise AssertionError("the judge does not answer")
        if response.status != 200:
            return False, f"HTTP {response.status}: {text[:200]!r}"
        answer = json.loads(text)
        return answer.get("Allow") is True, answer.get("Msg", "")

    def settings(self, container):
        answer = wire.call(self.socket, "GET", f"/v{self.api}/containers/{container}/json")
        return answer.json().get("HostConfig", {})

    def look(self, container, text, outcome, host=None):
        """What the probe said in this container; `host`: its settings, if known."""
        outcome.mode, calls = read_probe(text)
        outcome.ran = outcome.mode >= 0
        if not outcome.ran:
            return
        outcome.blind = outcome.mode != 0 and not any(answers[0] != "-" or answers[1] != "-"
                                                      for answers in calls.values())
        found = open_calls(calls, self.free)
        if found and outcome.mode:
            found -= self.default_opens(host or self.settings(container))
        outcome.open = tuple(sorted(found))

    def start(self, container, outcome, send=None):
        """Starts it (by `send`, or plainly) and returns what it wrote."""
        attachment = wire.Attachment(self.socket, container, self.api, RUN_TIMEOUT)
        try:
            if send:
                answer = send()
            else:
                answer = wire.call(self.socket, "POST",
                                   f"/v{self.api}/containers/{container}/start")
            if answer.status != 204:
                outcome.error = answer.body[:300].decode("utf-8", "replace").strip()
                return ""
            return attachment.output()
        finally:
            attachment.close()

    def remove(self, container):
        wire.call(self.socket, "DELETE", f"/v{self.api}/containers/{container}?force=1&v=1")

    def observe_create(self, case):
        outcome = Outcome()
        container = self.submit(case, outcome).json()
        container = container.get("Id") if isinstance(container, dict) else None
        if outcome.status == 201 and container:
            host = self.settings(container)  # it may remove itself at its end
            self.look(container, self.start(container, outcome), outcome, host)
            self.remove(container)
        return outcome

    def observe_start(self, case):
        outcome = Outcome()
        created = wire.call(self.socket, "POST", f"/v{self.api}/containers/create", {
            "Image": IMAGE, "HostConfig": {"NetworkMode": "none"}})
        container = created.json()["Id"]
        text = self.start(container, outcome,
                          lambda: self.submit(case, outcome, id=container))
        self.look(container, text, outcome)
        self.remove(container)
        return outcome

    # ---- services ----

    def observe_service(self, case):
        outcome = Outcome()
        answer = self.submit(case, outcome)
        if outcome.status == 201:
            self.look_at_service(answer.json()["ID"], outcome)
        return outcome

    def observe_update(self, case):
        outcome = Outcome()
        made = wire.call(self.socket, "POST", f"/v{self.api}/services/create", {
            "Name": f"oracle-{case.number}", "Mode": {"Replicated": {"Replicas": 0}}, "TaskTemplate": {
                "ContainerSpec": {"Image": IMAGE}, "RestartPolicy": {"Condition": "none"},
                "Networks": [{"Target": "host"}]}})
        service = made.json()["ID"]
        for _ in range(UPDATE_TRIES):
            state = wire.call(self.socket, "GET", f"/v{self.api}/services/{service}").json()
            self.submit(case, outcome, id=service, index=state["Version"]["Index"])
            if "out of sequence" not in outcome.error:
                break
        if outcome.status == 200:
            self.look_at_service(service, outcome)
        else:
            wire.call(self.socket, "DELETE", f"/v{self.api}/services/{service}")
        return outcome

    def look_at_service(self, service, outcome):
        try:
            container, text = self.task_output(service, outcome)
            if container:
                self.look(container, text, outcome)
        finally:
            wire.call(self.socket, "DELETE", f"/v{self.api}/services/{service}")

    def task_output(self, service, outcome):
        """The container of the service's first task that got one, and what it wrote."""
        filters = urllib.parse.quote(json.dumps({"service": {service: True}}))
        deadline = time.monotonic() + RUN_TIMEOUT
        while time.monotonic() < deadline:
            time.sleep(0.1)
            tasks = wire.call(self.socket, "GET", f"/v{self.api}/tasks?filters={filters}").json()
            for task in tasks if isinstance(tasks, list) else ():
                status = task["Status"]
                container = status.get("ContainerStatus", {}).get("ContainerID")
                if status["State"] in ("rejected", "failed") or status.get("Err"):
                    outcome.error = status.get("Err", status["State"])
                if container and status["State"] in ("running", "complete", "failed"):
                    return container, self.logs(container)
                if status["State"] in ("rejected", "failed"):
                    return None, ""
        outcome.error = outcome.error or "no task came up"
        return None, ""

    def logs(self, container):
        """A task's output; follows until it ends."""
        target = f"/v{self.api}/containers/{container}/logs?stdout=1&stderr=1&follow=1"
        return wire.untangle(wire.send(self.socket, wire.request_bytes("GET", target)).body)
