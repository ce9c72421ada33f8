#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""run.py BUILD [FOLDER] - the HTML report of BUILD/seccomp-authz, opened in Chromium.

The engine is one that says what it likes, with names that no engine would take. FOLDER gets
the report and its screenshots: light, dark, print. Needs chromium and npm, which fetches
playwright-core into a scratch folder.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
IMAGES = ("nginx", "registry.example.com/team/api:1.4", "<img src=x onerror=alert(2)>")
OPTIONS = ([], ["seccomp=unconfined"], ["seccomp={}"], ["seccomp=\"><script>alert(3)</script>"],
           ['seccomp={"defaultAction":"SCMP_ACT_LOG"}'])
POLICY = """{"version": 1, "exceptions": [
    {"id": "debug", "allow": ["unconfined"], "match": {"name": ["web-1?"]},
     "reason": "TEST-1 <script>alert(4)</script>", "expires": "2999-01-31T00:00:00Z"},
    {"id": "over", "allow": ["privileged"], "match": {"name": ["web-2?"]},
     "reason": "TEST-2", "expires": "2020-01-31T00:00:00Z"}]}"""


def documents(document, count):
    made = {1: document(1, "<script>alert(1)</script>",
                        HostConfig={"SecurityOpt": ["seccomp=unconfined"]})}
    for number in range(2, count + 1):
        made[number] = document(
            number, f"web-{number}", Config={"Image": IMAGES[number % len(IMAGES)]},
            HostConfig={"SecurityOpt": OPTIONS[number % len(OPTIONS)],
                        "Privileged": number % 7 == 0})
    return made


def write_report(build, folder, count):
    """Of `count` containers; returns its path."""
    os.environ.update(E2E_DIR=str(folder), E2E_BUILD=str(build))
    sys.path.insert(0, str(HERE.parent / "e2e"))
    from test_audit import Liar, document  # reads the environment at once
    policy, report, path = (folder / name for name in ("policy.json", "report.html", "e.sock"))
    policy.write_text(POLICY)
    made = documents(document, count)
    liar = Liar(path, {"/containers/json": [{"Id": made[number]["Id"]} for number in made],
                       **{f"/containers/{d['Id']}/json": d for d in made.values()}})
    with open(report, "wb") as out:
        done = subprocess.run([build / "seccomp-authz", "audit", "--format", "html", "--policy",
                               policy, "--host", f"unix://{path}"], stdout=out, check=False)
    liar.finish()
    if done.returncode != 1:
        sys.exit(f"audit: exit code {done.returncode}, not 1")
    return report


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="seccomp-authz.") as name:
        scratch = pathlib.Path(name)
        folder = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else scratch
        folder.mkdir(parents=True, exist_ok=True)
        kept, many = folder / "audit.html", scratch / "many.html"
        for path, count in ((kept, 40), (many, 2000)):
            path.write_bytes(write_report(build, scratch, count).read_bytes())
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix",
                        scratch, "playwright-core"], check=True)
        return subprocess.run(["node", HERE / "audit_page.mjs", kept, many, folder], cwd=scratch,
                              check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
