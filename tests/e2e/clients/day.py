# SPDX-License-Identifier: Apache-2.0
"""day.py NAME IMAGE - a day's work with docker-py; prints one outcome a line. The engine is
that of DOCKER_HOST, and everything is named after NAME."""

import io
import sys
import tarfile
import time

import docker

NAME, IMAGE = sys.argv[1], sys.argv[2]
GATED = ["sh", "-c", "echo first; until [ -e /gate ]; do sleep 0.1; done; echo last"]
OPEN_GATE = ["sh", "-c", ": > /gate"]
client = docker.from_env(timeout=30)


def named(what):
    return f"{NAME}-py-{what}"


def outcome(what, *values):
    print(what, *values, flush=True)


def tar_of(name, content):
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return memory.getvalue()


def run():
    outcome("ping", client.ping())
    outcome("run", client.containers.run(IMAGE, ["grep", "Seccomp:", "/proc/self/status"],
                                         remove=True))
    try:
        client.containers.run(IMAGE, ["sh", "-c", "exit 7"], remove=True)
    except docker.errors.ContainerError as error:
        outcome("exit", error.exit_status)
    try:
        client.containers.get("no-such-container")
    except docker.errors.NotFound as error:
        outcome("missing", error.response.status_code)


def streams():
    box = client.containers.run(IMAGE, GATED, detach=True, name=named("gate"))
    seen = []
    for line in box.logs(stream=True, follow=True):
        seen.append(line)
        if b"first" in line:
            early = b"last" not in line
            box.exec_run(OPEN_GATE)
    outcome("logs", early, b"".join(seen), box.wait()["StatusCode"])
    box.remove()


def execute():
    box = client.containers.run(IMAGE, ["sleep", "600"], detach=True, name=named("exec"),
                                network_mode="none")
    # docker-py drops what comes together with the header of the answer, so not at once
    code, lines = box.exec_run(["sh", "-c", "sleep 0.5; echo a; sleep 0.5; echo b"], stream=True)
    outcome("exec", code, b"".join(lines))
    outcome("exec fails", box.exec_run(["sh", "-c", "exit 4"])[0])
    _, sock = box.exec_run(["cat"], stdin=True, socket=True, tty=True)
    raw = getattr(sock, "_sock", sock)
    raw.settimeout(30)
    raw.sendall(b"typed\n")
    seen = b""
    while seen.count(b"typed") < 2:  # the terminal's echo, and cat
        seen += raw.recv(100)
    outcome("exec socket", seen.count(b"typed"))
    sock.close()
    outcome("put", box.put_archive("/bin", tar_of("note", b"noted\n")))
    chunks, stat = box.get_archive("/bin/note")
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        outcome("get", stat["name"], tar.extractfile("note").read())
    outcome("diff", sorted(entry["Path"] for entry in box.diff()))
    box.update(cpu_shares=300)
    box.rename(named("renamed"))
    box.pause()
    box.reload()
    outcome("state", box.status)
    box.unpause()
    outcome("top", len(box.top()["Processes"]))
    samples = box.stats(stream=True, decode=True)
    outcome("stats", sorted(next(samples).keys() & {"cpu_stats", "read"}), bool(next(samples)))
    image = box.commit(named("image"), "1")
    outcome("commit", client.containers.run(image.id, ["cat", "/bin/note"], remove=True))
    saved = b"".join(image.save(named=True))
    outcome("load", client.images.load(saved)[0].tags)
    outcome("export", sum(map(len, box.export())) > 1000000)
    box.restart(timeout=0)
    box.kill()
    outcome("wait", box.wait()["StatusCode"])
    box.remove(force=True)
    client.images.remove(named("image") + ":1", force=True)


def events():
    begin = int(time.time()) - 1
    seen = []
    watch = client.events(since=begin, decode=True, filters={"container": named("event")})
    box = client.containers.create(IMAGE, "true", name=named("event"))
    seen.append(next(watch)["Action"])
    box.start()
    while seen[-1] != "die":
        seen.append(next(watch)["Action"])
    watch.close()
    outcome("events", seen)
    box.remove()


def images():
    image, log = client.images.build(fileobj=io.BytesIO(f"FROM {IMAGE}\nENV q=r\n".encode()),
                                     tag=named("built"), rm=True)
    outcome("build", image.tags, any("Step" in entry.get("stream", "") for entry in log))
    client.images.remove(named("built"))
    net = client.networks.create(named("net"))
    vol = client.volumes.create(named("vol"))
    outcome("run in a network", client.containers.run(
        IMAGE, ["sh", "-c", "echo x > /v/x; cat /v/x"], network=net.name, remove=True,
        volumes={vol.name: {"bind": "/v", "mode": "rw"}}))
    vol.remove()
    net.remove()
    outcome("df", sorted(client.df().keys() & {"Images", "Volumes"}))


for work in (run, streams, execute, events, images):
    work()
