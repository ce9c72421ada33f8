# SPDX-License-Identifier: Apache-2.0
"""profiles.py - seccomp profiles of every kind, from the engines' own to broken ones."""

import functools
import json
import pathlib
import re

from document import Obj, Raw, obj

HERE = pathlib.Path(__file__).resolve().parent
DEFAULTS = ("docker-20.10", "docker-26.1", "docker-28.5")
LETTING = ("SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",
           "SCMP_ACT_TRACE", "SCMP_ACT_NOTIFY")
BLOCKING = ("SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL",
            "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP")
CAPS = ("CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_SYS_NICE", "CAP_SYS_BOOT", "CAP_SYS_TIME",
        "CAP_BPF", "CAP_SYSLOG", "CAP_SYS_CHROOT", "CAP_NOPE")
NAMESPACES = 0x7e020000

# How the default lets processes be made, but no namespaces.
CLONE = {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["s390x"]},
         "args": [{"index": 0, "value": NAMESPACES, "op": "SCMP_CMP_MASKED_EQ"}]}

# Profiles that come to no filter, or to none that an engine loads.
DEGENERATE = (
    "{}", "null", " {}", '{"foo":1}', '{"syscalls":[]}', '{"syscalls":null}',
    '{"defaultAction":""}', '{"defaultAction":null}', '{"defaultErrnoRet":1}',
    '{"architectures":["SCMP_ARCH_X86_64"]}', '{"flags":[]}', '{"listenerPath":""}',
    '{"defaultAction":"","syscalls":[]}', '{"syscalls":[],"syscalls":null}',
    '{"defaultAction":"SCMP_ACT_ERRNO","defaultaction":""}',
    '{"defaultAction":"SCMP_ACT_ERRNO","DEFAULTACTION":null}',
    '{"defaultAction":"SCMP_ACT_ALLOW"}', '{"defaultAction":"SCMP_ACT_LOG"}',
    '{"defaultAction":"SCMP_ACT_TRACE"}', '{"defaultAction":"SCMP_ACT_NOTIFY"}',
    '{"defaultAction":"SCMP_ACT_ERRNO","DefaultAction":"SCMP_ACT_ALLOW"}',
    '{"syscalls":[{"names":["x"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["no"]}}]}',
    '{"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_CHOWN"]}}]}',
    '{"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"99.0"}}]}',
    '{"syscalls":[{"names":["no_such_call"],"action":"SCMP_ACT_ALLOW"}]}',
    '{"syscalls":[{"names":[],"action":"SCMP_ACT_ALLOW"}]}', '{"syscalls":[{}]}',
    '{"syscalls":[{"names":["mount"],"action":"SCMP_ACT_ERRNO"}]}',
    '{"\\u0064efaultAction":""}', '{"default\\u0041ction":"SCMP_ACT_ALLOW"}',
    '{"defaultAction":"SCMP_ACT_ERRNO"}', "[]", '""', "0", "true", '"unconfined"', "{} x",
    "{}{}", "{}}", "\ufeff{}", '{"defaultAction":"scmp_act_allow"}', '{"defaultAction":1}',
)


@functools.cache
def default(name):
    text = (HERE.parent / "profiles" / f"{name}.json").read_text(encoding="utf-8")
    return obj(json.loads(text))


@functools.cache
def weak_calls():
    """The calls that the probe knows."""
    text = (HERE / "probe_calls.h").read_text(encoding="utf-8")
    return tuple(re.findall(r'^    \{"(\w+)", \{', text, re.MULTILINE))


def harmless_calls():
    return ("chmod", "mkdirat", "socket", "ptrace", "personality", "io_uring_setup", "symlink")


def stricter(rnd):
    """An engine's default, or that with more blocked: what an honest operator writes."""
    profile = default(rnd.choice(DEFAULTS))
    if rnd.random() < 0.5:
        rule = obj({"names": rnd.sample(harmless_calls(), 2), "action": "SCMP_ACT_ERRNO"})
        profile = profile.replaced("syscalls", profile.get("syscalls") + [rule])
    return profile


# ---- rules -------------------------------------------------------------------------------


def names(rnd):
    chosen = rnd.sample(weak_calls(), rnd.choice((1, 1, 2, 5, 20)))
    if rnd.random() < 0.2:
        chosen.append(rnd.choice(("no_such_call", "read", "write", "", "Mount", "openat")))
    if rnd.random() < 0.1:
        chosen = list(weak_calls())
    return chosen


def condition(rnd):
    choice = {"caps": [rnd.choice(CAPS) for _ in range(rnd.choice((1, 1, 2)))],
              "arches": rnd.choice((["amd64"], ["nope"], ["amd64", "arm64"], ["s390x"], [])),
              "minKernel": rnd.choice(("3.0", "4.8", "6.0", "99.0"))}
    kinds = rnd.sample(sorted(choice), rnd.choice((1, 1, 1, 2)))
    return obj({kind: choice[kind] for kind in kinds})


def argument(rnd):
    operator = rnd.choice(("EQ", "NE", "LT", "LE", "GE", "GT", "MASKED_EQ", "MASKED_EQ"))
    value = rnd.choice((0, 1, 8, 99, NAMESPACES, NAMESPACES & ~0x10000000, 0x10000000, 2**32))
    arg = {"index": rnd.choice((0, 0, 0, 0, 1, 5)), "value": value,
           "op": f"SCMP_CMP_{operator}"}
    if rnd.random() < 0.4:
        arg["valueTwo"] = rnd.choice((0, 0, 1, 0x10000000))
    return arg


def rule(rnd, action):
    made = {"names": names(rnd), "action": action}
    if rnd.random() < 0.06:
        made["name"] = made.pop("names")[0]
    if rnd.random() < 0.3:
        made["args"] = [argument(rnd) for _ in range(rnd.choice((1, 1, 2)))]
    if rnd.random() < 0.25:
        made["errnoRet"] = rnd.choice((0, 0, 1, 38, 77))
    if rnd.random() < 0.3:
        made["includes"] = condition(rnd)
    if rnd.random() < 0.2:
        made["excludes"] = condition(rnd)
    if rnd.random() < 0.1:
        key, values = rnd.choice((("args", (None, [], [None])), ("includes", (None, {})),
                                  ("excludes", (None, {})), ("names", (None, [], [None]))))
        made[key] = rnd.choice(values)
    return obj(made)


def rules(rnd):
    return [rule(rnd, rnd.choice(LETTING[:4] if rnd.random() < 0.6 else BLOCKING + LETTING))
            for _ in range(rnd.choice((1, 1, 1, 2, 3)))]


# ---- profiles ----------------------------------------------------------------------------


def opened(rnd):
    """An engine's default with rules more, before or after its own."""
    profile = default(rnd.choice(DEFAULTS))
    own = profile.get("syscalls")
    more = rules(rnd)
    profile = profile.replaced("syscalls", own + more if rnd.random() < 0.6 else more + own)
    if rnd.random() < 0.15:
        profile = profile.replaced("defaultAction", rnd.choice(BLOCKING + LETTING))
    if rnd.random() < 0.1:
        profile = profile.replaced("defaultErrnoRet", rnd.choice((0, 1, 38)))
    return profile


def without(node, key):
    return Obj([(name, value) for name, value in node.members if name != key])


def mutated_rule(rnd, rule):
    """A rule with one thing changed that a reader could overlook."""
    act = rnd.random()
    args = rule.get("args")
    if args and act < 0.6:
        changes = [("value", rnd.choice((0, 1, NAMESPACES & ~(1 << rnd.randrange(25, 31)),
                                         NAMESPACES & ~0x20000, 0x20000, NAMESPACES | 0xff))),
                   ("valueTwo", rnd.choice((0, 1, 0x10000000, NAMESPACES))),
                   ("index", rnd.choice((0, 1, 2))),
                   ("op", "SCMP_CMP_" + rnd.choice(("EQ", "NE", "MASKED_EQ", "LE", "GT")))]
        changed = args[0].replaced(*rnd.choice(changes[:1] * 3 + changes))
        return rule.replaced("args", rnd.choice(([changed], [changed], [args[0], changed])))
    if act < 0.65:
        return without(rule, rnd.choice(("args", "includes", "includes", "excludes")))
    if act < 0.75:
        return rule.replaced(rnd.choice(("includes", "excludes")), condition(rnd))
    if act < 0.85:
        return rule.replaced("action", rnd.choice(LETTING + BLOCKING))
    if act < 0.92:
        return rule.replaced("args", [obj(argument(rnd))])
    return rule.replaced("names", rule.get("names") + rnd.sample(weak_calls(), 2))


def mutated(rnd):
    """An engine's default with a few of its conditional rules changed."""
    profile = default(rnd.choice(DEFAULTS))
    rules_ = list(profile.get("syscalls"))
    clone = next(i for i, each in enumerate(rules_) if each.get("names") == ["clone"])
    for _ in range(rnd.choice((1, 1, 1, 2))):
        i = rnd.randrange(1, len(rules_))  # the first is the long list
        i = clone if rnd.random() < 0.5 else i  # the one that hangs on an argument
        rules_[i] = mutated_rule(rnd, rules_[i])
    if rnd.random() < 0.2:
        rules_ = rules_[1:] + rules_[:1]
    return profile.replaced("syscalls", rules_)


def denylist(rnd):
    """Lets through by default and blocks some, or all that the default blocks."""
    blocks = [rule(rnd, rnd.choice(BLOCKING)) for _ in range(rnd.choice((1, 1, 2)))]
    if rnd.random() < 0.5:
        calls = [name for name in weak_calls() if name != "clone"]
        blocks.append(obj({"names": calls, "action": "SCMP_ACT_ERRNO"}))
    if rnd.random() < 0.4:
        blocks.append(obj({"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [
            {"index": 0, "value": NAMESPACES, "valueTwo": 0, "op": "SCMP_CMP_NE"}]}))
    if rnd.random() < 0.3:
        blocks += rules(rnd)
    rnd.shuffle(blocks)
    made = {"defaultAction": rnd.choice(LETTING[:4]), "syscalls": blocks}
    if rnd.random() < 0.4:
        made["architectures"] = rnd.choice((["SCMP_ARCH_X86_64"], ["SCMP_ARCH_AARCH64"],
                                            ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64"], []))
    return obj(made)


def allowlist(rnd):
    """Blocks by default; lets through what a program needs, and some more."""
    base = default(rnd.choice(DEFAULTS)).get("syscalls")[0]
    base = base.replaced("names", base.get("names") + ["arch_prctl"]).replaced("args", Raw("[]"))
    made = [("defaultAction", rnd.choice(BLOCKING)),
            ("syscalls", [base, obj(CLONE)] + rules(rnd))]
    if rnd.random() < 0.5:
        made.append(("architectures", ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]))
    if rnd.random() < 0.15:
        made.append(("defaultErrnoRet", rnd.choice((0, 1, 38))))
    rnd.shuffle(made)
    return Obj(made)


def conditional(rnd):
    """Rules that can fall away, without a default action: no filter if they all do."""
    made = []
    for _ in range(rnd.choice((1, 1, 2))):
        one = rule(rnd, rnd.choice(LETTING[:4] + BLOCKING))
        made.append(one.replaced(rnd.choice(("includes", "excludes")), condition(rnd)))
    return Obj([("syscalls", made)])


def twisted(rnd, profile, respell):
    """Keys of the profile spelled otherwise, given twice, or nulled."""
    members = list(profile.members)
    for _ in range(rnd.choice((1, 1, 2))):
        i = rnd.randrange(len(members))
        key, value = members[i]
        act = rnd.random()
        if act < 0.4:
            members[i] = (respell(rnd, key), value)
        elif act < 0.7:
            other = rnd.choice((None, "", [], "SCMP_ACT_ALLOW", value, [Obj([])]))
            members.insert(rnd.choice((i, i + 1)), (respell(rnd, key), other))
        elif act < 0.8:
            members[i] = (key, rnd.choice((None, 1, "x")))
        elif isinstance(value, list) and value and isinstance(value[-1], Obj):
            members[i] = (key, value[:-1] + [twisted_rule(rnd, value[-1], respell)])
    return Obj(members)


def twisted_rule(rnd, rule, respell):
    members = [(respell(rnd, name) if rnd.random() < 0.5 else name, each)
               for name, each in rule.members]
    if rule.members and rnd.random() < 0.4:
        name, each = rnd.choice(rule.members)
        other = rnd.choice((None, [], each, "SCMP_ACT_ALLOW", [None], ["mount"], {}))
        members.insert(rnd.randrange(len(members) + 1), (respell(rnd, name), obj(other)))
    return Obj(members)


def any_profile(rnd, respell):
    """A document, or the text of one."""
    act = rnd.random()
    if act < 0.2:
        return rnd.choice(DEGENERATE)
    make = rnd.choice((mutated,) * 8 + (opened,) * 3 + (denylist, allowlist, allowlist,
                                                        conditional, stricter))
    profile = make(rnd)
    return twisted(rnd, profile, respell) if rnd.random() < 0.25 else profile
