# SPDX-License-Identifier: Apache-2.0
"""honest.py - bodies as real clients send them, asking for nothing less than the default.

Shapes are those of docker CLI 20.10 and 28, Compose v1 and v2, docker-py and dockerode, as
recorded on real engines.
"""

import profiles
from document import COMPACT, PRETTY, SPACED, Inside, Obj, obj

IMAGE = "oracle:1"
PROBE = ["/probe"]

NULLS_CLI = ("Binds", "VolumesFrom", "CapAdd", "CapDrop", "ExtraHosts", "GroupAdd", "Links",
             "DeviceCgroupRules", "DeviceRequests", "MaskedPaths", "ReadonlyPaths")
EMPTY_CLI = ("Dns", "DnsOptions", "DnsSearch", "BlkioWeightDevice", "Devices", "Ulimits",
             "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps",
             "BlkioDeviceWriteIOps")
ZERO_CLI = ("OomScoreAdj", "ShmSize", "CpuShares", "Memory", "NanoCpus", "BlkioWeight",
            "CpuPeriod", "CpuQuota", "CpuRealtimePeriod", "CpuRealtimeRuntime",
            "MemoryReservation", "MemorySwap", "PidsLimit", "CpuCount", "CpuPercent",
            "IOMaximumIOps", "IOMaximumBandwidth")
TEXT_CLI = ("ContainerIDFile", "VolumeDriver", "CgroupnsMode", "IpcMode", "Cgroup", "PidMode",
            "UTSMode", "UsernsMode", "Isolation", "CgroupParent", "CpusetCpus", "CpusetMems")
FALSE_CLI = ("AutoRemove", "Privileged", "PublishAllPorts", "ReadonlyRootfs",
             "OomKillDisable")


def cli_host(old):
    host = {"NetworkMode": "none", "PortBindings": {}, "SecurityOpt": None,
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "LogConfig": {"Type": "", "Config": {}}, "ConsoleSize": [0, 0],
            "MemorySwappiness": -1}
    host |= {key: None for key in NULLS_CLI} | {key: [] for key in EMPTY_CLI}
    host |= {key: 0 for key in ZERO_CLI} | {key: "" for key in TEXT_CLI}
    host |= {key: False for key in FALSE_CLI}
    if old:
        host |= {"KernelMemory": 0, "KernelMemoryTCP": 0, "Ulimits": None}
    return host


def cli(rnd):
    """docker run and create."""
    body = {"Hostname": "", "Domainname": "", "User": "", "AttachStdin": False,
            "AttachStdout": True, "AttachStderr": True, "Tty": False, "OpenStdin": False,
            "StdinOnce": False, "Env": None, "Cmd": None, "Image": IMAGE, "Volumes": {},
            "WorkingDir": "", "Entrypoint": None, "OnBuild": None, "Labels": {}}
    return body, cli_host(rnd.random() < 0.5), {"NetworkingConfig": {"EndpointsConfig": {}}}


def compose_new(rnd):
    body, host, _ = cli(rnd)
    body["Labels"] = compose_labels("2.40.3")
    body["Volumes"] = None
    host |= {"LogConfig": {"Type": "", "Config": None}, "ExtraHosts": [], "Ulimits": None,
             "MemorySwappiness": None, "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}}
    return body, host, rnd.choice(({"NetworkingConfig": None}, {}))


def compose_old(_rnd):
    body = {"Tty": False, "OpenStdin": False, "StdinOnce": False, "AttachStdin": False,
            "AttachStdout": False, "AttachStderr": False, "Cmd": PROBE, "Image": IMAGE,
            "Volumes": {}, "NetworkDisabled": False, "Labels": compose_labels("1.29.2")}
    host = {"NetworkMode": "none", "VolumesFrom": [], "Binds": [], "PortBindings": {},
            "Links": [], "LogConfig": {"Type": "", "Config": {}}}
    return body, host, {}


def docker_py(_rnd):
    body = {"Tty": False, "OpenStdin": False, "StdinOnce": False, "AttachStdin": False,
            "AttachStdout": True, "AttachStderr": True, "Cmd": PROBE, "Image": IMAGE,
            "NetworkDisabled": False}
    return body, {"NetworkMode": "none"}, {}


def dockerode(rnd):
    return {"Image": IMAGE, "Cmd": PROBE}, rnd.choice(({"NetworkMode": "none"}, {})), {}


def compose_labels(version):
    return {"com.docker.compose.project": "shop", "com.docker.compose.service": "web",
            "com.docker.compose.oneoff": "False", "com.docker.compose.version": version,
            "com.docker.compose.config-hash": "c84fcf24c00959fe2453c5b99e54aba9f0e9e050",
            "com.docker.compose.project.working_dir": "/srv/app",
            "com.docker.compose.container-number": "1"}


CLIENTS = ((cli, COMPACT), (cli, COMPACT), (cli, COMPACT), (compose_new, COMPACT),
           (compose_old, SPACED), (docker_py, SPACED), (dockerode, COMPACT),
           (docker_py, PRETTY))

CAPS = (["NET_ADMIN"], ["SYS_PTRACE"], ["SYS_ADMIN"], ["CAP_SYS_NICE"], ["SYS_TIME", "MKNOD"])

# What a user adds; each is one more thing in the body, the host settings, or both.
BODY_OPTIONS = (
    {"Env": ["A=1", "PATH=/usr/bin:/bin", "EMPTY=", "QUOTED=\"x\" & <y>"]},
    {"Labels": {"team": "tools", "SecurityOpt": "seccomp=unconfined", "größe": "ſ K"}},
    {"User": "1000:1000"}, {"WorkingDir": "/"}, {"Hostname": "web"}, {"Tty": True},
    {"ExposedPorts": {"80/tcp": {}}}, {"StopSignal": "SIGINT", "StopTimeout": 3},
    {"Healthcheck": {"Test": ["NONE"]}}, {"Entrypoint": PROBE, "Cmd": []},
    {"OpenStdin": True, "AttachStdin": True, "StdinOnce": True},
    {"Labels": {"seccomp": "unconfined", "HostConfig": "{}", "hostconfig": "x"}},
)
HOST_OPTIONS = (
    {"AutoRemove": True, "RestartPolicy": {"Name": ""}}, {"ReadonlyRootfs": True}, {"Tmpfs": {"/run": "size=1m"}},
    {"Memory": 67108864}, {"CpuShares": 512}, {"PidsLimit": 4000}, {"OomScoreAdj": 100},
    {"NetworkMode": "host"}, {"NetworkMode": "default"}, {"PidMode": "host"},
    {"IpcMode": "private"}, {"CapDrop": ["ALL"]}, {"CapDrop": ["MKNOD", "NET_RAW"]},
    {"Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/x",
                  "CgroupPermissions": "rwm"}]},
    {"Binds": ["/tmp:/data:ro"]}, {"GroupAdd": ["7"]}, {"Dns": ["192.0.2.1"]},
    {"MaskedPaths": [], "ReadonlyPaths": []}, {"Runtime": "runc"}, {"ShmSize": 1048576},
    {"Ulimits": [{"Name": "nofile", "Hard": 1024, "Soft": 1024}]},
    {"LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}}},
    {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 1}, "AutoRemove": False},
    {"ExtraHosts": ["db:192.0.2.7"]}, {"Privileged": False},
)
SECURITY_OPTIONS = (
    ["no-new-privileges"], ["no-new-privileges:true"], ["no-new-privileges=false"],
    ["label=disable"], ["apparmor=unconfined"], ["label:disable", "no-new-privileges"], [],
    ["seccomp="], ["apparmor=unconfined", "seccomp="],
)


def security_option(rnd):
    act = rnd.random()
    if act < 0.5:
        return list(rnd.choice(SECURITY_OPTIONS))
    made = [Inside(rnd.choice(("seccomp=", "seccomp=", "seccomp=", "seccomp:"))
                   if act > 0.9 else "seccomp=", profiles.stricter(rnd))]
    if rnd.random() < 0.2:
        made.insert(rnd.randrange(2), "no-new-privileges")
    return made


def container(rnd):
    """A create body and the style in which its client writes."""
    client, style = rnd.choice(CLIENTS)
    body, host, rest = client(rnd)
    for _ in range(rnd.choice((0, 0, 1, 2))):
        body |= rnd.choice(BODY_OPTIONS)
    for _ in range(rnd.choice((0, 0, 1, 2, 3))):
        host |= rnd.choice(HOST_OPTIONS)
    if rnd.random() < 0.2:
        host["CapAdd"] = list(rnd.choice(CAPS))
    if rnd.random() < 0.3:
        host["SecurityOpt"] = security_option(rnd)
    members = list(body.items()) + [("HostConfig", host)] + list(rest.items())
    if rnd.random() < 0.1:
        rnd.shuffle(members)  # languages whose maps have no order
    return obj(dict(members)), style


def service(rnd, name, replicas=1):
    """A service spec as the docker CLI and stacks send it."""
    spec = {"Image": IMAGE, "Init": False, "DNSConfig": {}}
    for _ in range(rnd.choice((0, 0, 1, 2))):
        spec |= rnd.choice((
            {"Env": ["A=1"]}, {"Labels": {"team": "tools"}}, {"User": "1000"},
            {"ReadOnly": True}, {"CapabilityAdd": ["CAP_NET_ADMIN"]}, {"Hostname": "web"},
            {"Privileges": {"CredentialSpec": None, "SELinuxContext": None}},
            {"Privileges": None}, {"Privileges": {"NoNewPrivileges": True}},
            {"Privileges": {"Seccomp": {"Mode": "default"}, "AppArmor": {"Mode": "default"}}},
            {"Privileges": {"Seccomp": None}}, {"Isolation": "default"}))
    if rnd.random() < 0.15:
        profile = Inside("", profiles.stricter(rnd), encoded=True)
        seccomp = Obj([("Mode", "custom"), ("Profile", profile)])
        spec["Privileges"] = Obj([("Seccomp", seccomp)])
    task = {"ContainerSpec": spec, "Resources": {"Limits": {}, "Reservations": {}},
            "RestartPolicy": {"Condition": "none"}, "Placement": {}, "ForceUpdate": 0,
            "Networks": [{"Target": "host"}]}
    if rnd.random() < 0.2:
        task["Runtime"] = "container"
    return obj({"Name": name, "Labels": {}, "TaskTemplate": task,
                "Mode": {"Replicated": {"Replicas": replicas}}})
