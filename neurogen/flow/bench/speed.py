"""Rows of the software's own speed: never cached, and never a test."""

import importlib.metadata
import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ...spec.errors import ToolError
from .race import LAYERS, SAMPLES, STEPS
from .row import Measured, Progress, Row, Settings, Skipped, at_least, at_most

FRAMEWORK = ("torch", "snntorch")


def golden(_settings: Settings, progress: Progress) -> Measured:
    """The golden network model beside snnTorch, one processor, one process."""
    missing = [name for name in FRAMEWORK if importlib.util.find_spec(name) is None]
    if missing:
        raise Skipped(f"{' and '.join(missing)} not installed; pip install 'neurogen[frameworks]' brings it")
    progress("golden.network and snnTorch")
    found = json.loads(_run("neurogen.flow.bench.race").splitlines()[-1])
    sizes = "-".join(map(str, LAYERS))
    return Measured(
        {"speedup": found["snntorch"] / found["golden"], "seconds": found["golden"]},
        f"{sizes}, {SAMPLES} samples of {STEPS} steps; snnTorch takes {found['snntorch']:.2f} s",
        [f"{name} {importlib.metadata.version(name)}" for name in ("numpy", *FRAMEWORK)],
    )


def second_build(_settings: Settings, progress: Progress) -> Measured:
    """The whole command, when all that it makes is in the cache."""
    with TemporaryDirectory() as folder:
        command = ("neurogen", "build", "-o", str(Path(folder) / "build"))
        progress("build, to fill the cache")
        _run(*command)
        progress("build, again")
        start = time.perf_counter()
        _run(*command)
        seconds = time.perf_counter() - start
    return Measured({"seconds": seconds}, "python -m neurogen build", [f"Python {sys.version.split()[0]}"])


def _run(module: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise ToolError(f"python -m {module} failed: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    return done.stdout


ROWS = (
    Row("golden", "golden.network by snnTorch", golden, {"speedup": at_least(3)}),
    Row("build", "second build of the shipped network", second_build, {"seconds": at_most(5)}),
)
