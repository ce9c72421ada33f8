# SPDX-License-Identifier: Apache-2.0
"""twist.py - the ways in which a request can be other than it looks."""

import profiles
from document import Inside, Obj, Raw, obj

# ---- spelling ----------------------------------------------------------------------------


def respell(rnd, key):
    """A key that Go folds to the same name, or nearly."""
    act = rnd.random()
    i = rnd.randrange(len(key)) if key else 0
    if act < 0.2:
        return key.lower()
    if act < 0.3:
        return key.upper()
    if act < 0.4:
        return "".join(rnd.choice((c.upper(), c.lower())) for c in key)
    if act < 0.6:
        return key.replace(*rnd.choice((("s", "\u017f"), ("S", "\u017f"), ("k", "\u212a"),
                                        ("K", "\u212a"), ("i", "\u0131"), ("i", "\u0130"))))
    if act < 0.85 and key:
        return f"{key[:i]}\\u{ord(key[i]):04x}{key[i + 1:]}"
    if act < 0.9:
        return key + rnd.choice(("\\u0000", " ", "\udcff", "\\ud800"))
    return key


def sometimes(rnd, key):
    return respell(rnd, key) if rnd.random() < 0.16 else key


# ---- SecurityOpt -------------------------------------------------------------------------

UNCONFINED = ("seccomp=unconfined", "seccomp=unconfined", "seccomp:unconfined",
              "seccomp={}", "seccomp=null", "seccomp:null")
NEAR = (" seccomp=unconfined", "SECCOMP=unconfined", "seccomp =unconfined", "seccomp",
        "seccomp:=unconfined", "seccomp==unconfined", "seccomp=:unconfined", "unconfined",
        "seccomp=Unconfined", "seccomp=unconfined ", "seccomp= unconfined", "seccomp:{}=",
        "seccomp=default", "seccomp:builtin=1", "seccomp=/etc/docker/seccomp.json", "=seccomp",
        "\u017feccomp=unconfined", "seccomp\u0000=unconfined", "seccomp:seccomp=unconfined")
OTHER = ("no-new-privileges", "no-new-privileges=true", "no-new-privileges:false", "disable",
         "label=disable", "apparmor=unconfined", "writable-cgroups", "writable-cgroups=true",
         "", "seccomp=", "seccomp:", "seccomp=builtin", "systempaths=unconfined", "x=y")


def option(rnd):
    act = rnd.random()
    if act < 0.25:
        return rnd.choice(UNCONFINED)
    if act < 0.75:
        return Inside(rnd.choice(("seccomp=", "seccomp=", "seccomp:")),
                      profiles.any_profile(rnd, respell))
    if act < 0.81:
        return rnd.choice(NEAR)
    if act < 0.84:
        return rnd.choice((None, 1, True, [], Raw('"\\u0073eccomp=unconfined"'),
                           Raw('"seccomp=\\u0075nconfined"'), Raw('"seccomp=unconfine\\ud864"')))
    return rnd.choice(OTHER)


def options(rnd):
    act = rnd.random()
    if act < 0.05:
        return rnd.choice((None, [], "seccomp=unconfined", {}, [["seccomp=unconfined"]], 0))
    return [option(rnd) for _ in range(rnd.choice((1, 1, 1, 1, 2, 3)))]


def second_options(rnd):
    """For a key that is there already: resets, or brings back what it held."""
    return rnd.choice(([], None, [None], [None, None], ["seccomp="], ["seccomp=unconfined"],
                       ["no-new-privileges"], ["no-new-privileges", None]))


# ---- host settings -----------------------------------------------------------------------

ANNOTATIONS = ({"run.oci.seccomp_bpf_data": "BgAAAAAA/38="}, {"run.oci.handler": "krun"},
               {"io.example": "y"}, {"run.oci.seccomp.plugins": "/x.so"}, {}, None)
RUNTIMES = ("runc", "runc", "io.containerd.runc.v2", "narrow", "crun", "x.runc.v2", "", None)


def host_members(rnd):
    members = [("NetworkMode", "none")]
    if rnd.random() < 0.8:
        members.append((sometimes(rnd, "SecurityOpt"), options(rnd)))
        if rnd.random() < 0.07:
            second = (sometimes(rnd, "SecurityOpt"), second_options(rnd))
            members.insert(rnd.randrange(1, len(members) + 1), second)
    if rnd.random() < 0.2:
        members.append((sometimes(rnd, "Privileged"), rnd.choice(
            (True, True, True, False, None, "true", 1))))
        if rnd.random() < 0.3:
            members.append((sometimes(rnd, "Privileged"), rnd.choice((None, False, True))))
    if rnd.random() < 0.2:
        members.append((sometimes(rnd, "CapAdd"), rnd.choice(
            (["SYS_ADMIN"], ["ALL"], ["CAP_SYS_PTRACE", "SYS_NICE"], ["sys_admin"], "SYS_ADMIN",
             ["SYS_BOOT"], None, []))))
    if rnd.random() < 0.08:
        members.append((sometimes(rnd, "CapDrop"), rnd.choice((["ALL"], ["MKNOD"], None))))
    if rnd.random() < 0.08:
        members.append((sometimes(rnd, "Runtime"), rnd.choice(RUNTIMES)))
    if rnd.random() < 0.08:
        members.append((sometimes(rnd, "Annotations"), obj(rnd.choice(ANNOTATIONS))))
    if rnd.random() < 0.1:
        members.append(("Resources", Obj([("SecurityOpt", options(rnd))])))
    rnd.shuffle(members)
    return members


def profile_body(rnd, plain):
    """Plainly sent, so that the profile alone decides."""
    members = [("NetworkMode", "none"), ("SecurityOpt", [
        Inside("seccomp=", profiles.any_profile(rnd, respell))])]
    if rnd.random() < 0.3:
        members.append(("CapAdd", [rnd.choice(profiles.CAPS[:-1])]))
    return plain.replaced("HostConfig", Obj(members))


def create_body(rnd, honest, plain):
    """Settings in HostConfig, at the root (engines before 27), or in both."""
    base = plain if rnd.random() < 0.5 else honest.container(rnd)[0]
    rest = [(sometimes(rnd, key) if rnd.random() < 0.1 else key, value)
            for key, value in base.members if key != "HostConfig"]
    act = rnd.random()
    if act < 0.65:
        made = [(sometimes(rnd, "HostConfig"), Obj(host_members(rnd)))]
    elif act < 0.9:
        made = host_members(rnd)
        if rnd.random() < 0.6:
            made.append((sometimes(rnd, "HostConfig"), rnd.choice(
                (None, None, Obj([]), base.get("HostConfig")))))
    else:
        made = [(sometimes(rnd, "HostConfig"), Obj(host_members(rnd))),
                (sometimes(rnd, "HostConfig"), rnd.choice(
                    (None, Obj([]), base.get("HostConfig"), Obj(host_members(rnd)), [])))]
        rnd.shuffle(made)
    made += rest
    rnd.shuffle(made)
    return Obj(made)


def bad_text(rnd, body):
    """A string that isn't one, somewhere where it may not matter."""
    value = rnd.choice((Raw('"\udcff\udcfe"'), Raw('"\\ud800"'), Raw('"\\udc00\\ud800"'),
                        Raw("1e999"), Raw("-0"), Raw("[" * 9000 + "]" * 9000), Raw("01"),
                        Raw("[" * 10001 + "]" * 10001), Raw('"\x01"'), Raw("nul"), Raw("'x'"),
                        Raw('"\\x41"'), Raw('{"a":1,"a":2}'), Raw('"\u2028\x7f"')))
    members = body.members if isinstance(body, Obj) else []
    return Obj(members).with_member(rnd.choice(("X", "Labels", "Domainname", "\udcff")), value,
                                    rnd.randrange(len(members) + 1))


# ---- start -------------------------------------------------------------------------------

OLD_VERSIONS = ("/v1.23", "/v1.23", "/v1.23", "/v1.12", "/v1.20", "/v1.22", "/v1.23.5",
                "/v01.23", "/v1.023", "/v1.23.", "/v1.9", "/v1.24", "/v{api}", "", "/v1.11",
                "/v%31.23", "/v1%2e23")


def start_body(rnd):
    act = rnd.random()
    if act < 0.15:
        return rnd.choice((None, Obj([]), Raw("null"), Raw("null        "), Raw('{"a":1}'),
                           Obj([("CapAdd", ["ALL"]), ("NetworkMode", "none")])))
    host = Obj(host_members(rnd))
    if act < 0.6:
        return host
    return Obj([(sometimes(rnd, "HostConfig"), host)])


# ---- services ----------------------------------------------------------------------------

MODES = ("unconfined", "unconfined", "custom", "custom", "custom", "default", "Unconfined",
         "bogus", "", None, 1)


def seccomp_member(rnd):
    members = [(sometimes(rnd, "Mode"), rnd.choice(MODES))]
    if rnd.random() < 0.7:
        inner = rnd.choice(("unconfined", "{}", "null", "", "builtin",
                            profiles.any_profile(rnd, respell),
                            profiles.any_profile(rnd, respell)))
        profile = Inside("", inner, encoded=True)
        if rnd.random() < 0.1:
            profile = rnd.choice((None, "x", "dW5jb25maW5lZA=", "dW5j\nb25maW5lZA==", 7))
        members.append((sometimes(rnd, "Profile"), profile))
    if rnd.random() < 0.06:
        members.append((sometimes(rnd, "Mode"), rnd.choice(MODES)))
    rnd.shuffle(members)
    return Obj(members)


def inside(rnd, body, path, value):
    """`body` with the member at `path` set, some keys of the way respelled or doubled."""
    key, rest = path[0], path[1:]
    child = body.get(key)
    child = child if isinstance(child, Obj) else Obj([])
    new = inside(rnd, child, rest, value) if rest else value
    members = [(name, each) for name, each in body.members if name != key]
    members.insert(rnd.randrange(len(members) + 1), (sometimes(rnd, key), new))
    if rnd.random() < 0.03:
        members.insert(rnd.randrange(len(members) + 1), (sometimes(rnd, key), rnd.choice(
            (None, Obj([]), child))))
    return Obj(members)


SERVICE_VERSIONS = ("", "", "/v1.44", "/v1.43", "/v1.41", "/v1.44.0", "/v01.44", "/v1.43.9",
                    "/v1.30", "/v{api}.", "/v1.24")


def service_target(rnd, plain):
    """Seccomp in services counts from API 1.44 on; "#%zz" hides the body from plugins."""
    path = plain.replace("/v{api}", rnd.choice(SERVICE_VERSIONS))
    if rnd.random() < 0.3:
        path += ("&" if "?" in path else "?") + rnd.choice(("#%zz", "#%zz", "x#%", "%zz", "#"))
    return path


def service_body(rnd, body):
    path = ("TaskTemplate", "ContainerSpec", "Privileges", "Seccomp")
    if rnd.random() < 0.3:
        profile = Inside("", profiles.any_profile(rnd, respell), encoded=True)
        task = body.get("TaskTemplate")
        spec = task.get("ContainerSpec").replaced("Privileges", Obj([("Seccomp", Obj([
            ("Mode", "custom"), ("Profile", profile)]))]))
        return body.replaced("TaskTemplate", task.replaced("ContainerSpec", spec))
    value = seccomp_member(rnd) if rnd.random() < 0.95 else rnd.choice((None, "unconfined", []))
    body = inside(rnd, body, path, value)
    if rnd.random() < 0.05:
        where = rnd.choice((path[:1], path[:2], path[:3]))
        body = inside(rnd, body, where + ("Seccomp",), Obj([("Mode", "unconfined")]))
    return body


# ---- how it is sent ----------------------------------------------------------------------

TYPE = "Content-Type"
HEADERS = (
    (), ((TYPE, "text/plain"),), ((TYPE, "APPLICATION/JSON"),), ((TYPE, "application/json;"),),
    ((TYPE, "application/json; charset=utf-8"),), ((TYPE, "application/json; x"),),
    ((TYPE, "application/json"), (TYPE, "text/plain")),
    ((TYPE, "text/plain"), (TYPE, "application/json")),
    ((TYPE, "application/json, text/plain"),), ((TYPE, "application/json; a=1; a=2"),),
    ((TYPE, "application/vnd.docker+json"),), ((TYPE, " application/json\t"),),
    ((TYPE, "application/json"), ("Content-Encoding", "gzip")),
    ((TYPE, "application/json"), ("X-HTTP-Method-Override", "GET")),
    ((TYPE, "application/json"), ("Expect", "100-continue")),
    ((TYPE, "application/json"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")),
    ((TYPE, "application/json"), ("Upgrade", "tcp")),
    ((TYPE, "application/json"), ("Authorization", "Basic eDp5")),
)
FRAMINGS = ("chunked", "chunked", "chunked", "small chunks", "zero", "zero and chunked",
            "length and chunked", "none", "http/1.0", "trailer", "two lengths")

ENDINGS = {"create": "create", "start": "start", "service": "create", "update": "update"}
METHODS = ("post", "Post", "PUT", "GET", "PATCH", "DELETE", "POSTX")
QUERIES = ("&x=/auth", "&x=%2Fauth", "&#%zz", "&#/auth", "#%zz", ";x=1", "&name=other", "&%zz",
           "&Name=other", "&rollback=previous", "&checkpoint=", "&checkpoint=c", "&platform=",
           "&x=%00", "&registryAuthFrom=spec", "&" + "a" * 5000)


def target(rnd, kind, plain):
    """A target that an engine may take for the same, and the method."""
    act = rnd.random()
    path, _, query = plain.partition("?")
    join = f"?{query}" if query else ""
    if act < 0.04:
        return plain, rnd.choice(METHODS)
    if act < 0.3:
        extra = rnd.choice(QUERIES)
        return path + ("?" + query + extra if query else "?" + extra.lstrip("&")), "POST"
    if act < 0.5:
        version = rnd.choice(("", "/v{api}.0", "/v{api}.", "/v01.{minor}", "/v1.0{minor}",
                              "/v1.24", "/v1.41", "/v1.43", "/v1.44", "/v1.40", "/v1.99",
                              "/v1..30", "/v{api}.1", "/v1%2e{minor}", "/%76{api}", "/V{api}"))
        return "/".join([version] + path.split("/")[2:]) + join, "POST"
    if act < 0.75:
        scheme = rnd.choice(("http://d", "https://d:99", "HTTP://x", "x://y", "http://", "http:",
                             "http://u:p@d", "unix://", "http://d?", "http:x", "http://[::1]",
                             "http://%64", "x:"))
        return scheme + plain, "POST"
    return odd_path(rnd, kind, path) + join, "POST"


def odd_path(rnd, kind, path):
    ending = ENDINGS[kind]
    head = path[:-len(ending) - 1]
    letter = rnd.randrange(len(ending))
    escaped = f"{ending[:letter]}%{ord(ending[letter]):02x}{ending[letter + 1:]}"
    return rnd.choice((
        f"{head}/{escaped}", f"{head}/{escaped}", f"{head}%2F{ending}", f"{head}%2f{escaped}",
        f"{head}/%{ending}", f"{head}//{ending}", f"{head}/./{ending}", f"{path}/", f"/{path}",
        f"{head}/x/../{ending}", f"{head}/{ending.upper()}", f"{path}%00", f"{path};x=1",
        f"{path}%20", f"{path}#x", f"{path}%3Fx=1", path[1:], f"{head}%5c{ending}",
        path.replace("/containers", "/%63ontainers").replace("/services", "/%73ervices"),
        path.replace("/containers", "%2Fcontainers").replace("/services", "%2fservices")))
