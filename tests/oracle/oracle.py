#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oracle.py - no spelling gets through: requests judged by us and run by real engines.

usage: oracle.py BUILD        BUILD: the folder with seccomp-authzd

Each request goes to a throwaway engine with a plugin that allows all and keeps what it was
asked; the judge is asked the same, and what ran is looked at from inside. A failure is a
request that we allow under the built-in policy and that ran without a filter, or with one
that lets through more than the engine's default; or an honest one that we refuse.

From the environment:
  COUNT    requests for each engine (300)        SEED   another seed, other requests (1)
  ENGINES  Debian suites, or "newest" for the newest that can be had ("bookworm newest")
  ONLY     numbers of requests: only these, and all about them
  KEEP     a folder: envelopes and what ran go there, one JSON object a line
  E2E_CACHE, TMPDIR   where unpacked engines are kept, and scratch
  CI       if true, an engine that can't be had is a failure (but for forky)
Closes with 'N passed, N failed'.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
E2E = HERE.parent / "e2e"
CACHE = pathlib.Path(os.environ.get("E2E_CACHE") or "/var/cache/seccomp-authz-e2e")
COUNT = int(os.environ.get("COUNT") or 300)
SEED = os.environ.get("SEED") or "1"
ONLY = [int(number) for number in (os.environ.get("ONLY") or "").split()]
KEEP = os.environ.get("KEEP")
CI = os.environ.get("CI") == "true"
WORKERS = 4
SHOWN = 1500          # bytes of a body that are printed
SHRINK_SECONDS = 120  # for one failure
SHRINKS = 4           # failures of an engine that are shrunk; all are printed

sys.path[:0] = [str(HERE), str(E2E)]
sys.dont_write_bytecode = True

import profiles  # noqa: E402  (beside this file)
from generate import generate  # noqa: E402
from shrink import shrink  # noqa: E402


# ---- engines -----------------------------------------------------------------------------


def merge_usr(root):
    """Old suites leave their links to /usr to a maintainer script, and none runs."""
    for name in ("bin", "sbin", "lib", "lib64"):
        folder = root / name
        if folder.is_dir() and not folder.is_symlink():
            target = root / "usr" / name
            target.mkdir(exist_ok=True)
            subprocess.run(["cp", "-a", f"{folder}/.", target], check=True)
            shutil.rmtree(folder)
            folder.symlink_to(f"usr/{name}")


def engine_root(suite):
    """The folder with this suite's engine, None if it can't be had."""
    root = CACHE / suite
    done = CACHE / f"{suite}.done"
    if done.exists():
        merge_usr(root)
        return root
    fresh = CACHE / f"{suite}.{os.getpid()}"
    CACHE.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run([E2E / "engine.sh", "root", suite, fresh], check=True)
    except subprocess.CalledProcessError:
        shutil.rmtree(fresh, ignore_errors=True)
        return None
    merge_usr(fresh)
    shutil.rmtree(root, ignore_errors=True)
    fresh.rename(root)
    done.touch()
    return root


def engines():
    """(name, root) of those asked for, and how many are missing that must not be."""
    found, missing = [], 0
    for name in (os.environ.get("ENGINES") or "bookworm newest").split():
        for suite in ("forky", "trixie") if name == "newest" else (name,):
            root = engine_root(suite)
            if root:
                found.append((suite, root))
                break
            print(f"oracle: MISSING: the engine of Debian {suite} can't be had", flush=True)
            missing += suite != "forky" and CI
    return found, missing


def keep_judge(build, folder):
    """A copy: a build that goes on meanwhile must not change what is judged."""
    copy = folder / "judge"
    copy.mkdir()
    shutil.copy2(build / "seccomp-authzd", copy)
    return copy


def build_probe(folder):
    """The program for the containers; it must try all that the judge calls weak."""
    judged = re.findall(r'X\(arg, \w+, "(\w+)"\)', (
        HERE.parents[1] / "plugin/core/seccomp_calls.c").read_text(encoding="utf-8"))
    if sorted(judged) != sorted(profiles.weak_calls()):
        raise AssertionError("probe_calls.h and seccomp_calls.c list different calls")
    probe = folder / "probe"
    subprocess.run(["gcc", "-std=gnu17", "-O1", "-D_GNU_SOURCE", "-static", "-o", probe,
                    HERE / "probe.c"], check=True)
    return probe


# ---- judging the judge -------------------------------------------------------------------


def failure(case, outcome):
    """What is wrong with this outcome, or ''."""
    if outcome.ran and not outcome.asked:
        return "ran, and the plugin was not asked"
    if outcome.unfiltered and outcome.allowed:
        return "allowed, and ran without a filter"
    if outcome.weak and outcome.allowed:
        return "allowed, and ran with calls open that the default blocks: " + \
            " ".join(outcome.open[:8])
    if case.honest and outcome.asked and not outcome.allowed:
        return "honest, and refused"
    return ""


def describe(case, outcome):
    """The request as text, and what became of it."""
    body = case.body_bytes()
    lines = [f"{case.method} {case.target} ({case.framing})"]
    lines += [f"{key}: {value}" for key, value in case.headers]
    if body is not None:
        text = body.decode("utf-8", "backslashreplace").strip(" ")
        lines.append(text if len(text) <= SHOWN else f"{text[:SHOWN]}... ({len(text)} bytes)")
        lines.append(f"({len(body)} bytes in all)" if case.pad else "")
    lines.append(f"engine: {outcome.status} {outcome.error[:300]}; ran: {outcome.ran}, "
                 f"Seccomp: {outcome.mode}, open: {' '.join(outcome.open[:12]) or 'nothing'}")
    lines.append(f"judge: asked: {outcome.asked}, allowed: {outcome.allowed} {outcome.said}")
    return "\n".join("    " + line for line in lines if line)


def tally(counts, case, outcome):
    counts["requests"] += 1
    counts["honest"] += case.honest
    counts["honest that ran"] += case.honest and outcome.ran
    counts["honest refused"] += case.honest and outcome.asked and not outcome.allowed
    counts["ran unfiltered"] += outcome.unfiltered
    counts["ran unfiltered, allowed"] += outcome.unfiltered and outcome.allowed
    counts["ran weak"] += outcome.weak
    counts["ran weak, allowed"] += outcome.weak and outcome.allowed
    counts["twisted, allowed and ran"] += (not case.honest and outcome.allowed and
                                            outcome.ran)
    counts["refused though no weaker"] += (outcome.ran and not outcome.allowed and
                                           not outcome.unfiltered and not outcome.weak)
    counts["ran unseen"] += outcome.blind
    counts["did not run"] += not outcome.ran
    counts["failed"] += bool(failure(case, outcome))


def report(suite, side, case, outcome, spare):
    """Prints a failure, and the smallest request that fails in the same way."""
    kind = failure(case, outcome).split(":")[0]
    print(f"FAIL {suite} {case.number} {case.kind}: {failure(case, outcome)}")
    print(describe(case, outcome), flush=True)
    if not spare:
        return
    less = shrink(case, lambda other: failure(other, side.observe(other)).startswith(kind),
                  SHRINK_SECONDS)
    print(f"  smallest that fails (again: make oracle SEED={SEED} ONLY={case.number}"
          f" ENGINES={suite}):")
    print(describe(less, side.observe(less)), flush=True)


def keep(suite, results):
    """What the engine asked and what ran, for other judges than this one."""
    with open(pathlib.Path(KEEP, f"{suite}-{SEED}.jsonl"), "w", encoding="ascii") as file:
        for case, outcome in results:
            if outcome.asked:
                file.write(json.dumps({
                    "number": case.number, "honest": case.honest, "ran": outcome.ran,
                    "mode": outcome.mode, "open": outcome.open, "allowed": outcome.allowed,
                    "envelope": outcome.envelope.decode("utf-8", "replace")}) + "\n")


def run_cases(suite, side, counts):
    cases = [generate(SEED, number) for number in ONLY or range(COUNT)]
    shrinks = SHRINKS
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = list(zip(cases, pool.map(side.observe, cases)))
    if KEEP:
        keep(suite, results)
    for case, outcome in results:
        tally(counts, case, outcome)
        if ONLY:
            print(f"{suite} {case.number} {case.kind}: {failure(case, outcome) or 'good'}")
            print(describe(case, outcome), flush=True)
        if case.honest and not outcome.ran:
            print(f"note {suite} {case.number} {case.kind}: honest, but it did not run here: "
                  f"{outcome.status} {outcome.error}", flush=True)
        if failure(case, outcome):
            report(suite, side, case, outcome, shrinks > 0)
            shrinks -= 1


def run_engine(suite, probe):
    """All requests on one engine; the counts go to a file."""
    from engine_side import Side  # its lab wants to know the engine when it is imported

    counts, began = collections.Counter(), time.monotonic()
    side = Side(suite, probe)
    try:
        with side:
            print(f"{suite}: engine {side.version['Version']}, API {side.api}; of "
                  f"{len(side.free)} calls the probe can tell {len(side.seen)}", flush=True)
            run_cases(suite, side, counts)
    finally:
        side.engine.stop()
    seconds = time.monotonic() - began
    print(f"{suite}: {', '.join(f'{name}: {n}' for name, n in counts.items())} "
          f"({seconds:.0f} s)", flush=True)
    path = pathlib.Path(os.environ["E2E_DIR"]) / f"{suite}.counts"
    path.write_text(json.dumps(counts), encoding="ascii")


# ---- all ---------------------------------------------------------------------------------


def run_all(build, folder, found):
    """One process for each engine, at the same time; returns (passed, failed)."""
    probe, judge = build_probe(folder), keep_judge(build, folder)
    running = []
    for suite, root in found:
        environment = {**os.environ, "E2E_DIR": str(folder), "E2E_BUILD": str(judge),
                       "E2E_ROOT": str(root), "E2E_SUITE": suite,
                       "PYTHONDONTWRITEBYTECODE": "1"}
        running.append(subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, __file__, "--engine", suite,
             probe], env=environment))
    passed = failed = 0
    for (suite, _), process in zip(found, running):
        broken = process.wait() != 0
        path = folder / f"{suite}.counts"
        counts = json.loads(path.read_text()) if path.exists() else {}
        bad = counts.get("failed", 0)
        passed += counts.get("requests", 0) - bad
        failed += bad + (broken or not counts)
        if broken or not counts:
            print(f"FAIL {suite}: the run broke off")
    return passed, failed


def main():
    if sys.argv[1:2] == ["--engine"]:
        run_engine(sys.argv[2], sys.argv[3])
        return 0
    build = pathlib.Path(sys.argv[1]).resolve()
    if os.geteuid() != 0:
        print("oracle: needs root, to run throwaway Docker engines", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found, failed = engines()
    # Its name becomes an engine's host name, so none of mkdtemp's underscores.
    folder = pathlib.Path(os.environ.get("TMPDIR") or "/var/tmp",
                          f"seccomp-authz.{secrets.token_hex(4)}")
    folder.mkdir(mode=0o755)
    print(f"oracle: {COUNT} requests, seed {SEED}", flush=True)
    try:
        passed, bad = run_all(build, folder, found)
    finally:
        subprocess.run([E2E / "engine.sh", "clean"], check=False,
                       env={**os.environ, "E2E_DIR": str(folder)})
    failed += bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
