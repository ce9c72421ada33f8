# SPDX-License-Identifier: Apache-2.0
"""What the docs say: each ```sh block is run on a machine with systemd and a guarded engine,
each ```json block is a policy that lint has no error for. A line that ends with "# refused"
has to fail, and one with "# exit 0 or 1" may say 1."""

import json
import pathlib
import re
import subprocess
import tempfile
import unittest

from lab import BUILD, HERE, SUITE
from test_systemd import Machine

REPOSITORY = HERE.parent.parent
DOCS = REPOSITORY / "plugin-spec" / "docs"
BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.M | re.S)


def load_tests(loader, _tests, _pattern):
    suite = unittest.TestSuite()
    if SUITE == "host":
        for case in (Policies, Commands, Links):
            suite.addTests(loader.loadTestsFromTestCase(case))
    return suite


def blocks(page, kind):
    """(line, text) of each block of a page."""
    text = page.read_text()
    for match in BLOCK.finditer(text):
        if match[2] == kind:
            indent = match[1]
            lines = [line.removeprefix(indent) for line in match[3].splitlines()]
            yield text[:match.start()].count("\n") + 2, "\n".join(lines) + "\n"


class Policies(unittest.TestCase):
    def test_every_policy_of_the_docs_is_one(self):
        count = 0
        for page in sorted(DOCS.glob("*.md")):
            for line, text in blocks(page, "json"):
                json.loads(text)
                with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                    file.write(text)
                    file.flush()
                    done = subprocess.run([str(BUILD / "seccomp-authz"), "policy", "lint",
                                           file.name], check=False, capture_output=True,
                                          text=True)
                self.assertEqual(done.returncode, 0,
                                 f"{page.name}:{line}: {done.stdout}{done.stderr}")
                count += 1
        self.assertGreater(count, 6)


class Links(unittest.TestCase):
    def check(self, pages):
        for page in pages:
            for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
                if "://" not in target:
                    self.assertTrue((page.parent / target).exists(), f"{page.name}: {target}")

    def test_every_link_of_the_docs_leads_somewhere(self):
        self.check([REPOSITORY / "README.md", *DOCS.parent.rglob("*.md")])

    def test_so_it_does_where_the_docs_are_installed(self):
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["make", "-s", "-C", str(REPOSITORY), "install", f"DESTDIR={root}"],
                           check=True, capture_output=True)
            pages = sorted(pathlib.Path(root, "usr/share/doc/seccomp-authz").rglob("*.md"))
            self.assertGreater(len(pages), 6)
            self.check(pages)


class Commands(Machine):
    """The pages' commands, in their order; each page begins with the built-in policy."""

    def run_page(self, name):
        page = DOCS / name
        folder = pathlib.Path("/root") / page.stem
        self.succeed("mkdir", "-p", str(folder))
        self.write("etc/seccomp-authz/policy.json", {"version": 1})
        self.succeed("systemctl", "reload", "seccomp-authz")
        count = 0
        for line, text in blocks(page, "sh"):
            script = re.sub(r"^(.*?) +# refused$",
                            r"{ ! \1; } || { echo 'this was not refused: \1'; exit 9; }",
                            text, flags=re.M)
            script = re.sub(r"^(.*?) +# exit 0 or 1$", r"\1 || [ $? = 1 ]", script, flags=re.M)
            code, out = self.run_inside("bash", "-euo", "pipefail", "-c",
                                        f"cd {folder}\n{script}")
            self.assertEqual(code, 0, f"{name}:{line}:\n{text}\n{out}")
            count += 1
        self.assertGreater(count, 2)

    def test_operations(self):
        self.run_page("operations.md")

    def test_policy_cookbook(self):
        self.run_page("policy-cookbook.md")


# These are test_systemd's.
for other in [name for name in dir(Machine) if name.startswith("test_")]:
    setattr(Commands, other, None)
