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


COMPACT = (",", ":")  # Go, JavaScript
SPACED = (", ", ": ")  # Python
PRETTY = (",\n  ", " : ")


def render(node, style=COMPACT):
    comma, colon = style
    if isinstance(node, Raw):
        return node.text
    if isinstance(node, Inside):
        return quote(node.text())
    if isinstance(node, Obj):
        members = (f'"{key}"{colon}{render(value, style)}' for key, value in node.members)
        return "{" + comma.join(members) + "}"
    if isinstance(node, list):
        return "[" + comma.join(render(element, style) for element in node) + "]"
    return json.dumps(node, ensure_ascii=False)


def reduced(node, fails):
    """The document with all left out that isn't needed for fails(document) to be true."""
    if isinstance(node, Obj):
        members = fewer(node.members, lambda less: fails(Obj(less)))
        for i, (key, value) in enumerate(members):
            def put(less, i=i, key=key):
                return members[:i] + [(key, less)] + members[i + 1:]
            members = put(reduced(value, lambda less, put=put: fails(Obj(put(less)))))
        return Obj(members)
    if isinstance(node, list):
        elements = fewer(node, fails)
        for i, element in enumerate(elements):
            def put_element(less, i=i):
                return elements[:i] + [less] + elements[i + 1:]
            elements = put_element(reduced(
                element, lambda less, put=put_element: fails(put(less))))
        return elements
    if isinstance(node, Inside):
        def wrap(less):
            return Inside(node.prefix, less, node.encoded)
        return wrap(reduced(node.node, lambda less: fails(wrap(less))))
    if isinstance(node, str):
        return fewer(node, fails)
    return node


def fewer(items, fails):
    """Leaves out runs of items, long runs first (delta debugging)."""
    size = len(items)
    while size > 0:
        start = 0
        while start < len(items):
            less = items[:start] + items[start + size:]
            if fails(less):
                items = less
            else:
                start += size
        size //= 2
    return items
