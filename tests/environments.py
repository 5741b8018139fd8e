"""Throw-away virtual environments, made by uv in seconds, and the tests of this checkout run in one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UV = (sys.executable, "-m", "uv", "--quiet", "--system-certs")  # certificates as pip takes them


def new_environment(folder: Path, *, python: str = sys.executable) -> Path:
    """Make one in a folder, and return its Python."""
    subprocess.run([*UV, "venv", "--python", python, str(folder)], check=True)
    return folder / "bin" / "python"


def install(python: Path, *arguments: str) -> None:
    """Install what `pip install` would, given the same arguments, for a Python of an environment."""
    subprocess.run([*UV, "pip", "install", "--python", str(python), *arguments], check=True)


def install_locked(python: Path) -> None:
    """Install what the tests need, in the locked versions, and this checkout."""
    requirements = [f"-r{ROOT / 'requirements' / name}" for name in ("test.txt", "demo.txt")]
    install(python, "--compile-bytecode", "--require-hashes", *requirements)  # as pip: imports are timed
    install_checkout(python)


def install_checkout(python: Path) -> None:
    """Install this checkout in place; its dependencies and its build backend are there already."""
    install(python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def run_tests(python: Path, *arguments: str, **environment: str) -> tuple[bool, str]:
    """Run pytest in this checkout; return whether all passed, and its last line. Print the end of what failed."""
    result = subprocess.run(
        [str(python), "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        print(result.stdout[-6000:], result.stderr[-2000:])
    return result.returncode == 0, (result.stdout.strip().splitlines() or ["it printed nothing"])[-1]
