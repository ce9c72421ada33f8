# SPDX-License-Identifier: Apache-2.0
"""document.py - JSON as a client could write it: any spelling, duplicates and all.

A node is None, a bool, a number, a str (written plainly), a list of nodes, Obj, Raw (text as
it stands), or Inside (a string that holds another document: a profile in a security
option, or in base64 in a service). Nodes are never changed in place.
"""

import base64
import json


class Obj:
    """Members in order; each key is the raw text between its quotes."""

    def __init__(self, members):
        self.members = list(members)

    def with_member(self, key, value, at=None):
        members = list(self.members)
        members.insert(len(members) if at is None else at, (key, value))
        return Obj(members)

    def get(self, key):
        return next((value for name, value in self.members if name == key), None)

    def replaced(self, key, value):
        if not any(name == key for name, _ in self.members):
            return self.with_member(key, value)
        return Obj([(name, value if name == key else old) for name, old in self.members])


class Raw:
    """Text that is written as it is."""

    def __init__(self, text):
        self.text = text


class Inside:
    """A string: `prefix`, then the text of `node` (a str node stands for itself)."""

    def __init__(self, prefix, node, encoded=False):
        self.prefix, self.node, self.encoded = prefix, node, encoded

    def text(self):
        inner = self.node if isinstance(self.node, str) else render(self.node)
        if self.encoded:
            inner = base64.b64encode(inner.encode("utf-8", "surrogatepass")).decode()
        return self.prefix + inner


def obj(value):
    """Plain Python values as a document."""
    if isinstance(value, dict):
        return Obj([(key, obj(member)) for key, member in value.items()])
    if isinstance(value, (list, tuple)):
        return [obj(element) for element in value]
    return value


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def render(node):
    if isinstance(node, Raw):
        return node.text
    if isinstance(node, Inside):
        return quote(node.text())
    if isinstance(node, Obj):
        return "{" + ",".join(f'"{key}":{render(value)}' for key, value in node.members) + "}"
    if isinstance(node, list):
        return "[" + ",".join(render(element) for element in node) + "]"
    return json.dumps(node, ensure_ascii=False)


def smaller(node):
    """Documents with one thing less, the big steps first."""
    if isinstance(node, Obj):
        yield from _smaller_object(node)
    elif isinstance(node, list):
        yield from _smaller_list(node)
    elif isinstance(node, Inside):
        for inner in smaller(node.node):
            yield Inside(node.prefix, inner, node.encoded)
    elif isinstance(node, str) and len(node) > 1:
        yield node[:len(node) // 2]
        yield node[:-1]


def _smaller_object(node):
    for count in _halves(len(node.members)):
        for start in range(0, len(node.members), count):
            yield Obj(node.members[:start] + node.members[start + count:])
    for i, (key, value) in enumerate(node.members):
        for less in smaller(value):
            yield Obj(node.members[:i] + [(key, less)] + node.members[i + 1:])


def _smaller_list(node):
    for count in _halves(len(node)):
        for start in range(0, len(node), count):
            yield node[:start] + node[start + count:]
    for i, element in enumerate(node):
        for less in smaller(element):
            yield node[:i] + [less] + node[i + 1:]


def _halves(length):
    """How much to take at once: half, a quarter, ... one."""
    while length > 0:
        length = (length + 1) // 2 if length > 1 else 1
        yield length
        if length == 1:
            return
