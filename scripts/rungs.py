"""Run the verification ladder, cheapest rung first: ``rungs.py [RUNG ...]``, all of them without arguments.

A rung is the linter or a folder of ``rtl_tests``. Every rung runs, whatever the ones before it found. Ends with a
table of times and counts; exits 1 if anything failed.
"""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "rungs"
PYTHON = [sys.executable, "-m"]
LINT = [[*PYTHON, "ruff", "check", "."], [*PYTHON, "ruff", "format", "--check", "."]]
FOLDERS = ("unit", "conformance", "sim", "cocotb", "formal", "synth")


@dataclass
class Outcome:
    """Counts and wall-clock time of one rung."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0


def rungs() -> list[str]:
    """Names of the rungs that exist, in the order in which they run."""
    return ["lint", *(name for name in FOLDERS if any((ROOT / "rtl_tests" / name).glob("test_*.py")))]


def lint() -> Outcome:
    codes = [subprocess.run(command, cwd=ROOT).returncode for command in LINT]
    return Outcome("lint", passed=codes.count(0), failed=len(codes) - codes.count(0))


def folder(name: str) -> Outcome:
    """Run the tests of one folder; a crash of the runner, or a folder without a test, is a failure."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    record = RESULTS / f"{name}.xml"
    record.unlink(missing_ok=True)
    options = ["-n", "auto", "--dist", "loadfile", "--strict-skips", f"--junitxml={record}"]
    options += ["--durations=5", "--durations-min=5"]
    code = subprocess.run([*PYTHON, "pytest", "-q", *options, f"rtl_tests/{name}"], cwd=ROOT).returncode
    outcome = Outcome(name)
    if record.exists():
        suite = ElementTree.parse(record).getroot().find("testsuite").attrib
        outcome.failed = int(suite["failures"]) + int(suite["errors"])
        outcome.skipped = int(suite["skipped"])
        outcome.passed = int(suite["tests"]) - outcome.failed - outcome.skipped
    if code and not outcome.failed:
        outcome.failed = 1
    return outcome


def run(name: str) -> Outcome:
    print(f"\n=== {name}", flush=True)
    start = time.monotonic()
    outcome = lint() if name == "lint" else folder(name)
    outcome.seconds = time.monotonic() - start
    return outcome


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in rungs()]
    if unknown:
        print(f"there is no rung {unknown[0]!r}; there are {', '.join(rungs())}", file=sys.stderr)
        return 1
    os.environ.setdefault("PYTHONHASHSEED", "random")
    outcomes = [run(name) for name in names or rungs()]
    print(f"\n{'rung':<14}{'seconds':>9}{'passed':>9}{'failed':>9}{'skipped':>9}")
    for item in outcomes:
        print(f"{item.name:<14}{item.seconds:>9.1f}{item.passed:>9}{item.failed:>9}{item.skipped:>9}")
    total = Outcome("total", *(sum(getattr(item, key) for item in outcomes) for key in ("passed", "failed", "skipped")))
    print(f"{'total':<14}{sum(item.seconds for item in outcomes):>9.1f}\n")
    print(f"{total.passed} passed, {total.failed} failed, {total.skipped} skipped")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
