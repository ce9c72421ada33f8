# SPDX-License-Identifier: Apache-2.0
"""generate.py - requests, each from its own seed: honest ones and ones with every twist."""

import dataclasses
import random

import honest
import twist
from document import COMPACT, Obj, render

HONEST = 0.4
MEBIBYTE = 1 << 20
KINDS = ("create",) * 14 + ("start",) * 3 + ("service",) * 2 + ("update",)

JSON_TYPE = (("Content-Type", "application/json"),)


@dataclasses.dataclass(frozen=True)
class Case:
    """One request. {name}, {api}, {minor}, {id} and {index} in the target are filled in when
    it is sent; `body` None: there is none."""

    number: int
    kind: str  # create, start, service or update
    honest: bool
    target: str
    method: str = "POST"
    headers: tuple = JSON_TYPE
    framing: str = "length"  # see wire.py
    body: object = None
    style: tuple = COMPACT
    before: str = ""
    after: str = ""
    pad: int = 0  # bytes of white space behind all that

    def body_bytes(self):
        if self.body is None:
            return None
        text = self.before + render(self.body, self.style) + self.after
        return text.encode("utf-8", "surrogateescape") + b" " * self.pad

    def but(self, **changes):
        return dataclasses.replace(self, **changes)


TARGETS = {"create": "/v{api}/containers/create?name={name}",
           "start": "/v{api}/containers/{id}/start",
           "service": "/v{api}/services/create",
           "update": "/v{api}/services/{id}/update?version={index}"}

# The plainest request of each kind, for what twists leave out.
PLAIN_HOST = Obj([("NetworkMode", "none")])
PLAIN_CREATE = Obj([("Image", honest.IMAGE), ("HostConfig", PLAIN_HOST)])


def honest_case(rnd, number, kind, name):
    target = TARGETS[kind]
    if kind == "create":
        body, style = honest.container(rnd)
        target = rnd.choice((target, target, "/containers/create", "/v{api}/containers/create",
                             "/v1.35/containers/create?name={name}",
                             "/v{api}/containers/create?name={name}&platform="))
        case = Case(number, kind, True, target, body=body, style=style)
    elif kind == "start":
        headers = rnd.choice(((), (("Content-Type", "text/plain"),)))
        target = rnd.choice((target, target, "/containers/{id}/start",
                             "/v1.35/containers/{id}/start", "/v1.24/containers/{id}/start"))
        return Case(number, kind, True, target, headers=headers,
                    framing=rnd.choice(("length", "length", "length", "none")))
    else:
        body = honest.service(rnd, name)
        case = Case(number, kind, True, target, body=body)
    act = rnd.random()
    if act < 0.1:
        case = case.but(headers=(("Content-Type", "application/json; charset=utf-8"),))
    elif act < 0.2:
        case = case.but(framing="chunked")
    elif act < 0.25:
        case = case.but(after="\n")
    return case


def twisted_case(rnd, number, kind, name):
    if kind == "create" and rnd.random() < 0.4:
        return Case(number, kind, False, TARGETS[kind], body=twist.profile_body(
            rnd, PLAIN_CREATE))
    if kind == "create":
        body = twist.create_body(rnd, honest, PLAIN_CREATE)
    elif kind == "start":
        body = twist.start_body(rnd)
    else:
        body = twist.service_body(rnd, honest.service(rnd, name))
    case = Case(number, kind, False, TARGETS[kind], body=body)
    if kind == "start":
        version = rnd.choice(twist.OLD_VERSIONS)
        case = case.but(target=case.target.replace("/v{api}", version))
    elif kind != "create" and rnd.random() < 0.35:
        case = case.but(target=twist.service_target(rnd, case.target))
    for _ in range(rnd.choice((0, 0, 1, 1, 2))):
        case = rnd.choice((twist_text, twist_headers, twist_target, twist_framing))(rnd, case)
    return case


def twist_text(rnd, case):
    act = rnd.random()
    if act < 0.3:
        size = rnd.choice((200, MEBIBYTE - 1000, MEBIBYTE, 1200000, 2 * MEBIBYTE,
                           4 * MEBIBYTE))
        return case.but(pad=size) if rnd.random() < 0.7 else case.but(before=" " * size)
    if act < 0.5:
        return case.but(before=rnd.choice((" \n\t", "\r\n", "\ufeff", "\x0b", "//\n")))
    if act < 0.8:
        return case.but(after=rnd.choice((" trailing", "{}", "}", "]", "\n\n", "\0", "\x0c", ",",
                                          '{"HostConfig":{"SecurityOpt":[]}}', " null")))
    return case.but(body=twist.bad_text(rnd, case.body))


def twist_headers(rnd, case):
    return case.but(headers=rnd.choice(twist.HEADERS))


def twist_framing(rnd, case):
    return case.but(framing=rnd.choice(twist.FRAMINGS))


def twist_target(rnd, case):
    target, method = twist.target(rnd, case.kind, case.target)
    return case.but(target=target, method=method)


def generate(seed, number):
    """The request with this number; all that it depends on is these two."""
    rnd = random.Random(f"{seed}/{number}")
    kind = rnd.choice(KINDS)
    make = honest_case if rnd.random() < HONEST else twisted_case
    return make(rnd, number, kind, f"oracle-{number}")
