# SPDX-License-Identifier: Apache-2.0
"""A day's work of real clients on a guarded engine, beside the same on one that nobody
guards: the outcomes are the same, streams stream, nothing is refused, nothing hangs.

Each kind of work is done on both engines, with the clients of this machine and with those
of the newest Debian release that can be had.
"""

import concurrent.futures
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import tarfile
import time
import unittest

from kits import DOCKER, HERE, PATIENCE, Kit, Lane, dockerode, newest_clients
from lab import IMAGE, PLUGIN, STRICT, SUITE, Engine, Judge, rows, spread

# Says "first", and "last" once somebody has opened the gate.
GATED = ("sh", "-c", "echo first; until [ -e /gate ]; do sleep 0.1; done; echo last")
OPEN_GATE = ("sh", "-c", ": > /gate")
DETACH = "\x10\x11"  # ctrl-p ctrl-q
SECCOMP = "grep Seccomp: /proc/self/status"

DOCKERFILE = f"""FROM {IMAGE}
COPY file /file
RUN {SECCOMP} > /seccomp
RUN echo $((20 + 1))first && sleep 3 && echo $((20 + 2))last
CMD ["cat", "/file", "/seccomp"]
"""
COMPOSE = f"""version: "2.4"
services:
  web:
    image: {IMAGE}
    command: {json.dumps(GATED[:2] + (GATED[2].replace("echo last", "echo last; sleep 600"),))}
    stop_signal: KILL
    volumes: ["data:/data"]
  built:
    build: {{context: ./built, network: none}}
    command: ["cat", "/file"]
    network_mode: none
volumes: {{data: {{}}}}
"""
STACK = f"""version: "3.8"
services:
  web: {{image: "{IMAGE}", command: sleep 600, networks: [outside], stop_grace_period: 0s}}
networks: {{outside: {{external: true, name: host}}}}
"""


def tar_of(name, content):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return memory.getvalue()


def stream(lane, session, name):
    """What a gated container says is there before it has said all; ends by itself."""
    early = session.expect("first")
    if "last" in early:
        raise AssertionError(f"all came at once: {early!r}")
    # detached: the container ends at once, and may take this command with it (137)
    lane.ok("exec", "-d", name, *OPEN_GATE)
    session.expect("last")


# ---- containers -------------------------------------------------------------------------


def run(lane):
    """Output, input, errors and exit codes."""
    return (lane.docker("run", "--rm", IMAGE, "sh", "-c", "echo out; echo err >&2; exit 7"),
            lane.docker("run", "--rm", "-i", IMAGE, "cat", stdin=b"to and fro\n"),
            lane.ok("run", "--rm", IMAGE, "sh", "-c", SECCOMP),
            lane.docker("run", "--rm", IMAGE, "no-such-program")[0],
            lane.docker("run", "--rm", "127.0.0.1:9/no/such:image")[0])


def run_with_options(lane):
    script = "id; cat /proc/self/cgroup > /t/x; echo $A; pwd; /bin/busybox hostname; " \
             "grep -E 'CapEff|NoNewPrivs' /proc/self/status"
    return lane.ok(
        "run", "--rm", "--name", lane.name("options"), "-e", "A=b", "-u", "1000:100", "-w",
        "/tmp", "--read-only", "--tmpfs", "/t:mode=1777", "--cap-add", "NET_ADMIN",
        "--cap-drop", "MKNOD", "--hostname", "box", "--memory", "64m", "--cpu-shares", "512",
        "--pids-limit", "64", "--ulimit", "nofile=128", "--security-opt", "no-new-privileges",
        "--label", "a=b", "--network", "none", "--shm-size", "8m", "-v", f"{lane.folder}:/host",
        IMAGE, "sh", "-c", script)


def run_on_a_terminal(lane):
    session = lane.open("run", "--rm", "-it", "--name", lane.name("tty"), IMAGE, "sh",
                        terminal=True)
    session.send("echo $((6 * 7))x\r")
    session.expect("42x")
    wait = 'until [ "$(/bin/busybox stty size)" = "%s" ]; do sleep 0.1; done; echo $((%s))r\r'
    session.send(wait % ("33 77", "4 + 4"))
    session.expect("8r")
    session.send(wait % ("44 99", "5 + 4"))
    for _ in range(PATIENCE):
        session.resize(44, 99)
        if session.comes("9r"):
            break
    session.expect("9r", seconds=0)
    session.send("exit 5\r")
    return session.end()


def detach_and_attach(lane):
    name = lane.name("left")
    session = lane.open("run", "-it", "--name", name, IMAGE, "sh", terminal=True)
    session.send("echo $((40 + 1))x\r")
    session.expect("41x")
    session.send(DETACH)
    detached = session.end(), lane.ok("inspect", "-f", "{{.State.Running}}", name)
    session = lane.open("attach", name, terminal=True)
    session.send("echo $((50 + 1))y\r")
    session.expect("51y")
    session.send("exit 3\r")
    return detached, session.end(), lane.ok("wait", name)


def attach_to_pipes(lane):
    name, silent = lane.name("piped"), lane.name("silent")
    lane.ok("run", "-d", "-i", "--name", name, IMAGE, "sh", "-c",
            "while read line; do echo \"<$line>\"; done")
    session = lane.open("attach", name)
    session.send("one\n")
    session.expect("<one>")
    session.send("two\n")
    session.expect("<two>")
    lane.ok("run", "-d", "--name", silent, IMAGE, "sh", "-c",
            GATED[2].replace("sleep", "echo again; sleep"))
    watcher = lane.open("attach", "--no-stdin", silent)
    watcher.expect("again")
    lane.ok("exec", "-d", silent, *OPEN_GATE)
    watcher.expect("last")
    return watcher.end(), lane.ok("logs", name)


def execute(lane):
    name = lane.name("target")
    lane.ok("run", "-d", "--name", name, IMAGE, "sleep", "600")
    session = lane.open("exec", "-it", name, "sh", terminal=True)
    session.send("echo $((30 + 3))z\r")
    session.expect("33z")
    session.send("exit 9\r")
    piped = lane.open("exec", "-i", name, "sh", "-c", "read a; echo got $a; read b; echo got $b")
    piped.send("this\n")
    piped.expect("got this")
    piped.send("that\n")
    piped.expect("got that")
    lane.ok("exec", "-d", name, *OPEN_GATE)
    lane.ok("exec", name, "sh", "-c", "until [ -e /gate ]; do sleep 0.1; done")
    return (session.end(), piped.end(), lane.docker("exec", name, "sh", "-c", "exit 4")[0],
            lane.ok("exec", "-e", "A=b", "-u", "7", "-w", "/proc", name, "sh", "-c",
                    "echo $A; id; pwd"),
            lane.ok("exec", "--privileged", name, "sh", "-c", SECCOMP))


def follow_logs(lane):
    name = lane.name("talker")
    lane.ok("run", "-d", "--name", name, IMAGE, *GATED)
    session = lane.open("logs", "-f", name)
    stream(lane, session, name)
    return (session.end(), lane.ok("logs", "--tail", "1", name),
            len(lane.ok("logs", "-t", name).splitlines()))


def watch_events(lane):
    name = lane.name("event")
    session = lane.open("events", "--since", str(int(time.time()) - 1), "--filter",
                        f"container={name}", "--format", "{{.Action}};")
    for command, event in ((("create", "--name", name, IMAGE, "true"), "create;"),
                           (("start", name), "die;"), (("rm", name), "destroy;")):
        lane.ok(*command)
        session.expect(event)
    return session.expect("destroy;").split()


def watch_stats(lane):
    name = lane.name("busy")
    lane.ok("run", "-d", "--name", name, IMAGE, "sleep", "600")
    session = lane.open("stats", "--format", "{{.Name}}", name)
    session.expect(name, times=2)
    return lane.ok("stats", "--no-stream", "--format", "{{.Name}} {{.PIDs}}", name)


def lifecycle(lane):
    old, name = lane.name("before"), lane.name("after")
    said = [lane.ok("create", "--name", old, "-p", "127.0.0.1:8000:80", IMAGE, "sleep", "600"),
            lane.ok("rename", old, name), lane.ok("start", name),
            lane.ok("update", "--cpu-shares", "300", "--restart", "on-failure:3", name),
            lane.ok("top", name, "-o", "pid,comm").split()[-1], lane.ok("port", name), lane.ok("pause", name),
            lane.ok("inspect", "-f", "{{.State.Status}}", name), lane.ok("unpause", name),
            lane.ok("restart", "-t", "0", name), lane.ok("kill", "-s", "KILL", name),
            lane.ok("wait", name), lane.ok("start", name), lane.ok("stop", "-t", "0", name)]
    form = "{{.HostConfig.CpuShares}} {{.HostConfig.RestartPolicy.Name}} {{.State.ExitCode}} " \
           "{{.HostConfig.SecurityOpt}} {{.HostConfig.Privileged}}"
    said.append(lane.ok("inspect", "-f", form, name))
    return said, lane.ok("rm", "-v", name), lane.docker("rm", name)


def health_and_restarts(lane):
    well, ill, again = lane.name("well"), lane.name("ill"), lane.name("again")
    check = ("--health-interval", "1s", "--health-retries", "1", "--health-cmd")
    lane.ok("run", "-d", "--name", well, *check, "exit 0", IMAGE, "sleep", "600")
    lane.ok("run", "-d", "--name", ill, *check, "exit 1", IMAGE, "sleep", "600")
    lane.ok("run", "-d", "--name", again, "--restart", "on-failure:2", IMAGE, "sh", "-c", "exit 4")
    health = ("inspect", "-f", "{{.State.Health.Status}}")
    return (lane.until(*health, well, says="healthy"), lane.until(*health, ill, says="unhealthy"),
            lane.until("inspect", "-f", "{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}",
                       again, says="2 exited 4"))


def copy(lane):
    name, big = lane.name("files"), random.Random(1).randbytes(6 << 20)
    lane.ok("run", "-d", "--name", name, IMAGE, "sleep", "600")
    lane.ok("cp", lane.path("sent", big), f"{name}:/got")
    lane.ok("cp", f"{name}:/got", lane.path("back"))
    with open(lane.path("back"), "rb") as file:
        same = hashlib.sha256(file.read()).digest() == hashlib.sha256(big).digest()
    lane.ok("cp", "-", f"{name}:/bin", stdin=tar_of("note", b"from a tar\n"))
    code, tar, _ = lane.call(DOCKER, "cp", f"{name}:/bin/note", "-")
    with tarfile.open(fileobj=io.BytesIO(tar)) as back:
        note = back.extractfile("note").read()
    return same, code, note, sorted(lane.ok("diff", name).splitlines())


# ---- images, networks, volumes ----------------------------------------------------------


def images(lane):
    tag, made, name = f"{lane.name('tagged')}:1", f"{lane.name('made')}:1", lane.name("source")
    said = [lane.ok("tag", IMAGE, tag), lane.ok("save", "-o", lane.path("saved.tar"), tag),
            lane.ok("rmi", tag), lane.ok("load", "-i", lane.path("saved.tar"))]
    lane.ok("run", "--name", name, IMAGE, *OPEN_GATE)
    said += [lane.ok("commit", "-m", "why", "--change", "ENV A=b", "--change",
                     'CMD ["sh", "-c", "echo $A; ls /gate"]'.replace("ls", "cat"), name, made),
             lane.ok("run", "--rm", made), lane.ok("history", "--format", "{{.Comment}}", made)]
    lane.ok("export", "-o", lane.path("exported.tar"), name)
    said += [lane.ok("import", "--change", "ENV C=d", lane.path("exported.tar"), made),
             lane.ok("run", "--rm", made, "sh", "-c", "echo $C; [ -e /gate ]"),
             lane.ok("images", "--format", "{{.Repository}}:{{.Tag}}", made),
             lane.ok("image", "inspect", "-f", "{{.Config.Env}}", made),
             lane.docker("pull", "127.0.0.1:9/no/such:image")[0],
             lane.docker("push", "127.0.0.1:9/no/such:image")[0]]
    lane.ok("rmi", tag, made)
    return said


def build(lane, buildkit):
    lane.path("context/Dockerfile", DOCKERFILE)
    lane.path("context/file", f"for {lane.kit.name}\n")
    tag = lane.name("built")
    lane.environment["DOCKER_BUILDKIT"] = buildkit
    session = lane.open("build", "--no-cache", "--network", "none", "-t", tag,
                        *(("--progress", "plain") if buildkit == "1" else ()),
                        lane.path("context"))
    early = session.expect("21first")
    if "22last" in early:
        raise AssertionError(f"all came at once: {early!r}")
    code = session.end()
    session.expect("22last")
    return code, lane.ok("run", "--rm", tag)


def classic_build(lane):
    return build(lane, "0")


def buildkit_build(lane):
    return build(lane, "1")


def networks_and_volumes(lane):
    net, vol, name = lane.name("net"), lane.name("vol"), lane.name("member")
    said = [lane.ok("network", "create", net), lane.ok("volume", "create", "--label", "a=b", vol)]
    lane.ok("run", "-d", "--name", name, "--network", "none", "-v", f"{vol}:/data", IMAGE, "sh",
            "-c", "echo kept > /data/x; exec sleep 600")
    said += [lane.ok("network", "disconnect", "none", name),
             lane.ok("network", "connect", "--alias", "other", net, name),
             lane.ok("exec", name, "sh", "-c", "cat /sys/class/net/eth*/operstate"),
             lane.ok("network", "inspect", "-f", "{{.Driver}} {{len .Containers}}", net),
             lane.docker("network", "rm", net)[0], lane.docker("volume", "rm", vol)[0],
             lane.ok("network", "disconnect", "-f", net, name), lane.ok("rm", "-f", name),
             lane.ok("run", "--rm", "-v", f"{vol}:/data", IMAGE, "cat", "/data/x"),
             lane.ok("volume", "ls", "-q", "--filter", f"name={vol}"),
             lane.ok("volume", "inspect", "-f", "{{.Labels}}", vol), lane.ok("volume", "rm", vol),
             lane.ok("network", "ls", "-q", "--filter", f"name={net}"),
             lane.ok("network", "rm", net)]
    return said


def look_around(lane):
    for command in (("version",), ("info",), ("ps", "-a"), ("images", "-a"), ("system", "df", "-v"),
                    ("plugin", "ls"), ("context", "ls"), ("container", "prune", "-f", "--filter",
                                                          f"label={lane.name('none')}")):
        lane.ok(*command)
    return lane.docker("inspect", "no-such-thing")


def many_at_once(lane):
    def one(number):
        name = lane.name(f"many{number}")
        lane.ok("run", "-d", "--name", name, IMAGE, *GATED)
        session = lane.open("logs", "-f", name)
        stream(lane, session, name)
        return session.end(), lane.ok("wait", name), lane.ok("rm", name)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        return list(pool.map(one, range(4)))


# ---- Compose, libraries, Swarm ----------------------------------------------------------


def compose(lane):
    lane.path("docker-compose.yml", COMPOSE)
    lane.path("built/Dockerfile", f"FROM {IMAGE}\nCOPY file /file\nRUN {SECCOMP}\n")
    lane.path("built/file", "built\n")
    project = lane.name("project")
    use = ("-p", project, "-f", lane.path("docker-compose.yml"))
    said = []
    lane.compose(*use, "build")
    lane.compose(*use, "up", "-d", "web")
    web = lane.ok("ps", "--format", "{{.Names}}", "--filter", f"name={project}").strip()
    session = lane.open(*use, "logs", "-f", "web", compose=True)
    stream(lane, session, web)
    said.append(lane.compose(*use, "exec", "-T", "web", "sh", "-c", SECCOMP))
    said.append(lane.compose(*use, "run", "--rm", "-T", "built"))
    said.append(plain_exit(lane.open(*use, "up", "built", compose=True)))
    for command in (("restart", "-t", "0", "web"),
                    ("down", "-v", "-t", "0", "--rmi", "local")):
        lane.compose(*use, *command)
    return said, lane.ok("ps", "-aq", "--filter", f"name={project}")


def plain_exit(session):
    """`compose up` in the foreground shows what the service says and ends with it."""
    code = session.end()
    session.reader.join(5)
    return code, b"built" in session.seen


def docker_py(lane):
    script = lane.path("day.py", (HERE / "clients" / "day.py").read_text())
    code, out, err = lane.call("/usr/bin/python3", script, lane.prefix, IMAGE)
    if code != 0:
        raise AssertionError(out.decode() + err.decode())
    return out.decode()


def node_dockerode(lane):
    """Of npm, so no matter of the kit."""
    folder, why_not = dockerode()
    if folder is None:
        raise unittest.SkipTest(why_not)
    script = shutil.copy(HERE / "clients" / "day.js", folder)
    done = subprocess.run(
        ["node", script, str(lane.engine.socket), lane.name("node"), IMAGE], text=True,
        capture_output=True, timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(lane.folder)})
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return done.stdout


def swarm(lane):
    name, secret = lane.name("service"), lane.name("secret")
    task = ("ps", "-q", "--filter", f"label=com.docker.swarm.service.name={name}")
    lane.ok("service", "create", "-d", "--no-resolve-image", "--name", name, "--network", "host",
            "--stop-grace-period", "0s", IMAGE, *GATED[:2], GATED[2] + "; sleep 600")
    state = ("service", "ls", "--filter", f"name={name}", "--format", "{{.Replicas}}")
    said = [lane.until(*state, says="1/1")]
    session = lane.open("service", "logs", "-f", name)
    code, out, _ = lane.call(DOCKER, *task)
    stream(lane, session, out.decode().strip())
    said += [code, lane.ok("exec", out.decode().strip(), "sh", "-c", SECCOMP),
             lane.ok("secret", "create", secret, "-", stdin=b"s3cret"),
             lane.ok("config", "create", secret, "-", stdin=b"c0nfig")]
    lane.ok("service", "update", "-d", "--env-add", "A=b", name)
    lane.ok("service", "rollback", "-d", name)
    lane.ok("service", "scale", "-d", f"{name}=2")
    said.append(lane.until(*state, says="2/2"))
    lane.ok("service", "ps", name)
    lane.ok("service", "rm", name)
    said += [lane.ok("secret", "rm", secret), lane.ok("config", "rm", secret)]
    lane.ok("stack", "deploy", "-c", lane.path("stack.yml", STACK), lane.name("stack"))
    lane.until("stack", "services", lane.name("stack"), "--format", "{{.Replicas}}", says="1/1")
    lane.ok("stack", "rm", lane.name("stack"))
    lane.ok("node", "ls")
    return said


WORK = (compose, swarm, many_at_once, docker_py, node_dockerode, networks_and_volumes, lifecycle,
        images, watch_stats, classic_build, buildkit_build, health_and_restarts, run, look_around,
        execute, copy, attach_to_pipes, run_with_options, follow_logs, run_on_a_terminal,
        detach_and_attach, watch_events)


def work_and_clean(function, lane):
    try:
        return function(lane)
    finally:
        lane.clean()


@spread
class Clients(unittest.TestCase):
    """All work begins at once, as much as goes side by side; each test waits for its own."""

    at_once = 8

    @classmethod
    def setUpClass(cls):
        newest = newest_clients()
        if newest is None and STRICT:
            raise AssertionError("no clients of a newer release")
        cls.kits = [Kit("own", "/"), *([Kit("newest", newest)] if newest else [])]
        for kit in cls.kits:
            cls.addClassCleanup(kit.end)
        cls.engines = {}
        for name, plugins in (("unguarded", ()), ("guarded", (PLUGIN,))):
            engine = cls.engines[name] = Engine(f"clients{name}")
            cls.addClassCleanup(engine.stop)
            if plugins:
                cls.judge = Judge(engine.home)
                cls.judge.write_policy({"version": 1})
                cls.judge.start("--record-level", "all")
                cls.addClassCleanup(cls.judge.stop)
            engine.start(plugins=plugins)
            engine.import_image()
            status, answer = engine.call("POST", f"/{engine.api}/swarm/init", {
                "ListenAddr": "127.0.0.1:2377", "AdvertiseAddr": "127.0.0.1"})
            if status != 200:
                raise AssertionError(f"swarm init: {status} {answer!r}")
        for kit in cls.kits:
            print(f"     {SUITE}: clients {kit.name}: {kit.versions()}", flush=True)
        cls.begin()

    @classmethod
    def begin(cls):
        """The outcomes to come, by function, kit and engine; the longest work first."""
        pool = concurrent.futures.ThreadPoolExecutor(cls.at_once)
        cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        cls.outcomes = {
            (function, kit.name, name): pool.submit(
                work_and_clean, function, Lane(kit, engine, function.__name__))
            for function in WORK for kit in cls.kits for name, engine in cls.engines.items()
            if function is not node_dockerode or kit.name == "own"}

    @rows({function.__name__: (function,) for function in WORK})
    def work(self, function):
        """The outcomes of a kit are the same on both engines."""
        outcomes = {key[1:]: future.result() for key, future in self.outcomes.items()
                    if key[0] is function}
        for kit in {key[0] for key in outcomes}:
            self.assertEqual(outcomes[kit, "guarded"], outcomes[kit, "unguarded"], kit)

    def test_nothing_was_refused(self):
        concurrent.futures.wait(self.outcomes.values())
        records = self.judge.records()
        refused = [record["message"] for record in records if record["decision"] != "allow"]
        self.assertEqual(refused, [])
        self.assertGreater(len(records), len(WORK))


if __name__ == "__main__":
    unittest.main()
