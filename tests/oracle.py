"""Whether the reference implementation, ml-metadata, is installed, and what is said where it is not.

The tests marked `differential` need it. Where it is absent they are skipped, on CI they fail (tests/conftest.py), and
the last lines of `make test`, which this module prints, say what was not compared.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from importlib.metadata import PackageNotFoundError, version

NAME = "ml-metadata"
VERSION = "1.17.1"
WHEELS = "CPython 3.9 to 3.11 on Linux x86-64 with glibc"
ABSENT = f"{NAME} {VERSION}, the reference implementation, is not installed; it has wheels for {WHEELS}"


def is_here() -> bool:
    try:
        version(NAME)
    except PackageNotFoundError:
        return False
    return True


def is_demanded() -> bool:
    """On CI nothing may go without the comparison."""
    return bool(os.environ.get("CI"))


def not_compared() -> str:
    """Say which tests did not run for want of it, and how to have it."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-m", "differential"]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return explain(dict(line.rsplit(": ", 1) for line in said.splitlines() if line.startswith("tests/")))


def explain(counts: dict[str, str]) -> str:
    """Say it of files of tests, each with how many of its tests did not run."""
    folders: Counter[str] = Counter()
    for file, count in counts.items():
        folders["/".join(file.split("/")[:2])] += int(count)
    total = sum(folders.values())
    where = ", ".join(f"{count} of {folder}" for folder, count in sorted(folders.items()))
    return (
        f"not compared with the reference: {total} tests did not run ({where}).\n"
        f"{ABSENT}. There: make clean, then make test PYTHON=python3.11"
    )


if __name__ == "__main__" and not is_here():
    sys.exit(f"error: {not_compared()}") if is_demanded() else print(not_compared())
