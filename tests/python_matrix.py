"""Run the unit tests, and the conformance suite on the memory store, on several Pythons.

    python -m tests.python_matrix [PYTHON ...]

`make python-matrix` runs it. Without arguments it takes each Python from 3.10 to the newest that is on this machine, on
the PATH or by pyenv; each in a throw-away environment. What needs a server or the reference implementation is left out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.environments import install_locked, new_environment, run_tests

OLDEST_MINOR = 10
_VERSION = "import platform; print(platform.python_version())"


def pythons_here() -> list[str]:
    """Return one for each minor version, the oldest first."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    folders = [*map(Path, os.get_exec_path()), *(version / "bin" for version in sorted(pyenv.glob("*")))]
    found: dict[int, str] = {}
    for path in (path for folder in folders for path in folder.glob("python3.*")):
        name = re.fullmatch(r"python3\.(\d+)", path.name)
        minor = int(name[1]) if name else 0
        if minor >= OLDEST_MINOR and minor not in found and version_of(str(path)):
            found[minor] = str(path)
    return [found[minor] for minor in sorted(found)]


def version_of(python: str) -> str | None:
    """Return None for one that does not run, as the shim of a Python that pyenv has not switched on."""
    said = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=False)
    return said.stdout.strip() if said.returncode == 0 else None


def run(python: str) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as folder:
        environment = new_environment(Path(folder), python=python)
        install_locked(environment)
        marks = "not neo4j and not mariadb and not postgres and not differential"
        return run_tests(environment, "-m", marks, "--backend", "memory", "tests/unit", "tests/conformance")


def main(pythons: list[str]) -> int:
    results: dict[str, tuple[bool, str]] = {}
    for python in pythons:
        print(f"==> Python {version_of(python)} ({python})", flush=True)
        results[python] = run(python)
    print("==> the unit tests and the conformance suite on the memory store ran on")
    for python, (_, line) in results.items():
        print(f"Python {version_of(python):8} {line}")
    return 0 if all(passed for passed, _ in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or pythons_here()))
