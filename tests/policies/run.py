#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py PROGRAM - the parser and the published JSON Schema take the same policies.

Good and bad documents are given to `PROGRAM policy lint` and to the schema
(plugin-spec/policy.schema.json, JSON Schema 2020-12, by python3-jsonschema); both must say the
same. Documents come from good.json and bad.json here, and from the good ones by small changes:
each value replaced, removed, doubled or wrapped, and each key misspelt. What the schema says
it can't say (its description) is in parser_only.json.
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

HERE = pathlib.Path(__file__).resolve().parent
SPEC = HERE.parent.parent / "plugin-spec"
BATCH = 200
ODD = [None, True, 0, 1, -1, 1.5, "", "x", "*", "[", "a\u0007b", [], ["x"], [""], {}, {"x": 1},
       "default", "guard:self", "sha256:" + "0" * 64, "2027-01-31T00:00:00Z", ["self", "self"],
       ["unreadable"], "é", "x" * 1025, ["docker", "docker"], [["x"]]]


def load(name):
    return json.loads((HERE / name).read_text(encoding="utf-8"))


def places(value, path=()):
    """Paths of all values in a document, its root included."""
    yield path
    items = value.items() if isinstance(value, dict) else \
        enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield from places(child, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def changed(document, path, change):
    """A copy of the document in which change(parent, key) was made at `path`."""
    root = [copy.deepcopy(document)]
    whole = (0, *path)
    change(at(root, whole[:-1]), whole[-1])
    return root[0]


def put(value):
    def change(parent, key):
        parent[key] = value
    return change


def drop(parent, key):
    del parent[key]


def double(parent, key):
    if isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))


def wrap(parent, key):
    parent[key] = [parent[key]]


def misspell(parent, key):
    if isinstance(parent, dict):
        parent[key + "x"] = parent.pop(key)


def mutants(document):
    for path in places(document):
        for odd in ODD:
            yield changed(document, path, put(odd))
        for change in (drop, double, wrap, misspell):
            if path:
                yield changed(document, path, change)


def ids_are_unique(document):
    """What the schema can't say and changes bring about."""
    exceptions = document.get("exceptions") if isinstance(document, dict) else None
    ids = [e["id"] for e in exceptions if isinstance(e, dict) and isinstance(e.get("id"), str)] \
        if isinstance(exceptions, list) else []
    return len(ids) == len(set(ids))


def parser_takes(program, documents):
    """What the program says of each: a list of bool."""
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for start in range(0, len(documents), BATCH):
            paths = []
            for i, document in enumerate(documents[start:start + BATCH]):
                path = pathlib.Path(folder, f"{i}.json")
                path.write_text(json.dumps(document), encoding="utf-8")
                paths.append(str(path))
            done = subprocess.run([program, "policy", "lint", "--format", "json", *paths],
                                  capture_output=True, text=True, timeout=120, check=False)
            files = json.loads(done.stdout)["files"]
            assert [f["file"] for f in files] == paths, done.stderr
            taken += [f["digest"] is not None for f in files]
    return taken


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def expect(self, good, what):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what[:600]}", file=sys.stderr)


def main():
    program = sys.argv[1]
    tally = Tally()
    schema = json.loads((SPEC / "policy.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good, bad, parser_only = load("good.json"), load("bad.json"), load("parser_only.json")
    good.append(json.loads((SPEC / "policy.example.json").read_text(encoding="utf-8")))

    for documents, want in ((good, True), (bad, False)):
        for document, taken in zip(documents, parser_takes(program, documents)):
            text = json.dumps(document)
            tally.expect(taken == want, f"the parser takes it: {taken}: {text}")
            valid = validator.is_valid(document)
            tally.expect(valid == want, f"the schema takes it: {valid}: {text}")
    for document, taken in zip(parser_only, parser_takes(program, parser_only)):
        tally.expect(not taken and validator.is_valid(document),
                     f"parser {taken}, schema should take it: {json.dumps(document)}")
    documents = [mutant for document in good for mutant in mutants(document)
                 if ids_are_unique(mutant)]
    for document, taken in zip(documents, parser_takes(program, documents)):
        valid = validator.is_valid(document)
        tally.expect(valid == taken, f"schema {valid}, parser {taken}: {json.dumps(document)}")
    print(f"policies: {tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
