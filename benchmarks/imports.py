"""How long importing takes, and a command, beside one pydantic model, which both include: the CPU of interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import lineage
from benchmarks.report import Table

_MEASURE = "import resource; used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime + used.ru_stime)"
_COMMAND = (
    "import contextlib, os, sys; from lineage.cli import main\n"
    "with contextlib.redirect_stdout(open(os.devnull, 'w')), contextlib.redirect_stderr(sys.stdout), "
    "contextlib.suppress(SystemExit): "
)
_CODES = {
    "nothing": "pass",
    "a pydantic model": "from pydantic import BaseModel\nclass Model(BaseModel):\n    a: int",
    "a store": "from lineage import Store",
    "lineage --help": f"{_COMMAND}main(['--help'])",
    "lineage ls": f"{_COMMAND}main(['ls'])",
}


def imports(*, rounds: int) -> Table:
    """Run each in turn, and show the median of the rounds."""
    with tempfile.TemporaryDirectory() as folder:
        url = str(Path(folder, "lineage.db"))
        with lineage.open_store(url) as store:
            store.put_artifact_type(lineage.ArtifactType(name="DataSet"))
            store.put_artifacts([lineage.Artifact(type="DataSet", name="iris")])
        return _measured(rounds, {**os.environ, "LINEAGE_STORE": url})


def _measured(rounds: int, environment: dict[str, str]) -> Table:
    seconds: dict[str, list[float]] = {name: [] for name in _CODES}
    for _ in range(rounds):
        for name, code in _CODES.items():
            seconds[name].append(_seconds(code, environment))
    table = Table("Importing", ("what", "CPU, ms", "beyond nothing, ms", "times the model"), (18, 10, 18, 15))
    nothing, model = median(seconds["nothing"]), median(seconds["a pydantic model"])
    for name, measured in seconds.items():
        own = median(measured) - nothing
        ratio = "" if name == "nothing" else f"{own / (model - nothing):.1f}"
        table.add([name, f"{1e3 * median(measured):.0f}", f"{1e3 * own:.0f}", ratio])
    return table


def _seconds(code: str, environment: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{_MEASURE}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=environment,
    )
    return float(done.stdout)
